//! `rollcall init`: a commented configuration to start from, with the built-in mappings and plugins beside it.

mod write;

use std::path::PathBuf;

use super::Context;
use super::builtin;
use super::exit::{Failure, Outcome};
use crate::config::{Region, Zone};
use crate::model::ids::TenantId;

use write::{Embedded, Options, init};

/// Writes rollcall.yaml, one tenant, its mapping layer, and the built-in mappings and plugins. Never overwrites a file.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The folder to write into; created when it is not there.
    #[arg(default_value = ".")]
    dir: PathBuf,
    /// The tenant's name: lower-case letters, digits, `-` and `_`.
    #[arg(long, default_value = "acme", value_parser = TenantId::parse)]
    tenant: TenantId,
    /// The time zone in which its days begin and end.
    #[arg(long, default_value = "Asia/Shanghai")]
    timezone: Zone,
    /// The country by which its phone numbers are read, as two letters.
    #[arg(long, default_value = "CN")]
    region: Region,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Outcome, Failure> {
    let mappings = builtin::MAPPINGS
        .iter()
        .map(|(path, text)| Embedded { path: format!("mappings/{path}"), bytes: text.as_bytes() });
    let plugins = builtin::PLUGINS
        .iter()
        .map(|(path, bytes)| Embedded { path: format!("plugins/{path}"), bytes });
    let options = Options {
        tenant: args.tenant.clone(),
        timezone: args.timezone.clone(),
        region: args.region.clone(),
        files: mappings.chain(plugins).collect(),
    };
    let written = init(&args.dir, &options).map_err(|error| Failure::from_error(&error))?;
    context.format.show(&written, |written| {
        let wrote = |path: &PathBuf| format!("wrote {}", path.display());
        let files = written.iter().map(wrote).collect::<Vec<_>>().join("\n");
        let tenant = args.dir.join(format!("tenants/{}.yaml", args.tenant));
        format!(
            "{files}\n\nnext: put your app's id into {}, set FEISHU_APP_SECRET, then run `rollcall plan`",
            tenant.display()
        )
    });
    Ok(Outcome::Done)
}
