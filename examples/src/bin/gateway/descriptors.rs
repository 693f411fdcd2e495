//! File descriptors: how many the program may have open, and how they are shared out.
//!
//! A connection of a client takes a descriptor, and so does one to a backend. If clients could have all of them, those that
//! do nothing would keep the others from every backend.

use std::io;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Raises the limit on open files to the most that is allowed, and returns it. `None` is no limit.
///
/// # Errors
/// When the system refuses.
pub(crate) fn raise_limit() -> io::Result<Option<u64>> {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current != maximum {
        setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum })?;
    }
    Ok(maximum)
}

/// The ports that Gateways may have with this limit: an eighth of it.
pub(crate) fn for_sockets(limit: Option<u64>) -> usize {
    limit.map_or(usize::MAX, |limit| usize::try_from(limit / 8).unwrap_or(usize::MAX))
}

/// The connections that clients may have with this limit: half of it, so that as many are left for backends.
pub(crate) fn for_clients(limit: Option<u64>) -> usize {
    limit.map_or(usize::MAX, |limit| usize::try_from(limit / 2).unwrap_or(usize::MAX))
}
