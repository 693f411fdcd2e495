//! Objects of the embedder's own kinds: metadata as every object has it, and a `spec` of a type of the embedder's.
//!
//! They stand beside the others wherever objects of all kinds do. What one is to a Route, a backend or a filter,
//! [`OwnKinds`](crate::own_kinds::OwnKinds) says.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::meta::ObjectMeta;
use crate::name::OwnKind;

/// The `spec` of objects of a kind of the embedder's own. What its `Deserialize` refuses is told with line and field.
///
/// ```
/// use gateway_core::api::OwnSpec;
/// use gateway_core::name::OwnKind;
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Debug, PartialEq, Serialize, Deserialize)]
/// struct Bucket {
///     region: String,
/// }
///
/// impl OwnSpec for Bucket {
///     const KIND: &'static OwnKind = &OwnKind::new("example.com", "Bucket", "buckets", &["v1"]);
/// }
/// ```
pub trait OwnSpec: fmt::Debug + PartialEq + Serialize + DeserializeOwned + Send + Sync + 'static {
    /// The kind.
    const KIND: &'static OwnKind;
}

/// An object of a kind of the embedder's own.
#[derive(Clone, Debug)]
pub struct OwnObject {
    kind: &'static OwnKind,
    /// The metadata.
    pub metadata: ObjectMeta,
    spec: Arc<dyn AnySpec>,
}

/// The `spec` of any kind.
trait AnySpec: Any + fmt::Debug + Send + Sync {
    fn is_same(&self, other: &dyn AnySpec) -> bool;

    fn to_json(&self) -> serde_json::Result<serde_json::Value>;
}

// === impl AnySpec ===

impl<S: OwnSpec> AnySpec for S {
    fn is_same(&self, other: &dyn AnySpec) -> bool {
        (other as &dyn Any).downcast_ref::<S>() == Some(self)
    }

    fn to_json(&self) -> serde_json::Result<serde_json::Value> {
        serde_json::to_value(self)
    }
}

// === impl OwnObject ===

impl OwnObject {
    /// An object with this `spec`.
    pub fn new<S: OwnSpec>(metadata: ObjectMeta, spec: S) -> Self {
        Self { kind: S::KIND, metadata, spec: Arc::new(spec) }
    }

    /// Reads an object whose `spec` is of this type.
    ///
    /// # Errors
    /// Those of the type, and of the metadata.
    pub fn read<'de, S: OwnSpec, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Written<S> {
            metadata: ObjectMeta,
            spec: S,
        }

        let Written { metadata, spec } = Written::<S>::deserialize(deserializer)?;
        Ok(Self::new(metadata, spec))
    }

    /// The kind.
    pub fn kind(&self) -> &'static OwnKind {
        self.kind
    }

    /// The `spec`, if it is of this type.
    pub fn spec<S: OwnSpec>(&self) -> Option<&S> {
        (&*self.spec as &dyn Any).downcast_ref()
    }

    /// Why an object cannot be read whose type is not known.
    pub(super) fn without_type<E: serde::de::Error>(kind: &OwnKind) -> E {
        E::custom(format!("{kind} is a kind of one's own, and read by its type"))
    }
}

impl PartialEq for OwnObject {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind && self.metadata == other.metadata && self.spec.is_same(&*other.spec)
    }
}

impl Serialize for OwnObject {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Written<'o> {
            metadata: &'o ObjectMeta,
            spec: serde_json::Value,
        }

        let spec = self.spec.to_json().map_err(S::Error::custom)?;
        Written { metadata: &self.metadata, spec }.serialize(serializer)
    }
}
