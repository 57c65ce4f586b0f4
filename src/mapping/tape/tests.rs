use super::*;
use crate::mapping::value::Value;

/// What is on the tape after each text, the texts parted by a NUL; `None` when the last one is refused.
pub(super) fn tape_of(texts: &str, paths: &[&[&str]], scanned: bool) -> Option<String> {
    let mut projection = Projection::new();
    for path in paths {
        let part = path.iter().fold(ROOT, |part, name| projection.below(part, name));
        projection.whole(part);
    }
    let mut tape = Tape::default();
    texts
        .split('\u{0}')
        .map(|text| {
            tape.reset(&projection);
            if scanned {
                scan::scan(&mut tape, text, &projection)?;
            } else {
                tape.deserialize(text, &projection).ok()?;
            }
            Some(format!("{:?} {:?} {:?}", tape.nodes, tape.side, tape.slots))
        })
        .last()
        .flatten()
}

fn whole() -> Projection {
    let mut projection = Projection::new();
    projection.whole(ROOT);
    projection
}

/// What a projection of some paths leaves of a record.
fn seen(record: &str, paths: &[&[&str]]) -> String {
    let mut projection = Projection::new();
    for path in paths {
        let part = path.iter().fold(ROOT, |part, name| projection.below(part, name));
        projection.whole(part);
    }
    show(record, &projection)
}

fn show(record: &str, projection: &Projection) -> String {
    let mut tape = Tape::default();
    let doc = tape.parse(record, projection).unwrap();
    Value::on_tape(&doc, 0).into_dynamic().to_string()
}

#[test]
fn only_what_is_read_is_kept() {
    let record =
        r#"{"a": {"x": 1, "y": [2, {"z": 3}]}, "b": "\u674e", "c": {"d": {"e": 4}}, "f": [5]}"#;
    assert_eq!(seen(record, &[&["a", "x"], &["b"]]), r#"#{"a": #{"x": 1}, "b": "李"}"#);
    assert_eq!(seen(record, &[&["a"], &["a", "x"]]), r#"#{"a": #{"x": 1, "y": [2, #{"z": 3}]}}"#);
    assert_eq!(seen(record, &[&["c", "d", "e"], &["none"]]), r#"#{"c": #{"d": #{"e": 4}}}"#);
    assert_eq!(seen(record, &[&["f", "x"], &["b", "x"]]), r#"#{"b": "李", "f": [5]}"#);
    assert_eq!(seen(record, &[]), "#{}");
}

#[test]
fn the_first_of_equal_keys_counts_everywhere() {
    let record = r#"{"a": {"x": 1, "x": 2}, "a": {"x": 3}, "b": 1, "b": null}"#;
    assert_eq!(seen(record, &[&["a", "x"], &["b"]]), r#"#{"a": #{"x": 1}, "b": 1}"#);
    assert_eq!(show(record, &whole()), r#"#{"a": #{"x": 1}, "b": 1}"#);
    let mut tape = Tape::default();
    let projection = whole();
    let doc = tape.parse(record, &projection).unwrap();
    let a = doc.property(0, "a").unwrap();
    assert!(matches!(doc.property(a, "x").map(|at| doc.node(at)), Some(Node::Int(1))));
}

#[test]
fn a_tape_is_used_again_without_a_trace() {
    let mut tape = Tape::default();
    let mut projection = Projection::new();
    let part = projection.below(ROOT, "a");
    projection.whole(part);
    tape.parse(r#"{"a": ["\n1", "\n2"]}"#, &projection).unwrap();
    let doc = tape.parse("{}", &projection).unwrap();
    assert_eq!(doc.slot(part), None);
    assert_eq!(doc.size(), (1, 2));
}

#[test]
fn a_tape_serves_records_of_any_shape_and_one_projection_after_another() {
    let records = [
        r#"{"a": 1, "b": 2, "c": {"a": 3}}"#,
        r#"{"b": 2, "a": 1}"#,
        r#"{"x": 0, "a": 1, "c": {"b": 4, "a": 3}}"#,
        r#"{"a": 1, "b": 2, "c": {"a": 3}}"#,
    ];
    let mut first = Projection::new();
    let (a, c) = (first.below(ROOT, "a"), first.below(ROOT, "c"));
    let below = first.below(c, "a");
    first.whole(a);
    first.whole(below);
    let mut second = Projection::new();
    let b = second.below(ROOT, "b");
    second.whole(b);
    let mut tape = Tape::default();
    for record in records.iter().cycle().take(12) {
        let fresh = |projection: &Projection| {
            let mut tape = Tape::default();
            let doc = tape.parse(record, projection).unwrap();
            Value::on_tape(&doc, 0).into_dynamic().to_string()
        };
        for projection in [&first, &second, &first] {
            let doc = tape.parse(record, projection).unwrap();
            assert_eq!(Value::on_tape(&doc, 0).into_dynamic().to_string(), fresh(projection));
        }
    }
}

#[test]
fn what_is_no_object_is_told_without_its_text() {
    let projection = Projection::new();
    let mut tape = Tape::default();
    let errors = ["[]", "1", "{\"geheim\": }", "{} x"]
        .map(|text| tape.parse(text, &projection).map(drop).unwrap_err().to_string());
    assert!(errors.iter().all(|error| error.contains("the connector handed over something else")));
    assert!(errors.iter().all(|error| !error.contains("geheim")));
}
