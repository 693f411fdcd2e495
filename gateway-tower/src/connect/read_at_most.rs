//! Reading no more than so many bytes at once, so that what is not passed on yet is little.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncReadExt, ReadBuf};

/// Reads at most `most` bytes.
#[inline]
pub(crate) fn poll_read_at_most<T: AsyncRead + Unpin>(
    stream: &mut T,
    cx: &mut Context<'_>,
    buf: &mut ReadBuf<'_>,
    most: usize,
) -> Poll<io::Result<()>> {
    // Nearly always there is no room for more.
    if buf.remaining() <= most {
        Pin::new(stream).poll_read(cx, buf)
    } else {
        poll_read_part(stream, cx, buf, most)
    }
}

#[cold]
fn poll_read_part<T: AsyncRead + Unpin>(
    stream: &mut T,
    cx: &mut Context<'_>,
    buf: &mut ReadBuf<'_>,
    most: usize,
) -> Poll<io::Result<()>> {
    Pin::new(&mut stream.take(most as u64)).poll_read(cx, buf)
}
