//! The bytes to and from an endpoint, within TLS or not.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
#[cfg(feature = "tls")]
use tokio_rustls::client::TlsStream;

use super::own_sockets::ToSelf;

/// A connection to an endpoint, made and no more.
#[derive(Debug)]
pub(crate) struct Connected {
    pub(crate) stream: TcpStream,
    pub(super) to_self: Option<ToSelf>,
}

/// The bytes to and from an endpoint.
#[derive(Debug)]
pub(crate) struct BackendIo {
    io: Io,
    _to_self: Option<ToSelf>,
}

#[derive(Debug)]
pub(super) enum Io {
    /// Without TLS.
    Plain(TcpStream),
    /// Within TLS; boxed, since it is large and most have none.
    #[cfg(feature = "tls")]
    Tls(Box<TlsStream<TcpStream>>),
}

// === impl BackendIo ===

impl BackendIo {
    pub(super) fn new(io: Io, to_self: Option<ToSelf>) -> Self {
        Self { io, _to_self: to_self }
    }

    /// The connection underneath.
    #[cfg_attr(not(feature = "server"), allow(dead_code, reason = "a relay uses it"))]
    pub(crate) fn socket(&self) -> &TcpStream {
        match &self.io {
            Io::Plain(stream) => stream,
            #[cfg(feature = "tls")]
            Io::Tls(stream) => stream.get_ref().0,
        }
    }
}

/// Calls the same on whichever stream there is.
macro_rules! either {
    ($io:expr, $stream:ident => $call:expr) => {
        match $io {
            Io::Plain($stream) => $call,
            #[cfg(feature = "tls")]
            Io::Tls($stream) => $call,
        }
    };
}

impl AsyncRead for BackendIo {
    #[inline]
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        either!(&mut self.io, stream => Pin::new(stream).poll_read(cx, buf))
    }
}

impl AsyncWrite for BackendIo {
    #[inline]
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        either!(&mut self.io, stream => Pin::new(stream).poll_write(cx, buf))
    }

    #[inline]
    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        // A request without a body is one piece, and to send that costs the kernel less.
        if let [buf] = bufs {
            return self.poll_write(cx, buf);
        }
        either!(&mut self.io, stream => Pin::new(stream).poll_write_vectored(cx, bufs))
    }

    #[inline]
    fn is_write_vectored(&self) -> bool {
        either!(&self.io, stream => stream.is_write_vectored())
    }

    #[inline]
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        either!(&mut self.io, stream => Pin::new(stream).poll_flush(cx))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        either!(&mut self.io, stream => Pin::new(stream).poll_shutdown(cx))
    }
}
