//! Parts of a kind: all its objects, those of a namespace, or one.

use std::collections::BTreeSet;

use gateway_core::api::Kind;
use gateway_core::name::ObjectName;

/// The objects of a kind that one watch brings.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// All.
    All,
    /// Those of a namespace.
    Namespace(String),
    /// One, there or not.
    Object(ObjectName),
}

/// The namespaces that are watched.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Scope {
    /// All, which takes rights in the whole cluster.
    #[default]
    All,
    /// These. Rights in them are enough, beside those to read GatewayClasses and these Namespaces.
    Namespaces(BTreeSet<String>),
}

// === impl Part ===

impl Part {
    /// Whether an object of this name is among them.
    pub fn contains(&self, key: &ObjectName) -> bool {
        match self {
            Self::All => true,
            Self::Namespace(namespace) => *key.namespace == **namespace,
            Self::Object(object) => object == key,
        }
    }

    /// The namespace in which requests are made.
    pub(super) fn namespace(&self) -> Option<&str> {
        match self {
            Self::All => None,
            Self::Namespace(namespace) => Some(namespace),
            Self::Object(key) => Some(&*key.namespace).filter(|namespace| !namespace.is_empty()),
        }
    }
}

// === impl Scope ===

impl Scope {
    /// Whether a namespace is watched.
    pub fn contains(&self, namespace: &str) -> bool {
        match self {
            Self::All => true,
            Self::Namespaces(namespaces) => namespaces.contains(namespace),
        }
    }

    /// What one watch each is needed for.
    pub(super) fn parts(&self, kind: Kind) -> Vec<Part> {
        match self {
            Self::All => vec![Part::All],
            Self::Namespaces(namespaces) if kind.is_namespaced() => {
                namespaces.iter().cloned().map(Part::Namespace).collect()
            }
            Self::Namespaces(namespaces) if kind == Kind::Namespace => {
                namespaces.iter().map(|name| Part::Object(ObjectName::cluster(name.as_str()))).collect()
            }
            Self::Namespaces(_) => vec![Part::All],
        }
    }
}
