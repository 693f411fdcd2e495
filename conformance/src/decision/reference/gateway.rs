//! The listeners of a Gateway, and which of them serves a host.

use gateway_core::api::{
    self, AllowedRoutes, GATEWAY_GROUP, ListenerFilters, ListenerTlsConfig, Resources, TlsModeType,
};
use gateway_core::name::ObjectName;

use super::{backend, conflict, frontend_tls, hostname, listener_filters, listener_set, namespace};

/// A listener that is served.
#[derive(Clone, Copy, Debug)]
pub(super) struct Listener<'r> {
    pub(super) gateway: &'r ObjectName,
    /// The ListenerSet that it is written in, if not in the Gateway itself.
    pub(super) set: Option<&'r ObjectName>,
    pub(super) name: &'r str,
    pub(super) hostname: Option<&'r str>,
    pub(super) port: u16,
    pub(super) protocol: Protocol,
    pub(super) tls: Option<&'r ListenerTlsConfig>,
    pub(super) allowed_routes: &'r AllowedRoutes,
    pub(super) filters: Option<&'r ListenerFilters>,
}

/// Where a request comes in: at a listener, or, within a mesh, at the port of a Service.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frontend<'r> {
    /// None within a mesh.
    pub(super) gateway: Option<&'r ObjectName>,
    pub(super) port: u16,
    pub(super) https: bool,
}

/// What a listener speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protocol {
    Http,
    Https,
    TlsTerminate,
    TlsPassthrough,
    Tcp,
    Udp,
}

/// The listeners of a Gateway that are served.
pub(super) fn listeners<'r>(
    resources: &'r Resources,
    controller_name: &str,
    key: &ObjectName,
) -> Vec<Listener<'r>> {
    let Some((key, gateway)) = resources.gateways.get_key_value(key) else { return Vec::new() };
    // GC-14: a Gateway whose class does not exist or is not ours is not served.
    let class = resources.gateway_classes.get(&ObjectName::cluster(gateway.spec.gateway_class_name.as_str()));
    if class.is_none_or(|class| class.spec.controller_name != controller_name) {
        return Vec::new();
    }
    // LST-07: the Gateway's own, then those of its ListenerSets.
    let own = of_object(key, None, &gateway.spec.listeners);
    // LST-05, AMB-69: without a listener of its own that makes sense the Gateway is not accepted, and then no ListenerSet is.
    let makes_sense = |listener: &Listener<'_>| frontend_tls::validation(resources, listener).is_ok();
    if !conflict::without_conflicts(vec![own.clone()]).iter().any(makes_sense) {
        return Vec::new();
    }
    let mut objects = vec![own];
    for (set_key, set) in listener_set::of_gateway(resources, key, gateway) {
        objects.push(of_object(key, Some(set_key), &set.spec.listeners));
    }
    conflict::without_conflicts(objects)
        .into_iter()
        // GWK-03: a listener that only allows kinds that cannot attach is not programmed.
        .filter(|listener| listener.protocol.kinds().iter().any(|kind| listener.takes(kind)))
        .filter(|listener| !listener.protocol.ends_tls() || has_certificate(resources, listener))
        // GWF-07: a listener that cannot check its clients as it has to serves none.
        .filter(makes_sense)
        .collect()
}

/// The listeners of one object. GWL-12, PRF-06: those of an unknown protocol, or with a filter that is not carried out,
/// are not there.
fn of_object<'r>(
    gateway: &'r ObjectName,
    set: Option<&'r ObjectName>,
    listeners: &'r [api::Listener],
) -> Vec<Listener<'r>> {
    let known = |listener: &'r api::Listener| {
        if !listener_filters::are_supported(listener.filters.as_ref()) {
            return None;
        }
        Some(Listener {
            gateway,
            set,
            name: &listener.name,
            hostname: listener.hostname.as_deref(),
            port: u16::try_from(listener.port).expect("a port, by the schema"),
            protocol: protocol(listener)?,
            tls: listener.tls.as_ref(),
            allowed_routes: &listener.allowed_routes,
            filters: listener.filters.as_ref(),
        })
    };
    listeners.iter().filter_map(known).collect()
}

fn protocol(listener: &api::Listener) -> Option<Protocol> {
    let mode = listener.tls.as_ref().map(|tls| &tls.mode);
    match (listener.protocol.as_str(), mode) {
        ("HTTP", _) => Some(Protocol::Http),
        ("HTTPS", _) => Some(Protocol::Https),
        ("TLS", Some(TlsModeType::Terminate)) => Some(Protocol::TlsTerminate),
        ("TLS", Some(TlsModeType::Passthrough)) => Some(Protocol::TlsPassthrough),
        ("TCP", _) => Some(Protocol::Tcp),
        ("UDP", _) => Some(Protocol::Udp),
        _ => None,
    }
}

/// GWT-05, GWT-06: a listener whose certificate cannot be had is not programmed. (With several certificates one is
/// enough to serve.)
fn has_certificate(resources: &Resources, listener: &Listener<'_>) -> bool {
    !certificates(resources, listener).is_empty()
}

/// The Secrets with the certificates of a listener, as far as they can be had.
pub(super) fn certificates(resources: &Resources, listener: &Listener<'_>) -> Vec<ObjectName> {
    // LST-22: a ListenerSet needs a grant of its own.
    let (kind, key) = listener.object();
    let references = listener.tls.iter().flat_map(|tls| &tls.certificate_refs);
    let secret = |reference: &api::SecretObjectReference| {
        let to = ObjectName::new(namespace(reference.namespace.as_deref(), key), reference.name.as_str());
        let served = reference.group.is_empty()
            && reference.kind == "Secret"
            && backend::is_granted(resources, kind, &key.namespace, "Secret", &to)
            && resources.secrets.get(&to).is_some_and(|secret| secret.r#type == "kubernetes.io/tls");
        served.then_some(to)
    };
    references.filter_map(secret).collect()
}

/// HST-08: the listener with the most specific hostname that matches.
pub(super) fn most_specific<'l, 'r>(listeners: &'l [Listener<'r>], host: &str) -> Option<&'l Listener<'r>> {
    listeners
        .iter()
        .filter(|listener| listener.hostname.is_none_or(|hostname| hostname::matches(hostname, host)))
        .max_by_key(|listener| hostname::rank(listener.hostname))
}

// === impl Listener ===

impl<'r> Listener<'r> {
    /// The kind and the key of the object that it is written in.
    pub(super) fn object(&self) -> (&'static str, &'r ObjectName) {
        match self.set {
            None => ("Gateway", self.gateway),
            Some(set) => ("ListenerSet", set),
        }
    }

    pub(super) fn frontend(&self) -> Frontend<'r> {
        Frontend { gateway: Some(self.gateway), port: self.port, https: self.protocol == Protocol::Https }
    }

    /// GWK-01 to GWK-05: of the kinds that fit the protocol those that are allowed; without any, all.
    pub(super) fn takes(&self, kind: &str) -> bool {
        let mut allowed = self.allowed_routes.kinds.iter();
        self.protocol.kinds().contains(&kind)
            && (self.allowed_routes.kinds.is_empty()
                || allowed.any(|allowed| allowed.group == GATEWAY_GROUP && allowed.kind == kind))
    }

    /// Whether the two are the same listener: LST-08, names are unique within one object only.
    pub(super) fn is(&self, other: &Listener<'_>) -> bool {
        self.object() == other.object() && self.name == other.name
    }
}

// === impl Protocol ===

impl Protocol {
    /// GWK-01, TLR-01, TCR-02, UDR-02: the kinds of routes that fit.
    fn kinds(self) -> &'static [&'static str] {
        match self {
            Self::Http | Self::Https => &["HTTPRoute", "GRPCRoute"],
            Self::TlsTerminate | Self::TlsPassthrough => &["TLSRoute"],
            Self::Tcp => &["TCPRoute"],
            Self::Udp => &["UDPRoute"],
        }
    }

    /// Whether the gateway has a certificate to show.
    pub(super) fn ends_tls(self) -> bool {
        matches!(self, Self::Https | Self::TlsTerminate)
    }
}
