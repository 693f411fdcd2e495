//! The owner of a frontend: the Gateway or Service whose traffic comes in at it.

use std::fmt;
use std::sync::Arc;

use crate::name::ObjectName;

/// The object whose traffic comes in: a Gateway, or in a mesh a Service.
///
/// Traffic to a Service is told apart by the namespace that it comes from. A namespace that has routes of its own for a Service
/// has a frontend of its own there, and the routes in the namespace of the Service are for all others; the two are never mixed.
///
/// # Spec
/// [MSH-01](crate::spec#MSH-01), [MSH-04](crate::spec#MSH-04) to [MSH-06](crate::spec#MSH-06).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FrontendOwner<N = ObjectName, S = Arc<str>> {
    /// A Gateway of this name.
    Gateway(N),
    /// A Service of this name, for all clients that have no frontend of their own.
    Service(N),
    /// A Service of this name, for the clients of this namespace.
    ServiceFor(N, S),
}

// === impl FrontendOwner ===

impl<N, S> FrontendOwner<N, S> {
    /// The name of the Gateway or Service.
    pub fn name(&self) -> &N {
        match self {
            Self::Gateway(name) | Self::Service(name) | Self::ServiceFor(name, _) => name,
        }
    }

    /// The name of the Gateway, if it is one.
    pub fn gateway(&self) -> Option<&N> {
        match self {
            Self::Gateway(name) => Some(name),
            Self::Service(_) | Self::ServiceFor(..) => None,
        }
    }
}

impl FrontendOwner {
    /// The same with borrowed names.
    pub fn as_ref(&self) -> FrontendOwner<&ObjectName, &str> {
        match self {
            Self::Gateway(name) => FrontendOwner::Gateway(name),
            Self::Service(name) => FrontendOwner::Service(name),
            Self::ServiceFor(name, namespace) => FrontendOwner::ServiceFor(name, namespace),
        }
    }
}

impl fmt::Display for FrontendOwner {
    /// `Gateway namespace/name`, `Service namespace/name`, or that for clients of a namespace.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gateway(name) => write!(f, "Gateway {name}"),
            Self::Service(name) => write!(f, "Service {name}"),
            Self::ServiceFor(name, namespace) => write!(f, "Service {name} for clients of {namespace}"),
        }
    }
}
