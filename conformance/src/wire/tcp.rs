//! Dialogues over TCP.

use std::net::SocketAddr;

use serde_json::Error;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};

use super::connection::{Stream, Tls, connect};
use super::failure::failure;
use crate::backend::{GREETING, TestAnswer};
use crate::case::ClientTls;
use crate::engine::EngineError;
use crate::exchange::{Answer, Failure, Pod, TcpAnswer};

/// The longest line that is read. The answer to `TEST` holds certificates.
const LONGEST_LINE: u64 = 1 << 20;

/// Connects and asks who is there.
pub(super) async fn talk(tls: Option<&ClientTls>, address: SocketAddr) -> Result<Answer, EngineError> {
    let tls = tls.map(|tls| Tls::new(tls, &[])).transpose()?;
    Ok(match exchange(tls.as_ref(), address).await {
        Ok(answer) => Answer::Tcp(answer),
        Err(failure) => Answer::Failed(failure),
    })
}

async fn exchange(tls: Option<&Tls>, address: SocketAddr) -> Result<TcpAnswer, Failure> {
    let Some(tls) = tls else { return dialogue(Stream::Plain(connect(address).await?)).await };
    let stream = Stream::Tls(Box::new(tls.connect(address).await?));
    dialogue(stream).await.map_err(|failure| match failure {
        // A peer that shakes hands has not rejected the connection.
        Failure::Closed(error) => Failure::Malformed(format!("closed after the handshake: {error}")),
        other => other,
    })
}

async fn dialogue(stream: Stream) -> Result<TcpAnswer, Failure> {
    let mut stream = BufReader::new(stream);
    expect("the greeting", GREETING, &line(&mut stream).await?)?;
    expect("the answer to PING", "PONG", &ask(&mut stream, "PING").await?)?;
    let is_tls = match ask(&mut stream, "IS_TLS").await?.as_str() {
        "true" => true,
        "false" => false,
        other => return Err(Failure::Malformed(format!("the answer to IS_TLS is {other:?}"))),
    };
    let line = ask(&mut stream, "TEST").await?;
    let unreadable = |error: Error| Failure::Malformed(format!("the answer to TEST is {line:?}: {error}"));
    let test: TestAnswer = serde_json::from_str(&line).map_err(unreadable)?;
    let server_name = test.tls.map(|tls| tls.server_name).filter(|name| !name.is_empty());
    Ok(TcpAnswer { pod: Pod { namespace: test.namespace, name: test.pod }, is_tls, server_name })
}

fn expect(what: &str, expected: &str, found: &str) -> Result<(), Failure> {
    match found == expected {
        true => Ok(()),
        false => Err(Failure::Malformed(format!("{what} is {found:?} and not {expected:?}"))),
    }
}

async fn ask(stream: &mut BufReader<Stream>, question: &str) -> Result<String, Failure> {
    let question = format!("{question}\n");
    stream.write_all(question.as_bytes()).await.map_err(|error| failure(&error))?;
    stream.flush().await.map_err(|error| failure(&error))?;
    line(stream).await
}

async fn line(stream: &mut BufReader<Stream>) -> Result<String, Failure> {
    let mut line = String::new();
    match stream.take(LONGEST_LINE).read_line(&mut line).await {
        Ok(0) => Err(Failure::Closed("the connection ended where a line was expected".to_owned())),
        Ok(_) => Ok(line.trim_end().to_owned()),
        Err(error) => Err(failure(&error)),
    }
}
