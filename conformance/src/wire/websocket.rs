//! WebSocket conversations.

use std::net::SocketAddr;

use futures_util::{SinkExt, StreamExt};
use http::{Request, header};
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::tungstenite::{Error, Message};

use super::connection::connect;
use super::failure::failure;
use crate::case::{WebSocketConversation, WebSocketMessage};
use crate::engine::EngineError;
use crate::exchange::{Answer, Failure, HttpAnswer};

/// Sends each message and waits for one. `host` is for a conversation that names none.
pub(super) async fn talk(
    conversation: &WebSocketConversation,
    address: SocketAddr,
    host: &str,
) -> Result<Answer, EngineError> {
    let host = conversation.host.as_deref().unwrap_or(host);
    let request = Request::get(format!("ws://{host}{}", conversation.path))
        .header(header::HOST, host)
        .header(header::ORIGIN, format!("http://{host}"))
        .header(header::CONNECTION, "Upgrade")
        .header(header::UPGRADE, "websocket")
        .header(header::SEC_WEBSOCKET_VERSION, "13")
        .header(header::SEC_WEBSOCKET_KEY, generate_key())
        .body(())
        .map_err(EngineError::failed)?;
    Ok(exchange(request, &conversation.messages, address).await.unwrap_or_else(|error| error))
}

async fn exchange(
    request: Request<()>,
    messages: &[WebSocketMessage],
    address: SocketAddr,
) -> Result<Answer, Answer> {
    let stream = connect(address).await.map_err(Answer::Failed)?;
    let (mut socket, _) = tokio_tungstenite::client_async(request, stream).await.map_err(end)?;
    let mut answers = Vec::new();
    for message in messages {
        let message = match message {
            WebSocketMessage::Text(text) => Message::text(text.as_str()),
            WebSocketMessage::Binary(bytes) => Message::binary(bytes.clone()),
        };
        socket.send(message).await.map_err(end)?;
        loop {
            match socket.next().await {
                Some(Ok(Message::Text(text))) => {
                    answers.push(WebSocketMessage::Text(text.to_string()));
                    break;
                }
                Some(Ok(Message::Binary(bytes))) => {
                    answers.push(WebSocketMessage::Binary(bytes.to_vec()));
                    break;
                }
                // The library answers these.
                Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {}
                Some(Ok(Message::Close(_))) | None => return Ok(Answer::WebSocket(answers)),
                Some(Err(error)) => return Err(end(error)),
            }
        }
    }
    // The answers are here; how the connection ends does not matter.
    let _ = socket.close(None).await;
    Ok(Answer::WebSocket(answers))
}

/// What comes of a conversation that goes wrong: a server that does not switch protocols has given an answer too.
fn end(error: Error) -> Answer {
    match error {
        Error::Http(response) => {
            let headers = response.headers().iter().map(|(name, value)| {
                (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned())
            });
            let (status, headers) = (response.status().as_u16(), headers.collect());
            Answer::Http(HttpAnswer { status, headers, ..HttpAnswer::default() })
        }
        Error::ConnectionClosed | Error::AlreadyClosed => Answer::Failed(Failure::Closed(error.to_string())),
        Error::Protocol(
            reason @ (ProtocolError::HandshakeIncomplete | ProtocolError::ResetWithoutClosingHandshake),
        ) => Answer::Failed(Failure::Closed(reason.to_string())),
        other => Answer::Failed(failure(&other)),
    }
}
