//! `null_to_clear`: what the source says is null becomes erased.

use super::{Body, Function};

pub(super) const FUNCTION: Function = Function {
    name: "null_to_clear",
    usage: "null_to_clear(record.field) -> value",
    about: "The value at a path, or `clear()` when the source says `null` there: it knows that there is nothing, so the field is erased. A field that the source does not mention stays missing, and blank text stays blank; `or_null` erases that.",
    examples: [
        (r#"null_to_clear("Li")"#, r#""Li""#),
        (r#"null_to_clear(record.nickname) ?? "missing""#, r#""missing""#),
    ],
    least: 1,
    most: 1,
    body: Body::Told,
};

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::mapping::testing::{evaluate_on, kind_on};

    #[test]
    fn null_missing_empty_and_value_are_four() {
        let record = json!({ "gone": null, "empty": "", "value": "x", "of": { "gone": null }, "list": [null, { "a": null }] });
        for (path, kind) in [
            ("record.gone", "`clear()`"),
            ("record.none", "nothing"),
            ("record.empty", "text"),
            ("record.value", "text"),
            ("record.of.gone", "`clear()`"),
            ("record.of.none", "nothing"),
            ("record.none?.none", "nothing"),
            ("record[\"gone\"]", "`clear()`"),
            ("record.list[1].a", "`clear()`"),
            ("record.list.map(|x| null_to_clear(x?.a)).last()", "`clear()`"),
        ] {
            let script = format!("#{{ custom: null_to_clear({path}) }}");
            assert_eq!(kind_on(&script, &record), kind, "{path}");
        }
    }

    #[test]
    fn null_is_missing_for_everyone_else() {
        let record = json!({ "gone": null });
        for call in [
            "record.gone == ()",
            "record.gone ?? true",
            "(lower(record.gone) ?? 7) == 7",
            "(record.gone?.x ?? 7) == 7",
        ] {
            let script = format!("#{{ custom: {call} }}");
            assert_eq!(evaluate_on(&script, &record), Ok(Value::Bool(true)), "{call}");
        }
        let script = "#{ custom: lower(or_null(trimmed(null_to_clear(record.gone)))) }";
        assert_eq!(kind_on(script, &record), "`clear()`");
    }
}
