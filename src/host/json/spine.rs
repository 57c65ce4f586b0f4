//! The spine of a JSON text: its objects outside arrays, and where the elements of its arrays stand.

use super::pointer::{descend, member_is, nth};
use super::scan::{JsonError, Scanner};

/// The most keys and elements a spine records: what bounds its memory.
const LIMIT: usize = 1 << 18;

/// A range of bytes of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::host) struct Span {
    start: u32,
    end: u32,
}

impl Span {
    fn new(start: usize, end: usize) -> Result<Self, JsonError> {
        match (u32::try_from(start), u32::try_from(end)) {
            (Ok(start), Ok(end)) => Ok(Self { start, end }),
            _ => Err(JsonError::Crowded { limit: u32::MAX as usize }),
        }
    }

    /// The range, for slicing the text or the bytes it came from.
    pub(in crate::host) fn range(self) -> std::ops::Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// A value of the spine.
#[derive(Debug)]
pub(in crate::host) enum Node {
    Object { span: Span, members: Vec<Member> },
    Array { span: Span, items: Vec<Span> },
    Scalar(Span),
}

#[derive(Debug)]
pub(in crate::host) struct Member {
    key: Span,
    escaped: bool,
    node: Node,
}

impl Node {
    pub(in crate::host) fn span(&self) -> Span {
        match self {
            Self::Object { span, .. } | Self::Array { span, .. } | Self::Scalar(span) => *span,
        }
    }
}

/// Where the values of one text stand.
#[derive(Debug)]
pub(in crate::host) struct Spine {
    root: Node,
}

impl Spine {
    /// Checks the whole text and records its spine.
    pub(in crate::host) fn build(text: &[u8]) -> Result<Self, JsonError> {
        simdutf8::basic::from_utf8(text).map_err(|_| JsonError::Encoding)?;
        let mut builder = Builder { scanner: Scanner::new(text), left: LIMIT };
        builder.scanner.space();
        let root = builder.node(0)?;
        builder.scanner.space();
        match builder.scanner.peek() {
            None => Ok(Self { root }),
            Some(_) => Err(builder.scanner.unexpected()),
        }
    }

    pub(in crate::host) fn root(&self) -> &Node {
        &self.root
    }

    /// The value at a pointer's tokens, if it lies on the spine.
    pub(in crate::host) fn node(&self, text: &[u8], tokens: &[String]) -> Option<&Node> {
        tokens.iter().try_fold(&self.root, |node, token| match node {
            Node::Object { members, .. } => member(members, text, token),
            Node::Array { .. } | Node::Scalar(_) => None,
        })
    }

    /// The text of the value at a pointer's tokens, wherever it lies.
    pub(in crate::host) fn value<'t>(&self, text: &'t [u8], tokens: &[String]) -> Option<&'t [u8]> {
        let mut node = &self.root;
        for (at, token) in tokens.iter().enumerate() {
            match node {
                Node::Object { members, .. } => node = member(members, text, token)?,
                Node::Array { items, .. } => {
                    let item = items.get(nth(token)?)?;
                    return descend(&text[item.range()], &tokens[at + 1..]);
                }
                Node::Scalar(_) => return None,
            }
        }
        Some(&text[node.span().range()])
    }
}

fn member<'n>(members: &'n [Member], text: &[u8], token: &str) -> Option<&'n Node> {
    members
        .iter()
        .find(|member| member_is(&text[member.key.range()], member.escaped, token))
        .map(|member| &member.node)
}

struct Builder<'t> {
    scanner: Scanner<'t>,
    left: usize,
}

impl Builder<'_> {
    fn node(&mut self, depth: usize) -> Result<Node, JsonError> {
        let start = self.scanner.at;
        match self.scanner.peek() {
            Some(b'{') => self.object(start, depth),
            Some(b'[') => self.array(start, depth),
            _ => {
                self.scanner.skip(depth)?;
                Ok(Node::Scalar(Span::new(start, self.scanner.at)?))
            }
        }
    }

    fn object(&mut self, start: usize, depth: usize) -> Result<Node, JsonError> {
        self.scanner.open(depth)?;
        let (mut members, mut first) = (Vec::new(), true);
        while self.scanner.next(&mut first, b'}')? {
            self.count()?;
            let (key_start, key_end, escaped) = self.scanner.key()?;
            let key = Span::new(key_start, key_end)?;
            members.push(Member { key, escaped, node: self.node(depth + 1)? });
        }
        Ok(Node::Object { span: Span::new(start, self.scanner.at)?, members })
    }

    fn array(&mut self, start: usize, depth: usize) -> Result<Node, JsonError> {
        self.scanner.open(depth)?;
        let (mut items, mut first) = (Vec::new(), true);
        while self.scanner.next(&mut first, b']')? {
            self.count()?;
            let start = self.scanner.at;
            self.scanner.skip(depth + 1)?;
            items.push(Span::new(start, self.scanner.at)?);
        }
        Ok(Node::Array { span: Span::new(start, self.scanner.at)?, items })
    }

    fn count(&mut self) -> Result<(), JsonError> {
        self.left = self.left.checked_sub(1).ok_or(JsonError::Crowded { limit: LIMIT })?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::pointer::tokens;
    use super::*;
    use proptest::prelude::*;
    use serde_json::Value;

    fn at<'t>(text: &'t str, pointer: &str) -> Option<&'t str> {
        let text = text.as_bytes();
        let value = Spine::build(text).unwrap().value(text, &tokens(pointer).unwrap())?;
        Some(std::str::from_utf8(value).unwrap())
    }

    fn json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<i16>().prop_map(|x| Value::from(f64::from(x) / 8.0)),
            "[a-z/~\"\\\\\u{7f}\u{4e2d}\n ]{0,20}".prop_map(Value::from),
        ];
        leaf.prop_recursive(5, 60, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::btree_map("[ab/~\"\u{4e2d}0]{0,3}", inner, 0..6)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    fn pointers(value: &Value, at: &str, out: &mut Vec<String>) {
        out.push(at.to_owned());
        match value {
            Value::Object(map) => {
                for (key, value) in map {
                    let key = key.replace('~', "~0").replace('/', "~1");
                    pointers(value, &format!("{at}/{key}"), out);
                }
            }
            Value::Array(list) => {
                for (n, value) in list.iter().enumerate() {
                    pointers(value, &format!("{at}/{n}"), out);
                }
            }
            _ => {}
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn every_pointer_finds_what_serde_json_finds(value in json(), pretty: bool) {
            let text = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) };
            let text = text.unwrap();
            let mut all = vec!["/nowhere".to_owned(), "/0/a".to_owned(), "/a/01".to_owned()];
            pointers(&value, "", &mut all);
            for pointer in all {
                let found = at(&text, &pointer).map(|it| serde_json::from_str::<Value>(it).unwrap());
                prop_assert_eq!(found.as_ref(), value.pointer(&pointer), "{}", pointer);
            }
        }

        #[test]
        fn a_text_is_json_exactly_when_serde_json_says_so(
            value in json(), at in any::<prop::sample::Index>(), with in "[\\[\\]{}\",:\\\\0-9eE.+tfnu a-]{0,2}", drop in 0_usize..3,
        ) {
            let mut text: Vec<char> = serde_json::to_string(&value).unwrap().chars().collect();
            let at = at.index(text.len());
            text.splice(at..(at + drop).min(text.len()), with.chars());
            let text: String = text.into_iter().collect();
            let theirs = serde_json::from_str::<serde::de::IgnoredAny>(&text);
            let ours = Spine::build(text.as_bytes());
            prop_assert_eq!(ours.is_ok(), theirs.is_ok(), "{:?} {:?} in {}", ours.err(), theirs.err(), text);
        }
    }

    #[test]
    fn truncation_is_told_from_other_faults() {
        let text = r#"{"data":{"items":[{"id":"a\u00e9"},-1.5e+3,true]}}"#;
        for cut in 0..text.len() {
            let found = Spine::build(&text.as_bytes()[..cut]);
            assert!(matches!(found, Err(JsonError::Truncated { .. })), "{cut}: {found:?}");
        }
        assert!(Spine::build(text.as_bytes()).is_ok());
        let html = Spine::build(b"<html></html>").unwrap_err();
        assert_eq!(html, JsonError::Unexpected { at: 0 });
    }

    #[test]
    fn nesting_and_crowding_are_bounded() {
        let deep = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
        assert!(Spine::build(deep(127).as_bytes()).is_ok());
        assert_eq!(Spine::build(deep(128).as_bytes()).unwrap_err(), JsonError::Deep { at: 127 });
        assert!(matches!(Spine::build(deep(1 << 20).as_bytes()), Err(JsonError::Deep { .. })));
        let crowd = format!("[{}0]", "0,".repeat(LIMIT));
        assert_eq!(
            Spine::build(crowd.as_bytes()).unwrap_err(),
            JsonError::Crowded { limit: LIMIT }
        );
    }

    #[test]
    fn of_equal_keys_the_first_counts() {
        assert_eq!(at(r#"{"a":1,"a":2}"#, "/a"), Some("1"));
        assert_eq!(at(r#"[{"a":1,"a":2}]"#, "/0/a"), Some("1"));
    }
}
