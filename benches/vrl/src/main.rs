//! One mapping of nineteen fields: by hand in Rust, as a compiled mapping, with a loop that only the interpreter knows before
//! it and around it, and in VRL.
//!
//! JSON text in, JSON text out; the mappings check their output against the schema and hash it besides, which the others do
//! not. Every variant's output is compared with the hand-written one before anything is measured. Variants take turns in
//! every round, the median of the rounds counts, and only the ratios mean something on a shared machine. With the names of
//! variants as arguments only those run, for a profiler.

#[path = "../../by_hand/mod.rs"]
mod by_hand;
#[path = "../../clock/mod.rs"]
mod clock;
#[path = "../../median/mod.rs"]
mod median;
#[path = "../../users/mod.rs"]
mod users;

use std::collections::BTreeMap;
use std::error::Error;
use std::hint::black_box;
use std::sync::Arc;

use clock::cpu_ns;
use median::median;
use rollcall::mapping::{Files, Generation};
use rollcall::model::entity::Entity;
use rollcall::model::ids::{ConnectionId, SourceId};
use rollcall::model::record::Record;
use rollcall::port::mapper::{Mapped, Mapper};
use vrl::compiler::runtime::Runtime;
use vrl::compiler::{Program, TargetValue, TimeZone};
use vrl::value::{Secrets, Value};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const RECORDS: usize = 20_000;
const COMPARED: usize = 2_000;
const ROUNDS: usize = 9;
/// Records a call, as the sync hands them over.
const BATCH: usize = 50;

type Outcome<T> = Result<T, Box<dyn Error>>;
/// Maps records, and hands each one's JSON to the sink.
type Variant<'a> = Box<dyn FnMut(&[Record], &mut dyn FnMut(&[u8])) + 'a>;

fn main() -> Outcome<()> {
    let records = records()?;
    let compiled = mapper(by_hand::SCRIPT)?;
    let (after_a_loop, in_a_loop) = (mapper(&by_hand::after_a_loop())?, mapper(&by_hand::in_a_loop())?);
    let mut variants: Vec<(&str, Variant<'_>)> = vec![
        ("by hand", Box::new(by_hand)),
        ("compiled", Box::new(|records, sink| through(compiled.as_ref(), records, sink))),
        ("after a loop", Box::new(|records, sink| through(after_a_loop.as_ref(), records, sink))),
        ("all in a loop", Box::new(|records, sink| through(in_a_loop.as_ref(), records, sink))),
        ("vrl", vrl()?),
    ];
    verify(&mut variants, &records[..COMPARED])?;
    let chosen: Vec<String> = std::env::args().skip(1).collect();
    variants.retain(|(name, _)| chosen.is_empty() || chosen.iter().any(|chosen| chosen == name));
    let mut times = vec![Vec::new(); variants.len()];
    for _ in 0..ROUNDS {
        for ((_, variant), times) in variants.iter_mut().zip(&mut times) {
            let begun = cpu_ns();
            for batch in records.chunks(BATCH) {
                variant(batch, &mut |json| {
                    black_box(json);
                });
            }
            times.push((cpu_ns() - begun) / records.len() as f64 / 1000.0);
        }
    }
    let bytes: usize = records.iter().map(|record| record.payload.len()).sum();
    println!("{RECORDS} records of {} bytes, median of {ROUNDS} rounds", bytes / RECORDS);
    let medians: Vec<f64> = times.iter().map(|times| median(times)).collect();
    let of = |name| variants.iter().position(|(variant, _)| *variant == name).map_or(f64::NAN, |at| medians[at]);
    let (by_hand, vrl) = (of("by hand"), of("vrl"));
    for ((name, _), &time) in variants.iter().zip(&medians) {
        println!(
            "{name:<14} {time:>7.2} us/record   {:>5.2} x the time by hand   {:>5.2} x VRL's records/s",
            time / by_hand,
            vrl / time
        );
    }
    Ok(())
}

fn records() -> Outcome<Vec<Record>> {
    let build = |(number, payload): (usize, String)| {
        Ok(Record { id: SourceId::parse(&format!("u{number:07}"))?, payload: payload.into() })
    };
    users::users(RECORDS).enumerate().map(build).collect()
}

fn mapper(script: &str) -> Outcome<Arc<dyn Mapper>> {
    let files = Files::from_memory("feishu", [("employee.rhai", script)]);
    let generation = Generation::load(&files, None).map_err(|faults| faults[0].to_string())?;
    let reasons = generation.interpreted();
    assert_eq!(reasons.is_empty(), script == by_hand::SCRIPT, "{reasons:?}");
    Ok(generation.mapper(&ConnectionId::parse("feishu")?, "Asia/Shanghai", "CN")?)
}

fn by_hand(records: &[Record], sink: &mut dyn FnMut(&[u8])) {
    let mut text = Vec::with_capacity(1024);
    for record in records {
        text.clear();
        by_hand::map(&record.payload, &mut text);
        sink(&text);
    }
}

fn through(mapper: &dyn Mapper, records: &[Record], sink: &mut dyn FnMut(&[u8])) {
    for mapped in mapper.map(Entity::Employee, records) {
        match mapped {
            Mapped::Draft(draft) => sink(draft.json()),
            Mapped::Skipped => sink(b"skipped"),
            Mapped::Rejected(reject) => sink(reject.message.as_bytes()),
        }
    }
}

fn vrl() -> Outcome<Variant<'static>> {
    let compiled = vrl::compiler::compile(include_str!("employee.vrl"), &vrl::stdlib::all());
    let program: Program = compiled.map_err(|faults| format!("{faults:?}"))?.program;
    let (mut runtime, zone) = (Runtime::default(), TimeZone::default());
    Ok(Box::new(move |records, sink| {
        let mut text = Vec::with_capacity(1024);
        for record in records {
            let Ok(value) = serde_json::from_slice::<Value>(&record.payload) else { return };
            let mut target = TargetValue {
                value,
                metadata: Value::Object(BTreeMap::new()),
                secrets: Secrets::new(),
            };
            let resolved = runtime.resolve(&mut target, &program, &zone);
            runtime.clear();
            text.clear();
            match resolved {
                Ok(_) => serde_json::to_writer(&mut text, &target.value).unwrap_or_default(),
                Err(cause) => text.extend(cause.to_string().bytes()),
            }
            sink(&text);
        }
    }))
}

fn verify(variants: &mut [(&str, Variant<'_>)], records: &[Record]) -> Outcome<()> {
    let mut wanted: Vec<serde_json::Value> = Vec::new();
    for (name, variant) in variants {
        let mut found = Vec::new();
        let mut broken = None;
        variant(records, &mut |json| match serde_json::from_slice(json) {
            Ok(value) => found.push(value),
            Err(_) => broken = Some(String::from_utf8_lossy(json).into_owned()),
        });
        if let Some(text) = broken {
            return Err(format!("{name} gives {text}").into());
        }
        if wanted.is_empty() {
            wanted = found;
            continue;
        }
        for ((record, found), wanted) in records.iter().zip(&found).zip(&wanted) {
            if found != wanted {
                return Err(format!("{name} gives of {}\n{found}\ninstead of\n{wanted}", record.id).into());
            }
        }
        assert_eq!(found.len(), wanted.len(), "{name}");
    }
    Ok(())
}
