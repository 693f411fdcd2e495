//! The protocols of listeners, and the kinds of Routes that fit each.

use std::fmt;

use crate::api::TlsModeType;
use crate::condition::Reason;
use crate::feature::Feature;
use crate::finding::Finding;
use crate::manifest::closest;
use crate::name::RouteKind;
use crate::options::Options;
use crate::table::Transport;

/// What a listener speaks.
///
/// # Spec
/// `ProtocolType`
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Protocol {
    /// HTTP/1.1 and HTTP/2 without TLS.
    Http,
    /// HTTP/1.1 and HTTP/2 within TLS that the Gateway terminates.
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

// === impl Protocol ===

impl Protocol {
    /// The protocol that is written so, with this TLS mode.
    pub(crate) fn new(protocol: &str, mode: Option<&TlsModeType>) -> Self {
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
    pub(crate) fn route_kinds(&self, options: &Options) -> Result<Vec<RouteKind>, Finding> {
        let kinds = self.supported_kinds(options);
        if kinds.is_empty() {
            let all = [Self::Http, Self::Https, Self::Tls(TlsModeType::Passthrough), Self::Tcp, Self::Udp];
            let supported = all.iter().filter(|protocol| !protocol.supported_kinds(options).is_empty());
            let supported: Vec<_> = supported.map(Self::as_str).collect();
            let message = format!(
                "protocol {:?} is not supported; supported are {}{}",
                self.as_str(),
                supported.join(", "),
                closest(self.as_str(), supported.iter().copied())
                    .map(|meant| format!("; did you mean {meant}?"))
                    .unwrap_or_default()
            );
            return Err(Finding::new("protocol", Reason::UnsupportedProtocol, message));
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
            Some(message) => Err(Finding::new("tls.mode", Reason::UnsupportedValue, message)),
            None => Ok(kinds),
        }
    }

    /// The kinds that some protocol has, of those that the data plane has.
    pub(crate) fn all_route_kinds(options: &Options) -> Vec<RouteKind> {
        let all = [Self::Http, Self::Tls(TlsModeType::Passthrough), Self::Tcp, Self::Udp];
        all.iter().flat_map(|protocol| protocol.supported_kinds(options)).collect()
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

    /// Whether the listener terminates TLS.
    pub(crate) fn terminates_tls(&self) -> bool {
        match self {
            Self::Https | Self::Tls(TlsModeType::Terminate) => true,
            Self::Http | Self::Tls(_) | Self::Tcp | Self::Udp | Self::Other(_) => false,
        }
    }

    pub(crate) fn transport(&self) -> Transport {
        match self {
            Self::Udp => Transport::Udp,
            Self::Http | Self::Https | Self::Tls(_) | Self::Tcp | Self::Other(_) => Transport::Tcp,
        }
    }

    /// The protocol as it is written, without the mode.
    pub(crate) fn as_str(&self) -> &str {
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
