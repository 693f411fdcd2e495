//! The target of an attempt: what a client must know besides the request.

use std::fmt;

use gateway_core::name::BackendId;
use gateway_core::rule::{Backend, BackendProtocol, Endpoint};
use gateway_core::table::{Certificate, FrontendOwner, RouteTable};
use http::Extensions;

use crate::handle::Snapshot;
use crate::routed::Routed;

/// The endpoint that was chosen for an attempt, and the backend that it serves.
///
/// The balance layer says it in the [`Routed`] of the request, and makes the endpoint the authority of the request's URI:
/// `http://10.0.0.7:8080/path`. The host that the backend is to see stays in the Host header, which is always there; a
/// client that speaks HTTP/2 sends that as `:authority`.
#[derive(Clone)]
pub struct UpstreamTarget {
    snapshot: Snapshot,
    backend: BackendId,
    endpoint: u32,
    /// Whether the client's connection carries other requests, too.
    multiplexed: bool,
    certificate: Option<Certificate>,
}

/// The same as long as the request is there, which holds nothing.
#[cfg(feature = "client")]
#[derive(Clone, Copy)]
pub(crate) struct Target<'a> {
    pub(crate) endpoint: &'a Endpoint,
    pub(crate) backend: &'a Backend,
    /// See [`UpstreamTarget::is_multiplexed`].
    pub(crate) is_multiplexed: bool,
    pub(crate) certificate: Option<&'a Certificate>,
}

// === impl UpstreamTarget ===

impl UpstreamTarget {
    /// Where a request with these extensions goes: where its [`Routed`] says, or to the `UpstreamTarget` among them.
    pub fn from_extensions(extensions: &Extensions) -> Option<Self> {
        let placed = |routed: &Routed| {
            let (snapshot, backend, endpoint) = routed.place()?;
            let multiplexed = routed.connection().multiplexed;
            let certificate = routed.certificate_for(snapshot.backend(backend)).cloned();
            Some(Self { snapshot: snapshot.clone(), backend, endpoint, multiplexed, certificate })
        };
        extensions.get().and_then(placed).or_else(|| extensions.get().cloned())
    }

    /// An endpoint of a backend of this table, for a request of the gateway's own, on behalf of what came in at this owner.
    pub(crate) fn in_table(
        snapshot: Snapshot,
        backend: BackendId,
        endpoint: u32,
        owner: &FrontendOwner,
    ) -> Self {
        let certificate = snapshot.certificate_for(snapshot.backend(backend), owner.gateway()).cloned();
        Self { snapshot, backend, endpoint, multiplexed: false, certificate }
    }

    /// An endpoint of a backend that is in no table, to be put into the extensions for a client that is used alone.
    ///
    /// Whatever endpoints `backend` has, this one takes their place.
    pub fn new(endpoint: Endpoint, backend: Backend) -> Self {
        let mut table = RouteTable::builder(0);
        let backend = table.backend(Backend { endpoints: [endpoint].into(), ..backend });
        let snapshot = Snapshot::new(table.build());
        Self { snapshot, backend, endpoint: 0, multiplexed: false, certificate: None }
    }

    /// The endpoint to connect to.
    pub fn endpoint(&self) -> &Endpoint {
        &self.backend().endpoints[self.endpoint as usize]
    }

    /// What the endpoint speaks. Whether it is within TLS, its [backend](Self::backend) says: a client that cannot do that must
    /// send nothing.
    pub fn protocol(&self) -> BackendProtocol {
        self.backend().protocol
    }

    /// Whether the connection of the request's client carries other requests, too: an answer that it does not read is held
    /// in several places then.
    pub fn is_multiplexed(&self) -> bool {
        self.multiplexed
    }

    /// The certificate to show to an endpoint that asks for one within TLS: that of the Gateway, or of the XBackend.
    pub fn client_certificate(&self) -> Option<&Certificate> {
        self.certificate.as_ref()
    }

    /// The backend that the endpoint serves.
    pub fn backend(&self) -> &Backend {
        self.snapshot.backend(self.backend)
    }
}

// === impl Target ===

#[cfg(feature = "client")]
impl<'a> Target<'a> {
    /// Where a request with these extensions goes: what [`UpstreamTarget::from_extensions`] says.
    pub(crate) fn from_extensions(extensions: &'a Extensions) -> Option<Self> {
        let placed = |routed: &'a Routed| {
            let (backend, endpoint) = routed.backend_and_endpoint()?;
            let is_multiplexed = routed.connection().multiplexed;
            let certificate = routed.certificate_for(backend);
            Some(Self { endpoint, backend, is_multiplexed, certificate })
        };
        extensions.get().and_then(placed).or_else(|| extensions.get::<UpstreamTarget>().map(Self::from))
    }
}

#[cfg(feature = "client")]
impl<'a> From<&'a UpstreamTarget> for Target<'a> {
    fn from(target: &'a UpstreamTarget) -> Self {
        Self {
            endpoint: target.endpoint(),
            backend: target.backend(),
            is_multiplexed: target.multiplexed,
            certificate: target.client_certificate(),
        }
    }
}

impl fmt::Debug for UpstreamTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UpstreamTarget")
            .field("service", &format_args!("{}", self.backend().service))
            .field("endpoint", self.endpoint())
            .field("protocol", &self.protocol())
            .finish()
    }
}
