//! The ClientHello of a TLS connection, read before it is clear whether TLS is terminated.

use std::fmt;
use std::future::poll_fn;
use std::io::{self, Read};
use std::pin::Pin;
use std::task::{Context, Poll};

use gateway_core::hostname::Host;
use rustls::server::{Accepted, Acceptor};
use tokio::io::{AsyncRead, ReadBuf};
use tokio::net::TcpStream;

/// Reads a ClientHello, in as many pieces as it comes in, and keeps the bytes: the relay that passes the connection on sends them
/// first.
///
/// A ClientHello may be divided over records of TLS, and these over segments of TCP, at any place. What rustls does not take
/// for one is none: of TLS 1.2 without a list of signature algorithms, for instance.
///
/// ```
/// use gateway_tower::serve::{ClientHelloError, ClientHelloReader};
///
/// let mut reader = ClientHelloReader::new(16 * 1024);
/// let error = reader.read(&mut &b"GET / HTTP/1.1\r\n\r\n"[..]).unwrap_err();
/// assert!(matches!(error, ClientHelloError::Malformed { .. }));
/// ```
///
/// # Spec
/// [TLR-13](gateway_core::spec#TLR-13), [TLR-14](gateway_core::spec#TLR-14); RFC 8446 section 5.1.
pub struct ClientHelloReader {
    acceptor: Acceptor,
    bytes: Vec<u8>,
    most: usize,
}

/// A ClientHello.
pub struct ClientHello {
    pub(super) accepted: Accepted,
    /// The server name as the client wrote it, if there is one.
    pub server_name: Option<Box<str>>,
    /// All that was read: the ClientHello, and perhaps what the client sent with it.
    pub bytes: Vec<u8>,
}

/// Why there is no ClientHello.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientHelloError {
    /// The connection ended before it was complete.
    #[error("the connection ended within the ClientHello")]
    Ended,
    /// It is longer than it may be.
    #[error("the ClientHello is longer than {0} bytes")]
    TooLong(usize),
    /// What was sent is no TLS.
    #[error("what was sent is no ClientHello: {error}")]
    Malformed {
        /// Why not.
        error: rustls::Error,
        /// The alert to answer with.
        alert: Vec<u8>,
    },
    /// Reading failed.
    #[error(transparent)]
    Io(io::Error),
}

/// Reads what is there, and keeps it.
struct Recording<'r, R> {
    from: &'r mut R,
    bytes: &'r mut Vec<u8>,
}

/// Reads what has arrived. Not by `try_read`, after which the stream would be read once more to find that there is nothing.
struct Arrived<'s, 'c, 'w>(&'s mut TcpStream, &'c mut Context<'w>);

// === impl ClientHelloReader ===

impl ClientHelloReader {
    /// A reader that takes up to so many bytes, and no more than one read over.
    pub fn new(most: usize) -> Self {
        Self { acceptor: Acceptor::default(), bytes: Vec::new(), most }
    }

    /// Reads once, or until the ClientHello is complete; nothing if more has to come.
    ///
    /// # Errors
    /// When there is no ClientHello. [`io::ErrorKind::WouldBlock`] is told as [`ClientHelloError::Io`], and then it goes on.
    pub fn read(&mut self, from: &mut impl Read) -> Result<Option<ClientHello>, ClientHelloError> {
        let Self { acceptor, bytes, most } = self;
        match acceptor.read_tls(&mut Recording { from, bytes }) {
            Ok(0) => return Err(ClientHelloError::Ended),
            Ok(_) => {}
            Err(error) => return Err(ClientHelloError::Io(error)),
        }
        match acceptor.accept() {
            Ok(Some(accepted)) => {
                let server_name = accepted.client_hello().server_name().map(Into::into);
                Ok(Some(ClientHello { accepted, server_name, bytes: std::mem::take(bytes) }))
            }
            Ok(None) if bytes.len() >= *most => Err(ClientHelloError::TooLong(*most)),
            Ok(None) => Ok(None),
            Err((error, mut accepted)) => {
                let mut alert = Vec::new();
                // Writing into a vector does not fail.
                let _ = accepted.write_all(&mut alert);
                Err(ClientHelloError::Malformed { error, alert })
            }
        }
    }
}

// === impl ClientHello ===

impl ClientHello {
    /// Reads the ClientHello of a connection. A client that sends something else is told so.
    pub(super) async fn read(stream: &mut TcpStream, most: usize) -> Result<Self, ClientHelloError> {
        let mut reader = ClientHelloReader::new(most);
        poll_fn(|cx| {
            loop {
                match reader.read(&mut Arrived(stream, cx)) {
                    Ok(Some(hello)) => return Poll::Ready(Ok(hello)),
                    Ok(None) => {}
                    Err(ClientHelloError::Io(error)) if error.kind() == io::ErrorKind::WouldBlock => {
                        return Poll::Pending;
                    }
                    Err(ClientHelloError::Malformed { error, alert }) => {
                        // A client that takes nothing goes without.
                        let _ = stream.try_write(&alert);
                        return Poll::Ready(Err(ClientHelloError::Malformed { error, alert }));
                    }
                    Err(error) => return Poll::Ready(Err(error)),
                }
            }
        })
        .await
    }

    /// The protocol that the client wants to speak within TLS, where it knows of one only.
    pub(super) fn only_protocol(&self) -> Option<Vec<u8>> {
        let hello = self.accepted.client_hello();
        let mut offered = hello.alpn()?;
        let only = offered.next()?.to_vec();
        offered.next().is_none().then_some(only)
    }

    /// The server name, if there is one that can be a host.
    pub(super) fn host(&self) -> Option<Host<'_>> {
        self.server_name.as_deref().and_then(|name| Host::from_name(name).ok())
    }
}

impl fmt::Debug for ClientHelloReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientHelloReader").field("read", &self.bytes.len()).finish_non_exhaustive()
    }
}

impl fmt::Debug for ClientHello {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientHello").field("server_name", &self.server_name).finish_non_exhaustive()
    }
}

// === impl Recording ===

impl<R: Read> Read for Recording<'_, R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let read = self.from.read(buf)?;
        self.bytes.extend_from_slice(&buf[..read]);
        Ok(read)
    }
}

// === impl Arrived ===

impl Read for Arrived<'_, '_, '_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let mut buf = ReadBuf::new(buf);
        match Pin::new(&mut *self.0).poll_read(self.1, &mut buf) {
            Poll::Ready(read) => read.map(|()| buf.filled().len()),
            Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
        }
    }
}

// === impl From ===

impl From<ClientHelloError> for io::Error {
    fn from(error: ClientHelloError) -> Self {
        match error {
            ClientHelloError::Io(error) => error,
            ClientHelloError::Ended => Self::new(io::ErrorKind::UnexpectedEof, error),
            ClientHelloError::TooLong(_) | ClientHelloError::Malformed { .. } => {
                Self::new(io::ErrorKind::InvalidData, error)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rustls::crypto::ring::default_provider;
    use rustls::{ClientConfig, ClientConnection, RootCertStore};

    use super::*;

    /// What a client sends first.
    fn hello(server_name: &'static str) -> Vec<u8> {
        let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(RootCertStore::empty())
            .with_no_client_auth();
        let mut client = ClientConnection::new(Arc::new(config), server_name.try_into().unwrap()).unwrap();
        let mut bytes = Vec::new();
        client.write_tls(&mut bytes).unwrap();
        bytes
    }

    /// The same, in records of so many bytes each.
    fn in_records(hello: &[u8], length: usize) -> Vec<u8> {
        let (head, content) = hello.split_at(5);
        let record = |content: &[u8]| {
            let length = (content.len() as u16).to_be_bytes();
            [&head[..3], &length, content].concat()
        };
        content.chunks(length).flat_map(record).collect()
    }

    /// Reads what comes in pieces of this length.
    fn read(bytes: &[u8], piece: usize, most: usize) -> Result<Option<ClientHello>, ClientHelloError> {
        let mut reader = ClientHelloReader::new(most);
        for piece in bytes.chunks(piece) {
            let mut piece = piece;
            while !piece.is_empty() {
                if let Some(hello) = reader.read(&mut piece)? {
                    return Ok(Some(hello));
                }
            }
        }
        Ok(None)
    }

    // TLR-14
    #[test]
    fn a_hello_is_read_however_it_is_divided_and_kept_as_it_came() {
        let whole = hello("a.example.com");
        for length in [1, 2, 3, 50, 10_000] {
            let sent = in_records(&whole, length);
            for piece in [1, 7, 100, 100_000] {
                let hello = read(&sent, piece, 64 * 1024).unwrap().expect("it is complete");
                assert_eq!(hello.server_name.as_deref(), Some("a.example.com"), "{length} {piece}");
                assert_eq!(hello.bytes, sent, "{length} {piece}");
                assert!(read(&sent[..sent.len() - 1], piece, 64 * 1024).unwrap().is_none());
            }
        }
        let address = read(&hello("192.0.2.1"), 100, 64 * 1024).unwrap().expect("it is complete");
        assert!(address.server_name.is_none(), "an address is no server name");
    }

    #[test]
    fn a_hello_that_does_not_end_is_given_up() {
        let sent = in_records(&hello("a.example.com"), 1);
        assert!(matches!(read(&sent, 10, 100), Err(ClientHelloError::TooLong(100))));
        let mut reader = ClientHelloReader::new(100);
        assert!(matches!(reader.read(&mut &b""[..]), Err(ClientHelloError::Ended)));
    }

    // TLR-13
    #[test]
    fn what_is_no_hello_is_told() {
        for bytes in [
            &b"GET / HTTP/1.1\r\n\r\n"[..],
            b"\x16\x03\x01\x00\x04\x02\x00\x00\x00",
            b"\x17\x03\x03\x00\x01x",
        ] {
            assert!(matches!(read(bytes, 100, 1000), Err(ClientHelloError::Malformed { .. })), "{bytes:?}");
        }
    }
}
