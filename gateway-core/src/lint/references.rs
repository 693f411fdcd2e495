//! References to backends, wherever they are written.

use crate::api::{BackendObjectReference, GrpcRouteFilter, HttpRouteFilter, Kind, Listener, Resources};
use crate::name::{ObjectName, RouteKind};

/// A reference to a backend as it is written.
#[derive(Debug)]
pub(super) struct Reference<'r> {
    /// The kind of the object that refers.
    pub(super) of: Kind,
    /// The object that refers.
    pub(super) by: &'r ObjectName,
    /// Where the reference is written.
    pub(super) field: String,
    /// What it is for.
    pub(super) role: Role,
    pub(super) group: &'r str,
    pub(super) kind: &'r str,
    pub(super) namespace: Option<&'r str>,
    pub(super) name: &'r str,
    pub(super) port: Option<i32>,
}

/// What a reference is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// What the rule of this number gets, by a weight, goes there.
    Backend { rule: usize, weight: i32 },
    /// Copies go there.
    Mirror,
    /// It is asked whether requests may go on.
    Authorization,
}

/// All references of Routes, those of the backends of a rule side by side.
pub(super) fn of_routes(resources: &Resources) -> Vec<Reference<'_>> {
    let mut all = Vec::new();
    /// Looks at the rules of all Routes of a kind, in the types of the kind.
    macro_rules! backends {
        ($kind:ident, $routes:ident) => {
            for (by, route) in &resources.$routes {
                for (rule, written) in route.spec.rules.iter().enumerate() {
                    all.extend(written.backend_refs.iter().enumerate().map(|(index, to)| Reference {
                        of: Kind::$kind,
                        by,
                        field: format!("spec.rules[{rule}].backendRefs[{index}]"),
                        role: Role::Backend { rule, weight: to.weight },
                        group: &to.group,
                        kind: &to.kind,
                        namespace: to.namespace.as_deref(),
                        name: &to.name,
                        port: to.port,
                    }));
                }
            }
        };
    }
    /// The same of the filters of rules and of backends.
    macro_rules! filters {
        ($kind:ident, $routes:ident, $of_filter:expr) => {
            for (by, route) in &resources.$routes {
                for (rule, written) in route.spec.rules.iter().enumerate() {
                    let of_rule = (format!("spec.rules[{rule}].filters"), &written.filters[..]);
                    let of_backends = written.backend_refs.iter().enumerate().map(|(index, to)| {
                        (format!("spec.rules[{rule}].backendRefs[{index}].filters"), &to.filters[..])
                    });
                    for (field, filters) in [of_rule].into_iter().chain(of_backends) {
                        for (index, filter) in filters.iter().enumerate() {
                            for (member, role, to) in $of_filter(filter) {
                                let field = format!("{field}[{index}].{member}.backendRef");
                                all.extend(to.map(|to| Reference::new(Kind::$kind, by, field, role, to)));
                            }
                        }
                    }
                }
            }
        };
    }
    for kind in RouteKind::ALL {
        match kind {
            RouteKind::Http => {
                backends!(HttpRoute, http_routes);
                filters!(HttpRoute, http_routes, of_http_filter);
            }
            RouteKind::Grpc => {
                backends!(GrpcRoute, grpc_routes);
                filters!(GrpcRoute, grpc_routes, of_grpc_filter);
            }
            RouteKind::Tls => backends!(TlsRoute, tls_routes),
            RouteKind::Tcp => backends!(TcpRoute, tcp_routes),
            RouteKind::Udp => backends!(UdpRoute, udp_routes),
        }
    }
    all
}

/// The members of a filter that may refer to a backend, and what they refer to.
type OfFilter<'r> = (&'static str, Role, Option<&'r BackendObjectReference>);

fn of_http_filter(filter: &HttpRouteFilter) -> [OfFilter<'_>; 2] {
    let mirror = filter.request_mirror.as_ref().map(|mirror| &mirror.backend_ref);
    let auth = filter.external_auth.as_ref().map(|auth| &auth.backend_ref);
    [("requestMirror", Role::Mirror, mirror), ("externalAuth", Role::Authorization, auth)]
}

fn of_grpc_filter(filter: &GrpcRouteFilter) -> [OfFilter<'_>; 1] {
    [("requestMirror", Role::Mirror, filter.request_mirror.as_ref().map(|mirror| &mirror.backend_ref))]
}

/// All references of the filters of listeners.
pub(super) fn of_listener_filters(resources: &Resources) -> Vec<Reference<'_>> {
    let mut all = Vec::new();
    for (by, gateway) in &resources.gateways {
        all.extend(of_listeners(Kind::Gateway, by, &gateway.spec.listeners));
    }
    for (by, set) in &resources.listener_sets {
        all.extend(of_listeners(Kind::ListenerSet, by, &set.spec.listeners));
    }
    all
}

fn of_listeners<'r>(
    of: Kind,
    by: &'r ObjectName,
    listeners: &'r [Listener],
) -> impl Iterator<Item = Reference<'r>> {
    listeners.iter().enumerate().flat_map(move |(listener, written)| {
        let filters = written.filters.iter().flat_map(|filters| filters.requests.iter().enumerate());
        filters.filter_map(move |(index, filter)| {
            let field =
                format!("spec.listeners[{listener}].filters.requests[{index}].externalAuth.backendRef");
            let to = &filter.external_auth.as_ref()?.backend_ref;
            Some(Reference::new(of, by, field, Role::Authorization, to))
        })
    })
}

// === impl Reference ===

impl<'r> Reference<'r> {
    fn new(of: Kind, by: &'r ObjectName, field: String, role: Role, to: &'r BackendObjectReference) -> Self {
        let BackendObjectReference { group, kind, name, namespace, port } = to;
        let namespace = namespace.as_deref();
        Self { of, by, field, role, group, kind, namespace, name, port: *port }
    }
}
