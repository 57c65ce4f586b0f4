//! What a mapping of nineteen fields costs beside a function written by hand: the same records, the same drafts, in the
//! same run. `benches/vrl` compares the same two with the VRL language.
//!
//! Prints CPU time per record and ratios; only the ratios mean something on a shared machine. Variants take turns in
//! every round, and the median of the rounds counts. Every variant's output is compared with the hand-written one
//! before anything is measured.
#![expect(clippy::print_stdout, reason = "the figures are the output")]

mod by_hand;
mod clock;
mod median;
mod users;

use std::error::Error;
use std::hint::black_box;

use clock::cpu_ns;
use median::median;
use rollcall::mapping::{Files, Generation};
use rollcall::model::entity::Entity;
use rollcall::model::hash::ContentHash;
use rollcall::model::ids::{ConnectionId, SourceId};
use rollcall::model::record::Record;
use rollcall::port::mapper::{Mapped, Mapper};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const RECORDS: u32 = 10_000;
const ROUNDS: usize = 9;
/// Records a call, as the sync hands them over.
const BATCH: usize = 50;

type Variant<'a> = (&'static str, Box<dyn Fn(&[Record]) + 'a>);

fn main() -> Result<(), Box<dyn Error>> {
    let records = records(RECORDS as usize)?;
    let compiled = mapper(by_hand::SCRIPT)?;
    let (after_a_loop, in_a_loop) =
        (mapper(&by_hand::after_a_loop())?, mapper(&by_hand::in_a_loop())?);
    for mapper in [&compiled, &after_a_loop, &in_a_loop] {
        verify(mapper.as_ref(), &records[..2_000])?;
    }
    let by_hand = |records: &[Record], hash: bool| {
        let mut text = Vec::with_capacity(1024);
        for record in records {
            text.clear();
            by_hand::map(&record.payload, &mut text);
            if hash {
                black_box(ContentHash::of(&text));
            }
            black_box(&text);
        }
    };
    let variants: Vec<Variant<'_>> = vec![
        ("by hand, JSON to JSON", Box::new(move |records| by_hand(records, false))),
        ("by hand, with the content hash", Box::new(move |records| by_hand(records, true))),
        ("compiled, to validated drafts", Box::new(|records| run(compiled.as_ref(), records))),
        ("interpreted: after a loop", Box::new(|records| run(after_a_loop.as_ref(), records))),
        ("interpreted: all in a loop", Box::new(|records| run(in_a_loop.as_ref(), records))),
    ];
    let mut times = vec![Vec::new(); variants.len()];
    for _ in 0..ROUNDS {
        for ((_, variant), times) in variants.iter().zip(&mut times) {
            let begun = cpu_ns();
            for batch in records.chunks(BATCH) {
                variant(batch);
            }
            times.push((cpu_ns() - begun) / f64::from(RECORDS) / 1000.0);
        }
    }
    report(&variants, &times, &records);
    Ok(())
}

fn records(count: usize) -> Result<Vec<Record>, Box<dyn Error>> {
    let build = |(number, payload): (usize, String)| {
        Ok(Record { id: SourceId::parse(&format!("u{number:07}"))?, payload: payload.into() })
    };
    users::users(count).enumerate().map(build).collect()
}

fn mapper(script: &str) -> Result<std::sync::Arc<dyn Mapper>, Box<dyn Error>> {
    let files = Files::from_memory("feishu", [("employee.rhai", script)]);
    let generation = Generation::load(&files, None).map_err(|faults| faults[0].to_string())?;
    let interpreted = generation.interpreted();
    assert_eq!(interpreted.is_empty(), script == by_hand::SCRIPT, "{interpreted:?}");
    Ok(generation.mapper(&ConnectionId::parse("feishu")?, "Asia/Shanghai", "CN")?)
}

fn verify(mapper: &dyn Mapper, records: &[Record]) -> Result<(), Box<dyn Error>> {
    let drafts = mapper.map(Entity::Employee, records);
    for (record, mapped) in records.iter().zip(drafts) {
        let mut wanted = Vec::new();
        by_hand::map(&record.payload, &mut wanted);
        let Mapped::Draft(draft) = mapped else {
            return Err(format!("{} gives {mapped:?}", record.id).into());
        };
        if draft.json()[..] != wanted {
            return Err(format!(
                "{} gives\n{}\ninstead of\n{}",
                record.id,
                String::from_utf8_lossy(draft.json()),
                String::from_utf8_lossy(&wanted)
            )
            .into());
        }
    }
    Ok(())
}

fn run(mapper: &dyn Mapper, records: &[Record]) {
    black_box(mapper.map(Entity::Employee, records));
}

fn report(variants: &[Variant<'_>], times: &[Vec<f64>], records: &[Record]) {
    let bytes: usize = records.iter().map(|record| record.payload.len()).sum();
    println!("{RECORDS} records of {} bytes, median of {ROUNDS} rounds", bytes / records.len());
    let medians: Vec<f64> = times.iter().map(|times| median(times)).collect();
    for ((name, _), time) in variants.iter().zip(&medians) {
        println!(
            "{name:<36} {time:>7.2} us/record   {:>5.2} x   {:>5.2} x with hash",
            time / medians[0],
            time / medians[1]
        );
    }
}
