//! Names outside the cluster, looked up for the table in use.
//!
//! A backend may be a [name](gateway_core::rule::Backend::hostname): an XBackend of type `ExternalHostname`. [`Names`] looks the names of
//! the table up, again and again, and [says](crate::TableHandle::set_addresses) what they lead to. Its addresses are endpoints then like
//! any others: requests, mirrors, streams and authorization know no names, and no request waits for a look-up.
//!
//! - **What fails, goes on**: an answer stays in use for [some time](NameOptions::keep) while others do not come.
//!   Without any, requests to the backend are refused with 503, for the reason
//!   [`no_address`](crate::outcome::Reason::NoAddress).
//! - **What grows is bounded**: [names](NameOptions::max_names), of which a namespace has no more than it leaves to others,
//!   [addresses of a name](NameOptions::max_addresses), and [look-ups at a time](NameOptions::max_lookups), which
//!   are shared out in the same way: names whose look-ups hang keep those of their own namespace waiting.
//! - **What a name may lead to**: whoever may write an XBackend chooses the name, and who owns the name where it leads. Addresses of this
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
mod options;
mod refused;
mod room;
mod schedule;
mod wanted;
mod follow;

use std::fmt;

use tokio::task::AbortHandle;

use crate::handle::TableHandle;

#[cfg(any(feature = "client", feature = "server"))]
pub use self::lookup::SystemLookup;
pub use self::lookup::{Found, Lookup, LookupFuture};
pub use self::options::NameOptions;
pub use self::refused::is_refused;

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
pub struct Names(AbortHandle);

// === impl Names ===

impl Names {
    /// Begins to look up the names of the table in use, and of each that comes after it.
    ///
    /// # Panics
    /// Outside of a tokio runtime with time.
    pub fn start(tables: &TableHandle, options: NameOptions) -> Self {
        Self(tokio::spawn(follow::follow(tables.clone(), options)).abort_handle())
    }
}

impl Drop for Names {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl fmt::Debug for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Names").finish_non_exhaustive()
    }
}
