//! Takes people and credentials out of a platform's answers and records, and leaves what connectors and mappings steer by.
//!
//! JSON stays JSON with the same fields in the same places; [`class`] says of each what may be told, everything else
//! gets a stand-in. The invariant: the same value has the same stand-in wherever it stands, so that an id in one answer is
//! still the id in the next.

mod class;
mod stand_in;

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

pub use stand_in::Key;

use class::Class;

/// The most characters of a word in a message that is told.
const WORD_CHARS: usize = 24;

/// Replaces what may not be told, always in the same way.
pub struct Redactor {
    key: Key,
}

impl Redactor {
    /// With a key that must be random and is kept nowhere else.
    pub fn new(key: Key) -> Self {
        Self { key }
    }

    /// A text that may be anything: an id, a token, a name.
    pub fn text(&self, text: &str) -> String {
        if Class::Other.tells(text) { text.to_owned() } else { stand_in::of_text(&self.key, text) }
    }

    /// What a guest keeps between calls: JSON, or one value.
    pub fn kept(&self, text: &str) -> String {
        self.inner_json(text).unwrap_or_else(|| self.text(text))
    }

    /// A setting. It is the administrator's and steers the connector; only what identifies or lets in is replaced.
    pub fn setting(&self, name: &str, text: &str) -> String {
        match class::of_field(Class::Other, name) {
            Class::Secret | Class::Id | Class::Personal => self.text(text),
            _ if class::may_name_someone(text) => self.text(text),
            Class::Word | Class::Code | Class::Time | Class::Message | Class::Other => {
                text.to_owned()
            }
        }
    }

    /// A header of a response.
    pub fn header(&self, name: &str, value: &str) -> String {
        let steers = matches!(
            name,
            "content-type" | "content-length" | "date" | "retry-after" | "age" | "server"
        );
        let limit = name.contains("limit")
            && value.bytes().all(|b| b.is_ascii_digit() || b".; ,=-".contains(&b));
        if steers || limit { value.to_owned() } else { self.text(value) }
    }

    /// A body: JSON field by field, any other text word by word, anything else as a whole.
    pub fn body(&self, body: &[u8]) -> Vec<u8> {
        if let Some(json) = self.json(body) {
            return json;
        }
        match std::str::from_utf8(body) {
            // Half a document may hold whatever a whole one does.
            Ok(text) if text.trim_start().starts_with(['{', '[']) => {
                self.replaced(text).into_bytes()
            }
            Ok(text) => self.message(text).into_bytes(),
            Err(_) => self.bytes(body),
        }
    }

    /// What a secret's operation gives.
    pub fn bytes(&self, bytes: &[u8]) -> Vec<u8> {
        stand_in::of_bytes(&self.key, bytes)
    }

    /// JSON with the same fields; `None` when it is none.
    pub fn json(&self, text: &[u8]) -> Option<Vec<u8>> {
        let mut out = Vec::with_capacity(text.len());
        let mut reader = serde_json::Deserializer::from_slice(text);
        Rewrite { redactor: self, class: Class::Other, out: &mut out }
            .deserialize(&mut reader)
            .ok()?;
        reader.end().ok()?;
        Some(out)
    }

    /// JSON inside a text.
    fn inner_json(&self, text: &str) -> Option<String> {
        let nested = text.trim_start().starts_with(['{', '[']);
        String::from_utf8(nested.then(|| self.json(text.as_bytes())).flatten()?).ok()
    }

    /// A sentence: plain words in small letters stay, whatever might be a name or a number does not.
    fn message(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let part_of_word = |c: char| c.is_alphanumeric() || matches!(c, '@' | '_');
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            let inside = part_of_word(first);
            let end = rest.find(|c| part_of_word(c) != inside).unwrap_or(rest.len());
            let (run, after) = rest.split_at(end);
            let plain = run.len() <= WORD_CHARS && run.bytes().all(|b| b.is_ascii_lowercase());
            let short =
                run.len() <= 3 && run.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase());
            let kept = !inside && run.is_ascii() || inside && (plain || short);
            out.push_str(&if kept { Cow::Borrowed(run) } else { self.replaced(run).into() });
            rest = after;
        }
        out
    }

    fn replaced(&self, text: &str) -> String {
        stand_in::of_text(&self.key, text)
    }

    fn told(&self, class: Class, text: &str) -> String {
        match class {
            _ if class.tells(text) => text.to_owned(),
            Class::Message => self.message(text),
            Class::Other | Class::Word | Class::Code | Class::Time | Class::Id => {
                self.inner_json(text).unwrap_or_else(|| self.replaced(text))
            }
            Class::Secret | Class::Personal => self.replaced(text),
        }
    }

    /// A field's name; one that is itself a value, such as an id, is treated as one.
    fn name(&self, name: &str) -> String {
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b'$');
        let digits = name.bytes().filter(u8::is_ascii_digit).count();
        let kept = name.len() <= 48 && digits <= 3 && name.bytes().all(plain);
        if kept { name.to_owned() } else { self.text(name) }
    }
}

/// Whether a value that stands for a kind or a state may be told: a short word or a small number, nothing of a person.
pub fn tells_word(text: &str) -> bool {
    Class::Word.tells(text)
}

/// Whether what stands below a field of this name may be told as it is.
pub fn tells_field(name: &str, text: &str) -> bool {
    class::of_field(Class::Other, name).tells(text)
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Redactor(..)")
    }
}

/// Writes a JSON value anew.
struct Rewrite<'r> {
    redactor: &'r Redactor,
    class: Class,
    out: &'r mut Vec<u8>,
}

impl Rewrite<'_> {
    fn write(self, json: impl fmt::Display) {
        self.out.extend_from_slice(json.to_string().as_bytes());
    }

    fn quote(self, text: &str) {
        self.write(serde_json::Value::from(text));
    }

    fn number(self, number: &str) {
        if self.class.tells_number(number) {
            self.write(number);
        } else {
            let stand_in = stand_in::of_number(&self.redactor.key, number);
            self.write(stand_in);
        }
    }
}

impl<'de> DeserializeSeed<'de> for Rewrite<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Rewrite<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.write("null");
        Ok(())
    }

    fn visit_bool<E>(self, value: bool) -> Result<(), E> {
        self.write(value);
        Ok(())
    }

    fn visit_u64<E>(self, value: u64) -> Result<(), E> {
        self.number(&value.to_string());
        Ok(())
    }

    fn visit_i64<E>(self, value: i64) -> Result<(), E> {
        self.number(&value.to_string());
        Ok(())
    }

    fn visit_f64<E>(self, value: f64) -> Result<(), E> {
        self.number(&serde_json::Value::from(value).to_string());
        Ok(())
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        let told = self.redactor.told(self.class, text);
        self.quote(&told);
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let Self { redactor, class, out } = self;
        out.push(b'[');
        let begin = out.len();
        loop {
            let before = out.len();
            if before > begin {
                out.push(b',');
            }
            if items.next_element_seed(Rewrite { redactor, class, out })?.is_none() {
                out.truncate(before);
                break;
            }
        }
        out.push(b']');
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<(), A::Error> {
        let Self { redactor, class, out } = self;
        out.push(b'{');
        let mut separator = "";
        while let Some(name) = fields.next_key::<String>()? {
            out.extend_from_slice(separator.as_bytes());
            separator = ",";
            Rewrite { redactor, class, out }.quote(&redactor.name(&name));
            out.push(b':');
            let class = class::of_field(class, &name);
            fields.next_value_seed(Rewrite { redactor, class, out })?;
        }
        out.push(b'}');
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn redactor() -> Redactor {
        Redactor::new([3; 32])
    }

    fn rewritten(value: &Value) -> Value {
        let out = redactor().json(value.to_string().as_bytes()).unwrap();
        serde_json::from_slice(&out).unwrap()
    }

    #[test]
    fn people_and_credentials_go_and_what_steers_stays() {
        let before = json!({
            "code": 0, "msg": "ok", "tenant_access_token": "t-g1045kq", "expire": 7200,
            "data": {
                "has_more": true, "page_token": "eyJvZmZzZXQiOjUwfQ==", "total": 2,
                "items": [
                    {"open_id": "ou_7d8a6e", "name": "王小明", "mobile": "+8613800000001", "gender": 1,
                     "status": {"is_frozen": false}, "join_time": 1_514_649_600, "leader_user_id": null,
                     "avatar": {"avatar_72": "https://cdn.example/a/72.png"}, "department_ids": ["od-4e2", "0"]},
                    {"open_id": "ou_9b1c2d", "name": "Anna", "latitude": 31.2304, "location_result": "Normal",
                     "check_time": "1566641088", "dept_id_list": [1, 37_652_311]},
                ],
            },
        });
        let after = rewritten(&before);
        for pointer in [
            "/code",
            "/msg",
            "/expire",
            "/data/has_more",
            "/data/total",
            "/data/items/0/gender",
            "/data/items/0/status",
            "/data/items/0/join_time",
            "/data/items/0/leader_user_id",
            "/data/items/0/department_ids/1",
            "/data/items/1/location_result",
            "/data/items/1/check_time",
            "/data/items/1/dept_id_list/0",
        ] {
            assert!(before.pointer(pointer).is_some());
            assert_eq!(after.pointer(pointer), before.pointer(pointer), "{pointer}");
        }
        for pointer in [
            "/tenant_access_token",
            "/data/page_token",
            "/data/items/0/open_id",
            "/data/items/0/name",
            "/data/items/0/mobile",
            "/data/items/0/avatar/avatar_72",
            "/data/items/0/department_ids/0",
            "/data/items/1/name",
            "/data/items/1/latitude",
            "/data/items/1/dept_id_list/1",
        ] {
            let (old, new) = (before.pointer(pointer).unwrap(), after.pointer(pointer).unwrap());
            assert_ne!(new, old, "{pointer}");
            assert_eq!(new.is_number(), old.is_number(), "{pointer}");
        }
    }

    #[test]
    fn the_same_value_is_the_same_stand_in_wherever_it_stands() {
        let after = rewritten(&json!({
            "id": "od-4e2f", "parent_department_id": "od-4e2f", "list": ["od-4e2f"], "nested": "{\"x\":\"od-4e2f\"}",
            "dept_id": 37_652_311, "deptId": "37652311",
        }));
        let text = |pointer| after.pointer(pointer).unwrap().as_str().unwrap();
        assert_eq!(text("/id"), text("/parent_department_id"));
        assert_eq!(text("/id"), text("/list/0"));
        assert_eq!(text("/id"), redactor().text("od-4e2f"));
        assert_eq!(serde_json::from_str::<Value>(text("/nested")).unwrap()["x"], text("/id"));
        assert_eq!(after["dept_id"].to_string(), text("/deptId"));
    }

    #[test]
    fn a_field_that_is_named_by_an_id_is_renamed_with_it() {
        let after = rewritten(&json!({"ou_7d8a6e1b": {"x": 1}, "user_id": "ou_7d8a6e1b"}));
        assert_eq!(after[after["user_id"].as_str().unwrap()], json!({"x": 1}));
    }

    #[test]
    fn messages_and_pages_keep_plain_words_only() {
        let message =
            redactor().message("user Anna (a.b@corp.example, 13800001234, 王小明) not found: 404");
        for gone in ["Anna", "@corp", "13800001234", "王小明"] {
            assert!(!message.contains(gone), "{message}");
        }
        assert!(message.starts_with("user ") && message.ends_with("not found: 404"), "{message}");
        let page = redactor().body(b"<html><title>Blocked</title>10.11.12.1345</html>");
        assert!(page.starts_with(b"<html><title>"), "{page:?}");
    }

    #[test]
    fn what_is_no_json_or_no_text_never_passes_as_it_is() {
        assert_eq!(redactor().json(b"{\"a\":1} x"), None);
        assert_eq!(redactor().json(b"{\"name\":\"Anna\""), None);
        let cut = redactor().body(b"{\"name\":\"anna\"");
        assert!(!String::from_utf8(cut).unwrap().contains("anna"));
        let binary = redactor().body(b"\xff\xfeAnna");
        assert_eq!(binary.len(), 6);
        assert!(!binary.ends_with(b"Anna"));
    }
}
