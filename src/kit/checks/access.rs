//! Hosts, secrets and tokens: what a component does without them.

use crate::model::fault::Fault;
use crate::port::provider::Provider as _;

use super::super::drive::{Patience, connect, connect_with, walk};
use super::super::stage::{Often, Trouble};
use super::{Bench, Outcome, SMALL, ensure, fail, needs_directory, remedy_of, skip, well_told};

/// A healthy set-up has no findings against it.
pub(super) async fn probe(bench: &Bench) -> Outcome {
    let stage = bench.cast.open(SMALL).await?;
    let connection = connect(&bench.plugin, stage.as_ref(), Patience::ONCE)?;
    let findings = connection.probe().await?;
    ensure(
        !findings.is_empty(),
        || "it checked nothing".to_owned(),
        "try the credentials and one small listing of each kind, and report each as a finding",
    )?;
    for finding in &findings {
        let check = &finding.check;
        let remedy = finding.remedy.clone().unwrap_or_default();
        ensure(finding.passed, || format!("`{check}` fails on a healthy platform"), &remedy)?;
    }
    Ok(format!("{} findings, all passed", findings.len()))
}

/// Without a granted host nothing is sent.
pub(super) async fn refused_hosts(bench: &Bench) -> Outcome {
    let stage = bench.cast.open(SMALL).await?;
    let mut access = stage.access();
    let host = access.grants.first().cloned().unwrap_or_default();
    access.grants.clear();
    let connection = connect_with(&bench.plugin, access, stage.now_ms(), Patience::ONCE)?;
    let fault = refusal(bench, &connection).await?;
    ensure(
        stage.requests() == 0,
        || format!("{} requests arrived", stage.requests()),
        "report this: the host lets requests pass that it should not",
    )?;
    let remedy = "turn `Denied::NotGranted(host)` into `Fault::Forbidden` whose remedy names the host to grant";
    ensure(matches!(fault, Fault::Forbidden(_)), || format!("it answers: {fault}"), remedy)?;
    well_told(&fault)?;
    let told = fault.to_string();
    ensure(told.contains(&host), || format!("it does not name `{host}`: {told}"), remedy)?;
    Ok("nothing sent; the fault names the host".to_owned())
}

/// Without its secrets it says which one is missing.
pub(super) async fn missing_secrets(bench: &Bench) -> Outcome {
    let stage = bench.cast.open(SMALL).await?;
    let mut access = stage.access();
    if access.secrets.is_empty() {
        return Err(skip("the component uses no secret here"));
    }
    let names: Vec<String> = access.secrets.keys().cloned().collect();
    access.secrets.clear();
    let connection = connect_with(&bench.plugin, access, stage.now_ms(), Patience::ONCE)?;
    let fault = refusal(bench, &connection).await?;
    let remedy =
        "turn `Denied::NoSecret(name)` into `Fault::Unauthorized` whose remedy names the secret";
    ensure(matches!(fault, Fault::Unauthorized(_)), || format!("it answers: {fault}"), remedy)?;
    well_told(&fault)?;
    let told = fault.to_string();
    let told_which = names.iter().any(|name| told.contains(name.as_str()));
    ensure(told_which, || format!("it names none of {}: {told}", names.join(", ")), remedy)?;
    Ok("the fault names the secret".to_owned())
}

/// The fault of a call that cannot succeed.
async fn refusal(
    bench: &Bench,
    connection: &crate::host::Connection,
) -> Result<Fault, super::Stop> {
    let outcome = if bench.exports("directory") {
        super::first_page(connection).await.map(drop)
    } else if bench.exports("target") {
        held(connection).await
    } else {
        match connection.probe().await {
            Ok(findings) => match findings.into_iter().find(|finding| !finding.passed) {
                Some(_) => return Err(skip("it reports by findings, and has no directory to ask")),
                None => Ok(()),
            },
            Err(fault) => Err(fault),
        }
    };
    match outcome {
        Err(fault) => Ok(fault),
        Ok(()) => Err(fail(
            "the call succeeds without it",
            "check that the setting's address and the secret are really used",
        )),
    }
}

/// The first kind that a target lists.
async fn held(connection: &crate::host::Connection) -> Result<(), Fault> {
    let kinds = connection.describe().await?;
    let Some((kind, _)) = kinds.first() else { return Err(Fault::Unsupported) };
    connection.held(*kind, None).await.map(drop)
}

/// A token that was good is refused in the middle of a run.
pub(super) async fn expired_token(bench: &Bench) -> Outcome {
    needs_directory(bench)?;
    let stage = bench.cast.open(SMALL).await?;
    let connection = connect(&bench.plugin, stage.as_ref(), Patience::ONCE)?;
    walk(&connection, &mut |_, _| {}).await?;
    stage.play(Trouble::ExpiredToken, Often::Once)?;
    let again = walk(&connection, &mut |_, _| {}).await.map_err(|fault| {
        fail(
            format!("the run ends with: {fault}"),
            format!(
                "when a token is refused, `forget` it, ask for a new one and repeat the request once ({})",
                remedy_of(&fault)
            ),
        )
    })?;
    Ok(format!("a new token was asked for; {}", again.told()))
}
