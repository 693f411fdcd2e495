//! References of a case to objects: `HTTPRoute matching`, or `HTTPRoute other-namespace/matching`.

use std::fmt;
use std::str::FromStr;

use gateway_core::api::Kind;
use gateway_core::name::ObjectName;
use serde::Deserialize;

/// The namespace of everything that does not say otherwise.
pub const INFRA: &str = "gateway-conformance-infra";

/// A kind and a key, written as `HTTPRoute matching` in [`INFRA`], or as `HTTPRoute namespace/matching`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct ObjectRef {
    /// The kind.
    pub kind: Kind,
    /// Namespace and name.
    pub key: ObjectName,
}

/// The name of an object whose kind is clear: `same-namespace` in [`INFRA`], or `namespace/name`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(from = "String")]
pub struct Name(pub ObjectName);

// === impl ObjectRef ===

impl ObjectRef {
    /// The object of this kind and key.
    pub fn new(kind: Kind, key: ObjectName) -> Self {
        Self { kind, key }
    }
}

impl FromStr for ObjectRef {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (kind, name) = text.split_once(' ').ok_or_else(|| {
            format!("{text:?} has no kind; write it as `HTTPRoute name` or `HTTPRoute namespace/name`")
        })?;
        let kind = Kind::ALL
            .iter()
            .copied()
            .find(|known| known.as_str() == kind)
            .ok_or_else(|| format!("{kind:?} is no kind that is read"))?;
        let key = match kind.is_namespaced() {
            true => Name::from(name.to_owned()).0,
            false => ObjectName::cluster(name),
        };
        Ok(Self { kind, key })
    }
}

impl TryFrom<String> for ObjectRef {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl fmt::Display for ObjectRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.key.namespace {
            "" | INFRA => write!(f, "{} {}", self.kind, self.key.name),
            namespace => write!(f, "{} {namespace}/{}", self.kind, self.key.name),
        }
    }
}

// === impl Name ===

impl From<String> for Name {
    fn from(text: String) -> Self {
        Self(key(INFRA, &text))
    }
}

impl From<&str> for Name {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.0.namespace {
            INFRA => f.write_str(&self.0.name),
            namespace => write!(f, "{namespace}/{}", self.0.name),
        }
    }
}

/// The key that is written as `name`, in this namespace, or as `namespace/name`.
pub(super) fn key(usual_namespace: &str, text: &str) -> ObjectName {
    let (namespace, name) = text.split_once('/').unwrap_or((usual_namespace, text));
    ObjectName::new(namespace, name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_without_a_namespace_is_in_the_usual_one() {
        for text in ["HTTPRoute matching", "HTTPRoute other/matching", "GatewayClass bump"] {
            assert_eq!(text.parse::<ObjectRef>().unwrap().to_string(), text);
        }
        assert_eq!(&*"HTTPRoute matching".parse::<ObjectRef>().unwrap().key.namespace, INFRA);
        assert_eq!(&*"GatewayClass bump".parse::<ObjectRef>().unwrap().key.namespace, "");
    }

    #[test]
    fn what_is_no_object_is_an_error() {
        assert!("matching".parse::<ObjectRef>().unwrap_err().contains("has no kind"));
        assert!("Deployment x".parse::<ObjectRef>().unwrap_err().contains("no kind that is read"));
    }
}
