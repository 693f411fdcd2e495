//! One listener of a Gateway or a ListenerSet, judged.

use std::fmt;
use std::sync::Arc;

use super::allowed_routes::{AllowedNamespaces, Namespaces};
use super::finding::Finding;
use super::options::Options;
use crate::api::TlsModeType;
use crate::condition::{Condition, ConditionType, Reason};
use crate::feature::Feature;
use crate::hostname::Hostname;
use crate::name::{ListenerOwnerKind, ObjectName, RouteKind};
use crate::table::ListenerTls;

/// A listener as it stands in the specification of its owner, with all that was found out about it.
///
/// Bad listeners are here too: Routes attach to them and are counted, so that they serve the moment the listener does.
///
/// # Spec
/// `Listener`, `ListenerEntry`; GWK-10, LST-15.
#[derive(Clone, Debug)]
pub struct AttachedListener {
    /// The Gateway whose addresses it is bound to.
    pub gateway: ObjectName,
    /// Whether the Gateway itself or a ListenerSet holds it.
    pub owner_kind: ListenerOwnerKind,
    /// The object that holds it.
    pub owner: ObjectName,
    /// Its name, unique within its owner.
    pub name: Arc<str>,
    /// The port; 0 when what is written is no port, and then it is not served.
    pub port: u16,
    /// What is spoken there.
    pub protocol: Protocol,
    /// The hosts it serves; `None` serves every host.
    pub hostname: Option<Hostname>,
    /// The kinds of Routes it takes: supported, fit for the protocol, and allowed.
    pub kinds: Vec<RouteKind>,
    /// How it ends TLS: with the certificates that could be read. A listener that ends TLS and has none is not served.
    pub tls: Option<ListenerTls>,
    /// The conditions of its status.
    pub conditions: Vec<Condition>,
    pub(super) key: ListenerKey,
    pub(super) allowed_namespaces: AllowedNamespaces,
}

/// A listener among those of one translation: its number, counted from 0 without gaps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ListenerKey(pub(super) u32);

/// What a listener speaks.
///
/// # Spec
/// `ProtocolType`
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// HTTP/1.1 and HTTP/2 without TLS.
    Http,
    /// HTTP/1.1 and HTTP/2 within TLS that ends at the Gateway.
    Https,
    /// A TLS stream.
    Tls(TlsModeType),
    /// A TCP stream.
    Tcp,
    /// UDP datagrams.
    Udp,
    /// Anything else, as written.
    Other(Box<str>),
}

/// What carries a protocol; each has ports of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Transport {
    Tcp,
    Udp,
}

// === impl AttachedListener ===

impl AttachedListener {
    /// The number of the listener among those of this translation.
    pub fn key(&self) -> ListenerKey {
        self.key
    }

    /// Whether Routes of this kind may attach.
    ///
    /// # Spec
    /// RTE-05, RTE-08.
    pub fn admits_kind(&self, kind: RouteKind) -> bool {
        self.kinds.contains(&kind)
    }

    /// Whether Routes of this namespace may attach.
    ///
    /// # Spec
    /// GWK-07, LST-21.
    pub fn admits_namespace(&self, route_namespace: &str, namespaces: &Namespaces<'_>) -> bool {
        self.allowed_namespaces.admits(route_namespace, namespaces)
    }

    /// Whether the listener makes sense: its status has `Accepted=True`.
    pub fn is_accepted(&self) -> bool {
        Condition::holds(&self.conditions, ConditionType::Accepted)
    }

    /// Whether it goes into the table: its status has `Programmed=True`.
    pub fn is_served(&self) -> bool {
        Condition::holds(&self.conditions, ConditionType::Programmed)
    }
}

impl fmt::Display for AttachedListener {
    /// `namespace/gateway/listener`, or `namespace/listener-set/listener`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.owner, self.name)
    }
}

// === impl ListenerKey ===

impl ListenerKey {
    /// The number, below [`Gateways::listener_count`](super::Gateways::listener_count).
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

// === impl Protocol ===

impl Protocol {
    /// The protocol that is written so, with this TLS mode.
    pub fn new(protocol: &str, mode: Option<&TlsModeType>) -> Self {
        match protocol {
            "HTTP" => Self::Http,
            "HTTPS" => Self::Https,
            "TLS" => Self::Tls(mode.cloned().unwrap_or_default()),
            "TCP" => Self::Tcp,
            "UDP" => Self::Udp,
            other => Self::Other(other.into()),
        }
    }

    /// The kinds of Routes that fit the protocol, if the data plane has it.
    ///
    /// # Errors
    /// Why no Route can be served.
    ///
    /// # Spec
    /// GWK-01, GWL-12, GWL-19.
    pub(super) fn route_kinds(&self, options: &Options) -> Result<Vec<RouteKind>, Finding> {
        let kinds = self.supported_kinds(options);
        if kinds.is_empty() {
            let all = [Self::Http, Self::Https, Self::Tls(TlsModeType::Passthrough), Self::Tcp, Self::Udp];
            let supported = all.iter().filter(|protocol| !protocol.supported_kinds(options).is_empty());
            let supported: Vec<_> = supported.map(Self::as_str).collect();
            let message = format!(
                "protocol {:?} is not supported; supported are {}",
                self.as_str(),
                supported.join(", ")
            );
            return Err(Finding::new(Reason::UnsupportedProtocol, message));
        }
        let refused = match self {
            Self::Tls(TlsModeType::Terminate) if !options.supports(Feature::TlsRouteModeTerminate) => Some(
                "mode Terminate is not supported for protocol TLS; use Passthrough, or protocol HTTPS"
                    .to_owned(),
            ),
            Self::Tls(TlsModeType::Unknown(mode)) => {
                Some(format!("mode {mode:?} is not known; use {}", TlsModeType::KNOWN.join(" or ")))
            }
            Self::Http | Self::Https | Self::Tls(_) | Self::Tcp | Self::Udp | Self::Other(_) => None,
        };
        match refused {
            Some(message) => Err(Finding::new(Reason::UnsupportedValue, message)),
            None => Ok(kinds),
        }
    }

    /// The kinds that fit, of those that the data plane has: the one place that says which feature brings a protocol.
    fn supported_kinds(&self, options: &Options) -> Vec<RouteKind> {
        let fitting: &[_] = match self {
            Self::Http | Self::Https => {
                &[(RouteKind::Http, Feature::HttpRoute), (RouteKind::Grpc, Feature::GrpcRoute)]
            }
            Self::Tls(_) => &[(RouteKind::Tls, Feature::TlsRoute)],
            Self::Tcp => &[(RouteKind::Tcp, Feature::TcpRoute)],
            Self::Udp => &[(RouteKind::Udp, Feature::UdpRoute)],
            Self::Other(_) => &[],
        };
        let supported = fitting.iter().filter(|(_, feature)| options.supports(*feature));
        supported.map(|(kind, _)| *kind).collect()
    }

    /// Whether TLS ends at the listener.
    pub(super) fn ends_tls(&self) -> bool {
        match self {
            Self::Https | Self::Tls(TlsModeType::Terminate) => true,
            Self::Http | Self::Tls(_) | Self::Tcp | Self::Udp | Self::Other(_) => false,
        }
    }

    pub(super) fn transport(&self) -> Transport {
        match self {
            Self::Udp => Transport::Udp,
            Self::Http | Self::Https | Self::Tls(_) | Self::Tcp | Self::Other(_) => Transport::Tcp,
        }
    }

    /// The protocol as it is written, without the mode.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Http => "HTTP",
            Self::Https => "HTTPS",
            Self::Tls(_) => "TLS",
            Self::Tcp => "TCP",
            Self::Udp => "UDP",
            Self::Other(other) => other,
        }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
