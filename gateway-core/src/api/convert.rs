//! Conversion from and to the types that other crates have for the same objects.
//!
//! Both sides read and write what an API server does, so that any version of `k8s-openapi`, of `gateway-api`, or a `DynamicObject` of `kube`
//! converts, and none of them is a dependency here. What one side does not know is lost: published bindings that are older than v1.7.0
//! know no XBackend, for example. The example `gateway-api` converts every kind of `gateway-api` 0.22 both ways.

use serde::de::{DeserializeOwned, DeserializeSeed};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::kind::{AnyObject, Kind};

/// Why an object cannot be converted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConvertError {
    /// It does not say what it is: `apiVersion` and `kind` are not there.
    #[error("the object has no apiVersion and kind; convert one of a type that writes them")]
    Untyped,
    /// It is of a kind that is not read here, or of a version of it that is not.
    #[error("{kind} of {api_version} is not read here")]
    UnknownKind {
        /// The `apiVersion`.
        api_version: String,
        /// The `kind`.
        kind: String,
    },
    /// The other side wants what is not there, or has a field of another type.
    #[error(transparent)]
    Shape(#[from] serde_json::Error),
}

/// What every object says of itself.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TypeMeta {
    api_version: String,
    kind: String,
}

// === impl AnyObject ===

impl AnyObject {
    /// The object that a type of another crate stands for. It has to write its `apiVersion` and `kind`, as those of `k8s-openapi`, of `kube`
    /// and of `gateway-api` do.
    ///
    /// ```
    /// use gateway_core::api::AnyObject;
    /// use serde_json::json;
    ///
    /// // In the place of a type of another crate.
    /// let theirs = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "shop"}, "spec": {"ports": [{"port": 80}]}});
    /// let AnyObject::Service(ours) = AnyObject::from_other(&theirs)? else { panic!("it says that it is a Service") };
    /// assert_eq!(ours.spec.ports[0].port, 80);
    ///
    /// let back: serde_json::Value = AnyObject::from(ours).to_other()?;
    /// assert_eq!((&back["kind"], &back["spec"]["ports"][0]["port"]), (&json!("Service"), &json!(80)));
    /// # Ok::<(), gateway_core::api::ConvertError>(())
    /// ```
    ///
    /// # Errors
    /// When it does not say what it is, is of a kind that is not read here, or lacks a field that is required.
    pub fn from_other(other: &impl Serialize) -> Result<Self, ConvertError> {
        let value = serde_json::to_value(other)?;
        let TypeMeta { api_version, kind } =
            TypeMeta::deserialize(&value).map_err(|_| ConvertError::Untyped)?;
        let (group, version) = api_version.split_once('/').unwrap_or(("", &api_version));
        match Kind::find(group, &kind).filter(|kind| kind.versions().contains(&version)) {
            Some(kind) => Ok(kind.deserialize(value)?),
            None => Err(ConvertError::UnknownKind { api_version, kind }),
        }
    }

    /// The same object as a type of another crate has it.
    ///
    /// # Errors
    /// When that type wants a field that is not there, or wants another type for it.
    pub fn to_other<T: DeserializeOwned>(&self) -> Result<T, ConvertError> {
        let value: Value = serde_json::to_value(self)?;
        Ok(serde_json::from_value(value)?)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_cannot_be_converted_says_why() {
        let text = |value: Value| AnyObject::from_other(&value).unwrap_err().to_string();
        assert!(text(json!({"metadata": {"name": "a"}})).contains("no apiVersion and kind"));
        let pod = text(json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a"}}));
        assert_eq!(pod, "Deployment of apps/v1 is not read here");
        let old = text(json!({"apiVersion": "discovery.k8s.io/v1beta1", "kind": "EndpointSlice"}));
        assert_eq!(old, "EndpointSlice of discovery.k8s.io/v1beta1 is not read here");
        assert!(text(json!({"apiVersion": "v1", "kind": "Service"})).contains("metadata"));
    }
}
