//! Telling HTTP/2 from HTTP/1.1 by the first bytes of a connection.

use std::future::poll_fn;
use std::io;
use std::pin::pin;
use std::task::Poll;

use tokio::io::{AsyncReadExt, ReadBuf};
use tokio::net::TcpStream;

use crate::drain::Member;

/// What a client of HTTP/2 sends first.
///
/// # Spec
/// RFC 9113 section 3.4.
const PREFACE: [u8; LENGTH] = *b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

const LENGTH: usize = 24;

/// How much is read at once: the whole head of nearly every request, so that it need not be asked for again.
const BLOCK: usize = 4 * 1024;

/// The first bytes of a connection, read to look at them and handed on.
#[derive(Debug, Default)]
pub(in crate::serve) struct FirstBytes {
    bytes: Vec<u8>,
    taken: usize,
}

/// How much has come of what a client of HTTP/2 has to send first: the preface, and settings.
///
/// # Spec
/// RFC 9113 sections 3.4 and 4.1.
#[derive(Debug, Default)]
pub(super) struct Greeting {
    seen: usize,
    /// The length of the settings, as far as it has come.
    settings: usize,
    /// Whether the first frame is one of another type: settings are not what has come first, and never will.
    broken: bool,
}

/// The bytes of a frame before its payload; the first three are the length of that, the fourth is the type.
const FRAME_HEAD: usize = 9;

/// The type of a frame of settings.
const SETTINGS: u8 = 4;

// === impl Greeting ===

impl Greeting {
    /// Whether it is whole with what has come next.
    pub(super) fn is_whole_with(&mut self, bytes: &[u8]) -> bool {
        let heads = (self.seen..)
            .zip(bytes)
            .skip_while(|(at, _)| *at < LENGTH)
            .take_while(|(at, _)| *at < LENGTH + 4);
        for (at, byte) in heads {
            match at - LENGTH {
                3 => self.broken = *byte != SETTINGS,
                _ => self.settings = self.settings << 8 | usize::from(*byte),
            }
        }
        self.seen += bytes.len();
        !self.broken && self.seen >= LENGTH + FRAME_HEAD + self.settings
    }
}

// === impl FirstBytes ===

impl FirstBytes {
    /// Reads until it is clear whether this is HTTP/2. Less than a whole preface at the end of the stream is not.
    ///
    /// There is no buffer until something has come: connections that were opened in advance wait here.
    pub(in crate::serve) async fn read(stream: &mut TcpStream, member: &Member) -> io::Result<(Self, bool)> {
        let mut bytes = Vec::new();
        let http2 = loop {
            stream.readable().await?;
            bytes.reserve(BLOCK);
            // Not `try_read_buf`, after which the stream would be read once more to find that there is nothing.
            let read = {
                let mut reading = pin!(stream.read_buf(&mut bytes));
                poll_fn(|cx| Poll::Ready(reading.as_mut().poll(cx))).await
            };
            match read {
                Poll::Ready(Ok(0)) => break false,
                Poll::Ready(Ok(_)) => {
                    member.count_read();
                    if let Some(http2) = is_http2(&bytes) {
                        break http2;
                    }
                }
                Poll::Ready(Err(error)) => return Err(error),
                // A stream counts as readable until it was tried once.
                Poll::Pending if bytes.is_empty() => bytes = Vec::new(),
                Poll::Pending => {}
            }
        };
        Ok((Self { bytes, taken: 0 }, http2))
    }

    /// Moves what there is room for into `buf`. What is held is given back with the last of it.
    pub(in crate::serve) fn take(&mut self, buf: &mut ReadBuf<'_>) {
        let left = &self.bytes[self.taken..];
        let now = left.len().min(buf.remaining());
        buf.put_slice(&left[..now]);
        self.taken += now;
        if self.taken == self.bytes.len() {
            *self = Self::default();
        }
    }

    pub(in crate::serve) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }
}

/// Whether a connection that begins like this speaks HTTP/2; `None` if the next bytes will tell.
fn is_http2(bytes: &[u8]) -> Option<bool> {
    let seen = bytes.len().min(LENGTH);
    if bytes[..seen] != PREFACE[..seen] {
        return Some(false);
    }
    (seen == LENGTH).then_some(true)
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt;
    use tokio::net::TcpListener;

    use super::*;
    use crate::drain::Connections;

    /// What a server reads of a client that sends these parts one after the other, and closes.
    async fn read(parts: &[&[u8]]) -> (Vec<u8>, bool) {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (mut server, _) = listener.accept().await.unwrap();
        let member = Connections::default().join(Vec::new());
        let send = async {
            for part in parts {
                client.write_all(part).await.unwrap();
                // So that the other side sees the parts one by one.
                tokio::task::yield_now().await;
            }
            client.shutdown().await.unwrap();
        };
        let (read, ()) = tokio::join!(FirstBytes::read(&mut server, &member), send);
        let (mut first, http2) = read.unwrap();
        let mut block = [0; 64];
        let mut block = ReadBuf::new(&mut block);
        // In two pieces, as a reader with little room would take it.
        let mut bytes = ReadBuf::take(&mut block, 10);
        first.take(&mut bytes);
        let mut taken = bytes.filled().to_vec();
        block.clear();
        first.take(&mut block);
        assert!(first.is_empty());
        taken.extend_from_slice(block.filled());
        (taken, http2)
    }

    // GWL-18, GRP-18
    #[tokio::test]
    async fn only_the_whole_preface_is_http_2() {
        let preface = &PREFACE[..];
        let request = &b"POST / HTTP/1.1\r\nhost: a\r\n\r\n"[..];
        let almost = &b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r "[..];
        for (parts, expected) in [
            (&[preface, b"more"][..], true),
            (&[&preface[..5], &preface[5..]], true),
            (&[&preface[..5]], false),
            (&[request], false),
            (&[almost], false),
            (&[], false),
        ] {
            let (bytes, http2) = read(parts).await;
            assert_eq!(http2, expected, "{parts:?}");
            let sent = parts.concat();
            assert!(sent.starts_with(&bytes) && bytes.len() >= sent.len().min(LENGTH), "{parts:?}");
        }
    }

    #[test]
    fn a_greeting_is_whole_with_the_last_byte_of_the_settings() {
        let settings = [&[0, 1, 2, 4, 0, 0, 0, 0, 0][..], &[0; 0x102]].concat();
        let all = [&PREFACE[..], &settings].concat();
        for piece in [1, 2, 25, all.len()] {
            let mut greeting = Greeting::default();
            let whole: Vec<_> = all.chunks(piece).map(|piece| greeting.is_whole_with(piece)).collect();
            assert_eq!(whole.iter().position(|whole| *whole), Some(whole.len() - 1), "{piece}");
        }
        let begins_with = |frame: &[u8]| Greeting::default().is_whole_with(&[&PREFACE[..], frame].concat());
        assert!(begins_with(&[0, 0, 0, SETTINGS, 0, 0, 0, 0, 0]), "empty ones");
        let ping = [&[0, 0, 8, 6, 0, 0, 0, 0, 0][..], &[0; 8]].concat();
        assert!(!begins_with(&ping), "a ping is none");
    }

    #[test]
    fn a_beginning_of_the_preface_is_waited_for() {
        for (bytes, expected) in [
            (&PREFACE[..0], None),
            (&PREFACE[..23], None),
            (&PREFACE[..], Some(true)),
            (&[&PREFACE[..], b"more"].concat(), Some(true)),
            (b"PUT", Some(false)),
        ] {
            assert_eq!(is_http2(bytes), expected, "{bytes:?}");
        }
    }
}
