//! Streams of bytes, before it is said what they carry: their first bytes, TLS, and watching whether bytes move.
//!
//! Nothing here knows HTTP but for the first bytes by which its version is told.

mod preface;
mod counted;
#[cfg(feature = "tls")]
mod any_client;
#[cfg(feature = "tls")]
mod certificates;
#[cfg(feature = "tls")]
mod tls_options;
#[cfg(feature = "tls")]
mod client_hello;
#[cfg(feature = "tls")]
mod secure;
#[cfg(feature = "tls")]
mod tls;
#[cfg(not(feature = "tls"))]
#[path = "without_tls.rs"]
mod tls;

#[cfg(feature = "tls")]
pub use self::client_hello::{ClientHello, ClientHelloError, ClientHelloReader};
pub(super) use self::counted::Stream;
pub(super) use self::preface::FirstBytes;
#[cfg(feature = "tls")]
pub(super) use self::secure::Secure;
#[cfg(feature = "tls")]
pub(super) use self::tls::{Accepted, HandshakeError};
pub(super) use self::tls::{Tls, TlsUpdater};
#[cfg(feature = "tls")]
pub use self::tls_options::TlsOptions;
