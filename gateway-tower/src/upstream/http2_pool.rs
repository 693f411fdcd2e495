//! Connections of HTTP/2, by endpoint.

use std::collections::HashMap;
use std::fmt;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use foldhash::fast::RandomState;
use hyper::client::conn::http2::SendRequest;
use tokio::sync::SetOnce;

use crate::client::ConnectError;

/// The open connections, each with any number of requests under way.
pub(super) struct Http2Pool<B> {
    endpoints: Mutex<HashMap<SocketAddr, Endpoint<B>, RandomState>>,
    streams: usize,
    max_connections: usize,
}

/// The connections to one endpoint.
struct Endpoint<B> {
    open: Vec<Shared<B>>,
    /// The attempt at another one: requests that find all full wait for it together.
    opening: Option<Opening>,
}

struct Shared<B> {
    sender: SendRequest<B>,
    streams: Arc<AtomicUsize>,
    /// For how many sweeps it has had no request.
    idle: u32,
}

/// An attempt to connect: how it ended, once it has.
pub(super) type Opening = Arc<SetOnce<Result<(), Arc<ConnectError>>>>;

/// One request under way on a connection.
pub(super) struct StreamLease(Arc<AtomicUsize>);

/// What a pool says to a request.
pub(super) enum Pick<B> {
    /// Take this one.
    Open(SendRequest<B>, StreamLease),
    /// Wait for this attempt, and ask again.
    Wait(Opening),
    /// Make this attempt, and ask again.
    Start(Opening),
}

/// The cause of an attempt's failure, for all who waited for it.
#[derive(Debug, thiserror::Error)]
#[error("{}", self.0.cause)]
struct SharedError(Arc<ConnectError>);

// === impl Http2Pool ===

impl<B> Http2Pool<B> {
    /// A pool of at most `max_connections` to each endpoint, of which the next is made when the others have `streams`.
    pub(super) fn new(streams: usize, max_connections: usize) -> Self {
        Self { endpoints: Mutex::default(), streams: streams.max(1), max_connections: max_connections.max(1) }
    }

    /// The connection for a request.
    pub(super) fn pick(&self, endpoint: SocketAddr) -> Pick<B> {
        let mut endpoints = self.endpoints();
        let known = endpoints.entry(endpoint).or_insert_with(|| Endpoint { open: Vec::new(), opening: None });
        known.open.retain(|shared| !shared.sender.is_closed());
        let may_open = known.open.len() < self.max_connections;
        let least = known.open.iter_mut().min_by_key(|shared| shared.streams.load(Ordering::Relaxed));
        match least {
            Some(shared) if !may_open || shared.streams.load(Ordering::Relaxed) < self.streams => {
                shared.lease()
            }
            Some(_) | None => match &known.opening {
                Some(opening) if !opening.initialized() => Pick::Wait(Arc::clone(opening)),
                Some(_) | None => {
                    let opening = Opening::default();
                    known.opening = Some(Arc::clone(&opening));
                    Pick::Start(opening)
                }
            },
        }
    }

    /// Takes in a new connection.
    pub(super) fn put(&self, endpoint: SocketAddr, sender: SendRequest<B>) {
        let mut endpoints = self.endpoints();
        let known = endpoints.entry(endpoint).or_insert_with(|| Endpoint { open: Vec::new(), opening: None });
        known.open.push(Shared { sender, streams: Arc::default(), idle: 0 });
    }

    /// Drops those that are closed, and those that have had no request for `max_age` sweeps.
    pub(super) fn sweep(&self, max_age: u32) {
        self.endpoints().retain(|_, known| {
            known.open.retain_mut(|shared| {
                shared.idle = if shared.streams.load(Ordering::Relaxed) == 0 { shared.idle + 1 } else { 0 };
                !shared.sender.is_closed() && shared.idle <= max_age
            });
            let opening = known.opening.as_ref().is_some_and(|opening| !opening.initialized());
            opening || !known.open.is_empty()
        });
    }

    fn endpoints(&self) -> MutexGuard<'_, HashMap<SocketAddr, Endpoint<B>, RandomState>> {
        self.endpoints.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Shared ===

impl<B> Shared<B> {
    fn lease(&mut self) -> Pick<B> {
        self.idle = 0;
        self.streams.fetch_add(1, Ordering::Relaxed);
        Pick::Open(self.sender.clone(), StreamLease(Arc::clone(&self.streams)))
    }
}

// === impl StreamLease ===

impl Drop for StreamLease {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl fmt::Debug for StreamLease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("StreamLease").field(&self.0).finish()
    }
}

/// The error of an attempt for one of those who waited.
pub(super) fn share(error: &Arc<ConnectError>) -> ConnectError {
    ConnectError { endpoint: error.endpoint, cause: SharedError(Arc::clone(error)).into() }
}
