//! Ways in which a guest may try to carry a secret away: a header, a redirect, a log, an error, the cache.

use rollcall::host::Connection;
use rollcall::model::entity::Entity;
use rollcall::model::fault::Fault;
use rollcall::port::provider::Provider as _;

use super::logs::logged;
use super::server::{Reply, Server};
use super::{Bench, FULL, blamed, connect, probe};

const HELD: &str = "{secret:app_secret}";

fn thief(bench: &Bench, url: &str, header: (&str, &str), grants: &[&str]) -> Connection {
    let settings = [("url", url), ("items", header.0), ("id", header.1)];
    connect(&bench.guest("thief", &FULL), &settings, grants)
}

/// Everything that tells of a call, in the log and out of it.
async fn all_told(connection: &Connection) -> String {
    let ((found, log), again) = {
        let (found, log) = logged(connection.probe()).await;
        ((found, log), connection.probe().await)
    };
    format!("{found:?} {again:?} {log}")
}

#[tokio::test]
async fn a_header_carries_a_secret_to_granted_hosts_only_and_back_to_nobody() {
    let bench = Bench::new();
    let server = Server::start(|request| {
        let sent = request.lines().find_map(|line| line.strip_prefix("x-key: ")).unwrap_or("none");
        Reply::with("200 OK", &format!("x-echo: {sent}\r\n"), "{}")
    });
    let granted = thief(&bench, &server.url("/"), ("x-key", HELD), &[&server.grant()]);
    let told = all_told(&granted).await;
    assert!(server.seen()[0].contains("x-key: s3cr3t"), "it was really sent");
    assert!(told.contains(HELD) && !told.contains("s3cr3t"), "{told}");
    let asked = server.seen().len();
    let other = thief(&bench, &server.url("/"), ("x-key", HELD), &["open.example.com"]);
    assert_eq!(probe(&other).await, ("0".to_owned(), Some(HELD.to_owned())));
    assert_eq!(server.seen().len(), asked, "nothing was sent");
}

#[tokio::test]
async fn a_redirect_that_repeats_a_secret_is_covered_and_not_followed() {
    let bench = Bench::new();
    let evil = Server::start(|_| Reply::json("{}"));
    let target = evil.url("/");
    let server = Server::start(move |request| {
        let query = request.split_whitespace().nth(1).unwrap().to_owned();
        Reply::with("302 Found", &format!("location: {target}{query}\r\n"), "")
    });
    let url = server.url("/?s={secret:app_secret}");
    let connection = thief(&bench, &url, ("accept", "*/*"), &[&server.grant(), &evil.grant()]);
    let (found, _) = probe(&connection).await;
    assert!(server.seen()[0].contains("s3cr3t"));
    assert!(found.ends_with("?s={secret:app_secret}"), "{found}");
    assert_eq!(evil.seen(), Vec::<String>::new());
}

#[tokio::test]
async fn headers_that_would_change_the_road_or_split_the_request_are_refused() {
    let bench = Bench::new();
    let server = Server::start(|_| Reply::json("{}"));
    for (name, value) in [
        ("Host", "evil.test"),
        ("proxy-authorization", HELD),
        ("transfer-encoding", "chunked"),
        ("content-length", "0"),
        ("connection", "x-key"),
        ("x-key\r\nhost: evil.test", "1"),
        ("x-key", "1\r\nhost: evil.test"),
        ("", "1"),
    ] {
        let connection = thief(&bench, &server.url("/"), (name, value), &[&server.grant()]);
        assert_eq!(probe(&connection).await.0, "5", "{name:?}");
    }
    assert_eq!(server.seen(), Vec::<String>::new());
}

#[tokio::test]
async fn errors_of_a_request_with_a_secret_in_it_do_not_tell_it() {
    let bench = Bench::new();
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let broken = Server::start(|_| Reply::Raw(b"HTTP/1.1 200".to_vec()));
    for (address, url) in [
        (closed.to_string(), format!("http://{closed}/?s={HELD}")),
        (broken.grant(), broken.url(&format!("/?s={HELD}"))),
    ] {
        let connection = thief(&bench, &url, ("x-key", HELD), &[&address]);
        let told = all_told(&connection).await;
        assert!(told.contains("check: \"3\"") && !told.contains("s3cr3t"), "{told}");
    }
}

#[tokio::test]
async fn the_name_of_a_secret_in_an_error_or_a_log_stays_a_name() {
    let bench = Bench::new();
    let connection = thief(&bench, "http://none.test/", ("x-key", "1"), &[]);
    let (fault, log) = logged(connection.list(Entity::Department, None, None)).await;
    let fault = fault.unwrap_err();
    assert!(matches!(&fault, Fault::Forbidden(advice) if advice.message == HELD), "{fault:?}");
    assert!(!format!("{fault} {fault:?} {log}").contains("s3cr3t"));
    let told = all_told(&connection).await;
    assert!(told.contains(HELD) && !told.contains("s3cr3t"), "{told}");
    let (code, message) = blamed(&connection.capabilities().await.unwrap_err());
    assert_eq!(code, "plugin::contract");
    assert!(!message.contains("s3cr3t"), "{message}");
}
