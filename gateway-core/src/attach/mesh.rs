//! Routes in a mesh: the ports of Services that they are for, and whose requests there.
//!
//! A Route in the namespace of a Service is for the clients of every namespace; one in another namespace is for those of its own
//! namespace, which then has nothing else for that port. Routes of two kinds for the same clients of the same port do not go
//! together: a GRPCRoute is more specific than an HTTPRoute, whose place it takes.
//!
//! So what becomes of an HTTPRoute depends on other Routes, which is so nowhere else. [`Mesh`] knows which Routes name which
//! Services, there or not, and tells for whom a change makes a difference.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use foldhash::fast::RandomState;
use hashbrown::HashMap;

use crate::api::{ParentReference, Service, ServicePort, ServiceType, TransportProtocol};
use crate::condition::Reason;
use crate::feature::Feature;
use crate::finding::Finding;
use crate::name::{ObjectName, RouteKey, RouteKind};
use crate::options::Options;
use crate::table::FrontendOwner;
use crate::validate::Valid;

/// A port of a Service, as some of its clients see it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct MeshPlace {
    pub(crate) service: ObjectName,
    /// The namespace whose clients they are; all that have no place of their own without it.
    clients: Option<Arc<str>>,
    pub(crate) port: u16,
    /// The name of the port, or its number.
    pub(crate) name: Arc<str>,
}

/// Which Routes name which Services as parents, and which places are for calls of gRPC.
#[derive(Debug, Default)]
pub(crate) struct Mesh {
    by_service: HashMap<ObjectName, BTreeSet<RouteKey>, RandomState>,
    by_route: HashMap<RouteKey, Named, RandomState>,
    /// How many GRPCRoutes are for each place; at least one.
    calls: HashMap<MeshPlace, usize, RandomState>,
}

/// What a Route named when it was looked at last.
#[derive(Debug, Default)]
struct Named {
    services: BTreeSet<ObjectName>,
    /// The places of a GRPCRoute.
    calls: BTreeSet<MeshPlace>,
}

/// What parentRefs to Services are followed through.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Services<'s> {
    pub(crate) all: &'s BTreeMap<ObjectName, Valid<Service>>,
    pub(crate) options: &'s Options,
}

/// Where a Route is for a Service, and what it has no effect on.
#[derive(Debug)]
pub(super) struct AttachedPlaces {
    pub(super) places: Vec<MeshPlace>,
    pub(super) without_effect: Option<Finding>,
}

// === impl MeshPlace ===

impl MeshPlace {
    /// Whose traffic it is about.
    pub(crate) fn owner(&self) -> FrontendOwner {
        match &self.clients {
            None => FrontendOwner::Service(self.service.clone()),
            Some(namespace) => FrontendOwner::ServiceFor(self.service.clone(), namespace.clone()),
        }
    }
}

// === impl Mesh ===

impl Mesh {
    /// The Routes that name the Service.
    pub(crate) fn routes_of(&self, service: &ObjectName) -> impl Iterator<Item = &RouteKey> {
        self.by_service.get(service).into_iter().flatten()
    }

    /// Takes note of the parents that a Route has now; none for one that is gone. Gives the Routes for which that makes a
    /// difference.
    pub(crate) fn note(
        &mut self,
        route: &RouteKey,
        parent_refs: &[ParentReference],
        services: Services<'_>,
    ) -> BTreeSet<RouteKey> {
        let mut now = Named::default();
        for parent_ref in parent_refs.iter().filter(|parent_ref| is_service(parent_ref)) {
            if route.kind == RouteKind::Grpc
                && let Some(Ok(places)) = places(route, 0, parent_ref, services)
            {
                now.calls.extend(places);
            }
            now.services.insert(name_of(parent_ref, &route.name.namespace));
        }
        let before = self.by_route.remove(route).unwrap_or_default();
        for gone in before.services.difference(&now.services) {
            if let Some(routes) = self.by_service.get_mut(gone) {
                routes.remove(route);
                if routes.is_empty() {
                    self.by_service.remove(gone);
                }
            }
        }
        for new in now.services.difference(&before.services) {
            self.by_service.entry(new.clone()).or_default().insert(route.clone());
        }
        let mut concerned = BTreeSet::new();
        for gone in before.calls.difference(&now.calls) {
            let count = self.calls.get_mut(gone).expect("it was counted when it came");
            *count -= 1;
            if *count == 0 {
                self.calls.remove(gone);
                concerned.extend(self.requests_to(&gone.service));
            }
        }
        for new in now.calls.difference(&before.calls) {
            let count = self.calls.entry(new.clone()).or_default();
            *count += 1;
            if *count == 1 {
                concerned.extend(self.requests_to(&new.service));
            }
        }
        if !now.services.is_empty() {
            self.by_route.insert(route.clone(), now);
        }
        concerned
    }

    /// The HTTPRoutes that name the Service.
    fn requests_to(&self, service: &ObjectName) -> impl Iterator<Item = RouteKey> {
        self.routes_of(service).filter(|route| route.kind == RouteKind::Http).cloned()
    }

    /// Judges the parentRef of a Route at this position. None when it names no Service, or one that is not there: then the route
    /// gets no status for it.
    ///
    /// # Spec
    /// MSH-01 to MSH-06, MSH-09, MSH-11, MSH-13, MSH-19.
    pub(super) fn attach(
        &self,
        route: &RouteKey,
        position: usize,
        parent_ref: &ParentReference,
        services: Services<'_>,
    ) -> Option<Result<AttachedPlaces, Finding>> {
        let judged = places(route, position, parent_ref, services)?;
        Some(judged.and_then(|places| self.without_conflicts(route, position, places)))
    }

    /// Leaves out the places where Routes of a more specific kind are.
    ///
    /// # Spec
    /// MSH-09
    fn without_conflicts(
        &self,
        route: &RouteKey,
        position: usize,
        places: Vec<MeshPlace>,
    ) -> Result<AttachedPlaces, Finding> {
        let is_taken = |place: &MeshPlace| route.kind != RouteKind::Grpc && self.calls.contains_key(place);
        let (taken, places): (Vec<_>, Vec<_>) = places.into_iter().partition(is_taken);
        let Some(first) = taken.first() else { return Ok(AttachedPlaces { places, without_effect: None }) };
        let ports: Vec<_> = taken.iter().map(|place| place.port.to_string()).collect();
        let message = format!(
            "a GRPCRoute is for port {} of Service {}, and takes precedence over routes of other kinds there; remove one of the \
             two, or name another port",
            ports.join(", "),
            first.service
        );
        let conflict = Finding::new(format!("spec.parentRefs[{position}]"), Reason::Conflicted, message);
        match places.is_empty() {
            true => Err(conflict),
            false => Ok(AttachedPlaces { places, without_effect: Some(conflict) }),
        }
    }
}

/// Whether the reference is one to a Service.
pub(super) fn is_service(parent_ref: &ParentReference) -> bool {
    parent_ref.group.is_empty() && parent_ref.kind == "Service"
}

fn name_of(parent_ref: &ParentReference, route_namespace: &str) -> ObjectName {
    ObjectName::new(parent_ref.namespace.as_deref().unwrap_or(route_namespace), parent_ref.name.as_str())
}

/// The places that a parentRef leads to, whatever other Routes are there.
fn places(
    route: &RouteKey,
    position: usize,
    parent_ref: &ParentReference,
    Services { all, options }: Services<'_>,
) -> Option<Result<Vec<MeshPlace>, Finding>> {
    if !is_service(parent_ref) || !options.supports(Feature::Mesh) {
        return None;
    }
    let name = name_of(parent_ref, &route.name.namespace);
    let service = all.get(&name)?;
    let at = |field: &str| format!("spec.parentRefs[{position}]{field}");
    let is_served = match route.kind {
        RouteKind::Http => options.supports(Feature::HttpRoute),
        RouteKind::Grpc => options.supports(Feature::GrpcRoute),
        RouteKind::Tls | RouteKind::Tcp | RouteKind::Udp => false,
    };
    if !is_served {
        let message = format!(
            "routes of kind {} are not served in a mesh here, and the traffic goes on as if there were none; remove the parent",
            route.kind
        );
        return Some(Err(Finding::new(at(""), Reason::UnsupportedValue, message)));
    }
    let clients = (route.name.namespace != name.namespace).then(|| route.name.namespace.clone());
    if clients.is_some() && !options.supports(Feature::MeshConsumerRoute) {
        let message =
            format!("routes for Service {name} from other namespaces are not supported here; write it there");
        return Some(Err(Finding::new(at(""), Reason::UnsupportedValue, message)));
    }
    if let Some(why) = without_address(service) {
        let message = format!(
            "Service {name} {why}, so that nothing can be dialled that the route is for; name one with a cluster IP"
        );
        return Some(Err(Finding::new(at(".name"), Reason::NoMatchingParent, message)));
    }
    let tcp = service.spec.ports.iter().filter(|port| port.protocol == TransportProtocol::Tcp);
    let named = tcp.clone().filter(|port| {
        parent_ref.section_name.as_ref().is_none_or(|section| port.name.as_ref() == Some(section))
            && parent_ref.port.is_none_or(|wanted| wanted == port.port)
    });
    let places: Vec<_> = named
        .filter_map(|port| {
            let number = u16::try_from(port.port).ok()?;
            let written = port.name.clone().unwrap_or_else(|| number.to_string());
            Some(MeshPlace {
                service: name.clone(),
                clients: clients.clone(),
                port: number,
                name: written.into(),
            })
        })
        .collect();
    if places.is_empty() {
        let field = match (&parent_ref.section_name, parent_ref.port) {
            (Some(_), _) => ".sectionName",
            (None, Some(_)) => ".port",
            (None, None) => ".name",
        };
        let message = format!("Service {name} has no such port for TCP; it has {}", ports(tcp));
        return Some(Err(Finding::new(at(field), Reason::NoMatchingParent, message)));
    }
    Some(Ok(places))
}

/// Why a Service has no address of its own, if it has none. One from a file may be without it, and is found by its name.
///
/// # Spec
/// MSH-11
fn without_address(service: &Service) -> Option<String> {
    match &service.spec.r#type {
        ServiceType::ClusterIp | ServiceType::NodePort | ServiceType::LoadBalancer => {
            (service.spec.cluster_ip.as_deref() == Some("None")).then(|| "is headless".to_owned())
        }
        other @ (ServiceType::ExternalName | ServiceType::Unknown(_)) => Some(format!("is of type {other}")),
    }
}

/// The ports that there are, as the end of a message.
fn ports<'p>(all: impl Iterator<Item = &'p ServicePort>) -> String {
    let each = all.map(|port| match &port.name {
        Some(name) => format!("{name} ({})", port.port),
        None => port.port.to_string(),
    });
    let each: Vec<_> = each.collect();
    if each.is_empty() { "none".to_owned() } else { each.join(", ") }
}
