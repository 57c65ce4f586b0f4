//! References among records, and what is derived from them.

use super::*;

#[tokio::test]
async fn a_manager_may_come_in_a_later_set_of_the_same_run() {
    let world = World::new();
    world.apply(Entity::Employee, vec![managed("1", "boss")]).await;
    assert_eq!(world.ask("SELECT manager_id FROM employees"), None);
    world.apply(Entity::Employee, vec![person("boss", &json!({ "display_name": "Li Na" }))]).await;
    assert_eq!(world.ehr.settle(Entity::Employee).await.unwrap(), []);
    let manager =
        "SELECT manager_name FROM current_employees WHERE external_id = 'feishu:employee:1'";
    assert_eq!(world.ask(manager).as_deref(), Some("Li Na"));
}

#[tokio::test]
async fn all_of_thousands_find_the_manager_who_came_last() {
    let world = World::new();
    let people = (0..9_000).map(|n| managed(&n.to_string(), "boss")).collect();
    world.apply(Entity::Employee, people).await;
    world.apply(Entity::Employee, vec![person("boss", &json!({}))]).await;
    assert_eq!(world.ehr.settle(Entity::Employee).await.unwrap(), []);
    let open = world.ask("SELECT count(*) FROM employees WHERE manager_id IS NULL");
    assert_eq!(open.as_deref(), Some("1"), "the boss's own");
}

#[tokio::test]
async fn a_changed_or_erased_manager_is_followed() {
    let world = World::new();
    let people = ["1", "2"].map(|source| person(source, &json!({})));
    world.apply(Entity::Employee, people.to_vec()).await;
    let manager = "SELECT manager_id FROM employees WHERE external_id = 'feishu:employee:3'";
    world.apply(Entity::Employee, vec![managed("3", "1")]).await;
    assert_eq!(world.ask(manager).as_deref(), Some("1"));
    world.apply(Entity::Employee, vec![managed("3", "2")]).await;
    assert_eq!(world.ask(manager).as_deref(), Some("2"));
    world.apply(Entity::Employee, vec![person("3", &json!({}))]).await;
    assert_eq!(world.ask(manager).as_deref(), Some("2"), "absent: left alone");
    world.apply(Entity::Employee, vec![person("3", &json!({ "manager_external_id": null }))]).await;
    assert_eq!(world.ask(manager), None);
}

#[tokio::test]
async fn a_reference_to_nothing_is_reported_until_it_is_mended() {
    let world = World::new();
    let lost = json!({ "department_external_ids": [id(Entity::Department, "gone"), "feishu:department:x"] });
    world.apply(Entity::Employee, vec![managed("1", "gone"), person("2", &lost)]).await;
    let dangling = world.ehr.settle(Entity::Employee).await.unwrap();
    let told: Vec<_> =
        dangling.iter().map(|d| (d.external_id.source(), d.field, d.missing.as_str())).collect();
    assert_eq!(
        told,
        [
            ("1", "manager_external_id", "feishu:employee:gone"),
            ("2", "department_external_ids", "feishu:department:gone"),
        ]
    );
    world.apply(Entity::Department, vec![department("gone", "Sales", None)]).await;
    world.ehr.settle(Entity::Department).await.unwrap();
    assert_eq!(
        world.ehr.settle(Entity::Employee).await.unwrap().len(),
        1,
        "departments mend people"
    );
    world.apply(Entity::Employee, vec![retire(Entity::Employee, "1")]).await;
    assert_eq!(
        world.ehr.settle(Entity::Employee).await.unwrap(),
        [],
        "of leavers nothing is reported"
    );
}

#[tokio::test]
async fn at_most_a_hundred_dangling_references_are_reported() {
    let world = World::new();
    let people = (0..150).map(|n| managed(&n.to_string(), "gone")).collect();
    world.apply(Entity::Employee, people).await;
    assert_eq!(world.ehr.settle(Entity::Employee).await.unwrap().len(), 100);
}

#[tokio::test]
async fn punches_and_days_find_their_person_whenever_the_person_comes() {
    let world = World::new();
    world.apply(Entity::CheckIn, vec![punch("p", "1", "2026-11-20T09:02:03+08:00")]).await;
    assert_eq!(world.ehr.settle(Entity::CheckIn).await.unwrap().len(), 1);
    world.apply(Entity::Employee, vec![person("1", &json!({}))]).await;
    world.ehr.settle(Entity::Employee).await.unwrap();
    assert_eq!(world.ask("SELECT employee_id FROM check_ins").as_deref(), Some("1"));
    world.apply(Entity::CheckIn, vec![punch("q", "1", "2026-11-20T18:02:03+08:00")]).await;
    assert_eq!(
        world.ask("SELECT count(employee_id) FROM check_ins").as_deref(),
        Some("2"),
        "at once"
    );
}

#[tokio::test]
async fn paths_follow_names_parents_and_late_parents() {
    let world = World::new();
    let path = "SELECT path FROM departments WHERE external_id = 'feishu:department:c'";
    let settle = || async { world.ehr.settle(Entity::Department).await.unwrap() };
    // The child comes before its parents: order is a courtesy, not a need.
    world.apply(Entity::Department, vec![department("c", "East", Some("b"))]).await;
    assert_eq!(settle().await.len(), 1);
    assert_eq!(world.ask(path).as_deref(), Some("East"));
    let parents = vec![department("b", "Sales", Some("a")), department("a", "Company", None)];
    world.apply(Entity::Department, parents).await;
    assert_eq!(settle().await, []);
    assert_eq!(world.ask(path).as_deref(), Some("Company / Sales / East"));
    world.apply(Entity::Department, vec![department("a", "Group", None)]).await;
    settle().await;
    assert_eq!(world.ask(path).as_deref(), Some("Group / Sales / East"));
    world.apply(Entity::Department, vec![department("c", "East", Some("a"))]).await;
    settle().await;
    assert_eq!(world.ask(path).as_deref(), Some("Group / East"));
}

#[tokio::test]
async fn a_circle_of_parents_has_no_path_and_does_not_hang() {
    let world = World::new();
    let circle = vec![department("a", "A", Some("b")), department("b", "B", Some("a"))];
    world.apply(Entity::Department, circle).await;
    world.ehr.settle(Entity::Department).await.unwrap();
    assert_eq!(world.ask("SELECT count(path) FROM departments").as_deref(), Some("0"));
}

#[tokio::test]
async fn departments_of_a_person_can_be_joined() {
    let world = World::new();
    world
        .apply(Entity::Department, vec![department("a", "A", None), department("b", "B", None)])
        .await;
    let both = json!({ "department_external_ids": ["feishu:department:b", "feishu:department:a"] });
    world.apply(Entity::Employee, vec![person("1", &both)]).await;
    let joined = "SELECT group_concat(department_id || ':' || is_main) FROM employee_departments";
    assert_eq!(world.ask(joined).as_deref(), Some("2:1,1:0"));
    assert_eq!(world.ask("SELECT department_name FROM current_employees").as_deref(), Some("B"));
}

#[tokio::test]
async fn a_duplicate_is_merged_with_everything_that_refers_to_it() {
    let world = World::new();
    let people = vec![person("kept", &json!({})), person("twice", &json!({}))];
    world.apply(Entity::Employee, people).await;
    world.apply(Entity::Employee, vec![managed("3", "twice")]).await;
    world.apply(Entity::CheckIn, vec![punch("p", "twice", "2026-11-20T09:00:00+08:00")]).await;
    let [kept, twice] = ["kept", "twice"].map(|source| id(Entity::Employee, source));
    let merge = || vec![Change::merge(twice.clone(), &kept)];
    world.apply(Entity::Employee, merge()).await;
    let punch = "SELECT employee_id || ' ' || employee_external_id FROM check_ins";
    assert_eq!(world.ask(punch).as_deref(), Some("1 feishu:employee:kept"));
    let manager = "SELECT manager_id FROM employees WHERE external_id = 'feishu:employee:3'";
    assert_eq!(world.ask(manager).as_deref(), Some("1"));
    assert_eq!(world.ask("SELECT count(*) FROM employees").as_deref(), Some("2"));
    let before = world.dump();
    world.apply(Entity::Employee, merge()).await;
    assert_eq!(world.dump(), before, "one that was merged already is no fault");
    let into_nothing = Change::merge(kept, &id(Entity::Employee, "nobody"));
    let refused = world.outcomes(Entity::Employee, vec![into_nothing]).await.remove(0);
    assert_eq!(refused.unwrap_err().code, "target::missing");
    assert_eq!(world.dump(), before);
}

#[tokio::test]
async fn within_one_set_a_reference_is_to_who_is_there_by_then() {
    let world = World::new();
    world.apply(Entity::Employee, vec![person("a", &json!({})), person("b", &json!({}))]).await;
    let merge = Change::merge(id(Entity::Employee, "a"), &id(Entity::Employee, "b"));
    let set = vec![
        managed("early", "late"),
        person("late", &json!({})),
        managed("after", "late"),
        managed("before", "a"),
        merge,
        managed("too-late", "a"),
    ];
    world.apply(Entity::Employee, set).await;
    let manager = |source: &str| {
        world.ask(&format!(
            "SELECT m.external_id FROM employees e LEFT JOIN employees m ON m.id = e.manager_id \
             WHERE e.external_id = 'feishu:employee:{source}'"
        ))
    };
    let [late, b] = ["feishu:employee:late", "feishu:employee:b"].map(|id| Some(id.to_owned()));
    let managers = ["early", "after", "before", "too-late"].map(manager);
    assert_eq!(managers, [None, late, b, None]);
    let left = "SELECT count(*) FROM employees WHERE manager_id NOT IN (SELECT id FROM employees)";
    assert_eq!(world.ask(left).as_deref(), Some("0"), "nobody refers to a row that is gone");
}

#[tokio::test]
async fn a_circle_of_parents_is_reported_until_it_is_broken() {
    let world = World::new();
    let circle = vec![
        department("a", "A", Some("b")),
        department("b", "B", Some("a")),
        department("below", "Below", Some("a")),
        department("top", "Top", None),
    ];
    world.apply(Entity::Department, circle).await;
    let told = world.ehr.settle(Entity::Department).await.unwrap();
    let named: Vec<&str> = told.iter().map(|one| one.external_id.source()).collect();
    assert_eq!(named, ["a", "b", "below"]);
    assert!(told[0].missing.contains("in a circle"), "{}", told[0].missing);
    world.apply(Entity::Department, vec![department("b", "B", Some("top"))]).await;
    assert_eq!(world.ehr.settle(Entity::Department).await.unwrap(), []);
}
