//! The listeners of Gateway and ListenerSet.

use std::collections::BTreeMap;

use super::listener_filter;
use super::pattern;
use super::problem::{Problems, clipped};
use super::reference;
use super::schema::PORT;
use crate::api::{FromNamespaces, Listener, ListenerTlsConfig, RouteGroupKind, TlsModeType};

/// `spec.listeners`.
///
/// # Spec
/// LIM-01, VAL-GW-05, VAL-GW-06; VAL-ST-01 says of the names what VAL-GW-05 says.
pub(super) fn listeners(listeners: &[Listener], at: &mut Problems) {
    let listeners = at.list("listeners", listeners, 1..=64, "LIM-01", listener);
    at.unique("listeners", listeners, Some("name"), "VAL-GW-05", |listener| listener.name.as_str());
    for (second, listener) in listeners.iter().enumerate().skip(1) {
        let Listener { port, protocol, hostname, .. } = listener;
        let same = |earlier: &Listener| {
            earlier.port == *port && earlier.protocol == *protocol && earlier.hostname == *hostname
        };
        if let Some(first) = listeners[..second].iter().position(same) {
            let hostname = match hostname {
                Some(hostname) => format!("hostname {:?}", clipped(hostname)),
                None => "no hostname".to_owned(),
            };
            at.field("listeners").index(second).report(
                "VAL-GW-06",
                format!(
                    "has port {port}, protocol {:?} and {hostname}, as listeners[{first}] has; change one of the three",
                    clipped(protocol)
                ),
            );
        }
    }
}

/// # Spec
/// VAL-GW-01 to VAL-GW-04.
fn listener(listener: &Listener, at: &mut Problems) {
    let Listener { name, hostname, port, protocol, tls, allowed_routes, filters } = listener;
    at.text("name", name, &pattern::PRECISE);
    at.optional_text("hostname", hostname.as_deref(), &pattern::HOST);
    at.number("port", *port, PORT);
    at.text("protocol", protocol, &pattern::PROTOCOL);
    if let Some(tls) = tls {
        self::tls(tls, &mut at.field("tls"));
    }
    match (protocol.as_str(), tls) {
        ("HTTP" | "TCP" | "UDP", Some(_)) => {
            at.field("tls").report(
                "VAL-GW-01",
                format!("is not for protocol {protocol}; drop it, or write HTTPS or TLS"),
            );
        }
        ("HTTPS", Some(tls)) if tls.mode != TlsModeType::Terminate => {
            at.field("tls").field("mode").report("VAL-GW-02", "must be Terminate for protocol HTTPS");
        }
        ("TLS", None) => {
            at.field("tls").report("VAL-GW-03", "is absent, but protocol TLS needs it; write it with a mode");
        }
        (_, Some(_) | None) => {}
    }
    if matches!(protocol.as_str(), "TCP" | "UDP") && hostname.as_deref().is_some_and(|name| !name.is_empty())
    {
        at.field("hostname")
            .report("VAL-GW-04", format!("is not for protocol {protocol}, which carries no name; drop it"));
    }
    if let Some(filters) = filters {
        listener_filter::filters(filters, &mut at.field("filters"));
    }
    let at = &mut *at.field("allowedRoutes");
    at.list("kinds", &allowed_routes.kinds, 0..=8, "LIM-03", route_kind);
    match &allowed_routes.namespaces.from {
        FromNamespaces::All | FromNamespaces::Selector | FromNamespaces::Same => {}
        // For ListenerSets there is a None, for Routes there is not.
        from @ (FromNamespaces::None | FromNamespaces::Unknown(_)) => {
            at.field("namespaces").field("from").unknown_value(from.as_str(), &["All", "Selector", "Same"]);
        }
    }
}

/// A kind of Route, in a spec or in a status.
pub(super) fn route_kind(kind: &RouteGroupKind, at: &mut Problems) {
    at.group_kind(&kind.group, &kind.kind);
}

/// # Spec
/// LIM-04, VAL-GW-07, VAL-ST-04.
fn tls(tls: &ListenerTlsConfig, at: &mut Problems) {
    let ListenerTlsConfig { mode, certificate_refs, options } = tls;
    match mode {
        TlsModeType::Terminate => {
            if certificate_refs.is_empty() && options.is_empty() {
                at.field("certificateRefs").report(
                    "VAL-GW-07",
                    "is empty, but TLS cannot end here without a certificate; name one, or write options",
                );
            }
        }
        TlsModeType::Passthrough => {}
        TlsModeType::Unknown(value) => at.field("mode").unknown_value(value, TlsModeType::KNOWN),
    }
    at.list("certificateRefs", certificate_refs, 0..=64, "LIM-04", reference::secret);
    self::options(options, "LIM-04", at);
}

/// `options`, of which the schema knows no more than their size.
///
/// # Spec
/// LIM-04, LIM-19.
pub(super) fn options(options: &BTreeMap<String, String>, limit: &'static str, at: &mut Problems) {
    const MAX: usize = 16;
    let at = &mut *at.field("options");
    if options.len() > MAX {
        at.report(limit, format!("has {} entries; at most {MAX} are allowed", options.len()));
    }
    for (key, value) in options.iter().take(MAX) {
        at.map_value(key, value, 4096, limit);
    }
}
