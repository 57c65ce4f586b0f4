//! Every code of the fact sheet is the fault it should be, with something to do about it.

use rollcall_sdk::testing::Reply;
use rollcall_sdk::{Advice, Fault};
use serde_json::json;

use crate::{MEMBERS, TOKEN, connection, people, token};

/// WeCom fact sheet, sections 1, 2.4, 3.5, 4 and 7, each code once.
const UNAUTHORIZED: &[i64] = &[
    40_001, 40_014, 42_001, 40_013, 41_002, 41_004, 40_091, 50_003, 40_056, 301_002, 40_029,
    42_003, 42_022, 84_014, 84_015,
];
const FORBIDDEN: &[i64] = &[
    48_010, 60_020, 48_002, 48_006, 48_009, 60_011, 60_021, 50_002, 92_000, 81_013, 301_055,
    301_062, 301_088, 50_001, 80_001,
];
const INVALID: &[i64] = &[
    41_001, 40_031, 40_032, 40_035, 40_058, 40_063, 40_089, 45_026, 45_004, 60_001, 60_005, 60_006,
    60_007, 60_008, 60_010, 60_102, 60_104, 60_106, 60_110, 60_129, 60_257, 301_005, 301_036,
    84_025, 301_021, 301_023, 301_024, 301_025, 301_075, 301_089, 301_112,
];
const UNAVAILABLE: &[i64] = &[-1, 301_022, 301_026, 301_070];
const NOT_FOUND: &[i64] = &[40_003, 60_111, 46_004, 60_003, 60_123];

fn fault(code: i64) -> Fault {
    let words = "user e1001 13800000000 hint: [1782090000_7_ab], from ip: 203.0.113.7, more info";
    let reply = Reply::json(&json!({"errcode": code, "errmsg": words}));
    let host = connection()
        .answers("GET", MEMBERS, reply.clone())
        .answers("GET", TOKEN, token("t-2", 7200))
        .answers("GET", MEMBERS, reply);
    people(&host, Some("7"), None).unwrap_err()
}

fn check(advice: &Advice, code: i64) {
    assert_eq!(advice.code, code.to_string());
    assert!(!advice.message.contains("does not know"), "{code} is not in the table");
    assert!(advice.message.starts_with("user/list: "), "{}", advice.message);
    assert!(advice.message.ends_with(" (hint 1782090000_7_ab)"), "{}", advice.message);
    assert!(advice.remedy.len() > 15, "{code}: {}", advice.remedy);
    let text = format!("{} {}", advice.message, advice.remedy);
    assert!(!text.contains("e1001") && !text.contains("138"), "{text}");
    assert!(!text.contains("t-app") && !text.contains("t-2"), "{text}");
    let shows_address = matches!(code, 60_020 | 48_002);
    assert_eq!(text.contains("203.0.113.7"), shows_address, "{text}");
}

#[test]
fn wrong_credentials_are_unauthorized() {
    for &code in UNAUTHORIZED {
        let Fault::Unauthorized(advice) = fault(code) else { panic!("{code}: {:?}", fault(code)) };
        check(&advice, code);
    }
}

#[test]
fn missing_permissions_ranges_and_addresses_are_forbidden() {
    for &code in FORBIDDEN {
        let Fault::Forbidden(advice) = fault(code) else { panic!("{code}: {:?}", fault(code)) };
        check(&advice, code);
    }
}

#[test]
fn refused_requests_are_invalid() {
    for &code in INVALID {
        let Fault::Invalid(advice) = fault(code) else { panic!("{code}: {:?}", fault(code)) };
        check(&advice, code);
    }
}

#[test]
fn failures_of_the_platform_are_unavailable() {
    for &code in UNAVAILABLE {
        let Fault::Unavailable(advice) = fault(code) else { panic!("{code}: {:?}", fault(code)) };
        check(&advice, code);
    }
}

#[test]
fn the_rest_say_what_they_are() {
    for &code in NOT_FOUND {
        assert_eq!(fault(code), Fault::NotFound, "{code}");
    }
    assert_eq!(fault(45_009), Fault::RateLimited(60_000), "a minute's limit bars for a minute");
    for code in [6_000, 45_033, 45_035, 302_008] {
        assert_eq!(fault(code), Fault::RateLimited(1_000), "{code}");
    }
}
