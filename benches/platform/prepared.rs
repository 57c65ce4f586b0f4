//! Answers prepared once: what the simulator said to a request is said again, so that no variant waits for it to write them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};

type Asked = (Method, String, Bytes);

struct Answers {
    origin: String,
    client: reqwest::Client,
    kept: Mutex<HashMap<Asked, Bytes>>,
}

/// Serves the simulator's answers from another address, which it gives back.
pub(crate) async fn serve(origin: &str) -> String {
    // Fails when it has been installed before.
    rustls::crypto::ring::default_provider().install_default().ok();
    let client = reqwest::Client::builder().build().unwrap();
    let answers = Answers { origin: origin.to_owned(), client, kept: Mutex::default() };
    let router = Router::new().fallback(answer).with_state(Arc::new(answers));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(axum::serve(listener, router).into_future());
    url
}

async fn answer(
    State(answers): State<Arc<Answers>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let asked = (method, uri.to_string(), body);
    let kept = answers.kept.lock().unwrap().get(&asked).cloned();
    if let Some(body) = kept {
        return json(body);
    }
    let (method, uri, body) = asked.clone();
    let request = answers.client.request(method, format!("{}{uri}", answers.origin)).body(body);
    let passed = [header::AUTHORIZATION, header::CONTENT_TYPE];
    let passed = passed.iter().filter_map(|name| Some((name, headers.get(name)?)));
    let request = passed.fold(request, |request, (name, value)| request.header(name, value));
    let reply = request.send().await.unwrap();
    let status = reply.status();
    let body = reply.bytes().await.unwrap();
    if status != StatusCode::OK {
        return (status, body).into_response();
    }
    answers.kept.lock().unwrap().insert(asked, body.clone());
    json(body)
}

fn json(body: Bytes) -> Response {
    ([(header::CONTENT_TYPE, "application/json; charset=utf-8")], body).into_response()
}
