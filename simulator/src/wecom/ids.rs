//! WeCom's identifiers: accounts of people, whole numbers of departments.
//!
//! Not the punches', which have none. The invariant: an account is read in any case of its letters, and the company
//! itself is department 1.

use crate::ids::{DeptNo, PersonNo, parse_staff_no, staff_no};

/// The account of a person, in the spelling of the directory.
pub(crate) fn userid(person: PersonNo) -> String {
    staff_no(person)
}

pub(crate) fn parse_userid(text: &str) -> Option<PersonNo> {
    parse_staff_no(&text.to_ascii_uppercase())
}

pub(crate) fn dept_id(dept: DeptNo) -> u32 {
    dept.0.saturating_add(1)
}

pub(crate) fn parse_dept(text: &str) -> Option<DeptNo> {
    text.parse::<u32>().ok()?.checked_sub(1).map(DeptNo)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_lead_back() {
        assert_eq!(parse_userid(&userid(PersonNo(41)).to_lowercase()), Some(PersonNo(41)));
        assert_eq!(parse_userid("nobody"), None);
        assert_eq!(dept_id(DeptNo::ROOT), 1);
        assert_eq!(parse_dept(&dept_id(DeptNo(17)).to_string()), Some(DeptNo(17)));
        assert_eq!((parse_dept("0"), parse_dept("-1")), (None, None));
    }
}
