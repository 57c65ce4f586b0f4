//! A small client of both generations: a token when needed, a decoded answer, a walk over the tree.

use std::time::Duration;

use serde_json::{Value, json};
use simulator::{Builder, Platform, Simulator};

pub(crate) struct Client {
    pub sim: Simulator,
    http: reqwest::Client,
    pub token: String,
}

pub(crate) fn company(people: u32) -> Builder {
    Simulator::builder().platform(Platform::DingTalk).people(people)
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

impl Client {
    pub(crate) async fn new_token(&self) -> String {
        let (id, secret) = (self.sim.app_id(), self.sim.app_secret());
        let path = format!("gettoken?appkey={id}&appsecret={secret}");
        self.get(&path).await["access_token"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        self.decode(self.http.get(format!("{}/{path}", self.sim.url()))).await
    }

    /// An old call with the token in its address and a JSON body.
    pub(crate) async fn old(&self, path: &str, body: Value) -> Value {
        let url = format!("{}/{path}?access_token={}", self.sim.url(), self.token);
        self.decode(self.http.post(url).json(&body)).await
    }

    /// A new call with the token in its header; gives the status too.
    pub(crate) async fn new_post(&self, path: &str, body: Value) -> (u16, Value) {
        let request = self.http.post(format!("{}/v1.0/{path}", self.sim.url())).json(&body);
        self.answer(request.header("x-acs-dingtalk-access-token", &self.token)).await
    }

    pub(crate) async fn new_get(&self, path: &str) -> (u16, Value) {
        let request = self.http.get(format!("{}/v1.0/{path}", self.sim.url()));
        self.answer(request.header("x-acs-dingtalk-access-token", &self.token)).await
    }

    async fn decode(&self, request: reqwest::RequestBuilder) -> Value {
        let (status, body) = self.answer(request).await;
        assert_eq!(status, 200, "{body}");
        body
    }

    pub(crate) async fn answer(&self, request: reqwest::RequestBuilder) -> (u16, Value) {
        let response = request.send().await.unwrap();
        (response.status().as_u16(), response.json().await.unwrap())
    }

    /// Every department below the root, as the listing shows them.
    pub(crate) async fn tree(&self) -> Vec<Value> {
        let (mut found, mut open) = (Vec::new(), vec![json!(1)]);
        while let Some(id) = open.pop() {
            let answer = self.old("topapi/v2/department/listsub", json!({"dept_id": id})).await;
            for child in answer["result"].as_array().unwrap() {
                open.push(child["dept_id"].clone());
                found.push(child.clone());
            }
        }
        found
    }

    /// Those directly in a department.
    pub(crate) async fn members(&self, dept: &Value) -> Vec<Value> {
        let (mut found, mut cursor) = (Vec::new(), json!(0));
        loop {
            let body = json!({"dept_id": dept, "cursor": cursor, "size": 30});
            let answer = self.old("topapi/v2/user/list", body).await;
            let result = &answer["result"];
            found.extend(result["list"].as_array().unwrap().iter().cloned());
            if result["has_more"] != true {
                assert_eq!(result.get("next_cursor"), None);
                return found;
            }
            cursor = result["next_cursor"].clone();
        }
    }

    /// Everyone's `userid`, each once.
    pub(crate) async fn everyone(&self) -> Vec<String> {
        let tree = self.tree().await;
        let mut ids = std::collections::BTreeSet::new();
        for dept in [json!(1)].iter().chain(tree.iter().map(|dept| &dept["dept_id"])) {
            let members = self.members(dept).await;
            ids.extend(members.iter().map(|user| user["userid"].as_str().unwrap().to_owned()));
        }
        ids.into_iter().collect()
    }
}

/// The code that counts: the gateway's inner one, or the one that stands alone.
pub(crate) fn code(answer: &Value) -> i64 {
    match answer["sub_code"].as_str() {
        Some(inner) => inner.parse().unwrap(),
        None => answer["errcode"].as_i64().unwrap(),
    }
}
