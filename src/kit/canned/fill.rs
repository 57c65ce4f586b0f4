//! Placeholders in the description, filled in.

use std::collections::BTreeMap;

use serde_json::Value;

/// What placeholders stand for; a text that is one placeholder and nothing else becomes the value itself.
pub(super) type Values = BTreeMap<&'static str, Value>;

/// A copy with everything filled in. What is filled in is not searched again.
pub(super) fn filled(template: &Value, values: &Values) -> Value {
    match template {
        Value::String(text) => text_filled(text, values),
        Value::Array(items) => items.iter().map(|item| filled(item, values)).collect(),
        Value::Object(members) => {
            members.iter().map(|(name, value)| (name.clone(), filled(value, values))).collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => template.clone(),
    }
}

fn text_filled(text: &str, values: &Values) -> Value {
    let whole = text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
    if let Some(value) = whole.and_then(|name| values.get(name)) {
        return value.clone();
    }
    let (mut out, mut rest) = (String::new(), text);
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        let known =
            after.split_once('}').and_then(|(name, after)| Some((values.get(name)?, after)));
        rest = if let Some((value, after)) = known {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            out.push_str(&value);
            after
        } else {
            out.push('{');
            after
        };
    }
    out.push_str(rest);
    Value::String(out)
}

/// Puts a value where a pointer leads, making the objects on the way.
pub(super) fn put(root: &mut Value, pointer: &str, value: Value) {
    let mut place = root;
    for token in pointer.split('/').skip(1) {
        if !place.is_object() {
            *place = Value::Object(serde_json::Map::new());
        }
        let Some(members) = place.as_object_mut() else { return };
        place = members.entry(token.replace("~1", "/").replace("~0", "~")).or_insert(Value::Null);
    }
    *place = value;
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_value_keeps_its_type_where_it_stands_alone_and_is_not_searched_again() {
        let values =
            Values::from([("id", json!("{at}")), ("at", json!(7)), ("parent", Value::Null)]);
        let template =
            json!({"id": "{id}", "at": "{at}", "text": "{id} at {at} {x}", "p": ["{parent}"]});
        let expected = json!({"id": "{at}", "at": 7, "text": "{at} at 7 {x}", "p": [null]});
        assert_eq!(filled(&template, &values), expected);
    }

    #[test]
    fn a_pointer_makes_the_objects_on_its_way() {
        let mut root = json!({"code": 0});
        put(&mut root, "/data/items", json!([1]));
        assert_eq!(root, json!({"code": 0, "data": {"items": [1]}}));
        put(&mut root, "", json!([]));
        assert_eq!(root, json!([]));
    }
}
