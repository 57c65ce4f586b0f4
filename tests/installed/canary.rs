//! A held mapping comes into force for one department first.

use serde_json::Value;

use crate::changes::{STRICT, edit, rig, told};
use crate::live::{Daemon, status, until};
use crate::rig::Rig;

/// A department of the simulated company, with others below it; and another one.
const SALES: &str = "销售中心";
const RESEARCH: &str = "研发中心";

fn department(rig: &Rig, name: &str) -> String {
    rig.value(&format!("select external_id from departments where name = '{name}'"))
}

/// Active or on leave, in the department and below: the edit makes the one of the other.
fn with_status(rig: &Rig, department: &str, status: &str, inside: bool) -> i64 {
    let (inside, status) = (if inside { "" } else { "not" }, format!("status = '{status}'"));
    rig.value(&format!(
        "with recursive tree(id) as (select id from departments where external_id = '{department}' union \
         select d.id from departments d join tree on d.parent_id = tree.id) \
         select count(*) from employees where {status} and coalesce(department_id, 0) {inside} in tree"
    ))
}

fn on_leave(rig: &Rig) -> i64 {
    rig.value("select count(*) from employees where status = 'on_leave'")
}

/// A rig whose edit of the status is held, and the department to try it on with its number of active people.
async fn held() -> (Rig, String, i64) {
    let rig = rig().await;
    rig.write_tenant(STRICT);
    let department = department(&rig, SALES);
    let inside = with_status(&rig, &department, "active", true);
    assert!(inside > 0 && with_status(&rig, &department, "active", false) > 0);
    edit(&rig, "        \"active\"\n", "        \"on_leave\"\n");
    (rig, department, inside)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_canary_changes_its_department_alone_over_restarts_and_approval_changes_everybody() {
    let (rig, department, inside) = held().await;
    let name = SALES;
    let none = rig.run(&["mapping", "canary", "--department", name]);
    let errors = String::from_utf8_lossy(&none.stderr).into_owned();
    assert!(none.status.code() == Some(1) && errors.contains("no mapping is held"), "{errors}");

    let daemon = Daemon::start(&rig);
    let held = |name: &str| Some(status(&rig)?["held_mappings"][0][name].clone());
    until("the hold", || held("reasons").is_some_and(|it| it.is_array()));
    let text = told(&rig, &["mapping", "canary", "--department", name, "--tenant", "acme"]);
    assert!(text.contains(&format!("in force for {name} ({department})")), "{text}");
    until("the canary", || with_status(&rig, &department, "on_leave", true) == inside);
    assert_eq!(on_leave(&rig), inside, "nobody else");
    let canary = held("canary").unwrap();
    assert_eq!(canary["department"], department.as_str());
    drop(daemon);

    let text = told(&rig, &["status"]);
    assert!(text.contains(&format!("{name} ({department}), {} pe", canary["people"])), "{text}");
    rig.json(&["sync"]);
    assert_eq!(on_leave(&rig), inside, "a single run goes by the canary as well");
    explained(&rig, &department);

    let daemon = Daemon::start(&rig);
    until("the daemon again", || held("canary").is_some_and(|it| it == canary));
    // A file that has nothing to do with it.
    let main = std::fs::read_to_string(rig.path("rollcall.yaml")).unwrap();
    let generation = || status(&rig).map(|it| it["generation"].clone());
    let before = generation();
    rig.write("rollcall.yaml", &format!("{main}# a remark\n"));
    until("another generation", || generation() != before);
    assert_eq!(held("canary"), Some(canary));
    assert_eq!(on_leave(&rig), inside);

    let text = told(&rig, &["mapping", "approve"]);
    assert!(text.contains(&format!("the canary of {name}")), "{text}");
    until("the approval", || on_leave(&rig) > inside);
    until("everybody", || with_status(&rig, &department, "active", false) == 0);
    drop(daemon);
    // It may have been killed between its last write and the end of its run: the next one makes that good.
    rig.json(&["sync"]);
    let history = rig.json(&["mapping", "history"]);
    let beside: Vec<bool> = history[0]["generations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["canary"].is_string())
        .collect();
    assert_eq!(beside, [false, true, false], "the newest first");
}

/// Somebody in the canary and somebody else are told by which texts they are mapped.
fn explained(rig: &Rig, department: &str) {
    let person = |status: &str| {
        let sql = format!(
            "select external_id from employees where status = '{status}' order by 1 limit 1"
        );
        rig.value::<String>(&sql)
    };
    let (tried, other) = (person("on_leave"), person("active"));
    let explain = |key: &str| rig.json(&["explain", key, "status"])[0].clone();
    let (one, two) = (explain(&tried), explain(&other));
    assert_ne!(one["generation"], two["generation"]);
    assert_eq!((&one["same_build"], &two["same_build"]), (&true.into(), &true.into()));
    assert_eq!(
        (&one["fields"][0]["value"], &two["fields"][0]["value"]),
        (&"on_leave".into(), &"active".into())
    );
    let note = |it: &Value| it["notes"].to_string().contains("it is in a canary");
    assert!(note(&one) && !note(&two), "{one} {two}");
    assert!(one["why_not"].as_array().unwrap().is_empty(), "{one}");
    let impact = |key: &str| rig.json(&["mapping", "impact", "--person", key])[0].clone();
    let (one, two) = (impact(&tried), impact(&other));
    assert_eq!(one["canary"]["department"], department);
    for (told, in_canary) in [(one, true), (two, false)] {
        let person = &told["people"][0];
        assert_eq!(person["in_canary"], in_canary, "{person}");
        assert_eq!(person["fields"][0]["after"], "on_leave", "{person}");
    }
    let text = told(rig, &["mapping", "impact", "--person", &tried]);
    assert!(text.contains("a canary runs since") && text.contains("in the canary:"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rejection_brings_the_canary_back() {
    let (rig, department, inside) = held().await;
    let name = SALES;
    rig.json(&["sync"]);
    let content = rig.content();
    rig.json(&["mapping", "canary", "--department", &department]);
    rig.json(&["sync"]);
    assert_eq!(on_leave(&rig), inside);
    let text = told(&rig, &["mapping", "reject"]);
    assert!(text.contains(&format!("the canary of {name}")) && text.contains("go back"), "{text}");
    rig.json(&["sync"]);
    assert_eq!(rig.content(), content);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_edit_ends_the_canary_and_another_canary_takes_its_place() {
    let (rig, department, inside) = held().await;
    rig.json(&["sync"]);
    let content = rig.content();
    rig.json(&["mapping", "canary", "--department", &department]);
    rig.json(&["sync"]);
    assert_eq!(on_leave(&rig), inside);
    edit(&rig, "        \"on_leave\"\n", "        \"suspended\"\n");
    rig.json(&["sync"]);
    assert_eq!(rig.content(), content, "nobody has said that this edit may be tried");
    let text = told(&rig, &["status"]);
    assert!(text.contains(&format!("the canary of {department} ended when")), "{text}");

    let other = self::department(&rig, RESEARCH);
    rig.json(&["mapping", "canary", "--department", RESEARCH]);
    rig.json(&["sync"]);
    assert!(with_status(&rig, &other, "suspended", true) > 0);
    let replaced = rig.json(&["mapping", "canary", "--department", SALES]);
    assert_eq!(replaced["replaced"]["department"], other, "{replaced}");
    rig.json(&["sync"]);
    assert_eq!(with_status(&rig, &department, "suspended", true), inside);
    assert_eq!(with_status(&rig, &other, "suspended", true), 0);
    let unknown = rig.run(&["mapping", "canary", "--department", "nowhere at all"]);
    assert_eq!(unknown.status.code(), Some(1));
    let errors = String::from_utf8_lossy(&unknown.stderr).into_owned();
    assert!(errors.contains("no stored department is known as `nowhere at all`"), "{errors}");

    rig.write_tenant("");
    rig.json(&["sync"]);
    assert!(with_status(&rig, &other, "suspended", true) > 0, "edits are held no longer");
    let off = rig.run(&["mapping", "canary", "--department", SALES]);
    let errors = String::from_utf8_lossy(&off.stderr).into_owned();
    assert!(off.status.code() == Some(1) && errors.contains("no mapping is held"), "{errors}");
}
