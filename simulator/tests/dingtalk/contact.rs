//! The tree one level at a time, people by department, one person, and what a partial range hides.

use std::collections::HashSet;

use serde_json::json;
use simulator::{ContactRange, Platform, Simulator};

use crate::support::{code, company, start};

#[tokio::test]
async fn the_tree_walked_level_by_level_has_every_department_and_person() {
    let client = start(company(300)).await;
    let truth = client.sim.truth();
    let tree = client.tree().await;
    assert_eq!(tree.len() as u64, truth.departments);
    let ids: HashSet<i64> = tree.iter().map(|dept| dept["dept_id"].as_i64().unwrap()).collect();
    assert!(!ids.contains(&1), "the root is never listed");
    assert!(tree.iter().all(|dept| {
        let parent = dept["parent_id"].as_i64().unwrap();
        parent == 1 || ids.contains(&parent)
    }));
    assert_eq!(client.everyone().await.len() as u64, truth.people);
    let count = client.old("topapi/user/count", json!({"only_active": false})).await;
    assert_eq!(count["result"]["count"].as_u64(), Some(truth.people));
    let active = client.old("topapi/user/count", json!({"only_active": true})).await;
    assert_eq!(active["result"]["count"].as_u64(), Some(truth.people - truth.unjoined));
}

#[tokio::test]
async fn the_same_seed_is_the_same_company_on_every_platform() {
    let client = start(company(60).seed(7)).await;
    let other = Simulator::builder().people(60).seed(7).start("127.0.0.1:0").await.unwrap();
    assert_eq!(other.platform(), Platform::Feishu);
    assert_eq!(client.sim.truth(), other.truth());
    let boss = client.old("topapi/v2/user/getbymobile", json!({"mobile": "13800000000"})).await;
    let boss = client.old("topapi/v2/user/get", json!({"userid": boss["result"]["userid"]})).await;
    assert_eq!(boss["result"]["job_number"], "E000001");
}

#[tokio::test]
async fn one_person_tells_more_than_a_listing() {
    let client = start(company(200)).await;
    let tree = client.tree().await;
    let dept = tree.last().unwrap();
    let listed = client.members(&dept["dept_id"]).await.pop().unwrap();
    assert!(listed["leader"].is_boolean() && listed.get("manager_userid").is_none());
    let whole = client.old("topapi/v2/user/get", json!({"userid": listed["userid"]})).await;
    let whole = &whole["result"];
    assert!(whole["manager_userid"].is_string() && whole.get("dept_order").is_none());
    let mains = whole["dept_position_list"].as_array().unwrap();
    assert_eq!(mains.iter().filter(|at| at["is_main"] == true).count(), 1);
    let extension: Option<&str> = whole["extension"].as_str();
    assert!(extension.is_none_or(|text| serde_json::from_str::<serde_json::Value>(text).is_ok()));
}

#[tokio::test]
async fn fields_without_their_permission_are_absent_with_code_zero() {
    let client = start(company(20).without_scope("fieldMobile").without_scope("fieldEmail")).await;
    let user = client.members(&json!(1)).await.remove(0);
    for field in ["mobile", "state_code", "email", "work_place", "extension"] {
        assert_eq!(user.get(field), None, "{field}");
    }
    assert!(user["org_email"].is_string());
}

#[tokio::test]
async fn who_has_left_is_found_in_the_leave_records_alone() {
    let client = start(company(200)).await;
    let before: HashSet<String> = client.everyone().await.into_iter().collect();
    client.sim.step(4);
    let after: HashSet<String> = client.everyone().await.into_iter().collect();
    let gone = before.difference(&after).next().unwrap();
    let answer = client.old("topapi/v2/user/get", json!({"userid": gone})).await;
    assert_eq!(code(&answer), 60_121);
    let path = "contact/empLeaveRecords?startTime=2026-03-01T00:00:00Z&endTime=2026-04-02T00:00:00Z\
                &nextToken=0&maxResults=50";
    let (status, records) = client.new_get(path).await;
    assert_eq!(status, 200);
    let records = records["records"].as_array().unwrap();
    assert!(records.iter().any(|record| record["userId"] == gone.as_str()), "{records:?}");
}

#[tokio::test]
async fn a_partial_range_starts_below_the_root_and_some_calls_ignore_it() {
    let client = start(company(300)).await;
    let tree = client.tree().await;
    let top = tree.iter().find(|dept| dept["parent_id"] == 1).unwrap()["dept_id"].clone();
    let range = ContactRange::Part { departments: vec![top.to_string()], users: Vec::new() };
    client.sim.set_contact_range(range);
    let scopes = client.get(&format!("auth/scopes?access_token={}", client.token)).await;
    assert_eq!(scopes["auth_org_scopes"]["authed_dept"], json!([top]));
    let root = client.old("topapi/v2/department/listsub", json!({"dept_id": 1})).await;
    assert_eq!(code(&root), 50_004);
    let seen = client.old("topapi/v2/department/listsub", json!({"dept_id": top})).await;
    assert_eq!(code(&seen), 0);
    let count = client.old("topapi/user/count", json!({"only_active": false})).await;
    assert_eq!(count["result"]["count"].as_u64(), Some(300));
    let ids = client.old("topapi/user/listid", json!({"dept_id": 1})).await;
    let boss = ids["result"]["userid_list"][0].clone();
    let hidden = client.old("topapi/v2/user/get", json!({"userid": boss})).await;
    assert_eq!(code(&hidden), 50_002);
}

#[tokio::test]
async fn the_roster_answers_the_fields_that_are_asked_for() {
    let client = start(company(80)).await;
    let body = json!({"status_list": "2,3,5,-1", "offset": 0, "size": 50});
    let on_job = client.old("topapi/smartwork/hrm/employee/queryonjob", body).await;
    assert_eq!(on_job["result"]["data_list"].as_array().unwrap().len(), 50);
    assert_eq!(on_job["result"]["next_cursor"], 50);
    let ids = &on_job["result"]["data_list"];
    let body =
        json!({"appAgentId": 7, "userIdList": [ids[0]], "fieldFilterList": ["sys02-sexType"]});
    let (status, roster) = client.new_post("hrm/rosters/lists/query", body).await;
    assert_eq!(status, 200);
    let fields = roster["result"][0]["fieldDataList"].as_array().unwrap();
    assert_eq!(fields.len(), 1);
    assert!(["男", "女"].contains(&fields[0]["fieldValueList"][0]["label"].as_str().unwrap()));
}
