//! Results and swipes: which days and rows there are, and the windows that are kept.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::support::{Client, code, company, start};

async fn results(client: &Client, people: &[String], from: &str, to: &str) -> Vec<Value> {
    let (mut rows, mut offset) = (Vec::new(), 0);
    loop {
        let body = json!({
            "workDateFrom": format!("{from} 00:00:00"), "workDateTo": format!("{to} 00:00:00"),
            "userIdList": people, "offset": offset, "limit": 50, "isI18n": false
        });
        let answer = client.old("attendance/list", body).await;
        let page = answer["recordresult"].as_array().unwrap();
        rows.extend(page.iter().cloned());
        if answer["hasMore"] != true {
            return rows;
        }
        assert_eq!(page.len(), 50);
        offset += 50;
    }
}

async fn swipes(client: &Client, people: &[String], from: &str, to: &str) -> Value {
    let body = json!({"userIds": people, "checkDateFrom": from, "checkDateTo": to});
    client.old("attendance/listRecord", body).await
}

#[tokio::test]
async fn every_settled_day_and_every_punch_is_there_once() {
    let client = start(company(120).days(7)).await;
    let truth = client.sim.truth();
    let (mut days, mut punches, mut invalid) = (BTreeSet::new(), BTreeSet::new(), 0);
    for people in client.everyone().await.chunks(50) {
        for row in results(&client, people, "2026-03-25", "2026-03-31").await {
            days.insert((row["userId"].to_string(), row["workDate"].as_i64()));
        }
        let all = swipes(&client, people, "2026-03-25 00:00:00", "2026-03-31 23:59:59").await;
        for swipe in all["recordresult"].as_array().unwrap() {
            if swipe.get("invalidRecordType").is_some() {
                assert_eq!(swipe.get("timeResult"), None);
                invalid += 1;
            } else {
                assert!(punches.insert(swipe["id"].as_u64()), "{swipe}");
            }
        }
    }
    assert_eq!(days.len() as u64, truth.judged_days);
    assert_eq!(punches.len() as u64, truth.punches);
    assert!(invalid > 0);
}

#[tokio::test]
async fn a_missing_punch_has_a_row_without_a_record_and_no_swipe() {
    let client = start(company(200).days(7)).await;
    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    for people in client.everyone().await.chunks(50) {
        for row in results(&client, people, "2026-03-25", "2026-03-30").await {
            let source = row["sourceType"].as_str().unwrap();
            *kinds.entry(source.to_owned()).or_default() += 1;
            if row["timeResult"] == "NotSigned" {
                assert_eq!(row.get("recordId"), None);
                assert_eq!(row["userCheckTime"], row["baseCheckTime"]);
            }
            assert_eq!(row.get("approveId").is_some(), source == "APPROVE", "{row}");
        }
    }
    for source in ["ATM", "USER", "SYSTEM", "APPROVE"] {
        assert!(kinds.contains_key(source), "{kinds:?}");
    }
}

#[tokio::test]
async fn leave_is_told_by_its_own_call() {
    let client = start(company(200).days(7)).await;
    let people = client.everyone().await;
    let midnight = 1_774_368_000_000_i64;
    let body = json!({
        "userid_list": people[..100], "start_time": midnight, "end_time": midnight + 6 * 86_400_000,
        "offset": 0, "size": 20
    });
    let answer = client.old("topapi/attendance/getleavestatus", body).await;
    let leaves = answer["result"]["leave_status"].as_array().unwrap();
    assert!(!leaves.is_empty());
    assert!(leaves.iter().all(|leave| leave["start_time"].as_i64() < leave["end_time"].as_i64()));
}

#[tokio::test]
async fn windows_people_and_pages_are_bounded() {
    let client = start(company(60).days(7)).await;
    let people = client.everyone().await;
    let list = async |from: &str, to: &str, people: &[String], limit: u32| {
        let body = json!({
            "workDateFrom": from, "workDateTo": to, "userIdList": people, "offset": 0, "limit": limit
        });
        code(&client.old("attendance/list", body).await)
    };
    assert_eq!(list("2026-03-25 00:00:00", "2026-03-31 00:00:00", &people[..50], 50).await, 0);
    assert_eq!(list("2026-03-24 00:00:00", "2026-03-31 00:00:00", &people[..50], 50).await, 41_041);
    assert_eq!(list("2026-03-32 00:00:00", "2026-03-31 00:00:00", &people[..50], 50).await, 41_100);
    assert_eq!(list("2026-03-25 00:00:00", "2026-03-31 00:00:00", &people[..51], 50).await, 40_035);
    assert_eq!(list("2026-03-25 00:00:00", "2026-03-31 00:00:00", &people[..50], 51).await, 40_069);
    let wide = swipes(&client, &people[..50], "2026-03-24 00:00:00", "2026-03-31 00:00:01").await;
    assert_eq!(code(&wide), 41_041);
    let nobody = ["nobody".to_owned()];
    let unknown = swipes(&client, &nobody, "2026-03-30 00:00:00", "2026-03-31 00:00:00").await;
    assert_eq!(unknown["recordresult"], json!([]));
}
