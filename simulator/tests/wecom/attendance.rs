//! Punches, day reports, rules and the log of machines.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use simulator::AttendanceRange;

use crate::support::{Client, asked, company, start};

const DAY: i64 = 86_400;

/// The midnight that begins the world's day.
fn today(client: &Client) -> i64 {
    let offset = 8 * 3_600;
    (client.sim.now() + offset).div_euclid(DAY) * DAY - offset
}

async fn punches(client: &Client, from: i64, to: i64) -> Vec<Value> {
    let mut found = Vec::new();
    for people in client.accounts().await {
        let answer = client.post("checkin/getcheckindata", asked(&people, from, to)).await;
        found.extend(answer["checkindata"].as_array().unwrap().iter().cloned());
    }
    found
}

fn is_missing(row: &Value) -> bool {
    row["exception_type"] == "未打卡"
}

fn keys(rows: &[Value]) -> BTreeSet<String> {
    rows.iter()
        .filter(|row| !is_missing(row))
        .map(|row| format!("{} {} {}", row["userid"], row["checkin_type"], row["checkin_time"]))
        .collect()
}

#[tokio::test]
async fn punches_and_reports_are_those_of_the_company() {
    let client = start(company(300).days(20)).await;
    let (from, to) = (today(&client) - 19 * DAY, client.sim.now());
    let truth = client.sim.truth();
    let rows = punches(&client, from, to).await;
    let keys = keys(&rows);
    assert_eq!(keys.len() as u64, truth.punches, "person, kind and second make a key");
    assert!(rows.iter().any(is_missing), "a punch that is missing has a row of its own");
    for kind in ["上班打卡", "下班打卡", "外出打卡"] {
        assert!(rows.iter().any(|row| row["checkin_type"] == kind), "{kind}");
    }
    let mut reports = Vec::new();
    for people in client.accounts().await {
        let body = asked(&people, from, today(&client));
        let answer = client.post("checkin/getcheckin_daydata", body).await;
        reports.extend(answer["datas"].as_array().unwrap().iter().cloned());
    }
    assert_eq!(reports.len() as u64, truth.days);
    let exceptions: BTreeSet<i64> = reports
        .iter()
        .flat_map(|report| report["exception_infos"].as_array().unwrap())
        .map(|exception| exception["exception"].as_i64().unwrap())
        .collect();
    assert_eq!(exceptions, BTreeSet::from([1, 2, 3, 4]));
    assert!(reports.iter().any(|report| report["sp_items"][0]["type"] == 1));
}

#[tokio::test]
async fn a_punch_after_midnight_is_only_in_an_answer_that_covers_the_day_before() {
    let client = start(company(600).days(12)).await;
    let today = today(&client);
    let whole = keys(&punches(&client, today - 11 * DAY, today).await);
    let mut cut_at_midnight = BTreeSet::new();
    let mut an_hour_before = BTreeSet::new();
    for day in (today - 11 * DAY..today).step_by(usize::try_from(DAY).unwrap()) {
        cut_at_midnight.extend(keys(&punches(&client, day, day + DAY).await));
        an_hour_before.extend(keys(&punches(&client, day - 3_600, day + DAY).await));
    }
    assert!(cut_at_midnight.len() < whole.len(), "the ends of night shifts are lost");
    assert_eq!(an_hour_before, whole);
}

#[tokio::test]
async fn clock_times_in_place_of_midnights_find_no_reports() {
    let client = start(company(40)).await;
    let people = client.accounts().await.swap_remove(0);
    let now = client.sim.now();
    let body = asked(&people, now - 3_600, now);
    let answer = client.post("checkin/getcheckin_daydata", body).await;
    assert_eq!((&answer["errcode"], &answer["datas"]), (&json!(0), &json!([])));
}

#[tokio::test]
async fn the_log_of_machines_passes_unknown_accounts_over_and_the_others_do_not() {
    let client = start(company(60).days(5)).await;
    let mut people = client.accounts().await.swap_remove(0);
    people.truncate(50);
    people.push("nobody".to_owned());
    let to = client.sim.now();
    let body = asked(&people, to - 5 * DAY, to);
    let log = client.post("hardware/get_hardware_checkin_data", body.clone()).await;
    let rows = log["checkindata"].as_array().unwrap();
    assert!(rows.len() > 20 && rows.iter().all(|row| row["device_sn"] == "SN-0001"), "{log}");
    assert_eq!(client.post("checkin/getcheckindata", body).await["errcode"], 301_021);
}

#[tokio::test]
async fn requests_that_are_too_large_or_wrong_are_refused_each_with_its_code() {
    let client = start(company(40)).await;
    let one = vec!["E000001".to_owned()];
    let now = client.sim.now();
    let code =
        async |path: &str, body: Value| client.post(path, body).await["errcode"].as_i64().unwrap();
    let many: Vec<String> = (0..101).map(|n| format!("E{n:06}")).collect();
    let data = "checkin/getcheckindata";
    assert_eq!(code(data, asked(&many, now - DAY, now)).await, 301_023);
    assert_eq!(code(data, asked(&[], now - DAY, now)).await, 301_023);
    assert_eq!(code(data, asked(&one, now - 31 * DAY, now)).await, 301_024);
    assert_eq!(code(data, asked(&one, now, now - 1)).await, 301_024);
    assert_eq!(code(data, asked(&one, 0, now)).await, 301_024);
    assert_eq!(code(data, json!({"useridlist": one})).await, 40_058);
    client.sim.set_attendance_range(AttendanceRange::Nothing);
    assert_eq!(code(data, asked(&one, now - DAY, now)).await, 301_021);
}

#[tokio::test]
async fn a_rule_is_told_for_a_day() {
    let client = start(company(40)).await;
    let body = json!({"datetime": today(&client), "useridlist": ["E000001"]});
    let answer = client.post("checkin/getcheckinoption", body).await;
    let hours = &answer["info"][0]["group"]["checkindate"][0]["checkintime"][0];
    assert!(hours["off_work_sec"].as_i64() > hours["work_sec"].as_i64(), "{answer}");
}
