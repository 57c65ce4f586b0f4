//! Punches as they stand, and days joined from their halves.

use rollcall_dingtalk::DingTalk;
use rollcall_sdk::testing::{Reply, Scripted};
use rollcall_sdk::{Attendance, Content, Fault, Kind, Level, Page, Window};
use serde_json::{Value, json};

use crate::{body, connection, ids};

const SWIPES: &str = "/attendance/listRecord";
const RESULTS: &str = "/attendance/list";
const LEAVE: &str = "/topapi/attendance/getleavestatus";
/// 2026-01-05 00:00 in China, a Monday.
const MONDAY: i64 = 1_767_542_400;
const DAY: i64 = 86_400;

fn at_work() -> Scripted {
    let host = connection();
    host.at((MONDAY + 10 * DAY) * 1_000);
    host
}

fn ask(
    host: &Scripted,
    kind: Kind,
    people: &[&str],
    days: i64,
    cursor: Option<&str>,
) -> Result<Page<Reply>, Fault> {
    let people: Vec<String> = people.iter().map(|id| (*id).to_owned()).collect();
    let window = Window { start: MONDAY, end: MONDAY + days * DAY };
    <DingTalk as Attendance<_>>::enumerate(host, kind, &people, window, cursor)
}

fn rows(rows: &[Value], more: bool) -> Reply {
    Reply::json(&json!({"errcode": 0, "errmsg": "ok", "recordresult": rows, "hasMore": more}))
}

fn row(id: i64, user: &str, day: i64, check: &str, source: &str) -> Value {
    json!({
        "id": id, "userId": user, "workDate": (MONDAY + day * DAY) * 1_000, "checkType": check,
        "sourceType": source, "timeResult": "Normal"
    })
}

fn built(page: Page<Reply>) -> Vec<Value> {
    match page.content {
        Content::Built(items) => items
            .iter()
            .map(|item| {
                let mut value: Value = serde_json::from_str(&item.payload).unwrap();
                value["id"] = item.id.as_str().into();
                value
            })
            .collect(),
        Content::Empty => Vec::new(),
        Content::Sliced(_) => panic!("sliced"),
    }
}

#[test]
fn punches_are_asked_for_in_local_time_and_stay_in_the_host() {
    let host = at_work().answers("POST", SWIPES, rows(&[row(7, "u1", 0, "OnDuty", "ATM")], false));
    let page = ask(&host, Kind::CheckIn, &["u1", "u2"], 2, None).unwrap();
    assert_eq!((ids(&page.content), page.next), (vec!["7".to_owned()], None));
    assert_eq!(
        body(&host, 0),
        json!({
            "userIds": ["u1", "u2"], "isI18n": false,
            "checkDateFrom": "2026-01-05 00:00:00", "checkDateTo": "2026-01-07 00:00:00"
        })
    );
}

#[test]
fn a_long_window_is_asked_for_a_week_at_a_time_without_a_gap() {
    let host = at_work().answers("POST", SWIPES, rows(&[], false)).answers(
        "POST",
        SWIPES,
        rows(&[], false),
    );
    let first = ask(&host, Kind::CheckIn, &["u1"], 9, None).unwrap();
    let second = ask(&host, Kind::CheckIn, &["u1"], 9, first.next.as_deref()).unwrap();
    assert_eq!(second.next, None);
    assert_eq!(body(&host, 1)["checkDateTo"], "2026-01-12 00:00:00");
    assert_eq!(body(&host, 0)["checkDateFrom"], "2026-01-12 00:00:00");
    assert_eq!(
        ask(&host, Kind::CheckIn, &["u1"], 2, first.next.as_deref()),
        Err(Fault::StaleCursor),
        "a cursor of another window"
    );
}

#[test]
fn the_halves_of_a_day_meet_across_pages() {
    let full: Vec<Value> =
        (0..50).map(|n| row(n, &format!("u{n:02}"), 0, "OnDuty", "USER")).collect();
    let host = at_work().answers("POST", RESULTS, rows(&full, true)).answers(
        "POST",
        RESULTS,
        rows(&[row(99, "u49", 0, "OffDuty", "USER")], false),
    );
    let days = built(ask(&host, Kind::AttendanceDay, &["u49"], 1, None).unwrap());
    assert_eq!(days.len(), 50);
    assert_eq!(days[49]["id"], "u49:1767542400000");
    let checks: Vec<&str> = days[49]["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|r| r["checkType"].as_str().unwrap())
        .collect();
    assert_eq!(checks, ["OnDuty", "OffDuty"]);
    assert_eq!(days[49].get("leave"), None);
    let asked = body(&host, 0);
    assert_eq!((asked["offset"].as_i64(), asked["limit"].as_i64()), (Some(50), Some(50)));
    assert_eq!(
        (asked["workDateFrom"].as_str(), asked["workDateTo"].as_str()),
        (Some("2026-01-05 00:00:00"), Some("2026-01-05 23:59:59"))
    );
}

#[test]
fn an_excused_day_says_whether_that_was_leave() {
    let excused = |user: &str| row(1, user, 0, "OnDuty", "APPROVE");
    let mut corrected = row(2, "u3", 0, "OnDuty", "APPROVE");
    corrected["recordId"] = json!(77);
    let leave = json!({"errcode": 0, "result": {"has_more": false, "leave_status": [
        {"userid": "u1", "start_time": MONDAY * 1_000, "end_time": (MONDAY + DAY) * 1_000 - 1}
    ]}});
    let host = at_work()
        .answers("POST", RESULTS, rows(&[excused("u1"), excused("u2"), corrected], false))
        .answers("POST", LEAVE, Reply::json(&leave));
    let days = built(ask(&host, Kind::AttendanceDay, &["u1", "u2", "u3"], 1, None).unwrap());
    assert_eq!(days[0]["leave"].as_array().unwrap().len(), 1);
    assert_eq!(days[1]["leave"], json!([]), "excused, and no leave: a trip");
    assert_eq!(days[2].get("leave"), None, "a correction is no excuse");
    assert_eq!(body(&host, 0)["userid_list"], "u1,u2");
}

#[test]
fn a_row_that_cannot_be_read_is_told_by_its_place() {
    let answer = |rows: &str| {
        Reply::text(&format!(r#"{{"errcode":0,"recordresult":{rows},"hasMore":false}}"#))
    };
    for (strange, place) in [
        ("[5]", "`/recordresult/0` is not an object"),
        (r#"[["u1",5,null,null]]"#, "`/recordresult/0` is not an object"),
        ("[null]", "`/recordresult/0` is not an object"),
        ("{}", "`/recordresult` is not an array"),
        (r#"[{"userId":7,"workDate":5}]"#, "`/recordresult/0/userId` is not a string"),
        (r#"[{"userId":"","workDate":5}]"#, "`/recordresult/0/userId` is not a string"),
        (r#"[{"userId":"u","workDate":[5]}]"#, "`/recordresult/0/workDate` is not an integer"),
        (
            r#"[{"userId":"u","workDate":5},{"userId":"u","workDate":5,"sourceType":{"a":1}}]"#,
            "`/recordresult/1/sourceType` is not a string",
        ),
    ] {
        let host = at_work().answers("POST", RESULTS, answer(strange));
        match ask(&host, Kind::AttendanceDay, &["u1"], 1, None) {
            Err(Fault::Invalid(advice)) => assert!(advice.message.contains(place), "{advice:?}"),
            other => panic!("{strange}: {other:?}"),
        }
    }
}

#[test]
fn results_that_do_not_end_or_are_none_are_a_fault() {
    let host = at_work().answers("POST", RESULTS, rows(&[], true));
    assert!(matches!(
        ask(&host, Kind::AttendanceDay, &["u1"], 1, None),
        Err(Fault::Unavailable(_))
    ));
    let host = at_work().answers("POST", RESULTS, Reply::json(&json!({"errcode": 0})));
    assert!(matches!(ask(&host, Kind::AttendanceDay, &["u1"], 1, None), Err(Fault::Invalid(_))));
    let strange = json!({"id": 1, "workDate": 5});
    let host = at_work().answers("POST", RESULTS, rows(&[strange], false));
    assert!(matches!(ask(&host, Kind::AttendanceDay, &["u1"], 1, None), Err(Fault::Invalid(_))));
}

#[test]
fn nobody_is_nobody_and_what_is_no_longer_kept_is_left_out_and_told() {
    let host = at_work();
    assert_eq!(ask(&host, Kind::CheckIn, &[], 1, None).unwrap().content, Content::Empty);
    host.at((MONDAY + 200 * DAY) * 1_000);
    let page = ask(&host, Kind::CheckIn, &["u1"], 2, None).unwrap();
    assert_eq!((page.content, page.next), (Content::Empty, None));
    assert!(
        host.logged().iter().any(|(level, line)| *level == Level::Warn && line.contains("180"))
    );
    assert_eq!(host.requests().len(), 0);
    let many = vec!["u"; 51];
    assert!(matches!(ask(&host, Kind::CheckIn, &many, 1, None), Err(Fault::Invalid(_))));
    assert!(matches!(ask(&host, Kind::CheckIn, &["u"], -1, None), Err(Fault::Invalid(_))));
    assert_eq!(ask(&host, Kind::Leave, &["u"], 1, None), Err(Fault::Unsupported));
}
