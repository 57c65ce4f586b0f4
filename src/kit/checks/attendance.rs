//! Attendance: people, windows, and nobody.

use std::collections::BTreeSet;

use crate::host::Connection;
use crate::model::entity::Entity;
use crate::model::ids::SourceId;
use crate::model::record::{AttendanceBatch, Window};
use crate::port::provider::Provider as _;

use super::super::drive::{Patience, connect, walk};
use super::{Bench, Outcome, SMALL, Stop, ensure, fail, skip};

const DAY: i64 = 86_400;
/// The most pages of one window.
const MOST_PAGES: usize = 1_000;

pub(super) async fn windows(bench: &Bench) -> Outcome {
    if !bench.exports("attendance") {
        return Err(skip("the component has no attendance"));
    }
    let stage = bench.cast.open(SMALL).await?;
    let connection = connect(&bench.plugin, stage.as_ref(), Patience::SYNC)?;
    let walked = walk(&connection, &mut |_, _| {}).await?;
    let listed = walked.kinds.get(&Entity::Employee);
    let people: Vec<SourceId> = listed.into_iter().flat_map(|it| it.ids.iter().cloned()).collect();
    if people.is_empty() {
        return Err(skip("the component lists no people whose attendance could be asked for"));
    }
    let now = stage.now_ms() / 1000;
    let mut told = Vec::new();
    for batch in connection.capabilities().await?.batches {
        told.push(judge(&connection, &batch, &people, now).await?);
    }
    Ok(told.join("; "))
}

async fn judge(
    connection: &Connection,
    batch: &AttendanceBatch,
    people: &[SourceId],
    now: i64,
) -> Result<String, Stop> {
    let kind = batch.entity;
    let people = &people[..people.len().min(batch.people)];
    let midnight = now - now.rem_euclid(DAY);
    let window =
        Window { start: midnight - 4 * DAY.min(i64::from(batch.days) * DAY), end: midnight };
    let nobody = list(connection, kind, &[], window).await?;
    ensure(
        nobody.is_empty(),
        || format!("`{kind}` of nobody gives {} records", nobody.len()),
        "answer an empty list of people with an empty page, without asking the platform",
    )?;
    let whole = list(connection, kind, people, window).await?;
    if kind == Entity::CheckIn {
        let middle = window.start + (window.end - window.start) / 2 + 1;
        let mut halves = list(connection, kind, people, Window { end: middle, ..window }).await?;
        halves.extend(list(connection, kind, people, Window { start: middle, ..window }).await?);
        ensure(
            halves == whole,
            || {
                format!(
                    "`{kind}`: a window has {} records, its halves have {}",
                    whole.len(),
                    halves.len()
                )
            },
            "take `start` as inclusive and `end` as exclusive, to the second",
        )?;
    }
    let mut with_stranger = people[..people.len().min(batch.people.saturating_sub(1))].to_vec();
    let known = list(connection, kind, &with_stranger, window).await?;
    with_stranger.extend(SourceId::parse("kit-nobody-0000"));
    let found = list(connection, kind, &with_stranger, window).await?;
    ensure(
        found == known,
        || {
            format!(
                "`{kind}`: a person who does not exist hides {} records",
                known.len() - known.intersection(&found).count()
            )
        },
        "leave out people whom the platform does not know, and give the others' records",
    )?;
    Ok(format!("{} {kind} of {} people", whole.len(), people.len()))
}

async fn list(
    connection: &Connection,
    kind: Entity,
    people: &[SourceId],
    window: Window,
) -> Result<BTreeSet<SourceId>, Stop> {
    let (mut ids, mut cursor) = (BTreeSet::new(), None);
    for _ in 0..MOST_PAGES {
        let page = connection.list_attendance(kind, people, window, cursor.as_ref()).await?;
        ids.extend(page.records.into_iter().map(|record| record.id));
        match page.next {
            None => return Ok(ids),
            next => cursor = next,
        }
    }
    Err(fail(
        format!("`{kind}`: more than {MOST_PAGES} pages of one window"),
        "move the cursor on with each page",
    ))
}
