//! A guest that reshapes JSON itself: DingTalk's attendance days, each built of rows in the connector, of values that it asks
//! for one by one.

use std::sync::Arc;

use rollcall::app::SystemClock;
use rollcall::host::Connection;
use rollcall::model::entity::Entity;
use rollcall::model::ids::{SourceId, TenantId};
use rollcall::model::record::Window;
use rollcall::port::clock::Clock as _;
use rollcall::port::provider::Provider as _;
use rollcall_dingtalk::DingTalk;
use rollcall_sdk::{Attendance as _, Content, Kind, Page};
use simulator::Simulator;

use crate::host::{Answer, Native};
use crate::platform::{Platform, Timed, component_of, serve_company};
use crate::{everyone, show};

/// Days that one question covers.
const DAYS: i64 = 7;
/// People that one question is about.
const PEOPLE: usize = 50;
/// China's time, in seconds east of UTC.
const OFFSET: i64 = 8 * 3600;

/// A week that ends last midnight.
fn week() -> Window {
    let day = 24 * 3600;
    let end = (SystemClock.now_ms() / 1000 + OFFSET) / day * day - OFFSET;
    Window { start: end - DAYS * day, end }
}

/// Bytes of all days, read through the component.
async fn through_component(connection: &Connection, people: &[SourceId], window: Window) -> usize {
    let mut bytes = 0;
    for people in people.chunks(PEOPLE) {
        let mut cursor = None;
        loop {
            let list =
                connection.list_attendance(Entity::AttendanceDay, people, window, cursor.as_ref());
            let page = list.await.unwrap();
            bytes += page.records.iter().map(|record| record.payload.len()).sum::<usize>();
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
    }
    bytes
}

/// The same, natively.
fn natively(host: &Native, people: &[String], window: Window) -> usize {
    let window = rollcall_sdk::Window { start: window.start, end: window.end };
    let mut bytes = 0;
    for people in people.chunks(PEOPLE) {
        let mut cursor: Option<String> = None;
        loop {
            let page: Page<Answer> =
                DingTalk::enumerate(host, Kind::AttendanceDay, people, window, cursor.as_deref())
                    .unwrap();
            if let Content::Built(items) = page.content {
                bytes += items.iter().map(|item| item.payload.len()).sum::<usize>();
            }
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
    }
    bytes
}

/// Serves the platform until stdin closes.
pub(crate) async fn serve(people: u32) {
    let company = Simulator::builder().platform(simulator::Platform::DingTalk);
    let now = SystemClock.now_ms() / 1000;
    serve_company(company.people(people).seed(1).days(8).now(now)).await;
}

pub(crate) async fn compare(wanted: u32, rounds: usize) {
    let platform = Platform::start_with(&["dingtalk".to_owned(), wanted.to_string()]);
    let dir = tempfile::tempdir().unwrap();
    let tenant = TenantId::parse("bench").unwrap();
    let settings = [
        ("api_host", platform.url.as_str()),
        ("oapi_host", &platform.url),
        ("client_id", &platform.app_id),
        ("detail", "list"),
    ];
    let connection = Arc::new(component_of("dingtalk", &settings, &platform, dir.path(), tenant));
    let own = settings.map(|(name, value)| (name, value.to_owned()));
    let own = own.into_iter().chain([("utc_offset_minutes", "480".to_owned())]);
    let plain = Arc::new(Native::with(&platform, own.collect()));
    let mut ids = Vec::new();
    everyone(&connection, |id| ids.push(id)).await;
    ids.sort();
    ids.dedup();
    let texts: Arc<[String]> = ids.iter().map(|id| id.as_str().to_owned()).collect();
    let (ids, window) = (Arc::new(ids), week());
    let (mut native, mut wasm) = (Timed::default(), Timed::default());
    for round in 0..=rounds {
        let (plain, texts) = (plain.clone(), texts.clone());
        let work = move || natively(&plain, &texts, window);
        let work = async { tokio::task::spawn_blocking(work).await.unwrap() };
        let expected = native.time(work).await;
        let (connection, ids) = (connection.clone(), ids.clone());
        let pull = async move { through_component(&connection, &ids, window).await };
        let got = wasm.time(tokio::spawn(pull)).await.unwrap();
        assert_eq!(got, expected, "both build the same records");
        assert!(got > 0, "there is something to build");
        if round == 0 {
            [&mut native, &mut wasm].into_iter().for_each(Timed::warmed_up);
        }
    }
    show(&format!("attendance days of {} people", ids.len()), &native, &wasm);
}
