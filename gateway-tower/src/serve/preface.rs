//! Telling HTTP/2 from HTTP/1.1 by the first bytes of a connection.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt};

/// What a client of HTTP/2 sends first.
///
/// # Spec
/// RFC 9113 section 3.4.
const PREFACE: [u8; LENGTH] = *b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

const LENGTH: usize = 24;

/// The first bytes of a connection, read to look at them.
#[derive(Clone, Copy, Debug)]
pub(super) struct FirstBytes {
    bytes: [u8; LENGTH],
    start: u8,
    end: u8,
}

// === impl FirstBytes ===

impl FirstBytes {
    /// Nothing was read.
    pub(super) const NONE: Self = Self { bytes: [0; LENGTH], start: 0, end: 0 };

    /// Reads until it is clear whether this is HTTP/2. Less than a whole preface at the end of the stream is not.
    pub(super) async fn read(io: &mut (impl AsyncRead + Unpin)) -> io::Result<(Self, bool)> {
        let mut bytes = [0; LENGTH];
        let mut read = 0;
        let mut http2 = false;
        while read < LENGTH {
            let more = io.read(&mut bytes[read..]).await?;
            read += more;
            if more == 0 || bytes[..read] != PREFACE[..read] {
                break;
            }
            http2 = read == LENGTH;
        }
        Ok((Self { bytes, start: 0, end: read as u8 }, http2))
    }

    /// Takes out at most `limit` bytes.
    pub(super) fn take(&mut self, limit: usize) -> &[u8] {
        let start = usize::from(self.start);
        let end = usize::from(self.end).min(start.saturating_add(limit));
        self.start = end as u8;
        &self.bytes[start..end]
    }

    pub(super) fn is_empty(&self) -> bool {
        self.start == self.end
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(parts: &[&[u8]]) -> (Vec<u8>, bool) {
        let mut builder = tokio_test_io(parts);
        let (mut first, http2) = FirstBytes::read(&mut builder).await.unwrap();
        let mut bytes = first.take(10).to_vec();
        bytes.extend_from_slice(first.take(usize::MAX));
        assert!(first.is_empty());
        (bytes, http2)
    }

    /// A stream that gives each part to a read of its own.
    fn tokio_test_io(parts: &[&[u8]]) -> impl AsyncRead + Unpin {
        let parts: Vec<Vec<u8>> = parts.iter().map(|part| part.to_vec()).collect();
        let mut parts = parts.into_iter();
        let first = io::Cursor::new(parts.next().unwrap_or_default());
        let second = io::Cursor::new(parts.next().unwrap_or_default());
        assert!(parts.next().is_none(), "two parts are enough");
        first.chain(second)
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
            assert!(parts.concat().starts_with(&bytes) && bytes.len() == parts.concat().len().min(LENGTH));
        }
    }
}
