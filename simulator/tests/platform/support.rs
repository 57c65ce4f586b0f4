//! A small client: a token when needed, a decoded answer, a walk over all pages.

use std::time::Duration;

use reqwest::{RequestBuilder, Response};
use serde_json::{Value, json};
use simulator::{Builder, Simulator};

pub(crate) struct Client {
    pub sim: Simulator,
    http: reqwest::Client,
    pub token: String,
}

/// An answer's status, headers of interest and body.
#[derive(Debug)]
pub(crate) struct Answer {
    pub status: u16,
    pub reset: Option<String>,
    pub log_id: Option<String>,
    pub body: Value,
}

impl Answer {
    pub(crate) fn code(&self) -> i64 {
        self.body["code"].as_i64().unwrap_or(-1)
    }

    pub(crate) fn data(&self) -> &Value {
        assert_eq!(self.code(), 0, "{}", self.body);
        &self.body["data"]
    }

    /// A list in `data`; a missing one is empty.
    pub(crate) fn list(&self, key: &str) -> Vec<Value> {
        self.data()[key].as_array().cloned().unwrap_or_default()
    }

    /// The list called `items`.
    pub(crate) fn items(&self) -> Vec<Value> {
        self.list("items")
    }
}

pub(crate) async fn start(builder: Builder) -> Client {
    let sim = builder.start("127.0.0.1:0").await.unwrap();
    // Fails when another test has installed it already.
    drop(rustls::crypto::ring::default_provider().install_default());
    let http = reqwest::Client::builder().timeout(Duration::from_secs(20)).build().unwrap();
    let mut client = Client { sim, http, token: String::new() };
    client.token = client.new_token().await;
    client
}

pub(crate) async fn company(people: u32) -> Client {
    start(Simulator::builder().people(people)).await
}

impl Client {
    pub(crate) fn url(&self, path: &str, query: &[(&str, &str)]) -> String {
        let mut encoded = form_urlencoded::Serializer::new(String::new());
        encoded.extend_pairs(query);
        format!("{}/open-apis/{path}?{}", self.sim.url(), encoded.finish())
    }

    pub(crate) async fn send(&self, request: RequestBuilder) -> reqwest::Result<Response> {
        request.send().await
    }

    async fn answer(&self, request: RequestBuilder) -> Answer {
        let response = self.send(request).await.unwrap();
        let header = |name| response.headers().get(name).map(|v| v.to_str().unwrap().to_owned());
        let status = response.status().as_u16();
        let (reset, log_id) = (header("x-ogw-ratelimit-reset"), header("x-tt-logid"));
        Answer { status, reset, log_id, body: response.json().await.unwrap() }
    }

    pub(crate) fn getting(&self, path: &str, query: &[(&str, &str)]) -> RequestBuilder {
        self.http.get(self.url(path, query)).bearer_auth(&self.token)
    }

    pub(crate) async fn get(&self, path: &str, query: &[(&str, &str)]) -> Answer {
        self.answer(self.getting(path, query)).await
    }

    pub(crate) async fn get_with(&self, path: &str, authorization: Option<&str>) -> Answer {
        let request = self.http.get(self.url(path, &[]));
        self.answer(match authorization {
            Some(value) => request.header("authorization", value),
            None => request,
        })
        .await
    }

    pub(crate) async fn post(&self, path: &str, query: &[(&str, &str)], body: &Value) -> Answer {
        self.answer(self.http.post(self.url(path, query)).bearer_auth(&self.token).json(body)).await
    }

    pub(crate) async fn ask_token(&self, id: &str, secret: &str) -> Answer {
        let body = json!({"app_id": id, "app_secret": secret});
        self.post("auth/v3/tenant_access_token/internal", &[], &body).await
    }

    pub(crate) async fn new_token(&self) -> String {
        let answer = self.ask_token(self.sim.app_id(), self.sim.app_secret()).await;
        answer.body["tenant_access_token"].as_str().unwrap().to_owned()
    }

    /// All items of a listing, page by page.
    pub(crate) async fn walk(&self, path: &str, query: &[(&str, &str)]) -> Vec<Value> {
        let mut items = Vec::new();
        let mut token = String::new();
        loop {
            let mut query = query.to_vec();
            if !token.is_empty() {
                query.push(("page_token", &token));
            }
            let answer = self.get(path, &query).await;
            items.extend(answer.items());
            let more = answer.data()["has_more"].as_bool().unwrap();
            match answer.data()["page_token"].as_str() {
                Some(next) if more => token = next.to_owned(),
                Some(_) | None => {
                    assert!(!more, "more without a token");
                    return items;
                }
            }
        }
    }

    /// Every department below the root.
    pub(crate) async fn tree(&self) -> Vec<Value> {
        self.walk(
            "contact/v3/departments/0/children",
            &[("fetch_child", "true"), ("page_size", "50")],
        )
        .await
    }

    /// The people directly in a department.
    pub(crate) async fn members(&self, open_department_id: &str) -> Vec<Value> {
        let query = [("department_id", open_department_id), ("page_size", "50")];
        self.walk("contact/v3/users/find_by_department", &query).await
    }

    /// Some people's ids, of the root and the first departments.
    pub(crate) async fn user_ids(&self, most: usize) -> Vec<String> {
        let mut ids = Vec::new();
        let tree = self.tree().await;
        let departments = tree.iter().map(|dept| text(dept, "open_department_id"));
        for dept in std::iter::once("0".to_owned()).chain(departments) {
            let users = self.members(&dept).await;
            let main = |user: &&Value| user["department_ids"][0] == dept.as_str();
            ids.extend(users.iter().filter(main).map(|user| text(user, "user_id")));
            if ids.len() >= most {
                break;
            }
        }
        ids.truncate(most);
        ids
    }

    pub(crate) async fn flows(&self, user_ids: &[String], from: i64, to: i64) -> Answer {
        let body = json!({
            "user_ids": user_ids,
            "check_time_from": from.to_string(),
            "check_time_to": to.to_string(),
        });
        self.post("attendance/v1/user_flows/query", &[("employee_type", "employee_id")], &body)
            .await
    }

    pub(crate) async fn tasks(&self, user_ids: &[String], from: i64, to: i64) -> Answer {
        let body = json!({"user_ids": user_ids, "check_date_from": from, "check_date_to": to});
        self.post("attendance/v1/user_tasks/query", &[("employee_type", "employee_id")], &body)
            .await
    }
}

pub(crate) fn text(value: &Value, key: &str) -> String {
    value[key].as_str().unwrap_or_else(|| panic!("no text `{key}` in {value}")).to_owned()
}
