//! Routes of every kind: where each is attached.

use std::sync::Arc;

use super::mesh::is_service;
use super::parent_ref::{AttachedParent, Parents, RouteToAttach, attach};
use crate::api::{GrpcRoute, HttpRoute, Object, ParentReference, TcpRoute, TlsRoute, UdpRoute};
use crate::condition::Reason;
use crate::finding::Finding;
use crate::hostname::{Hostname, HostnameError};
use crate::name::{Age, ObjectName, RouteKey, RouteKind};
use crate::validate::Valid;

/// A kind of Route, as far as attaching looks at it.
pub(crate) trait Route: Object {
    /// The kind.
    const ROUTE_KIND: RouteKind;

    /// The parents that the Route names.
    fn parent_refs(&self) -> &[ParentReference];

    /// The hostnames that it is for; none for a kind that has none.
    fn hostnames(&self) -> &[String] {
        &[]
    }
}

/// Where the traffic comes from that a Route is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// Gateways.
    Gateways,
    /// Workloads that dial a Service.
    Mesh,
}

/// A Route of which at least one parent of a side is ours.
#[derive(Debug)]
pub(crate) struct AttachedRoute<R> {
    /// The side that the parents are on.
    pub(crate) side: Side,
    /// Kind, namespace and name.
    pub(crate) key: Arc<RouteKey>,
    /// The object.
    pub(crate) object: Arc<R>,
    /// The place of the Route among Routes.
    pub(crate) age: Age,
    /// What became of each parentRef that leads to an object of ours, in the order of the spec.
    pub(crate) parents: Vec<AttachedParent>,
    /// The hostnames that cannot be served.
    pub(crate) bad_hostnames: Vec<HostnameError>,
}

/// Attaches a Route: once for each side on which a parent is ours, since not all that holds on one holds on the other.
///
/// # Spec
/// RTE-01 to RTE-14, RTE-33, MSH-15.
pub(crate) fn route<R: Route>(
    name: &ObjectName,
    route: &Valid<R>,
    all: Parents<'_>,
) -> Vec<AttachedRoute<R>> {
    let (hostnames, bad_hostnames) = hostnames(route.hostnames());
    let key = Arc::new(RouteKey::new(R::ROUTE_KIND, name.clone()));
    let to_attach = RouteToAttach { key: &key, hostnames: &hostnames };
    let parent_refs = route.parent_refs().iter().enumerate();
    let attached =
        parent_refs.filter_map(|(position, parent_ref)| attach(to_attach, position, parent_ref, all));
    let (of_mesh, mut of_gateways): (Vec<AttachedParent>, Vec<_>) =
        attached.partition(|parent| is_service(&parent.parent_ref));
    // Without any hostname left the Route would serve every host.
    if hostnames.is_empty()
        && let Some(bad) = bad_hostnames.first()
    {
        for parent in &mut of_gateways {
            let finding = Finding::new("spec.hostnames", Reason::UnsupportedValue, bad.to_string());
            parent.listeners = Err(finding);
        }
    }
    let sides = [(Side::Gateways, of_gateways, bad_hostnames), (Side::Mesh, of_mesh, Vec::new())];
    let with_parents = sides.into_iter().filter(|(_, parents, _)| !parents.is_empty());
    let attached = with_parents.map(|(side, parents, bad_hostnames)| AttachedRoute {
        side,
        key: key.clone(),
        object: route.arc().clone(),
        age: route.metadata().age(name),
        parents,
        bad_hostnames,
    });
    attached.collect()
}

/// The hostnames that can be served, and why the others cannot: the schema lets IP addresses through (AMB-49).
fn hostnames(written: &[String]) -> (Vec<Hostname>, Vec<HostnameError>) {
    let mut good = Vec::with_capacity(written.len());
    let mut bad = Vec::new();
    for hostname in written {
        match hostname.parse() {
            Ok(hostname) => good.push(hostname),
            Err(error) => bad.push(error),
        }
    }
    (good, bad)
}

// === impl Route ===

impl Route for HttpRoute {
    const ROUTE_KIND: RouteKind = RouteKind::Http;

    fn parent_refs(&self) -> &[ParentReference] {
        &self.spec.parent_refs
    }

    fn hostnames(&self) -> &[String] {
        &self.spec.hostnames
    }
}

impl Route for GrpcRoute {
    const ROUTE_KIND: RouteKind = RouteKind::Grpc;

    fn parent_refs(&self) -> &[ParentReference] {
        &self.spec.parent_refs
    }

    fn hostnames(&self) -> &[String] {
        &self.spec.hostnames
    }
}

impl Route for TlsRoute {
    const ROUTE_KIND: RouteKind = RouteKind::Tls;

    fn parent_refs(&self) -> &[ParentReference] {
        &self.spec.parent_refs
    }

    fn hostnames(&self) -> &[String] {
        &self.spec.hostnames
    }
}

impl Route for TcpRoute {
    const ROUTE_KIND: RouteKind = RouteKind::Tcp;

    fn parent_refs(&self) -> &[ParentReference] {
        &self.spec.parent_refs
    }
}

impl Route for UdpRoute {
    const ROUTE_KIND: RouteKind = RouteKind::Udp;

    fn parent_refs(&self) -> &[ParentReference] {
        &self.spec.parent_refs
    }
}
