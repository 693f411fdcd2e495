//! Bytes on the wire: what a client writes, and what it gets, with nothing in between that would set it right.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::http::{ClientTls, Target};

/// Connections to a listener, one after the other, each with bytes that are sent and bytes that come back.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BytesStep {
    /// Where they go.
    #[serde(rename = "to")]
    pub target: Target,
    /// How TLS is spoken; not at all without it.
    #[serde(default)]
    pub tls: Option<ClientTls>,
    /// The connections.
    pub connections: Vec<BytesConnection>,
}

/// What is sent over a connection, and what must come back.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BytesConnection {
    /// What is sent; each character is the byte of its number.
    pub send: String,
    /// What must come back until the gateway closes the connection, which it must.
    pub expect: BytesExpectation,
}

/// What must come back. Texts are compared without regard to the case of ASCII letters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct BytesExpectation {
    /// What it begins with.
    pub starts_with: Option<String>,
    /// Texts that are in it.
    pub contains: Vec<String>,
    /// Texts that are not in it.
    pub lacks: Vec<String>,
    /// How often texts are in it.
    pub count: BTreeMap<String, usize>,
}

/// The bytes that a text stands for: each character is the byte of its number; nothing if there is no such byte.
pub fn bytes_of_text(text: &str) -> Option<Vec<u8>> {
    text.chars().map(|character| u8::try_from(u32::from(character)).ok()).collect()
}

/// The text that stands for bytes.
pub fn text_of_bytes(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_a_character() {
        let all: Vec<u8> = (0..=u8::MAX).collect();
        assert_eq!(bytes_of_text(&text_of_bytes(&all)), Some(all));
        assert_eq!(bytes_of_text("\u{100}"), None);
    }
}
