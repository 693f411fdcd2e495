//! Look-ups of names: the interface, and the resolver of the system.

use std::fmt;
use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::time::Duration;

/// Looks names up. A resolver of one's own, which knows how long answers are good for, is put in the place of
#[cfg_attr(any(feature = "client", feature = "server"), doc = "[`SystemLookup`].")]
#[cfg_attr(not(any(feature = "client", feature = "server")), doc = "that of the system.")]
pub trait Lookup: fmt::Debug + Send + Sync + 'static {
    /// The addresses of a name, which is absolute and has no dot at its end.
    fn lookup(&self, name: &str) -> LookupFuture;
}

/// An answer to come.
pub type LookupFuture = Pin<Box<dyn Future<Output = io::Result<Found>> + Send>>;

/// What a name leads to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// The addresses. None of them: there is no such name.
    pub addresses: Vec<IpAddr>,
    /// For how long that is so, as far as the answer says it.
    pub good_for: Option<Duration>,
}

/// The resolver of the system, as its configuration has it. It does not tell for how long an answer is good.
///
/// It is asked for the name with a dot at its end, so that no search list is tried. Most systems therefore do not find a name that
/// `/etc/hosts` has, as a rule without the dot.
///
/// A look-up takes a thread of the runtime's pool for blocking work, until the system gives up.
#[cfg(any(feature = "client", feature = "server"))]
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemLookup;

// === impl SystemLookup ===

#[cfg(any(feature = "client", feature = "server"))]
impl Lookup for SystemLookup {
    fn lookup(&self, name: &str) -> LookupFuture {
        // With a dot at its end, a name is not looked for below the domains of a search list.
        let absolute = format!("{name}.");
        Box::pin(async move {
            let found = tokio::net::lookup_host((absolute, 0)).await?;
            Ok(Found { addresses: found.map(|address| address.ip()).collect(), good_for: None })
        })
    }
}
