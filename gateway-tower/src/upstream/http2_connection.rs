//! One connection of HTTP/2 to an endpoint: how much it carries, and whether it lives.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use h2::client::{Builder, Connection, SendRequest};
use h2::{Ping, PingPong};
use tokio::io::{AsyncRead, AsyncWrite, join};
use tokio::sync::{Notify, oneshot};
use tokio::time::{Instant, sleep, timeout};

use super::UpstreamOptions;
use super::http2_readers::{FRAMES_BETWEEN_TURNS, Readers, TakenFirst};
use super::http2_unsent::Piece;
use crate::body::BoxError;
use crate::client::ConnectError;
use crate::connect::{Application, BackendIo, Blocks, Connector, Peer};
use crate::span::MOMENT;

/// The bytes of a request that wait to be written at which no more are taken from its client: a frame.
const SEND_BUFFER: usize = 16 * 1024;

/// The least time between two pings of a connection over which no answer came meanwhile. Servers of gRPC close a connection
/// whose client pings more often than every five minutes.
const BETWEEN_PINGS: Duration = Duration::from_secs(5 * 60 + 10);

/// So many requests that were given up, one after the other and without a word of the backend, end a connection: it may read nothing, and what
/// it would have to read of them, down to their end, is held until it does.
const GIVEN_UP: usize = 256;

/// How often a connection is looked at within the time that it may be silent.
const LOOKS: u32 = 4;

/// How many times a byte of the windows small frames may count. The library counts 256 bytes less its length for a frame that no reader has
/// taken yet, and ends the whole connection where that is more than its budget: pieces of 20 bytes may fill the windows of all requests
/// at a time, and still smaller ones those of some.
const SMALL_FRAMES: usize = 12;

/// The most that a frame may count.
const COST_OF_FRAME: usize = 256;

/// The most frames that come with one read: of a byte each, which takes ten.
const FRAMES_AT_ONCE: usize = 2 * 1024;

/// The least limit of a head.
const SMALLEST_HEAD: u32 = 8 * 1024;

/// The largest window of a connection.
///
/// # Spec
/// RFC 9113 section 6.9.1.
const LARGEST_WINDOW: u32 = (1 << 31) - 1;

/// A connection that requests may be sent over.
pub(super) struct Http2Connection {
    sender: SendRequest<Piece>,
    load: Arc<Load>,
}

/// What a connection carries, and how much more it may.
pub(super) struct Load {
    streams: AtomicUsize,
    /// How many streams the backend allows: none until it has said so.
    allowed: AtomicUsize,
    /// Whether a piece of an answer has come since the last look.
    heard: AtomicBool,
    /// Requests that were given up since then.
    given_up: AtomicUsize,
    /// Told when that were too many, and there are no others.
    left: Notify,
    closed: AtomicBool,
    /// Of the answers that are under way.
    readers: Arc<Readers>,
    /// Told when there may be a place for another request.
    places: Arc<Notify>,
}

/// The place of one request on a connection, until both its bodies are done.
pub(super) struct Place {
    load: Arc<Load>,
    is_answered: bool,
}

// === impl Http2Connection ===

impl Http2Connection {
    /// Connects, and waits until the backend has said how many requests it takes at a time.
    pub(super) async fn open(
        peer: &Peer,
        connector: &Connector,
        options: &UpstreamOptions,
        places: Arc<Notify>,
    ) -> Result<Self, ConnectError> {
        let stream = connector.connect(peer, Application::Http2, options.connect_timeout).await?;
        let failed = |cause: BoxError| ConnectError { endpoint: peer.address, cause };
        let stream = Blocks::new(stream, peer.tls.is_some());
        let opened =
            timeout(options.connect_timeout, Self::over(stream, peer.address, options, places)).await;
        opened.unwrap_or_else(|_| Err("it allows no requests".into())).map_err(failed)
    }

    async fn over(
        stream: Blocks<BackendIo>,
        endpoint: SocketAddr,
        options: &UpstreamOptions,
        places: Arc<Notify>,
    ) -> Result<Self, BoxError> {
        let streams = u32::try_from(options.http2_streams.max(1)).unwrap_or(LARGEST_WINDOW);
        let window = options.http2_window.clamp(1, LARGEST_WINDOW);
        let mut builder = Builder::new();
        builder
            // Not one before the backend has said how many it takes.
            .initial_max_send_streams(0)
            .initial_window_size(window)
            // A client that does not read its answer must not keep others from theirs.
            .initial_connection_window_size(window.saturating_mul(streams).min(LARGEST_WINDOW))
            // Nor end it for them.
            .data_frame_budget(
                (window as usize)
                    .saturating_mul(SMALL_FRAMES)
                    .max(FRAMES_BETWEEN_TURNS * COST_OF_FRAME)
                    .saturating_mul(streams as usize)
                    .saturating_add(FRAMES_AT_ONCE * COST_OF_FRAME),
            )
            .max_header_list_size(options.max_head_bytes.max(SMALLEST_HEAD))
            .max_send_buffer_size(SEND_BUFFER)
            .enable_push(false);
        let readers = Arc::new(Readers::default());
        let taken_first = TakenFirst::new(stream.clone(), Arc::clone(&readers));
        let (sender, mut connection) = builder.handshake(join(taken_first, stream.clone())).await?;
        let load = Arc::new(Load {
            streams: AtomicUsize::new(0),
            allowed: AtomicUsize::new(0),
            heard: AtomicBool::new(false),
            given_up: AtomicUsize::new(0),
            left: Notify::new(),
            closed: AtomicBool::new(false),
            readers,
            places,
        });
        let pings = connection.ping_pong().expect("it is asked for once");
        let (opened, settled) = oneshot::channel();
        let driven = drive((connection, stream), Arc::clone(&load), opened, pings, options.clone());
        tokio::spawn(async move {
            if let Err(error) = driven.await {
                tracing::debug!(%endpoint, error = &*error, "a connection to a backend failed");
            }
        });
        settled.await.map_err(|_| "it closed the connection before it was used")?;
        Ok(Self { sender, load })
    }

    /// A place for one more request, and what it is sent with; `most` is how many it may carry by our own choice.
    pub(super) fn place(&self, most: usize) -> Option<(SendRequest<Piece>, Place)> {
        let most = most.min(self.load.allowed.load(Ordering::Relaxed));
        // Only within the lock of its pool are places taken, so that no more than these can be.
        (self.streams() < most).then(|| {
            self.load.streams.fetch_add(1, Ordering::Relaxed);
            self.load.readers.await_answer();
            (self.sender.clone(), Place { load: Arc::clone(&self.load), is_answered: false })
        })
    }

    /// How many requests it carries.
    pub(super) fn streams(&self) -> usize {
        self.load.streams.load(Ordering::Relaxed)
    }

    /// Whether it takes no more requests.
    pub(super) fn is_closed(&self) -> bool {
        self.load.is_closed()
    }

    /// What it carries.
    pub(super) fn load(&self) -> &Arc<Load> {
        &self.load
    }
}

// === impl Load ===

impl Load {
    /// Whether the connection takes no more requests.
    pub(super) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Relaxed)
    }

    /// Takes note of how many streams the backend allows.
    fn allow(&self, streams: usize) {
        if self.allowed.swap(streams, Ordering::Relaxed) < streams {
            self.places.notify_one();
        }
    }
}

// === impl Place ===

impl Place {
    /// Fails when the backend has closed the connection of `sender`, which is that of this place, or said that it will.
    pub(super) fn check(&self, sender: &mut SendRequest<Piece>) -> Result<(), h2::Error> {
        // No stream of this handle waits to be opened, so that it is ready or has failed.
        let ready = sender.poll_ready(&mut Context::from_waker(Waker::noop()));
        let Poll::Ready(Err(error)) = ready else { return Ok(()) };
        self.load.closed.store(true, Ordering::Relaxed);
        Err(error)
    }

    /// What the connection carries.
    pub(super) fn load(&self) -> &Arc<Load> {
        &self.load
    }

    /// A piece of the answer has come, or that there is none.
    pub(super) fn heard(&mut self) {
        if !std::mem::replace(&mut self.is_answered, true) {
            self.load.readers.await_no_longer();
        }
        self.load.heard.store(true, Ordering::Relaxed);
        self.load.given_up.store(0, Ordering::Relaxed);
    }

    /// The readers of the answers that come over the same connection.
    pub(super) fn readers(&self) -> &Readers {
        &self.load.readers
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let load = &self.load;
        if !self.is_answered {
            load.readers.await_no_longer();
            if load.given_up.fetch_add(1, Ordering::Relaxed) + 1 >= GIVEN_UP {
                load.closed.store(true, Ordering::Relaxed);
            }
        }
        let is_last = load.streams.fetch_sub(1, Ordering::Relaxed) == 1;
        if is_last && load.given_up.load(Ordering::Relaxed) >= GIVEN_UP {
            load.left.notify_one();
        }
        load.places.notify_one();
    }
}

/// Keeps a connection going until it ends, answers no ping, or was left alone. Says in `opened` when it takes requests.
async fn drive<T: AsyncRead + AsyncWrite + Unpin>(
    (mut connection, stream): (Connection<T, Piece>, Blocks<BackendIo>),
    load: Arc<Load>,
    opened: oneshot::Sender<()>,
    pings: PingPong,
    options: UpstreamOptions,
) -> Result<(), BoxError> {
    let mut opened = Some(opened);
    let driven = std::future::poll_fn(|cx| {
        let ended = Pin::new(&mut connection).poll(cx);
        stream.poll_send(cx);
        let allowed = connection.max_concurrent_send_streams();
        load.allow(allowed);
        if allowed > 0
            && let Some(opened) = opened.take()
        {
            // Fails when it took too long.
            let _ = opened.send(());
        }
        ended
    });
    let ended = tokio::select! {
        ended = driven => ended.map_err(Into::into),
        () = silent(pings, &load, &options) => Err("it answers no ping".into()),
        () = load.left.notified() => Err("it has answered nothing until all was given up".into()),
    };
    load.closed.store(true, Ordering::Relaxed);
    load.places.notify_one();
    ended
}

/// Ends when the backend is silent while it owes answers, and answers no ping either.
async fn silent(mut pings: PingPong, load: &Load, options: &UpstreamOptions) {
    let Some(after) = options.http2_ping_after else { return std::future::pending().await };
    let look = (after / LOOKS).max(MOMENT);
    let mut quiet = Duration::ZERO;
    let mut pinged: Option<Instant> = None;
    loop {
        sleep(look).await;
        if load.heard.swap(false, Ordering::Relaxed) {
            quiet = Duration::ZERO;
            pinged = None;
            continue;
        }
        // The end of what was given up is to be read, too.
        let owes = load.streams.load(Ordering::Relaxed) + load.given_up.load(Ordering::Relaxed) > 0;
        quiet = if owes { quiet + look } else { Duration::ZERO };
        if quiet < after.max(look) || pinged.is_some_and(|pinged| pinged.elapsed() < BETWEEN_PINGS) {
            continue;
        }
        match timeout(options.http2_ping_timeout, pings.ping(Ping::opaque())).await {
            Ok(Ok(_)) => {
                pinged = Some(Instant::now());
                load.given_up.store(0, Ordering::Relaxed);
            }
            // The connection has ended, and says so itself.
            Ok(Err(_)) => return std::future::pending().await,
            Err(_) => return,
        }
    }
}
