//! Single values are read as JSON says, and a wrong type is never taken for nothing.

use rollcall_sdk::Response as _;
use rollcall_sdk::json::{self, WrongType};
use rollcall_sdk::testing::Reply;
use serde_json::json;

fn reply() -> Reply {
    Reply::json(&json!({
        "text": "AQD/x+1=", "number": 7, "digits": "42", "yes": true, "nothing": null,
        "list": ["a", "b"], "mixed": ["a", 1], "object": {}
    }))
}

#[test]
fn strings_are_read_as_a_json_library_reads_them() {
    let texts = [
        "",
        "plain",
        "quote \" backslash \\ slash /",
        "line\nfeed\ttab\u{8}\u{c}\r\0\u{1f}",
        "\u{7f} é 张 \u{2028} \u{fffd} 😀 \u{10ffff}",
    ];
    for text in texts {
        let plain = serde_json::to_string(text).unwrap();
        let escaped: Vec<String> =
            text.encode_utf16().map(|unit| format!("\\u{unit:04X}")).collect();
        let escaped = escaped.concat();
        for raw in [plain, format!("\"{escaped}\"")] {
            // The raw text itself is what a host hands out; the script host would write it anew.
            let response = Raw(raw.clone());
            assert_eq!(json::text(&response, "").unwrap().as_deref(), Some(text), "{raw}");
        }
        assert_eq!(serde_json::from_str::<String>(&json::quote(text)).unwrap(), text);
    }
}

#[test]
fn what_is_no_string_is_refused() {
    for raw in [
        "",
        "\"",
        "\"a",
        "a\"",
        "\"a\"b\"",
        "\"\\\"",
        "\"\\x\"",
        "\"\\u12\"",
        "\"\\u12g4\"",
        "\"\\ud800\"",
        "\"\\ud800\\u0041\"",
        "\"\\udc00\"",
        "\"\n\"",
        "7",
        "[\"a\"]",
    ] {
        assert!(json::text(&Raw(raw.to_owned()), "").is_err(), "{raw}");
    }
}

#[test]
fn absent_and_null_are_none() {
    let reply = reply();
    for path in ["/nothing", "/absent"] {
        assert_eq!(json::text(&reply, path), Ok(None));
        assert_eq!(json::integer(&reply, path), Ok(None));
        assert_eq!(json::flag(&reply, path), Ok(None));
        assert_eq!(json::length(&reply, path), Ok(0));
        assert_eq!(json::texts(&reply, path), Ok(Vec::new()));
    }
}

#[test]
fn values_of_the_right_type_are_read() {
    let reply = reply();
    assert_eq!(json::text(&reply, "/text"), Ok(Some("AQD/x+1=".to_owned())));
    assert_eq!(json::integer(&reply, "/number"), Ok(Some(7)));
    assert_eq!(json::integer(&reply, "/digits"), Ok(Some(42)));
    assert_eq!(json::flag(&reply, "/yes"), Ok(Some(true)));
    assert_eq!(json::length(&reply, "/list"), Ok(2));
    assert_eq!(json::texts(&reply, "/list"), Ok(vec!["a".to_owned(), "b".to_owned()]));
}

#[test]
fn a_wrong_type_is_told_with_its_place() {
    let reply = reply();
    let wrong = |path: &str, expected| WrongType { path: path.to_owned(), expected };
    assert_eq!(json::text(&reply, "/number"), Err(wrong("/number", "a string")));
    assert_eq!(json::integer(&reply, "/text"), Err(wrong("/text", "an integer")));
    assert_eq!(json::flag(&reply, "/text"), Err(wrong("/text", "a boolean")));
    assert_eq!(json::length(&reply, "/object"), Err(wrong("/object", "an array")));
    assert_eq!(json::texts(&reply, "/mixed"), Err(wrong("/mixed/1", "a string")));
}

/// A response whose every pointer leads to the same JSON text.
struct Raw(String);

impl rollcall_sdk::Response for Raw {
    fn status(&self) -> u16 {
        200
    }
    fn header(&self, _: &str) -> Option<String> {
        None
    }
    fn pointer(&self, _: &str) -> Option<String> {
        Some(self.0.clone())
    }
    fn count(&self, _: &str) -> Option<u32> {
        None
    }
    fn body(&self) -> Vec<u8> {
        self.0.clone().into_bytes()
    }
}

#[test]
fn a_body_that_is_no_json_has_no_values() {
    let reply = Reply::text("<html>").with_status(502).with_header("Content-Type", "text/html");
    assert_eq!((reply.status(), reply.pointer("/code"), reply.count("/data")), (502, None, None));
    assert_eq!(reply.header("content-type").as_deref(), Some("text/html"));
    assert_eq!(reply.body(), b"<html>");
}
