//! `attribute`: a company's own attribute of a person, whatever shape the platform gives it.
//!
//! Feishu lists `custom_attrs` with typed values (Feishu fact sheet, section 2.5), DingTalk has `extension` as JSON text and
//! rosters with fields (DingTalk fact sheet, sections 2.2 and 2.4), WeCom `extattr.attrs` (WeCom fact sheet, section 2.2).

use std::ops::ControlFlow;

use super::{Body, Env, Failure, Function, Outcome, mismatch, needed, take};
use crate::mapping::value::{List, Value};

pub(super) const FUNCTION: Function = Function {
    name: "attribute",
    usage: "attribute(attributes, key [, part]) -> value",
    about: "The value of an attribute that the company has defined, by its id, code or name: from Feishu's `custom_attrs`, DingTalk's `extension` or roster fields, WeCom's `extattr`. Of a link the address, of a choice its label, of a person the id; `part` names another part, such as \"option_id\". `()` when there is no such attribute; of several values the first.",
    examples: [
        (r#"attribute([#{type: "TEXT", id: "C-1", value: #{text: "CC-7"}}], "C-1")"#, r#""CC-7""#),
        (r#"attribute("{\"cost_center\":\"A1\"}", "cost_center")"#, r#""A1""#),
    ],
    least: 2,
    most: 3,
    body: Body::Plain(run),
};

/// Where an entry of a list says which attribute it is.
const KEYS: &[&str] = &["id", "name", "fieldCode", "fieldName", "field_code", "field_name"];
/// Where it keeps the value.
const VALUES: &[&str] = &["value", "text", "web", "fieldValueList", "field_value_list"];
/// What of a value people read, the most telling first.
const PARTS: &[&str] =
    &["url", "label", "option_value", "name", "text", "value", "generic_user.id", "option_id"];

fn run<'a>(_env: &'a Env, args: &mut [Value<'a>]) -> Outcome<'a> {
    let key = needed("attribute", "the key", take(args, 1))?;
    let part = match take(args, 2) {
        Value::Unit => None,
        value => Some(needed("attribute", "the part", value)?),
    };
    let attributes = match take(args, 0) {
        Value::Text(text) if text.trim().is_empty() => return Ok(Value::Unit),
        Value::Text(text) => parsed(&text)?,
        other => other,
    };
    let found = match attributes {
        Value::Unit => return Ok(Value::Unit),
        Value::List(list) => entry(&list, &key),
        Value::Object(object) => match object.property("attrs") {
            Value::List(list) => entry(&list, &key),
            _ => return Ok(told(object.property(&key), part.as_deref())),
        },
        other => {
            let wanted = "a list, an object or JSON text";
            return Err(mismatch("attribute", "its attributes", wanted, &other));
        }
    };
    let Some(entry) = found else {
        return Ok(Value::Unit);
    };
    let values = VALUES.iter().map(|name| entry.path(name));
    let value = values.into_iter().find(|value| !value.is_unit()).unwrap_or_default();
    Ok(told(value, part.as_deref()))
}

/// DingTalk keeps attributes as text; most are an object, some tenants have a list.
fn parsed<'a>(text: &str) -> Outcome<'a> {
    match serde_json::from_str(text) {
        Ok(json @ (serde_json::Value::Object(_) | serde_json::Value::Array(_))) => {
            Ok(Value::of_json(json))
        }
        Ok(_) | Err(_) => Err(Failure::new(
            "mapping::attributes",
            "`attribute` got text that is neither a JSON object nor a list; hand it the field with the attributes",
        )),
    }
}

/// The entry of a key.
fn entry<'a>(list: &List<'a>, key: &str) -> Option<Value<'a>> {
    let wanted = Value::word(key);
    let mut nth = 0;
    let hit = list.each(|item| {
        let is = |name: &&str| item.property(name).is_some_and(|found| found.same(&wanted));
        if KEYS.iter().any(is) {
            return ControlFlow::Break(nth);
        }
        nth += 1;
        ControlFlow::Continue(())
    });
    hit.and_then(|nth| list.at(nth))
}

/// What is asked of a value.
fn told<'a>(value: Value<'a>, part: Option<&str>) -> Value<'a> {
    let value = match value {
        Value::List(list) => list.at(0).unwrap_or_default(),
        other => other,
    };
    match (&value, part) {
        (Value::Object(_), Some(part)) => value.path(part),
        (Value::Object(_), None) => {
            let parts =
                || PARTS.iter().map(|part| value.path(part)).filter(|found| !found.is_unit());
            let blank =
                |found: &Value<'_>| matches!(found, Value::Text(text) if text.trim().is_empty());
            parts().find(|found| !blank(found)).or_else(|| parts().next()).unwrap_or_default()
        }
        (_, Some(_)) => Value::Unit,
        (_, None) => value,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::mapping::testing::evaluate_on;

    fn attribute(attributes: &Value, call: &str) -> Value {
        evaluate_on(
            &format!("#{{ custom: attribute(record.a, {call}) }}"),
            &json!({ "a": attributes }),
        )
        .unwrap()
    }

    #[test]
    fn every_type_of_feishu_is_read() {
        let attrs = json!([
            { "type": "TEXT", "id": "C-1", "value": { "text": "CC-7", "url": "", "pc_url": "" } },
            { "type": "HREF", "id": "C-2", "value": { "text": "page", "url": "https://example.com", "pc_url": "" } },
            { "type": "ENUMERATION", "id": "C-3", "value": { "option_id": "o1", "option_value": "Gold" } },
            { "type": "PICTURE_ENUM", "id": "C-4", "value": { "option_id": "o2", "name": "Star", "picture_url": "https://example.com/p" } },
            { "type": "GENERIC_USER", "id": "C-5", "value": { "generic_user": { "id": "e7", "type": 1 } } },
            { "type": "TEXT", "id": "C-6", "value": { "text": "" } },
        ]);
        for (call, value) in [
            ("\"C-1\"", json!("CC-7")),
            ("\"C-2\"", json!("https://example.com")),
            ("\"C-2\", \"text\"", json!("page")),
            ("\"C-3\"", json!("Gold")),
            ("\"C-3\", \"option_id\"", json!("o1")),
            ("\"C-4\"", json!("Star")),
            ("\"C-5\"", json!("e7")),
            ("\"C-6\"", json!("")),
            ("\"C-7\"", Value::Null),
        ] {
            assert_eq!(attribute(&attrs, call), value, "{call}");
        }
    }

    #[test]
    fn dingtalks_extension_and_rosters_are_read() {
        assert_eq!(
            attribute(&json!("{\"cost_center\":\"A1\",\"level\":7}"), "\"level\""),
            json!(7)
        );
        assert_eq!(attribute(&json!(" "), "\"level\""), Value::Null);
        for roster in [
            json!([{ "fieldCode": "sys05-contractType", "fieldName": "合同类型", "fieldValueList": [{ "itemIndex": 0, "label": "固定期限", "value": "1" }] }]),
            json!([{ "field_code": "sys05-contractType", "field_name": "合同类型", "field_value_list": [{ "item_index": 0, "label": "固定期限", "value": "1" }] }]),
        ] {
            assert_eq!(attribute(&roster, "\"sys05-contractType\""), json!("固定期限"));
            assert_eq!(attribute(&roster, "\"合同类型\", \"value\""), json!("1"));
        }
    }

    #[test]
    fn wecoms_attributes_are_read_with_and_without_their_frame() {
        let attrs = json!([
            { "type": 0, "name": "工号", "text": { "value": "A-1001" } },
            { "type": 1, "name": "主页", "web": { "url": "https://example.com", "title": "me" } },
            { "name": "爱好", "value": "旅游" },
        ]);
        for attributes in [attrs.clone(), json!({ "attrs": attrs })] {
            assert_eq!(attribute(&attributes, "\"工号\""), json!("A-1001"));
            assert_eq!(attribute(&attributes, "\"主页\""), json!("https://example.com"));
            assert_eq!(attribute(&attributes, "\"主页\", \"title\""), json!("me"));
            assert_eq!(attribute(&attributes, "\"爱好\""), json!("旅游"));
        }
    }

    #[test]
    fn text_that_is_no_json_is_refused_without_being_shown() {
        let record = json!({ "a": "geheim" });
        let reject = evaluate_on("#{ custom: attribute(record.a, \"x\") }", &record).unwrap_err();
        assert_eq!(reject.code, "mapping::attributes");
        assert!(!reject.message.contains("geheim"));
    }
}
