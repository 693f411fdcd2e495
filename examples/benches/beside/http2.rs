//! Connections of HTTP/2 as cheap as they can be, so that they are not what is measured: frames, windows, and heads that are made once.
//!
//! Heads are not decoded. What is looked at is the first field of a response, which is its status.

use std::collections::HashMap;
use std::io;
use std::ops::Range;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::case::{Messages, PREFIX};

pub(crate) const DATA: u8 = 0;
pub(crate) const HEADERS: u8 = 1;
pub(crate) const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;
const CONTINUATION: u8 = 9;

/// Flags of frames. An acknowledgement of SETTINGS and PING has the bit of the end of a stream.
const ACK: u8 = 1;
pub(crate) const END_STREAM: u8 = 1;
pub(crate) const END_HEADERS: u8 = 4;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const FRAME_HEAD: usize = 9;
const INITIAL_WINDOW_SIZE: u8 = 4;
const MAX_CONCURRENT_STREAMS: u8 = 3;

/// The window that each stream of the other side has, and an eighth of what the connection has, in bytes.
const WINDOW: u32 = 1 << 20;

/// How much is made at most before it is written, in bytes.
const BLOCK: usize = 64 * 1024;

/// The largest payload that any side has to take.
const ZEROES: [u8; 16 * 1024] = [0; 16 * 1024];

/// A connection of either side.
pub(crate) struct Connection<S> {
    socket: S,
    read: Vec<u8>,
    /// Where in what was read the next frame begins.
    at: usize,
    written: Vec<u8>,
    /// What may be sent, of the connection, and at first of a stream.
    window: i64,
    stream_window: i64,
    /// What was received and not yet given back, of the connection, and of streams.
    received: u32,
    received_of: HashMap<u32, u32>,
    bodies: Vec<Body>,
}

/// A frame. The payload is a part of what the connection has read.
pub(crate) struct Frame {
    pub(crate) kind: u8,
    pub(crate) flags: u8,
    pub(crate) stream: u32,
    payload: Range<usize>,
}

/// Messages on their way on a stream.
struct Body {
    stream: u32,
    messages: Messages,
    /// What is left of the message that a window has cut.
    rest: usize,
    window: i64,
    /// The block of fields that ends the stream; without one the last message does.
    trailers: Option<&'static [u8]>,
}

/// A block of fields, none of which is remembered by the other side. Of `:status`, `:method` and others that have it, the index
/// stands in `indexed`.
pub(crate) fn fields(indexed: &[u8], literal: &[(&str, &str)]) -> Vec<u8> {
    let mut block: Vec<u8> = indexed.iter().map(|index| 0x80 | index).collect();
    for (name, value) in literal {
        block.push(0);
        for text in [name, value] {
            block.push(u8::try_from(text.len()).ok().filter(|length| *length < 0x7f).expect("a short text"));
            block.extend(text.bytes());
        }
    }
    block
}

fn number(bytes: &[u8]) -> io::Result<u32> {
    let bytes = bytes.first_chunk().ok_or_else(|| invalid("a frame is too short"))?;
    Ok(u32::from_be_bytes(*bytes))
}

fn invalid(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

fn put(out: &mut Vec<u8>, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
    let length = u32::try_from(payload.len()).expect("no frame is larger than ZEROES");
    out.extend_from_slice(&length.to_be_bytes()[1..]);
    out.extend_from_slice(&[kind, flags]);
    out.extend_from_slice(&stream.to_be_bytes());
    out.extend_from_slice(payload);
}

// === impl Connection ===

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    /// Of the side that connects.
    pub(crate) fn client(socket: S) -> Self {
        let mut connection = Self::new(socket);
        connection.written.extend(PREFACE);
        connection.hello();
        connection
    }

    /// Of the side that accepts. `None` if the other one has left before its preface was complete.
    pub(crate) async fn server(socket: S) -> io::Result<Option<Self>> {
        let mut connection = Self::new(socket);
        connection.hello();
        while connection.read.len() < PREFACE.len() {
            if !connection.fill().await? {
                return Ok(None);
            }
        }
        if !connection.read.starts_with(PREFACE) {
            return Err(invalid("the other side does not speak HTTP/2"));
        }
        connection.at = PREFACE.len();
        Ok(Some(connection))
    }

    fn new(socket: S) -> Self {
        Self {
            socket,
            read: Vec::with_capacity(4 * BLOCK),
            at: 0,
            written: Vec::new(),
            window: 65_535,
            stream_window: 65_535,
            received: 0,
            received_of: HashMap::new(),
            bodies: Vec::new(),
        }
    }

    fn hello(&mut self) {
        let mut settings = vec![0, INITIAL_WINDOW_SIZE];
        settings.extend(WINDOW.to_be_bytes());
        settings.extend([0, MAX_CONCURRENT_STREAMS]);
        settings.extend(1000_u32.to_be_bytes());
        put(&mut self.written, SETTINGS, 0, 0, &settings);
        put(&mut self.written, WINDOW_UPDATE, 0, 0, &(8 * WINDOW).to_be_bytes());
    }

    /// Adds a frame to what is to be written.
    pub(crate) fn put(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
        put(&mut self.written, kind, flags, stream, payload);
    }

    /// Sends messages on a stream, as the windows have room.
    pub(crate) fn send_body(&mut self, stream: u32, messages: Messages, trailers: Option<&'static [u8]>) {
        self.bodies.push(Body { stream, messages, rest: 0, window: self.stream_window, trailers });
    }

    /// Reads more. `false` if the other side has left.
    pub(crate) async fn fill(&mut self) -> io::Result<bool> {
        self.read.drain(..self.at);
        self.at = 0;
        self.read.reserve(BLOCK);
        Ok(self.socket.read_buf(&mut self.read).await? > 0)
    }

    /// Writes what there is, and of the bodies what the windows have room for.
    pub(crate) async fn flush(&mut self) -> io::Result<()> {
        loop {
            let made = self.make_data();
            if !self.written.is_empty() {
                self.socket.write_all(&self.written).await?;
                self.socket.flush().await?;
                self.written.clear();
            }
            if !made || self.bodies.is_empty() {
                return Ok(());
            }
        }
    }

    /// The next frame that has been read whole. What is about the connection and its windows is done.
    pub(crate) fn next_frame(&mut self) -> io::Result<Option<Frame>> {
        let read = &self.read[self.at..];
        let Some(head) = read.first_chunk::<FRAME_HEAD>() else { return Ok(None) };
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
        if read.len() < FRAME_HEAD + length {
            return Ok(None);
        }
        let start = self.at + FRAME_HEAD;
        self.at = start + length;
        let stream = number(&head[5..])? & 0x7fff_ffff;
        let frame = Frame { kind: head[3], flags: head[4], stream, payload: start..self.at };
        self.take(&frame)?;
        Ok(Some(frame))
    }

    /// The payload of a frame that is the last that was given.
    pub(crate) fn payload(&self, frame: &Frame) -> &[u8] {
        &self.read[frame.payload.clone()]
    }

    /// The window of a stream, and what it has to send, are not needed any more.
    pub(crate) fn forget(&mut self, stream: u32) {
        self.bodies.retain(|body| body.stream != stream);
        self.received_of.remove(&stream);
    }

    fn take(&mut self, frame: &Frame) -> io::Result<()> {
        let payload = &self.read[frame.payload.clone()];
        match frame.kind {
            SETTINGS if frame.flags & ACK == 0 => {
                for setting in payload.chunks_exact(6) {
                    if setting[..2] == [0, INITIAL_WINDOW_SIZE] {
                        let window = i64::from(number(&setting[2..])?);
                        for body in &mut self.bodies {
                            body.window += window - self.stream_window;
                        }
                        self.stream_window = window;
                    }
                }
                put(&mut self.written, SETTINGS, ACK, 0, &[]);
            }
            PING if frame.flags & ACK == 0 => put(&mut self.written, PING, ACK, 0, payload),
            WINDOW_UPDATE => {
                let more = i64::from(number(payload)?);
                match frame.stream {
                    0 => self.window += more,
                    stream => {
                        // A stream that has ended has none.
                        let body = self.bodies.iter_mut().find(|body| body.stream == stream);
                        body.into_iter().for_each(|body| body.window += more);
                    }
                }
            }
            DATA => {
                let length = u32::try_from(payload.len()).expect("a length has 24 bits");
                self.give_back(frame, length);
            }
            GOAWAY => return Err(invalid("the other side ends the connection")),
            CONTINUATION => return Err(invalid("a head is longer than a frame")),
            // Frames of a stream are the caller's, and those that are left say nothing that matters here.
            _ => {}
        }
        Ok(())
    }

    /// Lets the other side send again what it has sent, once that is half of what it may.
    fn give_back(&mut self, frame: &Frame, length: u32) {
        self.received += length;
        if self.received > 4 * WINDOW {
            put(&mut self.written, WINDOW_UPDATE, 0, 0, &self.received.to_be_bytes());
            self.received = 0;
        }
        if frame.flags & END_STREAM != 0 {
            self.received_of.remove(&frame.stream);
            return;
        }
        let received = self.received_of.entry(frame.stream).or_default();
        *received += length;
        if *received > WINDOW / 2 {
            put(&mut self.written, WINDOW_UPDATE, 0, frame.stream, &received.to_be_bytes());
            *received = 0;
        }
    }

    /// Makes a frame of each message, or of what the windows let through, up to a block. `false` if nothing was.
    fn make_data(&mut self) -> bool {
        let (written, window) = (&mut self.written, &mut self.window);
        let mut made = false;
        self.bodies.retain_mut(|body| {
            while body.messages.count > 0 && written.len() < BLOCK {
                let whole = PREFIX + body.messages.size;
                let left = if body.rest > 0 { body.rest } else { whole };
                let room = usize::try_from(body.window.min(*window)).unwrap_or(0);
                let length = left.min(room);
                // The prefix of a message is not cut.
                if length == 0 || left == whole && length < PREFIX {
                    return true;
                }
                let ends = length == left && body.messages.count == 1 && body.trailers.is_none();
                let start = written.len() + FRAME_HEAD;
                put(written, DATA, if ends { END_STREAM } else { 0 }, body.stream, &ZEROES[..length]);
                if left == whole {
                    let size = u32::try_from(body.messages.size).expect("a message is no larger than ZEROES");
                    written[start + 1..start + PREFIX].copy_from_slice(&size.to_be_bytes());
                }
                let sent = i64::try_from(length).expect("a length has 24 bits");
                body.window -= sent;
                *window -= sent;
                body.rest = left - length;
                body.messages.count -= usize::from(body.rest == 0);
                made = true;
            }
            if body.messages.count > 0 {
                return true;
            }
            if let Some(trailers) = body.trailers {
                put(written, HEADERS, END_HEADERS | END_STREAM, body.stream, trailers);
            }
            false
        });
        made
    }
}

// === impl Frame ===

impl Frame {
    /// How many bytes of a body it has.
    pub(crate) fn length(&self) -> usize {
        self.payload.len()
    }

    pub(crate) fn ends_stream(&self) -> bool {
        matches!(self.kind, DATA | HEADERS) && self.flags & END_STREAM != 0
    }
}
