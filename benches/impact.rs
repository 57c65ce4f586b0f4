//! The impact of an edit over everybody: 100,000 stored people mapped by two generations and compared, against mapping the
//! same records once, in the same run. `cargo bench --bench impact -- [people]`.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement, read on stdout")]

#[path = "../tests/promises/kept.rs"]
mod kept;
mod users;

use std::sync::Arc;
use std::time::Instant;

use rollcall::app::peak_rss_bytes;
use rollcall::mapping::{Files, Generation};
use rollcall::model::entity::Entity;
use rollcall::model::ids::{ConnectionId, TenantId};
use rollcall::port::mapper::Mapper;
use rollcall::state::{Options, SledStore};
use rollcall::sync::impact::{Sides, measure};
use rollcall::sync::ledger::Ledger;

const SCRIPT: &str = include_str!("../mappings/feishu/employee.rhai");
const TABLES: &str = include_str!("../mappings/feishu/tables.yaml");

fn mapper(script: &str) -> Arc<dyn Mapper> {
    let files = Files::from_memory("feishu", [("employee.rhai", script), ("tables.yaml", TABLES)]);
    let connection = ConnectionId::parse("feishu").unwrap();
    Generation::load(&files, None).unwrap().mapper(&connection, "Asia/Shanghai", "CN").unwrap()
}

fn main() {
    let people = std::env::args().find_map(|arg| arg.parse().ok()).unwrap_or(100_000);
    let dir = tempfile::tempdir().unwrap();
    let state = Arc::new(SledStore::open(&dir.path().join("state"), Options::default()).unwrap());
    let tenant = TenantId::parse("bench").unwrap();
    let ledger = Ledger::open(state, &tenant, &ConnectionId::parse("feishu").unwrap()).unwrap();
    let users = users::users(people).enumerate().map(|(n, user)| (format!("u{n:07}"), user));
    kept::keep(&ledger, Entity::Employee, users);
    ledger.store().flush().unwrap();
    let (old, new) = (mapper(SCRIPT), mapper(&SCRIPT.replace("\"active\"\n", "\"on_leave\"\n")));
    let started = Instant::now();
    let mut mapped = 0;
    for frame in ledger.frames(Entity::Employee, None) {
        mapped += old.map(Entity::Employee, &frame.unwrap().1).len();
    }
    let plain = started.elapsed();
    assert_eq!(mapped, people);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let started = Instant::now();
    let told = measure(&ledger, Sides { old: &*old, new: &*new }, None, cores).unwrap();
    let impact = started.elapsed();
    assert_eq!(told[0].records, people as u64);
    println!("{people} people, {} change, on {cores} cores", told[0].changed);
    println!("mapped once on one core  {:>8.3} s", plain.as_secs_f64());
    println!("impact                   {:>8.3} s", impact.as_secs_f64());
    println!("ratio                    {:>8.2}", impact.as_secs_f64() / plain.as_secs_f64());
    println!("peak memory              {:>8} MB", peak_rss_bytes() >> 20);
}
