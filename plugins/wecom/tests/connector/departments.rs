//! The department tree and what speaks for its completeness.

use rollcall_sdk::{Content, Evidence, Fault};
use serde_json::{Value, json};

use crate::{
    AGENT, DEPARTMENT, TOKEN, TREE, TREE_IDS, all, connection, counted, department, departments,
    ids, ok, payloads, query, refusal, token, tree, tree_ids,
};

const SMALL: &[(u64, u64)] = &[(1, 0), (7, 1), (12, 7)];

fn evidence(host: &rollcall_sdk::testing::Scripted) -> Evidence {
    departments(host, None).unwrap().evidence.unwrap()
}

fn one(id: u64) -> rollcall_sdk::testing::Reply {
    ok(json!({"department": department(id, 1)}))
}

#[test]
fn the_tree_is_one_listing_whose_records_stay_in_the_host() {
    let host = connection().answers("GET", TREE, tree(SMALL));
    let page = departments(&host, None).unwrap();
    assert!(matches!(page.content, Content::Sliced(_)));
    assert_eq!((ids(&page.content), page.next), (vec!["1".into(), "7".into(), "12".into()], None));
    assert_eq!(query(&host, 0), "access_token=t-app");
}

#[test]
fn contacts_sync_counts_the_departments_of_the_whole_company() {
    for (company, total) in
        [(SMALL, 3), (&[(7, 1), (12, 7)], 3), (&[(1, 0), (7, 1), (8, 1), (12, 7)], 4)]
    {
        let host = counted()
            .answers("GET", TREE_IDS, tree_ids(company))
            .answers("GET", TOKEN, token("t-app", 7200))
            .answers("GET", TREE, tree(SMALL));
        assert_eq!(evidence(&host).total, Some(total));
    }
    let host = connection().answers("GET", TREE, tree(SMALL));
    assert_eq!(evidence(&host).total, None, "without contacts sync nothing is counted");
}

#[test]
fn contacts_sync_that_is_configured_and_refused_is_told() {
    let host = counted().answers("GET", TREE_IDS, refusal(60_020));
    let Err(Fault::Forbidden(advice)) = departments(&host, None) else { panic!("no fault") };
    assert!(advice.remedy.contains("企业可信IP"), "{}", advice.remedy);
    assert!(advice.remedy.ends_with("the platform saw 203.0.113.7"), "{}", advice.remedy);
}

#[test]
fn the_scope_is_what_the_app_is_granted_in_whatever_order() {
    let grant = |parties: Value, users: Value| {
        let app = ok(json!({"agentid": 1_000_002, "allow_partys": {"partyid": parties},
                            "allow_userinfos": {"user": users}, "allow_tags": {"tagid": []}}));
        let host = connection()
            .with_setting("agent_id", "1000002")
            .answers("GET", AGENT, app)
            .answers("GET", TREE, tree(SMALL));
        let scope = evidence(&host).scope.unwrap();
        assert_eq!(query(&host, 1), "access_token=t-app&agentid=1000002");
        scope
    };
    let known = grant(json!([1, 7]), json!([{"userid": "e1"}]));
    assert_eq!(known, grant(json!([7, 1]), json!([{"userid": "E1"}])));
    assert_ne!(known, grant(json!([1]), json!([{"userid": "e1"}])));
    assert_ne!(known, grant(json!([1, 7]), json!([])));
}

#[test]
fn without_an_agent_id_the_tops_of_the_tree_are_the_scope() {
    let scope = |departments: &[(u64, u64)]| {
        evidence(&connection().answers("GET", TREE, tree(departments))).scope.unwrap()
    };
    assert_eq!(scope(SMALL), scope(&[(1, 0), (9, 1)]), "a department more is no other scope");
    assert_ne!(scope(SMALL), scope(&[(7, 1), (12, 7)]), "the company itself is no longer visible");
}

#[test]
fn a_department_below_an_invisible_one_says_so() {
    let host = connection().answers("GET", TREE, tree(&[(12, 7), (13, 12), (20, 1)]));
    let page = departments(&host, None).unwrap();
    let tops: Vec<Value> =
        payloads(&page.content).into_iter().filter(|d| d["top"] == json!(true)).collect();
    assert_eq!(tops.len(), 1);
    assert_eq!((&tops[0]["id"], &tops[0]["name"]), (&json!(12), &json!("Radiology")));
}

#[test]
fn a_tree_that_is_too_large_is_read_one_by_one() {
    let places: Vec<(u64, u64)> = (1..=45).map(|id| (id, u64::from(id > 1))).collect();
    let host = connection().answers("GET", TREE, refusal(45_029)).answers(
        "GET",
        TREE_IDS,
        tree_ids(&places),
    );
    let mut sorted: Vec<u64> = places.iter().map(|(id, _)| *id).collect();
    sorted.sort_unstable_by_key(ToString::to_string);
    for id in &sorted[..40] {
        host.then("GET", DEPARTMENT, Ok(one(*id)));
    }
    host.then("GET", TREE_IDS, Ok(tree_ids(&places)));
    // One was deleted meanwhile.
    host.then("GET", DEPARTMENT, Ok(refusal(60_003)));
    for id in &sorted[41..] {
        host.then("GET", DEPARTMENT, Ok(one(*id)));
    }
    let pages = all(|cursor| departments(&host, cursor));
    assert_eq!((pages[0].len(), pages[1].len(), host.left()), (40, 4, 0));
    assert_eq!(query(&host, 0), format!("access_token=t-app&id={}", sorted[44]));
}

#[test]
fn an_answer_without_departments_is_no_empty_tree() {
    let host = connection().answers("GET", TREE, ok(json!({})));
    assert!(matches!(departments(&host, None), Err(Fault::Unavailable(_))));
    let host = connection().answers("GET", TREE, ok(json!({"department": []})));
    assert_eq!(departments(&host, None).unwrap().content, Content::Empty);
}

#[test]
fn a_success_may_leave_its_code_out() {
    let host = connection().answers(
        "GET",
        TREE,
        rollcall_sdk::testing::Reply::json(&json!({"department": [department(7, 1)]})),
    );
    assert_eq!(ids(&departments(&host, None).unwrap().content), ["7"]);
}

#[test]
fn contacts_sync_from_a_new_address_is_told_what_to_use_instead() {
    let host = connection().answers("GET", TREE, refusal(48_009));
    let Err(Fault::Forbidden(advice)) = departments(&host, None) else { panic!("no fault") };
    assert!(advice.remedy.contains("`app_secret`"), "{}", advice.remedy);
}

#[test]
fn a_cursor_of_something_else_is_stale() {
    let host = connection().answers("GET", TREE_IDS, tree_ids(SMALL));
    assert_eq!(departments(&host, Some("counted,0,1,0,1")).unwrap_err(), Fault::StaleCursor);
}
