//! Backends that show what was on the wire, or answer with given bytes.

use std::io;
use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::received::Received;
use crate::exchange::Pod;

/// The longest message that is read.
const LONGEST: usize = 1 << 16;

/// What goes after the head of a message.
const BLANK_LINE: &[u8] = b"\r\n\r\n";

/// A pod that reads one HTTP/1.1 message, answers, and closes the connection.
#[derive(Clone)]
pub(super) struct BytesBackend {
    pod: Pod,
    received: Received,
    answer: Option<Arc<[u8]>>,
}

// === impl BytesBackend ===

impl BytesBackend {
    /// Without an answer of its own it answers with what it got.
    pub(super) fn new(pod: Pod, received: Received, answer: Option<Vec<u8>>) -> Self {
        Self { pod, received, answer: answer.map(Into::into) }
    }

    /// How the connection ends is for its client to judge.
    pub(super) async fn serve(self, mut stream: TcpStream) {
        let Ok(message) = read(&mut stream).await else { return };
        let target = message.split(|byte| *byte == b' ').nth(1).unwrap_or_default();
        self.received.count(&self.pod, &String::from_utf8_lossy(target));
        let answer = self.answer.as_deref().map_or_else(|| echo(&message), <[u8]>::to_vec);
        if stream.write_all(&answer).await.is_ok() && stream.shutdown().await.is_ok() {
            // Closing with something unread would be a reset, which takes back what was written.
            let _ = stream.take(LONGEST as u64).read_to_end(&mut Vec::new()).await;
        }
    }
}

/// A message, head and body, as it came.
async fn read(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut message = Vec::new();
    while !is_whole(&message) && message.len() < LONGEST {
        if stream.read_buf(&mut message).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(message)
}

/// Whether nothing is missing at the end: RFC 9112, section 6.3.
fn is_whole(message: &[u8]) -> bool {
    let Some(end) = message.windows(BLANK_LINE.len()).position(|bytes| bytes == BLANK_LINE) else {
        return false;
    };
    let (head, body) = (&message[..end], &message[end + BLANK_LINE.len()..]);
    let head = String::from_utf8_lossy(head).to_ascii_lowercase();
    let field = |name: &str| {
        let mut fields = head.lines().filter_map(|line| line.split_once(':'));
        fields.find_map(|(known, value)| (known == name).then(|| value.trim().to_owned()))
    };
    if field("transfer-encoding").is_some() {
        return body.ends_with(b"0\r\n\r\n");
    }
    let length = field("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    body.len() >= length
}

/// An answer whose body is the message.
fn echo(message: &[u8]) -> Vec<u8> {
    let length = message.len();
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
    );
    [head.as_bytes(), message].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_ends_where_its_framing_says() {
        for (message, whole) in [
            ("GET / HTTP/1.1\r\n\r\n", true),
            ("GET / HTTP/1.1\r\n", false),
            ("POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\na", false),
            ("POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\nab", true),
            ("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n", false),
            ("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n", true),
        ] {
            assert_eq!(is_whole(message.as_bytes()), whole, "{message:?}");
        }
    }
}
