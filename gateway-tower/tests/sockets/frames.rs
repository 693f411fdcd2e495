//! HTTP/2 at the level of frames, for clients and backends that behave as no library does.

use std::io;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

pub(crate) const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

pub(crate) const DATA: u8 = 0;
pub(crate) const HEADERS: u8 = 1;
pub(crate) const RST_STREAM: u8 = 3;
pub(crate) const SETTINGS: u8 = 4;
pub(crate) const PUSH_PROMISE: u8 = 5;
pub(crate) const PING: u8 = 6;
pub(crate) const GOAWAY: u8 = 7;
pub(crate) const WINDOW_UPDATE: u8 = 8;
pub(crate) const CONTINUATION: u8 = 9;

pub(crate) const END_STREAM: u8 = 1;
pub(crate) const ACK: u8 = 1;
pub(crate) const END_HEADERS: u8 = 4;

pub(crate) const NO_ERROR: u32 = 0;
pub(crate) const REFUSED_STREAM: u32 = 7;
pub(crate) const CANCEL: u32 = 8;

pub(crate) const MAX_CONCURRENT_STREAMS: u16 = 3;
pub(crate) const INITIAL_WINDOW_SIZE: u16 = 4;

/// A header block that says `:status: 200`.
pub(crate) const OK: &[u8] = &[0x88];

/// A header block of `GET http://a/`.
pub(crate) const GET: &[u8] = &[0x82, 0x84, 0x86, 0x41, 1, b'a'];

/// A header block of `POST http://a/`.
pub(crate) const POST: &[u8] = &[0x83, 0x84, 0x86, 0x41, 1, b'a'];

#[derive(Debug)]
pub(crate) struct RawFrame {
    pub(crate) kind: u8,
    pub(crate) flags: u8,
    pub(crate) stream: u32,
    pub(crate) payload: Vec<u8>,
}

impl RawFrame {
    pub(crate) fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }
}

/// One end of a connection.
pub(crate) struct Frames(pub(crate) TcpStream);

impl Frames {
    /// The server's end, after its settings were sent and the client's preface read.
    pub(crate) async fn server(mut stream: TcpStream, settings: &[(u16, u32)]) -> io::Result<Self> {
        let mut preface = [0; PREFACE.len()];
        stream.read_exact(&mut preface).await?;
        assert_eq!(preface, *PREFACE);
        let mut frames = Self(stream);
        frames.settings(settings).await?;
        Ok(frames)
    }

    /// The client's end, after preface and settings were sent.
    pub(crate) async fn client(mut stream: TcpStream, settings: &[(u16, u32)]) -> io::Result<Self> {
        stream.write_all(PREFACE).await?;
        let mut frames = Self(stream);
        frames.settings(settings).await?;
        Ok(frames)
    }

    pub(crate) async fn settings(&mut self, settings: &[(u16, u32)]) -> io::Result<()> {
        let payload: Vec<u8> = settings
            .iter()
            .flat_map(|(id, value)| [&id.to_be_bytes()[..], &value.to_be_bytes()[..]].concat())
            .collect();
        self.send(SETTINGS, 0, 0, &payload).await
    }

    pub(crate) async fn send(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) -> io::Result<()> {
        self.0.write_all(&encode(kind, flags, stream, payload)).await
    }

    pub(crate) async fn reset(&mut self, stream: u32, reason: u32) -> io::Result<()> {
        self.send(RST_STREAM, 0, stream, &reason.to_be_bytes()).await
    }

    /// The next frame; an error at the end.
    pub(crate) async fn next(&mut self) -> io::Result<RawFrame> {
        let mut head = [0; 9];
        self.0.read_exact(&mut head).await?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let stream = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
        let mut payload = vec![0; length as usize];
        self.0.read_exact(&mut payload).await?;
        Ok(RawFrame { kind: head[3], flags: head[4], stream, payload })
    }

    /// The next frame of this kind, with settings and pings answered on the way.
    pub(crate) async fn until(&mut self, kind: u8) -> io::Result<RawFrame> {
        loop {
            let frame = self.next().await?;
            if matches!(frame.kind, SETTINGS | PING) && !frame.has(ACK) {
                self.send(frame.kind, ACK, 0, if frame.kind == PING { &frame.payload } else { &[] }).await?;
            }
            if frame.kind == kind {
                return Ok(frame);
            }
        }
    }
}

pub(crate) fn encode(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// A field of a header block, which no table takes in.
pub(crate) fn field(name: &str, value: &str) -> Vec<u8> {
    let mut block = vec![0];
    for text in [name, value] {
        // An integer with a prefix of seven bits.
        if text.len() < 127 {
            block.push(text.len() as u8);
        } else {
            block.push(127);
            let mut rest = text.len() - 127;
            while rest >= 128 {
                block.push((rest % 128) as u8 | 128);
                rest /= 128;
            }
            block.push(rest as u8);
        }
        block.extend_from_slice(text.as_bytes());
    }
    block
}
