//! The parentRefs of a route: the listeners that each leads to and is let in by; in a mesh, the ports of a Service.
//!
//! Each parentRef is judged by itself: another one that fails does not matter to it.

use std::sync::Arc;

use super::Gateways;
use super::allowed_routes::{AllowedNamespaces, Namespaces};
use super::listener::{AttachedListener, ListenerKey};
use super::mesh::{Mesh, MeshPlace, Services, is_service};
use super::protocol::Protocol;
use crate::api::{GATEWAY_GROUP, ParentReference};
use crate::condition::Reason;
use crate::finding::Finding;
use crate::hostname::Hostname;
use crate::name::{ObjectName, RouteKey, RouteKind};

/// What became of one parentRef.
#[derive(Debug)]
pub(crate) struct AttachedParent {
    /// Its place among the parentRefs of the Route.
    pub(crate) position: usize,
    /// The reference as written, with the namespace of the parent filled in.
    pub(crate) parent_ref: ParentReference,
    /// The Gateway whose listeners, or those of whose ListenerSet, it leads to; none where it leads to a Service.
    pub(crate) gateway: Option<ObjectName>,
    /// The name of the controller that the class of the Gateway asks for.
    pub(crate) controller: Arc<str>,
    /// What lets the route in, or why nothing does.
    pub(crate) listeners: Result<Vec<AttachedTo>, Finding>,
    /// What has no effect there, although something lets the route in.
    pub(crate) without_effect: Vec<Finding>,
}

/// What lets a route in.
#[derive(Debug)]
pub(crate) enum AttachedTo {
    /// A listener.
    Listener {
        /// Which.
        listener: ListenerKey,
        /// The hostnames of the route that intersect with the listener's; none for a route without hostnames.
        hostnames: Vec<Hostname>,
        /// Whether the listener terminates TLS.
        terminates_tls: bool,
    },
    /// A port of a Service, in a mesh.
    Service(MeshPlace),
}

/// All that Routes may have as parents.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parents<'p> {
    pub(crate) gateways: &'p Gateways,
    pub(crate) namespaces: &'p Namespaces,
    pub(crate) services: Services<'p>,
    pub(crate) mesh: &'p Mesh,
}

/// A Route as its parentRefs are judged.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RouteToAttach<'r> {
    pub(crate) key: &'r RouteKey,
    /// None of them: the route has no hostnames, and takes those of the listener.
    pub(crate) hostnames: &'r [Hostname],
}

/// Judges the parentRef at this position. None when its parent is not there or not ours: then the route gets no status for it.
///
/// # Spec
/// RTE-03 to RTE-12, RTE-33, LST-04, LST-16 to LST-20, HST-03 to HST-06.
pub(crate) fn attach(
    to_attach: RouteToAttach<'_>,
    position: usize,
    parent_ref: &ParentReference,
    parents: Parents<'_>,
) -> Option<AttachedParent> {
    let Parents { gateways, namespaces, .. } = parents;
    let kind = to_attach.key.kind;
    let namespace = parent_ref.namespace.as_deref().unwrap_or(&to_attach.key.name.namespace);
    if is_service(parent_ref) {
        return to_service(to_attach, position, parent_ref, parents);
    }
    if parent_ref.group != GATEWAY_GROUP {
        return None;
    }
    let key = ObjectName::new(namespace, parent_ref.name.as_str());
    let (gateway, controller, listeners) = match parent_ref.kind.as_str() {
        "Gateway" => {
            let gateway = gateways.gateways.get(&key)?;
            (&key, &gateway.controller, &gateway.listeners)
        }
        "ListenerSet" => {
            let set = gateways.listener_sets.get(&key)?;
            if !set.is_allowed() {
                // GEN-17: why is for the owner of the ListenerSet.
                let message =
                    format!("ListenerSet {} is not attached to its Gateway; see its status", parent_ref.name);
                let field = format!("spec.parentRefs[{position}]");
                let finding = Finding::new(field, Reason::NotAllowedByListeners, message);
                return Some(AttachedParent {
                    position,
                    gateway: Some(set.gateway.clone()),
                    controller: set.controller.clone(),
                    listeners: Err(finding),
                    parent_ref: written(parent_ref, namespace),
                    without_effect: Vec::new(),
                });
            }
            (&set.gateway, &set.controller, &set.listeners)
        }
        _ => return None,
    };
    Some(AttachedParent {
        position,
        gateway: Some(gateway.clone()),
        controller: controller.clone(),
        listeners: match gateways.serves(kind) {
            true => admitted(to_attach, position, parent_ref, listeners, namespaces),
            false => Err(not_served(kind)),
        },
        parent_ref: written(parent_ref, namespace),
        without_effect: Vec::new(),
    })
}

/// # Spec
/// MSH-10: hostnames say nothing in a mesh.
fn to_service(
    to_attach: RouteToAttach<'_>,
    position: usize,
    parent_ref: &ParentReference,
    Parents { services, mesh, .. }: Parents<'_>,
) -> Option<AttachedParent> {
    let attached = mesh.attach(to_attach.key, position, parent_ref, services)?;
    let namespace = parent_ref.namespace.as_deref().unwrap_or(&to_attach.key.name.namespace);
    let mut without_effect = Vec::new();
    let listeners = attached.map(|attached| {
        without_effect.extend(attached.without_effect);
        if !to_attach.hostnames.is_empty() {
            let message = "hostnames have no effect where the parent is a Service; match the header Host in their place";
            without_effect.push(Finding::new("spec.hostnames", Reason::UnsupportedValue, message));
        }
        attached.places.into_iter().map(AttachedTo::Service).collect()
    });
    Some(AttachedParent {
        position,
        gateway: None,
        controller: services.options.controller_name.as_str().into(),
        listeners,
        parent_ref: written(parent_ref, namespace),
        without_effect,
    })
}

/// No listener takes Routes of a kind that the data plane does not have.
///
/// # Spec
/// RTE-05
fn not_served(kind: RouteKind) -> Finding {
    let way_out = match kind {
        RouteKind::Grpc => "an HTTPRoute with the path /package.Service/Method serves calls of gRPC too",
        RouteKind::Http | RouteKind::Tls | RouteKind::Tcp | RouteKind::Udp => "remove it",
    };
    let message = format!("routes of kind {kind} are not served here; {way_out}");
    Finding::new("kind", Reason::NotAllowedByListeners, message)
}

fn written(parent_ref: &ParentReference, namespace: &str) -> ParentReference {
    ParentReference { namespace: Some(namespace.to_owned()), ..parent_ref.clone() }
}

fn admitted(
    to_attach: RouteToAttach<'_>,
    position: usize,
    parent_ref: &ParentReference,
    listeners: &[AttachedListener],
    namespaces: &Namespaces,
) -> Result<Vec<AttachedTo>, Finding> {
    let RouteToAttach { key, hostnames } = to_attach;
    let (kind, namespace) = (key.kind, &*key.name.namespace);
    let relevant: Vec<&AttachedListener> = listeners
        .iter()
        .filter(|listener| parent_ref.section_name.as_deref().is_none_or(|name| *name == *listener.name))
        .filter(|listener| parent_ref.port.is_none_or(|port| port == i32::from(listener.port)))
        .collect();
    if relevant.is_empty() {
        let field = match (&parent_ref.section_name, parent_ref.port) {
            (Some(_), _) => "sectionName",
            (None, Some(_)) => "port",
            (None, None) => "name",
        };
        let message = format!("{}{}", no_such_listener(parent_ref), others(listeners));
        let field = format!("spec.parentRefs[{position}].{field}");
        return Err(Finding::new(field, Reason::NoMatchingParent, message));
    }
    let allowed: Vec<&AttachedListener> = relevant
        .iter()
        .copied()
        .filter(|listener| listener.admits_kind(kind) && listener.admits_namespace(namespace, namespaces))
        .collect();
    if allowed.is_empty() {
        return Err(Finding::new(
            format!("spec.parentRefs[{position}]"),
            Reason::NotAllowedByListeners,
            format!(
                "no listener of {} {} allows routes of kind {kind} from namespace {namespace}; {}",
                parent_ref.kind,
                parent_ref.name,
                ways_in(&relevant, kind, namespace, namespaces)
            ),
        ));
    }
    let attached: Vec<AttachedTo> = allowed
        .iter()
        .filter_map(|listener| {
            let hostnames = intersecting(hostnames, listener.hostname.as_ref())?;
            let terminates_tls = listener.protocol.terminates_tls();
            Some(AttachedTo::Listener { listener: listener.key, hostnames, terminates_tls })
        })
        .collect();
    if attached.is_empty() {
        let of_listeners: Vec<_> = allowed.iter().filter_map(|listener| listener.hostname.as_ref()).collect();
        let text = |names: &[&Hostname]| names.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        return Err(Finding::new(
            "spec.hostnames",
            Reason::NoMatchingListenerHostname,
            format!(
                "none of the hostnames {} intersects with those of the listeners: {}; write one that does, or leave \
                 hostnames out",
                text(&hostnames.iter().collect::<Vec<_>>()),
                text(&of_listeners)
            ),
        ));
    }
    Ok(attached)
}

/// Why listeners do not take Routes of this kind from this namespace, and what would let them in; of the first few.
fn ways_in(
    listeners: &[&AttachedListener],
    kind: RouteKind,
    namespace: &str,
    namespaces: &Namespaces,
) -> String {
    const MOST: usize = 3;
    let mut ways: Vec<String> = listeners
        .iter()
        .take(MOST)
        .map(|listener| {
            let name = &listener.name;
            if let Protocol::Other(protocol) = &listener.protocol {
                return format!("{name} has protocol {protocol:?}, which is not supported");
            }
            if !listener.admits_kind(kind) {
                let taken: Vec<_> = listener.kinds.iter().map(|kind| kind.as_str()).collect();
                return match &*taken.join(", ") {
                    "" => format!("{name} takes no kind at all; name one in its allowedRoutes.kinds that its protocol has"),
                    taken => format!("{name} takes {taken}, by its protocol and its allowedRoutes.kinds"),
                };
            }
            match &listener.allowed_namespaces {
                AllowedNamespaces::Same(own) => {
                    format!("{name} takes those of namespace {own}; write `namespaces: {{from: All}}` into its allowedRoutes")
                }
                AllowedNamespaces::Selector(_) if namespaces.has(namespace) => {
                    format!("{name} takes those of namespaces with certain labels; put them on Namespace {namespace}")
                }
                AllowedNamespaces::Selector(_) => format!(
                    "{name} takes those of namespaces with certain labels; write Namespace {namespace} with them"
                ),
                AllowedNamespaces::None | AllowedNamespaces::All => {
                    format!("{name} takes those of no namespace; see its allowedRoutes.namespaces")
                }
            }
        })
        .collect();
    if listeners.len() > MOST {
        ways.push(format!("and {} more", listeners.len() - MOST));
    }
    format!("listener {}", ways.join("; "))
}

/// The listeners that there are, as the end of a message; the first, if they are many.
fn others(listeners: &[AttachedListener]) -> String {
    const MOST: usize = 8;
    let names = listeners.iter().map(|listener| format!("{} (port {})", listener.name, listener.port));
    let names: Vec<_> = names.take(MOST).collect();
    match (names.len(), listeners.len()) {
        (0, _) => String::new(),
        (shown, all) if shown < all => format!("; it has {} and {} more", names.join(", "), all - shown),
        (_, _) => format!("; it has {}", names.join(", ")),
    }
}

fn no_such_listener(parent_ref: &ParentReference) -> String {
    let ParentReference { kind, name, section_name, port, .. } = parent_ref;
    match (section_name, port) {
        (Some(section), Some(port)) => {
            format!("{kind} {name} has no listener named {section:?} on port {port}")
        }
        (Some(section), None) => format!("{kind} {name} has no listener named {section:?}"),
        (None, Some(port)) => format!("{kind} {name} has no listener on port {port}"),
        (None, None) => format!("{kind} {name} has no listeners"),
    }
}

/// The hostnames of a route that intersect with a listener's; `None` when the route has some and none does.
fn intersecting(hostnames: &[Hostname], listener: Option<&Hostname>) -> Option<Vec<Hostname>> {
    if hostnames.is_empty() {
        return Some(Vec::new());
    }
    let mut intersecting = hostnames.to_vec();
    if let Some(listener) = listener {
        intersecting.retain(|hostname| hostname.intersects(listener));
    }
    (!intersecting.is_empty()).then_some(intersecting)
}
