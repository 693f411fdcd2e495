//! Names outside the cluster, looked up for the table in use.
//!
//! A backend may be a [name](gateway_core::rule::Backend::hostname): an XBackend of type `ExternalHostname`. [`Names`] looks the names of
//! the table up, again and again, and [says](crate::TableHandle::set_addresses) what they lead to. Its addresses are endpoints then like
//! any others: requests, mirrors, streams and authorization know no names, and no request waits for a look-up.
//!
//! - **What fails, goes on**: an answer stays in use for [some time](NameOptions::keep) while others do not come.
//!   Without any, requests to the backend are refused with 503, for the reason
//!   [`no_address`](crate::outcome::Reason::NoAddress).
//! - **What grows is bounded**: [names](NameOptions::max_names), of which each namespace has as many as any other where there are too
//!   many, [addresses of a name](NameOptions::max_addresses), and [look-ups at a time](NameOptions::max_lookups), for which namespaces
//!   take turns: names whose look-ups hang keep those of their own namespaces waiting, and no names that have an answer.
//! - **What fails, is told**: in the log, with the objects that have the name; by [`Names::states`], and by [metrics](crate::metrics::Metrics::follow_names).
//!   A program that is asked whether it is ready waits for [`Names::looked_up`].
//! - **What a name may lead to**: a tenant who may write an XBackend chooses the name, and who owns the name where it leads. Addresses of this
//!   machine and its neighbours (loopback, link-local and the like) are [left out](is_refused): a metadata service of a cloud, or
//!   what listens for the gateway alone, is not to be reached so. Where that is meant, [`NameOptions::local_addresses`] lets them pass.
//!   Connections to the sockets of the gateway itself are few, as with all backends.
//!
//! The surprising case: a name is absolute. What the search list of a Pod would make of it, a Service of that name among others, is not
//! asked for.
//!
//! ```
//! use std::net::IpAddr;
//! use gateway_tower::names::is_refused;
//!
//! let refused = |text: &str| is_refused(text.parse::<IpAddr>().unwrap());
//! assert!(refused("127.0.0.1") && refused("169.254.169.254") && refused("::ffff:127.0.0.1") && refused("fe80::1"));
//! assert!(!refused("203.0.113.7") && !refused("2001:db8::7"));
//! ```
//!
//! # Spec
//! [XBK-01](gateway_core::spec#XBK-01), [XBK-05](gateway_core::spec#XBK-05).

mod lookup;
mod refused;
mod failure;
mod options;
mod room;
mod schedule;
mod standing;
mod wanted;
mod follow;

use std::fmt;

use tokio::sync::watch;
use tokio::task::AbortHandle;

use crate::handle::TableHandle;

pub use self::failure::LookupFailure;
#[cfg(any(feature = "client", feature = "server"))]
pub use self::lookup::SystemLookup;
pub use self::lookup::{Found, Lookup, LookupFuture};
pub use self::options::NameOptions;
pub use self::refused::is_refused;
pub use self::standing::{NameState, NameStates, Standing};

/// Looks names up, for as long as it is there.
///
/// ```
/// use std::io;
/// use gateway_core::name::ObjectName;
/// use gateway_core::rule::Backend;
/// use gateway_core::table::RouteTable;
/// use gateway_tower::TableHandle;
/// use gateway_tower::names::{Found, Lookup, LookupFuture, NameOptions, Names};
///
/// #[derive(Debug)]
/// struct Book;
///
/// impl Lookup for Book {
///     fn lookup(&self, name: &str) -> LookupFuture {
///         let found = match name {
///             "pay.example" => Ok(Found { addresses: vec![[192, 0, 2, 7].into()], good_for: None }),
///             _ => Err(io::ErrorKind::NotFound.into()),
///         };
///         Box::pin(async move { found })
///     }
/// }
///
/// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
/// let mut table = RouteTable::builder(1);
/// let service = ObjectName::new("default", "payments");
/// table.backend(Backend { service, port: 443, hostname: Some("pay.example".into()), ..Backend::default() });
/// let handle = TableHandle::new(table.build());
/// let _names = Names::start(&handle, NameOptions::new(Book));
/// let mut tables = handle.subscribe();
/// let found = tables.wait_for(|table| table.backends().all(|backend| backend.endpoints.len() == 1)).await;
/// assert_eq!(found.unwrap().generation(), 2);
/// # });
/// ```
#[must_use = "names are looked up for as long as it is there"]
pub struct Names {
    task: AbortHandle,
    states: watch::Receiver<NameStates>,
}

// === impl Names ===

impl Names {
    /// Begins to look up the names of the table in use, and of each that comes after it.
    ///
    /// # Panics
    /// Outside of a tokio runtime with time.
    pub fn start(tables: &TableHandle, options: NameOptions) -> Self {
        let (sender, states) = watch::channel(NameStates::default());
        let task = tokio::spawn(follow::follow(tables.clone(), options, sender)).abort_handle();
        Self { task, states }
    }

    /// How it stands with the names, now and whenever that changes.
    pub fn states(&self) -> watch::Receiver<NameStates> {
        self.states.clone()
    }

    /// Waits until each name of the first table has been looked up, successfully or not, and no longer than
    /// [the time for that](NameOptions::first_round): before that, a gateway is better not sent any requests.
    pub fn looked_up(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut states = self.states.clone();
        async move {
            // Fails when it has ended, and nothing is looked up any more.
            let _ = states.wait_for(NameStates::is_looked_up).await;
        }
    }
}

impl Drop for Names {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl fmt::Debug for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Names").field("states", &self.states).finish_non_exhaustive()
    }
}
