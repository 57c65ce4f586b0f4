//! Punches and daily results.

use rollcall_feishu::Feishu;
use rollcall_sdk::testing::{Reply, Scripted};
use rollcall_sdk::{Attendance, Content, Fault, Kind, Level, Page, Window};
use serde_json::{Value, json};

use crate::{all, body, connection, ids, ok, query, refusal};

const FLOWS: &str = "/open-apis/attendance/v1/user_flows/query";
const TASKS: &str = "/open-apis/attendance/v1/user_tasks/query";
const DAY: i64 = 86_400;
/// 2026-01-01 00:00 in China.
const NEW_YEAR: i64 = 1_767_196_800;

fn list(
    host: &Scripted,
    kind: Kind,
    people: &[&str],
    window: (i64, i64),
    cursor: Option<&str>,
) -> Result<Page<Reply>, Fault> {
    let people: Vec<String> = people.iter().map(|id| (*id).to_owned()).collect();
    let window = Window { start: window.0, end: window.1 };
    <Feishu as Attendance<_>>::enumerate(host, kind, &people, window, cursor)
}

fn flows(records: &[&str]) -> Reply {
    let rows: Vec<Value> = records.iter().map(|id| json!({"record_id": id})).collect();
    ok(json!({"user_flow_results": rows}))
}

fn tasks(results: &[&str]) -> Reply {
    let rows: Vec<Value> =
        results.iter().map(|id| json!({"result_id": id, "day": 20_260_105})).collect();
    ok(json!({"user_task_results": rows, "invalid_user_ids": [], "unauthorized_user_ids": []}))
}

#[test]
fn both_kinds_are_asked_for_by_fifty_people_and_31_days() {
    let batches = <Feishu as Attendance<Scripted>>::batches();
    let kinds: Vec<_> = batches.iter().map(|b| (b.kind, b.people, b.days)).collect();
    assert_eq!(kinds, [(Kind::CheckIn, 50, 31), (Kind::AttendanceDay, 50, 31)]);
}

#[test]
fn punches_are_asked_for_in_seconds_written_as_strings() {
    let host = connection().answers("POST", FLOWS, flows(&["7001", "7002"]));
    let window = (NEW_YEAR, NEW_YEAR + 31 * DAY);
    let page = list(&host, Kind::CheckIn, &["e1", "e\"2"], window, None).unwrap();
    assert_eq!((ids(&page.content), page.next), (vec!["7001".to_owned(), "7002".into()], None));
    assert_eq!(query(&host, 0), "employee_type=employee_id&include_terminated_user=true");
    assert_eq!(
        body(&host, 0),
        json!({"user_ids": ["e1", "e\"2"], "check_time_from": "1767196800", "check_time_to": "1769875200"})
    );
}

#[test]
fn daily_results_are_asked_for_by_local_days() {
    let host = connection().answers("POST", TASKS, tasks(&["9001"]));
    let window = (NEW_YEAR, NEW_YEAR + 31 * DAY);
    let page = list(&host, Kind::AttendanceDay, &["e1"], window, None).unwrap();
    assert_eq!((ids(&page.content), page.next), (vec!["9001".to_owned()], None));
    assert_eq!(
        query(&host, 0),
        "employee_type=employee_id&ignore_invalid_users=true&include_terminated_user=true"
    );
    assert_eq!(
        body(&host, 0),
        json!({"user_ids": ["e1"], "check_date_from": 20_260_101, "check_date_to": 20_260_131})
    );
}

#[test]
fn a_day_is_a_day_where_the_connection_is() {
    for (offset, from, to) in [("480", 20_260_101, 20_260_101), ("0", 20_251_231, 20_260_101)] {
        let host = connection().with_setting("utc_offset_minutes", offset).answers(
            "POST",
            TASKS,
            tasks(&[]),
        );
        list(&host, Kind::AttendanceDay, &["e1"], (NEW_YEAR, NEW_YEAR + DAY), None).unwrap();
        assert_eq!(body(&host, 0)["check_date_from"], json!(from), "{offset}");
        assert_eq!(body(&host, 0)["check_date_to"], json!(to), "{offset}");
    }
}

#[test]
fn days_are_named_by_the_calendar() {
    for (second, day) in [
        (0, 19_700_101),
        (951_782_400, 20_000_229),
        (1_709_164_800, 20_240_229),
        (1_709_251_200, 20_240_301),
        (4_107_456_000, 21_000_228),
        (4_107_542_400, 21_000_301),
        (1_798_675_200, 20_261_231),
    ] {
        let host =
            connection().with_setting("utc_offset_minutes", "0").answers("POST", TASKS, tasks(&[]));
        list(&host, Kind::AttendanceDay, &["e1"], (second, second + DAY), None).unwrap();
        assert_eq!(body(&host, 0)["check_date_from"], json!(day));
        assert_eq!(body(&host, 0)["check_date_to"], json!(day));
    }
}

#[test]
fn a_longer_window_of_punches_is_cut_without_gap_or_overlap() {
    let host = connection();
    for _ in 0..3 {
        host.then("POST", FLOWS, Ok(flows(&["7001"])));
    }
    let window = (NEW_YEAR + 5, NEW_YEAR + 70 * DAY + 7);
    let (pages, _) = all(|cursor| list(&host, Kind::CheckIn, &["e1"], window, cursor));
    assert_eq!((pages.len(), host.left()), (3, 0));
    let bounds: Vec<(i64, i64)> = (0..3).rev().map(|back| span(&body(&host, back))).collect();
    assert_eq!((bounds[0].0, bounds[2].1), window);
    assert!(bounds.windows(2).all(|pair| pair[0].1 == pair[1].0), "{bounds:?}");
    assert!(bounds.iter().all(|(from, to)| to - from <= 31 * DAY), "{bounds:?}");
}

fn span(body: &Value) -> (i64, i64) {
    let second = |name: &str| body[name].as_str().unwrap().parse().unwrap();
    (second("check_time_from"), second("check_time_to"))
}

#[test]
fn a_window_off_midnight_touches_32_days_and_is_cut_at_midnight() {
    let host = connection().answers("POST", TASKS, tasks(&[])).answers("POST", TASKS, tasks(&[]));
    let window = (NEW_YEAR + 3600, NEW_YEAR + 31 * DAY + 3600);
    let (pages, _) = all(|cursor| list(&host, Kind::AttendanceDay, &["e1"], window, cursor));
    assert_eq!(pages.len(), 2);
    let days = |back| {
        let body = body(&host, back);
        (body["check_date_from"].as_i64().unwrap(), body["check_date_to"].as_i64().unwrap())
    };
    assert_eq!((days(1), days(0)), ((20_260_101, 20_260_131), (20_260_201, 20_260_201)));
}

#[test]
fn nobody_is_not_everybody() {
    let host = connection();
    let page = list(&host, Kind::CheckIn, &[], (0, DAY), None).unwrap();
    assert_eq!((page.content, page.next), (Content::Empty, None));
    assert_eq!(host.requests().len(), 0);
}

#[test]
fn what_the_platform_does_not_take_is_refused_before_it_is_sent() {
    let host = connection();
    for (people, window) in [
        (vec!["e"; 51], (0, DAY)),
        (vec!["e1"], (DAY, 0)),
        (vec!["e1"], (-1, DAY)),
        (vec!["e1"], (0, i64::MAX)),
    ] {
        assert!(matches!(
            list(&host, Kind::CheckIn, &people, window, None),
            Err(Fault::Invalid(_))
        ));
    }
    assert!(matches!(list(&host, Kind::Leave, &["e1"], (0, DAY), None), Err(Fault::Unsupported)));
    let by_open_id = connection().with_setting("user_id_type", "open_id");
    let Err(Fault::Invalid(advice)) = list(&by_open_id, Kind::CheckIn, &["ou_1"], (0, DAY), None)
    else {
        panic!("no fault");
    };
    assert!(advice.remedy.contains("user_id"), "{}", advice.remedy);
    assert_eq!(host.requests().len() + by_open_id.requests().len(), 0);
}

#[test]
fn a_cursor_for_other_people_or_another_window_is_stale() {
    for cursor in [
        "part,0,10,0,3",
        "part,5,5,0,1",
        "part,0,10,1,1",
        "part,0,99,0,1",
        "part,0",
        "below,0,0,",
        "",
    ] {
        let host = connection();
        let page = list(&host, Kind::CheckIn, &["e1", "e2"], (0, 10), Some(cursor));
        assert_eq!(page.unwrap_err(), Fault::StaleCursor, "{cursor}");
    }
}

#[test]
fn one_person_out_of_range_does_not_hide_the_others() {
    let bad = || refusal(1_220_004);
    let host = connection()
        .answers("POST", FLOWS, bad())
        .answers("POST", FLOWS, bad())
        .answers("POST", FLOWS, flows(&["1"]))
        .answers("POST", FLOWS, bad())
        .answers("POST", FLOWS, flows(&["3", "4"]));
    let people = ["e1", "e2", "e3", "e4"];
    let (pages, _) = all(|cursor| list(&host, Kind::CheckIn, &people, (0, DAY), cursor));
    assert_eq!(pages.concat(), ["1", "3", "4"]);
    let asked: Vec<Value> =
        (0..5).rev().map(|back| body(&host, back)["user_ids"].clone()).collect();
    assert_eq!(
        asked,
        [json!(people), json!(["e1", "e2"]), json!(["e1"]), json!(["e2"]), json!(["e3", "e4"])]
    );
    let (level, line) = &host.logged()[0];
    assert_eq!(*level, Level::Warn);
    assert!(!line.contains("e2"), "{line}");
}

#[test]
fn people_left_out_of_daily_results_are_counted_not_named() {
    let host = connection().answers(
        "POST",
        TASKS,
        ok(json!({
            "user_task_results": [{"result_id": "9001"}],
            "invalid_user_ids": ["e7"], "unauthorized_user_ids": ["e8", "e9"]
        })),
    );
    let page = list(&host, Kind::AttendanceDay, &["e1", "e7"], (0, DAY), None).unwrap();
    assert_eq!(ids(&page.content), ["9001"]);
    assert_eq!(
        host.logged(),
        [(
            Level::Warn,
            "daily results: 1 people unknown, 2 outside the attendance data range".into()
        )]
    );
}
