//! What identifiers are made of: an index goes in and is read back, so that no table is kept.
//!
//! Not the shapes of ids, which each platform has its own; staff numbers and mobiles are the same on all. The invariant: an
//! id that the simulator did not make parses to `None` or to an index that does not exist.

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

const HEX: &[u8; 16] = b"0123456789abcdef";

impl Ids {
    pub(crate) const fn new(seed: u64) -> Self {
        Self { key: mix(seed ^ 0x5bf0_3635_dcd1_f867) }
    }

    /// 32 bits that look like nothing in particular, and lead back to the index.
    pub(crate) fn scatter(self, index: u32) -> u32 {
        permute(index, self.key)
    }

    pub(crate) fn gather(self, scattered: u32) -> u32 {
        unpermute(scattered, self.key)
    }

    /// 32 hexadecimal digits: half is the index, permuted, half proves it.
    pub(crate) fn write_long(self, out: &mut Vec<u8>, prefix: &str, kind: u64, index: u32) {
        let key = mix(self.key ^ kind);
        let front = mix(u64::from(index) ^ key);
        out.extend_from_slice(prefix.as_bytes());
        write_hex64(out, front);
        write_hex64(out, mix(front ^ key.rotate_left(17)));
    }

    pub(crate) fn parse_long(self, id: &str, prefix: &str, kind: u64) -> Option<u32> {
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

/// A person and a day in 52 bits, above four free ones.
pub(crate) fn person_day(person: PersonNo, day: i64) -> u64 {
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

pub(crate) fn write_hex32(out: &mut Vec<u8>, x: u32) {
    out.extend((0..8).rev().map(|place| HEX[((x >> (4 * place)) & 0xf) as usize]));
}

fn parse_hex(digits: &str) -> Option<u64> {
    let lower = digits.bytes().all(|b| HEX.contains(&b));
    lower.then(|| u64::from_str_radix(digits, 16).ok()).flatten()
}

pub(crate) fn parse_hex32(digits: &str) -> Option<u32> {
    u32::try_from(parse_hex(digits)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn scattered_indices_lead_back_and_differ() {
        let ids = Ids::new(1);
        let seen: HashSet<u32> = (0..2_000).map(|n| ids.scatter(n)).collect();
        assert_eq!(seen.len(), 2_000);
        assert!(
            [0, 1, 65_535, 65_536, 4_000_000].iter().all(|n| ids.gather(ids.scatter(*n)) == *n)
        );
    }

    #[test]
    fn mobiles_and_staff_numbers_lead_back() {
        for shape in ["+8613800000042", "13800000042", "+86 138 0000 0042", "138-0000-0042"] {
            assert_eq!(parse_mobile(shape), Some(PersonNo(42)), "{shape}");
        }
        assert_eq!(parse_staff_no(&staff_no(PersonNo(41))), Some(PersonNo(41)));
        assert_eq!(parse_staff_no("E1"), None);
    }
}
