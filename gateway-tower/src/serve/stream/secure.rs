//! The byte stream within TLS that ends here.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use rustls::ServerConnection;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

/// The most that is encrypted at once: a record.
const UNSENT: usize = 16 * 1024;

/// A stream that encrypts no more before its client has taken all that was.
///
/// rustls fills up what is encrypted and not sent, and keeps each record until its last byte has gone: a client that does not read would
/// hold one more.
#[derive(Debug)]
pub(in crate::serve) struct Secure(Box<TlsStream<TcpStream>>);

// === impl Secure ===

impl Secure {
    pub(in crate::serve) fn new(mut stream: Box<TlsStream<TcpStream>>) -> Self {
        stream.get_mut().1.set_buffer_limit(Some(UNSENT));
        Self(stream)
    }

    fn poll_sent(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let connection: &ServerConnection = self.0.get_ref().1;
        if connection.wants_write() { Pin::new(&mut self.0).poll_flush(cx) } else { Poll::Ready(Ok(())) }
    }
}

impl AsyncRead for Secure {
    #[inline]
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl AsyncWrite for Secure {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        ready!(self.poll_sent(cx))?;
        Pin::new(&mut self.0).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_sent(cx))?;
        Pin::new(&mut self.0).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}
