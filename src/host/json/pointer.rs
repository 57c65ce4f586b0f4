//! JSON pointers (RFC 6901): their tokens, and the walk below the spine.

use super::scan::Scanner;

/// The tokens of a pointer; `None` when it is none.
pub(in crate::host) fn tokens(pointer: &str) -> Option<Vec<String>> {
    if pointer.is_empty() {
        return Some(Vec::new());
    }
    let rest = pointer.strip_prefix('/')?;
    rest.split('/').map(token).collect()
}

fn token(raw: &str) -> Option<String> {
    let mut escapes = raw.split('~').skip(1);
    escapes
        .all(|after| after.starts_with(['0', '1']))
        .then(|| raw.replace("~1", "/").replace("~0", "~"))
}

/// The index that a token names in an array.
pub(super) fn nth(token: &str) -> Option<usize> {
    let digits = !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_digit());
    let plain = digits && (token == "0" || !token.starts_with('0'));
    if plain { token.parse().ok() } else { None }
}

/// Whether a key as written is the token.
pub(super) fn member_is(raw: &[u8], escaped: bool, token: &str) -> bool {
    if !escaped {
        return raw == token.as_bytes();
    }
    let quoted = [b"\"", raw, b"\""].concat();
    serde_json::from_slice::<String>(&quoted).is_ok_and(|key| key == token)
}

/// The text of the value at the tokens inside `value`, which is one JSON value without space around it.
pub(in crate::host) fn descend<'t>(value: &'t [u8], tokens: &[String]) -> Option<&'t [u8]> {
    let Some((token, rest)) = tokens.split_first() else { return Some(value) };
    let mut scanner = Scanner::new(value);
    let found = match scanner.peek()? {
        b'{' => in_object(&mut scanner, value, token)?,
        b'[' => in_array(&mut scanner, nth(token)?)?,
        _ => return None,
    };
    descend(&value[found], rest)
}

fn in_object(
    scanner: &mut Scanner<'_>,
    text: &[u8],
    token: &str,
) -> Option<std::ops::Range<usize>> {
    scanner.open(0).ok()?;
    let mut first = true;
    while scanner.next(&mut first, b'}').ok()? {
        let (start, end, escaped) = scanner.key().ok()?;
        let hit = member_is(&text[start..end], escaped, token);
        let value = scanner.at;
        scanner.skip(1).ok()?;
        if hit {
            return Some(value..scanner.at);
        }
    }
    None
}

fn in_array(scanner: &mut Scanner<'_>, nth: usize) -> Option<std::ops::Range<usize>> {
    scanner.open(0).ok()?;
    let (mut first, mut at) = (true, 0);
    while scanner.next(&mut first, b']').ok()? {
        let value = scanner.at;
        scanner.skip(1).ok()?;
        if at == nth {
            return Some(value..scanner.at);
        }
        at += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pointer_is_split_and_unescaped() {
        assert_eq!(tokens(""), Some(vec![]));
        assert_eq!(
            tokens("/a~1b/m~0n/~01/"),
            Some(vec!["a/b".into(), "m~n".into(), "~1".into(), String::new()])
        );
        assert_eq!(tokens("a"), None);
        assert_eq!(tokens("/~2"), None);
        assert_eq!(tokens("/~"), None);
    }
}
