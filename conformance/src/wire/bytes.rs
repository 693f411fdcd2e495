//! Bytes as they are.

use std::net::SocketAddr;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};

use super::connection::{Stream, Tls, connect};
use super::failure::failure;
use crate::case::ClientTls;
use crate::engine::EngineError;
use crate::exchange::{Answer, Failure};

/// How much is read.
const LONGEST: u64 = 1 << 20;

/// Sends bytes over a new connection, and reads until the other side closes it.
pub(super) async fn send(
    tls: Option<&ClientTls>,
    bytes: &[u8],
    address: SocketAddr,
) -> Result<Answer, EngineError> {
    let tls = tls.map(|tls| Tls::new(tls, &["http/1.1"])).transpose()?;
    Ok(match exchange(tls.as_ref(), bytes, address).await {
        Ok(answer) => Answer::Bytes(answer),
        Err(failure) => Answer::Failed(failure),
    })
}

async fn exchange(tls: Option<&Tls>, bytes: &[u8], address: SocketAddr) -> Result<Vec<u8>, Failure> {
    let mut stream = match tls {
        None => Stream::Plain(connect(address).await?),
        Some(tls) => Stream::Tls(Box::new(tls.connect(address).await?)),
    };
    let mut answer = Vec::new();
    // Who answers before all was sent may have closed the connection.
    let sent = stream.write_all(bytes).await;
    match read(&mut stream, &mut answer).await {
        Err(error) if answer.is_empty() => Err(failure(&error)),
        // A reset after the answer, or an end without the alert of TLS.
        Ok(()) | Err(_) if answer.is_empty() => match sent {
            Ok(()) => Ok(answer),
            Err(error) => Err(failure(&error)),
        },
        Ok(()) | Err(_) => Ok(answer),
    }
}

async fn read(stream: impl AsyncRead + Unpin, answer: &mut Vec<u8>) -> std::io::Result<()> {
    stream.take(LONGEST).read_to_end(answer).await.map(drop)
}
