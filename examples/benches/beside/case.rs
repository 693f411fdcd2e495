//! Cases: what clients send, over what, and what the backend answers.

use clap::ValueEnum;

/// What is before the bytes of each message of gRPC: whether it is compressed, and how long it is.
pub(crate) const PREFIX: usize = 5;

/// A case, by its name on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Case {
    /// Calls of gRPC with one small message each way, HTTP/2 on both sides; 8 connections with 16 calls at a time
    Unary,
    /// GET over HTTP/2 from a backend of HTTP/1.1; 8 connections with 16 requests at a time
    #[value(name = "http2-to-http1")]
    Http2ToHttp1,
    /// The same with TLS to clients
    Tls,
    /// Calls that are answered with 1,000 messages of 1 KiB; 4 connections with 4 calls at a time
    #[value(name = "stream-1k")]
    Stream1k,
    /// The same with messages of 128 bytes
    #[value(name = "stream-128")]
    Stream128,
    /// Calls that bring 1 MiB in 64 messages; 4 connections with 4 calls at a time
    Upload,
    /// GET over HTTP/1.1 on both sides; 64 connections
    Http1,
}

/// Messages of gRPC, all of one size.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Messages {
    pub(crate) count: usize,
    /// In bytes, without the prefix.
    pub(crate) size: usize,
}

/// What clients send.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Request {
    /// A call of gRPC, over HTTP/2.
    Call(Messages),
    /// GET over HTTP/2.
    Http2Get,
    /// GET over HTTP/1.1.
    Http1Get,
}

/// What the backend answers.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Answer {
    /// Messages of gRPC and a good status, over HTTP/2.
    Call(Messages),
    /// A body of so many bytes, over HTTP/1.1.
    Http1(usize),
}

/// What there is to a case.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Exchange {
    pub(crate) connections: usize,
    /// How many requests are on their way on each connection.
    pub(crate) at_once: usize,
    /// Whether clients speak TLS.
    pub(crate) tls: bool,
    pub(crate) request: Request,
    pub(crate) answer: Answer,
}

// === impl Case ===

impl Case {
    /// As on the command line.
    pub(crate) fn name(self) -> String {
        let value = self.to_possible_value().expect("no case is left out");
        value.get_name().to_owned()
    }

    pub(crate) fn exchange(self) -> Exchange {
        let small = Messages { count: 1, size: 59 };
        let calls = |connections, at_once, request, answer| Exchange {
            connections,
            at_once,
            tls: false,
            request: Request::Call(request),
            answer: Answer::Call(answer),
        };
        let get = Exchange {
            connections: 8,
            at_once: 16,
            tls: false,
            request: Request::Http2Get,
            answer: Answer::Http1(64),
        };
        match self {
            Self::Unary => calls(8, 16, small, Messages { count: 1, size: 64 }),
            Self::Http2ToHttp1 => get,
            Self::Tls => Exchange { tls: true, ..get },
            Self::Stream1k => calls(4, 4, small, Messages { count: 1000, size: 1024 }),
            Self::Stream128 => calls(4, 4, small, Messages { count: 1000, size: 128 }),
            Self::Upload => {
                calls(4, 4, Messages { count: 64, size: 16 * 1024 - PREFIX }, Messages { count: 1, size: 5 })
            }
            Self::Http1 => Exchange { connections: 64, at_once: 1, request: Request::Http1Get, ..get },
        }
    }
}

// === impl Messages ===

impl Messages {
    /// With their prefixes.
    pub(crate) fn bytes(self) -> usize {
        self.count * (PREFIX + self.size)
    }
}

// === impl Answer ===

impl Answer {
    /// The length of its body.
    pub(crate) fn bytes(self) -> usize {
        match self {
            Self::Call(messages) => messages.bytes(),
            Self::Http1(bytes) => bytes,
        }
    }
}
