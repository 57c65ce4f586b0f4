//! `rollcall status`: the daemon's own words, or without a daemon what the state says.

use std::time::Duration;

use serde_json::{Value, json};
use std::fmt::Write as _;

use super::exit::{Failure, Outcome};
use super::{Context, local};
use crate::app::{self, App, Selection};
use crate::model::canary::Trial;
use crate::model::entity::Entity;

/// A daemon on this machine answers within this time.
const PATIENCE: Duration = Duration::from_secs(5);
/// Parked records shown of each entity.
const PARKED: usize = 10;
/// What is told of pushed events, in this order.
const COUNTS: [&str; 9] =
    ["received", "duplicate", "worked", "waiting", "lost", "forged", "stale", "broken", "refused"];

/// Shows runs, reloads, faults and parked records.
#[derive(Debug, clap::Args)]
pub(super) struct Args {}

pub(super) fn run(context: &Context, _: &Args) -> Result<Outcome, Failure> {
    let config = app::load_config(&context.config)?;
    let runtime = app::runtime().map_err(Failure::bug)?;
    if let Some(contact) = app::daemon(&config)
        && let Ok(status) = runtime.block_on(ask(contact.address))
    {
        context.format.show(&status, text);
        return Ok(Outcome::Done);
    }
    let app = App::open_on(&context.config, runtime)?;
    let status = stored(&app)?;
    context.format.show(&status, text);
    Ok(Outcome::Done)
}

async fn ask(address: std::net::SocketAddr) -> Result<Value, std::io::Error> {
    let request = format!("GET /status HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    let answer = local::exchange(address, &request, PATIENCE).await?;
    serde_json::from_slice(local::body(&answer)).map_err(std::io::Error::other)
}

fn stored(app: &App) -> Result<Value, Failure> {
    let mut connections = Vec::new();
    let mut held = Vec::new();
    for (tenant, connection) in app.connections(&Selection::default()) {
        let ledger =
            app.ledger(&tenant, &connection).map_err(|cause| Failure::from_error(&cause))?;
        let last = ledger.last_run().map_err(|cause| Failure::from_error(&cause))?;
        let mut parked = serde_json::Map::new();
        for entity in Entity::ALL {
            let shown: Vec<Value> = ledger
                .parked(entity)
                .flatten()
                .take(PARKED)
                .map(|(id, parked)| json!({"id": id, "why": parked}))
                .collect();
            if !shown.is_empty() {
                parked.insert(entity.name().to_owned(), Value::Array(shown));
            }
        }
        if let Some(it) = ledger.proposal().map_err(|cause| Failure::from_error(&cause))? {
            held.push(json!({
                "tenant": tenant, "connection": connection, "digest": it.digest,
                "rejected": false, "reasons": it.reasons, "canary": it.canary, "canary_ended": it.ended,
            }));
        }
        let waiting = app.events_waiting(&tenant, &connection);
        let waiting = waiting.map_err(|cause| Failure::from_error(&cause))?;
        connections.push(json!({
            "tenant": tenant, "connection": connection, "last_run": last, "parked": parked,
            "events_waiting": waiting,
        }));
    }
    let mut status = json!({"daemon": "not running", "connections": connections});
    if !held.is_empty() {
        status["held_mappings"] = Value::Array(held);
    }
    Ok(status)
}

fn text(status: &Value) -> String {
    let mut out = String::new();
    if status.get("daemon").is_some() {
        out.push_str("no daemon is running\n");
    } else {
        let (version, pid, generation) =
            (&status["version"], &status["pid"], &status["generation"]);
        writeln!(out, "daemon {} (pid {pid}), generation {generation}", plain(version)).ok();
    }
    if let Some(error) = status["reload_error"].as_str() {
        writeln!(out, "the newest edit is NOT in force; the one before is:\n{error}").ok();
    }
    held(&mut out, status);
    for one in status["connections"].as_array().into_iter().flatten() {
        writeln!(out, "{}/{}", plain(&one["tenant"]), plain(&one["connection"])).ok();
        if let Some(why) = one["running"].as_str() {
            writeln!(out, "  running now ({why})").ok();
        }
        progress(&mut out, one);
        if let Some(error) = one["error"].as_str() {
            writeln!(out, "  last run broke off: {error}").ok();
        }
        let last = if one["last"].is_object() { &one["last"] } else { &one["last_run"] };
        if last.is_object() {
            writeln!(out, "  last run {}: {}", last["run"], plain(&last["state"])).ok();
            if let Some(reason) = last["reason"].as_str() {
                writeln!(out, "    {reason}").ok();
            }
            counts(&mut out, last);
        }
        if let Some(waiting) = one["events_waiting"].as_u64().filter(|&waiting| waiting > 0) {
            writeln!(out, "  {waiting} events wait for the daemon").ok();
        }
        callbacks(&mut out, status, one);
        long_connection(&mut out, status, one);
        let daemon = &last["parked_first"];
        parked(&mut out, if daemon.is_object() { daemon } else { &one["parked"] });
    }
    out
}

/// Edited mappings that are not in force.
fn held(out: &mut String, status: &Value) {
    for one in status["held_mappings"].as_array().into_iter().flatten() {
        let (tenant, connection) = (plain(&one["tenant"]), plain(&one["connection"]));
        let reasons = one["reasons"].as_array().into_iter().flatten();
        let reasons: Vec<&str> = reasons.map(plain).collect();
        if one["rejected"] == true {
            writeln!(
                out,
                "{tenant}/{connection}: the mapping in the files was rejected and is not in force"
            )
            .ok();
        } else {
            writeln!(
                out,
                "{tenant}/{connection}: an edited mapping is HELD: {}",
                reasons.join("; ")
            )
            .ok();
            canary(out, one);
            out.push_str("  look at it with `rollcall mapping impact`, then `rollcall mapping approve` or `reject`\n");
        }
    }
}

/// The canary of a held mapping, or the one that the mapping has ended.
fn canary(out: &mut String, held: &Value) {
    let trial = |name: &str| serde_json::from_value::<Trial>(held[name].clone()).ok();
    if let Some(trial) = trial("canary") {
        writeln!(out, "  {}", super::mapping::canary(&trial)).ok();
    }
    if let Some(trial) = trial("canary_ended") {
        let (name, people) = (&trial.department, trial.people);
        writeln!(
            out,
            "  the canary of {name} ended when the mapping was edited: its {people} people are mapped as everybody is"
        )
        .ok();
    }
}

/// What a list of the daemon's says of a connection.
fn said_of<'a>(list: &'a Value, connection: &Value) -> Option<&'a Value> {
    list.as_array().into_iter().flatten().find(|one| {
        one["tenant"] == connection["tenant"] && one["connection"] == connection["connection"]
    })
}

/// How the long connection fares, where one is kept.
fn long_connection(out: &mut String, status: &Value, connection: &Value) {
    let Some(link) = said_of(&status["long_connections"], connection) else { return };
    write!(out, "  long connection: {}", plain(&link["state"])).ok();
    for (what, name) in [("since", "connected_since_ms"), ("last event", "last_event_ms")] {
        if let Some(at) =
            link[name].as_i64().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok())
        {
            write!(out, ", {what} {at:.0}").ok();
        }
    }
    writeln!(out, ", {} events, made anew {} times", link["events"], link["reconnects"]).ok();
    if let Some(error) = link["last_error"].as_str() {
        writeln!(out, "    last error: {error}").ok();
    }
}

/// What platforms pushed to a connection.
fn callbacks(out: &mut String, status: &Value, connection: &Value) {
    let Some(tally) = said_of(&status["callbacks"], connection) else { return };
    let told = |name: &&str| tally[*name].as_u64().filter(|&count| count > 0);
    let counts: Vec<String> =
        COUNTS.iter().filter_map(|name| Some(format!("{} {name}", told(name)?))).collect();
    if !counts.is_empty() {
        writeln!(out, "  events: {}", counts.join(", ")).ok();
    }
    if let Some(error) = tally["error"].as_str() {
        writeln!(out, "  events wait: {error}").ok();
    }
}

/// How far the run on its way is, and what is left of the month's calls.
fn progress(out: &mut String, one: &Value) {
    let outlook = &one["outlook"];
    if let Some(reading) = outlook["reading"].as_str() {
        let of = outlook["records_of"].as_u64().map(|of| format!(" of {of}")).unwrap_or_default();
        write!(out, "    reading {reading}: {}{of} records", outlook["records"]).ok();
        if let (Some(requests), Some(seconds)) =
            (outlook["requests_left"].as_u64(), outlook["seconds_left"].as_u64())
        {
            let (minutes, seconds) = (seconds / 60, seconds % 60);
            write!(out, ", about {requests} requests and {minutes} min {seconds} s left").ok();
        }
        out.push('\n');
    }
    if let Some([done, of]) = outlook["written"].as_array().map(Vec::as_slice) {
        writeln!(out, "    writing: {done} of {of} changes").ok();
    }
    for quota in one["quotas"].as_array().into_iter().flatten() {
        let (class, month) = (plain(&quota["class"]), plain(&quota["month"]));
        let (used, documented) = (&quota["used"], &quota["documented"]);
        let spent = if quota["spent"] == true { "; the platform says it is used up" } else { "" };
        writeln!(out, "  {class} calls in {month}: {used} of {documented} documented{spent}").ok();
    }
}

/// What the last run says of matching and of attendance that is still missing.
fn counts(out: &mut String, last: &Value) {
    let number = |key: &str| last[key].as_u64().filter(|&count| count > 0);
    if let Some(linked) = number("linked") {
        writeln!(out, "    {linked} people are linked to employees of another platform").ok();
    }
    if let Some(clashing) = number("clashing") {
        writeln!(out, "    {clashing} people cannot be told from others; they are parked").ok();
    }
    for (entity, gaps) in last["gaps"].as_object().into_iter().flatten() {
        if gaps.as_u64().is_some_and(|gaps| gaps > 0) {
            writeln!(out, "    {gaps} windows of {entity} are still to be read").ok();
        }
    }
}

fn parked(out: &mut String, parked: &Value) {
    for (entity, records) in parked.as_object().into_iter().flatten() {
        for record in records.as_array().into_iter().flatten() {
            let why = &record["why"];
            writeln!(out, "  parked {entity} {}: {}", plain(&record["id"]), plain(&why["message"]))
                .ok();
            if let Some(place) = why["place"].as_object() {
                writeln!(
                    out,
                    "    {}:{}:{}: {}",
                    plain(&place["script"]),
                    place["line"],
                    place["column"],
                    plain(&place["text"]).trim()
                )
                .ok();
            }
        }
    }
}

fn plain(value: &Value) -> &str {
    value.as_str().unwrap_or("-")
}
