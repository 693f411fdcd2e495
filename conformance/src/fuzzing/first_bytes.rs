//! The first bytes of connections, before anything is decided about them: a ClientHello, a header of the PROXY protocol.

use std::io::{self, Read};

use gateway_tower::serve::{ClientHelloError, ClientHelloReader, ProxyHeader, ProxyHeaderVersion};

/// The most bytes of a ClientHello.
const MOST: usize = 16 * 1024;

/// Hands out a piece at a time.
struct Pieces<'b> {
    bytes: &'b [u8],
    piece: usize,
}

/// The first byte says in which pieces the others come: a ClientHello is read as if they came at once, and kept as it was sent.
///
/// # Panics
/// When it is not.
pub fn client_hello(bytes: &[u8]) {
    let Some((piece, bytes)) = bytes.split_first() else { return };
    let whole = read(bytes, MOST);
    let divided = read(bytes, usize::from(*piece).max(1));
    match (&whole, &divided) {
        (Ok(Some((name, kept))), Ok(Some((other_name, other_kept)))) => {
            assert_eq!(name, other_name);
            let shorter = kept.len().min(other_kept.len());
            assert!(bytes.starts_with(kept) && kept[..shorter] == other_kept[..shorter]);
        }
        (Ok(None), Ok(None)) | (Err(_), Err(_)) => {}
        // What comes behind the ClientHello is looked at only if it came with it.
        (Err(_), Ok(Some(_))) => {}
        (_, _) => panic!("at once {whole:?}, in pieces of {piece} {divided:?}"),
    }
}

type Hello = (Option<Box<str>>, Vec<u8>);

/// Reads until there is a ClientHello, or nothing comes any more.
fn read(bytes: &[u8], piece: usize) -> Result<Option<Hello>, String> {
    let mut reader = ClientHelloReader::new(MOST);
    let mut pieces = Pieces { bytes, piece };
    loop {
        match reader.read(&mut pieces) {
            Ok(Some(hello)) => return Ok(Some((hello.server_name, hello.bytes))),
            Ok(None) => {}
            Err(ClientHelloError::Ended) => return Ok(None),
            Err(error) => return Err(error.to_string()),
        }
    }
}

impl Read for Pieces<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let length = buf.len().min(self.piece).min(self.bytes.len());
        let (now, later) = self.bytes.split_at(length);
        buf[..length].copy_from_slice(now);
        self.bytes = later;
        Ok(length)
    }
}

/// A header of the PROXY protocol is read alike however much has come behind it, what is no header stays none, and what was read is
/// written and read again.
///
/// # Panics
/// When that does not hold.
pub fn proxy_header(bytes: &[u8]) {
    let whole = ProxyHeader::parse(bytes);
    for end in 0..bytes.len() {
        match (ProxyHeader::parse(&bytes[..end]), &whole) {
            (Ok(Some(parsed)), Ok(Some(of_whole))) => assert_eq!(parsed, *of_whole, "at {end}"),
            (Ok(Some(parsed)), other) => panic!("{parsed:?} at {end}, and {other:?} with more"),
            (Ok(None), _) => {}
            (Err(error), whole) => assert!(whole.is_err(), "{error} at {end}, and {whole:?} with more"),
        }
    }
    let Ok(Some((addresses, length))) = whole else { return };
    assert!(length <= bytes.len());
    let Some(header) = addresses else { return };
    for version in [ProxyHeaderVersion::V1, ProxyHeaderVersion::V2] {
        let written = header.written(version);
        let again = ProxyHeader::parse(&written).expect("what is written is a header");
        assert_eq!(again, Some((Some(header), written.len())), "{version:?}");
    }
}
