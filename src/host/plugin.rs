//! A loaded plugin: checked, compiled, ready to be instantiated any number of times.
//!
//! The invariant: what is here imports nothing but the contract, and its manifest was accepted.

use std::sync::Arc;

use serde::Serialize;
use wasmtime::component::{Component, InstancePre};

use crate::model::hash::ContentHash;
use crate::model::ids::PluginName;

use super::context::Context;
use super::contract::since_v0_1::{attendance, callback, directory, plugin, target};
use super::manifest::Manifest;
use super::plugin_host::Core;

/// A plugin of one file in one version; a replaced file becomes another one, and this one keeps working.
pub struct Plugin {
    pub(super) core: Arc<Core>,
    pub(super) pre: InstancePre<Context>,
    pub(super) exports: Exports,
    manifest: Manifest,
    digest: ContentHash,
    compiled_bytes: usize,
}

/// The interfaces that a plugin exports and this host calls.
pub(super) struct Exports {
    pub(super) plugin: plugin::GuestIndices,
    pub(super) directory: Option<directory::GuestIndices>,
    pub(super) attendance: Option<attendance::GuestIndices>,
    pub(super) callback: Option<callback::GuestIndices>,
    pub(super) target: Option<target::GuestIndices>,
}

/// What can be said of a plugin without running it.
#[derive(Clone, Debug, Serialize)]
pub struct Inspection {
    /// Its own words.
    pub manifest: Manifest,
    /// Of the file.
    pub digest: ContentHash,
    /// Of the source it was built from, when the build stamped it.
    pub source_digest: Option<String>,
    /// The contract's interfaces that it exports.
    pub exports: Vec<String>,
    /// The contract's interfaces that it imports.
    pub imports: Vec<String>,
    /// Size of the file.
    pub size_bytes: usize,
    /// Size of the code compiled from it.
    pub compiled_bytes: usize,
}

impl Plugin {
    pub(super) fn new(
        core: Arc<Core>,
        pre: InstancePre<Context>,
        exports: Exports,
        (manifest, digest, compiled_bytes): (Manifest, ContentHash, usize),
    ) -> Self {
        Self { core, pre, exports, manifest, digest, compiled_bytes }
    }

    /// Its name.
    pub fn name(&self) -> &PluginName {
        &self.manifest.name
    }

    /// What it says of itself.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Of its file; part of what a generation is.
    pub fn digest(&self) -> ContentHash {
        self.digest
    }

    /// Size of the code compiled from it.
    pub(super) fn compiled_bytes(&self) -> usize {
        self.compiled_bytes
    }

    pub(super) fn component(&self) -> &Component {
        self.pre.component()
    }
}

impl std::fmt::Debug for Plugin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Plugin({} {})", self.manifest.name, self.digest.short())
    }
}
