//! Findings as SARIF 2.1.0 (OASIS), which editors and CI show beside the lines.
//!
//! Not here: what is found. The invariant: every result names a rule, and every rule has its page as help.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::cli::explain;
use crate::mapping::{Fault, Severity};

/// The whole report: one run of one tool.
pub(super) fn report(found: &[(Fault, String)]) -> Value {
    let codes: BTreeSet<&str> = found.iter().map(|(fault, _)| fault.code()).collect();
    let codes: Vec<&str> = codes.into_iter().collect();
    let results: Vec<Value> =
        found.iter().map(|(fault, file)| result(fault, file, &codes)).collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "rollcall",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": codes.iter().map(|code| rule(code)).collect::<Vec<_>>(),
            }},
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

fn rule(code: &str) -> Value {
    let page = explain::page(code).unwrap_or_default();
    let summary = page.lines().nth(2).unwrap_or(code);
    json!({
        "id": code,
        "shortDescription": { "text": summary },
        "help": { "text": page, "markdown": page },
    })
}

fn result(fault: &Fault, file: &str, codes: &[&str]) -> Value {
    let place = fault.place();
    let message = match fault.advice() {
        Some(help) => format!("{fault}; {help}"),
        None => fault.to_string(),
    };
    let mut region = json!({ "startLine": place.line.max(1), "startColumn": place.column.max(1) });
    if fault.width() > 0 {
        region["endColumn"] = json!(place.column.max(1) + fault.width());
    }
    if !place.text.is_empty() {
        region["snippet"] = json!({ "text": place.text });
    }
    json!({
        "ruleId": fault.code(),
        "ruleIndex": codes.iter().position(|code| *code == fault.code()),
        "level": match fault.severity() {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "note",
        },
        "message": { "text": message },
        "locations": [{ "physicalLocation": {
            "artifactLocation": { "uri": uri(file) },
            "region": region,
        }}],
    })
}

/// A path as a relative reference: what is no plain character is written with `%`.
fn uri(file: &str) -> String {
    const KEPT: &percent_encoding::AsciiSet =
        &percent_encoding::NON_ALPHANUMERIC.remove(b'/').remove(b'.').remove(b'-').remove(b'_');
    percent_encoding::utf8_percent_encode(file, KEPT).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapping::{Files, Generation, Layers, documented};

    /// What SARIF 2.1.0 requires of the parts that are used here (sections 3.13, 3.14, 3.18, 3.19, 3.27, 3.49).
    fn check(report: &Value) {
        assert_eq!(report["version"], "2.1.0");
        for run in report["runs"].as_array().unwrap() {
            let driver = &run["tool"]["driver"];
            assert!(driver["name"].is_string());
            let rules = driver["rules"].as_array().unwrap();
            assert!(rules.iter().all(|rule| rule["id"].is_string()));
            for rule in rules {
                assert!(!rule["shortDescription"]["text"].as_str().unwrap().is_empty());
                assert!(rule["help"]["text"].as_str().unwrap().len() > 80, "{rule}");
            }
            for result in run["results"].as_array().unwrap() {
                assert!(!result["message"]["text"].as_str().unwrap().is_empty());
                let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
                assert_eq!(rules[index]["id"], result["ruleId"]);
                assert!(
                    ["none", "note", "warning", "error"]
                        .contains(&result["level"].as_str().unwrap())
                );
                for location in result["locations"].as_array().unwrap() {
                    let place = &location["physicalLocation"];
                    assert!(
                        url::Url::parse("file:///x/")
                            .unwrap()
                            .join(place["artifactLocation"]["uri"].as_str().unwrap())
                            .is_ok()
                    );
                    let region = &place["region"];
                    let [line, column] =
                        ["startLine", "startColumn"].map(|key| region[key].as_u64());
                    assert!(line.unwrap() >= 1 && column.unwrap() >= 1);
                    assert!(region["endColumn"].as_u64().is_none_or(|end| end > column.unwrap()));
                }
            }
        }
    }

    #[test]
    fn findings_become_results_with_their_rule_and_their_place() {
        let script = "#{ display_name: record.nmae, department_external_ids: [], status: \"active\",\nmobile: 1, alias: \"李\" }";
        let files =
            Files::from_memory("feishu", [("employee.rhai", script), ("department.rhai", "#{")]);
        let found: Vec<(Fault, String)> =
            Generation::review(&Layers::plain(&files, None), &documented("feishu", None))
                .into_iter()
                .map(|fault| (fault, "mappings/飞 书/employee.rhai".to_owned()))
                .collect();
        let report = report(&found);
        check(&report);
        let levels: Vec<&str> = report["runs"][0]["results"]
            .as_array()
            .unwrap()
            .iter()
            .map(|result| result["ruleId"].as_str().unwrap())
            .collect();
        assert_eq!(levels, ["mapping::syntax", "mapping::unknown_path", "mapping::type_mismatch"]);
        assert_eq!(
            report["runs"][0]["results"][2]["locations"][0]["physicalLocation"]["region"],
            json!({"startLine": 2, "startColumn": 9, "endColumn": 10, "snippet": {"text": "mobile: 1, alias: \"李\" }"}})
        );
    }

    #[test]
    fn no_finding_is_a_run_without_results() {
        let report = report(&[]);
        check(&report);
        assert_eq!(report["runs"][0]["results"], json!([]));
    }
}
