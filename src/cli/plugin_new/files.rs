//! What `plugin new` carries: the templates, the sdk and the contract, as they are in this repository.

/// A file: its path below the folder it belongs to, and its text.
pub(super) type Embedded = (&'static str, &'static str);

pub(super) const CARGO: &str = include_str!("crate.toml");
/// What the sdk inherits from its workspace, for a crate that is the workspace.
pub(super) const WORKSPACE: &str = include_str!("workspace.toml");
pub(super) const WIT: &str = include_str!("../../../plugins/wit/since_v0_1/plugin.wit");

macro_rules! embedded {
    ($folder:literal: $($path:literal),+ $(,)?) => {
        &[$(($path, include_str!(concat!("../../../", $folder, "/", $path)))),+]
    };
}

pub(super) const PROVIDER: &[Embedded] = embedded!("templates/provider":
    "kit.yaml", "manifest.json", "src/lib.rs", "tests/connector.rs",
);
pub(super) const TARGET: &[Embedded] = embedded!("templates/target":
    "kit.yaml", "manifest.json", "src/lib.rs", "tests/connector.rs",
);
pub(super) const SDK: &[Embedded] = embedded!("plugins/sdk":
    "Cargo.toml",
    "src/callback.rs",
    "src/codes.rs",
    "src/component/convert.rs",
    "src/component/exports.rs",
    "src/component/imports.rs",
    "src/component/mod.rs",
    "src/contract.rs",
    "src/failure.rs",
    "src/guest.rs",
    "src/host.rs",
    "src/json.rs",
    "src/lib.rs",
    "src/secrets.rs",
    "src/target.rs",
    "src/testing/crypto.rs",
    "src/testing/mod.rs",
);
