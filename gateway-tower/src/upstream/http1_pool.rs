//! Idle connections of HTTP/1.1, by endpoint.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use foldhash::fast::RandomState;

use super::http1_connection::Http1Connection;
use crate::connect::Peer;

/// The connections that carry no request.
///
/// The one that was used last is used first, so that those that are not needed get old.
pub(super) struct Http1Pool<B> {
    endpoints: Mutex<HashMap<Peer, Idle<B>, RandomState>>,
    max_idle: usize,
    /// The number of the latest sweep: all the clock that is needed.
    now: AtomicU32,
}

/// The connections to one endpoint.
struct Idle<B> {
    ready: Vec<Parked<B>>,
    /// Still busy with the end of their last exchange: about to be ready, or to close, or the request was answered before its
    /// end. They take no place of those that are ready, and have until the sweep after the next.
    settling: Vec<Parked<B>>,
}

struct Parked<B> {
    connection: Http1Connection<B>,
    since: u32,
}

// === impl Http1Pool ===

impl<B> Http1Pool<B> {
    /// A pool that keeps so many connections to each endpoint.
    pub(super) fn new(max_idle: usize) -> Self {
        Self { endpoints: Mutex::default(), max_idle, now: AtomicU32::new(0) }
    }

    /// Takes out a connection that can carry a request now.
    pub(super) fn take(&self, peer: &Peer) -> Option<Http1Connection<B>> {
        let mut endpoints = self.endpoints();
        let idle = endpoints.get_mut(peer)?;
        if let Some(found) = idle.pop() {
            return Some(found);
        }
        idle.settle(self.max_idle);
        idle.pop()
    }

    /// Takes in a connection whose exchange is over, or nearly.
    pub(super) fn put(&self, peer: Peer, connection: Http1Connection<B>) {
        if connection.is_closed() {
            return;
        }
        let ready = connection.is_ready();
        let parked = Parked { connection, since: self.now.load(Ordering::Relaxed) };
        let mut endpoints = self.endpoints();
        let idle = endpoints.entry(peer).or_default();
        let place = if ready { &mut idle.ready } else { &mut idle.settling };
        if place.len() < self.max_idle {
            place.push(parked);
        }
    }

    /// Drops those that are closed, and those that have been here for `max_age` sweeps.
    pub(super) fn sweep(&self, max_age: u32) {
        let now = self.now.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
        self.endpoints().retain(|_, idle| {
            idle.settle(self.max_idle);
            let age = |parked: &Parked<B>| now.wrapping_sub(parked.since);
            idle.ready.retain(|parked| !parked.connection.is_closed() && age(parked) <= max_age);
            idle.settling.retain(|parked| age(parked) <= 1);
            !(idle.ready.is_empty() && idle.settling.is_empty())
        });
    }

    fn endpoints(&self) -> MutexGuard<'_, HashMap<Peer, Idle<B>, RandomState>> {
        self.endpoints.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Idle ===

impl<B> Default for Idle<B> {
    fn default() -> Self {
        Self { ready: Vec::new(), settling: Vec::new() }
    }
}

impl<B> Idle<B> {
    fn pop(&mut self) -> Option<Http1Connection<B>> {
        while let Some(parked) = self.ready.pop() {
            // The backend may have closed it since.
            if parked.connection.is_ready() {
                return Some(parked.connection);
            }
        }
        None
    }

    fn settle(&mut self, max_idle: usize) {
        for parked in self
            .settling
            .extract_if(.., |parked| parked.connection.is_ready() || parked.connection.is_closed())
        {
            if !parked.connection.is_closed() && self.ready.len() < max_idle {
                self.ready.push(parked);
            }
        }
    }
}
