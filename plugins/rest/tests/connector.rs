//! The connector over a scripted host: what a description makes it send, and what it makes of the answers.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail the test")]

use rollcall_rest::Rest;
use rollcall_sdk::testing::{Reply, Scripted};
use rollcall_sdk::{
    Attendance, Content, Directory, Evidence, Fault, Kind, Page, Plugin, Walk, Window,
};
use serde_json::{Value, json};

const MANIFEST: &str = include_str!("../manifest.json");

const PEOPLE: &str = r#"
auth: { bearer: token }
listings:
  department:
    request: { get: /departments }
    items: /data
    id: /id
  employee:
    request: { get: /people, query: { limit: 100, cursor: "{cursor}" } }
    page: { by: cursor, next: /next }
    items: /data
    id: [/company, /number]
    total: /total
"#;

fn host(spec: &str) -> Scripted {
    Scripted::new(MANIFEST)
        .unwrap()
        .with_setting("base_url", "https://hr.example/api/")
        .with_setting("spec", spec)
        .with_secret("token")
}

fn people(host: &Scripted, cursor: Option<&str>) -> Result<Page<Reply>, Fault> {
    <Rest as Directory<_>>::enumerate(host, Kind::Employee, None, cursor)
}

fn urls(host: &Scripted) -> Vec<String> {
    host.requests().into_iter().map(|request| request.url).collect()
}

fn count(content: &Content<Reply>) -> u32 {
    use rollcall_sdk::Response as _;
    match content {
        Content::Empty => 0,
        Content::Built(items) => u32::try_from(items.len()).unwrap(),
        Content::Sliced(slice) => slice.response.count(&slice.items).unwrap(),
    }
}

fn person(number: u32) -> Value {
    json!({"company": "a", "number": number})
}

/// A description with `employee` alone, paged in some way.
fn paged(page: &str, query: &str) -> String {
    format!(
        "listings:\n  employee:\n    request: {{ get: /people, query: {query} }}\n    page: {page}\n    \
         items: /data\n    id: /number\n    total: /total\n"
    )
}

fn advice(fault: Fault) -> (String, String) {
    match fault {
        Fault::Unauthorized(it)
        | Fault::Forbidden(it)
        | Fault::Invalid(it)
        | Fault::Unavailable(it) => (it.message, it.remedy),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_cursor_is_followed_and_the_total_is_handed_on() {
    let host = host(PEOPLE)
        .answers(
            "GET",
            "/api/people",
            Reply::json(&json!({"data": [person(1)], "next": "a/b+c", "total": 2})),
        )
        .answers(
            "GET",
            "/api/people",
            Reply::json(&json!({"data": [person(2)], "next": null, "total": 2})),
        );
    let first = people(&host, None).unwrap();
    assert_eq!(first.evidence, Some(Evidence { scope: None, total: Some(2) }));
    let second = people(&host, first.next.as_deref()).unwrap();
    assert_eq!(second.next, None);
    assert_eq!(
        urls(&host),
        [
            "https://hr.example/api/people?limit=100",
            "https://hr.example/api/people?cursor=a%2Fb%2Bc&limit=100"
        ]
    );
    let headers = &host.requests()[0].headers;
    assert!(
        headers.contains(&("Authorization".into(), "Bearer {secret:token}".into())),
        "{headers:?}"
    );
    let Content::Sliced(slice) = second.content else { panic!("nothing was sliced") };
    assert_eq!(
        (slice.items.as_str(), slice.id),
        ("/data", vec!["/company".into(), "/number".into()])
    );
}

#[test]
fn a_cursor_that_leads_back_or_is_missing_is_a_fault() {
    let spec = PEOPLE.replace("next: /next", "next: /next, more: /more");
    let stuck = |answer: Value| {
        let host = host(&spec).answers("GET", "/api/people", Reply::json(&answer));
        advice(people(&host, Some("1 cx")).unwrap_err()).0
    };
    assert!(stuck(json!({"data": [], "next": "x"})).contains("the one that was sent"));
    assert!(stuck(json!({"data": [], "more": true})).contains("does not say where"));
    let done = host(&spec).answers(
        "GET",
        "/api/people",
        Reply::json(&json!({"data": [], "more": false, "next": "y"})),
    );
    assert_eq!(people(&done, Some("1 cx")).unwrap().next, None);
}

#[test]
fn numbered_pages_end_at_the_total_at_the_last_page_or_at_an_empty_one() {
    let ends = |page: &str, answers: &[Value]| {
        let mut host = host(&paged(page, r#"{ page: "{page}" }"#));
        for answer in answers {
            host = host.answers("GET", "/api/people", Reply::json(answer));
        }
        let mut cursor = None;
        loop {
            cursor = people(&host, cursor.as_deref()).unwrap().next;
            if cursor.is_none() {
                assert_eq!(host.left(), 0, "it ended before the end");
                return urls(&host).pop().unwrap();
            }
        }
    };
    let full = json!([{"number": 1}, {"number": 2}]);
    let by_total =
        [json!({"data": full, "total": 3}), json!({"data": [{"number": 3}], "total": 3})];
    assert!(ends("{ by: page }", &by_total).ends_with("page=2"));
    let by_pages = [json!({"data": full, "pages": 2}), json!({"data": full, "pages": 2})];
    assert!(ends("{ by: page, first: 0, pages: /pages }", &by_pages).ends_with("page=1"));
    // A short page proves nothing: the server may give less than it was asked for.
    let by_empty = [json!({"data": full}), json!({"data": [{"number": 3}]}), json!({"data": []})];
    assert!(ends("{ by: page }", &by_empty).ends_with("page=3"));
}

#[test]
fn an_offset_moves_by_what_came() {
    let host = host(&paged("{ by: offset, more: /more }", r#"{ skip: "{offset}" }"#))
        .answers(
            "GET",
            "/api/people",
            Reply::json(&json!({"data": [{"number": 1}, {"number": 2}], "more": true})),
        )
        .answers("GET", "/api/people", Reply::json(&json!({"data": [], "more": true})));
    let next = people(&host, None).unwrap().next;
    let stuck = advice(people(&host, next.as_deref()).unwrap_err()).0;
    assert!(stuck.contains("the page is empty"), "{stuck}");
    assert_eq!(urls(&host)[1], "https://hr.example/api/people?skip=2");
}

#[test]
fn a_link_is_followed_at_the_same_host_only() {
    let spec = paged("{ by: link }", "{}");
    let page = Reply::json(&json!({"data": [{"number": 1}]}));
    let linked = |to: &str| page.clone().with_header("Link", &format!("<{to}>; rel=\"next\""));
    let good = host(&spec)
        .answers("GET", "/api/people", linked("https://hr.example/api/people?page=2"))
        .answers("GET", "/api/people", page.clone());
    let next = people(&good, None).unwrap().next;
    assert_eq!(people(&good, next.as_deref()).unwrap().next, None);
    assert_eq!(urls(&good)[1], "https://hr.example/api/people?page=2");
    let stray =
        host(&spec).answers("GET", "/api/people", linked("https://elsewhere.example/people"));
    let next = people(&stray, None).unwrap().next;
    assert!(advice(people(&stray, next.as_deref()).unwrap_err()).0.contains("another host"));
    assert_eq!(stray.requests().len(), 1, "the credentials went astray");
}

#[test]
fn people_are_listed_within_each_department_and_held_against_its_count() {
    let spec = r#"
listings:
  department: { request: { get: /departments }, items: "", id: /id }
  employee:
    per_department: true
    root: none
    request: { post: "/departments/{department}/people", body: { page: "{page}", at: "{department}" } }
    page: { by: page }
    items: /data
    id: /id
    total: /total
"#;
    let host = host(spec)
        .answers(
            "POST",
            "/api/departments/a%2Fb/people",
            Reply::json(&json!({"data": [{"id": 1}], "total": 1})),
        )
        .answers(
            "POST",
            "/api/departments/none/people",
            Reply::json(&json!({"data": [{"id": 1}], "total": 2})),
        )
        .answers(
            "POST",
            "/api/departments/none/people",
            Reply::json(&json!({"data": [], "total": 2})),
        );
    assert_eq!(
        <Rest as Directory<_>>::walks_for(&host),
        [Walk::Whole(Kind::Department), Walk::PerDepartment(Kind::Employee)]
    );
    let within =
        <Rest as Directory<_>>::enumerate(&host, Kind::Employee, Some("a/b"), None).unwrap();
    assert_eq!((within.next, within.evidence), (None, None));
    assert_eq!(
        String::from_utf8(host.requests()[0].body.clone()).unwrap(),
        r#"{"page":1,"at":"a/b"}"#
    );
    let first = people(&host, None).unwrap();
    assert_eq!(people(&host, first.next.as_deref()).unwrap_err(), Fault::StaleCursor);
}

#[test]
fn an_answer_that_is_not_as_described_is_never_an_empty_page() {
    let told = |reply: Reply| {
        let host = host(PEOPLE).answers("GET", "/api/people", reply);
        people(&host, None).unwrap_err()
    };
    for reply in
        [Reply::text("<html>sign in</html>"), Reply::text(r#"{"data": [{"id"#), Reply::text("")]
    {
        let Fault::Unavailable(it) = told(reply) else { panic!("not unavailable") };
        assert!(it.message.contains("`listings.employee`"), "{}", it.message);
    }
    let elsewhere = advice(told(Reply::json(&json!({"items": []}))));
    assert!(elsewhere.0.contains("no array at `/data`") && elsewhere.1.contains("may_be_absent"));
    let nameless = advice(told(Reply::json(&json!({"data": [{"company": "a"}]})))).0;
    assert!(nameless.contains("`/data/0/number`"), "{nameless}");
    let optional = PEOPLE.replace("total: /total", "may_be_absent: true");
    let host = host(&optional).answers("GET", "/api/people", Reply::json(&json!({})));
    assert_eq!(count(&people(&host, None).unwrap().content), 0);
}

#[test]
fn the_table_of_errors_goes_before_the_status() {
    let spec = format!(
        "{PEOPLE}code: {{ at: /code, ok: [0, \"ok\"] }}\nerrors:\n  - {{ code: [88], is: rate_limited, wait: x-reset }}\n  \
         - {{ status: 403, code: [7], is: unauthorized, message: the key is spent, remedy: make a new key }}\n"
    );
    let told = |reply: Reply| {
        let host = host(&spec).answers("GET", "/api/people", reply);
        people(&host, None)
    };
    let coded = |code: Value| Reply::json(&json!({"code": code, "data": []}));
    assert!(told(coded(json!("ok"))).is_ok());
    assert_eq!(
        told(coded(json!(88)).with_header("X-Reset", "7")).unwrap_err(),
        Fault::RateLimited(7_000)
    );
    let (message, remedy) = advice(told(coded(json!(7)).with_status(403)).unwrap_err());
    assert_eq!(message, "`listings.employee`: the key is spent: HTTP 403 (code 7)");
    assert_eq!(remedy, "make a new key");
    assert!(matches!(told(coded(json!(9))).unwrap_err(), Fault::Invalid(it) if it.code == "9"));
    assert!(matches!(told(Reply::json(&json!({"data": []}))).unwrap_err(), Fault::Unavailable(_)));
    for (status, wanted) in [
        (401, "Unauthorized"),
        (403, "Forbidden"),
        (404, "NotFound"),
        (302, "Invalid"),
        (502, "Unavailable"),
    ] {
        let fault = told(coded(json!(0)).with_status(status)).unwrap_err();
        assert!(format!("{fault:?}").starts_with(wanted), "{status}: {fault:?}");
    }
    let busy = coded(json!(0)).with_status(429).with_header("Retry-After", "86400");
    assert_eq!(told(busy).unwrap_err(), Fault::RateLimited(300_000));
}

#[test]
fn a_token_is_asked_for_once_and_again_when_it_is_refused() {
    let spec = PEOPLE.replace(
        "auth: { bearer: token }",
        "auth: { oauth2: { path: /oauth/token, client_id: a b, scope: hr.read } }",
    );
    let host = Scripted::new(MANIFEST)
        .unwrap()
        .with_setting("base_url", "https://hr.example/api")
        .with_setting("auth_url", "https://login.example")
        .with_setting("spec", &spec)
        .with_secret("client_secret");
    let token = |token: &str| Reply::json(&json!({"access_token": token, "expires_in": 3600}));
    let page = Reply::json(&json!({"data": []}));
    let host = host
        .answers("POST", "/oauth/token", token("t-1"))
        .answers("GET", "/api/people", page.clone())
        .answers("GET", "/api/people", Reply::json(&json!({})).with_status(401))
        .answers("POST", "/oauth/token", token("t-2"))
        .answers("GET", "/api/people", page);
    people(&host, None).unwrap();
    people(&host, None).unwrap();
    let requests = host.requests();
    let form = String::from_utf8(requests[0].body.clone()).unwrap();
    assert_eq!(
        form,
        "grant_type=client_credentials&client_id=a%20b&client_secret={secret:client_secret}&scope=hr.read"
    );
    assert!(requests[4].headers.contains(&("Authorization".into(), "Bearer t-2".into())));
    assert_eq!(host.left(), 0);
}

#[test]
fn attendance_is_asked_in_the_form_of_the_api() {
    let spec = r#"
utc_offset: "+08:00"
attendance:
  check_in:
    people: 50
    days: 7
    request:
      post: /punches
      query: { from: "{start:date}", to: "{last:date}" }
      body: { users: "{people}", from: "{start}", until: "{end:unix_ms}", text: "from {start:datetime}" }
    items: /data
    id: [/user, /at]
"#;
    let host = host(spec).answers(
        "POST",
        "/api/punches",
        Reply::json(&json!({"data": [{"user": "é", "at": 1}]})),
    );
    let ask = |people: &[String]| {
        let window = Window { start: 1_774_918_800, end: 1_775_005_200 };
        <Rest as Attendance<_>>::enumerate(&host, Kind::CheckIn, people, window, None).unwrap()
    };
    assert_eq!(count(&ask(&[]).content), 0, "nobody is nobody");
    assert_eq!(count(&ask(&["é".to_owned(), "b\"".to_owned()]).content), 1);
    assert_eq!(urls(&host), ["https://hr.example/api/punches?from=2026-03-31&to=2026-04-01"]);
    let body: Value = serde_json::from_slice(&host.requests()[0].body).unwrap();
    let wanted = json!({"users": ["é", "b\""], "from": 1_774_918_800, "until": 1_775_005_200_000_i64,
        "text": "from 2026-03-31 09:00:00"});
    assert_eq!(body, wanted);
    assert_eq!(<Rest as Attendance<_>>::batches_for(&host)[0].people, 50);
}

#[test]
fn single_objects_are_read_and_missing_ones_left_out() {
    let spec = format!(
        "{PEOPLE}objects:\n  employee: {{ request: {{ get: \"/people/{{id}}\" }}, items: /data, id: [/company, /number] }}\n"
    );
    let host = host(&spec)
        .answers("GET", "/api/people/a%3A1", Reply::json(&json!({"data": person(1)})))
        .answers("GET", "/api/people/a%3A2", Reply::json(&json!({})).with_status(404));
    let found = <Rest as Directory<_>>::fetch(&host, Kind::Employee, &["a:1".into(), "a:2".into()])
        .unwrap();
    let Content::Built(items) = found else { panic!("nothing was built") };
    assert_eq!(items.len(), 1);
    assert_eq!(items[0].id, "a:1");
    let batch = spec.replace("/people/{id}\"", "/people/batch\", query: { id: \"{ids:repeat}\" }");
    let host = self::host(&batch).answers(
        "GET",
        "/api/people/batch",
        Reply::json(&json!({"data": [person(1)]})),
    );
    let found = <Rest as Directory<_>>::fetch(&host, Kind::Employee, &["a:1".into(), "a:2".into()])
        .unwrap();
    assert_eq!(count(&found), 1);
    assert_eq!(urls(&host), ["https://hr.example/api/people/batch?id=a%3A1&id=a%3A2"]);
}

#[test]
fn a_value_of_the_platform_never_becomes_a_secret() {
    let spec = PEOPLE.replace(
        "query: { limit: 100, cursor: \"{cursor}\" }",
        "headers: { X-Cursor: \"{cursor}\" }",
    );
    let host = host(&spec);
    let refused = advice(people(&host, Some("1 c{secret:token}")).unwrap_err()).0;
    assert!(refused.contains("looks like a placeholder"), "{refused}");
    assert!(host.requests().is_empty());
    let in_query =
        self::host(PEOPLE).answers("GET", "/api/people", Reply::json(&json!({"data": []})));
    people(&in_query, Some("1 c{secret:token}")).unwrap();
    assert!(urls(&in_query)[0].contains("cursor=%7Bsecret%3Atoken%7D"), "{:?}", urls(&in_query));
}

/// What is wrong with a description, as the probe tells it.
fn wrong(spec: &str) -> Vec<String> {
    let findings = <Rest as Plugin<_>>::probe(&host(spec)).unwrap();
    assert!(findings.iter().all(|finding| !finding.passed), "{findings:?}");
    let told = findings.into_iter().map(|it| format!("{}: {}", it.check, it.remedy.unwrap()));
    told.collect()
}

#[test]
fn a_description_is_judged_before_anything_is_sent_with_place_and_reason() {
    let misspelt = wrong(
        "listings:\n  employee:\n    request: { get: /people }\n    item: /data\n    id: /id\n",
    );
    assert!(
        misspelt[0].contains("line ") && misspelt[0].contains("unknown field `item`"),
        "{misspelt:?}"
    );
    let all = wrong(
        r#"
auth: { bearer: password, basic: basic }
utc_offset: 8
code: { at: code, ok: [] }
errors: [{ is: forbidden }]
listings:
  employee:
    per_department: true
    request: { get: "people?x=1", body: { a: "{cursor}" } }
    page: { by: page }
    items: data
    id: []
"#,
    );
    for (place, reason) in [
        ("auth", "names 2 ways"),
        ("auth.bearer", "`password` is no secret"),
        ("utc_offset", "+08:00"),
        ("code.at", "no JSON pointer"),
        ("code.ok", "lists no code"),
        ("errors[0]", "neither `status` nor `code`"),
        ("listings.employee.request", "sends a body with GET"),
        ("listings.employee.request", "is no path"),
        (
            "listings.employee.request.body.a",
            "`{cursor}` stands for nothing here; there is `{department}`, `{page}`",
        ),
        ("listings.employee.request", "does not use `{page}`"),
        ("listings.employee.request", "does not use `{department}`"),
        ("listings.employee.per_department", "needs `listings.department`"),
        ("listings.employee.items", "`data` is no JSON pointer"),
        ("listings.employee.id", "names no pointer"),
    ] {
        let start = format!("description, {place}: ");
        let found = all.iter().any(|one| one.starts_with(&start) && one.contains(reason));
        assert!(found, "{place} {reason}: {all:#?}");
    }
    let empty = wrong("");
    assert!(empty[0].contains("nothing is listed"), "{empty:?}");
}

#[test]
fn a_wrong_description_is_told_by_every_call() {
    let host = host("listings: 7");
    let (message, _) = advice(people(&host, None).unwrap_err());
    assert!(message.contains("the description in `spec` cannot be used: line"), "{message}");
    assert!(
        !<Rest as Directory<_>>::walks_for(&host).is_empty(),
        "nothing would be listed, and nobody would know"
    );
}

#[test]
fn the_probe_tries_each_listing_once() {
    let host = host(PEOPLE)
        .answers("GET", "/api/departments", Reply::json(&json!({"data": []})))
        .answers("GET", "/api/people", Reply::json(&json!({})).with_status(403));
    let findings = <Rest as Plugin<_>>::probe(&host).unwrap();
    let passed: Vec<bool> = findings.iter().map(|finding| finding.passed).collect();
    assert_eq!(passed, [true, true, false]);
    assert!(findings[2].remedy.as_ref().unwrap().contains("HTTP 403"));
}
