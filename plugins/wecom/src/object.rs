//! The text of a JSON object, member by member: just enough to take members out and put one in.
//!
//! What this is not: a parser; the host has checked that it is JSON. The one invariant: what is kept is kept to the byte.

/// The object without the members of these names, which stand plainly as they are.
pub(crate) fn without(object: &str, names: &[&str]) -> String {
    let mut kept = String::with_capacity(object.len());
    kept.push('{');
    for member in members(object) {
        let name = member.split_once(':').map_or("", |(name, _)| name.trim().trim_matches('"'));
        if names.contains(&name) {
            continue;
        }
        if kept.len() > 1 {
            kept.push(',');
        }
        kept.push_str(member.trim());
    }
    kept.push('}');
    kept
}

/// The object with one member more.
pub(crate) fn with(object: &str, member: &str) -> String {
    let inner = object.trim().trim_start_matches('{');
    let rest = inner.trim_start();
    let comma = if rest.starts_with('}') { "" } else { "," };
    format!("{{{member}{comma}{inner}")
}

/// Name and value of each member, as they are written.
fn members(object: &str) -> Vec<&str> {
    let object = object.trim();
    let inner = object.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).unwrap_or("");
    let (mut members, mut start, mut depth) = (Vec::new(), 0, 0_u32);
    let (mut quoted, mut escaped) = (false, false);
    for (at, byte) in inner.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            _ if quoted => {}
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            b',' if depth == 0 => {
                members.push(&inner[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    members.push(&inner[start..]);
    members.retain(|member| !member.trim().is_empty());
    members
}

#[cfg(test)]
mod tests {
    use super::{with, without};

    #[test]
    fn members_are_taken_out_wherever_they_stand() {
        let names = ["errcode", "errmsg"];
        for (object, kept) in [
            (r#"{"errcode":0,"errmsg":"ok","userid":"e1"}"#, r#"{"userid":"e1"}"#),
            (r#"{"userid":"e1","errcode" : 0}"#, r#"{"userid":"e1"}"#),
            (r#"{ "errmsg":"a,\"b\",{", "x":{"errcode":1} }"#, r#"{"x":{"errcode":1}}"#),
            (r#"{"x":["a,b",{"y":2}],"z":"\\","errcode":0}"#, r#"{"x":["a,b",{"y":2}],"z":"\\"}"#),
            (r#"{"errcode":0}"#, "{}"),
            ("{}", "{}"),
        ] {
            assert_eq!(without(object, &names), kept, "{object}");
        }
    }

    #[test]
    fn a_member_is_put_in() {
        assert_eq!(with(r#"{"id":2}"#, r#""top":true"#), r#"{"top":true,"id":2}"#);
        assert_eq!(with("{ }", r#""top":true"#), r#"{"top":true }"#);
    }
}
