//! A platform that throttles, fails, breaks off or answers something else.

use std::time::{Duration, Instant};

use crate::host::Connection;
use crate::model::fault::Fault;
use crate::model::record::Page;

use super::super::drive::{Patience, connect, walk};
use super::super::stage::{Often, Stage, Trouble};
use super::{
    Bench, Outcome, SMALL, Stop, blames_component, ensure, fail, first_page, needs_directory,
};
use super::{brief, remedy_of, well_told};

/// How much later than its deadline a call may end: the promise is 100 ms, a loaded machine gets more.
const SLACK: Duration = Duration::from_millis(1500);

/// A component that has its token and then meets a trouble: what it makes of it.
struct Met {
    stage: Box<dyn Stage>,
    connection: Connection,
    outcome: Result<Page, Fault>,
}

async fn meet(bench: &Bench, trouble: Trouble) -> Result<Met, Stop> {
    needs_directory(bench)?;
    let stage = bench.cast.open(SMALL).await?;
    let connection = connect(&bench.plugin, stage.as_ref(), Patience::ONCE)?;
    first_page(&connection).await?;
    stage.play(trouble, Often::Always)?;
    let outcome = first_page(&connection).await;
    if let Err(fault) = &outcome {
        well_told(fault)?;
    }
    Ok(Met { stage, connection, outcome })
}

/// The same, for what is no listing by any means.
async fn met(bench: &Bench, trouble: Trouble) -> Result<(Met, Fault), Stop> {
    let mut met = meet(bench, trouble).await?;
    match std::mem::replace(&mut met.outcome, Err(Fault::Unsupported)) {
        Err(fault) => Ok((met, fault)),
        Ok(page) => Err(fail(
            format!("it is taken for a page of {} records", page.records.len()),
            "check the status, that the body is the platform's JSON, and its code, before looking for items",
        )),
    }
}

/// A trouble of one moment does not end a run.
async fn gets_over(bench: &Bench, trouble: Trouble) -> Result<(), Stop> {
    let stage = bench.cast.open(SMALL).await?;
    let connection = connect(&bench.plugin, stage.as_ref(), Patience::SYNC)?;
    first_page(&connection).await?;
    stage.play(trouble, Often::Once)?;
    walk(&connection, &mut |_, _| {}).await.map(drop).map_err(|fault| {
        fail(
            format!("one such answer ends the run: {fault}"),
            "answer with `Fault::RateLimited` or `Fault::Unavailable`: the host waits and repeats the call",
        )
    })
}

pub(super) async fn throttling(bench: &Bench) -> Outcome {
    let (_, fault) = met(bench, Trouble::Throttled).await?;
    let Fault::RateLimited(wait) = fault else {
        let remedy = "recognise the platform's answer to too many calls and answer with `Fault::RateLimited` and its wait";
        return Err(fail(format!("it answers: {fault}"), remedy));
    };
    gets_over(bench, Trouble::Throttled).await?;
    Ok(match wait {
        Some(wait) => format!("waits {} ms as told, and goes on", wait.as_millis()),
        None => "waits as the host thinks fit, and goes on".to_owned(),
    })
}

pub(super) async fn server_error(bench: &Bench) -> Outcome {
    unavailable(bench, Trouble::ServerError).await
}

pub(super) async fn reset(bench: &Bench) -> Outcome {
    unavailable(bench, Trouble::Reset).await
}

async fn unavailable(bench: &Bench, trouble: Trouble) -> Outcome {
    let (_, fault) = met(bench, trouble).await?;
    let remedy = "answer with `Fault::Unavailable`: the host repeats the call later";
    ensure(matches!(fault, Fault::Unavailable(_)), || format!("it answers: {fault}"), remedy)?;
    gets_over(bench, trouble).await?;
    Ok("unavailable, and then all is well again".to_owned())
}

pub(super) async fn web_page(bench: &Bench) -> Outcome {
    refused(bench, Trouble::WebPage).await
}

pub(super) async fn cut_body(bench: &Bench) -> Outcome {
    refused(bench, Trouble::CutBody).await
}

/// Fields are the mapping's to judge; only what steers the component has to have its type.
pub(super) async fn wrong_types(bench: &Bench) -> Outcome {
    let met = meet(bench, Trouble::WrongTypes).await?;
    match &met.outcome {
        Err(fault) => recovers(&met, fault).await,
        Ok(page) => Ok(format!("{} records, left to the mapping to judge", page.records.len())),
    }
}

/// Any fault will do that is not the component's own failure, and afterwards it works again.
async fn refused(bench: &Bench, trouble: Trouble) -> Outcome {
    let (met, fault) = met(bench, trouble).await?;
    recovers(&met, &fault).await
}

async fn recovers(met: &Met, fault: &Fault) -> Outcome {
    // A page that cannot be sliced is noticed by the host: that is as good.
    let trapped = matches!(fault, Fault::Plugin(advice) if advice.code != "plugin::page");
    ensure(!trapped, || format!("it fails itself: {fault}"), &remedy_of(fault))?;
    met.stage.calm();
    first_page(&met.connection).await.map(drop).map_err(|fault| {
        fail(
            format!("afterwards it still fails: {fault}"),
            "keep nothing of an answer that was refused",
        )
    })?;
    Ok(format!("a fault: {}", brief(fault)))
}

pub(super) async fn deadline(bench: &Bench) -> Outcome {
    needs_directory(bench)?;
    let stage = bench.cast.open(SMALL).await?;
    // Of this the host leaves a twentieth to the component after its request was ended: enough on a busy machine, too.
    let call = Duration::from_secs(3);
    let connection = connect(&bench.plugin, stage.as_ref(), Patience { call, ..Patience::ONCE })?;
    first_page(&connection).await?;
    stage.play(Trouble::Drip, Often::Always)?;
    let began = Instant::now();
    let outcome = first_page(&connection).await;
    let took = began.elapsed();
    let Err(fault) = outcome else {
        return Err(fail(
            "an answer that never ends is taken for a page",
            "report this: the host should have ended the call",
        ));
    };
    ensure(
        took <= call + SLACK,
        || format!("it ended after {} ms; {} ms were allowed", took.as_millis(), call.as_millis()),
        "return when a request is denied with `Denied::Deadline` instead of sending another",
    )?;
    let told = !blames_component(&fault);
    ensure(
        told,
        || format!("it does not say so itself: {fault}"),
        "turn `Denied::Deadline` into `Fault::Unavailable`",
    )?;
    Ok(format!("ended after {} of {} ms: {}", took.as_millis(), call.as_millis(), brief(&fault)))
}
