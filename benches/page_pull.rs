//! Pulling everyone through the component against the same connector code compiled natively.
//!
//! `cargo bench --bench page_pull -- [PEOPLE] [ROUNDS]` (100,000 and 5). Both read the same pages one after the other over
//! the same HTTP client library and slice them into records with the same code: the component is called from a task, as in
//! the daemon, the native code blocks a thread of its own. Ratios are between medians of one run, wall time and CPU. Then
//! the same of a connector that builds its records itself, for a twentieth of the people.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a benchmark prints, and fails loudly"
)]

mod host;
mod median;
mod platform;
mod reshape;

use std::sync::Arc;

use host::Native;
use median::median;
use platform::{Platform, Timed, component, serve};
use rollcall::host::Connection;
use rollcall::model::entity::Entity;
use rollcall::model::ids::{SourceId, TenantId};
use rollcall::model::record::Page;
use rollcall::port::provider::Provider as _;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Everything through the component: departments, then the people of each. Returns how many records came.
async fn everyone(connection: &Connection, mut take: impl FnMut(SourceId)) -> usize {
    let mut departments = Vec::new();
    let mut total = 0;
    let mut cursor = None;
    loop {
        let page: Page = connection.list(Entity::Department, None, cursor.as_ref()).await.unwrap();
        departments.extend(page.records.into_iter().map(|record| Some(record.id)));
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    departments.push(None);
    for department in &departments {
        let department: Option<&SourceId> = department.as_ref();
        let mut cursor = None;
        loop {
            let page =
                connection.list(Entity::Employee, department, cursor.as_ref()).await.unwrap();
            total += page.records.len();
            page.records.into_iter().for_each(|record| take(record.id));
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
    }
    total + departments.len()
}

async fn compare(people: u32, rounds: usize) {
    let platform = Platform::start(people);
    let dir = tempfile::tempdir().unwrap();
    let tenant = TenantId::parse("bench").unwrap();
    let connection = Arc::new(component(&platform, dir.path(), tenant));
    let plain = Arc::new(Native::new(&platform));
    let (mut native, mut wasm) = (Timed::default(), Timed::default());
    for round in 0..=rounds {
        let plain = plain.clone();
        let expected = native
            .time(async { tokio::task::spawn_blocking(move || plain.pull()).await.unwrap() })
            .await;
        let connection = connection.clone();
        let pull = async move { everyone(&connection, drop).await };
        let got = wasm.time(tokio::spawn(pull)).await.unwrap();
        assert_eq!(got, expected, "both read the same records");
        if round == 0 {
            [&mut native, &mut wasm].into_iter().for_each(Timed::warmed_up);
        }
    }
    show("pages of everyone", &native, &wasm);
}

fn show(what: &str, native: &Timed, wasm: &Timed) {
    println!("{what:<34}{:>10}{:>10}{:>10}{:>10}", "wall s", "cpu s", "x wall", "x cpu");
    for (name, timed) in [("native", native), ("component", wasm)] {
        let (wall, cpu) = (median(&timed.wall), median(&timed.cpu));
        let (by_wall, by_cpu) = (wall / median(&native.wall), cpu / median(&native.cpu));
        println!("{name:<34}{wall:>10.3}{cpu:>10.3}{by_wall:>10.2}{by_cpu:>10.2}");
    }
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with("--")).collect();
    let number = |at: usize, default: u32| {
        args.get(at).and_then(|text| text.parse().ok()).unwrap_or(default)
    };
    let runtime = rollcall::app::runtime().unwrap();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    match words[..] {
        ["serve", "dingtalk", ..] => runtime.block_on(reshape::serve(number(2, 1000))),
        ["serve", ..] => runtime.block_on(serve(number(1, 1000))),
        _ => {
            let (people, rounds) = (number(0, 100_000), number(1, 5) as usize);
            runtime.block_on(compare(people, rounds));
            runtime.block_on(reshape::compare(people / 20, rounds));
        }
    }
}
