//! WebSocket: a conversation through a listener.

use serde::Deserialize;

use super::http::Target;

/// A connection on which every message must come back as it was sent.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WebSocketStep {
    /// Where it goes.
    #[serde(rename = "to")]
    pub target: Target,
    /// What is said.
    pub say: WebSocketConversation,
}

/// What is sent.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WebSocketConversation {
    /// Path and query of the request.
    pub path: String,
    /// The host; the address of the Gateway otherwise.
    pub host: Option<String>,
    /// The messages.
    pub messages: Vec<WebSocketMessage>,
}

/// A message.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum WebSocketMessage {
    /// A text.
    Text(String),
    /// Bytes.
    Binary(Vec<u8>),
}
