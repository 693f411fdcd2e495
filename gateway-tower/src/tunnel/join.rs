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
use tokio::sync::Notify;

use super::TunnelOptions;
use super::client_end::ClientEnd;
use crate::drain::{Member, Phase};

/// One end of a tunnel; says what comes in.
struct End {
    io: TokioIo<Upgraded>,
    traffic: Arc<Traffic>,
}

/// What has come in at both ends.
#[derive(Default)]
struct Traffic {
    bytes: AtomicU64,
    /// One of them has closed its side.
    half_closed: Notify,
}

/// Passes bytes on in both directions until both sides are done, one fails, nothing has come for too long, or the server
/// closes the client's connection.
pub(crate) async fn join(client: ClientEnd, backend: OnUpgrade, options: TunnelOptions) {
    let ClientEnd { upgrade, member } = client;
    let (client, backend) = match tokio::try_join!(upgrade, backend) {
        Ok(both) => both,
        Err(error) => return tracing::debug!(%error, "a connection broke while it was upgraded"),
    };
    if let Some(member) = &member {
        // Not before the client has been told: until then it is watched like any other.
        member.set_tunnel();
    }
    let traffic = Arc::new(Traffic::default());
    let end = |upgraded| End { io: TokioIo::new(upgraded), traffic: Arc::clone(&traffic) };
    let (mut client, mut backend) = (end(client), end(backend));
    tokio::select! {
        result = copy_bidirectional(&mut client, &mut backend) => match result {
            Ok((up, down)) => tracing::debug!(up, down, "a tunnel ended"),
            Err(error) => tracing::debug!(%error, "a tunnel broke"),
        },
        () = traffic.quiet_for(options.idle) => tracing::debug!("a tunnel was closed: nothing was sent"),
        () = traffic.half_closed_for(options.half_close_timeout) => {
            tracing::debug!("a tunnel was closed: nothing more came from the end that was still open");
        }
        () = closed(member.as_ref()) => tracing::debug!("a tunnel was closed: the listener goes"),
    }
}

async fn closed(member: Option<&Member>) {
    match member {
        Some(member) => member.reached(Phase::Closed).await,
        None => std::future::pending().await,
    }
}

// === impl Traffic ===

impl Traffic {
    /// Ends when nothing has come for `limit`, or up to twice that.
    async fn quiet_for(&self, limit: Option<Duration>) {
        let Some(limit) = limit else { return std::future::pending().await };
        let mut before = self.bytes.load(Ordering::Relaxed);
        loop {
            tokio::time::sleep(limit).await;
            let now = self.bytes.load(Ordering::Relaxed);
            if std::mem::replace(&mut before, now) == now {
                return;
            }
        }
    }

    /// The same, from the moment when one end has closed its side.
    async fn half_closed_for(&self, limit: Duration) {
        self.half_closed.notified().await;
        self.quiet_for(Some(limit)).await;
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
        match buf.filled().len() - before {
            0 => self.traffic.half_closed.notify_one(),
            read => {
                self.traffic.bytes.fetch_add(read as u64, Ordering::Relaxed);
            }
        }
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
