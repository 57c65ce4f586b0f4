//! Listings: whole, empty, cut short, circular, repeated, odd, large.

use std::time::Instant;

use crate::model::entity::Entity;
use crate::model::fault::Fault;
use crate::model::ids::SourceId;
use crate::port::provider::Provider as _;
use crate::sync::certify::{Listing, doubts};

use super::super::drive::{ENDLESS, Patience, Walked, connect, walk};
use super::super::stage::{Often, Scene, Stage, Texts, Trouble, Truth};
use super::{
    Bench, Outcome, SMALL, Stop, blames_component, brief, ensure, fail, needs_directory, skip,
};

/// Reads a whole directory and compares it with what the platform holds.
async fn read(bench: &Bench, stage: &dyn Stage) -> Result<Walked, Stop> {
    let connection = connect(&bench.plugin, stage, Patience::SYNC)?;
    Ok(walk(&connection, &mut |_, _| {}).await?)
}

/// What is there and was not listed, or the other way round.
fn differences(walked: &Walked, truth: Truth) -> Vec<String> {
    let kinds = [(Entity::Department, truth.departments), (Entity::Employee, truth.people)];
    let offered = kinds.into_iter().filter(|(kind, _)| walked.kinds.contains_key(kind));
    offered
        .filter_map(|(kind, there)| {
            let (listed, there) = (walked.count(kind), there?);
            (listed != there).then(|| format!("{listed} of {there} {kind} records were listed"))
        })
        .collect()
}

const READ_ALL: &str = "follow the platform's page token until it says that there is no more, and list every department";

pub(super) async fn whole(bench: &Bench) -> Outcome {
    needs_directory(bench)?;
    let stage = bench.cast.open(SMALL).await?;
    let walked = read(bench, stage.as_ref()).await?;
    let differences = differences(&walked, stage.truth());
    ensure(differences.is_empty(), || differences.join("; "), READ_ALL)?;
    let reasons = uncertified(&walked);
    ensure(
        reasons.is_empty(),
        || format!("the whole listing is not certified: {}", reasons.join("; ")),
        "give as `evidence.total` how many distinct objects the platform counts in the whole, or leave it out",
    )?;
    Ok(walked.told())
}

/// Why a listing would retire nobody.
fn uncertified(walked: &Walked) -> Vec<String> {
    let judged = walked.kinds.iter().flat_map(|(kind, listed)| {
        let listing = Listing {
            distinct: listed.ids.len() as u64,
            evidence: listed.evidence.clone(),
            known: 1,
            ..Listing::default()
        };
        doubts(&listing).into_iter().map(move |doubt| format!("{kind}: {doubt}"))
    });
    judged.collect()
}

pub(super) async fn empty_page(bench: &Bench) -> Outcome {
    needs_directory(bench)?;
    let stage = bench.cast.open(SMALL).await?;
    let calm = read(bench, stage.as_ref()).await?;
    stage.play(Trouble::EmptyPage, Often::Once)?;
    let walked = read(bench, stage.as_ref()).await?;
    ensure(
        walked.kinds.values().map(|listed| listed.empty_pages).sum::<u64>()
            > calm.kinds.values().map(|listed| listed.empty_pages).sum::<u64>(),
        || "no page was empty".to_owned(),
        "hand the empty page on with its `next`",
    )?;
    ensure(
        walked.pages() >= calm.pages(),
        || format!("{} pages instead of {}", walked.pages(), calm.pages()),
        "a page without items is not the last: only the platform's page token says so",
    )?;
    Ok(format!("{} pages, one of them empty", walked.pages()))
}

/// The platform says that there is no more although there is.
pub(super) async fn cut(bench: &Bench) -> Outcome {
    needs_directory(bench)?;
    let stage = bench.cast.open(SMALL).await?;
    let calm = read(bench, stage.as_ref()).await?;
    stage.play(Trouble::CutListing, Often::Always)?;
    let connection = connect(&bench.plugin, stage.as_ref(), Patience::ONCE)?;
    let walked = match walk(&connection, &mut |_, _| {}).await {
        Ok(walked) => walked,
        Err(fault) if blames_component(&fault) => {
            return Err(fail(format!("it fails itself: {fault}"), super::remedy_of(&fault)));
        }
        Err(fault) => return Ok(format!("a fault: {}", brief(&fault))),
    };
    let missing = differences(&walked, stage.truth());
    if missing.is_empty() {
        return Err(skip("no listing here is longer than a page, so none could be cut"));
    }
    let reasons = uncertified(&walked);
    if let Some(reason) = reasons.first() {
        return Ok(format!("not certified, {reason}"));
    }
    if calm.kinds.values().all(|listed| listed.evidence.total.is_none()) {
        let why = "the platform gives no total, so a listing that it cuts short looks whole; only the gate protects there";
        return Err(skip(why));
    }
    Err(fail(
        format!("a listing that was cut short counts as whole: {}", missing.join("; ")),
        "give the platform's own count as `evidence.total`",
    ))
}

pub(super) async fn repeated(bench: &Bench) -> Outcome {
    needs_directory(bench)?;
    let stage = bench.cast.open(SMALL).await?;
    stage.play(Trouble::RepeatedPage, Often::Always)?;
    let connection = connect(&bench.plugin, stage.as_ref(), Patience::ONCE)?;
    match walk(&connection, &mut |_, _| {}).await {
        // The host ends it as well; better the component says why.
        Err(Fault::Plugin(advice)) if advice.code == ENDLESS => {
            Ok("the host ends it: the cursor came twice".to_owned())
        }
        Err(fault) if blames_component(&fault) => {
            Err(fail(format!("it fails itself: {fault}"), super::remedy_of(&fault)))
        }
        Err(fault) => Ok(format!("a fault: {}", brief(&fault))),
        Ok(walked) if differences(&walked, stage.truth()).is_empty() => {
            Err(skip("no listing here is longer than a page"))
        }
        Ok(walked) => Err(fail(
            format!("the listing ends as if it were whole: {}", walked.told()),
            "a page token that is the one just sent is a fault, not the end",
        )),
    }
}

pub(super) async fn determinism(bench: &Bench) -> Outcome {
    needs_directory(bench)?;
    let (first, second) = (bench.cast.open(SMALL).await?, bench.cast.open(SMALL).await?);
    let (one, two) = (read(bench, first.as_ref()).await?, read(bench, second.as_ref()).await?);
    for (kind, listed) in &one.kinds {
        let same = two.kinds.get(kind).is_some_and(|other| other == listed);
        ensure(
            same,
            || format!("the two listings of `{kind}` differ"),
            "take order, cursors and ids from the platform alone: no randomness, no clock, no state between calls",
        )?;
    }
    Ok(format!("the same twice: {}", one.told()))
}

pub(super) async fn odd_texts(bench: &Bench) -> Outcome {
    needs_directory(bench)?;
    let stage = bench.cast.open(Scene { texts: Texts::Odd, ..SMALL }).await?;
    let connection = connect(&bench.plugin, stage.as_ref(), Patience::SYNC)?;
    let mut changed = Vec::new();
    let mut seen = 0_u64;
    let walked = walk(&connection, &mut |kind, record| {
        seen += 1;
        if let Some(difference) = stage.altered(kind, record) {
            changed.push(difference);
        }
    })
    .await?;
    let remedy = "hand items on as slices of the response; percent-encode ids in addresses and quote them in JSON";
    ensure(changed.is_empty(), || changed.join("; "), remedy)?;
    let differences = differences(&walked, stage.truth());
    ensure(differences.is_empty(), || differences.join("; "), remedy)?;
    Ok(format!("{seen} records unchanged"))
}

pub(super) async fn fetch(bench: &Bench) -> Outcome {
    needs_directory(bench)?;
    let stage = bench.cast.open(SMALL).await?;
    let connection = connect(&bench.plugin, stage.as_ref(), Patience::SYNC)?;
    let walked = walk(&connection, &mut |_, _| {}).await?;
    let mut read = Vec::new();
    for (kind, listed) in &walked.kinds {
        let wanted: Vec<SourceId> = listed.ids.iter().take(3).cloned().collect();
        let mut asked = wanted.clone();
        asked.extend(SourceId::parse("kit-nobody-0000"));
        let found = match connection.fetch(*kind, &asked).await {
            Ok(found) => found,
            Err(Fault::Unsupported) => continue,
            Err(fault) => return Err(not_left_out(&fault)),
        };
        let mut ids: Vec<SourceId> = found.into_iter().map(|record| record.id).collect();
        ids.sort();
        ensure(
            ids == wanted,
            || format!("of 3 `{kind}` that exist and 1 that does not, {} came back", ids.len()),
            "answer with the objects that exist, under the ids that listings have, and leave the others out",
        )?;
        read.push(kind.to_string());
    }
    if read.is_empty() {
        return Err(skip("it reads no single objects, so an event leads to a whole listing"));
    }
    Ok(read.join(", "))
}

fn not_left_out(fault: &Fault) -> Stop {
    fail(
        format!("one id that does not exist spoils the others: {fault}"),
        "leave ids out that the platform does not know; a fault is for a platform that does not answer",
    )
}

pub(super) async fn large(bench: &Bench) -> Outcome {
    needs_directory(bench)?;
    let people = bench.options.records;
    let stage = bench.cast.open(Scene { people, texts: Texts::Plain }).await?;
    let began = Instant::now();
    let walked = read(bench, stage.as_ref()).await?;
    let seconds = began.elapsed().as_secs_f64();
    let differences = differences(&walked, stage.truth());
    ensure(differences.is_empty(), || differences.join("; "), READ_ALL)?;
    Ok(format!("{} in {seconds:.1} s", walked.told()))
}
