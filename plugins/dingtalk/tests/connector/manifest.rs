//! The manifest and the code say the same.

use rollcall_sdk::Fault;
use serde_json::Value;

use crate::{MANIFEST, bare, departments};

#[test]
fn every_setting_with_a_default_works_with_it_and_the_others_are_asked_for() {
    let manifest: Value = serde_json::from_str(MANIFEST).unwrap();
    let required: Vec<&str> = manifest["settings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|setting| setting["required"] == true)
        .map(|setting| setting["name"].as_str().unwrap())
        .collect();
    assert_eq!(required, ["client_id"]);
    let host = rollcall_sdk::testing::Scripted::new(MANIFEST).unwrap();
    let Err(Fault::Invalid(advice)) = departments(&host, None) else { panic!("no fault") };
    assert_eq!(advice.code, "setting:client_id");
}

#[test]
fn a_setting_that_cannot_be_used_is_named_with_what_to_write() {
    let too_many = vec!["x"; 101].join(",");
    for (name, value) in [
        ("api_host", "api.dingtalk.com"),
        ("oapi_host", "https://oapi.dingtalk.com/topapi"),
        ("detail", "everything"),
        ("utc_offset_minutes", "9999"),
        ("agent_id", "my app"),
        ("roster_fields", "sys01-employeeType,,sys02-sexType"),
        ("roster_fields", "员工类型"),
        ("roster_fields", &too_many),
    ] {
        let host = bare().with_setting("agent_id", "1").with_setting(name, value);
        let Err(Fault::Invalid(advice)) = departments(&host, None) else { panic!("{name}") };
        assert_eq!(advice.code, format!("setting:{name}"));
        assert!(advice.remedy.contains("write "), "{}", advice.remedy);
    }
}
