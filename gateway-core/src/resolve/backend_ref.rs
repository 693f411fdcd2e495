//! References to backends: from a name in a route to a backend of the table.
//!
//! Each port of a Service or ServiceImport becomes one backend, however many rules refer to it; which routes do is remembered, so
//! that a change of the Service concerns those and no others. A reference that leads nowhere says why, and its share of the
//! requests fails; the route stays accepted.

use std::collections::BTreeMap;
use std::sync::Arc;

use foldhash::fast::RandomState;
use hashbrown::{HashMap, HashSet};

use super::backend_tls_policy::BackendTlsPolicies;
use super::backend_traffic_policy::BackendTrafficPolicies;
use super::endpoints::Endpoints;
use super::own::{OwnObjects, scoped};
use super::reference_grant::{Grants, Referrer, Target};
use super::service::{AllServices, BackendName, FoundPort};
use super::usage::Usage;
use super::x_backend::XBackends;
use crate::api::{BackendObjectReference, GATEWAY_GROUP, Pod};
use crate::condition::Reason;
use crate::finding::Finding;
use crate::name::{BackendId, ObjectName, RouteKey};
use crate::rule::{Backend, BackendKind, BackendProtocol, BackendTls, SessionPersistence};
use crate::table::RouteTableBuilder;
use crate::validate::Valid;

/// A reference to a backend, as any of the fields that hold one writes it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BackendReference<'a> {
    /// The group; empty for the core group.
    pub(crate) group: &'a str,
    /// The kind.
    pub(crate) kind: &'a str,
    /// The namespace; that of the route when absent.
    pub(crate) namespace: Option<&'a str>,
    /// The name.
    pub(crate) name: &'a str,
    /// The port of the Service.
    pub(crate) port: Option<i32>,
    /// Whether the gateway sends something of its own there.
    pub(crate) is_errand: bool,
}

/// What references to backends are followed through.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BackendContext<'r> {
    /// The Services and ServiceImports.
    pub(crate) services: AllServices<'r>,
    /// Their endpoints.
    pub(crate) endpoints: &'r Endpoints,
    /// How TLS is spoken with them.
    pub(crate) tls_policies: &'r BackendTlsPolicies,
    /// How traffic to them behaves.
    pub(crate) traffic_policies: &'r BackendTrafficPolicies,
    /// The XBackends.
    pub(crate) x_backends: &'r XBackends,
    /// The objects of the embedder's own kinds.
    pub(crate) own: OwnObjects<'r>,
    /// The Pods, which some of them select.
    pub(crate) pods: &'r BTreeMap<ObjectName, Valid<Pod>>,
    /// Which references into other namespaces are permitted.
    pub(crate) grants: &'r Grants,
}

/// Who refers to a backend.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BackendUser<'a> {
    pub(crate) route: &'a Arc<RouteKey>,
    /// What it sends there.
    pub(crate) usage: Usage,
    /// Whether a reference into another namespace is to be permitted there.
    pub(crate) needs_grants: bool,
}

/// The backends that references led to, each with the routes that refer to it.
#[derive(Debug, Default)]
pub(crate) struct Backends {
    by_service: HashMap<BackendName, Vec<Port>, RandomState>,
}

/// A port of a Service, or an XBackend, in the use that some route makes of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct BackendKey {
    pub(crate) service: BackendName,
    /// Nothing for an XBackend, which has one of its own, and for a kind of the embedder's own where none is named.
    port: Option<i32>,
    usage: Usage,
}

#[derive(Debug)]
struct Port {
    key: Arc<BackendKey>,
    found: Result<BackendId, Finding>,
    /// Whether the Service keeps connections of a client together by itself.
    has_affinity: bool,
    /// How its sessions are kept, where no rule says otherwise.
    session: Option<Arc<SessionPersistence>>,
    /// Whether the Service changed since it was looked at.
    stale: bool,
    users: HashSet<Arc<RouteKey>, RandomState>,
    /// Whether filters of listeners, or policies of Gateways, refer to it.
    used_by_listeners: bool,
}

// === impl BackendContext ===

impl<'r> BackendContext<'r> {
    /// How the sessions of a backend are kept, where no rule says otherwise.
    pub(crate) fn session(&self, backend: &BackendName) -> Option<&'r Arc<SessionPersistence>> {
        match backend.kind {
            BackendKind::XBackend => self.x_backends.session(&backend.object),
            _ => self.traffic_policies.traffic(backend)?.session.as_ref(),
        }
    }
}

// === impl Backends ===

impl Backends {
    /// The backend that a reference of this user leads to. Notes in `used` what the outcome depends on.
    ///
    /// # Errors
    /// Why it leads nowhere.
    ///
    /// # Spec
    /// HRB-01 to HRB-09, RGR-04, RGR-05, RGR-08, MSH-12: without permission nothing else is looked at.
    pub(crate) fn resolve(
        &mut self,
        context: BackendContext<'_>,
        BackendUser { route, usage, needs_grants }: BackendUser<'_>,
        reference: BackendReference<'_>,
        used: &mut HashSet<Arc<BackendKey>, RandomState>,
        table: &mut RouteTableBuilder,
    ) -> Result<BackendId, Finding> {
        let namespace = &*route.name.namespace;
        let from = Referrer { group: GATEWAY_GROUP, kind: route.kind.as_str(), namespace };
        let key = self.key(context, (from, needs_grants), usage, reference)?;
        let port = self.find(context, key, table);
        if !port.users.contains(route) {
            port.users.insert(route.clone());
        }
        used.insert(port.key.clone());
        port.found.clone()
    }

    /// The backend that a reference of a listener's filter or of a Gateway's policy leads to, otherwise as [`resolve`](Self::resolve) does.
    ///
    /// # Errors
    /// Why it leads nowhere.
    pub(crate) fn resolve_of_listener(
        &mut self,
        context: BackendContext<'_>,
        (from, usage): (Referrer<'_>, Usage),
        reference: BackendReference<'_>,
        used: &mut HashSet<Arc<BackendKey>, RandomState>,
        table: &mut RouteTableBuilder,
    ) -> Result<BackendId, Finding> {
        let reference = BackendReference { is_errand: true, ..reference };
        let key = self.key(context, (from, true), usage, reference)?;
        let port = self.find(context, key, table);
        port.used_by_listeners = true;
        used.insert(port.key.clone());
        port.found.clone()
    }

    /// What a reference is to, if it may be followed and is to something that can be a backend.
    fn key(
        &self,
        context: BackendContext<'_>,
        (from, needs_grants): (Referrer<'_>, bool),
        usage: Usage,
        reference: BackendReference<'_>,
    ) -> Result<BackendKey, Finding> {
        let BackendReference { group, kind, namespace, name, port, is_errand } = reference;
        let namespace = namespace.unwrap_or(from.namespace);
        let problem = |reason, message| Err(Finding::whole(reason, message));
        let own = context.own.kinds.find_backend(group, kind);
        let own_name =
            |own| BackendName { kind: BackendKind::Own(own), object: scoped(own, namespace, name) };
        let service = reference.service(from.namespace).or_else(|| own.map(own_name));
        // XBK-02: unlike a Service, which every client in a mesh reaches by itself, it has certificates of its own to show.
        let is_x_backend = service.as_ref().is_some_and(|service| service.kind == BackendKind::XBackend);
        let needs_grants = needs_grants || is_x_backend;
        if needs_grants && context.grants.check(from, Target { group, kind, namespace, name }).is_none() {
            return problem(
                Reason::RefNotPermitted,
                format!(
                    "{kind} {namespace}/{name} is in another namespace, and no ReferenceGrant there permits the reference; \
                     ask there for one from {} in namespace {} to {kind}",
                    from.kind, from.namespace
                ),
            );
        }
        let Some(service) = service else {
            let way_out = match BackendName::group_of(kind) {
                Some(group) => format!("write group {group:?}"),
                None => "refer to a Service".to_owned(),
            };
            return problem(
                Reason::InvalidKind,
                format!("{kind} of group {group:?} is not supported as a backend; {way_out}"),
            );
        };
        if is_errand && own.is_some() {
            let message = format!(
                "the gateway sends nothing of its own to a backend of kind {kind}; refer to a Service"
            );
            return problem(Reason::InvalidKind, message);
        }
        let port = match (service.kind, port) {
            (BackendKind::Own(_), port) => port,
            // XBK-08
            (BackendKind::XBackend, _) => None,
            (_, Some(port)) => Some(port),
            (_, None) => {
                return problem(Reason::BackendNotFound, format!("the reference to {service} names no port"));
            }
        };
        Ok(BackendKey { service: self.known(service), port, usage })
    }

    /// The same name, in the one copy that all references share.
    fn known(&self, service: BackendName) -> BackendName {
        self.by_service.get_key_value(&service).map_or(service, |(known, _)| known.clone())
    }

    fn find(
        &mut self,
        context: BackendContext<'_>,
        key: BackendKey,
        table: &mut RouteTableBuilder,
    ) -> &mut Port {
        let ports = self.by_service.entry(key.service.clone()).or_default();
        let position = ports.iter().position(|port| *port.key == key).unwrap_or_else(|| {
            ports.push(Port {
                key: Arc::new(key),
                // Replaced at once, since it is stale.
                found: Err(Finding::whole(Reason::BackendNotFound, "")),
                has_affinity: false,
                session: None,
                stale: true,
                users: HashSet::default(),
                used_by_listeners: false,
            });
            ports.len() - 1
        });
        let port = &mut ports[position];
        if port.stale {
            port.look_again(context, table);
        }
        port
    }

    /// A route that does not refer to this backend any more.
    pub(crate) fn release(&mut self, key: &BackendKey, route: &RouteKey, table: &mut RouteTableBuilder) {
        self.leave(key, table, |port| _ = port.users.remove(route));
    }

    /// No filter of a listener and no policy of a Gateway refers to this backend any more.
    pub(crate) fn release_of_listeners(&mut self, key: &BackendKey, table: &mut RouteTableBuilder) {
        self.leave(key, table, |port| port.used_by_listeners = false);
    }

    fn leave(&mut self, key: &BackendKey, table: &mut RouteTableBuilder, leave: impl FnOnce(&mut Port)) {
        let Some(ports) = self.by_service.get_mut(&key.service) else { return };
        let Some(position) = ports.iter().position(|port| *port.key == *key) else { return };
        leave(&mut ports[position]);
        if ports[position].users.is_empty() && !ports[position].used_by_listeners {
            if let Ok(id) = ports.swap_remove(position).found {
                table.remove_backend(id);
            }
            if ports.is_empty() {
                self.by_service.remove(&key.service);
            }
        }
    }

    /// Something about this Service or XBackend changed. Gives the routes for which the outcome is another now, and whether it is for some
    /// listener; other endpoints are none of theirs.
    pub(crate) fn touch(
        &mut self,
        context: BackendContext<'_>,
        service: &BackendName,
        table: &mut RouteTableBuilder,
    ) -> (Vec<Arc<RouteKey>>, bool) {
        let (mut concerned, mut listeners) = (Vec::new(), false);
        for port in self.by_service.get_mut(service).into_iter().flatten() {
            let known = |port: &Port| (port.found.clone(), port.has_affinity, port.session.clone());
            let before = known(port);
            port.look_again(context, table);
            if known(port) != before {
                concerned.extend(port.users.iter().cloned());
                listeners |= port.used_by_listeners;
            }
        }
        (concerned, listeners)
    }

    /// The Routes that send requests or calls to a Service, whether it is there or not.
    pub(crate) fn users_of_requests(&self, service: &BackendName) -> impl Iterator<Item = &RouteKey> {
        let ports = self.by_service.get(service).into_iter().flatten();
        let ports = ports.filter(|port| matches!(port.key.usage, Usage::Http | Usage::Grpc));
        ports.flat_map(|port| port.users.iter().map(|route| &**route))
    }

    /// The Routes that send to a Service what may go within TLS, whether it is there or not.
    pub(crate) fn users_within_tls(&self, service: &BackendName) -> impl Iterator<Item = &RouteKey> {
        let ports = self.by_service.get(service).into_iter().flatten();
        let ports = ports.filter(|port| port.key.usage.may_speak_tls());
        ports.flat_map(|port| port.users.iter().map(|route| &**route))
    }

    /// The Routes that send anything to an XBackend, whether it is there or not.
    pub(crate) fn users_of_x_backend(&self, name: &ObjectName) -> impl Iterator<Item = &RouteKey> {
        let name = BackendName { kind: BackendKind::XBackend, object: name.clone() };
        let ports = self.by_service.get(&name).into_iter().flatten();
        ports.flat_map(|port| port.users.iter().map(|route| &**route))
    }
}

/// The backend of a port, if there is one that can be used.
fn backend(context: BackendContext<'_>, key: &BackendKey) -> Result<Backend, Finding> {
    let BackendKey { service: name, port: number, usage } = key;
    if let BackendKind::Own(kind) = name.kind {
        let port = number.unwrap_or_default() as u16;
        return context.own.backend(kind, &name.object, port, *usage);
    }
    let Some(number) = number else {
        return context.x_backends.backend(&name.object, *usage, context.pods);
    };
    let problem = |reason, message| Err(Finding::whole(reason, message));
    let Some(service) = context.services.find(name) else {
        let way_out = match name.kind {
            BackendKind::Service | BackendKind::XBackend | BackendKind::Own(_) => "write one",
            BackendKind::ServiceImport => "export the Service from a cluster",
        };
        let message = format!("there is no {name}; {way_out}, or name another");
        let finding = Finding::whole(Reason::BackendNotFound, message);
        return Err(finding.because_of(name.kind.as_str(), name.object.clone()));
    };
    if service.is_external_name() {
        return problem(
            Reason::InvalidKind,
            format!(
                "{name} is of type ExternalName, which is not supported: it could lead anywhere; write a Service with an \
                 EndpointSlice"
            ),
        );
    }
    let transport = usage.transport();
    let of_number = || service.ports().filter(|port| port.number == *number);
    let Some(port) = of_number().find(|port| *port.protocol == transport).or(of_number().next()) else {
        let ports: Vec<_> = service.ports().map(|port| port.number.to_string()).collect();
        let ports = if ports.is_empty() { "none".to_owned() } else { ports.join(", ") };
        return problem(Reason::BackendNotFound, format!("{name} has no port {number}; it has {ports}"));
    };
    if *port.protocol != transport {
        return problem(
            Reason::UnsupportedProtocol,
            format!("port {number} of {name} is {}, {} needs {transport}", port.protocol, usage.as_str()),
        );
    }
    let tls = if usage.may_speak_tls() { context.tls_policies.tls(name, port)? } else { None };
    let protocol = match usage {
        Usage::Http => http_protocol(name, port, tls.as_deref())?,
        Usage::Grpc => grpc_protocol(name, port)?,
        Usage::Traces => otlp_protocol(name, port)?,
        Usage::Terminated | Usage::Tcp | Usage::Udp => BackendProtocol::default(),
    };
    Ok(Backend {
        service: name.object.clone(),
        kind: name.kind,
        port: *number as u16,
        hostname: None,
        protocol,
        tls,
        retry_budget: context.traffic_policies.traffic(name).and_then(|traffic| traffic.retry_budget.clone()),
        endpoints: context.endpoints.ready(name, port),
    })
}

/// # Spec
/// BPR-01 to BPR-07.
fn http_protocol(
    service: &BackendName,
    port: FoundPort<'_>,
    tls: Option<&BackendTls>,
) -> Result<BackendProtocol, Finding> {
    match port.app_protocol {
        Some("kubernetes.io/h2c") => Ok(BackendProtocol::H2c),
        Some("kubernetes.io/ws") => Ok(BackendProtocol::WebSocket),
        Some("kubernetes.io/wss") if tls.is_some() => Ok(BackendProtocol::WebSocket),
        Some("kubernetes.io/wss") => {
            let why = "kubernetes.io/wss, which needs a BackendTLSPolicy";
            Err(unusable(service, port, why))
        }
        // Others are hints for other programs: BPR-06.
        Some(_) | None => Ok(BackendProtocol::Http1),
    }
}

/// Calls go over HTTP/2, whatever a hint says that is not known here.
///
/// # Spec
/// BPR-02 to BPR-04, BPR-06.
fn grpc_protocol(service: &BackendName, port: FoundPort<'_>) -> Result<BackendProtocol, Finding> {
    match port.app_protocol {
        Some(protocol @ ("kubernetes.io/ws" | "kubernetes.io/wss")) => {
            let why = format!("{protocol}, which carries no calls of gRPC; use kubernetes.io/h2c");
            Err(unusable(service, port, &why))
        }
        Some(_) | None => Ok(BackendProtocol::H2c),
    }
}

/// Over gRPC, as OTLP goes where nothing else is said, unless the port says HTTP or has the number that stands for it.
///
/// # Spec
/// TEL-03
fn otlp_protocol(service: &BackendName, port: FoundPort<'_>) -> Result<BackendProtocol, Finding> {
    /// The port of OTLP over HTTP.
    const OVER_HTTP: i32 = 4318;
    match port.app_protocol {
        Some("grpc" | "kubernetes.io/h2c") => Ok(BackendProtocol::H2c),
        Some("http" | "https") => Ok(BackendProtocol::Http1),
        Some(protocol @ ("kubernetes.io/ws" | "kubernetes.io/wss")) => {
            let why = format!("{protocol}, which carries no OTLP; use grpc or http");
            Err(unusable(service, port, &why))
        }
        Some(_) | None if port.number == OVER_HTTP => Ok(BackendProtocol::Http1),
        Some(_) | None => Ok(BackendProtocol::H2c),
    }
}

fn unusable(service: &BackendName, port: FoundPort<'_>, why: &str) -> Finding {
    let message = format!("port {} of {service} has appProtocol {why}", port.number);
    Finding::whole(Reason::UnsupportedProtocol, message)
}

// === impl Port ===

impl Port {
    /// Looks at the Service as it is now. A backend that still is one keeps its place in the table.
    fn look_again(&mut self, context: BackendContext<'_>, table: &mut RouteTableBuilder) {
        self.stale = false;
        self.has_affinity = context.services.has_affinity(&self.key.service);
        self.session = context.session(&self.key.service).cloned();
        self.found = match (backend(context, &self.key), &self.found) {
            (Ok(backend), Ok(id)) => {
                table.replace_backend(*id, backend);
                Ok(*id)
            }
            (Ok(backend), Err(_)) => Ok(table.backend(backend)),
            (Err(finding), Ok(id)) => {
                table.remove_backend(*id);
                Err(finding)
            }
            (Err(finding), Err(_)) => Err(finding),
        };
    }
}

// === impl BackendReference ===

impl BackendReference<'_> {
    /// The Service or ServiceImport that it is to, if it is to one; in `namespace`, unless it names another.
    pub(crate) fn service(&self, namespace: &str) -> Option<BackendName> {
        let name = || ObjectName::new(self.namespace.unwrap_or(namespace), self.name);
        BackendName::find(self.group, self.kind, name)
    }

    /// What the reference is to, in the form in which a backend is displayed.
    pub(crate) fn to_text(self, namespace: &str) -> Arc<str> {
        let Self { group, kind, namespace: named, name, port, is_errand: _ } = self;
        let kind = if (group, kind) == ("", "Service") { String::new() } else { format!("{kind} ") };
        let port = port.map(|port| format!(":{port}")).unwrap_or_default();
        format!("{kind}{}/{name}{port}", named.unwrap_or(namespace)).into()
    }
}

impl<'r> From<&'r BackendObjectReference> for BackendReference<'r> {
    fn from(written: &'r BackendObjectReference) -> Self {
        let BackendObjectReference { group, kind, name, namespace, port } = written;
        Self { group, kind, namespace: namespace.as_deref(), name, port: *port, is_errand: false }
    }
}
