//! Bytes on the wire.

use crate::case::{BytesExpectation, text_of_bytes};
use crate::exchange::Answer;

use super::mismatch::Mismatch;

/// Compares what came until the gateway closed the connection.
pub fn bytes(expected: &BytesExpectation, answer: &Answer) -> Vec<Mismatch> {
    let Answer::Bytes(got) = answer else {
        return vec![Mismatch::answer("bytes, and the end of the connection", answer)];
    };
    let got = text_of_bytes(got);
    let lower = got.to_ascii_lowercase();
    let times = |text: &str| lower.matches(&text.to_ascii_lowercase()).count();
    let mut mismatches = Vec::new();
    let mut add = |expected: String| mismatches.push(Mismatch::new("bytes", expected, format!("{got:?}")));
    if let Some(start) = &expected.starts_with
        && !lower.starts_with(&start.to_ascii_lowercase())
    {
        add(format!("{start:?} at the start"));
    }
    for text in expected.contains.iter().filter(|text| times(text) == 0) {
        add(format!("{text:?} in them"));
    }
    for text in expected.lacks.iter().filter(|text| times(text) > 0) {
        add(format!("no {text:?} in them"));
    }
    for (text, count) in expected.count.iter().filter(|(text, count)| times(text) != **count) {
        add(format!("{text:?} in them, {count} times"));
    }
    mismatches
}

#[cfg(test)]
mod tests {
    use serde_json::{from_value, json};

    use super::*;
    use crate::exchange::Failure;

    #[test]
    fn texts_are_looked_for_in_bytes() {
        let compare = |expect: serde_json::Value, got: &Answer| {
            let mismatches = bytes(&from_value(expect).unwrap(), got);
            mismatches.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
        };
        let got = Answer::Bytes(b"HTTP/1.1 200 OK\r\nX-One: 1\r\n\r\nab".to_vec());
        let good = json!({"startsWith": "HTTP/1.1 200", "contains": ["x-one: 1"], "lacks": ["c"], "count": {"a": 1}});
        assert_eq!(compare(good, &got), "");
        let shown = "got \"HTTP/1.1 200 OK\\r\\nX-One: 1\\r\\n\\r\\nab\"";
        for (expect, expected) in [
            (json!({"startsWith": "HTTP/1.1 400"}), "\"HTTP/1.1 400\" at the start"),
            (json!({"contains": ["two"]}), "\"two\" in them"),
            (json!({"lacks": ["x-ONE"]}), "no \"x-ONE\" in them"),
            (json!({"count": {"HTTP/1.1 ": 2}}), "\"HTTP/1.1 \" in them, 2 times"),
        ] {
            assert_eq!(compare(expect, &got), format!("bytes: expected {expected}, {shown}"));
        }
        assert_eq!(bytes(&BytesExpectation::default(), &Answer::Failed(Failure::Timeout)).len(), 1);
    }
}
