//! Connections of HTTP/2, by endpoint.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use foldhash::fast::RandomState;
use h2::client::SendRequest;
use tokio::sync::{Notify, SetOnce};

use super::http2_connection::{Http2Connection, Load, Place};
use super::http2_unsent::Piece;
use crate::client::ConnectError;
use crate::connect::Peer;

/// The open connections, each with as many requests under way as both ends allow.
pub(super) struct Http2Pool {
    endpoints: Mutex<HashMap<Peer, Endpoint, RandomState>>,
    streams: usize,
    max_connections: usize,
}

/// The connections to one endpoint.
#[derive(Default)]
struct Endpoint {
    open: Vec<Shared>,
    /// The attempt at another one: requests that find all full wait for it together.
    opening: Option<Opening>,
    /// Where requests wait when there cannot be another one.
    places: Arc<Notify>,
}

struct Shared {
    connection: Http2Connection,
    /// For how many sweeps it has had no request.
    idle: u32,
}

/// An attempt to connect: how it ended, once it has. It does not keep the connection open.
pub(super) type Opening = Arc<SetOnce<Result<Arc<Load>, Arc<ConnectError>>>>;

/// What a pool says to a request.
pub(super) enum Pick {
    /// Send it with this.
    Open(SendRequest<Piece>, Place),
    /// Wait for this attempt, and ask again.
    Wait(Opening),
    /// Make this attempt, and ask again. Its connection is to tell of places here.
    Start(Opening, Arc<Notify>),
    /// All are full: wait for a place, and ask again.
    Full(Arc<Notify>),
}

/// The cause of an attempt's failure, for all who waited for it.
#[derive(Debug, thiserror::Error)]
#[error("{}", self.0.cause)]
struct SharedError(Arc<ConnectError>);

// === impl Http2Pool ===

impl Http2Pool {
    /// A pool of at most `max_connections` to each endpoint, of which the next is made when the others have `streams`, or as
    /// many as the endpoint allows.
    pub(super) fn new(streams: usize, max_connections: usize) -> Self {
        Self { endpoints: Mutex::default(), streams: streams.max(1), max_connections: max_connections.max(1) }
    }

    /// The connection for a request; the one that has refused it only if there can be no other.
    pub(super) fn pick(&self, peer: &Peer, refused: Option<&Arc<Load>>) -> Pick {
        let mut endpoints = self.endpoints();
        match endpoints.get_mut(peer) {
            Some(known) => known.pick(self, refused),
            None => endpoints.entry(peer.clone()).or_default().pick(self, refused),
        }
    }

    /// Takes in a new connection.
    pub(super) fn put(&self, peer: Peer, connection: Http2Connection) {
        self.endpoints().entry(peer).or_default().open.push(Shared { connection, idle: 0 });
    }

    /// Drops those that are closed, and those that have had no request for `max_age` sweeps.
    pub(super) fn sweep(&self, max_age: u32) {
        self.endpoints().retain(|_, known| {
            known.open.retain_mut(|shared| {
                shared.idle = if shared.connection.streams() == 0 { shared.idle + 1 } else { 0 };
                !shared.connection.is_closed() && shared.idle <= max_age
            });
            let opening = known.opening.as_ref().is_some_and(|opening| !opening.initialized());
            opening || !known.open.is_empty()
        });
    }

    fn endpoints(&self) -> MutexGuard<'_, HashMap<Peer, Endpoint, RandomState>> {
        self.endpoints.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Endpoint ===

impl Endpoint {
    fn pick(&mut self, pool: &Http2Pool, refused: Option<&Arc<Load>>) -> Pick {
        self.open.retain(|shared| !shared.connection.is_closed());
        let may_open = self.open.len() < pool.max_connections;
        self.open.sort_by_key(|shared| shared.connection.streams());
        let has_refused =
            |shared: &Shared| refused.is_some_and(|refused| Arc::ptr_eq(refused, shared.connection.load()));
        for shared in &mut self.open {
            if !(may_open && has_refused(shared))
                && let Some((sender, place)) = shared.connection.place(pool.streams)
            {
                shared.idle = 0;
                return Pick::Open(sender, place);
            }
        }
        match &self.opening {
            Some(opening) if !opening.initialized() => Pick::Wait(Arc::clone(opening)),
            Some(_) | None if may_open => {
                let opening = Opening::default();
                self.opening = Some(Arc::clone(&opening));
                Pick::Start(opening, Arc::clone(&self.places))
            }
            Some(_) | None => Pick::Full(Arc::clone(&self.places)),
        }
    }
}

/// The error of an attempt for one of those who waited.
pub(super) fn share(error: &Arc<ConnectError>) -> ConnectError {
    ConnectError { endpoint: error.endpoint, cause: SharedError(Arc::clone(error)).into() }
}
