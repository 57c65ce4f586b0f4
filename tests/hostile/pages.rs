//! From responses to records.

use rollcall::host::Connection;
use rollcall::model::entity::Entity;
use rollcall::model::fault::Fault;
use rollcall::model::record::Walk;
use rollcall::port::provider::Provider as _;

use super::server::{Reply, Server};
use super::{Bench, FULL, blamed, connect, spec};

async fn page(body: &'static str, items: &str, id: &str) -> Result<Vec<(String, String)>, Fault> {
    let server = Server::start(move |_| Reply::with("200 OK", "", body));
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
        (r#"{"items":[{"id":"a"},{}]}"#, "/items", "/id", "item 1 has no text or number at `/id`"),
        (r#"{"items":[{"id":null}]}"#, "/items", "/id", "item 0 has no text or number at `/id`"),
        (r#"{"items":[{"id":"  "}]}"#, "/items", "/id", "item 0 cannot be used: an id is blank"),
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
    let server = Server::start(|_| Reply::json(r#"{"items":[{"id":1},{"id":2},{"id":3}]}"#));
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
