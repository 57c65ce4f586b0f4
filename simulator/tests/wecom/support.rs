//! A small client: a token for each secret, a decoded answer.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};
use simulator::{Builder, Platform, Simulator};

pub(crate) const APP: &str = "simulator-app-0001";
pub(crate) const CONTACTS: &str = "simulator-contacts-0001";

pub(crate) struct Client {
    pub sim: Simulator,
    http: reqwest::Client,
}

pub(crate) fn company(people: u32) -> Builder {
    Simulator::builder().platform(Platform::WeCom).people(people)
}

pub(crate) async fn start(builder: Builder) -> Client {
    let sim = builder.start("127.0.0.1:0").await.unwrap();
    // Fails when another test has installed it already.
    drop(rustls::crypto::ring::default_provider().install_default());
    let http = reqwest::Client::builder().timeout(Duration::from_secs(20)).build().unwrap();
    Client { sim, http }
}

impl Client {
    /// The answer to a call without a token.
    pub(crate) async fn bare(&self, path: &str) -> Value {
        self.decode(self.http.get(format!("{}/cgi-bin/{path}", self.sim.url()))).await
    }

    pub(crate) async fn token(&self, secret: &str) -> String {
        let path = format!("gettoken?corpid={}&corpsecret={secret}", self.sim.app_id());
        self.bare(&path).await["access_token"].as_str().unwrap().to_owned()
    }

    /// A call with the token of a secret; `path` may have a query.
    pub(crate) async fn get_as(&self, secret: &str, path: &str) -> Value {
        let mark = if path.contains('?') { '&' } else { '?' };
        let token = self.token(secret).await;
        self.bare(&format!("{path}{mark}access_token={token}")).await
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        self.get_as(APP, path).await
    }

    pub(crate) async fn post_as(&self, secret: &str, path: &str, body: Value) -> Value {
        let token = self.token(secret).await;
        let url = format!("{}/cgi-bin/{path}?access_token={token}", self.sim.url());
        self.decode(self.http.post(url).json(&body)).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Value {
        self.post_as(APP, path, body).await
    }

    async fn decode(&self, request: reqwest::RequestBuilder) -> Value {
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200);
        response.json().await.unwrap()
    }

    /// The ids of all departments, the company's first.
    pub(crate) async fn departments(&self) -> Vec<u64> {
        let tree = self.get("department/list").await;
        let list = tree["department"].as_array().unwrap();
        list.iter().map(|dept| dept["id"].as_u64().unwrap()).collect()
    }

    /// Everyone, each once, as the departments list them.
    pub(crate) async fn everyone(&self) -> Vec<Value> {
        let (mut seen, mut found) = (BTreeSet::new(), Vec::new());
        for id in self.departments().await {
            let answer = self.get(&format!("user/list?department_id={id}")).await;
            for user in answer["userlist"].as_array().unwrap() {
                if seen.insert(user["userid"].as_str().unwrap().to_owned()) {
                    found.push(user.clone());
                }
            }
        }
        found
    }

    /// Accounts in hundreds.
    pub(crate) async fn accounts(&self) -> Vec<Vec<String>> {
        let ids: Vec<String> = self
            .everyone()
            .await
            .iter()
            .map(|user| user["userid"].as_str().unwrap().to_owned())
            .collect();
        ids.chunks(100).map(<[String]>::to_vec).collect()
    }
}

/// Of a span, for some people.
pub(crate) fn asked(people: &[String], from: i64, to: i64) -> Value {
    json!({"opencheckindatatype": 3, "starttime": from, "endtime": to, "useridlist": people})
}
