//! The listeners of a table.

use std::fmt;
use std::sync::Arc;

use super::certificate::Certificate;
use super::client_validation::ClientValidation;
use super::frontend_owner::FrontendOwner;
use crate::filter::Scheme;
use crate::hostname::Hostname;
use crate::name::{ListenerOwnerKind, ObjectName};

/// A listener that is served: one entry of a Gateway or a ListenerSet; in a mesh a port of a Service.
#[derive(Clone, Debug)]
pub struct Listener {
    /// The Gateway whose addresses it is bound to, or the clients of which Service it is for.
    pub frontend: FrontendOwner,
    /// Whether the Gateway itself, a ListenerSet or a Service holds the listener.
    pub owner_kind: ListenerOwnerKind,
    /// The object that holds it.
    pub owner: ObjectName,
    /// Its name, unique within its owner. A port of a Service without a name has its number.
    pub name: Arc<str>,
    /// The port of the Gateway's addresses, or of the Service's.
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
    /// Streams within TLS that is terminated here.
    TlsTerminate(ListenerTls),
    /// Streams of TLS that is terminated by the backends.
    TlsPassthrough,
    /// Streams of anything, over TCP.
    Tcp,
    /// Datagrams.
    Udp,
}

/// What carries a protocol; each has ports of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Transport {
    /// TCP, with TLS or without.
    Tcp,
    /// UDP
    Udp,
}

/// How a listener terminates TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListenerTls {
    /// The certificates to choose from by server name; never empty.
    pub certificates: Arc<[Certificate]>,
    /// How clients are checked; they are not asked for a certificate without it.
    pub clients: Option<ClientValidation>,
}

// === impl Listener ===

impl Listener {
    /// A listener that a Gateway itself holds, for every host.
    ///
    /// ```
    /// use gateway_core::name::ObjectName;
    /// use gateway_core::table::{Listener, ListenerProtocol};
    ///
    /// let web = ObjectName::new("default", "web");
    /// let http = Listener::new(web.clone(), "http", 80, ListenerProtocol::Http);
    /// assert_eq!(http.to_string(), "default/web/http");
    /// let of_one_host = Listener {
    ///     hostname: Some("example.com".parse()?),
    ///     ..Listener::new(web, "example", 80, ListenerProtocol::Http)
    /// };
    /// assert_eq!(of_one_host.hostname.unwrap().to_string(), "example.com");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn new(
        gateway: ObjectName,
        name: impl Into<Arc<str>>,
        port: u16,
        protocol: ListenerProtocol,
    ) -> Self {
        Self {
            frontend: FrontendOwner::Gateway(gateway.clone()),
            owner_kind: ListenerOwnerKind::Gateway,
            owner: gateway,
            name: name.into(),
            port,
            protocol,
            hostname: None,
        }
    }

    /// The scheme of the requests that it takes; whether there is TLS, where it takes none.
    pub fn scheme(&self) -> Scheme {
        match self.protocol {
            ListenerProtocol::Http | ListenerProtocol::Tcp | ListenerProtocol::Udp => Scheme::Http,
            ListenerProtocol::Https(_)
            | ListenerProtocol::TlsTerminate(_)
            | ListenerProtocol::TlsPassthrough => Scheme::Https,
        }
    }
}

impl fmt::Display for Listener {
    /// `namespace/gateway/listener`, `namespace/listener-set/listener` or `namespace/service/port`, and the namespace whose
    /// clients alone it is for.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.owner, self.name)?;
        match &self.frontend {
            FrontendOwner::ServiceFor(_, namespace) => write!(f, " for {namespace}"),
            FrontendOwner::Gateway(_) | FrontendOwner::Service(_) => Ok(()),
        }
    }
}

// === impl Transport ===

impl Transport {
    /// `tcp` or `udp`: the word for logs and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
        }
    }
}

// === impl ListenerProtocol ===

impl ListenerProtocol {
    /// How it terminates TLS, if it does.
    pub fn tls(&self) -> Option<&ListenerTls> {
        match self {
            Self::Https(tls) | Self::TlsTerminate(tls) => Some(tls),
            Self::Http | Self::TlsPassthrough | Self::Tcp | Self::Udp => None,
        }
    }

    /// What carries it.
    pub fn transport(&self) -> Transport {
        match self {
            Self::Udp => Transport::Udp,
            Self::Http | Self::Https(_) | Self::TlsTerminate(_) | Self::TlsPassthrough | Self::Tcp => {
                Transport::Tcp
            }
        }
    }

    /// Whether it takes requests, each of which is decided about; other listeners take streams or datagrams as they come.
    pub fn takes_requests(&self) -> bool {
        match self {
            Self::Http | Self::Https(_) => true,
            Self::TlsTerminate(_) | Self::TlsPassthrough | Self::Tcp | Self::Udp => false,
        }
    }
}
