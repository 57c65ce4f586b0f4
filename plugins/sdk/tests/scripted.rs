//! The scripted host holds a plugin to its manifest, as the real one does.

use rollcall_sdk::testing::{Reply, Scripted};
use rollcall_sdk::{Denied, Host as _, Request};

const MANIFEST: &str = r#"{
    "hosts": ["api.example.com", "{setting:base}"],
    "settings": [{"name": "base", "default": "http://127.0.0.1:7001"}, {"name": "app"}],
    "secrets": [{"name": "key"}]
}"#;

fn get(url: &str, body: &str) -> Request {
    Request { method: "GET", url: url.into(), headers: Vec::new(), body: body.into() }
}

#[test]
fn only_declared_hosts_are_reached() {
    let host = Scripted::new(MANIFEST).unwrap().answers("GET", "/a", Reply::text("1")).answers(
        "GET",
        "/b",
        Reply::text("2"),
    );
    assert!(host.send(get("https://api.example.com/a?x=1", "")).is_ok());
    assert!(host.send(get("http://127.0.0.1:7001/b", "")).is_ok());
    assert_eq!(host.left(), 0);
    for url in
        ["https://other.example.com/a", "http://api.example.com/a", "http://127.0.0.1:7002/b"]
    {
        assert!(matches!(host.send(get(url, "")), Err(Denied::NotGranted(_))), "{url}");
    }
}

#[test]
fn only_declared_secrets_and_settings_exist() {
    let host =
        Scripted::new(MANIFEST).unwrap().with_secret("undeclared").with_setting("undeclared", "1");
    assert_eq!(host.setting("undeclared"), None);
    assert_eq!(host.setting("app"), None);
    assert_eq!(host.setting("base").as_deref(), Some("http://127.0.0.1:7001"));
    for name in ["undeclared", "key"] {
        let request = get("https://api.example.com/a", &format!("{{secret:{name}}}"));
        assert_eq!(host.send(request).unwrap_err(), Denied::NoSecret(name.to_owned()));
    }
}

#[test]
fn a_request_out_of_order_is_denied_by_name() {
    let host = Scripted::new(MANIFEST).unwrap().answers("GET", "/a", Reply::text("1"));
    let Err(Denied::Network(reason)) = host.send(get("https://api.example.com/b", "")) else {
        panic!("answered out of order");
    };
    assert_eq!(reason, "the script expects GET /a, not GET /b");
    assert_eq!(host.left(), 1);
}

#[test]
fn what_is_remembered_ends_with_its_time() {
    let host = Scripted::new(MANIFEST).unwrap();
    host.remember("token", "t", 10);
    host.at(9_999);
    assert_eq!(host.recall("token").as_deref(), Some("t"));
    host.at(10_000);
    assert_eq!(host.recall("token"), None);
}
