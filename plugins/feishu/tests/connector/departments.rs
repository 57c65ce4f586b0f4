//! The department tree: recursive where allowed, in parts where not, below what is granted where not all is seen.

use rollcall_sdk::Fault;
use serde_json::{Value, json};

use crate::{
    DEPARTMENTS_BATCH, ROOT_CHILDREN, SCOPES, all, children_of, connection, department,
    departments, ids, ok, query, refusal,
};

const TOO_LARGE: i64 = 43_010;
const OUTSIDE: i64 = 40_004;

fn listing(names: &[&str], next: Option<&str>) -> Value {
    let items: Vec<Value> = names.iter().map(|id| department(id)).collect();
    match next {
        Some(token) => json!({"has_more": true, "page_token": token, "items": items}),
        None => json!({"has_more": false, "items": items}),
    }
}

#[test]
fn the_whole_tree_is_one_recursive_listing() {
    let host = connection()
        .answers("GET", ROOT_CHILDREN, ok(listing(&["od-1", "od-2"], Some("AQD/x+1="))))
        .answers("GET", ROOT_CHILDREN, ok(listing(&["od-3"], None)));
    let (pages, evidence) = all(|cursor| departments(&host, cursor));
    assert_eq!(pages, [vec!["od-1", "od-2"], vec!["od-3"]]);
    assert_eq!(evidence.len(), 1);
    assert_eq!(evidence[0].scope.as_deref(), Some("all-members"));
    assert_eq!(
        query(&host, 1),
        "user_id_type=user_id&department_id_type=open_department_id&fetch_child=true&page_size=50"
    );
    assert!(query(&host, 0).ends_with("&page_token=AQD%2Fx%2B1%3D"), "{}", query(&host, 0));
}

#[test]
fn an_absent_or_null_array_is_an_empty_tree() {
    for data in
        [json!({}), json!({"has_more": false}), json!({"items": null}), json!({"items": []})]
    {
        let host = connection().answers("GET", ROOT_CHILDREN, ok(data));
        let page = departments(&host, None).unwrap();
        assert_eq!((ids(&page.content).len(), page.next), (0, None));
        assert!(page.evidence.is_some());
    }
}

#[test]
fn a_tree_that_is_too_large_is_walked_in_parts() {
    for code in [TOO_LARGE, 40_162] {
        let host = connection()
            .answers("GET", ROOT_CHILDREN, refusal(code))
            .answers("GET", ROOT_CHILDREN, ok(listing(&["od-1", "od-2"], Some("more"))))
            .answers("GET", &children_of("od-1"), ok(listing(&["od-11"], Some("sub"))))
            .answers("GET", &children_of("od-1"), ok(listing(&["od-12"], None)))
            .answers("GET", &children_of("od-2"), refusal(code))
            .answers("GET", &children_of("od-2"), ok(listing(&["od-21"], None)))
            .answers("GET", &children_of("od-21"), ok(json!({})))
            .answers("GET", ROOT_CHILDREN, ok(listing(&["od-3"], None)))
            .answers("GET", &children_of("od-3"), ok(json!({})));
        let (pages, evidence) = all(|cursor| departments(&host, cursor));
        let found: Vec<String> = pages.concat();
        assert_eq!(found, ["od-1", "od-2", "od-11", "od-12", "od-21", "od-3"]);
        assert_eq!(evidence.len(), 1);
        assert_eq!(evidence[0].scope.as_deref(), Some("all-members"));
        assert_eq!(host.left(), 0);
        let asked: Vec<bool> =
            host.requests()[1..].iter().map(|r| r.url.contains("fetch_child=true")).collect();
        assert_eq!(asked, [true, false, true, true, true, false, true, false, true]);
    }
}

#[test]
fn a_partial_range_is_walked_from_what_is_granted() {
    let host = connection()
        .answers("GET", ROOT_CHILDREN, refusal(OUTSIDE).with_status(403))
        .answers(
            "GET",
            SCOPES,
            ok(json!({
                "has_more": true, "page_token": "p/2",
                "department_ids": ["od-1", "od-2"], "user_ids": ["u-9"], "group_ids": ["g-1"]
            })),
        )
        .answers("GET", DEPARTMENTS_BATCH, ok(listing(&["od-1", "od-2"], None)))
        .answers("GET", &children_of("od-1"), ok(listing(&["od-11"], None)))
        .answers("GET", &children_of("od-2"), refusal(TOO_LARGE))
        .answers("GET", &children_of("od-2"), ok(json!({})))
        .answers("GET", SCOPES, ok(json!({"has_more": false, "user_ids": ["u-10"]})));
    let (pages, evidence) = all(|cursor| departments(&host, cursor));
    assert_eq!(pages.concat(), ["od-1", "od-2", "od-11"]);
    assert_eq!(host.left(), 0);
    assert_eq!(evidence.len(), 1);
    assert!(evidence[0].scope.as_deref().unwrap().starts_with("partial:5:"), "{evidence:?}");
    let batch = &host.requests()[3].url;
    assert!(batch.ends_with("&department_ids=od-1&department_ids=od-2"), "{batch}");
    assert!(query(&host, 0).ends_with("&page_token=p%2F2"));
}

#[test]
fn the_fingerprint_of_a_range_is_of_its_ids_alone() {
    let scope = |departments: Value, users: Value| {
        let data = json!({"has_more": false, "department_ids": departments, "user_ids": users});
        let host = connection()
            .answers("GET", ROOT_CHILDREN, refusal(OUTSIDE))
            .answers("GET", SCOPES, ok(data))
            .answers("GET", DEPARTMENTS_BATCH, ok(json!({})));
        departments_of(&host).evidence.unwrap().scope.unwrap()
    };
    let here = scope(json!(["a", "b"]), json!(["c"]));
    assert_eq!(here, scope(json!(["b", "a"]), json!(["c"])));
    assert_ne!(here, scope(json!(["a", "c"]), json!(["b"])));
    assert_ne!(here, scope(json!(["a", "b"]), json!([])));
}

fn departments_of(
    host: &rollcall_sdk::testing::Scripted,
) -> rollcall_sdk::Page<rollcall_sdk::testing::Reply> {
    departments(host, None).unwrap()
}

#[test]
fn a_range_of_nothing_is_an_empty_listing_that_says_so() {
    let host = connection().answers("GET", ROOT_CHILDREN, refusal(OUTSIDE)).answers(
        "GET",
        SCOPES,
        ok(json!({"has_more": false})),
    );
    let page = departments_of(&host);
    assert_eq!((ids(&page.content).len(), page.next), (0, None));
    assert_eq!(page.evidence.unwrap().scope.as_deref(), Some("partial:0:0000000000000000"));
}

#[test]
fn a_tree_without_end_is_refused() {
    let host = connection();
    let mut cursor = None;
    let refused = |code| Ok(refusal(code));
    host.then("GET", ROOT_CHILDREN, refused(TOO_LARGE));
    host.then("GET", ROOT_CHILDREN, Ok(ok(listing(&["loop"], None))));
    for level in 1..100 {
        match departments(&host, cursor.as_deref()) {
            Ok(page) => cursor = page.next,
            Err(Fault::Invalid(advice)) => {
                assert_eq!((advice.code.as_str(), level), ("tree", 33));
                return;
            }
            Err(fault) => panic!("{fault:?}"),
        }
        host.then("GET", &children_of("loop"), refused(TOO_LARGE));
        host.then("GET", &children_of("loop"), Ok(ok(listing(&["loop"], None))));
    }
    panic!("walked for ever");
}

#[test]
fn a_cursor_stays_small_in_a_wide_and_deep_tree() {
    let many: Vec<String> = (0..50).map(|n| format!("od-{n:033}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let host = connection();
    let mut cursor = None;
    let mut path = ROOT_CHILDREN.to_owned();
    for _ in 0..25 {
        host.then("GET", &path, Ok(refusal(TOO_LARGE)));
        host.then("GET", &path, Ok(ok(listing(&many, Some("token")))));
        cursor = departments(&host, cursor.as_deref()).unwrap().next;
        path = children_of(many[0]);
    }
    let length = cursor.unwrap().len();
    assert!(length < 25 * 51 * 60, "{length}");
}

#[test]
fn a_cursor_of_another_making_is_stale() {
    for cursor in [
        "",
        "AQD/x",
        "below,0",
        "below,0,300,",
        "members,0,",
        "part,1,2,0,1",
        "below,%0,0,",
        "below,0,0,;",
    ] {
        let host = connection();
        assert!(matches!(departments(&host, Some(cursor)), Err(Fault::StaleCursor)), "{cursor}");
        assert_eq!(host.requests().len(), 0);
    }
}

#[test]
fn a_page_token_that_does_not_hold_starts_again() {
    let host = connection()
        .answers("GET", ROOT_CHILDREN, ok(listing(&["od-1"], Some("old"))))
        .answers("GET", ROOT_CHILDREN, refusal(40_012));
    let next = departments_of(&host).next;
    assert_eq!(departments(&host, next.as_deref()).unwrap_err(), Fault::StaleCursor);
}

#[test]
fn a_page_token_that_repeats_or_is_missing_is_a_fault() {
    let host = connection()
        .answers("GET", ROOT_CHILDREN, ok(listing(&["od-1"], Some("same"))))
        .answers("GET", ROOT_CHILDREN, ok(listing(&["od-2"], Some("same"))));
    let next = departments_of(&host).next;
    assert!(matches!(departments(&host, next.as_deref()), Err(Fault::Unavailable(_))));
    for data in [json!({"has_more": true}), json!({"has_more": true, "page_token": ""})] {
        let host = connection().answers("GET", ROOT_CHILDREN, ok(data));
        assert!(matches!(departments(&host, None), Err(Fault::Unavailable(_))));
    }
}

#[test]
fn departments_are_known_by_the_id_that_is_set() {
    let host = connection().with_setting("department_id_type", "department_id").answers(
        "GET",
        ROOT_CHILDREN,
        ok(json!({"items": [{"department_id": "RAD"}]})),
    );
    assert_eq!(ids(&departments_of(&host).content), ["RAD"]);
    let host = connection().with_setting("department_id_type", "department_id").answers(
        "GET",
        ROOT_CHILDREN,
        ok(json!({"items": [{"open_department_id": "od-1"}]})),
    );
    let Err(Fault::Forbidden(advice)) = departments(&host, None) else { panic!("no fault") };
    assert!(advice.remedy.contains("contact:department.base:readonly"), "{}", advice.remedy);
}
