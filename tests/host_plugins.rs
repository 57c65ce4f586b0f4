//! What a plugin can do to you: nothing. Every guest of `hostile/` is stopped in time, blamed by name, and harms no other call.

mod hostile;

use std::sync::Arc;
use std::time::Duration;

use hostile::server::{Reply, Server};
use hostile::{
    Bench, LIMITS, SECRET, blamed, component, component_in, connect, in_time, manifest, spec,
    with_section,
};
use rollcall::host::{Connection, Limits, RetryLimits};
use rollcall::model::entity::Entity;
use rollcall::model::fault::Fault;
use rollcall::model::ids::{ConnectionId, SourceId, TenantId};
use rollcall::model::record::Walk;
use rollcall::port::provider::Provider as _;

const FULL: [&str; 2] = ["plugin", "directory"];

async fn probe(connection: &Connection) -> (String, Option<String>) {
    let mut findings = connection.probe().await.unwrap();
    assert_eq!(findings.len(), 1);
    let finding = findings.remove(0);
    (finding.check, finding.remedy)
}

mod loading {
    use super::*;

    const EMPTY: &str = r#"(module (memory (export "memory") 1)
        (func (export "rollcall:plugin/plugin@0.1.0#probe") (result i32) (i32.const 1024)))"#;

    fn plugin(manifest: &str) -> Vec<u8> {
        with_section(component(EMPTY, &["plugin"]), "rollcall:manifest", manifest.as_bytes())
    }

    #[test]
    fn what_is_no_component_is_refused_with_what_it_is_instead() {
        let bench = Bench::new();
        assert!(bench.refused("p", b"#!/bin/sh\n").contains("no WebAssembly file"));
        assert!(bench.refused("p", b"").contains("no WebAssembly file"));
        assert!(bench.refused("p", &wat::parse_str("(module)").unwrap()).contains("core module"));
        let whole = plugin(&manifest("p"));
        assert!(bench.refused("p", &whole[..whole.len() - 5]).contains("truncated"));
        let missing = bench.host.load(&bench.folder.path().join("none.wasm")).unwrap_err();
        assert!(hostile::told(&missing).contains("none.wasm"), "{missing}");
    }

    #[test]
    fn every_truncation_of_a_plugin_is_refused() {
        let bench = Bench::new();
        let whole = plugin(&manifest("p"));
        for cut in (0..whole.len()).step_by(97) {
            assert!(bench.host.load(&bench.file("p", &whole[..cut])).is_err(), "cut at {cut}");
        }
        assert!(bench.host.load(&bench.file("p", &whole)).is_ok());
    }

    #[test]
    fn a_forged_manifest_is_refused() {
        let bench = Bench::new();
        let refused = |manifest: &str| bench.refused("p", &plugin(manifest));
        assert!(
            bench
                .refused("p", &component(EMPTY, &["plugin"]))
                .contains("no `rollcall:manifest` section")
        );
        assert!(refused("{").contains("cannot be read"));
        assert!(refused("[]").contains("cannot be read"));
        assert!(refused(&manifest("../p")).contains("cannot be read"));
        assert!(refused(&manifest("other")).contains("calls itself `other`"));
        let large = manifest("p").replace("a guest", &"x".repeat(65 << 10));
        assert!(refused(&large).contains("65536 are allowed"), "{}", refused(&large));
        let hosts = format!("[{}]", vec!["\"a.test\""; 101].join(","));
        assert!(
            refused(&manifest("p").replace("[\"{setting:url}\"]", &hosts)).contains("101 hosts")
        );
        let twice = manifest("p").replace("\"unset\"", "\"app_secret\"");
        assert!(refused(&twice).contains("`app_secret` twice"), "{}", refused(&twice));
    }

    #[test]
    fn another_contract_is_refused_in_the_manifest_and_in_the_code() {
        let bench = Bench::new();
        let said = manifest("p").replace("\"contract\":\"0.1.0\"", "\"contract\":\"0.2.0\"");
        assert!(
            bench
                .refused("p", &plugin(&said))
                .contains("speaks contract 0.2.0, this build speaks 0.1.0")
        );
        let world = "package test:guest; world guest { export rollcall:plugin/plugin@0.9.0; }
            package rollcall:plugin@0.9.0 { interface plugin { probe: func() -> u32; } }";
        let other = component_in(&EMPTY.replace("0.1.0", "0.9.0"), world);
        let other = with_section(other, "rollcall:manifest", manifest("p").as_bytes());
        assert!(
            bench.refused("p", &other).contains("speaks contract 0.9.0"),
            "{}",
            bench.refused("p", &other)
        );
    }

    #[test]
    fn an_import_beyond_the_contract_is_named() {
        let bench = Bench::new();
        let wat = r#"(module (import "wasi:cli/environment@0.2.0" "all" (func $all (result i32)))
            (memory (export "memory") 1)
            (func (export "rollcall:plugin/plugin@0.1.0#probe") (result i32) (call $all)))"#;
        let world = "package test:guest; world guest {
                import wasi:cli/environment@0.2.0; export rollcall:plugin/plugin@0.1.0; }
            package wasi:cli@0.2.0 { interface environment { all: func() -> u32; } }";
        let guest =
            with_section(component_in(wat, world), "rollcall:manifest", manifest("p").as_bytes());
        let told = bench.refused("p", &guest);
        assert!(told.contains("plugin `p` imports `wasi:cli/environment@0.2.0`"), "{told}");
    }

    #[test]
    fn a_component_that_exports_nothing_of_ours_is_refused() {
        let bench = Bench::new();
        let bare = wat::parse_str("(component)").unwrap();
        let bare = with_section(bare, "rollcall:manifest", manifest("p").as_bytes());
        assert!(bench.refused("p", &bare).contains("does not export `rollcall:plugin/plugin`"));
    }

    #[test]
    fn a_plugin_can_be_inspected_under_any_name() {
        let bench = Bench::new();
        let bytes = with_section(plugin(&manifest("p")), "rollcall:source", b"abc123\n");
        let seen = bench.host.inspect(&bench.file("renamed", &bytes)).unwrap();
        assert_eq!(seen.manifest.name.as_str(), "p");
        assert_eq!(seen.source_digest.as_deref(), Some("abc123"));
        assert_eq!(seen.exports, ["rollcall:plugin/plugin@0.1.0"]);
        assert_eq!(seen.size_bytes, bytes.len());
        assert!(seen.compiled_bytes > 0);
        assert!(serde_json::to_value(&seen).unwrap()["digest"].is_string());
    }

    #[tokio::test]
    async fn a_replaced_file_is_another_plugin_and_the_old_one_works_on() {
        let bench = Bench::new();
        let old = bench.guest("trap", &FULL);
        let file = bench.file("trap", &plugin(&manifest("trap")));
        let new = bench.host.load(&file).unwrap();
        assert_ne!(old.digest(), new.digest());
        let old = connect(&old, &[], &[]);
        assert_eq!(old.list(Entity::Department, None, None).await.unwrap().records, vec![]);
        let new = connect(&new, &[], &[]);
        assert_eq!(new.list(Entity::Department, None, None).await, Err(Fault::Unsupported));
        assert_eq!(new.capabilities().await.unwrap().walks, vec![]);
        std::fs::write(&file, b"half a fi").unwrap();
        assert!(bench.host.load(&file).is_err());
        assert!(new.probe().await.unwrap().is_empty());
    }
}

mod cache {
    use super::*;
    use rollcall::host::PluginHost;

    fn entries(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
        let mut all: Vec<_> =
            std::fs::read_dir(folder).unwrap().map(|it| it.unwrap().path()).collect();
        all.sort();
        all
    }

    #[tokio::test]
    async fn compiled_code_is_kept_and_a_damaged_or_foreign_entry_is_not_believed() {
        let bench = Bench::new();
        bench.guest("trap", &FULL);
        bench.guest("flood", &["plugin"]);
        let file = bench.folder.path().join("trap.wasm");
        let folder = bench.folder.path().join("cache");
        let fresh = || PluginHost::new(Some(folder.clone())).unwrap();
        fresh().load(&file).unwrap();
        let entry = entries(&folder).remove(0);
        let whole = std::fs::read(&entry).unwrap();
        let written = std::fs::metadata(&entry).unwrap().modified().unwrap();
        fresh().load(&file).unwrap();
        assert_eq!(
            std::fs::metadata(&entry).unwrap().modified().unwrap(),
            written,
            "taken from the cache"
        );

        fresh().load(&bench.folder.path().join("flood.wasm")).unwrap();
        let other = entries(&folder).into_iter().find(|it| *it != entry).unwrap();
        let mut flipped = whole.clone();
        let middle = flipped.len() / 2;
        flipped[middle] ^= 1;
        let bad = [
            flipped,
            whole[..whole.len() - 1].to_vec(),
            whole[..20].to_vec(),
            vec![],
            std::fs::read(other).unwrap(),
        ];
        for bytes in bad {
            std::fs::write(&entry, bytes).unwrap();
            let plugin = fresh().load(&file).unwrap();
            let page = connect(&plugin, &[], &[]).list(Entity::Department, None, None).await;
            assert_eq!(page.unwrap().records, vec![]);
            assert_eq!(std::fs::read(&entry).unwrap(), whole, "written anew");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_folder_that_others_may_write_is_refused() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
        let error = PluginHost::new(Some(folder.path().to_owned())).err().unwrap();
        assert!(error.to_string().contains("chmod go-w"), "{error}");
    }
}

mod time {
    use super::*;

    #[tokio::test]
    async fn a_loop_is_stopped_and_the_next_call_works() {
        let bench = Bench::new();
        let connection = connect(&bench.guest("loop", &FULL), &[], &[]);
        let fault = in_time(&LIMITS, connection.probe()).await.unwrap_err();
        let (code, message) = blamed(&fault);
        assert_eq!(code, "plugin::deadline");
        assert_eq!(message, "plugin `loop` in `plugin.probe` ran past 400ms");
        let page = connection.list(Entity::Department, None, None).await.unwrap();
        assert_eq!(page.records, vec![]);
    }

    #[tokio::test]
    async fn a_loop_through_the_host_is_stopped() {
        let bench = Bench::new();
        let connection = connect(&bench.guest("loop", &FULL), &[], &[]);
        let ids = [SourceId::parse("a").unwrap()];
        let fault = in_time(&LIMITS, connection.fetch(Entity::Employee, &ids)).await.unwrap_err();
        assert_eq!(blamed(&fault).0, "plugin::deadline");
    }

    #[tokio::test]
    async fn a_loop_before_the_first_call_is_stopped() {
        let bench = Bench::new();
        let connection = connect(&bench.guest("start", &["plugin"]), &[], &[]);
        let fault = in_time(&LIMITS, connection.probe()).await.unwrap_err();
        assert_eq!(blamed(&fault).0, "plugin::deadline");
    }

    #[tokio::test]
    async fn a_neighbour_works_on_while_guests_loop() {
        let bench = Bench::new();
        let busy = Arc::new(connect(&bench.guest("loop", &FULL), &[], &[]));
        let neighbour = connect(&bench.guest("trap", &FULL), &[], &[]);
        let looping: Vec<_> = (0..4)
            .map(|_| {
                let busy = Arc::clone(&busy);
                tokio::spawn(async move { busy.probe().await })
            })
            .collect();
        let mut served = 0;
        while looping.iter().any(|task| !task.is_finished()) {
            neighbour.list(Entity::Department, None, None).await.unwrap();
            served += 1;
            tokio::task::yield_now().await;
        }
        assert!(served > 3, "the neighbour got {served} calls on one thread with four loops");
        for task in looping {
            assert!(task.await.unwrap().is_err());
        }
    }

    #[tokio::test]
    async fn a_response_that_drips_or_never_comes_ends_with_the_call() {
        let bench = Bench::new();
        let plugin = bench.guest("courier", &FULL);
        for reply in [Reply::Drip, Reply::Silent] {
            let server = Server::start(move |_| reply.clone()).await;
            let connection = connect(&plugin, &[("url", &server.url("/"))], &[&server.grant()]);
            let (denied, _) = in_time(&LIMITS, probe(&connection)).await;
            assert_eq!(denied, "1", "`deadline`, with time left to say so");
        }
    }
}

mod bounds {
    use super::*;

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

    #[tokio::test]
    async fn core_instances_are_bounded() {
        let many = "(core instance (instantiate $m))".repeat(40);
        let bomb = format!(
            r#"(component (core module $m) {many}
                (core module $p (func (export "f") (result i32) (i32.const 0)))
                (core instance $i (instantiate $p))
                (func $f (result u32) (canon lift (core func $i "f")))
                (instance $e (export "probe" (func $f)))
                (export "rollcall:plugin/plugin@0.1.0" (instance $e)))"#
        );
        let bench = Bench::new();
        let bomb = with_section(
            wat::parse_str(bomb).unwrap(),
            "rollcall:manifest",
            manifest("bomb").as_bytes(),
        );
        let plugin = bench.host.load(&bench.file("bomb", &bomb)).unwrap();
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
        let (huge, message) =
            code(connection.list(Entity::Department, None, None).await.unwrap_err());
        assert_eq!(huge, "plugin::contract");
        assert!(message.contains("too much data"), "{message}");
        let (_, message) = code(connection.fetch(Entity::Employee, &[]).await.unwrap_err());
        assert!(message.contains("2147483647 random bytes"), "{message}");
    }

    #[tokio::test]
    async fn an_instance_lives_on_but_not_with_a_response_it_kept() {
        let bench = Bench::new();
        let moody = connect(&bench.guest("moody", &FULL), &[], &[]);
        assert_eq!(probe(&moody).await.0, "1");
        assert_eq!(probe(&moody).await.0, "2", "one instance serves many calls");
        let server = Server::start(|_| Reply::json("{}")).await;
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
        let server = Server::start(|request| {
            if request.contains("/small") { Reply::json("{}") } else { Reply::Endless }
        })
        .await;
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
        let server = Server::start(move |_| Reply::Raw(huge.into())).await;
        let connection = connect(
            &bench.guest("courier", &FULL),
            &[("url", &server.url("/"))],
            &[&server.grant()],
        );
        assert_eq!(probe(&connection).await.0, "2");
    }
}

mod log {
    use super::*;
    use std::io::Write;
    use std::sync::Mutex;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[tokio::test]
    async fn a_flood_is_cut_and_counted_and_names_its_tenant() {
        let lines = Lines::default();
        let writer = lines.clone();
        let subscriber =
            tracing_subscriber::fmt().json().with_writer(move || writer.clone()).finish();
        let guard = tracing::subscriber::set_default(subscriber);
        let bench = Bench::new();
        let connection = connect(&bench.guest("flood", &["plugin"]), &[], &[]);
        connection.probe().await.unwrap();
        drop(guard);
        let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
        let lines: Vec<serde_json::Value> =
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let said: Vec<_> =
            lines.iter().filter_map(|line| line["fields"]["said"].as_str()).collect();
        assert_eq!(said.iter().map(|it| it.len()).sum::<usize>(), LIMITS.log_bytes);
        assert!(said[0].starts_with("first forged  [31mline"), "{}", said[0]);
        let last = &lines.last().unwrap()["fields"];
        assert_eq!(last["message"], "plugin log cut");
        assert_eq!(last["bytes"], 10_000_000 - LIMITS.log_bytes);
        assert_eq!((&last["tenant"], &last["connection"]), (&"acme".into(), &"test".into()));
    }
}

mod network {
    use super::*;

    const OK: &str = r#"{"ok":true}"#;

    async fn asked(url: &str, grants: &[&str]) -> (String, Option<String>) {
        let bench = Bench::new();
        probe(&connect(&bench.guest("courier", &FULL), &[("url", url)], grants)).await
    }

    #[tokio::test]
    async fn a_host_is_reached_only_when_both_ask_and_grant_it() {
        let server = Server::start(|_| Reply::json(OK)).await;
        let url = server.url("/x");
        assert_eq!(asked(&url, &[&server.grant()]).await, (OK.to_owned(), None));
        let refused = ("0".to_owned(), Some(server.grant()));
        assert_eq!(asked(&url, &[]).await, refused);
        assert_eq!(asked(&url, &["open.example.com"]).await, refused);
        let bench = Bench::new();
        let plugin = bench.guest("courier", &FULL);
        let wat = std::fs::read(bench.folder.path().join("courier.wasm")).unwrap();
        let silent = manifest("quiet").replace("{setting:url}", "open.example.com");
        let quiet = bench.file(
            "quiet",
            &with_section(strip_manifest(&wat), "rollcall:manifest", silent.as_bytes()),
        );
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
        let server = Server::start(|_| Reply::json(OK)).await;
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
        let inside = Server::start(|_| Reply::json("inside")).await;
        let target = inside.url("/secret");
        let server = Server::start(move |_| {
            Reply::with("302 Found", &format!("location: {target}\r\n"), "moved")
        })
        .await;
        assert_eq!(asked(&server.url("/"), &[&server.grant(), &inside.grant()]).await.0, "moved");
        assert_eq!(inside.seen(), Vec::<String>::new());
    }

    #[tokio::test]
    async fn a_url_that_hides_its_host_is_refused() {
        let server = Server::start(|_| Reply::json(OK)).await;
        let port = server.address.port();
        for url in ["file:///etc/passwd", "//x", "", "ftp://a.test/"] {
            let bench = Bench::new();
            let plugin = bench.guest("courier", &FULL);
            let settings = [("url", url)];
            let Ok(connection) = Connection::new(spec(&plugin, &settings, &[&server.grant()]))
            else {
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
        let cut = Server::start(|_| {
            Reply::Raw(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{".to_vec())
        })
        .await;
        let (code, reason) = asked(&cut.url("/?token=t0k3n"), &[&cut.grant()]).await;
        assert_eq!(code, "3");
        assert!(!reason.unwrap().contains("t0k3n"));
        let zipped =
            Server::start(|_| Reply::with("200 OK", "content-encoding: gzip\r\n", "x")).await;
        let (code, reason) = asked(&zipped.url("/"), &[&zipped.grant()]).await;
        assert_eq!(code, "3");
        assert!(reason.unwrap().contains("compressed"));
        let garbage = Server::start(|_| Reply::Raw(b"\x00\x01garbage\r\n\r\n".to_vec())).await;
        assert_eq!(asked(&garbage.url("/"), &[&garbage.grant()]).await.0, "3");
    }
}

mod secrets {
    use super::*;

    async fn sent(settings: &[(&str, &str)]) -> ((String, Option<String>), Vec<String>) {
        // Echoes the request it was sent, head and body.
        let server = Server::start(|request| Reply::with("200 OK", "", request)).await;
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
        let json = [
            ("body", r#"{"s":"{secret:app_secret}"}"#),
            ("type", "application/json; charset=utf-8"),
        ];
        let ((echo, _), seen) = sent(&json).await;
        assert!(seen[0].ends_with(r#"{"s":"s3cr3t \"quoted\" & more"}"#), "{}", seen[0]);
        assert!(echo.ends_with(r#"{"s":"{secret:app_secret}"}"#), "{echo}");
        let form =
            [("body", "s={secret:app_secret}"), ("type", "application/x-www-form-urlencoded")];
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
        let hidden = connect(
            &plugin,
            &[("url", "https://good.test/"), ("body", "{secret:app_secret}")],
            &[],
        );
        assert!(!format!("{:?}", probe(&hidden).await).contains(SECRET));
    }

    #[tokio::test]
    async fn an_id_that_looks_like_a_placeholder_never_reaches_a_guest() {
        let bench = Bench::new();
        let connection = connect(&bench.guest("moody", &FULL), &[], &[]);
        let ids = [SourceId::parse("{secret:app_secret}").unwrap()];
        assert_eq!(connection.fetch(Entity::Employee, &ids).await, Err(Fault::NotFound));
        assert_eq!(
            connection.list(Entity::Employee, Some(&ids[0]), None).await,
            Err(Fault::NotFound)
        );
    }
}

mod tenants {
    use super::*;

    #[tokio::test]
    async fn what_one_tenant_remembers_no_other_recalls() {
        let bench = Bench::new();
        let plugin = bench.guest("snoop", &["plugin"]);
        let of = |tenant: &str, connection: &str| {
            let mut spec = spec(&plugin, &[], &[]);
            spec.tenant = TenantId::parse(tenant).unwrap();
            spec.connection = ConnectionId::parse(connection).unwrap();
            Connection::new(spec).unwrap()
        };
        let (acme, other, second) = (of("acme", "a"), of("other", "a"), of("acme", "b"));
        assert_eq!(probe(&acme).await.0, "nothing");
        assert_eq!(probe(&acme).await.0, "mine");
        assert_eq!(probe(&other).await.0, "nothing");
        assert_eq!(probe(&second).await.0, "nothing");
    }
}

mod pages {
    use super::*;

    async fn page(
        body: &'static str,
        items: &str,
        id: &str,
    ) -> Result<Vec<(String, String)>, Fault> {
        let server = Server::start(move |_| Reply::with("200 OK", "", body)).await;
        let bench = Bench::new();
        let settings = [("url", &*server.url("/")), ("items", items), ("id", id)];
        let connection = connect(&bench.guest("courier", &FULL), &settings, &[&server.grant()]);
        let page = connection.list(Entity::Department, None, None).await?;
        assert_eq!(connection.requests(), 1);
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        Ok(page.records.iter().map(|it| (it.id.to_string(), text(&it.payload))).collect())
    }

    fn pair(id: &str, payload: &str) -> (String, String) {
        (id.to_owned(), payload.to_owned())
    }

    #[tokio::test]
    async fn items_are_the_platforms_own_bytes() {
        let body = r#"{"data":{"items":[ {"id":"a\u0031", "n" : [1, 2]} ,{"id":7}]}}"#;
        let records = page(body, "/data/items", "/id").await.unwrap();
        assert_eq!(
            records,
            [pair("a1", r#"{"id":"a\u0031", "n" : [1, 2]}"#), pair("7", r#"{"id":7}"#)]
        );
        assert_eq!(
            page(r#"{"user":{"id":"u"}}"#, "/user", "/id").await.unwrap(),
            [pair("u", r#"{"id":"u"}"#)]
        );
        for empty in [r#"{"data":{}}"#, r#"{"data":{"items":[]}}"#, r#"{"data":{"items":null}}"#] {
            assert_eq!(page(empty, "/data/items", "/id").await.unwrap(), [], "{empty}");
        }
    }

    #[tokio::test]
    async fn a_page_that_breaks_the_contract_says_where() {
        for (body, items, id, wanted) in [
            (
                r#"{"items":[{"id":"a"},{}]}"#,
                "/items",
                "/id",
                "item 1 has no text or number at `/id`",
            ),
            (
                r#"{"items":[{"id":null}]}"#,
                "/items",
                "/id",
                "item 0 has no text or number at `/id`",
            ),
            (
                r#"{"items":[{"id":"  "}]}"#,
                "/items",
                "/id",
                "item 0 cannot be used: an id is blank",
            ),
            (r#"{"items":["a"]}"#, "/items", "/id", "item 0 of `/items` is no object"),
            (r#"{"items":"a"}"#, "/items", "/id", "`/items` holds neither"),
            (r#"{"items":[]}"#, "items", "/id", "`items` is no JSON pointer"),
        ] {
            let (code, message) = blamed(&page(body, items, id).await.unwrap_err());
            assert_eq!(code, "plugin::page");
            assert!(message.contains(wanted), "{message}");
        }
    }

    #[tokio::test]
    async fn an_answer_that_is_no_json_is_the_platforms_fault_and_shows_nothing_of_it() {
        for (body, wanted) in [
            ("<html>Zhang San</html>", "it looks like a web page"),
            (r#"{"items":[{"id":"Zhang"#, "truncated JSON"),
            ("", "truncated JSON"),
            ("Zhang San", "not JSON"),
        ] {
            match page(body, "/items", "/id").await.unwrap_err() {
                Fault::Unavailable(advice) => {
                    assert_eq!(advice.code, "http::unreadable");
                    assert!(
                        advice.message.contains(wanted) && !advice.message.contains("Zhang"),
                        "{advice}"
                    );
                }
                other => panic!("{other:?}"),
            }
        }
    }

    #[tokio::test]
    async fn a_page_has_no_more_records_than_its_limit() {
        let server =
            Server::start(|_| Reply::json(r#"{"items":[{"id":1},{"id":2},{"id":3}]}"#)).await;
        let bench = Bench::new();
        let settings = [("url", &*server.url("/")), ("items", "/items"), ("id", "/id")];
        let mut spec = spec(&bench.guest("courier", &FULL), &settings, &[&server.grant()]);
        spec.limits.page_records = 2;
        let fault =
            Connection::new(spec).unwrap().list(Entity::Department, None, None).await.unwrap_err();
        assert!(blamed(&fault).1.contains("3 items, 2 are allowed"), "{fault}");
    }

    #[tokio::test]
    async fn items_that_a_guest_built_are_checked() {
        let bench = Bench::new();
        let connection = connect(&bench.guest("moody", &FULL), &[], &[]);
        let fault = connection.fetch(Entity::Employee, &[]).await.unwrap_err();
        assert!(blamed(&fault).1.contains("built item 1 is no JSON object"), "{fault}");
        assert_eq!(connection.capabilities().await.unwrap().walks, vec![]);
    }

    #[tokio::test]
    async fn a_plugin_offers_what_it_exports() {
        let bench = Bench::new();
        let connection = connect(&bench.guest("courier", &FULL), &[], &[]);
        let offered = connection.capabilities().await.unwrap();
        assert_eq!(offered.walks, vec![Walk::Whole(Entity::Department)]);
        assert_eq!(offered.batches, vec![]);
    }
}

mod retries {
    use super::*;

    fn retrying(attempts: u32) -> Limits {
        let retry = RetryLimits { attempts, first: Duration::from_millis(1), ..LIMITS.retry };
        Limits { retry, call: Duration::from_secs(10), ..LIMITS }
    }

    #[tokio::test]
    async fn a_busy_platform_is_asked_again_as_often_as_allowed() {
        let bench = Bench::new();
        let plugin = bench.guest("moody", &FULL);
        for (attempts, expected) in [(3, Ok(())), (2, Err(Fault::RateLimited(None)))] {
            let mut spec = spec(&plugin, &[], &[]);
            spec.limits = retrying(attempts);
            let connection = Connection::new(spec).unwrap();
            assert_eq!(connection.list(Entity::Department, None, None).await.map(drop), expected);
        }
    }

    #[tokio::test]
    async fn a_failing_platform_is_asked_again_a_broken_plugin_is_not() {
        let answers = std::sync::atomic::AtomicUsize::new(0);
        let server = Server::start(move |_| {
            match answers.fetch_add(1, std::sync::atomic::Ordering::SeqCst) {
                0 => Reply::Raw(vec![]),
                1 => Reply::json("<html>"),
                _ => Reply::json(r#"{"items":[{"id":1}]}"#),
            }
        })
        .await;
        let bench = Bench::new();
        let settings = [("url", &*server.url("/")), ("items", "/items"), ("id", "/id")];
        let mut spec = spec(&bench.guest("courier", &FULL), &settings, &[&server.grant()]);
        spec.limits = retrying(5);
        let connection = Connection::new(spec).unwrap();
        assert_eq!(connection.list(Entity::Department, None, None).await.unwrap().records.len(), 1);
        assert_eq!(connection.requests(), 3);
        let trapping = connect(&bench.guest("trap", &FULL), &[], &[]);
        assert_eq!(blamed(&trapping.probe().await.unwrap_err()).0, "plugin::trap");
    }
}
