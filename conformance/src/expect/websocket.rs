//! WebSocket: every message comes back.

use crate::case::{WebSocketConversation, WebSocketMessage};
use crate::exchange::Answer;

use super::mismatch::Mismatch;

/// Compares the messages that came back with those that were sent.
pub fn websocket(said: &WebSocketConversation, answer: &Answer) -> Vec<Mismatch> {
    let Answer::WebSocket(got) = answer else {
        return vec![Mismatch::answer("a WebSocket", answer)];
    };
    let mut mismatches = Vec::new();
    for (index, expected) in said.messages.iter().enumerate() {
        let got = got.get(index);
        if got != Some(expected) {
            let got = got.map_or("none".to_owned(), describe);
            mismatches.push(Mismatch::new(format!("message {}", index + 1), describe(expected), got));
        }
    }
    if got.len() > said.messages.len() {
        mismatches.push(Mismatch::new("number of messages", said.messages.len(), got.len()));
    }
    mismatches
}

fn describe(message: &WebSocketMessage) -> String {
    match message {
        WebSocketMessage::Text(text) => format!("the text {text:?}"),
        WebSocketMessage::Binary(bytes) => format!("the bytes {bytes:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_message_comes_back_as_it_was_sent() {
        let text = |text: &str| WebSocketMessage::Text(text.to_owned());
        let said = WebSocketConversation {
            path: "/ws".to_owned(),
            host: None,
            messages: vec![text("a"), text("b")],
        };
        assert_eq!(websocket(&said, &Answer::WebSocket(said.messages.clone())), []);
        let got = Answer::WebSocket(vec![text("a"), WebSocketMessage::Binary(vec![98])]);
        assert_eq!(
            websocket(&said, &got)[0].to_string(),
            "message 2: expected the text \"b\", got the bytes [98]"
        );
        assert_eq!(websocket(&said, &Answer::WebSocket(vec![])).len(), 2);
    }
}
