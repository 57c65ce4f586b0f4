//! Which hosts a guest reaches.

use rollcall::host::Connection;

use super::server::{Reply, Server};
use super::{Bench, FULL, connect, manifest, probe, spec, with_section};

const OK: &str = r#"{"ok":true}"#;

async fn asked(url: &str, grants: &[&str]) -> (String, Option<String>) {
    let bench = Bench::new();
    probe(&connect(&bench.guest("courier", &FULL), &[("url", url)], grants)).await
}

#[tokio::test]
async fn a_host_is_reached_only_when_both_ask_and_grant_it() {
    let server = Server::start(|_| Reply::json(OK));
    let url = server.url("/x");
    assert_eq!(asked(&url, &[&server.grant()]).await, (OK.to_owned(), None));
    let refused = ("0".to_owned(), Some(server.grant()));
    assert_eq!(asked(&url, &[]).await, refused);
    assert_eq!(asked(&url, &["open.example.com"]).await, refused);
    let bench = Bench::new();
    let plugin = bench.guest("courier", &FULL);
    let wat = std::fs::read(bench.folder.path().join("courier.wasm")).unwrap();
    let silent = manifest("quiet").replace("{setting:url}", "open.example.com");
    let quiet = bench
        .file("quiet", &with_section(strip_manifest(&wat), "rollcall:manifest", silent.as_bytes()));
    let quiet = bench.host.load(&quiet).unwrap();
    drop(plugin);
    assert_eq!(
        probe(&connect(&quiet, &[("url", &url)], &[&server.grant()])).await,
        refused,
        "the manifest does not ask"
    );
    assert_eq!(server.seen().len(), 1);
}

/// The component without its last section.
fn strip_manifest(wasm: &[u8]) -> Vec<u8> {
    let name = b"rollcall:manifest";
    let at = wasm.windows(name.len()).rposition(|window| window == name).unwrap();
    let start = (0..at).rev().find(|&start| wasm[start] == 0 && at - start <= 6).unwrap();
    wasm[..start].to_vec()
}

#[tokio::test]
async fn addresses_inside_are_refused_by_name_and_by_number() {
    let server = Server::start(|_| Reply::json(OK));
    let port = server.address.port();
    // Granted as a public name, it may not lead inside.
    let local = format!("localhost:{port}");
    assert_eq!(
        asked(&format!("https://{local}/"), &[&local]).await,
        ("0".to_owned(), Some(local.clone()))
    );
    assert_eq!(
        asked(&format!("http://{local}/"), &[&local]).await,
        ("0".to_owned(), Some(local.clone()))
    );
    // Granted as a name inside, it may.
    let inside = format!("private:{local}");
    assert_eq!(asked(&format!("http://{local}/"), &[&inside]).await.0, OK);
    for host in ["169.254.169.254", "10.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0"] {
        assert_eq!(
            asked(&format!("http://{host}/"), &["open.example.com", &server.grant()]).await.0,
            "0",
            "{host}"
        );
    }
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn a_redirect_is_handed_to_the_guest_and_not_followed() {
    let inside = Server::start(|_| Reply::json("inside"));
    let target = inside.url("/secret");
    let server = Server::start(move |_| {
        Reply::with("302 Found", &format!("location: {target}\r\n"), "moved")
    });
    assert_eq!(asked(&server.url("/"), &[&server.grant(), &inside.grant()]).await.0, "moved");
    assert_eq!(inside.seen(), Vec::<String>::new());
}

#[tokio::test]
async fn a_url_that_hides_its_host_is_refused() {
    let server = Server::start(|_| Reply::json(OK));
    let port = server.address.port();
    for url in ["file:///etc/passwd", "//x", "", "ftp://a.test/"] {
        let bench = Bench::new();
        let plugin = bench.guest("courier", &FULL);
        let settings = [("url", url)];
        let Ok(connection) = Connection::new(spec(&plugin, &settings, &[&server.grant()])) else {
            continue;
        };
        assert_eq!(probe(&connection).await.0, "5", "{url}");
    }
    assert_eq!(
        asked(&format!("http://127.1:{port}/"), &[&server.grant()]).await.0,
        OK,
        "the same host, spelt otherwise"
    );
}

#[tokio::test]
async fn a_server_that_is_gone_broken_or_compressing_is_told_in_short() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (code, reason) = asked(&format!("http://{closed}/"), &[&closed.to_string()]).await;
    assert_eq!((code.as_str(), reason.as_deref()), ("3", Some("connection refused")));
    let cut =
        Server::start(|_| Reply::Raw(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{".to_vec()));
    let (code, reason) = asked(&cut.url("/?token=t0k3n"), &[&cut.grant()]).await;
    assert_eq!(code, "3");
    assert!(!reason.unwrap().contains("t0k3n"));
    let zipped = Server::start(|_| Reply::with("200 OK", "content-encoding: gzip\r\n", "x"));
    let (code, reason) = asked(&zipped.url("/"), &[&zipped.grant()]).await;
    assert_eq!(code, "3");
    assert!(reason.unwrap().contains("compressed"));
    let garbage = Server::start(|_| Reply::Raw(b"\x00\x01garbage\r\n\r\n".to_vec()));
    assert_eq!(asked(&garbage.url("/"), &[&garbage.grant()]).await.0, "3");
}
