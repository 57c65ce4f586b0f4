//! Reading the text before a place: which brackets are open, which chain ends there, what a name stands for.
//!
//! The text is cut off anywhere and need not be a script, so that nothing is parsed. Not here: what is suggested. The
//! invariant: what is not understood leads nowhere.

use crate::mapping::analysis::Path;
use crate::mapping::library;

/// Names that lead to other names are followed so many times.
pub(super) const HOPS: usize = 6;

/// The part of the record that a chain such as `o.department_id` leads to: `let` and the parameters of closures are
/// followed back to the record.
pub(super) fn resolve(chain: &str, before: &str, hops: usize) -> Option<Path> {
    let plain = chain.replace('?', "");
    let (root, rest) = plain.split_once('.').map_or((plain.as_str(), ""), |(a, b)| (a, b));
    let (root, index) = root.split_once('[').map_or((root, false), |(root, _)| (root, true));
    let mut path = if root == "record" {
        Path::default()
    } else {
        let (of, item) = definition(root, before)?;
        let path = resolve(&of, before, hops.checked_sub(1)?)?;
        if item { path.item()? } else { path }
    };
    if index {
        path = path.item()?;
    }
    for part in rest.split('.').filter(|part| !part.is_empty()) {
        let (name, index) = part.split_once('[').map_or((part, false), |(name, _)| (name, true));
        path = path.key(name)?;
        if index {
            path = path.item()?;
        }
    }
    Some(path)
}

/// Whether a letter can stand in a name.
pub(super) fn is_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

/// The chain of names that ends where the text ends: `record.status?.is_`.
pub(super) fn chain_before(before: &str) -> String {
    let mut begin = before.len();
    let mut depth = 0_usize;
    for (at, letter) in before.char_indices().rev() {
        match letter {
            ']' => depth += 1,
            '[' if depth > 0 => depth -= 1,
            _ if depth > 0 => {}
            '.' | '?' => {}
            letter if is_word(letter) => {}
            _ => break,
        }
        begin = at;
    }
    let chain = &before[begin..];
    // `a ?? b` is no chain.
    chain.rsplit("??").next().unwrap_or(chain).trim_start_matches(['.', '?']).to_owned()
}

/// What a name stands for: `let name = CHAIN` or `CHAIN.map(|name|`, the last before the place; whether it is an element.
fn definition(name: &str, before: &str) -> Option<(String, bool)> {
    let bar = format!("|{name}|");
    if let Some(at) = before.rfind(&bar) {
        let call = before[..at].trim_end().strip_suffix('(')?;
        let (list, method) = call.rsplit_once('.')?;
        if library::function(method.trim()).is_some() {
            return Some((chain_before(over(list.trim_end())), true));
        }
    }
    let words = format!("let {name} =");
    let at = before.rfind(&words)?;
    let value = before[at + words.len()..].trim_start();
    let end = value.find(|letter: char| !is_word(letter) && !".?[]".contains(letter));
    Some((value[..end.unwrap_or(value.len())].to_owned(), false))
}

/// The list that a chain of `filter` and the like runs over: `(record.orders ?? []).filter(..)` is `record.orders`.
fn over(list: &str) -> &str {
    let mut list = list;
    while let Some(inner) = list.strip_suffix(')') {
        let mut depth = 1_usize;
        let open = inner.char_indices().rev().find(|(_, letter)| {
            match letter {
                ')' => depth += 1,
                '(' => depth -= 1,
                _ => {}
            }
            depth == 0
        });
        let Some((open, _)) = open else { return list };
        let name = inner[..open].trim_end();
        match name.rsplit_once('.') {
            Some((of, method)) if matches!(method.trim(), "filter" | "put_first") => {
                list = of.trim_end();
            }
            _ if name.ends_with(is_word) => return list,
            _ => {
                let content = &inner[open + 1..];
                list = content.split("??").next().unwrap_or(content).trim();
            }
        }
    }
    list
}

/// The brackets that are open at the end of a text, and whether it ends inside a text or a comment.
fn scan(before: &str) -> (Vec<&'static str>, Option<usize>, bool) {
    let bytes = before.as_bytes();
    let (mut open, mut last, mut at) = (Vec::new(), None, 0);
    while let Some(byte) = bytes.get(at) {
        let next = bytes.get(at + 1);
        match (byte, next) {
            (b'/', Some(b'/')) => match before[at..].find('\n') {
                Some(end) => at += end,
                None => return (open, last, true),
            },
            (b'"', _) => {
                let mut end = at + 1;
                while bytes.get(end).is_some_and(|byte| *byte != b'"') {
                    end += if bytes.get(end) == Some(&b'\\') { 2 } else { 1 };
                }
                if end >= bytes.len() {
                    return (open, last, true);
                }
                at = end;
            }
            (b'#', Some(b'{')) => {
                open.push("#{");
                (last, at) = (Some(at + 1), at + 1);
            }
            (b'{', _) => open.push("{"),
            (b'(', _) => open.push("("),
            (b'[', _) => open.push("["),
            (b'}' | b')' | b']', _) => {
                open.pop();
            }
            (b',', _) if open == ["#{"] => last = Some(at),
            _ => {}
        }
        at += 1;
    }
    (open, last, false)
}

/// Whether a text ends inside a text or a comment.
pub(super) fn in_text_or_comment(before: &str) -> bool {
    scan(before).2
}

/// Whether the name of a field is expected at the end of a text.
pub(super) fn is_key(before: &str) -> bool {
    let (open, last, _) = scan(before);
    let Some(last) = last.filter(|_| open == ["#{"]) else { return false };
    let lines = before.get(last + 1..).unwrap_or_default().lines();
    let plain: String = lines.map(|line| line.split("//").next().unwrap_or_default()).collect();
    plain.chars().all(|letter| is_word(letter) || letter.is_whitespace())
}

/// The fields that a text sets already.
pub(super) fn keys(text: &str) -> Vec<&str> {
    text.match_indices(':')
        .filter_map(|(at, _)| {
            let before = text[..at].trim_end();
            let begin = before.rfind(|letter: char| !is_word(letter)).map_or(0, |at| at + 1);
            before.get(begin..).filter(|name| !name.is_empty())
        })
        .collect()
}
