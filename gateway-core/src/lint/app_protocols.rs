//! Ports that requests are sent to and that ask for a protocol by a name that is not known here.
//!
//! Such a name is no obstacle, since others may read it: requests are sent as if there were none. Where that is not what the name
//! stands for elsewhere, it is told; `http`, where HTTP/1.1 is spoken, is not.

use std::collections::BTreeMap;

use super::Lint;
use super::references::{self, Reference, Role};
use crate::api::{Kind, Resources};
use crate::condition::Reason;
use crate::feature::Feature;
use crate::finding::Finding;
use crate::manifest::Severity;
use crate::name::ObjectName;
use crate::resolve::{BackendName, targeted_service};
use crate::translate::Diagnostic;

/// The names that are known: what is done by them, or not, statuses say.
const KNOWN: [&str; 3] = ["kubernetes.io/h2c", "kubernetes.io/ws", "kubernetes.io/wss"];

/// What is spoken by an unknown name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Spoken {
    /// With what HTTPRoutes refer to.
    Http1,
    /// With what GRPCRoutes refer to.
    Http2,
}

/// What an unknown name stands for elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Meaning {
    /// HTTP/1.1, upgrades included.
    Http1,
    /// HTTP/2.
    Http2,
    /// HTTP within TLS.
    Tls,
    /// It is of a domain that says what it stands for to programs of its own.
    Others,
    /// Whatever it may be.
    Unknown,
}

/// A port of a Service or a ServiceImport.
struct Port<'r> {
    field: String,
    name: &'r str,
    number: i32,
    app_protocol: &'r str,
}

/// # Spec
/// BPR-04, BPR-06
pub(super) fn look(lint: &mut Lint<'_>) {
    let resources = lint.resources;
    let secured = match lint.options.supports(Feature::BackendTlsPolicy) {
        true => within_tls(resources),
        false => BTreeMap::new(),
    };
    for ((kind, name, number), spoken) in asked(resources) {
        let service = (kind, name);
        let sections = secured.get(&service).map_or(&[][..], Vec::as_slice);
        let (kind, name) = &service;
        let ports = ports(*kind, name, resources).into_iter();
        for port in ports.filter(|port| port.number == number && !KNOWN.contains(&port.app_protocol)) {
            let within_tls =
                sections.iter().any(|section| section.is_none_or(|section| section == port.name));
            let told = spoken.iter().find_map(|spoken| told(port.app_protocol, *spoken, within_tls));
            let Some((severity, message)) = told else { continue };
            let finding = Finding::new(port.field, Reason::UnsupportedProtocol, message);
            lint.found.push(Diagnostic { severity, kind: *kind, key: name.clone(), finding });
        }
    }
}

/// The ports that HTTPRoutes and GRPCRoutes send requests to, and what they speak there.
fn asked(resources: &Resources) -> BTreeMap<(Kind, ObjectName, i32), Vec<Spoken>> {
    let mut asked: BTreeMap<_, Vec<Spoken>> = BTreeMap::new();
    for Reference { of, by, role, group, kind, namespace, name, port, .. } in references::of_routes(resources)
    {
        let spoken = match (of, role) {
            (_, Role::Authorization) => continue,
            (Kind::HttpRoute, Role::Backend { .. } | Role::Mirror) => Spoken::Http1,
            (Kind::GrpcRoute, Role::Backend { .. } | Role::Mirror) => Spoken::Http2,
            // They pass on bytes.
            (_, Role::Backend { .. } | Role::Mirror) => continue,
        };
        let owner = || ObjectName::new(namespace.unwrap_or(&by.namespace), name);
        let found = BackendName::find_service(group, kind, owner).map(BackendName::into_object);
        if let Some(((kind, name), port)) = found.zip(port) {
            asked.entry((kind, name, port)).or_default().push(spoken);
        }
    }
    for spoken in asked.values_mut() {
        spoken.sort();
        spoken.dedup();
    }
    asked
}

/// The ports that ask for a protocol.
fn ports<'r>(kind: Kind, name: &ObjectName, resources: &'r Resources) -> Vec<Port<'r>> {
    /// The same fields, in the types of the kind.
    macro_rules! ports {
        ($owners:ident) => {{
            let ports = resources.$owners.get(name).map_or(&[][..], |owner| &owner.spec.ports);
            let ports = ports.iter().enumerate().filter_map(|(index, port)| {
                let name = port.name.as_deref().unwrap_or_default();
                let app_protocol = port.app_protocol.as_deref()?;
                let field = format!("spec.ports[{index}].appProtocol");
                Some(Port { field, name, number: port.port, app_protocol })
            });
            ports.collect()
        }};
    }
    match kind {
        Kind::ServiceImport => ports!(service_imports),
        _ => ports!(services),
    }
}

/// The Services that BackendTLSPolicies are for, with the names of the ports that they name, where they name one.
fn within_tls(resources: &Resources) -> BTreeMap<(Kind, ObjectName), Vec<Option<&str>>> {
    let mut secured: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for (name, policy) in &resources.backend_tls_policies {
        for target in &policy.spec.target_refs {
            if let Some(service) = targeted_service(name, target) {
                secured.entry(service.into_object()).or_default().push(target.section_name.as_deref());
            }
        }
    }
    secured
}

/// What is to be told of a name, if what is spoken is not what it stands for.
fn told(name: &str, spoken: Spoken, within_tls: bool) -> Option<(Severity, String)> {
    let version = match spoken {
        Spoken::Http1 => "HTTP/1.1",
        Spoken::Http2 => "HTTP/2",
    };
    let known = "write kubernetes.io/h2c for HTTP/2, or leave it out";
    let (severity, how, way_out) = match (Meaning::from(name), spoken) {
        (Meaning::Http1, _) | (Meaning::Http2, Spoken::Http2) => return None,
        (Meaning::Tls, _) if within_tls => return None,
        (Meaning::Tls, _) => {
            (Severity::Warning, " without TLS", "write a BackendTLSPolicy for the port, or leave it out")
        }
        (Meaning::Http2, Spoken::Http1) => (Severity::Warning, "", "write kubernetes.io/h2c for HTTP/2"),
        (Meaning::Others, _) => (Severity::Info, "", known),
        (Meaning::Unknown, _) => (Severity::Warning, "", known),
    };
    Some((severity, format!("{name:?} is not known here, so that {version} is spoken{how}; {way_out}")))
}

// === impl Meaning ===

impl From<&str> for Meaning {
    fn from(name: &str) -> Self {
        let name = name.trim().to_ascii_lowercase();
        match name.strip_prefix("kubernetes.io/").unwrap_or(&name) {
            "http" | "http1" | "http1.1" | "http/1.1" | "ws" | "websocket" => Self::Http1,
            "http2" | "http/2" | "h2c" | "h2" | "grpc" | "grpc-web" => Self::Http2,
            "https" | "wss" | "tls" | "ssl" | "grpcs" => Self::Tls,
            _ if name.starts_with("kubernetes.io/") => Self::Unknown,
            _ if name.split_once('/').is_some_and(|(domain, _)| domain.contains('.')) => Self::Others,
            _ => Self::Unknown,
        }
    }
}
