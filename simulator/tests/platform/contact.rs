//! Departments and people: pages, identifiers, shapes.

use std::collections::{HashMap, HashSet};

use serde_json::{Value, json};
use simulator::Simulator;

use crate::support::{company, start, text};

#[tokio::test]
async fn walking_the_tree_and_every_department_finds_everyone() {
    let client = company(600).await;
    let tree = client.tree().await;
    let truth = client.sim.truth();
    assert_eq!(tree.len() as u64, truth.departments);
    let mut known = HashSet::from(["0".to_owned()]);
    let mut people = HashSet::new();
    let mut twice = 0;
    for dept in &tree {
        assert!(known.contains(&text(dept, "parent_department_id")), "parents come first");
        known.insert(text(dept, "open_department_id"));
    }
    for dept in &known {
        for user in client.members(dept).await {
            let first = people.insert(text(&user, "open_id"));
            twice += usize::from(!first);
            assert!(user["department_ids"].as_array().unwrap().contains(&json!(dept)));
        }
    }
    assert_eq!(people.len() as u64, truth.people);
    assert!((10..60).contains(&twice), "{twice} are in two departments");
}

#[tokio::test]
async fn pages_default_to_ten_and_never_exceed_fifty() {
    let client = company(1_200).await;
    let path = "contact/v3/departments/0/children";
    let deep = ("fetch_child", "true");
    assert_eq!(client.get(path, &[deep]).await.items().len(), 10);
    assert_eq!(client.get(path, &[deep, ("page_size", "50")]).await.items().len(), 50);
    for (size, code) in [("51", 40009), ("0", 40011), ("many", 40011), ("-1", 40011)] {
        assert_eq!(client.get(path, &[("page_size", size)]).await.code(), code, "{size}");
    }
}

#[tokio::test]
async fn a_page_token_is_opaque_and_serves_its_listing_only() {
    let client = company(600).await;
    let path = "contact/v3/departments/0/children";
    let answer = client.get(path, &[("fetch_child", "true")]).await;
    let token = text(answer.data(), "page_token");
    assert!(['/', '+', '='].iter().all(|c| token.contains(*c)), "{token}");
    let unescaped = token.replace('+', " ");
    for bad in [unescaped.as_str(), "AQD/x+1=", "1"] {
        let query = [("fetch_child", "true"), ("page_token", bad)];
        assert_eq!(client.get(path, &query).await.code(), 40012, "{bad}");
    }
    assert_eq!(client.get(path, &[("page_token", token.as_str())]).await.code(), 40012);
}

#[tokio::test]
async fn the_last_page_has_no_token_and_an_empty_listing_no_items() {
    let client = company(60).await;
    let tree = client.tree().await;
    let parents: HashSet<String> =
        tree.iter().map(|dept| text(dept, "parent_department_id")).collect();
    let leaf =
        tree.iter().map(|dept| text(dept, "open_department_id")).find(|id| !parents.contains(id));
    let answer =
        client.get(&format!("contact/v3/departments/{}/children", leaf.unwrap()), &[]).await;
    assert_eq!(answer.data(), &json!({"has_more": false}));
}

#[tokio::test]
async fn children_are_direct_unless_asked_for_deeply() {
    let client = company(600).await;
    let direct = client.walk("contact/v3/departments/0/children", &[]).await;
    assert_eq!(direct.len(), 3);
    assert!(direct.iter().all(|dept| dept["parent_department_id"] == "0"));
    let centre = text(&direct[1], "open_department_id");
    let path = format!("contact/v3/departments/{centre}/children");
    let deep = client.walk(&path, &[("fetch_child", "true")]).await;
    let shallow = client.walk(&path, &[]).await;
    assert!(deep.len() > shallow.len());
    assert!(shallow.iter().all(|dept| dept["parent_department_id"] == centre.as_str()));
}

#[tokio::test]
async fn a_tree_too_large_to_recurse_must_be_walked() {
    let client = start(Simulator::builder().people(600).recursion_limit(20)).await;
    let path = "contact/v3/departments/0/children";
    assert_eq!(client.get(path, &[("fetch_child", "true")]).await.code(), 43010);
    assert_eq!(client.get(path, &[]).await.code(), 0);
}

#[tokio::test]
async fn departments_carry_names_order_leaders_and_counts() {
    let client = company(600).await;
    let root = client.get("contact/v3/departments/0", &[]).await;
    let root = &root.data()["department"];
    assert_eq!((&root["open_department_id"], &root["member_count"]), (&json!("0"), &json!(600)));
    assert!(root.get("parent_department_id").is_none());
    let tree = client.tree().await;
    let centres = tree.iter().filter(|dept| dept["parent_department_id"] == "0");
    let counted: u64 = centres.map(|dept| dept["primary_member_count"].as_u64().unwrap()).sum();
    assert_eq!(counted, 599, "all but the head of the company");
    for dept in &tree {
        assert!(dept["order"].is_string() && dept["status"]["is_deleted"] == false, "{dept}");
        assert_eq!(dept["leaders"][0]["leaderID"], dept["leader_user_id"]);
        assert!(!text(dept, "name").contains('/'));
    }
}

#[tokio::test]
async fn ids_of_every_type_name_the_same_record() {
    let client = company(300).await;
    let tree = client.tree().await;
    let dept = &tree[5];
    let open = client.members(&text(dept, "open_department_id")).await;
    let query = [
        ("department_id", dept["department_id"].as_str().unwrap()),
        ("department_id_type", "department_id"),
        ("user_id_type", "union_id"),
        ("page_size", "50"),
    ];
    let union = client.walk("contact/v3/users/find_by_department", &query).await;
    let person = union.iter().zip(&open).find(|(user, _)| user["leader_user_id"].is_string());
    let (by_union, by_open) = person.unwrap();
    assert_eq!(by_union["open_id"], by_open["open_id"]);
    assert_eq!(by_union["department_ids"][0], dept["department_id"]);
    assert_eq!(by_union["orders"][0]["department_id"], dept["department_id"]);
    assert!(text(by_union, "leader_user_id").starts_with("on_"));
    assert!(text(by_open, "leader_user_id").starts_with("ou_"));
    for (as_type, key) in [("open_id", "open_id"), ("union_id", "union_id"), ("user_id", "user_id")]
    {
        let path = format!("contact/v3/users/{}", text(by_open, key));
        let one = client.get(&path, &[("user_id_type", as_type)]).await;
        assert_eq!(one.data()["user"]["open_id"], by_open["open_id"], "{as_type}");
    }
    assert_eq!(client.get("contact/v3/users/ou_nobody", &[]).await.code(), 41012);
    assert_eq!(client.get("contact/v3/departments/od-nowhere", &[]).await.code(), 41017);
}

#[tokio::test]
async fn batches_take_repeated_keys_and_fifty_at_most() {
    let client = company(300).await;
    let users = client.user_ids(51).await;
    let query = |ids: &[String]| -> Vec<(&'static str, String)> {
        let ids = ids.iter().map(|id| ("user_ids", id.clone()));
        std::iter::once(("user_id_type", "user_id".to_owned())).chain(ids).collect()
    };
    let ask = async |pairs: Vec<(&str, String)>| {
        let pairs: Vec<(&str, &str)> =
            pairs.iter().map(|(key, value)| (*key, value.as_str())).collect();
        client.get("contact/v3/users/batch", &pairs).await
    };
    let fifty = ask(query(&users[..50])).await.items();
    let ids: Vec<String> = fifty.iter().map(|user| text(user, "user_id")).collect();
    assert_eq!(ids, users[..50]);
    assert_eq!(ask(query(&users)).await.code(), 99_992_402);
    let comma = vec![("user_id_type", "user_id".to_owned()), ("user_ids", users[..2].join(","))];
    assert!(ask(comma).await.items().is_empty(), "a comma list is one unknown id");
    let tree = client.tree().await;
    let ids: Vec<String> = tree[..3].iter().map(|dept| text(dept, "open_department_id")).collect();
    let pairs: Vec<(&str, &str)> = ids.iter().map(|id| ("department_ids", id.as_str())).collect();
    let departments = client.get("contact/v3/departments/batch", &pairs).await.items();
    assert_eq!(departments, tree[..3]);
}

#[tokio::test]
async fn parents_are_listed_from_the_nearest_up_without_the_root() {
    let client = company(600).await;
    let tree = client.tree().await;
    let parent: HashMap<String, String> = tree
        .iter()
        .map(|dept| (text(dept, "open_department_id"), text(dept, "parent_department_id")))
        .collect();
    let depth = |id: &String| std::iter::successors(parent.get(id), |up| parent.get(*up)).count();
    let deepest = parent.keys().max_by_key(|id| depth(id)).unwrap();
    let ups = client.walk("contact/v3/departments/parent", &[("department_id", deepest)]).await;
    let found: Vec<String> = ups.iter().map(|dept| text(dept, "open_department_id")).collect();
    let expected: Vec<String> = std::iter::successors(parent.get(deepest), |up| parent.get(*up))
        .filter(|up| *up != "0")
        .cloned()
        .collect();
    assert_eq!(found, expected);
    assert!(found.len() >= 2);
}

#[tokio::test]
async fn people_are_found_by_mobile_in_any_shape_and_by_mail() {
    let client = company(100).await;
    let user = client.members("0").await.remove(0);
    let digits = text(&user, "mobile").replace("+86", "").replace(' ', "");
    let body = json!({
        "mobiles": [digits, format!("+86{digits}"), "13999999999"],
        "emails": [user["email"], user["enterprise_email"]],
    });
    let answer = client.post("contact/v3/users/batch_get_id", &[], &body).await;
    let ids: Vec<Option<Value>> =
        answer.list("user_list").iter().map(|entry| entry.get("user_id").cloned()).collect();
    let open = user["open_id"].clone();
    assert_eq!(ids, [Some(open.clone()), None, Some(open.clone()), Some(open), None]);
    let many: Vec<String> = (0..51).map(|n| n.to_string()).collect();
    let answer = client.post("contact/v3/users/batch_get_id", &[], &json!({"mobiles": many})).await;
    assert_eq!(answer.code(), 40001);
}

#[tokio::test]
async fn records_show_the_variety_of_real_ones() {
    let client = company(3_000).await;
    let mut users = Vec::new();
    for dept in client.tree().await {
        users.extend(client.members(&text(&dept, "open_department_id")).await);
    }
    let some = |test: &dyn Fn(&Value) -> bool| users.iter().filter(|user| test(user)).count();
    assert!(some(&|user| user["join_time"] == 0) > 3);
    assert!(some(&|user| user["status"]["is_frozen"] == true && user["is_frozen"] == true) > 3);
    assert!(some(&|user| user["status"]["is_unjoin"] == true) > 3);
    assert!(some(&|user| user["mobile"].as_str().unwrap().starts_with("+86138")) > 1_000);
    assert!(some(&|user| user["mobile"].as_str().unwrap().starts_with("138")) > 500);
    assert!(some(&|user| user["mobile"].as_str().unwrap().contains(' ')) > 100);
    assert!(some(&|user| user["en_name"] != "") > 500);
    let attrs = users.iter().flat_map(|user| user["custom_attrs"].as_array().unwrap());
    let kinds: HashSet<String> = attrs.map(|attr| text(attr, "type")).collect();
    assert_eq!(kinds.len(), 5, "{kinds:?}");
    let types: HashSet<i64> =
        users.iter().map(|user| user["employee_type"].as_i64().unwrap()).collect();
    assert_eq!(types, HashSet::from([1, 2, 3, 4, 5, 6]));
    let primary = |user: &Value| {
        let orders = user["orders"].as_array().unwrap();
        let main = orders.iter().find(|order| order["is_primary_dept"] == true).unwrap();
        orders
            .iter()
            .all(|order| order["department_order"].as_i64() <= main["department_order"].as_i64())
    };
    assert!(users.iter().all(primary));
}

#[tokio::test]
async fn definitions_explain_the_codes_in_records() {
    let client = company(20).await;
    let types = client.walk("contact/v3/employee_type_enums", &[]).await;
    assert_eq!(types.len(), 6);
    assert_eq!((&types[5]["enum_value"], &types[5]["enum_type"]), (&json!("6"), &json!(2)));
    let attrs = client.walk("contact/v3/custom_attrs", &[("page_size", "1")]).await;
    let kinds: Vec<String> = attrs.iter().map(|attr| text(attr, "type")).collect();
    assert_eq!(kinds, ["TEXT", "HREF", "ENUMERATION", "PHONE"]);
}
