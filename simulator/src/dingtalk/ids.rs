//! DingTalk's identifiers: texts of digits for people, 64-bit numbers for departments and everything of attendance.
//!
//! Not for the outside: a client must treat them as opaque. The invariant: an id that the simulator did not make
//! parses to `None` or to an index that does not exist.

use crate::ids::{DeptNo, Ids, PersonNo, PunchKind, person_day};

/// The root's id; it is the one that every tenant has.
pub(crate) const ROOT: i64 = 1;
const DEPT_BASE: i64 = 100_000_000;
const SWIPE_BASE: u64 = 260_000_000_000;
const RESULT_BASE: u64 = 5_000_000_000_000_000;
const PLAN_BASE: u64 = 430_000_000_000;

/// Both ids of a person.
impl Ids {
    /// `userid`: digits with a leading zero, so that it is no number.
    pub(crate) fn userid(self, person: PersonNo) -> String {
        format!("0{:010}", self.scatter(person.0))
    }

    pub(crate) fn parse_userid(self, text: &str) -> Option<PersonNo> {
        let digits = text.strip_prefix('0').filter(|digits| digits.len() == 10)?;
        let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
        plain.then(|| digits.parse().ok()).flatten().map(|id| PersonNo(self.gather(id)))
    }

    pub(crate) fn unionid(self, person: PersonNo) -> String {
        let mut out = Vec::with_capacity(34);
        self.write_long(&mut out, "uN", 4, person.0);
        String::from_utf8(out).unwrap_or_default()
    }

    pub(crate) fn parse_unionid(self, text: &str) -> Option<PersonNo> {
        self.parse_long(text, "uN", 4).map(PersonNo)
    }

    /// `dept_id`: beyond 32 bits for some, and 1 for the root.
    pub(crate) fn dept_id(self, dept: DeptNo) -> i64 {
        if dept == DeptNo::ROOT { ROOT } else { DEPT_BASE + i64::from(self.scatter(dept.0)) }
    }

    pub(crate) fn parse_dept_id(self, id: i64) -> Option<DeptNo> {
        if id == ROOT {
            return Some(DeptNo::ROOT);
        }
        let index = self.gather(u32::try_from(id.checked_sub(DEPT_BASE)?).ok()?);
        (index > 0).then_some(DeptNo(index))
    }
}

const fn place(kind: PunchKind) -> u64 {
    match kind {
        PunchKind::In => 0,
        PunchKind::Out => 1,
        PunchKind::Late => 2,
    }
}

/// A swipe's `id`, and the `recordId` of the result that rests on it. Whether the platform uses one number for both
/// is not known (DingTalk fact sheet, section 9); the simulator does.
pub(crate) fn swipe_id(person: PersonNo, day: i64, kind: PunchKind) -> u64 {
    SWIPE_BASE + person_day(person, day) + place(kind)
}

/// The swipe that did not count, just before the one that did.
pub(crate) fn invalid_swipe_id(person: PersonNo, day: i64, kind: PunchKind) -> u64 {
    swipe_id(person, day, kind) + 8
}

/// The `id` of the result of one planned punch.
pub(crate) fn result_id(person: PersonNo, day: i64, kind: PunchKind) -> u64 {
    RESULT_BASE + person_day(person, day) + place(kind)
}

/// The planned punch itself.
pub(crate) fn plan_id(person: PersonNo, day: i64, kind: PunchKind) -> u64 {
    PLAN_BASE + person_day(person, day) + place(kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDS: Ids = Ids::new(1);

    #[test]
    fn ids_lead_back_and_those_of_another_world_do_not() {
        for n in [0, 1, 65_535, 65_536, 4_000_000] {
            let person = PersonNo(n);
            assert_eq!(IDS.parse_userid(&IDS.userid(person)), Some(person));
            assert_eq!(IDS.parse_unionid(&IDS.unionid(person)), Some(person));
            assert_eq!(IDS.parse_dept_id(IDS.dept_id(DeptNo(n))), Some(DeptNo(n)));
        }
        assert_eq!(IDS.dept_id(DeptNo::ROOT), 1);
        for id in ["", "1", "0123", "é0000000000", "00000000000x"] {
            assert_eq!(IDS.parse_userid(id), None, "{id}");
        }
        for id in [-7, 0, 2, i64::MIN, i64::MAX] {
            assert_eq!(IDS.parse_dept_id(id), None, "{id}");
        }
        assert_eq!(Ids::new(2).parse_unionid(&IDS.unionid(PersonNo(7))), None);
    }
}
