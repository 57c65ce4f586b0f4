//! A reload makes anew what has changed, and keeps the rest.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use rollcall::app::{App, Failure, Generation, load_config};
use rollcall::port::mapper::Mapper;
use tempfile::TempDir;

use crate::rig::copy;

const CASE: &str = "mappings/own/feishu/cases/employee/exited.yaml";
const LAYER: &str = "mappings/own/feishu/employee.rhai";

/// Three customers of one connector; `own` has mappings of its own.
struct Installation {
    dir: TempDir,
    app: App,
}

impl Installation {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        copy(Path::new("mappings"), &dir.path().join("mappings"));
        fs::create_dir_all(dir.path().join("tenants")).unwrap();
        fs::create_dir_all(dir.path().join("plugins")).unwrap();
        fs::copy("plugins/feishu.wasm", dir.path().join("plugins/feishu.wasm")).unwrap();
        fs::write(dir.path().join("secret"), "none").unwrap();
        let main = format!("cases: gate\ncache: {}/compiled\n", env!("CARGO_TARGET_TMPDIR"));
        fs::write(dir.path().join("rollcall.yaml"), main).unwrap();
        for tenant in ["one", "two", "own"] {
            let own = if tenant == "own" { "mappings: mappings/own\n" } else { "" };
            let text = format!(
                "timezone: Asia/Shanghai\nregion: CN\nehr: {tenant}.db\n{own}connections:\n  feishu:\n    plugin: feishu\n    \
                 settings: {{ app_id: cli_x }}\n    secrets: {{ app_secret: \"file:secret\" }}\n    \
                 grants: {{ hosts: [open.feishu.cn] }}\n"
            );
            fs::write(dir.path().join(format!("tenants/{tenant}.yaml")), text).unwrap();
        }
        let case = fs::read_to_string("mappings/feishu/cases/employee/exited.yaml").unwrap();
        let case_file = dir.path().join(CASE);
        fs::create_dir_all(case_file.parent().unwrap()).unwrap();
        fs::write(case_file, case).unwrap();
        fs::write(dir.path().join(LAYER), "#{ display_name: trimmed(record.name) }\n").unwrap();
        let app = App::open(&dir.path().join("rollcall.yaml")).unwrap();
        Self { dir, app }
    }

    fn build(&self, before: Option<&Generation>) -> Result<Generation, Failure> {
        self.app.build(load_config(&self.dir.path().join("rollcall.yaml"))?, before)
    }

    fn edit(&self, file: &str, from: &str, to: &str) {
        let file = self.dir.path().join(file);
        let text = fs::read_to_string(&file).unwrap();
        assert!(text.contains(from), "{from}");
        fs::write(file, text.replacen(from, to, 1)).unwrap();
    }
}

/// The customers whose mapper is another one.
fn anew(before: &Generation, after: &Generation) -> String {
    let mapper = |generation: &Generation, of: &str| -> Arc<dyn Mapper> {
        let part = generation.parts.iter().find(|((tenant, _), _)| tenant.as_str() == of);
        part.unwrap().1.mapper.clone()
    };
    let other = |of: &&str| !Arc::ptr_eq(&mapper(before, of), &mapper(after, of));
    ["one", "two", "own"].into_iter().filter(other).collect::<Vec<_>>().join(" ")
}

#[test]
fn a_reload_makes_only_those_mappers_anew_whose_texts_have_changed() {
    let installation = Installation::new();
    let build = |before: &Generation| installation.build(Some(before)).unwrap();
    let first = installation.build(None).unwrap();
    let second = build(&first);
    assert_eq!(anew(&first, &second), "", "nothing has changed");

    installation.edit(LAYER, "#{", "// a remark\n#{");
    let third = build(&second);
    assert_eq!(anew(&second, &third), "own");

    installation.edit(CASE, "record:", "# a remark\nrecord:");
    let fourth = build(&third);
    assert_eq!(anew(&third, &fourth), "own", "its cases have to judge it again");

    installation.edit("tenants/two.yaml", "Asia/Shanghai", "Asia/Tokyo");
    let fifth = build(&fourth);
    assert_eq!(anew(&fourth, &fifth), "two");

    installation.edit("mappings/feishu/tables.yaml", "gender:", "# a remark\ngender:");
    let sixth = build(&fifth);
    assert_eq!(anew(&fifth, &sixth), "one two own");

    fs::create_dir(installation.dir.path().join("mappings/lib")).unwrap();
    fs::write(installation.dir.path().join("mappings/lib/names.rhai"), "fn of(x) { x }\n").unwrap();
    let seventh = build(&sixth);
    assert_eq!(anew(&sixth, &seventh), "one two own", "any of them may import it");
}

#[test]
fn what_was_kept_is_judged_again_when_its_cases_or_their_rule_change() {
    let installation = Installation::new();
    let build = |before: &Generation| installation.build(Some(before));
    let first = installation.build(None).unwrap();
    installation.edit(CASE, "terminated", "active");
    let failure = build(&first).map(drop).unwrap_err();
    assert!(failure.message.contains("cases/employee/exited.yaml"), "{failure}");
    installation.edit("rollcall.yaml", "cases: gate", "cases: warn");
    let warned = build(&first).unwrap();
    assert_eq!(anew(&first, &warned), "one two own");
    installation.edit("rollcall.yaml", "cases: warn", "cases: gate");
    assert!(
        build(&warned).is_err(),
        "what was taken with a warning is not kept under the stricter rule"
    );
    installation.edit(CASE, "active", "terminated");
    let mended = build(&warned).unwrap();
    assert_eq!(anew(&warned, &mended), "one two own");
    installation.edit(LAYER, "trimmed", "trimed");
    assert!(build(&mended).is_err());
    installation.edit(LAYER, "trimed", "trimmed");
    assert_eq!(anew(&mended, &build(&mended).unwrap()), "", "as before the slip");
}
