//! The options of TLS with clients, which the program must choose.

use std::fmt;
use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::server::ProducesTickets;
use rustls::{DEFAULT_VERSIONS, ServerConfig, SupportedProtocolVersion};

/// The cryptography of a server's TLS: which library does it is up to the program.
///
/// ```
/// use std::sync::Arc;
/// use gateway_tower::serve::{ServeOptions, TlsOptions};
/// use rustls::crypto::ring;
///
/// let tls = TlsOptions::new(Arc::new(ring::default_provider()))?.with_tickets(ring::Ticketer::new()?);
/// let options = ServeOptions { tls: Some(tls), ..ServeOptions::default() };
/// # assert!(options.tls.is_some());
/// # Ok::<(), rustls::Error>(())
/// ```
#[derive(Clone)]
pub struct TlsOptions {
    pub(super) provider: Arc<CryptoProvider>,
    /// One for all listeners: rustls resumes a session only for the server name that it began with.
    pub(super) tickets: Option<Arc<dyn ProducesTickets>>,
    pub(super) versions: Arc<[&'static SupportedProtocolVersion]>,
}

// === impl TlsOptions ===

impl TlsOptions {
    /// TLS by this provider, in the versions that rustls takes for safe: 1.2 and 1.3. Every handshake is a full one.
    ///
    /// # Errors
    /// When the provider has no cipher suite for one of the versions.
    pub fn new(provider: Arc<CryptoProvider>) -> Result<Self, rustls::Error> {
        Self { provider, tickets: None, versions: [].into() }.with_versions(DEFAULT_VERSIONS)
    }

    /// The same in these versions: `&[&rustls::version::TLS13]` refuses clients that know TLS 1.2 at most.
    ///
    /// # Errors
    /// When the provider has a cipher suite for none of them.
    pub fn with_versions(
        self,
        versions: &[&'static SupportedProtocolVersion],
    ) -> Result<Self, rustls::Error> {
        ServerConfig::builder_with_provider(Arc::clone(&self.provider)).with_protocol_versions(versions)?;
        Ok(Self { versions: versions.into(), ..self })
    }

    /// The same, with sessions that clients can resume: they are kept by the clients, in tickets.
    pub fn with_tickets(mut self, tickets: Arc<dyn ProducesTickets>) -> Self {
        self.tickets = Some(tickets);
        self
    }
}

impl fmt::Debug for TlsOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsOptions").field("tickets", &self.tickets.is_some()).finish_non_exhaustive()
    }
}
