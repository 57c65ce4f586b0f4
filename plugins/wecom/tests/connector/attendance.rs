//! Punches and day reports.

use rollcall_sdk::testing::{Reply, Scripted};
use rollcall_sdk::{Attendance, Content, Denied, Fault, Kind, Level, Page, Window};
use rollcall_wecom::WeCom;
use serde_json::{Value, json};

use crate::{TOKEN, all, bare, body, connection, ids, ok, query, refusal, token};

const COUNTED: &str = "/cgi-bin/checkin/getcheckindata";
const DEVICES: &str = "/cgi-bin/hardware/get_hardware_checkin_data";
const REPORTS: &str = "/cgi-bin/checkin/getcheckin_daydata";
const HOUR: i64 = 3_600;
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
    <WeCom as Attendance<_>>::enumerate(host, kind, &people, window, cursor)
}

fn punches(rows: &[(&str, i64)]) -> Reply {
    let rows: Vec<Value> = rows
        .iter()
        .map(|(id, at)| json!({"userid": id, "checkin_type": "上班打卡", "checkin_time": at}))
        .collect();
    ok(json!({"checkindata": rows}))
}

fn reports(rows: &[(&str, i64)]) -> Reply {
    let rows: Vec<Value> =
        rows.iter().map(|(id, day)| json!({"base_info": {"acctid": id, "date": day}})).collect();
    ok(json!({"datas": rows}))
}

fn span(body: &Value) -> (i64, i64) {
    (body["starttime"].as_i64().unwrap(), body["endtime"].as_i64().unwrap())
}

#[test]
fn both_kinds_are_asked_for_by_a_hundred_people() {
    let batches = <WeCom as Attendance<Scripted>>::batches();
    let kinds: Vec<_> = batches.iter().map(|b| (b.kind, b.people, b.days)).collect();
    assert_eq!(kinds, [(Kind::CheckIn, 100, 29), (Kind::AttendanceDay, 100, 30)]);
}

#[test]
fn punches_are_known_by_person_kind_and_second() {
    let host = connection().answers("POST", COUNTED, punches(&[("e1", NEW_YEAR + 9 * HOUR)]));
    let page =
        list(&host, Kind::CheckIn, &["e1", "e\"2"], (NEW_YEAR, NEW_YEAR + DAY), None).unwrap();
    assert!(matches!(page.content, Content::Sliced(_)));
    assert_eq!((ids(&page.content), page.next), (vec!["e1:上班打卡:1767229200".into()], None));
    assert_eq!(query(&host, 0), "access_token=t-app");
    assert_eq!(
        body(&host, 0),
        json!({"opencheckindatatype": 3, "starttime": NEW_YEAR - HOUR, "endtime": NEW_YEAR + DAY,
               "useridlist": ["e1", "e\"2"]})
    );
}

#[test]
fn day_reports_are_asked_for_by_midnights_and_known_by_person_and_day() {
    let host = connection().answers("POST", REPORTS, reports(&[("e1", NEW_YEAR)]));
    let window = (NEW_YEAR, NEW_YEAR + 30 * DAY);
    let page = list(&host, Kind::AttendanceDay, &["e1"], window, None).unwrap();
    assert_eq!((ids(&page.content), page.next), (vec!["e1:1767196800".into()], None));
    assert_eq!(span(&body(&host, 0)), (NEW_YEAR, NEW_YEAR + 29 * DAY));
}

#[test]
fn a_day_begins_where_the_connection_is() {
    for (offset, first, last) in [("480", 0, 0), ("0", -16 * HOUR, 8 * HOUR)] {
        let host = connection().with_setting("utc_offset_minutes", offset).answers(
            "POST",
            REPORTS,
            reports(&[]),
        );
        list(&host, Kind::AttendanceDay, &["e1"], (NEW_YEAR, NEW_YEAR + DAY), None).unwrap();
        assert_eq!(span(&body(&host, 0)), (NEW_YEAR + first, NEW_YEAR + last), "{offset}");
    }
}

#[test]
fn a_longer_window_is_cut_without_gap_and_never_asks_for_thirty_days() {
    let host = connection();
    for _ in 0..3 {
        host.then("POST", COUNTED, Ok(punches(&[])));
    }
    let window = (NEW_YEAR, NEW_YEAR + 80 * DAY);
    let pages = all(|cursor| list(&host, Kind::CheckIn, &["e1"], window, cursor));
    assert_eq!((pages.len(), host.left()), (3, 0));
    let spans: Vec<(i64, i64)> = (0..3).rev().map(|back| span(&body(&host, back))).collect();
    assert_eq!((spans[0].0, spans[2].1), (window.0 - HOUR, window.1));
    assert!(spans.windows(2).all(|pair| pair[0].1 - HOUR == pair[1].0), "{spans:?}");
    assert!(spans.iter().all(|(from, to)| to - from < 30 * DAY), "{spans:?}");
}

#[test]
fn the_log_of_machines_is_read_when_it_is_asked_for() {
    let machine = || {
        ok(json!({"checkindata": [{"userid": "e1", "checkin_time": 1_767_229_200,
                                                "device_sn": "M-01", "device_name": "Gate"}]}))
    };
    let host = connection().with_setting("punches", "devices").answers("POST", DEVICES, machine());
    let window = (NEW_YEAR, NEW_YEAR + DAY);
    let page = list(&host, Kind::CheckIn, &["e1"], window, None).unwrap();
    assert_eq!((ids(&page.content), page.next), (vec!["e1:1767229200".into()], None));
    assert_eq!(body(&host, 0)["filter_type"], json!(1));
    let host = connection()
        .with_setting("punches", "both")
        .answers("POST", COUNTED, punches(&[("e1", 1_767_229_200)]))
        .answers("POST", DEVICES, machine());
    let pages = all(|cursor| list(&host, Kind::CheckIn, &["e1"], window, cursor));
    assert_eq!(pages, [["e1:上班打卡:1767229200"], ["e1:1767229200"]]);
}

#[test]
fn the_check_in_secret_is_used_where_there_is_one() {
    let host = bare()
        .with_secret("checkin_secret")
        .answers("GET", TOKEN, token("t-check", 7200))
        .answers("POST", COUNTED, punches(&[]));
    list(&host, Kind::CheckIn, &["e1"], (NEW_YEAR, NEW_YEAR + DAY), None).unwrap();
    assert_eq!(query(&host, 0), "access_token=t-check");
}

#[test]
fn one_unknown_person_does_not_hide_the_others() {
    let bad = || refusal(301_021);
    let host = connection()
        .answers("POST", COUNTED, bad())
        .answers("POST", COUNTED, bad())
        .answers("POST", COUNTED, punches(&[("e1", 1)]))
        .answers("POST", COUNTED, bad())
        .answers("POST", COUNTED, punches(&[("e3", 3), ("e4", 4)]));
    let people = ["e1", "e2", "e3", "e4"];
    let pages = all(|cursor| list(&host, Kind::CheckIn, &people, (DAY, 2 * DAY), cursor));
    assert_eq!(pages.concat(), ["e1:上班打卡:1", "e3:上班打卡:3", "e4:上班打卡:4"]);
    let asked: Vec<Value> =
        (0..5).rev().map(|back| body(&host, back)["useridlist"].clone()).collect();
    assert_eq!(
        asked,
        [json!(people), json!(["e1", "e2"]), json!(["e1"]), json!(["e2"]), json!(["e3", "e4"])]
    );
    let (level, line) = &host.logged()[0];
    assert_eq!(*level, Level::Warn);
    assert!(!line.contains("e2"), "{line}");
}

#[test]
fn a_span_that_is_refused_is_asked_for_in_halves() {
    let host = connection()
        .answers("POST", REPORTS, refusal(301_024))
        .answers("POST", REPORTS, reports(&[("e1", 1)]))
        .answers("POST", REPORTS, reports(&[("e1", 2)]));
    let window = (NEW_YEAR, NEW_YEAR + 3 * DAY);
    let pages = all(|cursor| list(&host, Kind::AttendanceDay, &["e1"], window, cursor));
    assert_eq!(pages, [["e1:1"], ["e1:2"]]);
    assert_eq!(span(&body(&host, 1)), (NEW_YEAR, NEW_YEAR));
    assert_eq!(span(&body(&host, 0)), (NEW_YEAR + DAY, NEW_YEAR + 2 * DAY));
    let host = connection().answers("POST", REPORTS, refusal(301_024));
    let one_day = list(&host, Kind::AttendanceDay, &["e1"], (NEW_YEAR, NEW_YEAR + DAY), None);
    let Err(Fault::Invalid(advice)) = one_day else { panic!("no fault") };
    assert_eq!(advice.code, "301024");
}

#[test]
fn more_records_than_a_page_takes_are_asked_for_in_halves() {
    let many: Vec<(&str, i64)> = (0..10_001).map(|n| ("e1", n)).collect();
    let host = connection()
        .answers("POST", COUNTED, punches(&many))
        .answers("POST", COUNTED, punches(&[("e1", 1)]))
        .denies("POST", COUNTED, Denied::TooLarge(16 << 20))
        .answers("POST", COUNTED, punches(&[("e2", 2)]))
        .answers("POST", COUNTED, punches(&[("e2", 3)]));
    let window = (NEW_YEAR, NEW_YEAR + 2 * DAY);
    let pages = all(|cursor| list(&host, Kind::CheckIn, &["e1", "e2"], window, cursor));
    assert_eq!(pages.concat(), ["e1:上班打卡:1", "e2:上班打卡:2", "e2:上班打卡:3"]);
    let host = connection().answers("POST", COUNTED, punches(&many));
    let one_day = list(&host, Kind::CheckIn, &["e1"], (NEW_YEAR, NEW_YEAR + DAY), None);
    assert!(matches!(one_day, Err(Fault::Invalid(_))));
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
        (vec!["e"; 101], (0, DAY)),
        (vec!["e1"], (DAY, 0)),
        (vec!["e1"], (-1, DAY)),
        (vec!["e1"], (0, i64::MAX)),
    ] {
        let refused = list(&host, Kind::CheckIn, &people, window, None);
        assert!(matches!(refused, Err(Fault::Invalid(_))));
    }
    assert!(matches!(list(&host, Kind::Leave, &["e1"], (0, DAY), None), Err(Fault::Unsupported)));
    assert_eq!(host.requests().len(), 0);
}

#[test]
fn a_cursor_for_other_people_or_another_window_is_stale() {
    for cursor in [
        "counted,0,10,0,3",
        "counted,5,5,0,1",
        "counted,0,10,1,1",
        "counted,0,99,0,1",
        "reports,0,10,0,1",
        "devices,0,10,0,1",
        "counted,0",
        "after:e1",
        "",
    ] {
        let host = connection();
        let page = list(&host, Kind::CheckIn, &["e1", "e2"], (0, 10), Some(cursor));
        assert_eq!(page.unwrap_err(), Fault::StaleCursor, "{cursor}");
    }
}

#[test]
fn an_app_that_may_not_read_check_in_is_told_which_list_it_is_missing_on() {
    let host = connection().answers("POST", COUNTED, refusal(48_002));
    let Err(Fault::Forbidden(advice)) =
        list(&host, Kind::CheckIn, &["e1"], (NEW_YEAR, NEW_YEAR + DAY), None)
    else {
        panic!("no fault")
    };
    assert!(advice.remedy.contains("打卡 - 可调用接口的应用"), "{}", advice.remedy);
}
