//! Names of objects and sections, and the age by which the specification breaks ties.
//!
//! Names are shared text: a table of ten thousand rules holds each route's name once.

use std::fmt;
use std::sync::Arc;

/// Namespace and name of an object; the namespace of a cluster-scoped object is empty.
///
/// Displayed as `namespace/name`, or as the name alone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectName {
    /// The namespace.
    pub namespace: Arc<str>,
    /// The name within the namespace.
    pub name: Arc<str>,
}

/// The kinds of Route.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RouteKind {
    /// `HTTPRoute`
    Http,
    /// `GRPCRoute`
    Grpc,
    /// `TLSRoute`
    Tls,
    /// `TCPRoute`
    Tcp,
    /// `UDPRoute`
    Udp,
}

/// A Route: its kind, and its name among those of the kind.
///
/// Displayed as `HTTPRoute namespace/name`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RouteKey {
    /// The kind.
    pub kind: RouteKind,
    /// Namespace and name.
    pub name: ObjectName,
}

/// A kind of object of the embedder's own: one that the Gateway API does not know, and that its references may name.
///
/// Displayed as the kind.
///
/// ```
/// use gateway_core::name::OwnKind;
///
/// const BUCKET: OwnKind = OwnKind::new("example.com", "Bucket", "buckets", &["v1"]);
/// assert_eq!((BUCKET.group(), BUCKET.as_str(), BUCKET.is_namespaced()), ("example.com", "Bucket", true));
/// ```
#[derive(Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OwnKind {
    group: &'static str,
    kind: &'static str,
    plural: &'static str,
    versions: &'static [&'static str],
    is_namespaced: bool,
}

/// The kinds of object that hold listeners.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ListenerOwnerKind {
    /// `Gateway`
    Gateway,
    /// `ListenerSet`
    ListenerSet,
    /// `Service`, in a mesh: each of its ports is one.
    Service,
}

/// How old an object is: the tie-breaker of the whole API.
///
/// Orders older objects first, then by the one string `namespace/name`. An object without a creation time counts as
/// the newest.
///
/// # Spec
/// [GEN-18](crate::spec#GEN-18), [HRM-22](crate::spec#HRM-22); the choices are [AMB-36](crate::choices#AMB-36).
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Age {
    /// Creation time in seconds since the Unix epoch; `i64::MAX` when unknown.
    created: i64,
    /// `namespace/name`
    name: Arc<str>,
}

/// A backend of a table.
///
/// Rules and filters name backends by number, so that a Service used by a thousand rules stands in the table once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BackendId(pub(crate) u32);

// === impl ObjectName ===

impl ObjectName {
    /// The object `name` in `namespace`.
    pub fn new(namespace: impl Into<Arc<str>>, name: impl Into<Arc<str>>) -> Self {
        Self { namespace: namespace.into(), name: name.into() }
    }

    /// The cluster-scoped object `name`.
    pub fn cluster(name: impl Into<Arc<str>>) -> Self {
        Self { namespace: Arc::default(), name: name.into() }
    }
}

impl fmt::Display for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.namespace {
            "" => f.write_str(&self.name),
            namespace => write!(f, "{namespace}/{}", self.name),
        }
    }
}

// === impl RouteKind ===

impl RouteKind {
    /// Every kind.
    pub const ALL: [Self; 5] = [Self::Http, Self::Grpc, Self::Tls, Self::Tcp, Self::Udp];

    /// The kind as the API spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "HTTPRoute",
            Self::Grpc => "GRPCRoute",
            Self::Tls => "TLSRoute",
            Self::Tcp => "TCPRoute",
            Self::Udp => "UDPRoute",
        }
    }

    /// The kind that the API spells `kind`, if it is a Route.
    pub fn parse(kind: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == kind)
    }
}

impl fmt::Display for RouteKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

// === impl RouteKey ===

impl RouteKey {
    /// The Route of this kind and name.
    pub fn new(kind: RouteKind, name: ObjectName) -> Self {
        Self { kind, name }
    }
}

impl fmt::Display for RouteKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind, self.name)
    }
}

// === impl OwnKind ===

impl OwnKind {
    /// A kind of objects that live in namespaces: its group, its name, the name that API paths use, and the versions that are read, of
    /// which the first is the one that is written.
    ///
    /// # Panics
    /// Without a version; in a constant, when it is compiled.
    pub const fn new(
        group: &'static str,
        kind: &'static str,
        plural: &'static str,
        versions: &'static [&'static str],
    ) -> Self {
        assert!(!versions.is_empty(), "a kind has a version");
        Self { group, kind, plural, versions, is_namespaced: true }
    }

    /// The same kind, whose objects live in no namespace.
    pub const fn cluster_scoped(self) -> Self {
        Self { is_namespaced: false, ..self }
    }

    /// The API group.
    pub const fn group(&self) -> &'static str {
        self.group
    }

    /// The kind, as it is written.
    pub const fn as_str(&self) -> &'static str {
        self.kind
    }

    /// The name that API paths use.
    pub const fn plural(&self) -> &'static str {
        self.plural
    }

    /// The versions that are read; the first is the one that is written.
    pub const fn versions(&self) -> &'static [&'static str] {
        self.versions
    }

    /// Whether objects of the kind live in a namespace.
    pub const fn is_namespaced(&self) -> bool {
        self.is_namespaced
    }
}

impl fmt::Display for OwnKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind)
    }
}

// === impl ListenerOwnerKind ===

impl ListenerOwnerKind {
    /// The kind as the API spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Gateway => "Gateway",
            Self::ListenerSet => "ListenerSet",
            Self::Service => "Service",
        }
    }
}

impl fmt::Display for ListenerOwnerKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

// === impl Age ===

impl Age {
    /// The age of the object `name`, created at `created` seconds since the Unix epoch, if that is known.
    pub fn new(created: Option<i64>, name: &ObjectName) -> Self {
        Self { created: created.unwrap_or(i64::MAX), name: name.to_string().into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn age(created: Option<i64>, namespace: &str, name: &str) -> Age {
        Age::new(created, &ObjectName::new(namespace, name))
    }

    // GEN-18, HRM-22, AMB-36
    #[test]
    fn older_first_then_the_one_string_then_the_unknown() {
        assert!(age(Some(1), "z", "z") < age(Some(2), "a", "a"));
        assert!(age(Some(2), "z", "z") < age(None, "a", "a"), "an unknown time counts as the newest");
        // '-' sorts before '/': the pair would order these the other way round.
        assert!(age(Some(1), "app-b", "x") < age(Some(1), "app", "x"));
    }
}
