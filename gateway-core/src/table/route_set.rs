//! Routes that serve a hostname together, indexed once for all hostnames and listeners that have just these.
//!
//! A Route of sixteen hostnames on sixty-four listeners stands behind a thousand of them, and its match entries are the same
//! for each. Mostly so are the other routes there, so that there are about as many indexes as there would be for one
//! listener and one hostname.

use std::hash::BuildHasher;
use std::sync::Arc;

use foldhash::fast::RandomState;
use hashbrown::HashTable;

use super::host_routes::HostRoutes;
use super::route::RouteId;
use crate::matching::{GrpcMethodMatch, Pattern};

/// Some routes, as they are now, and their index.
#[derive(Debug)]
pub(super) struct RouteSet {
    /// Ascending.
    members: Box<[Member]>,
    /// Nothing, where no rule of theirs is served.
    index: Option<Index>,
}

/// The index of some routes, which all take the same.
#[derive(Debug)]
pub(super) enum Index {
    Requests(HostRoutes<Pattern>),
    Calls(HostRoutes<GrpcMethodMatch>),
}

/// A route of a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Member {
    pub(super) route: RouteId,
    /// Which entries it has, among all entries and ages that any route of the builder ever had.
    pub(super) version: u32,
}

/// All sets that are in use.
#[derive(Debug, Default)]
pub(super) struct RouteSets {
    known: HashTable<Arc<RouteSet>>,
    seed: RandomState,
}

// === impl RouteSet ===

impl RouteSet {
    pub(super) fn members(&self) -> &[Member] {
        &self.members
    }

    /// The index, where it is one of HTTPRoutes.
    pub(super) fn requests(&self) -> Option<HostRoutes<Pattern>> {
        match &self.index {
            Some(Index::Requests(routes)) => Some(routes.clone()),
            Some(Index::Calls(_)) | None => None,
        }
    }

    /// The index, where it is one of GRPCRoutes.
    pub(super) fn calls(&self) -> Option<HostRoutes<GrpcMethodMatch>> {
        match &self.index {
            Some(Index::Calls(routes)) => Some(routes.clone()),
            Some(Index::Requests(_)) | None => None,
        }
    }
}

// === impl RouteSets ===

impl RouteSets {
    /// The set of these routes, which ascend; `index` is asked if it is not known.
    pub(super) fn find_or_add(
        &mut self,
        members: Vec<Member>,
        index: impl FnOnce(&[Member]) -> Option<Index>,
    ) -> Arc<RouteSet> {
        let hash = self.seed.hash_one(&*members);
        if let Some(known) = self.known.find(hash, |known| *known.members == *members) {
            return known.clone();
        }
        let index = index(&members);
        let set = Arc::new(RouteSet { members: members.into(), index });
        self.known.insert_unique(hash, set.clone(), |known| self.seed.hash_one(&*known.members));
        set
    }

    /// Takes back a set that some hostname had; it is forgotten when that was the last.
    pub(super) fn release(&mut self, set: Arc<RouteSet>) {
        // This one and the one among those that are known.
        if Arc::strong_count(&set) > 2 {
            return;
        }
        let hash = self.seed.hash_one(&*set.members);
        if let Ok(known) = self.known.find_entry(hash, |known| Arc::ptr_eq(known, &set)) {
            known.remove();
        }
        if self.known.len() * 8 < self.known.capacity() {
            self.known.shrink_to(self.known.len() * 2, |known| self.seed.hash_one(&*known.members));
        }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.known.len()
    }
}
