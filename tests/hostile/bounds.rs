//! Memory, tables, instances, stack, and what crosses the boundary.

use std::time::Duration;

use rollcall::host::{Connection, Limits};
use rollcall::model::entity::Entity;
use rollcall::model::fault::Fault;
use rollcall::port::provider::Provider as _;

use super::server::{Reply, Server};
use super::{Bench, FULL, LIMITS, blamed, connect, in_time, manifest, probe, spec, with_section};

#[tokio::test]
async fn memory_and_tables_are_bounded() {
    let bench = Bench::new();
    let connection = connect(&bench.guest("hoard", &FULL), &[], &[]);
    let fault = in_time(&LIMITS, connection.probe()).await.unwrap_err();
    let (code, message) = blamed(&fault);
    assert_eq!(code, "plugin::memory");
    assert_eq!(message, "plugin `hoard` in `plugin.probe` needs more than 64 MiB of memory");
    let fault = connection.capabilities().await.unwrap_err();
    assert_eq!(blamed(&fault).0, "plugin::table");
    assert_eq!(
        connection.fetch(Entity::Employee, &[]).await.unwrap(),
        vec![],
        "a refused growth alone is no fault"
    );
}

#[tokio::test]
async fn a_guest_that_begins_too_large_does_not_start() {
    let bench = Bench::new();
    let mut spec = spec(&bench.guest("boundary", &FULL), &[], &[]);
    spec.limits.memory_bytes = 1 << 20;
    let fault = Connection::new(spec).unwrap().probe().await.unwrap_err();
    assert_eq!(blamed(&fault).0, "plugin::memory");
}

/// A component of forty core instances.
pub(crate) fn instance_bomb() -> Vec<u8> {
    let many = "(core instance (instantiate $m))".repeat(40);
    let bomb = format!(
        r#"(component (core module $m) {many}
            (core module $p (func (export "f") (result i32) (i32.const 0)))
            (core instance $i (instantiate $p))
            (func $f (result u32) (canon lift (core func $i "f")))
            (instance $e (export "probe" (func $f)))
            (export "rollcall:plugin/plugin@0.1.0" (instance $e)))"#
    );
    with_section(wat::parse_str(bomb).unwrap(), "rollcall:manifest", manifest("bomb").as_bytes())
}

#[tokio::test]
async fn core_instances_are_bounded() {
    let bench = Bench::new();
    let plugin = bench.host.load(&bench.file("bomb", &instance_bomb())).unwrap();
    let fault = connect(&plugin, &[], &[]).probe().await.unwrap_err();
    let (code, message) = blamed(&fault);
    assert_eq!(code, "plugin::contract");
    assert!(message.contains("instance"), "{message}");
}

#[tokio::test]
async fn a_trap_or_endless_recursion_ends_that_call_only() {
    let bench = Bench::new();
    let connection = connect(&bench.guest("trap", &FULL), &[], &[]);
    for _ in 0..3 {
        assert_eq!(blamed(&connection.probe().await.unwrap_err()).0, "plugin::trap");
        assert_eq!(blamed(&connection.capabilities().await.unwrap_err()).0, "plugin::stack");
        connection.list(Entity::Department, None, None).await.unwrap();
    }
}

#[tokio::test]
async fn broken_text_and_huge_lists_do_not_cross_the_boundary() {
    let bench = Bench::new();
    let connection = connect(&bench.guest("boundary", &FULL), &[], &[]);
    let code = |fault: Fault| blamed(&fault);
    let (utf8, message) = code(connection.probe().await.unwrap_err());
    assert_eq!(utf8, "plugin::contract");
    assert!(message.contains("utf-8"), "{message}");
    assert_eq!(code(connection.capabilities().await.unwrap_err()).0, "plugin::contract");
    let (huge, message) = code(connection.list(Entity::Department, None, None).await.unwrap_err());
    assert_eq!(huge, "plugin::contract");
    assert!(message.contains("too much data"), "{message}");
    let (_, message) = code(connection.fetch(Entity::Employee, &[]).await.unwrap_err());
    assert!(message.contains("2147483647 random bytes"), "{message}");
}

#[tokio::test]
async fn an_instance_lives_on_but_not_large_or_with_a_response_it_kept() {
    let bench = Bench::new();
    let moody = connect(&bench.guest("moody", &FULL), &[], &[]);
    assert_eq!(probe(&moody).await.0, "1");
    assert_eq!(probe(&moody).await.0, "2", "one instance serves many calls");
    moody.capabilities().await.unwrap();
    assert_eq!(probe(&moody).await.0, "1", "one that grew large is not kept");
    let server = Server::start(|_| Reply::json("{}"));
    let keeper = connect(
        &bench.guest("keeper", &["plugin"]),
        &[("url", &server.url("/"))],
        &[&server.grant()],
    );
    assert_eq!(probe(&keeper).await.0, "1");
    assert_eq!(probe(&keeper).await.0, "1", "a fresh instance each time");
}

#[tokio::test]
async fn requests_of_one_call_and_their_bytes_are_bounded() {
    let bench = Bench::new();
    let plugin = bench.guest("courier", &FULL);
    let server =
        Server::start(
            |request| {
                if request.contains("/small") { Reply::json("{}") } else { Reply::Endless }
            },
        );
    let mut limited = spec(&plugin, &[("url", &server.url("/"))], &[&server.grant()]);
    limited.limits = Limits { http_bytes: 1 << 20, call: Duration::from_secs(10), ..LIMITS };
    let connection = Connection::new(limited).unwrap();
    assert_eq!(probe(&connection).await.0, "2", "`too-large`");
    let mut none = spec(&plugin, &[("url", &server.url("/small"))], &[&server.grant()]);
    none.limits.requests = 0;
    let connection = Connection::new(none).unwrap();
    let (denied, reason) = probe(&connection).await;
    assert_eq!(
        (denied.as_str(), reason.as_deref()),
        ("5", Some("more than 0 requests in one call"))
    );
    assert_eq!(connection.requests(), 0);
}

#[tokio::test]
async fn an_announced_length_beyond_the_limit_is_not_even_read() {
    let bench = Bench::new();
    let huge = "HTTP/1.1 200 OK\r\ncontent-length: 10737418240\r\n\r\n";
    let server = Server::start(move |_| Reply::Raw(huge.into()));
    let connection =
        connect(&bench.guest("courier", &FULL), &[("url", &server.url("/"))], &[&server.grant()]);
    assert_eq!(probe(&connection).await.0, "2");
}
