//! Every identifier the simulator hands out, made from an index and read back to it, so that no table is kept.
//!
//! Not for the outside: a client must treat them as opaque. The invariant: an id that the simulator did not make
//! parses to `None` or to an index that does not exist.

use crate::dice::{mix, unmix};

/// A person, counted from 0 in order of appearance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct PersonNo(pub(crate) u32);

/// A department, counted from 0, which is the root.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct DeptNo(pub(crate) u32);

impl DeptNo {
    pub(crate) const ROOT: Self = Self(0);
}

impl PersonNo {
    pub(crate) const fn at(self) -> usize {
        self.0 as usize
    }
}

impl DeptNo {
    pub(crate) const fn at(self) -> usize {
        self.0 as usize
    }
}

/// Which id of a person a request speaks, `user_id_type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UserIdType {
    Open,
    Union,
    User,
}

/// Which id of a department a request speaks, `department_id_type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DeptIdType {
    Open,
    Custom,
}

/// Which of a day's punches a record id means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PunchKind {
    In,
    Out,
    Late,
}

/// The ids of one world: they differ from seed to seed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ids {
    key: u64,
}

const PUNCH_BASE: u64 = 6_900_000_000_000_000_000;
const RESULT_BASE: u64 = 7_100_000_000_000_000_000;
const HEX: &[u8; 16] = b"0123456789abcdef";

impl Ids {
    pub(crate) const fn new(seed: u64) -> Self {
        Self { key: mix(seed ^ 0x5bf0_3635_dcd1_f867) }
    }

    pub(crate) fn write_user(self, out: &mut Vec<u8>, person: PersonNo, as_type: UserIdType) {
        match as_type {
            UserIdType::Open => self.write_long(out, "ou_", 1, person.0),
            UserIdType::Union => self.write_long(out, "on_", 2, person.0),
            UserIdType::User => write_hex32(out, permute(person.0, self.key)),
        }
    }

    pub(crate) fn parse_user(self, id: &str, as_type: UserIdType) -> Option<PersonNo> {
        let index = match as_type {
            UserIdType::Open => self.parse_long(id, "ou_", 1)?,
            UserIdType::Union => self.parse_long(id, "on_", 2)?,
            UserIdType::User if id.len() == 8 => unpermute(parse_hex32(id)?, self.key),
            UserIdType::User => return None,
        };
        Some(PersonNo(index))
    }

    pub(crate) fn write_dept(self, out: &mut Vec<u8>, dept: DeptNo, as_type: DeptIdType) {
        match (dept, as_type) {
            (DeptNo::ROOT, _) => out.push(b'0'),
            (_, DeptIdType::Open) => self.write_long(out, "od-", 3, dept.0),
            (_, DeptIdType::Custom) => {
                out.extend_from_slice(format!("dept-{:05}", dept.0).as_bytes());
            }
        }
    }

    pub(crate) fn parse_dept(self, id: &str, as_type: DeptIdType) -> Option<DeptNo> {
        if id == "0" {
            return Some(DeptNo::ROOT);
        }
        let index = match as_type {
            DeptIdType::Open => self.parse_long(id, "od-", 3)?,
            DeptIdType::Custom => {
                let digits = id.strip_prefix("dept-").filter(|digits| digits.len() >= 5)?;
                digits.parse().ok().filter(|index: &u32| *index > 0)?
            }
        };
        Some(DeptNo(index))
    }

    /// 32 hexadecimal digits: half is the index, permuted, half proves it.
    fn write_long(self, out: &mut Vec<u8>, prefix: &str, kind: u64, index: u32) {
        let key = mix(self.key ^ kind);
        let front = mix(u64::from(index) ^ key);
        out.extend_from_slice(prefix.as_bytes());
        write_hex64(out, front);
        write_hex64(out, mix(front ^ key.rotate_left(17)));
    }

    fn parse_long(self, id: &str, prefix: &str, kind: u64) -> Option<u32> {
        let key = mix(self.key ^ kind);
        let digits = id.strip_prefix(prefix).filter(|digits| digits.len() == 32)?;
        let front = parse_hex(digits.get(..16)?)?;
        let back = parse_hex(digits.get(16..)?)?;
        let index = u32::try_from(unmix(front) ^ key).ok()?;
        (mix(front ^ key.rotate_left(17)) == back).then_some(index)
    }
}

/// The staff number, `employee_no`.
pub(crate) fn staff_no(person: PersonNo) -> String {
    format!("E{:06}", u64::from(person.0) + 1)
}

pub(crate) fn parse_staff_no(text: &str) -> Option<PersonNo> {
    let digits = text.strip_prefix('E').filter(|digits| digits.len() >= 6)?;
    let number = digits.parse::<u32>().ok()?.checked_sub(1)?;
    (staff_no(PersonNo(number)) == text).then_some(PersonNo(number))
}

/// The number a person's mobile ends in; all start with the conspicuous 1380000.
pub(crate) fn mobile_digits(person: PersonNo) -> u64 {
    13_800_000_000 + u64::from(person.0)
}

/// The person behind a mobile in any of its written shapes.
pub(crate) fn parse_mobile(text: &str) -> Option<PersonNo> {
    let digits: String = text.chars().filter(|c| !matches!(c, ' ' | '-')).collect();
    let bare = digits.strip_prefix("+86").unwrap_or(&digits);
    let number = bare.parse::<u64>().ok().filter(|_| bare.len() == 11)?;
    Some(PersonNo(u32::try_from(number.checked_sub(13_800_000_000)?).ok()?))
}

/// A punch's `record_id`.
pub(crate) fn punch_id(person: PersonNo, day: i64, kind: PunchKind) -> u64 {
    let seq = match kind {
        PunchKind::In => 0,
        PunchKind::Out => 1,
        PunchKind::Late => 2,
    };
    PUNCH_BASE + person_day(person, day) + seq
}

pub(crate) fn parse_punch_id(text: &str) -> Option<(PersonNo, i64, PunchKind)> {
    let packed = text.parse::<u64>().ok()?.checked_sub(PUNCH_BASE)?;
    let kind = match packed & 0xf {
        0 => PunchKind::In,
        1 => PunchKind::Out,
        2 => PunchKind::Late,
        _ => return None,
    };
    let person = u32::try_from(packed >> 20).ok()?;
    Some((PersonNo(person), ((packed >> 4) & 0xffff).cast_signed(), kind))
}

/// A day result's `result_id`.
pub(crate) fn result_id(person: PersonNo, day: i64) -> u64 {
    RESULT_BASE + person_day(person, day)
}

fn person_day(person: PersonNo, day: i64) -> u64 {
    (u64::from(person.0) << 20) | ((day.cast_unsigned() & 0xffff) << 4)
}

/// A bijection of 32 bits: four rounds over two halves.
fn permute(x: u32, key: u64) -> u32 {
    (0..4).fold(x, |x, round| {
        let right = x & 0xffff;
        (right << 16) | ((x >> 16) ^ round_of(right, key, round))
    })
}

fn unpermute(x: u32, key: u64) -> u32 {
    (0..4).rev().fold(x, |x, round| {
        let right = x >> 16;
        (((x & 0xffff) ^ round_of(right, key, round)) << 16) | right
    })
}

fn round_of(half: u32, key: u64, round: u64) -> u32 {
    (mix(u64::from(half) ^ key.wrapping_add(round.wrapping_mul(0x9e37_79b9))) & 0xffff) as u32
}

fn write_hex64(out: &mut Vec<u8>, x: u64) {
    out.extend((0..16).rev().map(|place| HEX[((x >> (4 * place)) & 0xf) as usize]));
}

fn write_hex32(out: &mut Vec<u8>, x: u32) {
    out.extend((0..8).rev().map(|place| HEX[((x >> (4 * place)) & 0xf) as usize]));
}

fn parse_hex(digits: &str) -> Option<u64> {
    let lower = digits.bytes().all(|b| HEX.contains(&b));
    lower.then(|| u64::from_str_radix(digits, 16).ok()).flatten()
}

fn parse_hex32(digits: &str) -> Option<u32> {
    u32::try_from(parse_hex(digits)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    const IDS: Ids = Ids::new(1);

    fn text(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap()
    }

    fn user(ids: Ids, person: PersonNo, as_type: UserIdType) -> String {
        text(|out| ids.write_user(out, person, as_type))
    }

    fn dept(ids: Ids, dept: DeptNo, as_type: DeptIdType) -> String {
        text(|out| ids.write_dept(out, dept, as_type))
    }

    #[test]
    fn every_user_id_leads_back_to_its_person() {
        for kind in [UserIdType::Open, UserIdType::Union, UserIdType::User] {
            let ids: HashSet<String> = (0..2_000).map(|n| user(IDS, PersonNo(n), kind)).collect();
            assert_eq!(ids.len(), 2_000, "{kind:?}");
            for n in [0, 1, 65_535, 65_536, 4_000_000] {
                let id = user(IDS, PersonNo(n), kind);
                assert_eq!(IDS.parse_user(&id, kind), Some(PersonNo(n)), "{id}");
            }
        }
    }

    #[test]
    fn an_id_of_another_kind_or_world_is_refused() {
        let open = user(IDS, PersonNo(7), UserIdType::Open);
        assert_eq!(IDS.parse_user(&open, UserIdType::Union), None);
        assert_eq!(IDS.parse_user(&open.to_uppercase(), UserIdType::Open), None);
        assert_eq!(Ids::new(2).parse_user(&open, UserIdType::Open), None);
        assert_eq!(IDS.parse_user("", UserIdType::User), None);
        assert_eq!(IDS.parse_user("é234567", UserIdType::User), None);
    }

    #[test]
    fn departments_speak_both_ids_and_the_root_is_zero() {
        for kind in [DeptIdType::Open, DeptIdType::Custom] {
            assert_eq!(dept(IDS, DeptNo::ROOT, kind), "0");
            let id = dept(IDS, DeptNo(17), kind);
            assert_eq!(IDS.parse_dept(&id, kind), Some(DeptNo(17)), "{id}");
        }
        assert_eq!(dept(IDS, DeptNo(17), DeptIdType::Custom), "dept-00017");
    }

    #[test]
    fn punches_mobiles_and_staff_numbers_lead_back() {
        let id = punch_id(PersonNo(99), 20_543, PunchKind::Late).to_string();
        assert_eq!(parse_punch_id(&id), Some((PersonNo(99), 20_543, PunchKind::Late)));
        assert_eq!(parse_punch_id("7001"), None);
        for shape in ["+8613800000042", "13800000042", "+86 138 0000 0042", "138-0000-0042"] {
            assert_eq!(parse_mobile(shape), Some(PersonNo(42)), "{shape}");
        }
        assert_eq!(parse_staff_no(&staff_no(PersonNo(41))), Some(PersonNo(41)));
        assert_eq!(parse_staff_no("E1"), None);
    }
}
