//! Scopes drop fields or refuse calls, ranges narrow what is seen.

use serde_json::json;
use simulator::{AttendanceRange, ContactRange, Simulator};

use crate::support::{company, start, text};

#[tokio::test]
async fn a_field_without_its_scope_is_absent_and_the_call_still_succeeds() {
    let builder = Simulator::builder()
        .people(50)
        .without_scope("contact:user.phone:readonly")
        .without_scope("contact:user.employee:readonly")
        .without_scope("contact:user.department:readonly");
    let client = start(builder).await;
    let users = client.members("0").await;
    for key in ["mobile", "status", "join_time", "job_title", "department_ids", "leader_user_id"] {
        assert!(users[0].get(key).is_none(), "{key}");
    }
    for key in ["open_id", "union_id", "name", "email", "employee_no", "mobile_visible"] {
        assert!(users[0].get(key).is_some(), "{key}");
    }
}

#[tokio::test]
async fn a_call_without_its_scope_says_which_would_do() {
    let client = company(50).await;
    client.sim.revoke_scope("attendance:task:readonly");
    let answer = client.flows(&["e1".to_owned()], 0, 1).await;
    assert_eq!((answer.status, answer.code()), (400, 99_991_672));
    let subjects = &answer.body["error"]["permission_violations"];
    assert_eq!(subjects[0]["subject"], "attendance:task:readonly");
    assert_eq!(client.get("contact/v3/departments/0", &[]).await.code(), 0);
}

#[tokio::test]
async fn asking_for_user_ids_needs_their_scope() {
    let builder =
        Simulator::builder().people(50).without_scope("contact:user.employee_id:readonly");
    let client = start(builder).await;
    let query = [("department_id", "0"), ("user_id_type", "user_id")];
    let answer = client.get("contact/v3/users/find_by_department", &query).await;
    assert_eq!(answer.code(), 99_991_672);
    assert!(client.members("0").await[0].get("user_id").is_none());
}

#[tokio::test]
async fn a_partial_range_hides_the_root_and_lists_what_it_grants() {
    let client = company(600).await;
    let tree = client.tree().await;
    let (seen, other) = (text(&tree[1], "open_department_id"), &tree[tree.len() - 1]);
    let outsider = client.members(&text(other, "open_department_id")).await.remove(0);
    let guest = client.members("0").await.remove(0);
    client.sim.set_contact_range(ContactRange::Part {
        departments: vec![seen.clone()],
        users: vec![text(&guest, "open_id")],
    });
    for path in ["contact/v3/departments/0", "contact/v3/departments/0/children"] {
        let answer = client.get(path, &[]).await;
        assert_eq!((answer.status, answer.code()), (403, 40004), "{path}");
    }
    let by_root =
        client.get("contact/v3/users/find_by_department", &[("department_id", "0")]).await;
    assert_eq!(by_root.code(), 40004);
    let scopes = client.get("contact/v3/scopes", &[]).await;
    assert_eq!(scopes.list("department_ids"), [json!(seen)]);
    assert_eq!(scopes.list("user_ids"), [guest["open_id"].clone()]);
    assert!(!client.members(&seen).await.is_empty());
    let path = |user: &serde_json::Value| format!("contact/v3/users/{}", text(user, "open_id"));
    assert_eq!(client.get(&path(&guest), &[]).await.code(), 0);
    assert_eq!(client.get(&path(&outsider), &[]).await.code(), 41050);
    let path = format!("contact/v3/departments/{}", text(other, "open_department_id"));
    assert_eq!(client.get(&path, &[]).await.code(), 40004);
    client.sim.set_contact_range(ContactRange::All);
    assert_eq!(client.get("contact/v3/departments/0", &[]).await.code(), 0);
}

#[tokio::test]
async fn a_full_range_lists_top_departments_and_people_of_the_root() {
    let client = company(4_000).await;
    let mut departments = Vec::new();
    let mut users = Vec::new();
    let mut token = String::new();
    loop {
        let query = [("page_size", "2"), ("page_token", token.as_str())];
        let page = client.get("contact/v3/scopes", &query).await;
        departments.extend(page.list("department_ids"));
        users.extend(page.list("user_ids"));
        match page.data()["page_token"].as_str() {
            Some(next) => token = next.to_owned(),
            None => break,
        }
    }
    let root = client.members("0").await;
    let ids: Vec<_> = root.iter().map(|user| user["open_id"].clone()).collect();
    assert_eq!((departments.len(), users), (3, ids));
}

#[tokio::test]
async fn the_attendance_range_sorts_people() {
    let client = company(300).await;
    let users = client.user_ids(50).await;
    client.sim.set_attendance_range(AttendanceRange::Nothing);
    assert_eq!(client.tasks(&users, 20_260_330, 20_260_331).await.code(), 1_220_005);
    client.sim.set_attendance_range(AttendanceRange::Share(0.5));
    assert_eq!(client.tasks(&users, 20_260_330, 20_260_331).await.code(), 1_220_004);
    assert_eq!(client.flows(&users, 1_774_800_000, 1_774_900_000).await.code(), 1_220_004);
    let mut asked = users.clone();
    asked[0] = "nobody".to_owned();
    let body =
        json!({"user_ids": asked, "check_date_from": 20_260_330, "check_date_to": 20_260_331});
    let query = [("employee_type", "employee_id"), ("ignore_invalid_users", "true")];
    let answer = client.post("attendance/v1/user_tasks/query", &query, &body).await;
    assert_eq!(answer.list("invalid_user_ids"), [json!("nobody")]);
    assert!((10..40).contains(&answer.list("unauthorized_user_ids").len()));
    assert!(!answer.list("user_task_results").is_empty());
}
