//! Two upgraded connections, joined.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf, copy_bidirectional};

use crate::drain::{Member, Phase};

/// One end of a tunnel; counts what comes in.
struct End {
    io: TokioIo<Upgraded>,
    /// The bytes that have come in at both ends.
    bytes: Arc<AtomicU64>,
}

/// Passes bytes on in both directions until both sides are done, one fails, nothing has come for `idle`, or the server
/// closes the client's connection.
pub(super) async fn join(
    client: OnUpgrade,
    backend: OnUpgrade,
    idle: Option<Duration>,
    member: Option<Member>,
) {
    let (client, backend) = match tokio::try_join!(client, backend) {
        Ok(both) => both,
        Err(error) => return tracing::debug!(%error, "a connection broke while it was upgraded"),
    };
    if let Some(member) = &member {
        // Not before the client has been told: until then it is watched like any other.
        member.set_tunnel();
    }
    let bytes = Arc::new(AtomicU64::new(0));
    let end = |upgraded| End { io: TokioIo::new(upgraded), bytes: Arc::clone(&bytes) };
    let (mut client, mut backend) = (end(client), end(backend));
    tokio::select! {
        result = copy_bidirectional(&mut client, &mut backend) => match result {
            Ok((up, down)) => tracing::debug!(up, down, "a tunnel ended"),
            Err(error) => tracing::debug!(%error, "a tunnel broke"),
        },
        () = quiet(&bytes, idle) => tracing::debug!(?idle, "a tunnel was closed: nothing was sent"),
        () = closed(member.as_ref()) => tracing::debug!("a tunnel was closed: the listener goes"),
    }
}

/// Ends when `bytes` has not changed for `idle`, or up to twice that.
async fn quiet(bytes: &AtomicU64, idle: Option<Duration>) {
    let Some(idle) = idle else { return std::future::pending().await };
    let mut before = bytes.load(Ordering::Relaxed);
    loop {
        tokio::time::sleep(idle).await;
        let now = bytes.load(Ordering::Relaxed);
        if std::mem::replace(&mut before, now) == now {
            return;
        }
    }
}

async fn closed(member: Option<&Member>) {
    match member {
        Some(member) => member.reached(Phase::Closed).await,
        None => std::future::pending().await,
    }
}

// === impl End ===

impl AsyncRead for End {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.io).poll_read(cx, buf))?;
        self.bytes.fetch_add((buf.filled().len() - before) as u64, Ordering::Relaxed);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for End {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}
