//! The tree, one level at a time.

use rollcall_sdk::Fault;
use serde_json::json;

use crate::{
    CHILDREN, DEPARTMENT, SCOPES, all, body, brief, connection, department, departments, ok, range,
    refusal, wrapped,
};

#[test]
fn the_tree_is_walked_to_its_leaves_each_department_in_full() {
    let host = connection()
        .answers("GET", SCOPES, range(&[1], &[]))
        .answers("POST", CHILDREN, ok(json!([department(7), department(8)])))
        .answers("POST", DEPARTMENT, ok(department(7)))
        .answers("POST", CHILDREN, ok(json!([department(71)])))
        .answers("POST", DEPARTMENT, ok(department(71)))
        .answers("POST", CHILDREN, ok(json!([])))
        .answers("POST", DEPARTMENT, ok(department(8)))
        .answers("POST", CHILDREN, ok(json!([])));
    let (found, evidence) = all(|cursor| departments(&host, cursor));
    assert_eq!(found, ["7", "71", "8"]);
    assert_eq!(evidence.len(), 1);
    assert_eq!(
        (evidence[0].scope.as_deref(), evidence[0].total),
        (Some("all-members"), None),
        "the platform counts no departments"
    );
    assert_eq!((body(&host, 0), host.left()), (json!({"dept_id": 8}), 0));
}

#[test]
fn listings_alone_stay_in_the_host_level_by_level() {
    let host = brief()
        .answers("GET", SCOPES, range(&[1], &[]))
        .answers("POST", CHILDREN, ok(json!([department(7), department(8)])))
        .answers("POST", CHILDREN, ok(json!([department(71)])))
        .answers("POST", CHILDREN, ok(json!([])))
        .answers("POST", CHILDREN, ok(json!([])));
    let (found, _) = all(|cursor| departments(&host, cursor));
    assert_eq!(found, ["7", "8", "71"]);
}

#[test]
fn under_a_partial_range_the_walk_starts_where_it_may() {
    let first = departments(
        &connection().answers("GET", SCOPES, range(&[7, 9], &["u1"])).answers(
            "POST",
            DEPARTMENT,
            ok(department(7)),
        ),
        None,
    )
    .unwrap();
    assert_eq!(crate::ids(&first.content), ["7"]);
    let scope = first.evidence.unwrap().scope.unwrap();
    assert!(scope.starts_with("partial:3:"), "{scope}");
    let swapped = departments(
        &connection().answers("GET", SCOPES, range(&[9, 7], &["u1"])).answers(
            "POST",
            DEPARTMENT,
            ok(department(9)),
        ),
        None,
    )
    .unwrap();
    assert_eq!(swapped.evidence.unwrap().scope.as_deref(), Some(scope.as_str()));
}

#[test]
fn a_range_without_any_department_is_an_empty_listing_with_its_scope() {
    let host = connection().answers("GET", SCOPES, range(&[], &["u1"]));
    let page = departments(&host, None).unwrap();
    assert_eq!((crate::ids(&page.content), page.next), (vec![], None));
    assert!(page.evidence.unwrap().scope.unwrap().starts_with("partial:1:"));
}

#[test]
fn a_department_that_went_away_meanwhile_is_left_out() {
    let host = connection()
        .answers("GET", SCOPES, range(&[1], &[]))
        .answers("POST", CHILDREN, ok(json!([department(7)])))
        .answers("POST", DEPARTMENT, refusal(60_003))
        .answers("POST", CHILDREN, refusal(60_003));
    let (found, _) = all(|cursor| departments(&host, cursor));
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn a_level_that_cannot_be_read_is_a_fault_and_never_an_empty_one() {
    for reply in [
        ok(json!({})),
        ok(json!("none")),
        wrapped(-1, "busy"),
        refusal(50_004),
        crate::Reply::json(&json!({"errcode": 0, "errmsg": "ok"})),
    ] {
        let host = connection().answers("GET", SCOPES, range(&[1], &[])).answers(
            "POST",
            CHILDREN,
            reply.clone(),
        );
        assert!(departments(&host, None).is_err(), "{reply:?}");
    }
}

#[test]
fn a_tree_without_end_is_told_as_a_loop() {
    let host = brief();
    let deep = "below,7,64";
    let Err(Fault::Invalid(advice)) = departments(&host, Some(deep)) else { panic!("no fault") };
    assert!(advice.remedy.contains("loop"), "{}", advice.remedy);
    assert_eq!(departments(&host, Some("below,7")), Err(Fault::StaleCursor));
    assert_eq!(departments(&host, Some("members,7,0")), Err(Fault::StaleCursor));
}
