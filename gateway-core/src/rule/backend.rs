//! Backends: where requests can go, and the weighted choice among those of one rule.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use http::uri::Authority;

use super::backend_tls::BackendTls;
use super::retry_budget::RetryBudget;
use crate::name::{BackendId, ObjectName, OwnKind};

/// One port of a Service or a ServiceImport, or an XBackend, and the endpoints behind it. Displayed as the name and the port, with the kind before
/// them unless it is a Service.
///
/// A table holds each once, however many rules refer to it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Backend {
    /// The Service, or the object of another kind.
    pub service: ObjectName,
    /// Which kind of object that is.
    pub kind: BackendKind,
    /// The Service's port number, not the port of the endpoints; of an XBackend, they are the same. 0 where a reference to a kind of the
    /// embedder's own names none.
    pub port: u16,
    /// The name outside the cluster under which the endpoints are found, where there is one: the data plane looks it
    /// up, and [puts its addresses in](crate::table::RouteTable::with_endpoints).
    pub hostname: Option<Arc<str>>,
    /// What the endpoints speak.
    pub protocol: BackendProtocol,
    /// How TLS is spoken with the endpoints; not at all without it. Streams that come within TLS of their client's own and are
    /// passed on as they are have none of it.
    pub tls: Option<Arc<BackendTls>>,
    /// How much of what it gets may be retries; the same for all ports of a Service.
    pub retry_budget: Option<Arc<RetryBudget>>,
    /// The ready endpoints. None of them: requests get 503, unless the backend [is answered by the
    /// client](Self::is_answered_by_client).
    pub endpoints: Arc<[Endpoint]>,
}

/// The kind of object that a backend is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
#[non_exhaustive]
pub enum BackendKind {
    /// A Service: endpoints of this cluster.
    #[default]
    Service,
    /// A ServiceImport: endpoints of every cluster that exports the Service.
    ServiceImport,
    /// An XBackend.
    XBackend,
    /// An object of a kind of the embedder's own.
    Own(&'static OwnKind),
}

/// What a backend speaks, by the `appProtocol` of its Service port, or the `protocol` of an XBackend.
///
/// # Spec
/// GEP-1911, [BPR-01](crate::spec#BPR-01) to [BPR-07](crate::spec#BPR-07), [XBK-03](crate::spec#XBK-03).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum BackendProtocol {
    /// HTTP/1.1, upgrades included: no `appProtocol`, or one that is not listed here, and a reference of an HTTPRoute.
    #[default]
    Http1,
    /// HTTP/2, by prior knowledge where there is no [TLS](Backend::tls): `kubernetes.io/h2c`, and whatever a GRPCRoute refers to.
    H2c,
    /// HTTP/1.1 with upgrade to WebSocket: `kubernetes.io/ws`, and `kubernetes.io/wss` within TLS.
    WebSocket,
}

/// One address that serves a backend, and displayed as such.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Endpoint {
    address: SocketAddr,
    authority: Authority,
    // Shared by all endpoints at the same place, and one word where nothing is known.
    locality: Option<Arc<Locality>>,
}

/// Where an endpoint runs, as far as its EndpointSlice says so. It changes nothing about where requests go, unless what
/// chooses endpoints looks at it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Locality {
    /// The cluster, of the endpoints of a ServiceImport.
    pub cluster: Option<Box<str>>,
    /// The zone.
    pub zone: Option<Box<str>>,
    /// The name of the node.
    pub node: Option<Box<str>>,
}

/// The backends of a rule of any kind of Route, with their weights.
///
/// What a rule has besides for a backend, it keeps by the backend's position here.
///
/// ```
/// # use gateway_core::rule::{Backends, BackendRef, BackendTarget};
/// let nowhere = |weight| BackendRef { target: BackendTarget::Unresolved, weight };
/// let backends = Backends::new([nowhere(7), nowhere(3), nowhere(0)]);
/// // A random number picks; the share of each is its weight over the sum of all.
/// assert_eq!(backends.pick(0), Some((0, BackendTarget::Unresolved)));
/// assert_eq!(backends.pick(u64::MAX), Some((1, BackendTarget::Unresolved)));
/// ```
///
/// # Spec
/// [HRB-03](crate::spec#HRB-03), [HRB-04](crate::spec#HRB-04), [HRB-19](crate::spec#HRB-19), [AMB-68](crate::choices#AMB-68).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Backends {
    refs: Box<[BackendRef]>,
    /// Most rules have none, and take one word for it.
    unresolved: Option<Box<Unresolved>>,
}

/// What the references are to that lead nowhere, by their positions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Unresolved(Vec<(usize, Arc<str>)>);

/// One entry of a rule's `backendRefs`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BackendRef {
    /// Where it leads.
    pub target: BackendTarget,
    /// Its share is this over the sum of all weights of the rule.
    pub weight: u32,
}

/// Where a reference to a backend leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BackendTarget {
    /// To a backend of the table.
    Backend(BackendId),
    /// Nowhere: the reference is invalid, and its share of the requests gets 500.
    Unresolved,
}

// === impl Backend ===

impl Backend {
    /// Whether it has no endpoints because none are needed: it is of a kind of the embedder's own, and what is sent there comes to the
    /// client of the gateway as it is.
    pub fn is_answered_by_client(&self) -> bool {
        matches!(self.kind, BackendKind::Own(_)) && self.endpoints.is_empty()
    }
}

impl fmt::Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { service, kind, port, .. } = self;
        match kind {
            BackendKind::Service => write!(f, "{service}:{port}"),
            BackendKind::Own(kind) if *port == 0 => write!(f, "{kind} {service}"),
            kind => write!(f, "{kind} {service}:{port}"),
        }
    }
}

// === impl BackendKind ===

impl BackendKind {
    /// The kind as it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Service => "Service",
            Self::ServiceImport => "ServiceImport",
            Self::XBackend => "XBackend",
            Self::Own(kind) => kind.as_str(),
        }
    }
}

impl fmt::Display for BackendKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

// === impl BackendProtocol ===

impl BackendProtocol {
    /// The `appProtocol` that stands for it, where there is one.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http1 => "http",
            Self::H2c => "kubernetes.io/h2c",
            Self::WebSocket => "kubernetes.io/ws",
        }
    }
}

// === impl Endpoint ===

impl Endpoint {
    /// The endpoint at `address`.
    pub fn new(address: SocketAddr) -> Self {
        let authority = address.to_string().parse().expect("a socket address is an authority");
        Self { address, authority, locality: None }
    }

    /// The same endpoint, which runs there.
    pub fn at(self, locality: Arc<Locality>) -> Self {
        Self { locality: Some(locality), ..self }
    }

    /// Address and port to connect to.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The same as an authority, for the target of a request.
    pub fn authority(&self) -> &Authority {
        &self.authority
    }

    /// Where it runs, if that is known.
    pub fn locality(&self) -> Option<&Locality> {
        self.locality.as_deref()
    }
}

impl From<SocketAddr> for Endpoint {
    fn from(address: SocketAddr) -> Self {
        Self::new(address)
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.address.fmt(f)
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.address.fmt(f)
    }
}

// === impl Backends ===

impl Backends {
    /// The backends of a rule, in the order in which they are listed.
    pub fn new(refs: impl IntoIterator<Item = BackendRef>) -> Self {
        Self { refs: refs.into_iter().collect(), unresolved: None }
    }

    /// The same, with what the reference at this position is to, which leads nowhere: in the form in which a [`Backend`] is
    /// displayed, for who looks for what is wrong.
    pub fn with_unresolved(mut self, position: usize, name: impl Into<Arc<str>>) -> Self {
        self.unresolved.get_or_insert_default().0.push((position, name.into()));
        self
    }

    /// What the reference at this position is to, where it leads nowhere and that is known.
    ///
    /// ```
    /// # use gateway_core::rule::{Backends, BackendRef, BackendTarget};
    /// let backends = Backends::new([BackendRef { target: BackendTarget::Unresolved, weight: 1 }]);
    /// let backends = backends.with_unresolved(0, "default/misspelt:80");
    /// assert_eq!(backends.unresolved(0), Some(&"default/misspelt:80".into()));
    /// assert_eq!(backends.unresolved(1), None);
    /// ```
    pub fn unresolved(&self, position: usize) -> Option<&Arc<str>> {
        let Unresolved(names) = self.unresolved.as_deref()?;
        names.iter().find(|(at, _)| *at == position).map(|(_, name)| name)
    }

    /// What all references are to that lead nowhere, as far as that is known.
    pub fn all_unresolved(&self) -> impl Iterator<Item = &Arc<str>> {
        self.unresolved.iter().flat_map(|names| &names.0).map(|(_, name)| name)
    }

    /// The position of the backend for one request, and where it leads; `random` is uniform over all of `u64`. None when
    /// there is none with a weight.
    pub fn pick(&self, random: u64) -> Option<(usize, BackendTarget)> {
        if let [only] = &*self.refs {
            return (only.weight > 0).then_some((0, only.target));
        }
        let total: u64 = self.refs.iter().map(|backend| u64::from(backend.weight)).sum();
        // The high half of a 128-bit product maps the random number evenly onto 0..total.
        let mut point = ((u128::from(random) * u128::from(total)) >> 64) as u64;
        let position = self.refs.iter().position(|backend| {
            let weight = u64::from(backend.weight);
            let here = point < weight;
            point = point.saturating_sub(weight);
            here
        })?;
        Some((position, self.refs[position].target))
    }

    /// All of them, in the order in which they are listed.
    pub fn refs(&self) -> &[BackendRef] {
        &self.refs
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn backends(weights: &[u32]) -> Backends {
        Backends::new(weights.iter().enumerate().map(|(i, weight)| BackendRef {
            target: BackendTarget::Backend(BackendId(i as u32)),
            weight: *weight,
        }))
    }

    fn shares(backends: &Backends, draws: u64) -> Vec<u64> {
        let mut counts = vec![0; backends.refs().len()];
        for i in 0..draws {
            let random = i * (u64::MAX / draws);
            if let Some((position, target)) = backends.pick(random) {
                assert_eq!(target, backends.refs()[position].target);
                counts[position] += 1;
            }
        }
        counts
    }

    // HRB-03
    #[test]
    fn the_share_is_the_weight_over_the_sum() {
        let counts = shares(&backends(&[70, 30, 0]), 10_000);
        assert!(counts[0].abs_diff(7_000) <= 1 && counts[1].abs_diff(3_000) <= 1, "{counts:?}");
        assert_eq!(counts[2], 0);
        assert_eq!(shares(&backends(&[5]), 10), [10]);
    }

    // HRB-13, AMB-20
    #[test]
    fn without_any_weight_there_is_no_backend() {
        for weights in [&[][..], &[0], &[0, 0]] {
            assert!(backends(weights).pick(u64::MAX / 2).is_none(), "{weights:?}");
        }
    }

    // AMB-68, LIM-14
    #[test]
    fn the_largest_weights_do_not_overflow() {
        let counts = shares(&backends(&[1_000_000; 16]), 16_000);
        assert!(counts.iter().all(|count| count.abs_diff(1_000) <= 1), "{counts:?}");
    }
}
