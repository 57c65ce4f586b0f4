//! `rollcall plugin new`: a crate that builds, is tested and passes `rollcall plugin test`, to start from.
//!
//! Its files are those of `templates/`, which are members of this workspace: they compile and their tests pass. Inside a
//! checkout of rollcall the crate refers to the sdk there; anywhere else the sdk and the contract are written beside it, so
//! that the installed command is all it takes. The one invariant: nothing is written over, and either everything is
//! written or nothing.

mod files;

use std::fs;
use std::path::{Component, Path, PathBuf};

use super::Context;
use super::exit::{Failure, Outcome};
use files::{CARGO, Embedded, SDK, WIT, WORKSPACE};

/// Writes a crate to start from.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Args {
    /// The plugin's name: lower-case letters, digits and `-`, beginning with a letter.
    #[arg(value_parser = name)]
    name: String,
    /// What it is to be.
    #[arg(long, value_enum)]
    kind: Kind,
    /// The folder to write; named like the plugin when left out.
    dir: Option<PathBuf>,
}

/// What a plugin is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Kind {
    /// Reads a platform.
    Provider,
    /// Writes a system.
    Target,
}

impl Kind {
    /// The template's files, and the name they bear in them.
    fn template(self) -> (&'static str, &'static [Embedded]) {
        match self {
            Self::Provider => ("starter-provider", files::PROVIDER),
            Self::Target => ("starter-target", files::TARGET),
        }
    }
}

fn name(text: &str) -> Result<String, String> {
    let good = text.len() <= 63
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && !text.ends_with('-')
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    let reason = "write lower-case letters, digits and `-`, beginning with a letter";
    if good { Ok(text.to_owned()) } else { Err(reason.to_owned()) }
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Outcome, Failure> {
    let dir = args.dir.clone().unwrap_or_else(|| PathBuf::from(&args.name));
    let dir = std::path::absolute(&dir).map_err(|cause| cannot(&dir, &cause))?;
    let sdk = checkout(&dir).map_or(Sdk::Beside, Sdk::At);
    let files = contents(&args.name, args.kind, &sdk);
    write(&dir, &files)?;
    let shown = dir.display();
    eprintln!(
        "next: cargo test --manifest-path {shown}/Cargo.toml; rollcall plugin build {shown}; \
         rollcall plugin test {shown}.wasm"
    );
    let names: Vec<&str> = files.iter().map(|(path, _)| path.as_str()).collect();
    context.format.show(&names, |names| names.join("\n"));
    Ok(Outcome::Done)
}

/// Where the crate finds the sdk.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Sdk {
    /// In a checkout, by this path from the crate.
    At(String),
    /// Written beside.
    Beside,
}

/// The way from a folder to the sdk of the checkout that it is in, if it is in one.
fn checkout(dir: &Path) -> Option<String> {
    let root = dir.ancestors().skip(1).find(|root| {
        let manifest = fs::read_to_string(root.join("plugins/sdk/Cargo.toml"));
        manifest.is_ok_and(|text| text.contains("name = \"rollcall-sdk\""))
    })?;
    let inside = dir.strip_prefix(root).ok()?;
    let below = inside.components().filter(|part| matches!(part, Component::Normal(_)));
    let inside_plugins = inside.parent() == Some(Path::new("plugins"));
    let up = "../".repeat(below.count());
    Some(if inside_plugins { "../sdk".to_owned() } else { format!("{up}plugins/sdk") })
}

/// Every file of the new crate.
fn contents(name: &str, kind: Kind, sdk: &Sdk) -> Vec<(String, String)> {
    let (starter, template) = kind.template();
    let renamed = |text: &str| {
        let text = text.replace(starter, name);
        let text = text.replace(&starter.replace('-', "_"), &name.replace('-', "_"));
        text.replace(&camel(starter), &camel(name))
    };
    let (path, workspace) = match sdk {
        Sdk::At(path) => (path.as_str(), ""),
        Sdk::Beside => ("vendor/rollcall-sdk", WORKSPACE),
    };
    let cargo =
        CARGO.replace("{name}", name).replace("{sdk}", path).replace("{workspace}", workspace);
    let mut files = vec![("Cargo.toml".to_owned(), cargo)];
    files.push((".gitignore".to_owned(), "/target\n/target-guest\n".to_owned()));
    files.extend(template.iter().map(|(path, text)| ((*path).to_owned(), renamed(text))));
    if *sdk == Sdk::Beside {
        let beside =
            |(path, text): &Embedded| (format!("vendor/rollcall-sdk/{path}"), (*text).to_owned());
        files.extend(SDK.iter().map(beside));
        files.push(("vendor/wit/since_v0_1/plugin.wit".to_owned(), WIT.to_owned()));
    }
    files
}

/// `my-plugin` as the name of a type.
fn camel(name: &str) -> String {
    let word = |word: &str| {
        let (first, rest) = word.split_at(word.len().min(1));
        first.to_uppercase() + rest
    };
    name.split('-').map(word).collect()
}

/// Writes a folder that is not there yet, or is empty.
fn write(dir: &Path, files: &[(String, String)]) -> Result<(), Failure> {
    let taken = match fs::read_dir(dir) {
        Ok(mut entries) => entries.next().is_some(),
        Err(_) => dir.exists(),
    };
    if taken {
        let message = format!("`{}` is there already, and not empty", dir.display());
        return Err(Failure::user(message).hint("name another folder after the plugin's name"));
    }
    for (path, text) in files {
        let path = dir.join(path);
        let put = || {
            fs::create_dir_all(path.parent().unwrap_or(dir))?;
            fs::write(&path, text)
        };
        if let Err(cause) = put() {
            // Half a crate helps nobody; what cannot be taken away stays, and the error says where.
            fs::remove_dir_all(dir).unwrap_or_default();
            return Err(cannot(&path, &cause));
        }
    }
    Ok(())
}

fn cannot(path: &Path, cause: &std::io::Error) -> Failure {
    let message = format!("`{}` cannot be written: {cause}", path.display());
    Failure::user(message).hint("mend the folder's permissions or free space, then run it again")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn root() -> &'static Path {
        Path::new(env!("CARGO_MANIFEST_DIR"))
    }

    fn below(folder: &Path, from: &Path, found: &mut BTreeSet<String>) {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let path = entry.path();
            if path.is_dir() {
                below(&path, from, found);
            } else {
                found.insert(path.strip_prefix(from).unwrap().to_string_lossy().into_owned());
            }
        }
    }

    #[test]
    fn every_file_of_the_sdk_and_the_templates_travels() {
        let carried = |files: &[Embedded]| -> BTreeSet<String> {
            files.iter().map(|(path, _)| (*path).to_owned()).collect()
        };
        let sdk = root().join("plugins/sdk");
        let mut there = BTreeSet::from(["Cargo.toml".to_owned()]);
        below(&sdk.join("src"), &sdk, &mut there);
        assert_eq!(carried(SDK), there, "name each file in src/cli/plugin_new/files.rs");
        for (kind, folder) in [(Kind::Provider, "provider"), (Kind::Target, "target")] {
            let folder = root().join("templates").join(folder);
            let mut there = BTreeSet::new();
            below(&folder, &folder, &mut there);
            there.remove("Cargo.toml");
            assert_eq!(carried(kind.template().1), there);
        }
        let mut wit = BTreeSet::new();
        below(&root().join("plugins/wit"), &root().join("plugins/wit"), &mut wit);
        assert_eq!(wit, BTreeSet::from(["since_v0_1/plugin.wit".to_owned()]));
    }

    #[test]
    fn nothing_of_the_templates_name_is_left() {
        for kind in [Kind::Provider, Kind::Target] {
            let files = contents("my-hr", kind, &Sdk::Beside);
            let own = files.iter().filter(|(path, _)| !path.starts_with("vendor/"));
            for (path, text) in own {
                assert!(!text.to_lowercase().contains("starter"), "{path}");
                let filled = path.ends_with("Cargo.toml") || path.ends_with("manifest.json");
                assert!(!filled || !text.contains("{name}"), "{path}");
            }
            let lib = files.iter().find(|(path, _)| path == "src/lib.rs").unwrap();
            assert!(lib.1.contains("rollcall_sdk::export!(MyHr: plugin, "));
            let manifest = files.iter().find(|(path, _)| path == "manifest.json").unwrap();
            assert!(manifest.1.contains("\"name\": \"my-hr\""));
        }
    }

    #[test]
    fn inside_a_checkout_the_crate_refers_to_its_sdk() {
        assert_eq!(checkout(&root().join("plugins/mine")).as_deref(), Some("../sdk"));
        assert_eq!(checkout(&root().join("a/b/mine")).as_deref(), Some("../../../plugins/sdk"));
        let elsewhere = tempfile::tempdir().unwrap();
        assert_eq!(checkout(&elsewhere.path().join("mine")), None);
        let files = contents("mine", Kind::Provider, &Sdk::At("../sdk".to_owned()));
        assert!(files[0].1.contains("rollcall-sdk = { path = \"../sdk\" }"), "{}", files[0].1);
        assert!(files.iter().all(|(path, _)| !path.starts_with("vendor/")));
    }

    #[test]
    fn what_is_there_is_never_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let files = contents("mine", Kind::Target, &Sdk::Beside);
        write(&folder.path().join("mine"), &files).unwrap();
        assert!(folder.path().join("mine/vendor/wit/since_v0_1/plugin.wit").is_file());
        let error = write(&folder.path().join("mine"), &files).unwrap_err();
        assert!(error.to_string().contains("is there already"), "{error}");
    }

    #[test]
    fn a_name_is_one_that_cargo_and_the_manifest_take() {
        assert!(name("my-hr2").is_ok());
        for bad in ["", "2hr", "My", "a_b", "a-", "a b", "ä"] {
            assert!(name(bad).is_err(), "{bad}");
        }
    }
}
