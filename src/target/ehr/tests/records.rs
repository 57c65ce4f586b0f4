//! Records: idempotent by external id, four states kept apart, retired and returned, read back.

use super::*;

#[tokio::test]
async fn a_record_is_written_once_per_external_id() {
    let world = World::new();
    world.apply(Entity::Employee, vec![person("1", &json!({ "alias": "A" }))]).await;
    world.apply(Entity::Employee, vec![person("1", &json!({ "alias": "B" }))]).await;
    assert_eq!(world.ask("SELECT count(*) FROM employees").as_deref(), Some("1"));
    assert_eq!(world.ask("SELECT alias FROM employees").as_deref(), Some("B"));
    assert_eq!(world.ask("SELECT connection FROM employees").as_deref(), Some("feishu"));
}

#[tokio::test]
async fn the_four_states_of_a_text_stay_apart() {
    let world = World::new();
    let alias = "SELECT alias FROM employees";
    world.apply(Entity::Employee, vec![person("1", &json!({ "alias": "小王" }))]).await;
    assert_eq!(world.ask(alias).as_deref(), Some("小王"));
    world.apply(Entity::Employee, vec![person("1", &json!({}))]).await;
    assert_eq!(world.ask(alias).as_deref(), Some("小王"), "absent: left alone");
    world.apply(Entity::Employee, vec![person("1", &json!({ "alias": "" }))]).await;
    assert_eq!(world.ask(alias).as_deref(), Some(""), "empty is a value");
    world.apply(Entity::Employee, vec![person("1", &json!({ "alias": null }))]).await;
    assert_eq!(world.ask(alias), None, "null: erased");
}

#[tokio::test]
async fn columns_have_the_types_of_their_fields() {
    let world = World::new();
    let custom = json!({ "badge": "a\"b", "floor": 3 });
    world.apply(Entity::Employee, vec![person("1", &json!({ "custom": custom }))]).await;
    world.apply(Entity::CheckIn, vec![punch("p", "1", "2026-11-20T09:02:03+08:00")]).await;
    let day = json!({
        "employee_external_id": id(Entity::Employee, "1"), "work_date": "2026-11-20", "status": "present",
        "worked_minutes": 480, "locked": true,
    });
    world.apply(Entity::AttendanceDay, vec![upsert(Entity::AttendanceDay, "d", &day)]).await;
    assert_eq!(world.ask("SELECT custom ->> 'badge' FROM employees").as_deref(), Some("a\"b"));
    assert_eq!(world.ask("SELECT typeof(longitude) FROM check_ins").as_deref(), Some("real"));
    assert_eq!(world.ask("SELECT at FROM check_ins").as_deref(), Some("2026-11-20T09:02:03+08:00"));
    assert_eq!(world.ask("SELECT at_unix FROM check_ins").as_deref(), Some("1795136523"));
    assert_eq!(
        world.ask("SELECT locked + worked_minutes FROM attendance_days").as_deref(),
        Some("481")
    );
}

#[tokio::test]
async fn what_was_applied_may_be_applied_again_without_a_trace() {
    let world = World::new();
    let departments = vec![department("a", "Company", None), department("b", "Sales", Some("a"))];
    let people = vec![
        managed("1", "2"),
        person("2", &json!({ "department_external_ids": [id(Entity::Department, "b")] })),
        managed("3", "nobody"),
    ];
    let punches = vec![punch("p", "1", "2026-11-20T09:02:03+08:00")];
    let sets =
        [(Entity::Department, departments), (Entity::Employee, people), (Entity::CheckIn, punches)];
    let mut dumps = Vec::new();
    for _ in 0..2 {
        for (entity, changes) in sets.clone() {
            world.apply(entity, changes).await;
            world.ehr.settle(entity).await.unwrap();
        }
        world.apply(Entity::Department, vec![]).await;
        dumps.push(world.dump());
        world.an_hour_later();
    }
    assert_eq!(dumps[0], dumps[1]);
}

#[tokio::test]
async fn a_row_that_someone_changed_is_mended_by_the_same_draft() {
    let world = World::new();
    world.apply(Entity::Employee, vec![person("1", &json!({ "alias": "A" }))]).await;
    world.look().execute("UPDATE employees SET alias = 'X'", ()).unwrap();
    world.apply(Entity::Employee, vec![person("1", &json!({ "alias": "A" }))]).await;
    assert_eq!(world.ask("SELECT alias FROM employees").as_deref(), Some("A"));
}

#[tokio::test]
async fn who_leaves_is_marked_and_who_returns_is_current_again() {
    let world = World::new();
    world.apply(Entity::Department, vec![department("a", "Company", None)]).await;
    world.apply(Entity::Employee, vec![person("1", &json!({ "alias": "A" }))]).await;
    world.an_hour_later();
    world.apply(Entity::Employee, vec![retire(Entity::Employee, "1")]).await;
    world.apply(Entity::Department, vec![retire(Entity::Department, "a")]).await;
    assert_eq!(world.ask("SELECT status FROM departments").as_deref(), Some("inactive"));
    let marked = "SELECT status || retired_at || updated_at || alias FROM employees";
    let expected = "terminated2026-11-20T02:00:00Z2026-11-20T02:00:00ZA";
    assert_eq!(world.ask(marked).as_deref(), Some(expected));
    assert!(world.load_one(Entity::Employee, "1").await.unwrap().retired);
    assert_eq!(world.ask("SELECT count(*) FROM current_employees").as_deref(), Some("0"));

    world.an_hour_later();
    world.apply(Entity::Employee, vec![retire(Entity::Employee, "1")]).await;
    assert_eq!(world.ask(marked).as_deref(), Some(expected), "ending twice keeps the first time");

    world.apply(Entity::Employee, vec![person("1", &json!({ "alias": "A" }))]).await;
    assert_eq!(world.ask("SELECT status FROM employees").as_deref(), Some("active"));
    assert_eq!(world.ask("SELECT retired_at FROM employees"), None);
    assert!(!world.load_one(Entity::Employee, "1").await.unwrap().retired);
}

#[tokio::test]
async fn what_is_loaded_is_what_was_drafted() {
    let world = World::new();
    let draft = person(
        "1",
        &json!({
            "alias": "quote \" slash \\ tab \t 花名", "department_external_ids": ["feishu:department:a"],
            "custom": { "floor": 3, "remote": true },
        }),
    );
    let punch = punch("p", "1", "2026-11-20T09:02:03+08:00");
    world.apply(Entity::Employee, vec![draft.clone()]).await;
    world.apply(Entity::CheckIn, vec![punch.clone()]).await;
    let keys = [id(Entity::Employee, "none"), draft.external_id.clone()];
    let held = world.ehr.load(Entity::Employee, &keys).await.unwrap();
    let expected = Held { hash: draft.hash, retired: false, json: draft.json.clone() };
    assert_eq!(held, [None, Some(expected)]);
    assert_eq!(
        world.load_one(Entity::CheckIn, "p").await.unwrap().json,
        punch.json,
        "31.5 and 121"
    );
}

#[tokio::test]
async fn an_erased_field_is_left_out_of_what_is_loaded() {
    let world = World::new();
    let draft = person("1", &json!({ "alias": null, "work_email": "a@example.com" }));
    world.apply(Entity::Employee, vec![draft]).await;
    let json: Value =
        serde_json::from_slice(&world.load_one(Entity::Employee, "1").await.unwrap().json).unwrap();
    assert_eq!(json.get("alias"), None);
    assert_eq!(json["work_email"], "a@example.com");
}

#[tokio::test]
async fn emptiness_is_that_of_one_connection_and_one_kind() {
    let world = World::new();
    let other = ConnectionId::parse("feishu-2").unwrap();
    assert!(world.ehr.is_empty(&connection(), Entity::Employee).await.unwrap());
    world.apply(Entity::Employee, vec![person("1", &json!({}))]).await;
    assert!(!world.ehr.is_empty(&connection(), Entity::Employee).await.unwrap());
    assert!(world.ehr.is_empty(&connection(), Entity::Department).await.unwrap());
    assert!(world.ehr.is_empty(&other, Entity::Employee).await.unwrap());
}

#[tokio::test]
async fn counts_tell_kinds_and_statuses() {
    let world = World::new();
    world.apply(Entity::Employee, ["1", "2", "3"].map(|n| person(n, &json!({}))).to_vec()).await;
    world.apply(Entity::Employee, vec![retire(Entity::Employee, "3")]).await;
    world.apply(Entity::CheckIn, vec![punch("p", "1", "2026-11-20T09:02:03+08:00")]).await;
    let counts = count(world.ehr.path()).unwrap();
    let people = &counts[&Entity::Employee];
    assert_eq!((people.records, people.retired), (3, 1));
    assert_eq!(
        people.by_status.iter().map(|(s, n)| (s.as_str(), *n)).collect::<Vec<_>>(),
        [("active", 2), ("terminated", 1)]
    );
    assert_eq!(counts[&Entity::CheckIn].records, 1);
    assert_eq!(counts[&Entity::Leave].records, 0);
}

#[tokio::test]
async fn more_shapes_of_drafts_than_are_kept_prepared_still_work() {
    let world = World::new();
    let optional: Vec<_> = schema::fields(Entity::Employee)
        .iter()
        .filter(|field| {
            matches!(field.ty, schema::FieldType::Text(_)) && field.name != "display_name"
        })
        .map(|field| field.name)
        .collect();
    for shape in 0..(1 << optional.len().min(7)) {
        let present = optional.iter().enumerate().filter(|(bit, _)| shape >> bit & 1 == 1);
        let fields: serde_json::Map<_, _> =
            present.map(|(_, name)| ((*name).to_owned(), json!(shape.to_string()))).collect();
        world.apply(Entity::Employee, vec![person("1", &Value::Object(fields))]).await;
    }
    assert_eq!(world.ask("SELECT alias FROM employees").as_deref(), Some("127"));
}

#[test]
fn every_kind_has_a_bit_for_each_field() {
    for entity in Entity::ALL {
        assert!(schema::fields(entity).len() <= 64, "{entity}");
    }
}

#[tokio::test]
async fn more_callers_than_the_queue_holds_wait_their_turn() {
    let world = Arc::new(World::new());
    let mut callers = tokio::task::JoinSet::new();
    for n in 0..100 {
        let world = world.clone();
        callers.spawn(async move {
            world.apply(Entity::Employee, vec![person(&n.to_string(), &json!({}))]).await;
        });
    }
    while let Some(done) = callers.join_next().await {
        done.unwrap();
    }
    assert_eq!(world.ask("SELECT count(*) FROM employees").as_deref(), Some("100"));
}
