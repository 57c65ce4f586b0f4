//! What a field of a platform's answer may hold, judged by its name and then by its value.
//!
//! The rule is the careful one: a text is told only when it is known to be harmless. The invariant: a text that holds an
//! `@`, an ideograph or seven digits in a row is never told under any name but that of a time or a code.

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// A credential.
    Secret,
    /// What tells of a person: names, numbers, addresses, places, pictures, remarks; and all that lies inside of it.
    Personal,
    /// One word of a fixed set: a kind, a state, a verdict.
    Word,
    /// A platform's code of an outcome.
    Code,
    /// A day, a time, a span.
    Time,
    /// A platform's sentence about an outcome.
    Message,
    /// An identifier.
    Id,
    /// Anything else.
    Other,
}

const SECRET: &[&str] = &[
    "token",
    "secret",
    "ticket",
    "password",
    "passwd",
    "pwd",
    "signature",
    "sign",
    "cookie",
    "session",
    "credential",
    "credentials",
    "encrypt",
    "nonce",
    "auth",
    "authorization",
    "key",
];
const PERSONAL: &[&str] = &[
    "name",
    "names",
    "nick",
    "nickname",
    "alias",
    "pinyin",
    "mobile",
    "phone",
    "tel",
    "telephone",
    "fax",
    "mail",
    "email",
    "mailbox",
    "addr",
    "address",
    "birth",
    "birthday",
    "age",
    "card",
    "idcard",
    "passport",
    "license",
    "licence",
    "bank",
    "salary",
    "avatar",
    "photo",
    "picture",
    "pic",
    "pics",
    "image",
    "images",
    "thumb",
    "remark",
    "remarks",
    "note",
    "notes",
    "memo",
    "comment",
    "reason",
    "description",
    "title",
    "position",
    "wifi",
    "ssid",
    "bssid",
    "mac",
    "ip",
    "lat",
    "latitude",
    "lng",
    "lon",
    "longitude",
    "location",
    "place",
    "city",
    "contact",
    "account",
    "wechat",
    "qq",
    "native",
    "value",
    "text",
    "extattr",
    "media",
];
const WORD: &[&str] = &[
    "type", "types", "status", "state", "result", "kind", "lang", "language", "locale", "zone",
    "timezone", "gender", "sex", "scope", "scopes", "subject", "subjects", "schema", "unit",
];
const CODE: &[&str] = &["code", "errcode", "errno", "subcode"];
const TIME: &[&str] = &[
    "time",
    "times",
    "date",
    "dates",
    "day",
    "days",
    "month",
    "year",
    "timestamp",
    "at",
    "since",
    "until",
    "expire",
    "expires",
    "shift",
    "begin",
    "end",
    "start",
];
const MESSAGE: &[&str] = &["msg", "message", "errmsg", "submsg", "error", "hint", "troubleshooter"];
const ID: &[&str] = &[
    "id",
    "ids",
    "no",
    "number",
    "userid",
    "unionid",
    "openid",
    "useridlist",
    "uid",
    "uids",
    "sn",
];

/// What only says that there are several.
const MANY: &[&str] = &["list", "set", "array"];

/// The class of a field by its name; `parent` is that of the object it lies in.
pub(super) fn of_field(parent: Class, name: &str) -> Class {
    if matches!(parent, Class::Secret | Class::Personal) {
        return parent;
    }
    let mut words = words(name);
    let meant = words.iter().rposition(|word| !MANY.contains(&word.as_str()));
    words.truncate(meant.map_or(1, |at| at + 1));
    let any = |set: &[&str]| words.iter().any(|word| set.contains(&word.as_str()));
    let last = |set: &[&str]| words.last().is_some_and(|word| set.contains(&word.as_str()));
    match () {
        // `auth_org_scopes` is what a credential opens, not the credential.
        () if any(SECRET) && !last(&["scope", "scopes"]) => Class::Secret,
        () if last(WORD) => Class::Word,
        // `name_time` is a time, `ip_id` an id: the last word is what the value is.
        () if last(TIME) && !any(&["birth", "birthday"]) => Class::Time,
        () if last(ID) && !any(&["card", "phone", "mobile", "tel", "bank"]) => Class::Id,
        () if any(PERSONAL) => Class::Personal,
        () if last(CODE) => Class::Code,
        () if last(MESSAGE) => Class::Message,
        () => Class::Other,
    }
}

impl Class {
    /// Whether a text may be told as it is.
    pub(super) fn tells(self, text: &str) -> bool {
        if text.is_empty() || matches!(text, "true" | "false") {
            return true;
        }
        let made_of = |also: &[u8]| {
            text.len() <= 40 && text.bytes().all(|b| b.is_ascii_alphanumeric() || also.contains(&b))
        };
        let number = text.bytes().all(|b| b.is_ascii_digit());
        match self {
            Self::Secret | Self::Personal | Self::Message => false,
            Self::Word => made_of(b"_-.:") && !has_long_number(text),
            Self::Code => number && text.len() <= 10 || made_of(b"_-.") && !has_long_number(text),
            Self::Time => is_time(text),
            Self::Id | Self::Other => number && text.len() <= 4,
        }
    }

    /// Whether a number may be told as it is.
    pub(super) fn tells_number(self, text: &str) -> bool {
        let digits = text.bytes().filter(u8::is_ascii_digit).count();
        match self {
            Self::Secret | Self::Personal => false,
            Self::Id => digits <= 4,
            Self::Time | Self::Code => true,
            // A mobile number has eleven digits, other numbers of people eight or more.
            Self::Word | Self::Message => digits != 11,
            Self::Other => digits <= 6,
        }
    }
}

/// Whether a text has what names and numbers of people are made of.
pub(super) fn may_name_someone(text: &str) -> bool {
    text.contains('@') || !text.is_ascii() || has_long_number(text)
}

/// Seven digits in a row may be a number by which a person is reached or known.
fn has_long_number(text: &str) -> bool {
    text.split(|c: char| !c.is_ascii_digit()).any(|run| run.len() >= 7)
}

/// Digits and what stands between them in a time; a mobile number has eleven digits, no time has.
fn is_time(text: &str) -> bool {
    let made = text.bytes().all(|b| b.is_ascii_digit() || b"-:./ TZ+".contains(&b));
    made && text.len() <= 40 && (text.len() != 11 || text.contains(['-', ':', '/']))
}

/// The words of a name in snake, kebab or camel case, in lower case and without trailing digits.
fn words(name: &str) -> Vec<String> {
    let chars: Vec<char> = name.chars().collect();
    let mut words = vec![String::new()];
    for (at, &c) in chars.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|at| chars.get(at));
        let hump = before.is_some_and(|it| it.is_lowercase())
            || chars.get(at + 1).is_some_and(|it| it.is_lowercase());
        if !c.is_alphanumeric() || (c.is_uppercase() && hump) {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut()
            && c.is_alphanumeric()
        {
            word.extend(c.to_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    for word in &mut words {
        let kept = word.trim_end_matches(|c: char| c.is_ascii_digit()).len();
        if kept > 0 {
            word.truncate(kept);
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class(name: &str) -> Class {
        of_field(Class::Other, name)
    }

    #[test]
    fn names_say_what_a_field_holds_in_any_spelling() {
        for name in [
            "name",
            "en_name",
            "deptName",
            "avatar_72",
            "mobile",
            "workPlace",
            "bizMail",
            "ID_card_no",
        ] {
            assert_eq!(class(name), Class::Personal, "{name}");
        }
        for name in
            ["access_token", "tenant_access_token", "suite_ticket", "encodingAESKey", "corpSecret"]
        {
            assert_eq!(class(name), Class::Secret, "{name}");
        }
        assert_eq!((class("auth_code"), class("auth_org_scopes")), (Class::Secret, Class::Word));
        assert_eq!(class("open_department_id"), Class::Id);
        assert_eq!(class("checkType"), Class::Word);
        assert_eq!(class("user_check_time"), Class::Time);
        assert_eq!(class("birth_date"), Class::Personal);
        assert_eq!(class("errmsg"), Class::Message);
        assert_eq!(class("anything"), Class::Other);
        assert_eq!(class("dept_id_list"), Class::Id);
        assert_eq!(class("list"), Class::Other);
        assert_eq!(
            of_field(Class::Personal, "status"),
            Class::Personal,
            "what lies inside is the same"
        );
    }

    #[test]
    fn only_what_is_known_to_be_harmless_is_told() {
        assert!(
            Class::Word.tells("OnDuty")
                && Class::Word.tells("zh-CN")
                && Class::Code.tells("99991663")
        );
        assert!(Class::Time.tells("2026-11-22 09:00:00") && Class::Time.tells("1700000000000"));
        assert!(Class::Other.tells("12") && Class::Other.tells("") && Class::Id.tells("0"));
        for (class, text) in [
            (Class::Word, "王小明"),
            (Class::Word, "13800001234"),
            (Class::Word, "a@b.example"),
            (Class::Code, "13800001234"),
            (Class::Time, "13800001234"),
            (Class::Other, "Anna"),
            (Class::Other, "37652311"),
            (Class::Personal, "1"),
        ] {
            assert!(!class.tells(text), "{class:?} {text}");
        }
        assert!(
            Class::Time.tells_number("1700000000000") && !Class::Other.tells_number("13800001234")
        );
        assert!(!Class::Personal.tells_number("31.2304") && !Class::Id.tells_number("37652311"));
    }
}
