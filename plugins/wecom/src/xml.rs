//! The children of an element in the XML that the platform pushes: plain text, CDATA, no attributes.
//!
//! What this is not: an XML parser. The one invariant: a document with a DTD, or one that does not close what it opens, is
//! refused; nothing is ever expanded.

/// The children of the one element that a document is: their names and what stands between their tags.
pub(crate) fn children(document: &str) -> Option<Vec<(&str, &str)>> {
    let document = document.trim_start_matches('\u{feff}').trim();
    let (_, inner, rest) = element(document)?;
    if rest.trim().is_empty() { within(inner) } else { None }
}

/// The children in what stands between an element's tags.
pub(crate) fn within(inner: &str) -> Option<Vec<(&str, &str)>> {
    let (mut found, mut rest) = (Vec::new(), inner.trim_start());
    while !rest.is_empty() {
        let (name, inner, after) = element(rest)?;
        found.push((name, inner));
        rest = after.trim_start();
    }
    Some(found)
}

/// The text between an element's tags; none when there are elements.
pub(crate) fn text(inner: &str) -> Option<String> {
    let inner = inner.trim();
    if let Some(rest) = inner.strip_prefix("<![CDATA[") {
        return rest.strip_suffix("]]>").filter(|text| !text.contains("]]>")).map(str::to_owned);
    }
    if inner.contains('<') {
        return None;
    }
    let plain = inner.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"");
    Some(plain.replace("&apos;", "'").replace("&amp;", "&"))
}

/// The element at the start of a text: its name, what is in it, what comes after it.
fn element(text: &str) -> Option<(&str, &str, &str)> {
    let rest = text.strip_prefix('<')?;
    let end = rest.find('>')?;
    let tag = &rest[..end];
    let after = &rest[end + 1..];
    if let Some(name) = tag.strip_suffix('/') {
        return is_name(name.trim_end()).then_some((name.trim_end(), "", after));
    }
    if !is_name(tag) {
        return None;
    }
    let (inner, after) = up_to_end(tag, after)?;
    Some((tag, inner, after))
}

/// What stands before the end of an element of this name, and what after.
fn up_to_end<'a>(name: &str, text: &'a str) -> Option<(&'a str, &'a str)> {
    let (mut depth, mut at) = (1_u32, 0);
    loop {
        let open = at + text[at..].find('<')?;
        let rest = &text[open..];
        if rest.starts_with("<![CDATA[") {
            at = open + rest.find("]]>")? + 3;
            continue;
        }
        let close = open + rest.find('>')?;
        let tag = &text[open + 1..close];
        if let Some(ended) = tag.strip_prefix('/') {
            depth -= 1;
            if depth == 0 {
                return (ended.trim_end() == name).then_some((&text[..open], &text[close + 1..]));
            }
        } else if !tag.ends_with('/') {
            if !is_name(tag) {
                return None;
            }
            depth += 1;
        }
        at = close + 1;
    }
}

fn is_name(tag: &str) -> bool {
    tag.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && tag
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'))
}

#[cfg(test)]
mod tests {
    use super::{children, text, within};

    #[test]
    fn elements_are_read_in_any_order_and_form() {
        let document =
            "<xml>\n<A><![CDATA[a<b>]]></A><B> 7 </B><C/><D><E>1</E><E>2</E></D></xml>\n";
        let found = children(document).unwrap();
        let names: Vec<&str> = found.iter().map(|(name, _)| *name).collect();
        assert_eq!(names, ["A", "B", "C", "D"]);
        assert_eq!(text(found[0].1).as_deref(), Some("a<b>"));
        assert_eq!(text(found[1].1).as_deref(), Some("7"));
        assert_eq!(text(found[3].1), None);
        assert_eq!(within(found[3].1).unwrap(), [("E", "1"), ("E", "2")]);
        assert_eq!(text("&lt;a&gt; &amp;lt;").as_deref(), Some("<a> &lt;"));
    }

    #[test]
    fn a_dtd_an_attribute_and_an_open_end_are_refused() {
        for document in [
            "",
            "plain",
            "<!DOCTYPE xml [<!ENTITY a \"b\">]><xml><A>&a;</A></xml>",
            "<?xml version=\"1.0\"?><xml></xml>",
            "<xml a=\"b\"><A>1</A></xml>",
            "<xml><A>1</xml>",
            "<xml><A>1</A>",
            "<xml><A>1</B></xml>",
            "<xml><A><![CDATA[1</A></xml>",
            "<xml></xml><xml></xml>",
            "<xml>text<A>1</A></xml>",
        ] {
            assert_eq!(children(document), None, "{document}");
        }
        assert_eq!(children("<xml></xml>"), Some(Vec::new()));
    }
}
