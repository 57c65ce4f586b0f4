//! `lookup`: a value table.

use super::{Body, Env, Failure, Function, Outcome, mismatch, needed, take};
use crate::mapping::tables::{Cell, Row};
use crate::mapping::value::Value;
use crate::model::schema;

pub(super) const FUNCTION: Function = Function {
    name: "lookup",
    usage: "lookup(table, value [, default]) -> value",
    about: "The row of a table in `tables.yaml`. A value without a row gives `default`, else the table's row `_`, else the record is parked, because a guess would be wrong silently. A missing value gives `()`.",
    examples: [
        (r#"lookup("gender", 1)"#, r#""male""#),
        (r#"lookup("gender", 9, "unspecified")"#, r#""unspecified""#),
    ],
    least: 2,
    most: 3,
    body: Body::Plain(run),
};

fn run<'a>(env: &'a Env, args: &mut [Value<'a>]) -> Outcome<'a> {
    let name = needed("lookup", "the table's name", take(args, 0))?;
    let Some(table) = env.tables.table(&name) else {
        let hint = schema::nearest(&name, env.tables.names())
            .map_or_else(String::new, |near| format!("; did you mean \"{near}\"?"));
        return Err(Failure::new(
            "mapping::unknown_table",
            format!("`lookup` names a table that `tables.yaml` does not have{hint}"),
        ));
    };
    let row = match take(args, 1) {
        value @ (Value::Unit | Value::Clear) => return Ok(value),
        Value::Text(text) => table.row(text.trim()),
        Value::Int(number) => table.row_of_number(number),
        Value::Bool(flag) => table.row(if flag { "true" } else { "false" }),
        other => {
            return Err(mismatch(
                "lookup",
                "the value",
                "text, a whole number or true/false",
                &other,
            ));
        }
    };
    match row {
        Row::Fallback(_) | Row::None if args.len() > 2 => Ok(take(args, 2)),
        Row::Found(cell) | Row::Fallback(cell) => Ok(show(cell)),
        Row::None => Err(Failure::new(
            "mapping::unmapped",
            format!(
                "table `{name}` has no row for this value; add the row, or a row `_` for all others, to `tables.yaml`"
            ),
        )),
    }
}

fn show(cell: &Cell) -> Value<'_> {
    match cell {
        Cell::Null => Value::Clear,
        Cell::Bool(flag) => Value::Bool(*flag),
        Cell::Int(number) => Value::Int(*number),
        Cell::Float(number) => Value::Float(*number),
        Cell::Text(text) => Value::word(text),
    }
}

#[cfg(test)]
mod tests {
    use crate::mapping::testing::evaluate;

    #[test]
    fn a_value_without_a_row_parks_the_record_and_names_the_table() {
        let reject = evaluate(r#"lookup("gender", 9)"#).unwrap_err();
        assert_eq!(reject.code, "mapping::unmapped");
        assert!(reject.message.contains("`gender`"), "{}", reject.message);
        assert!(!reject.message.contains('9'), "{}", reject.message);
    }

    #[test]
    fn the_row_underscore_takes_all_others_unless_the_call_knows_better() {
        assert_eq!(evaluate(r#"lookup("employment_type", 77)"#), Ok("other".into()));
        assert_eq!(evaluate(r#"lookup("employment_type", 77, "intern")"#), Ok("intern".into()));
        assert_eq!(evaluate(r#"lookup("employment_type", 1, "intern")"#), Ok("full_time".into()));
    }

    #[test]
    fn numbers_and_their_digits_meet_the_same_row() {
        assert_eq!(evaluate(r#"lookup("gender", "2")"#), Ok("female".into()));
        assert_eq!(evaluate(r#"lookup("gender", ())"#), Ok(serde_json::Value::Null));
    }
}
