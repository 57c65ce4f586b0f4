//! Departments and people, by the app and by contacts sync.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use simulator::{ContactRange, Fault, FaultRule};

use crate::support::{CONTACTS, Client, company, start};

/// Every row of `user/list_id`.
async fn rows(client: &Client, limit: u64) -> Vec<(String, u64)> {
    let (mut found, mut cursor) = (Vec::new(), String::new());
    loop {
        let body = json!({"cursor": cursor, "limit": limit});
        let page = client.post_as(CONTACTS, "user/list_id", body).await;
        for row in page["dept_user"].as_array().unwrap() {
            let id = row["userid"].as_str().unwrap().to_owned();
            found.push((id, row["department"].as_u64().unwrap()));
        }
        page["next_cursor"].as_str().unwrap().clone_into(&mut cursor);
        if cursor.is_empty() {
            return found;
        }
        assert!(found.len() < 10_000, "the listing does not end");
    }
}

#[tokio::test]
async fn listings_show_the_company_as_it_is() {
    let client = start(company(300)).await;
    let truth = client.sim.truth();
    let tree = client.get("department/list").await;
    let departments = tree["department"].as_array().unwrap();
    assert_eq!(departments.len() as u64, truth.departments + 1, "the company itself is one");
    assert_eq!((&departments[0]["id"], &departments[0]["parentid"]), (&json!(1), &json!(0)));
    assert_eq!(client.everyone().await.len() as u64, truth.people);
    let ids = client.get_as(CONTACTS, "department/simplelist").await;
    assert_eq!(ids["department_id"].as_array().unwrap().len(), departments.len());
}

#[tokio::test]
async fn contacts_sync_lists_a_row_for_each_person_and_department() {
    let client = start(company(300)).await;
    let whole = rows(&client, 10_000).await;
    assert_eq!(rows(&client, 7).await, whole, "pages add up");
    let people: BTreeSet<&String> = whole.iter().map(|(id, _)| id).collect();
    assert_eq!(people.len() as u64, client.sim.truth().people);
    assert!(whole.len() > people.len(), "somebody is in two departments");
    let fault = |page: Value| page["errcode"].as_i64().unwrap();
    assert_eq!(fault(client.post("user/list_id", json!({})).await), 48_002);
    for body in [json!({"limit": 10_001}), json!({"limit": 0}), json!({"cursor": "row-7"})] {
        assert_eq!(fault(client.post_as(CONTACTS, "user/list_id", body).await), 40_058);
    }
}

#[tokio::test]
async fn a_newer_app_is_not_told_what_an_older_one_is() {
    let newer = start(company(40)).await;
    let older = start(company(40).older_app()).await;
    let (kept, told) = (newer.everyone().await, older.everyone().await);
    for (kept, told) in kept.iter().zip(&told) {
        for name in ["mobile", "email", "biz_mail"] {
            assert!(kept.get(name).is_none() && told[name].is_string(), "{name}");
        }
        assert_eq!((&kept["gender"], &kept["name"]), (&json!("0"), &told["name"]));
    }
    assert!(told.iter().any(|user| user["gender"] == "2"));
}

#[tokio::test]
async fn a_person_is_found_in_any_case_and_stands_beside_the_code() {
    let client = start(company(40)).await;
    let listed = client.everyone().await.swap_remove(3);
    let id = listed["userid"].as_str().unwrap().to_lowercase();
    let card = client.get(&format!("user/get?userid={id}")).await;
    assert_eq!((&card["errcode"], &card["userid"]), (&json!(0), &listed["userid"]));
    assert_eq!(card["department"], listed["department"]);
    assert_eq!(
        card["order"].as_array().unwrap().len(),
        card["department"].as_array().unwrap().len()
    );
    assert_eq!(client.get("user/get?userid=nobody").await["errcode"], 60_111);
    let mobile = json!({"mobile": "13800000003"});
    assert_eq!(client.post("user/getuserid", mobile).await["userid"], "E000004");
}

#[tokio::test]
async fn a_range_narrows_departments_people_and_what_is_told_of_them() {
    let client = start(company(300)).await;
    let all = client.departments().await;
    let range = ContactRange::Part {
        departments: vec![all[5].to_string()],
        users: vec!["E000001".to_owned()],
    };
    client.sim.set_contact_range(range);
    let seen = client.departments().await;
    assert!(seen.contains(&all[5]) && seen.len() < all.len() && !seen.contains(&1));
    assert_eq!(client.get("user/list?department_id=1").await["errcode"], 60_011);
    assert_eq!(client.get("department/get?id=999999").await["errcode"], 60_003);
    let app = client.get("agent/get?agentid=1000002").await;
    assert_eq!(app["allow_partys"]["partyid"], json!([all[5]]));
    assert_eq!(app["allow_userinfos"]["user"], json!([{"userid": "E000001"}]));
    let boss = client.get("user/get?userid=E000001").await;
    assert_eq!((&boss["department"], boss.get("main_department")), (&json!([]), None));
    let whole = client.get_as(CONTACTS, "department/simplelist").await;
    assert_eq!(whole["department_id"].as_array().unwrap().len(), all.len());
}

#[tokio::test]
async fn listings_misbehave_on_demand() {
    let client = start(company(300)).await;
    let count = client.departments().await.len();
    client.sim.set_faults([FaultRule::rate(Fault::TruncatedList, 1.0)]);
    assert!(client.departments().await.len() < count);
    client.sim.set_faults([FaultRule::rate(Fault::EmptyTree, 1.0)]);
    assert_eq!(client.departments().await, [0; 0]);
    client.sim.set_faults([FaultRule::rate(Fault::RepeatedToken, 1.0)]);
    let body = json!({"cursor": "row-00000002", "limit": 2});
    let page = client.post_as(CONTACTS, "user/list_id", body).await;
    assert_eq!(page["next_cursor"], "row-00000002");
    client.sim.set_faults([FaultRule::rate(Fault::ShorterList, 1.0)]);
    let few = client.everyone().await.len();
    assert!((30..100).contains(&few), "{few}");
    client.sim.set_faults([FaultRule::rate(Fault::WrongTypes, 1.0)]);
    assert!(client.get("user/list?department_id=1").await["userlist"].is_string());
}

#[tokio::test]
async fn what_changes_is_seen_and_told_by_ids_alone() {
    let client = start(company(300)).await;
    client.sim.step(6);
    let truth = client.sim.truth();
    assert_eq!(client.everyone().await.len() as u64, truth.people);
    let events = client.sim.events_since(0);
    for kind in ["create_user", "delete_user", "update_user"] {
        let tag = format!("<ChangeType>{kind}</ChangeType>");
        assert!(events.iter().any(|event| event.contains(&tag)), "{kind}: {events:?}");
    }
    assert!(events.iter().all(|event| event.contains("<FromUserName><![CDATA[sys]]>")));
    assert!(!events.iter().any(|event| event.contains("<Name>") || event.contains("<Mobile>")));
}
