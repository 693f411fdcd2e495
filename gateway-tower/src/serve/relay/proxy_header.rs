//! The header of the PROXY protocol: who the client is, said by one proxy to the next.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use proxy_header::{Error, ParseConfig, ProxiedAddress, ProxyHeader as Header};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::body::BoxError;
use crate::serve::stream_options::ProxyHeaderVersion;

/// The most bytes that are read: those that the specification wants every receiver to take, and room for what may follow the
/// addresses in the second version.
const MOST: usize = 2 * 1024;

/// The most bytes of a header of the first version, its end included.
const MOST_V1: usize = 107;

/// The length of the shortest header, that of the first version without addresses.
const SHORTEST: usize = 15;

/// The addresses of a connection, as the proxy before this one has seen it.
///
/// ```
/// use gateway_tower::serve::{ProxyHeader, ProxyHeaderVersion};
///
/// let header = ProxyHeader { peer: "198.51.100.7:4000".parse()?, local: "203.0.113.1:443".parse()? };
/// let written = header.written(ProxyHeaderVersion::V1);
/// assert_eq!(written, b"PROXY TCP4 198.51.100.7 203.0.113.1 4000 443\r\n");
/// assert_eq!(ProxyHeader::parse(&written)?, Some((Some(header), written.len())));
/// assert_eq!(ProxyHeader::parse(&written[..20])?, None, "more has to come");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProxyHeader {
    /// The client.
    pub peer: SocketAddr,
    /// Where it connected to.
    pub local: SocketAddr,
}

/// The headers that the connections of a socket begin with. Clones are the same ones.
#[derive(Clone, Debug)]
pub(in crate::serve) struct ProxyHeaders {
    /// How long one may take.
    limit: Duration,
    /// Whether it was said that there are none.
    said: Arc<AtomicBool>,
}

// === impl ProxyHeaders ===

impl ProxyHeaders {
    pub(in crate::serve) fn new(limit: Duration) -> Self {
        Self { limit, said: Arc::default() }
    }

    /// Reads the header of a connection. That the first one has none is said loudly, since in most cases none will have one: what
    /// connects does not know that it should send them. Later ones are as quiet as all that clients can do.
    ///
    /// # Errors
    /// When it begins with something else, ends before, or takes too long.
    pub(in crate::serve) async fn read(&self, stream: &TcpStream) -> Result<Option<ProxyHeader>, BoxError> {
        let read = timeout(self.limit, ProxyHeader::read(stream)).await?;
        let is_wrong = read.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::InvalidData);
        if is_wrong && !self.said.swap(true, Ordering::Relaxed) {
            let (peer, local) = (stream.peer_addr().ok(), stream.local_addr().ok());
            tracing::warn!(
                peer = peer.map(tracing::field::display),
                local = local.map(tracing::field::display),
                "a connection that begins with no PROXY header is closed, as all such ones are; whatever connects has to send one"
            );
        }
        Ok(read?)
    }
}

// === impl ProxyHeader ===

impl ProxyHeader {
    /// Reads the header of a connection, and nothing of what follows it. There are no addresses in the header of a connection that
    /// is the proxy's own.
    ///
    /// # Errors
    /// When the connection begins with something else, or ends before.
    pub(in crate::serve) async fn read(stream: &TcpStream) -> io::Result<Option<Self>> {
        // As long as it is not complete, all that has come is of the header. So it is looked at, and then taken.
        let mut taken = Vec::new();
        let mut buffer = [0; 256];
        loop {
            let seen = stream.peek(&mut buffer).await?;
            if seen == 0 {
                return Err(io::Error::new(
                    io::ErrorKind::UnexpectedEof,
                    "the connection ended within the PROXY header",
                ));
            }
            let before = taken.len();
            taken.extend_from_slice(&buffer[..seen]);
            let parsed = Self::parse(&taken)?;
            let of_header = match parsed {
                Some((_, length)) => length - before,
                None => seen,
            };
            // It is there already.
            let read = stream.try_read(&mut buffer[..of_header])?;
            if read < of_header {
                return Err(io::Error::other("what was there is gone"));
            }
            if let Some((addresses, _)) = parsed {
                return Ok(addresses);
            }
        }
    }

    /// The addresses in the header at the start of what a connection sends, and the length of the header; nothing if more has to
    /// come. There are no addresses where the connection is the proxy's own.
    ///
    /// # Errors
    /// When it begins with something else.
    pub fn parse(bytes: &[u8]) -> io::Result<Option<(Option<Self>, usize)>> {
        let wrong =
            || io::Error::new(io::ErrorKind::InvalidData, "the connection begins with no PROXY header");
        if bytes.len() < SHORTEST {
            // What can be none is told at once; a client that waits for a greeting would wait for ever.
            let begins = |start: &[u8]| bytes.starts_with(start) || start.starts_with(bytes);
            let begun = begins(b"PROXY ") || begins(b"\r\n\r\n\0\r\nQUIT\n");
            return if begun { Ok(None) } else { Err(wrong()) };
        }
        let most = match bytes {
            [b'P', b'R', b'O', b'X', b'Y', b' ', ..] => MOST_V1,
            _ if bytes.starts_with(b"\r\n\r\n\0\r\nQUIT\n") => MOST,
            _ => return Err(wrong()),
        };
        // What is longer is none, however much of it came at once.
        let bytes = &bytes[..bytes.len().min(most)];
        match Header::parse(bytes, ParseConfig { include_tlvs: false, ..ParseConfig::default() }) {
            Ok((header, length)) => {
                let addresses = header
                    .proxied_address()
                    .map(|addresses| Self { peer: addresses.source, local: addresses.destination });
                Ok(Some((addresses, length)))
            }
            Err(Error::BufferTooShort) if bytes.len() < most => Ok(None),
            Err(_) => Err(wrong()),
        }
    }

    /// The header as it is sent. Addresses of two families are left out.
    pub fn written(self, version: ProxyHeaderVersion) -> Vec<u8> {
        let Self { peer, local } = self;
        // The two are of one family where a proxy said so, and of one socket otherwise.
        let header = match peer.is_ipv4() == local.is_ipv4() {
            true => Header::with_address(ProxiedAddress::stream(peer, local)),
            false => Header::with_local(),
        };
        let mut bytes = Vec::with_capacity(107);
        let written = match version {
            ProxyHeaderVersion::V1 => header.encode_v1(&mut bytes),
            ProxyHeaderVersion::V2 => header.encode_v2(&mut bytes),
        };
        written.expect("the addresses are of one family, and nothing else is written");
        bytes
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    fn addresses(peer: &str, local: &str) -> ProxyHeader {
        ProxyHeader { peer: peer.parse().unwrap(), local: local.parse().unwrap() }
    }

    /// What a server reads of a client that sends these parts one by one, and what is left then.
    async fn read(parts: &[&[u8]]) -> (io::Result<Option<ProxyHeader>>, Vec<u8>) {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        client.set_nodelay(true).unwrap();
        let (mut server, _) = listener.accept().await.unwrap();
        let send = async move {
            for part in parts {
                // The server may have closed.
                let _ = client.write_all(part).await;
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
        };
        let receive = async {
            let header = ProxyHeader::read(&server).await;
            let mut rest = Vec::new();
            if header.is_ok() {
                server.read_to_end(&mut rest).await.unwrap();
            }
            (header, rest)
        };
        tokio::join!(send, receive).1
    }

    #[tokio::test]
    async fn a_header_is_read_however_it_is_divided_and_nothing_behind_it_is() {
        let v4 = addresses("198.51.100.7:4000", "203.0.113.1:443");
        let v6 = addresses("[2001:db8::7]:4000", "[2001:db8::1]:443");
        for header in [v4, v6] {
            for version in [ProxyHeaderVersion::V1, ProxyHeaderVersion::V2] {
                let mut bytes = header.written(version);
                bytes.extend_from_slice(b"hello");
                for cut in [0, 1, 10, 16, 20, bytes.len() - 5] {
                    let (one, two) = bytes.split_at(cut);
                    let (read, rest) = read(&[one, two]).await;
                    assert_eq!((read.unwrap(), &*rest), (Some(header), &b"hello"[..]), "{version:?} {cut}");
                }
            }
        }
        let (unknown, rest) = read(&[b"PROXY UNKNOWN ffff::1 ffff::2 1 2\r\nx"]).await;
        assert_eq!((unknown.unwrap(), &*rest), (None, &b"x"[..]));
        let (unknown, rest) = read(&[b"PROXY UNKNOWN\r\n"]).await;
        assert_eq!((unknown.unwrap(), &*rest), (None, &b""[..]));
        let (local, rest) = read(&[b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\x03\x04\0\0x"]).await;
        assert_eq!((local.unwrap(), &*rest), (None, &b"x"[..]));
    }

    #[tokio::test]
    async fn what_is_no_header_is_refused_at_once() {
        for bytes in [
            &b"GET / HTTP/1.1\r\n\r\n"[..],
            b"G",
            b"PROXY TCP4 198.51.100.7 203.0.113.1 70000 443\r\n",
            b"PROXY TCP4 2001:db8::7 203.0.113.1 4000 443\r\n",
            b"\r\n\r\n\0\r\nQUIT\n\x31\x11\0\x0c",
            b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x03abc",
        ] {
            assert!(read(&[bytes]).await.0.is_err(), "{bytes:?}");
        }
        let long = [&b"PROXY TCP4 "[..], &[b'1'; 300]].concat();
        assert!(read(&[&long]).await.0.is_err());
        let of_length = |length: usize| [b"PROXY UNKNOWN ", &*vec![b'1'; length - 16], b"\r\n"].concat();
        assert!(read(&[&of_length(MOST_V1)]).await.0.is_ok());
        assert!(read(&[&of_length(MOST_V1 + 1)]).await.0.is_err());
        let (ended, _) = read(&[b"PROXY TCP4 198.5"]).await;
        assert_eq!(ended.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }
}
