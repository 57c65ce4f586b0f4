//! Stand-ins: texts of the same shape in place of texts that may not be told.
//!
//! Every letter becomes a letter of its kind, every digit a digit, everything else stays. It is a permutation of all texts of
//! one shape, keyed by a key that nobody keeps: the same text always has the same stand-in, different texts have different
//! ones, and without the key there is no way back, not even by trying every phone number. Not encryption for storage. The
//! invariant: a stand-in has the shape of its text, so that a number stays a number and an id keeps its prefix.

/// What stand-ins are made with; whoever has it can tell what they stand for.
pub type Key = [u8; 32];

/// Rounds over the two halves of a text.
const ROUNDS: u8 = 4;
/// Common ideographs: U+4E00 to U+9FA5.
const IDEOGRAPHS: (u32, u32) = (0x4e00, 0x51a6);

/// Where a character may move: from a first character on, so many.
type Alphabet = (u32, u32);

/// The stand-in of a text.
pub(super) fn of_text(key: &Key, text: &str) -> String {
    let number = text.len() > 1 && text.bytes().all(|b| b.is_ascii_digit());
    moved(key, text, fixed(text), number.then_some(0), alphabet)
}

/// The stand-in of a JSON number as it is written; digits move, sign, point and exponent stay.
pub(super) fn of_number(key: &Key, number: &str) -> String {
    let end = number.find(['e', 'E']).unwrap_or(number.len());
    let (digits, exponent) = number.split_at(end);
    let sign = digits.len() - digits.trim_start_matches('-').len();
    let fixed = sign + operator(digits);
    let whole = digits[sign..].find('.').unwrap_or(digits.len() - sign);
    let first = (whole > 1).then_some(sign);
    moved(key, digits, fixed, first, |c| c.is_ascii_digit().then_some((u32::from('0'), 10)))
        + exponent
}

/// Bytes of the same number that stand for bytes.
pub(super) fn of_bytes(key: &Key, bytes: &[u8]) -> Vec<u8> {
    let mut out = vec![0; bytes.len()];
    let hash = blake3::Hasher::new_keyed(key).update(b"bytes").update(bytes).finalize_xof();
    { hash }.fill(&mut out);
    out
}

/// Moves what may move: not what stands before `fixed`. At `first`, a number begins with one of 1 to 9, or with a 0 that stays.
fn moved(
    key: &Key,
    text: &str,
    fixed: usize,
    first: Option<usize>,
    alphabet: fn(char) -> Option<Alphabet>,
) -> String {
    let mut shape = blake3::Hasher::new_keyed(key);
    let mut chars: Vec<char> = text.chars().collect();
    let mut cells: Vec<(usize, Alphabet, u32)> = Vec::with_capacity(chars.len());
    for (at, &c) in chars.iter().enumerate() {
        let free = alphabet(c).filter(|_| at >= fixed);
        let free = match free {
            Some(_) if first == Some(at) && c == '0' => None,
            Some(_) if first == Some(at) => Some((u32::from('1'), 9)),
            free => free,
        };
        match free {
            Some(alphabet) => {
                shape.update(&[1]).update(&alphabet.0.to_le_bytes());
                cells.push((at, alphabet, u32::from(c) - alphabet.0));
            }
            None => {
                shape.update(&[0]).update(&u32::from(c).to_le_bytes());
            }
        }
    }
    let middle = cells.len() / 2;
    let shape = *shape.finalize().as_bytes();
    for round in 0..ROUNDS {
        let (left, right) = cells.split_at_mut(middle);
        let (turned, other) = if round % 2 == 0 { (left, right) } else { (right, left) };
        turn(&shape, round, turned, other);
    }
    for (at, (first, _), value) in cells {
        chars[at] = char::from_u32(first + value).unwrap_or('x');
    }
    chars.into_iter().collect()
}

/// Moves every character of one half by a distance that follows from the other half.
fn turn(
    shape: &[u8; 32],
    round: u8,
    turned: &mut [(usize, Alphabet, u32)],
    other: &[(usize, Alphabet, u32)],
) {
    let mut hash = blake3::Hasher::new_keyed(shape);
    hash.update(&[round]);
    for (_, _, value) in other {
        hash.update(&value.to_le_bytes());
    }
    let mut distances = hash.finalize_xof();
    for (_, (_, size), value) in turned {
        let mut bytes = [0; 4];
        distances.fill(&mut bytes);
        *value = (*value + u32::from_le_bytes(bytes) % *size) % *size;
    }
}

fn alphabet(c: char) -> Option<Alphabet> {
    let at = |first: char, size| Some((u32::from(first), size));
    match c {
        '0'..='9' => at('0', 10),
        'a'..='z' => at('a', 26),
        'A'..='Z' => at('A', 26),
        // Latin letters with marks, Greek, Cyrillic, kana and Hangul stay in a block of assigned letters.
        '\u{c0}'..='\u{17f}' => Some((0xc0, 0xc0)),
        '\u{3b1}'..='\u{3c9}' => Some((0x3b1, 25)),
        '\u{410}'..='\u{44f}' => Some((0x410, 64)),
        '\u{3041}'..='\u{3096}' => Some((0x3041, 86)),
        '\u{30a1}'..='\u{30fa}' => Some((0x30a1, 90)),
        '\u{4e00}'..='\u{9fa5}' => Some(IDEOGRAPHS),
        '\u{ac00}'..='\u{d7a3}' => Some((0xac00, 11_172)),
        // What else is written is rare; it moves within its 16 neighbours, wherever all of them are characters.
        _ if !c.is_ascii() && !c.is_whitespace() => {
            let first = u32::from(c) & !15;
            (first..first + 16).all(|it| char::from_u32(it).is_some()).then_some((first, 16))
        }
        _ => None,
    }
}

/// How many characters at the front stay: scheme and host of a URL, a country code, the prefix by which a platform marks
/// a kind of id.
fn fixed(text: &str) -> usize {
    if let Some(rest) = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")) {
        let host = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        // Whoever logs in by an address is not part of its host.
        let host = if rest[..host].contains('@') { 0 } else { host };
        return text[..text.len() - rest.len() + host].chars().count();
    }
    if text.starts_with('+') {
        return 3 + text.strip_prefix("+86").map_or(0, operator);
    }
    if operator(text) > 0 {
        return operator(text);
    }
    let prefix = text.bytes().take_while(u8::is_ascii_lowercase).count();
    match text.as_bytes().get(prefix) {
        Some(b'_' | b'-') if (1..=4).contains(&prefix) && text.len() > prefix + 1 => prefix + 1,
        _ => 0,
    }
}

/// How many digits of a Chinese mobile number name only who runs its network; they keep it a mobile number.
fn operator(number: &str) -> usize {
    match number.as_bytes() {
        [b'1', b'3'..=b'9', rest @ ..]
            if rest.len() == 9 && rest.iter().all(u8::is_ascii_digit) =>
        {
            3
        }
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const KEY: Key = [7; 32];

    #[test]
    fn a_stand_in_has_the_shape_of_its_text_and_is_always_the_same() {
        let shape = |text: &str| -> String {
            let kind = |c: char| match c {
                '0'..='9' => '9',
                'a'..='z' => 'a',
                'A'..='Z' => 'A',
                '\u{4e00}'..='\u{9fa5}' => '字',
                other => other,
            };
            text.chars().map(kind).collect()
        };
        for text in ["王小明", "Anna Example", "a.b@corp.example", "13800001234", "E-0042", ""] {
            let stand_in = of_text(&KEY, text);
            assert_eq!(shape(&stand_in), shape(text));
            assert_eq!(of_text(&KEY, text), stand_in);
            assert!(text.len() < 2 || stand_in != text, "{text}");
        }
        assert_ne!(of_text(&[8; 32], "王小明"), of_text(&KEY, "王小明"), "the key decides");
    }

    #[test]
    fn different_texts_never_share_a_stand_in() {
        let all: BTreeSet<_> = (0..1000).map(|n| of_text(&KEY, &format!("u{n:03}"))).collect();
        assert_eq!(all.len(), 1000);
        let numbers: BTreeSet<_> = (100..1000).map(|n| of_text(&KEY, &n.to_string())).collect();
        assert_eq!(numbers.len(), 900);
        assert!(numbers.iter().all(|it| !it.starts_with('0')), "still numbers");
    }

    #[test]
    fn what_a_connector_steers_by_stays() {
        assert!(of_text(&KEY, "ou_8f2a").starts_with("ou_"));
        assert!(of_text(&KEY, "+8613800001234").starts_with("+86"));
        let url = of_text(&KEY, "https://cdn.example/avatar/8f2a?x=1");
        assert!(url.starts_with("https://cdn.example/") && !url.contains("8f2a"), "{url}");
        let login = of_text(&KEY, "https://anna:word@cdn.example/");
        assert!(login.starts_with("https://") && !login.contains("anna"), "{login}");
    }

    #[test]
    fn a_number_stays_a_number_and_is_the_same_as_its_text() {
        assert_eq!(of_number(&KEY, "37652311"), of_text(&KEY, "37652311"));
        for number in ["0.25", "-12.5", "1.5e-7", "31.2304", "9007199254740993"] {
            let stand_in = of_number(&KEY, number);
            let read: Result<serde_json::Value, _> = serde_json::from_str(&stand_in);
            assert!(read.is_ok_and(|it| it.is_number()), "{number}: {stand_in}");
            assert_eq!(stand_in.len(), number.len());
        }
    }

    #[test]
    fn a_mobile_number_stays_one() {
        for number in ["13800138000", "+8613800138000"] {
            let stand_in = of_text(&KEY, number);
            assert_ne!(stand_in, number);
            assert_eq!(stand_in.get(..number.len() - 8), number.get(..number.len() - 8));
        }
        assert_eq!(of_number(&KEY, "13800138000"), of_text(&KEY, "13800138000"));
    }

    #[test]
    fn bytes_stand_for_bytes_of_the_same_number() {
        assert_eq!(of_bytes(&KEY, b"digest").len(), 6);
        assert_eq!(of_bytes(&KEY, b"digest"), of_bytes(&KEY, b"digest"));
        assert_ne!(of_bytes(&KEY, b"digest"), of_bytes(&KEY, b"digesT"));
    }
}
