//! The floor: what a hand-written sequential loop reaches with no plugin, no state, no change detection and no retries.

#![expect(clippy::unwrap_used, reason = "a set-up that fails is a test that fails")]

use std::path::Path;

use rusqlite::Connection;
use serde::Deserialize;
use serde_json::value::RawValue;

#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow)]
    data: Page<'a>,
}

#[derive(Deserialize)]
struct Page<'a> {
    has_more: bool,
    #[serde(rename = "page_token")]
    next: Option<String>,
    #[serde(borrow, default)]
    items: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
struct Token {
    #[serde(rename = "tenant_access_token")]
    text: String,
}

#[derive(Deserialize)]
struct Department {
    #[serde(rename = "open_department_id")]
    id: String,
    name: String,
    #[serde(rename = "parent_department_id")]
    parent: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
#[expect(clippy::struct_excessive_bools, reason = "the platform's own shape")]
struct Status {
    is_frozen: bool,
    is_resigned: bool,
    is_activated: bool,
    is_exited: bool,
    is_unjoin: bool,
}

#[derive(Deserialize)]
struct User {
    #[serde(rename = "user_id")]
    id: String,
    name: String,
    en_name: Option<String>,
    nickname: Option<String>,
    mobile: Option<String>,
    email: Option<String>,
    enterprise_email: Option<String>,
    employee_no: Option<String>,
    employee_type: Option<i64>,
    job_title: Option<String>,
    gender: Option<i64>,
    #[serde(default)]
    department_ids: Vec<String>,
    leader_user_id: Option<String>,
    join_time: Option<i64>,
    #[serde(default)]
    status: Status,
}

/// Reads everything and writes one row a record. Returns how many distinct records there were.
pub(crate) async fn sync(url: &str, app_id: &str, app_secret: &str, file: &Path) -> u64 {
    // Fails when a plugin host has installed it before.
    rustls::crypto::ring::default_provider().install_default().ok();
    let client = reqwest::Client::builder().build().unwrap();
    let body = serde_json::json!({"app_id": app_id, "app_secret": app_secret}).to_string();
    let login = format!("{url}/open-apis/auth/v3/tenant_access_token/internal");
    let answer = client
        .post(login)
        .header("content-type", "application/json")
        .body(body)
        .send()
        .await
        .unwrap();
    let token: Token = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
    let get = async |path: String| {
        let request = client.get(format!("{url}/open-apis/contact/v3/{path}"));
        let answer = request.bearer_auth(&token.text).send().await.unwrap();
        answer.error_for_status().unwrap().bytes().await.unwrap()
    };
    let mut db = open(file);
    let mut departments = vec!["0".to_owned()];
    let mut next = Some(String::new());
    while let Some(token) = next {
        let bytes =
            get(format!("departments/0/children?fetch_child=true&page_size=50{token}")).await;
        let page: Answer<'_> = serde_json::from_slice(&bytes).unwrap();
        let tx = db.transaction().unwrap();
        for item in &page.data.items {
            let department: Department = serde_json::from_str(item.get()).unwrap();
            let doc = serde_json::json!({"name": department.name, "parent": department.parent});
            let sql = "insert or replace into department values (?1, ?2)";
            tx.execute(sql, (&department.id, doc.to_string())).unwrap();
            departments.push(department.id);
        }
        tx.commit().unwrap();
        next = follow(&page.data);
    }
    for department in &departments {
        let mut next = Some(String::new());
        while let Some(token) = next {
            let path = format!(
                "users/find_by_department?department_id={department}&user_id_type=user_id&page_size=50{token}"
            );
            let bytes = get(path).await;
            let page: Answer<'_> = serde_json::from_slice(&bytes).unwrap();
            store(&mut db, &page.data.items);
            next = follow(&page.data);
        }
    }
    let count = |table: &str| -> u64 {
        db.query_row(&format!("select count(*) from {table}"), [], |row| row.get::<_, i64>(0))
            .unwrap()
            .try_into()
            .unwrap()
    };
    count("department") + count("employee")
}

fn open(file: &Path) -> Connection {
    let db = Connection::open(file).unwrap();
    db.execute_batch(
        "pragma journal_mode = wal; pragma synchronous = normal;
         create table employee (id text primary key, doc text); create table department (id text primary key, doc text);",
    )
    .unwrap();
    db
}

fn follow(page: &Page<'_>) -> Option<String> {
    let token = page.next.as_ref().filter(|_| page.has_more)?;
    let encoded = percent_encoding::utf8_percent_encode(token, percent_encoding::NON_ALPHANUMERIC);
    Some(format!("&page_token={encoded}"))
}

fn store(db: &mut Connection, items: &[&RawValue]) {
    let tx = db.transaction().unwrap();
    {
        let sql = "insert into employee values (?1, ?2) on conflict (id) do update set doc = excluded.doc";
        let mut statement = tx.prepare(sql).unwrap();
        for item in items {
            let user: User = serde_json::from_str(item.get()).unwrap();
            statement.execute((&user.id, map(&user))).unwrap();
        }
    }
    tx.commit().unwrap();
}

fn map(user: &User) -> String {
    let text = |value: &Option<String>| {
        value.as_deref().map(str::trim).filter(|s| !s.is_empty()).map(str::to_owned)
    };
    let mobile = text(&user.mobile).map(|raw| {
        let digits: String = raw.chars().filter(char::is_ascii_digit).collect();
        if raw.starts_with('+') { format!("+{digits}") } else { format!("+86{digits}") }
    });
    let status = match &user.status {
        Status { is_resigned: true, .. } | Status { is_exited: true, .. } => "terminated",
        Status { is_frozen: true, .. } => "suspended",
        Status { is_unjoin: true, .. } | Status { is_activated: false, .. } => "pending",
        _ => "active",
    };
    let employment = match user.employee_type {
        Some(1) => "full_time",
        Some(2) => "intern",
        Some(4) => "contractor",
        _ => "other",
    };
    let start =
        user.join_time.filter(|&at| at > 0).and_then(|at| jiff::Timestamp::from_second(at).ok());
    serde_json::json!({
        "external_id": format!("feishu:employee:{}", user.id),
        "employee_number": text(&user.employee_no),
        "display_name": user.name.trim(),
        "alias": text(&user.nickname),
        "english_name": text(&user.en_name),
        "mobile": mobile,
        "work_email": text(&user.enterprise_email).or(text(&user.email)),
        "department_external_ids": user.department_ids.iter().map(|id| format!("feishu:department:{id}")).collect::<Vec<_>>(),
        "manager_external_id": text(&user.leader_user_id).map(|id| format!("feishu:employee:{id}")),
        "job_title": text(&user.job_title),
        "employment_type": employment,
        "status": status,
        "start_date": start.map(|at| at.strftime("%Y-%m-%d").to_string()),
        "gender": match user.gender { Some(1) => "male", Some(2) => "female", Some(3) => "other", _ => "unspecified" },
    })
    .to_string()
}
