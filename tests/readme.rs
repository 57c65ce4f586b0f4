//! What the README shows works: its commands parse, its configuration loads, its figures are the defaults, and the two
//! languages show the same.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use clap::Parser as _;
use rollcall::cli::Cli;
use rollcall::config::{self, Gate};

const ENGLISH: &str = include_str!("../README.md");
const CHINESE: &str = include_str!("../README.zh-CN.md");
const MANIFEST: &str = include_str!("../plugins/feishu/manifest.json");

/// The blocks of a language, without their fences and indentation.
fn blocks(readme: &str, language: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut lines = readme.lines();
    while let Some(line) = lines.next() {
        if line.trim() == format!("```{language}") {
            let indent = line.len() - line.trim_start().len();
            let inside = lines.by_ref().take_while(|line| line.trim() != "```");
            let text: Vec<&str> =
                inside.map(|line| line.get(indent..).unwrap_or_default()).collect();
            blocks.push(text.join("\n"));
        }
    }
    blocks
}

/// Every invocation of rollcall that is shown, in blocks and in the table of commands.
fn commands(readme: &str) -> Vec<String> {
    let shell = blocks(readme, "sh").join("\n");
    let in_blocks =
        shell.lines().map(|line| line.split(" #").next().unwrap_or_default().trim().to_owned());
    let in_table =
        readme.lines().filter_map(|line| line.strip_prefix("| `rollcall ")?.split('`').next());
    let in_table = in_table.map(|rest| format!("rollcall {rest}"));
    in_blocks
        .chain(in_table)
        .map(|line| line.replace("cargo run --release -- ", "rollcall "))
        .filter(|line| line.starts_with("rollcall "))
        .collect()
}

#[test]
fn every_command_that_is_shown_parses() {
    let commands = commands(ENGLISH);
    assert!(commands.len() > 15, "{commands:?}");
    for command in commands {
        let words = command.split_whitespace().filter(|word| !word.starts_with('['));
        assert!(Cli::try_parse_from(words).is_ok(), "`{command}` is no command");
    }
}

#[test]
fn both_languages_show_the_same_commands_and_configuration() {
    assert_eq!(commands(ENGLISH), commands(CHINESE));
    assert_eq!(blocks(ENGLISH, "yaml"), blocks(CHINESE, "yaml"));
    assert_eq!(blocks(ENGLISH, "rhai"), blocks(CHINESE, "rhai"));
}

#[test]
fn the_configuration_that_is_shown_loads() {
    let folder = tempfile::tempdir().unwrap();
    for sub in ["plugins", "mappings/tenants/acme", "tenants"] {
        fs::create_dir_all(folder.path().join(sub)).unwrap();
    }
    fs::write(folder.path().join("rollcall.yaml"), "").unwrap();
    fs::write(folder.path().join("plugins/feishu.wasm"), "").unwrap();
    let shown = blocks(ENGLISH, "yaml");
    let (whole, parts): (Vec<&String>, Vec<&String>) =
        shown.iter().partition(|block| block.starts_with("# tenants/acme.yaml\n"));
    let [tenant] = whole[..] else { panic!("one configuration is shown, not {}", whole.len()) };
    // Parts of it stand on their own; they may speak of a second platform.
    let second = "connections:\n  dingtalk:\n    plugin: feishu\n";
    let mut tenant = tenant.replace("connections:\n", second) + "\n";
    for part in parts {
        assert!(part.starts_with("# in tenants/acme.yaml\n"), "{part}");
        tenant.push_str(part);
        tenant.push('\n');
    }
    fs::write(folder.path().join("tenants/acme.yaml"), tenant).unwrap();
    let set = |name: &str| (name == "FEISHU_APP_SECRET").then(|| "not-a-real-one".to_owned());
    let loaded = config::load_with(&folder.path().join("rollcall.yaml"), &set);
    assert!(loaded.is_ok(), "{}", loaded.unwrap_err());
}

#[test]
fn the_figures_that_are_promised_are_the_defaults() {
    let Gate { retire_share, retire_count } = Gate::default();
    assert_eq!((retire_share.to_string().as_str(), retire_count), ("10%", 20));
    assert!(ENGLISH.contains("more than 20 records of a kind *and* more than 10 %"));
    assert!(CHINESE.contains("超过 20 条，*并且*超过现有的 10%"));
}

#[test]
fn the_permissions_that_are_listed_are_those_of_the_manifest() {
    let manifest: serde_json::Value = serde_json::from_str(MANIFEST).unwrap();
    let asked = manifest["permissions"].as_array().unwrap().iter();
    let asked: BTreeSet<&str> = asked.filter_map(|one| one["scope"].as_str()).collect();
    for readme in [ENGLISH, CHINESE] {
        let listed: BTreeSet<&str> = readme
            .split('`')
            .filter(|text| text.ends_with(":readonly") && !text.contains(' '))
            .collect();
        assert_eq!(listed, asked);
    }
}

#[test]
fn every_permission_of_the_other_connectors_is_named() {
    for manifest in [
        include_str!("../plugins/dingtalk/manifest.json"),
        include_str!("../plugins/wecom/manifest.json"),
    ] {
        let manifest: serde_json::Value = serde_json::from_str(manifest).unwrap();
        for scope in manifest["permissions"].as_array().unwrap() {
            let scope = format!("`{}`", scope["scope"].as_str().unwrap());
            assert!(ENGLISH.contains(&scope) && CHINESE.contains(&scope), "{scope}");
        }
    }
}

#[test]
fn every_file_that_is_linked_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for readme in [ENGLISH, CHINESE] {
        for link in readme.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            assert!(
                link.starts_with("https://") || root.join(link).exists(),
                "`{link}` is not there"
            );
        }
    }
}
