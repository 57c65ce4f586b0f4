//! `rollcall explain <code>`: the page of a code.

use serde_json::json;

use super::pages::PAGES;
use crate::cli::Context;
use crate::cli::exit::{Failure, Outcome};
use crate::model::schema::nearest;

/// The page of a code.
pub(in crate::cli) fn page(code: &str) -> Option<&'static str> {
    PAGES.iter().find(|(known, _)| *known == code).map(|(_, page)| *page)
}

pub(super) fn run(context: &Context, code: &str) -> Result<Outcome, Failure> {
    let Some(page) = page(code) else {
        let failure = Failure::user(format!("there is no code `{code}`"));
        let near = nearest(code, PAGES.iter().map(|(known, _)| *known));
        return Err(match near {
            Some(near) => failure.hint(format!("did you mean `{near}`?")),
            None => failure.hint("a code stands in every fault, such as `mapping::unknown_field`"),
        });
    };
    context.format.show(&json!({"code": code, "page": page}), |_| page.to_owned());
    Ok(Outcome::Done)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;
    use crate::mapping::{Fault, Files, Generation, Layers, documented};

    /// The codes that stand in the source, of those areas that people write files for.
    fn codes(folder: &Path, found: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                codes(&path, found);
            } else if path.extension().is_some_and(|end| end == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                let texts = text.split('"').filter(|text| {
                    let mut parts = text.split("::");
                    let area = parts.next().unwrap_or_default();
                    let name = parts.next().unwrap_or_default();
                    ["mapping", "schema", "config"].contains(&area)
                        && parts.next().is_none()
                        && !name.is_empty()
                        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
                });
                found.extend(texts.map(str::to_owned));
            }
        }
    }

    #[test]
    fn every_code_that_people_can_meet_has_a_page() {
        let mut found = BTreeSet::new();
        codes(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
        assert!(found.len() > 60, "{found:?}");
        let without: Vec<&String> = found.iter().filter(|code| page(code).is_none()).collect();
        assert!(without.is_empty(), "no page in src/cli/explain/pages: {without:?}");
        let gone: Vec<&str> =
            PAGES.iter().map(|(code, _)| *code).filter(|code| !found.contains(*code)).collect();
        assert!(gone.is_empty(), "pages of codes that nothing tells: {gone:?}");
    }

    #[test]
    fn a_page_says_what_a_code_means_and_how_to_mend_it() {
        for (code, page) in PAGES {
            assert!(page.starts_with(&format!("# {code}\n")), "{code}");
            for part in ["## What it means", "## Example", "## How to mend it"] {
                assert!(page.contains(part), "{code}: {part}");
            }
        }
    }

    #[test]
    fn the_example_of_a_mappings_code_shows_it() {
        let mut shown = 0;
        for (code, page) in PAGES {
            let Some((_, rest)) = page.split_once("```rhai\n") else { continue };
            let (example, _) = rest.split_once("```").unwrap();
            let script = if example.contains("#{ d") || !example.contains(": ") {
                example.to_owned()
            } else {
                format!(
                    "#{{ display_name: record.name, department_external_ids: [], status: \"active\",\n{example}}}"
                )
            };
            let tables = ("tables.yaml", "gender:\n  1: male\n");
            let files = Files::from_memory("feishu", [("employee.rhai", script.as_str()), tables]);
            let found =
                Generation::review(&Layers::plain(&files, None), &documented("feishu", None));
            let found: Vec<&str> = found.iter().map(Fault::code).collect();
            assert!(found.contains(code), "{code}: {script}\n{found:?}");
            shown += 1;
        }
        assert!(shown >= 20, "{shown}");
    }
}
