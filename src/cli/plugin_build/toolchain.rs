//! The Rust toolchain that compiles guests, as found on `PATH`.
//!
//! What this is not: an installer. The one invariant: a toolchain that is returned has a standard library for the
//! target, installed or as source.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::{BuildError, TARGET};

/// A Rust toolchain that can compile guests.
#[derive(Debug)]
pub(super) struct Toolchain {
    /// The folder with `cargo` and `rustc`.
    bin: PathBuf,
    sysroot: PathBuf,
    std: StdLibrary,
}

/// Where the guest's standard library comes from.
#[derive(Debug, PartialEq, Eq)]
enum StdLibrary {
    /// Installed for the target, or the environment already says how.
    Ready,
    /// Built by cargo from the toolchain's own source; the linker is named where the toolchain has none of its own.
    Source { linker: Option<PathBuf> },
}

impl Toolchain {
    /// The first toolchain on `PATH` that has the target, else the first that can build its standard library.
    pub(super) fn find(crate_dir: &Path) -> Result<Self, BuildError> {
        let path = env::var_os("PATH").unwrap_or_default();
        Self::among(&env::split_paths(&path).collect::<Vec<_>>(), crate_dir)
    }

    pub(super) fn among(folders: &[PathBuf], crate_dir: &Path) -> Result<Self, BuildError> {
        let mut looked = Vec::new();
        let mut from_source = None;
        for bin in folders {
            let Some(sysroot) = sysroot(bin, crate_dir).filter(|s| !looked.contains(s)) else {
                continue;
            };
            match standard_library(&sysroot, folders) {
                Some(std) if std == StdLibrary::Ready || from_source.is_none() => {
                    let ready = std == StdLibrary::Ready;
                    let found = Self { bin: bin.clone(), sysroot: sysroot.clone(), std };
                    if ready {
                        return Ok(found);
                    }
                    from_source = Some(found);
                }
                _ => {}
            }
            looked.push(sysroot);
        }
        from_source.ok_or_else(|| BuildError::NoToolchain {
            looked: match looked.len() {
                0 => "there is none at all".into(),
                n => format!("looked at {n}"),
            },
        })
    }

    pub(super) fn cargo_path(&self) -> PathBuf {
        program(&self.bin, "cargo")
    }

    /// `cargo`, in the crate's folder and with this toolchain's `rustc`.
    pub(super) fn cargo(&self, crate_dir: &Path) -> Command {
        let mut cargo = Command::new(self.cargo_path());
        cargo.current_dir(crate_dir).env("RUSTC", program(&self.bin, "rustc"));
        if let StdLibrary::Source { linker } = &self.std {
            cargo.env("RUSTC_BOOTSTRAP", "1").env("CARGO_UNSTABLE_BUILD_STD", "std,panic_abort");
            if let Some(linker) = linker {
                cargo.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker);
            }
        }
        cargo
    }

    /// The folder of the workspace that the crate belongs to.
    pub(super) fn workspace(&self, crate_dir: &Path) -> Result<PathBuf, BuildError> {
        let output = self
            .cargo(crate_dir)
            .args(["locate-project", "--workspace", "--message-format", "plain"])
            .stderr(Stdio::inherit())
            .output()
            .map_err(|source| BuildError::Run { program: self.cargo_path(), source })?;
        let manifest = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
        match manifest.parent() {
            Some(folder) if output.status.success() => Ok(folder.to_owned()),
            _ => Err(BuildError::Cargo { status: output.status }),
        }
    }

    /// rustc flags that keep this machine's paths out of the component.
    pub(super) fn flags(&self, workspace: &Path) -> OsString {
        let mut prefixes = vec![
            (workspace.to_owned(), "rollcall"),
            (self.sysroot.join("lib/rustlib/src/rust"), "rust"),
        ];
        let home = env::var_os("CARGO_HOME").map(PathBuf::from);
        let home = home.or_else(|| Some(env::home_dir()?.join(".cargo")));
        let registries = home.and_then(|home| fs::read_dir(home.join("registry/src")).ok());
        prefixes.extend(registries.into_iter().flatten().flatten().map(|r| (r.path(), "crates")));
        let mut flags = OsString::new();
        for (from, to) in prefixes {
            if !flags.is_empty() {
                flags.push("\u{1f}");
            }
            flags.push("--remap-path-prefix=");
            flags.push(from);
            flags.push(format!("={to}"));
        }
        flags
    }
}

fn program(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}{}", env::consts::EXE_SUFFIX))
}

/// The sysroot of the toolchain in a folder; none when there is no working toolchain in it.
fn sysroot(bin: &Path, crate_dir: &Path) -> Option<PathBuf> {
    if !program(bin, "cargo").is_file() {
        return None;
    }
    let output = Command::new(program(bin, "rustc"))
        .current_dir(crate_dir)
        .args(["--print", "sysroot"])
        .stderr(Stdio::null())
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| PathBuf::from(text.trim()))
}

/// How the toolchain in `sysroot` comes by a standard library for the target, if at all.
fn standard_library(sysroot: &Path, path: &[PathBuf]) -> Option<StdLibrary> {
    let rustlib = sysroot.join("lib/rustlib");
    if rustlib.join(TARGET).join("lib").is_dir()
        || env::var_os("CARGO_UNSTABLE_BUILD_STD").is_some()
    {
        return Some(StdLibrary::Ready);
    }
    if !rustlib.join("src/rust/library/std").is_dir() {
        return None;
    }
    let own = fs::read_dir(&rustlib)
        .ok()?
        .flatten()
        .any(|host| host.path().join("bin/rust-lld").is_file());
    if own {
        return Some(StdLibrary::Source { linker: None });
    }
    let mut linkers: Vec<PathBuf> = path
        .iter()
        .filter_map(|folder| fs::read_dir(folder).ok())
        .flat_map(|entries| entries.flatten().map(|e| e.path()))
        .filter(|p| p.file_name().is_some_and(|n| n.to_string_lossy().starts_with("wasm-ld")))
        .collect();
    linkers.sort();
    linkers.pop().map(|linker| StdLibrary::Source { linker: Some(linker) })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    /// A toolchain of scripts, in a folder of its own.
    fn toolchain(root: &Path, name: &str, has: &[&str]) -> PathBuf {
        let bin = root.join(name).join("bin");
        let sysroot = root.join(name).join("sysroot");
        fs::create_dir_all(&bin).unwrap();
        for part in has {
            let path = sysroot.join("lib/rustlib").join(part);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            if part.ends_with("lld") {
                fs::write(path, "").unwrap();
            } else {
                fs::create_dir_all(path).unwrap();
            }
        }
        let script = format!("#!/bin/sh\necho {}\n", sysroot.display());
        for program in ["cargo", "rustc"] {
            fs::write(bin.join(program), &script).unwrap();
            fs::set_permissions(bin.join(program), fs::Permissions::from_mode(0o755)).unwrap();
        }
        bin
    }

    const TARGET_LIBRARY: &str = "wasm32-unknown-unknown/lib";
    const SOURCE: &str = "src/rust/library/std";

    #[test]
    fn a_toolchain_with_the_target_is_taken_before_one_with_the_source() {
        let root = tempfile::tempdir().unwrap();
        let source = toolchain(root.path(), "source", &[SOURCE, "x86_64-any/bin/rust-lld"]);
        let ready = toolchain(root.path(), "ready", &[TARGET_LIBRARY]);
        let found = Toolchain::among(&[source.clone(), ready.clone()], root.path()).unwrap();
        assert_eq!((found.bin, found.std), (ready, StdLibrary::Ready));
        let found = Toolchain::among(std::slice::from_ref(&source), root.path()).unwrap();
        assert_eq!((found.bin, found.std), (source, StdLibrary::Source { linker: None }));
    }

    #[test]
    fn source_without_a_linker_takes_the_newest_on_path() {
        let root = tempfile::tempdir().unwrap();
        let source = toolchain(root.path(), "source", &[SOURCE]);
        let linkers = root.path().join("linkers");
        fs::create_dir_all(&linkers).unwrap();
        for name in ["wasm-ld-19", "wasm-ld-22", "ld.lld-22"] {
            fs::write(linkers.join(name), "").unwrap();
        }
        let found = Toolchain::among(&[source.clone(), linkers.clone()], root.path()).unwrap();
        let linker = Some(linkers.join("wasm-ld-22"));
        assert_eq!(found.std, StdLibrary::Source { linker });
        assert!(Toolchain::among(&[source], root.path()).is_err());
    }

    #[test]
    fn without_a_toolchain_the_error_says_what_to_install() {
        let root = tempfile::tempdir().unwrap();
        let bare = toolchain(root.path(), "bare", &[]);
        let error = Toolchain::among(&[bare.clone(), bare], root.path()).unwrap_err().to_string();
        assert!(error.contains("(looked at 1)"), "{error}");
        assert!(error.contains("`rustup target add wasm32-unknown-unknown`"), "{error}");
        let error = Toolchain::among(&[root.path().into()], root.path()).unwrap_err().to_string();
        assert!(error.contains("(there is none at all)"), "{error}");
    }

    #[test]
    fn no_path_of_this_machine_gets_into_a_component() {
        let root = tempfile::tempdir().unwrap();
        let bin = toolchain(root.path(), "ready", &[TARGET_LIBRARY]);
        let found = Toolchain::among(&[bin], root.path()).unwrap();
        let flags = found.flags(Path::new("/home/someone/rollcall"));
        let flags = flags.to_string_lossy();
        let mut flags = flags.split('\u{1f}');
        assert_eq!(flags.next(), Some("--remap-path-prefix=/home/someone/rollcall=rollcall"));
        assert!(flags.next().is_some_and(|flag| flag.ends_with("/lib/rustlib/src/rust=rust")));
        assert!(flags.all(|flag| flag.ends_with("=crates")));
    }
}
