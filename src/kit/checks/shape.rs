//! What a component says of itself, before any platform is there.

use std::future::{Ready, ready};

use crate::model::record::Walk;
use crate::port::provider::Provider as _;

use super::super::drive::{Patience, connect_with};
use super::super::stage::Access;
use super::{Bench, Outcome, SMALL, Stop, ensure, fail};

/// The manifest is one that an administrator can act on.
pub(super) fn manifest(bench: &Bench) -> Ready<Outcome> {
    ready(read_manifest(bench))
}

fn read_manifest(bench: &Bench) -> Outcome {
    let manifest = &bench.inspection.manifest;
    let mut faults = Vec::new();
    let mut note = |holds: bool, fault: String| {
        if !holds {
            faults.push(fault);
        }
    };
    note(!manifest.about.trim().is_empty(), "`about` is empty".to_owned());
    let version = manifest.version.split(['-', '+']).next().unwrap_or_default();
    let numbers = version.split('.').filter(|part| part.parse::<u32>().is_ok()).count();
    note(numbers == 3, format!("`version` is `{}`, not major.minor.patch", manifest.version));
    for setting in &manifest.settings {
        let name = &setting.name;
        note(!setting.about.trim().is_empty(), format!("setting `{name}` has no `about`"));
        let both = setting.required && setting.default.is_some();
        note(!both, format!("setting `{name}` is required and has a default: one is idle"));
    }
    for secret in &manifest.secrets {
        let told = !secret.about.trim().is_empty();
        note(told, format!("secret `{}` has no `about`", secret.name));
    }
    for permission in &manifest.permissions {
        let told = !permission.about.trim().is_empty() && !permission.needed_for.trim().is_empty();
        let scope = &permission.scope;
        note(
            told,
            format!("permission `{scope}` does not say what it is for (`about`, `needed_for`)"),
        );
    }
    let named = manifest.hosts.iter().filter_map(|host| host.split_once("{setting:"));
    for (_, rest) in named {
        let name = rest.split('}').next().unwrap_or_default();
        let known = manifest.setting(name).is_some();
        note(known, format!("`hosts` names the setting `{name}`, which there is not"));
    }
    let imports_http = bench.inspection.imports.iter().any(|name| name.contains("/http@"));
    let silent = imports_http && manifest.hosts.is_empty();
    note(!silent, "it sends requests but `hosts` is empty, so none would be granted".to_owned());
    ensure(faults.is_empty(), || faults.join("; "), "correct manifest.json and build again")?;
    Ok(format!(
        "{} settings, {} secrets, {} permissions, {} hosts",
        manifest.settings.len(),
        manifest.secrets.len(),
        manifest.permissions.len(),
        manifest.hosts.len()
    ))
}

/// There is something to use it for.
pub(super) fn exports(bench: &Bench) -> Ready<Outcome> {
    ready(read_exports(bench))
}

fn read_exports(bench: &Bench) -> Outcome {
    const USES: [&str; 6] = ["directory", "attendance", "callback", "login", "messaging", "target"];
    let found: Vec<&str> = USES.into_iter().filter(|name| bench.exports(name)).collect();
    ensure(
        !found.is_empty(),
        || "it exports `plugin` alone".to_owned(),
        "name what it implements in `rollcall_sdk::export!(Mine: plugin, directory)`",
    )?;
    Ok(found.join(", "))
}

/// It starts, and its offer makes sense.
pub(super) async fn start(bench: &Bench) -> Outcome {
    let access = match bench.cast.open(SMALL).await {
        Ok(stage) => stage.access(),
        Err(_) => anything(bench),
    };
    let connection = connect_with(&bench.plugin, access, 0, Patience::ONCE)?;
    let offered = connection.capabilities().await.map_err(|fault| {
        fail(
            format!("it does not start: {fault}"),
            "answer `walks` and `batches` from constants: they are asked before anything is set up",
        )
    })?;
    check_offer(bench, &offered)?;
    Ok(format!("{} walks, {} batches", offered.walks.len(), offered.batches.len()))
}

/// Every required setting, with a value that no component can do much with.
fn anything(bench: &Bench) -> Access {
    let mut access = Access::default();
    for setting in bench.inspection.manifest.settings.iter().filter(|it| it.required) {
        access.settings.insert(setting.name.clone(), "https://kit.example".to_owned());
    }
    access
}

fn check_offer(bench: &Bench, offered: &crate::model::record::Capabilities) -> Result<(), Stop> {
    let kinds: Vec<_> = offered
        .walks
        .iter()
        .map(|walk| match walk {
            Walk::Whole(kind) | Walk::PerDepartment(kind) => *kind,
        })
        .chain(offered.batches.iter().map(|batch| batch.entity))
        .collect();
    for (index, kind) in kinds.iter().enumerate() {
        let twice = kinds[..index].contains(kind);
        let remedy = "offer each kind once, either in `walks` or in `batches`";
        ensure(!twice, || format!("it offers `{kind}` twice"), remedy)?;
    }
    ensure(
        !bench.exports("directory") || !offered.walks.is_empty(),
        || "it exports `directory` but walks nothing".to_owned(),
        "name the kinds in `walks`, or leave `directory` out of `export!`",
    )?;
    ensure(
        !bench.exports("attendance") || !offered.batches.is_empty(),
        || "it exports `attendance` but has no batches".to_owned(),
        "name the kinds in `batches`, or leave `attendance` out of `export!`",
    )?;
    let idle = offered.batches.iter().find(|batch| batch.people == 0 || batch.days == 0);
    match idle {
        None => Ok(()),
        Some(batch) => Err(fail(
            format!("a batch of `{}` holds no people or no days", batch.entity),
            "say how many people and days one call of the platform takes, at least 1 each",
        )),
    }
}
