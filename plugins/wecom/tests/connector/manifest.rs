//! The manifest says what the code does, and settings are checked with a next step.

use rollcall_sdk::Fault;
use rollcall_sdk::testing::Scripted;
use serde_json::{Value, json};

use crate::{MANIFEST, TOKEN, TREE, bare, departments, token, tree};

fn refused(name: &str, value: &str) -> String {
    let host = bare().with_setting(name, value);
    let Err(Fault::Invalid(advice)) = departments(&host, None) else { panic!("{name}={value}") };
    assert_eq!(advice.code, format!("setting:{name}"));
    assert_eq!(host.requests().len(), 0);
    advice.remedy
}

#[test]
fn the_manifest_is_of_this_version() {
    let manifest: Value = serde_json::from_str(MANIFEST).unwrap();
    assert_eq!(manifest["name"], json!("wecom"));
    assert_eq!(manifest["version"], json!(env!("CARGO_PKG_VERSION")));
    assert_eq!(manifest["contract"], json!("0.1.0"));
    for list in ["settings", "secrets", "permissions"] {
        for entry in manifest[list].as_array().unwrap() {
            assert!(entry["about"].as_str().is_some_and(|about| about.len() > 10), "{entry}");
        }
    }
}

#[test]
fn another_address_is_used_and_nothing_else() {
    let host = bare()
        .with_setting("api_host", "http://127.0.0.1:7001/")
        .answers("GET", TOKEN, token("t-1", 7200))
        .answers("GET", TREE, tree(&[(1, 0)]));
    departments(&host, None).unwrap();
    let sent: Vec<String> = host.requests().into_iter().map(|request| request.url).collect();
    let elsewhere = |url: &&String| !url.starts_with("http://127.0.0.1:7001/cgi-bin/");
    // The listing first asks for the company's token, which there is no secret for.
    assert_eq!(sent.iter().filter(elsewhere).count(), 0, "{sent:?}");
}

#[test]
fn a_missing_company_is_told() {
    let host = Scripted::new(MANIFEST).unwrap().with_secret("app_secret");
    let Err(Fault::Invalid(advice)) = departments(&host, None) else { panic!("no fault") };
    assert!(advice.remedy.contains("`corp_id`"), "{}", advice.remedy);
    assert!(refused("corp_id", "  ").contains("`corp_id`"));
}

#[test]
fn settings_that_cannot_be_used_are_refused_before_anything_is_sent() {
    for value in
        ["qyapi.weixin.qq.com", "ftp://x", "https://", "https://a/b", "https://u@a", "https://a b"]
    {
        refused("api_host", value);
    }
    for value in ["app", "-1", "1 2"] {
        refused("agent_id", value);
    }
    refused("punches", "all");
    for value in ["Asia/Shanghai", "8.5", "-721", "841", ""] {
        refused("utc_offset_minutes", value);
    }
}
