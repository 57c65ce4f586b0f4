//! Every code of the fact sheet is the fault it should be, with something to do about it.

use rollcall_sdk::testing::Reply;
use rollcall_sdk::{Advice, Fault};
use serde_json::json;

use crate::{MEMBERS, TOKEN, connection, people, token};

/// Feishu fact sheet, sections 1.5, 2.8, 3.9 and 7.4, each code once.
const UNAUTHORIZED: &[i64] = &[
    99_991_663, 99_991_664, 99_991_671, 99_991_665, 99_991_668, 99_991_669, 99_991_677, 99_991_543,
    10_003, 10_014, 10_015, 99_991_662, 99_991_673, 1_220_002,
];
const FORBIDDEN: &[i64] = &[
    99_991_401, 99_991_672, 99_991_676, 99_991_679, 11_225, 10_010, 40_004, 40_014, 41_050, 41_056,
    41_007, 41_008, 44_023, 41_060, 44_019, 44_046, 44_047, 44_048, 44_049, 44_050, 1_220_004,
    1_220_005,
];
const INVALID: &[i64] = &[
    99_991_661, 99_991_674, 99_991_675, 99_992_351, 99_992_352, 99_992_353, 99_992_354, 99_992_355,
    99_992_356, 99_992_357, 99_992_358, 99_992_359, 99_992_360, 99_992_361, 99_992_362, 99_992_363,
    99_992_364, 99_992_381, 99_992_402, 99_991_201, 99_991_301, 40_001, 40_002, 40_157, 40_161,
    40_162, 43_010, 41_012, 42_008, 40_009, 40_011, 40_013, 40_016, 40_018, 40_021, 41_001, 41_002,
    41_003, 41_004, 41_005, 41_011, 41_053, 41_016, 43_013, 41_030, 41_033, 41_051, 41_052, 41_059,
    41_068, 41_069, 41_070, 41_071, 41_072, 41_410, 42_005, 42_006, 43_005, 43_007, 43_008, 43_011,
    44_018, 44_020, 44_051, 1_220_001, 1_220_600, 1_226_501, 1_226_502, 1_226_503, 1_226_504,
];
const UNAVAILABLE: &[i64] = &[
    1_500, 1_663, 5_000, 40_003, 40_008, 55_001, 1_225_000, 1_225_001, 1_226_500, 1_227_500,
    1_228_000,
];
const NOT_FOUND: &[i64] = &[40_007, 41_017];

fn fault(code: i64) -> Fault {
    let reply =
        Reply::json(&json!({"code": code, "msg": "ou_7dab8a 13800000000"})).with_status(400);
    let host = connection()
        .answers("GET", MEMBERS, reply.clone())
        .answers("POST", TOKEN, token("t-2", 7200))
        .answers("GET", MEMBERS, reply);
    people(&host, Some("od-1"), None).unwrap_err()
}

fn check(advice: &Advice, code: i64) {
    assert_eq!(advice.code, code.to_string());
    assert!(!advice.message.contains("does not know"), "{code} is not in the table");
    assert!(advice.message.contains("find_by_department"), "{}", advice.message);
    assert!(advice.remedy.len() > 15, "{code}: {}", advice.remedy);
    let text = format!("{} {}", advice.message, advice.remedy);
    assert!(!text.contains("ou_7dab8a") && !text.contains("138"), "{text}");
    assert!(!text.contains("t-1") && !text.contains("t-2"), "{text}");
}

#[test]
fn wrong_credentials_are_unauthorized() {
    for &code in UNAUTHORIZED {
        let Fault::Unauthorized(advice) = fault(code) else { panic!("{code}: {:?}", fault(code)) };
        check(&advice, code);
    }
}

#[test]
fn missing_permissions_ranges_and_seats_are_forbidden() {
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
        assert_eq!(fault(code), Fault::NotFound);
    }
    assert_eq!(fault(40_012), Fault::StaleCursor);
    assert_eq!(fault(99_991_400), Fault::RateLimited(0));
}
