//! The listeners of a table.

use std::fmt;
use std::sync::Arc;

use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use crate::filter::Scheme;
use crate::hostname::Hostname;
use crate::name::{ListenerOwnerKind, ObjectName};

/// A listener that is served: one entry of a Gateway or a ListenerSet.
#[derive(Clone, Debug)]
pub struct Listener {
    /// The Gateway whose addresses it is bound to.
    pub gateway: ObjectName,
    /// Whether the Gateway itself or a ListenerSet holds the listener.
    pub owner_kind: ListenerOwnerKind,
    /// The object that holds it.
    pub owner: ObjectName,
    /// Its name, unique within its owner.
    pub name: Arc<str>,
    /// The port of the Gateway's addresses.
    pub port: u16,
    /// What is spoken there.
    pub protocol: ListenerProtocol,
    /// The hosts it serves; `None` serves every host.
    pub hostname: Option<Hostname>,
}

/// What a listener speaks.
#[derive(Clone, Debug)]
pub enum ListenerProtocol {
    /// HTTP/1.1 and HTTP/2 without TLS.
    Http,
    /// HTTP/1.1 and HTTP/2 within TLS that is terminated here.
    Https(ListenerTls),
}

/// How a listener terminates TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListenerTls {
    /// The certificates to choose from by server name; never empty.
    pub certificates: Arc<[Certificate]>,
}

/// A certificate chain and its private key, parsed. A clone costs a pointer.
#[derive(Clone, PartialEq, Eq)]
pub struct Certificate {
    content: Arc<Content>,
}

#[derive(PartialEq, Eq)]
struct Content {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

// === impl Listener ===

impl Listener {
    /// The scheme of the requests that it takes.
    pub fn scheme(&self) -> Scheme {
        match self.protocol {
            ListenerProtocol::Http => Scheme::Http,
            ListenerProtocol::Https(_) => Scheme::Https,
        }
    }
}

impl fmt::Display for Listener {
    /// `namespace/gateway/listener`, or `namespace/listener-set/listener`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.owner, self.name)
    }
}

// === impl Certificate ===

impl Certificate {
    /// The certificate with this chain, the end entity first, and its private key.
    pub fn new(chain: Vec<CertificateDer<'static>>, key: PrivateKeyDer<'static>) -> Self {
        Self { content: Arc::new(Content { chain, key }) }
    }

    /// The chain, the end entity first.
    pub fn chain(&self) -> &[CertificateDer<'static>] {
        &self.content.chain
    }

    /// The private key.
    pub fn key(&self) -> &PrivateKeyDer<'static> {
        &self.content.key
    }
}

impl fmt::Debug for Certificate {
    /// Leaves the key out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate")
            .field("chain", &format_args!("{} certificates", self.chain().len()))
            .finish_non_exhaustive()
    }
}
