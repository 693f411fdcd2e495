//! Services and ServiceImports, to which references lead in the same way.
//!
//! What stands behind a name in this cluster is a Service, and what stands behind it in all of them a ServiceImport. Both have
//! ports, and EndpointSlices with ports of the same names.
//!
//! # Spec
//! [HRB-17](crate::spec#HRB-17), GEP-1748.

use std::collections::BTreeMap;
use std::fmt;

use crate::api::{
    Kind, Service, ServiceAffinity, ServiceImport, ServiceImportPort, ServiceImportType, ServicePort,
    ServiceType, TransportProtocol,
};
use crate::name::ObjectName;
use crate::rule::BackendKind;
use crate::validate::{Valid, Validated};

/// The kinds that can be backends, beside the embedder's own.
const BACKENDS: [(Kind, BackendKind); 3] = [
    (Kind::Service, BackendKind::Service),
    (Kind::ServiceImport, BackendKind::ServiceImport),
    (Kind::XBackend, BackendKind::XBackend),
];

/// A Service, a ServiceImport or an XBackend, there or not. They may have one name, and the first two mostly do.
///
/// Displayed as `Service namespace/name`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct BackendName {
    pub(crate) kind: BackendKind,
    pub(crate) object: ObjectName,
}

/// All Services and ServiceImports.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AllServices<'r> {
    services: &'r BTreeMap<ObjectName, Valid<Service>>,
    imports: &'r BTreeMap<ObjectName, Valid<ServiceImport>>,
}

/// One of them.
#[derive(Clone, Copy, Debug)]
pub(crate) enum FoundService<'r> {
    Service(&'r Service),
    Import(&'r ServiceImport),
}

/// A port of one of them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FoundPort<'r> {
    /// The name; empty when it has none.
    pub(crate) name: &'r str,
    pub(crate) number: i32,
    pub(crate) protocol: &'r TransportProtocol,
    pub(crate) app_protocol: Option<&'r str>,
}

// === impl BackendName ===

impl BackendName {
    /// The one of this group, kind and name, if the kind can be a backend.
    pub(crate) fn find(group: &str, kind: &str, object: impl FnOnce() -> ObjectName) -> Option<Self> {
        let kind = backend_kind(Kind::find(group, kind)?)?;
        Some(Self { kind, object: object() })
    }

    /// The group of the backends of this kind, if there are such.
    pub(crate) fn group_of(kind: &str) -> Option<&'static str> {
        BACKENDS.iter().find(|(backend, _)| backend.as_str() == kind).map(|(backend, _)| backend.group())
    }

    /// The same, if it has ports and slices, as Services and ServiceImports have.
    pub(crate) fn find_service(group: &str, kind: &str, object: impl FnOnce() -> ObjectName) -> Option<Self> {
        Self::find(group, kind, object)
            .filter(|found| matches!(found.kind, BackendKind::Service | BackendKind::ServiceImport))
    }

    /// What this object is as a backend, if it can be one.
    pub(crate) fn of_object(kind: Kind, object: &ObjectName) -> Option<Self> {
        Some(Self { kind: backend_kind(kind)?, object: object.clone() })
    }

    /// The object that it is.
    pub(crate) fn into_object(self) -> (Kind, ObjectName) {
        let kind = match self.kind {
            BackendKind::Service => Kind::Service,
            BackendKind::ServiceImport => Kind::ServiceImport,
            BackendKind::XBackend => Kind::XBackend,
            BackendKind::Own(kind) => Kind::Own(kind),
        };
        (kind, self.object)
    }
}

fn backend_kind(kind: Kind) -> Option<BackendKind> {
    match kind {
        Kind::Own(kind) => Some(BackendKind::Own(kind)),
        kind => BACKENDS.iter().find(|(known, _)| *known == kind).map(|(_, backend)| *backend),
    }
}

impl fmt::Display for BackendName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind, self.object)
    }
}

// === impl AllServices ===

impl<'r> AllServices<'r> {
    /// Those of these objects.
    pub(crate) fn new(valid: &'r Validated) -> Self {
        Self { services: &valid.services, imports: &valid.service_imports }
    }

    /// The one of this name, if it is there.
    pub(crate) fn find(self, name: &BackendName) -> Option<FoundService<'r>> {
        let BackendName { kind, object } = name;
        match kind {
            BackendKind::Service => self.services.get(object).map(|found| FoundService::Service(found)),
            BackendKind::ServiceImport => self.imports.get(object).map(|found| FoundService::Import(found)),
            BackendKind::XBackend | BackendKind::Own(_) => None,
        }
    }

    /// Whether it is there and keeps connections of a client together by itself.
    pub(crate) fn has_affinity(self, name: &BackendName) -> bool {
        self.find(name).is_some_and(FoundService::has_affinity)
    }
}

// === impl FoundService ===

impl<'r> FoundService<'r> {
    /// The ports, in the order in which they are written.
    pub(crate) fn ports(self) -> impl Iterator<Item = FoundPort<'r>> + Clone {
        let (of_service, of_import) = match self {
            Self::Service(service) => (&*service.spec.ports, &[][..]),
            Self::Import(import) => (&[][..], &*import.spec.ports),
        };
        of_service.iter().map(FoundPort::from).chain(of_import.iter().map(FoundPort::from))
    }

    /// Whether it is an alias of a DNS name.
    pub(crate) fn is_external_name(self) -> bool {
        match self {
            Self::Service(service) => service.spec.r#type == ServiceType::ExternalName,
            Self::Import(_) => false,
        }
    }

    fn has_affinity(self) -> bool {
        match self {
            Self::Service(service) => service.spec.session_affinity != ServiceAffinity::None,
            // Of a headless one it is to be ignored.
            Self::Import(import) => {
                import.spec.r#type != ServiceImportType::Headless
                    && import.spec.session_affinity != ServiceAffinity::None
            }
        }
    }
}

// === impl FoundPort ===

impl<'r> From<&'r ServicePort> for FoundPort<'r> {
    fn from(port: &'r ServicePort) -> Self {
        let ServicePort { name, port: number, target_port: _, protocol, app_protocol, node_port: _ } = port;
        let (name, app_protocol) = (name.as_deref().unwrap_or_default(), app_protocol.as_deref());
        Self { name, number: *number, protocol, app_protocol }
    }
}

impl<'r> From<&'r ServiceImportPort> for FoundPort<'r> {
    fn from(port: &'r ServiceImportPort) -> Self {
        let ServiceImportPort { name, port: number, protocol, app_protocol } = port;
        let (name, app_protocol) = (name.as_deref().unwrap_or_default(), app_protocol.as_deref());
        Self { name, number: *number, protocol, app_protocol }
    }
}
