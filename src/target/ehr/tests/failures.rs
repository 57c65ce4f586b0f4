//! Refused changes, files that cannot be used, sets that break off.

use super::*;

#[tokio::test]
async fn a_refused_change_leaves_the_others_in_force() {
    let world = World::new();
    let nameless = upsert(
        Entity::Employee,
        "2",
        &json!({ "department_external_ids": [], "status": "active" }),
    );
    let mut torn = person("3", &json!({}));
    torn.json = torn.json.slice(..torn.json.len() - 4);
    let mut unknown = person("4", &json!({}));
    unknown.json = r#"{"external_id":"feishu:employee:4","salary":"secret"}"#.into();
    let mut other = person("5", &json!({}));
    other.external_id = id(Entity::Employee, "6");
    let changes = vec![
        person("1", &json!({})),
        nameless,
        torn,
        unknown,
        other,
        retire(Entity::Employee, "7"),
        person("8", &json!({})),
    ];
    let outcomes = world.outcomes(Entity::Employee, changes).await;
    let codes: Vec<_> = outcomes
        .iter()
        .map(|outcome| outcome.as_ref().map_or_else(|refusal| refusal.code.as_str(), |()| "ok"))
        .collect();
    assert_eq!(
        codes,
        [
            "ok",
            "target::constraint",
            "target::draft",
            "target::draft",
            "target::draft",
            "target::missing",
            "ok"
        ]
    );
    let message = &outcomes[1].as_ref().unwrap_err().message;
    assert!(message.contains("employees.display_name"), "{message}");
    assert!(!format!("{outcomes:?}").contains("secret"), "no values in messages");
    assert_eq!(world.ask("SELECT count(*) FROM employees").as_deref(), Some("2"));
}

#[tokio::test]
async fn in_a_large_set_every_outcome_is_that_of_its_change() {
    let world = World::new();
    world.apply(Entity::Employee, vec![person("gone", &json!({}))]).await;
    let of = |n: u32| match n {
        77 => retire(Entity::Employee, "gone"),
        300 => Change { json: "{".into(), ..person("300", &json!({})) },
        700 => retire(Entity::Employee, "nobody"),
        _ => person(&n.to_string(), &json!({ "alias": format!("a{n}") })),
    };
    let outcomes = world.outcomes(Entity::Employee, (0..900).map(of).collect()).await;
    let refused: Vec<(usize, &str)> = outcomes
        .iter()
        .enumerate()
        .filter_map(|(at, outcome)| Some((at, outcome.as_ref().err()?.code.as_str())))
        .collect();
    assert_eq!(
        (outcomes.len(), refused),
        (900, vec![(300, "target::draft"), (700, "target::missing")])
    );
    let own =
        "SELECT count(*) FROM employees WHERE external_id = 'feishu:employee:' || substr(alias, 2)";
    assert_eq!(world.ask(own).as_deref(), Some("897"), "each draft is in its own row");
    let ended = "SELECT external_id FROM employees WHERE retired_at IS NOT NULL";
    assert_eq!(world.ask(ended).as_deref(), Some("feishu:employee:gone"));
}

#[tokio::test]
async fn a_value_of_the_wrong_type_is_refused_without_being_shown() {
    let world = World::new();
    let day = json!({
        "employee_external_id": id(Entity::Employee, "1"), "work_date": "2026-11-20", "status": "present",
        "worked_minutes": "eight hours",
    });
    let fact =
        world.outcomes(Entity::AttendanceDay, vec![upsert(Entity::AttendanceDay, "d", &day)]).await;
    let refusal = fact[0].as_ref().unwrap_err();
    assert_eq!(refusal.code, "target::constraint");
    assert!(
        refusal.message.contains("worked_minutes") && !refusal.message.contains("eight"),
        "{refusal:?}"
    );
    let fact = world.outcomes(Entity::CheckIn, vec![punch("p", "1", "yesterday")]).await;
    let refusal = fact[0].as_ref().unwrap_err();
    assert_eq!(refusal.code, "target::draft");
    assert!(
        refusal.message.contains("`at`") && !refusal.message.contains("yesterday"),
        "{refusal:?}"
    );
}

#[tokio::test]
async fn a_fact_does_not_end() {
    let world = World::new();
    world.apply(Entity::CheckIn, vec![punch("p", "1", "2026-11-20T09:02:03+08:00")]).await;
    let outcomes = world.outcomes(Entity::CheckIn, vec![retire(Entity::CheckIn, "p")]).await;
    assert_eq!(outcomes[0].as_ref().unwrap_err().code, "target::verb");
}

#[tokio::test]
async fn a_failed_set_leaves_nothing_and_the_next_one_works() {
    let world = World::new();
    world.apply(Entity::Employee, vec![person("1", &json!({}))]).await;
    // No room for more pages: what a full disk says.
    let pages = world.ehr.call(|ledger| {
        ledger.connection.query_row("PRAGMA page_count", (), |row| row.get::<_, i64>(0))
    });
    let limit = format!("PRAGMA max_page_count = {}", pages.await.unwrap());
    world
        .ehr
        .call(move |ledger| ledger.connection.query_row(&limit, (), |_| Ok(())))
        .await
        .unwrap();
    let before = world.dump();
    let crowd: Vec<_> =
        (0..2000).map(|n| person(&format!("c{n}"), &json!({ "alias": "x".repeat(60) }))).collect();
    let error = world
        .ehr
        .apply(Arc::new(ChangeSet { entity: Entity::Employee, changes: crowd.clone() }))
        .await
        .unwrap_err();
    assert!(
        matches!(&error, TargetError::Unusable(text) if text.contains("disk is full")),
        "{error}"
    );
    assert_eq!(world.dump(), before);
    world
        .ehr
        .call(|ledger| {
            ledger.connection.query_row("PRAGMA max_page_count = 1000000", (), |_| Ok(()))
        })
        .await
        .unwrap();
    world.apply(Entity::Employee, crowd).await;
    assert_eq!(world.ask("SELECT count(*) FROM employees").as_deref(), Some("2001"));
}

#[tokio::test]
async fn a_file_that_another_program_writes_is_unavailable_and_then_works() {
    let world = World::new();
    let other = world.look();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let changes = vec![person("1", &json!({}))];
    let set = Arc::new(ChangeSet { entity: Entity::Employee, changes });
    let error = world.ehr.apply(set.clone()).await.unwrap_err();
    assert!(
        matches!(&error, TargetError::Unavailable(text) if text.contains("another program")),
        "{error}"
    );
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(world.ehr.apply(set.clone()).await.unwrap(), [Ok(())]);
}

#[tokio::test]
async fn a_file_that_may_only_be_read_says_so() {
    let world = World::new();
    world
        .ehr
        .call(|ledger| ledger.connection.execute_batch("PRAGMA query_only = on"))
        .await
        .unwrap();
    let set = ChangeSet { entity: Entity::Employee, changes: vec![person("1", &json!({}))] };
    let error = world.ehr.apply(Arc::new(set)).await.unwrap_err();
    assert!(matches!(&error, TargetError::Unusable(text) if text.contains("read-only")), "{error}");
}

#[test]
fn a_file_that_is_no_ehr_is_refused_untouched() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(Hands(AtomicI64::new(0)));
    let path = folder.path().join("ehr.db");
    let refused = |wanted: &str| {
        let before = std::fs::read(&path).unwrap();
        let error = open(&folder, &clock).unwrap_err();
        assert!(matches!(&error, TargetError::Unusable(text) if text.contains(wanted)), "{error}");
        assert_eq!(std::fs::read(&path).unwrap(), before);
        std::fs::remove_file(&path).unwrap();
    };
    std::fs::write(&path, "name,email\n".repeat(500)).unwrap();
    refused("is no SQLite database");
    Connection::open(&path).unwrap().execute_batch("CREATE TABLE invoices (id)").unwrap();
    refused("database of another program");
    drop(open(&folder, &clock).unwrap());
    Connection::open(&path).unwrap().execute_batch("PRAGMA user_version = 9").unwrap();
    refused("upgrade rollcall");
}

#[test]
fn a_missing_folder_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(Hands(AtomicI64::new(0)));
    let path = folder.path().join("none").join("ehr.db");
    let error = EmbeddedEhr::open(&path, clock, Options::default()).unwrap_err();
    assert!(
        matches!(&error, TargetError::Unusable(text) if text.contains("folder exists")),
        "{error}"
    );
    assert!(matches!(count(&path).unwrap_err(), TargetError::Unusable(_)));
}

#[tokio::test]
async fn a_field_that_the_schema_gains_becomes_a_column() {
    let World { ehr, clock, folder } = World::new();
    drop(ehr);
    let path = folder.path().join("ehr.db");
    Connection::open(&path)
        .unwrap()
        .execute_batch("ALTER TABLE employees DROP COLUMN alias")
        .unwrap();
    let ehr = open(&folder, &clock).unwrap();
    let set = ChangeSet {
        entity: Entity::Employee,
        changes: vec![person("1", &json!({ "alias": "A" }))],
    };
    assert_eq!(ehr.apply(Arc::new(set)).await.unwrap(), [Ok(())]);
}

#[tokio::test]
async fn a_writer_that_dies_within_a_set_leaves_whole_sets() {
    let world = World::new();
    world.apply(Entity::Employee, vec![person("1", &json!({}))]).await;
    // What a kill leaves: an open transaction whose process is gone.
    let torn = world.look();
    torn.execute_batch("BEGIN IMMEDIATE; UPDATE employees SET alias = 'half'").unwrap();
    drop(torn);
    assert_eq!(world.ask("SELECT alias FROM employees"), None);
    let before = world.dump();
    let World { ehr, clock, folder } = world;
    drop(ehr);
    let ehr = open(&folder, &clock).unwrap();
    assert_eq!(World { ehr, clock, folder }.dump(), before);
}
