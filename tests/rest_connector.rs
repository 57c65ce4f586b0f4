//! A connector without Rust or a compiler: the example of `examples/rest` against an API, by the real binary, into SQLite.
#![cfg(test)]

use std::path::Path;
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};

use axum::extract::{Path as Part, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use axum::{Json, Router};
use rusqlite::Connection;
use serde_json::{Value, json};
use tempfile::TempDir;

/// What the API holds, and what it was asked.
#[derive(Default)]
struct Api {
    people: u32,
    /// Ends the listing of people after its first page, but goes on counting them all.
    cut: bool,
    tokens: u32,
    /// The token in force is refused once.
    spent: bool,
}

type Shared = Arc<Mutex<Api>>;

const DEPARTMENTS: u32 = 3;

fn department(number: u32) -> Value {
    let parent = (number > 0).then_some("d0");
    json!({"id": format!("d{number}"), "name": format!("Department {number}"), "parent_id": parent})
}

fn person(number: u32) -> Value {
    let state = if number == 7 { "left" } else { "active" };
    let department = format!("d{}", number % DEPARTMENTS);
    json!({"id": format!("p/{number}"), "name": format!("Person {number} \u{1f600}"), "department_id": department, "state": state})
}

/// Whether the request carries the token in force.
fn authorised(api: &mut Api, headers: &HeaderMap) -> bool {
    let wanted = format!("Bearer t-{}", api.tokens);
    let given = headers.get("authorization").and_then(|value| value.to_str().ok());
    !std::mem::take(&mut api.spent) && given == Some(wanted.as_str())
}

type Answer = Result<Json<Value>, StatusCode>;
type Asked = Query<std::collections::BTreeMap<String, String>>;

async fn token(State(api): State<Shared>, body: String) -> Answer {
    if !body.contains("client_secret=example-secret") {
        return Err(StatusCode::UNAUTHORIZED);
    }
    let mut api = api.lock().unwrap();
    api.tokens += 1;
    Ok(Json(json!({"access_token": format!("t-{}", api.tokens), "expires_in": 3600})))
}

async fn departments(State(api): State<Shared>, headers: HeaderMap) -> Answer {
    if !authorised(&mut api.lock().unwrap(), &headers) {
        return Err(StatusCode::UNAUTHORIZED);
    }
    let all: Vec<Value> = (0..DEPARTMENTS).map(department).collect();
    Ok(Json(json!({"data": all, "next": null, "total": DEPARTMENTS})))
}

async fn people(State(api): State<Shared>, headers: HeaderMap, query: Asked) -> Answer {
    let mut api = api.lock().unwrap();
    if !authorised(&mut api, &headers) {
        return Err(StatusCode::UNAUTHORIZED);
    }
    let from: u32 = query.get("cursor").map_or(0, |cursor| cursor.parse().unwrap());
    let to = (from + 200).min(api.people);
    let next = (to < api.people && !api.cut).then(|| to.to_string());
    let page: Vec<Value> = (from..to).map(person).collect();
    Ok(Json(json!({"data": page, "next": next, "total": api.people})))
}

async fn punches(State(api): State<Shared>, headers: HeaderMap, Json(body): Json<Value>) -> Answer {
    if !authorised(&mut api.lock().unwrap(), &headers) {
        return Err(StatusCode::UNAUTHORIZED);
    }
    let (from, until) = (body["from"].as_i64().unwrap(), body["until"].as_i64().unwrap());
    // Everybody punched yesterday, whichever window is asked for.
    let at = jiff::Timestamp::now().as_second().div_euclid(86_400) * 86_400 - 82_800;
    let punch = |id: &Value| {
        let id = id.as_str()?;
        (from..until)
            .contains(&at)
            .then(|| json!({"id": format!("{id}-{at}"), "person_id": id, "at": at}))
    };
    let found: Vec<Value> = body["people"].as_array().unwrap().iter().filter_map(punch).collect();
    Ok(Json(json!({"data": found})))
}

async fn one(Part(id): Part<String>) -> Answer {
    id.strip_prefix("p/")
        .and_then(|number| number.parse().ok())
        .map(|number| Json(person(number)))
        .ok_or(StatusCode::NOT_FOUND)
}

/// An installation whose only connection is the example.
struct Rig {
    dir: TempDir,
    api: Shared,
}

impl Rig {
    async fn start(people_there: u32) -> Self {
        let api: Shared = Arc::new(Mutex::new(Api { people: people_there, ..Api::default() }));
        let router = Router::new()
            .route("/oauth/token", post(token))
            .route("/api/v2/departments", get(departments))
            .route("/api/v2/people", get(people))
            .route("/api/v2/people/{id}", get(one))
            .route("/api/v2/punches/search", post(punches))
            .with_state(Arc::clone(&api));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        tokio::spawn(async move { axum::serve(listener, router).await });
        let rig = Self { dir: tempfile::tempdir().unwrap(), api };
        rig.install(&address);
        rig
    }

    /// The files of the example, with the addresses of this machine.
    fn install(&self, address: &str) {
        let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/rest");
        let to = self.dir.path();
        copy(&example.join("mappings"), &to.join("mappings"));
        for folder in ["plugins", "specs", "tenants"] {
            std::fs::create_dir(to.join(folder)).unwrap();
        }
        let plugin = Path::new(env!("CARGO_MANIFEST_DIR")).join("plugins/rest.wasm");
        std::fs::copy(plugin, to.join("plugins/rest.wasm")).unwrap();
        std::fs::copy(example.join("people.yaml"), to.join("specs/people.yaml")).unwrap();
        std::fs::write(to.join("secret"), "example-secret").unwrap();
        std::fs::write(
            to.join("rollcall.yaml"),
            format!(
                "listen: 127.0.0.1:0\ncases: gate\ncache: {}/compiled\n",
                env!("CARGO_TARGET_TMPDIR")
            ),
        )
        .unwrap();
        let mut tenant = std::fs::read_to_string(example.join("tenant.yaml")).unwrap();
        for (written, here) in [
            ("https://hr.example.com", format!("http://{address}")),
            ("https://login.example.com", format!("http://{address}")),
            ("hosts: [hr.example.com, login.example.com]", format!("private: [{address:?}]")),
            ("env:PEOPLE_CLIENT_SECRET", "file:secret".to_owned()),
            ("data/acme/ehr.db", "ehr.db".to_owned()),
        ] {
            assert!(tenant.contains(written), "{written}");
            tenant = tenant.replace(written, &here);
        }
        std::fs::write(to.join("tenants/acme.yaml"), tenant).unwrap();
    }

    async fn run(&self, args: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rollcall"));
        command.arg("--config").arg(self.dir.path().join("rollcall.yaml")).args(args);
        tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
    }

    async fn sync(&self) -> Value {
        let output = self.run(&["sync", "--format", "json"]).await;
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|_| panic!("{}: {errors}", output.status))
    }

    fn count(&self, query: &str) -> u32 {
        let ehr = Connection::open(self.dir.path().join("ehr.db")).unwrap();
        ehr.query_row(query, [], |row| row.get(0)).unwrap()
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_described_in_yaml_fills_the_ehr_and_a_second_run_writes_nothing() {
    let rig = Rig::start(450).await;
    rig.sync().await;
    assert_eq!(rig.count("select count(*) from departments"), DEPARTMENTS);
    assert_eq!(rig.count("select count(*) from employees where status = 'active'"), 449);
    assert_eq!(rig.count("select count(*) from employees where display_name like '% 😀'"), 450);
    assert!(rig.count("select count(*) from check_ins") >= 450);
    let changed = "select count(*) from employees where external_id = 'people:employee:p/7' and status = 'terminated'";
    assert_eq!(rig.count(changed), 1);
    rig.api.lock().unwrap().spent = true;
    let again = rig.sync().await;
    let written = again[0]["written"].as_object().unwrap();
    assert!(written.values().all(|count| count == 0), "{again}");
    assert!(again[0]["pulled"]["employee"] == 450, "{again}");
    assert_eq!(rig.api.lock().unwrap().tokens, 3, "a refused token is replaced once");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listing_that_the_api_cuts_short_ends_nobody() {
    let rig = Rig::start(450).await;
    rig.sync().await;
    rig.api.lock().unwrap().cut = true;
    let run = rig.sync().await;
    assert!(run[0]["doubts"]["employee"].to_string().contains("total"), "{run}");
    assert_eq!(rig.count("select count(*) from employees where status = 'active'"), 449);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mistake_in_the_description_is_told_with_its_line() {
    let rig = Rig::start(1).await;
    let spec = rig.dir.path().join("specs/people.yaml");
    let text = std::fs::read_to_string(&spec).unwrap();
    std::fs::write(&spec, text.replace("items: /data", "item: /data")).unwrap();
    let output = rig.run(&["sync"]).await;
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    assert!(errors.contains("unknown field `item`") && errors.contains("line "), "{errors}");
}
