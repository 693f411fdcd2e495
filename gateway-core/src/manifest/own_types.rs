//! The types of the embedder's own kinds.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{DeserializeSeed, Deserializer};

use super::field_error::FieldError;
use super::reading::Reading;
use super::tape::NodeId;
use super::unknown_field::UnknownField;
use crate::api::{AnyObject, Kind, OwnObject, OwnSpec};
use crate::name::OwnKind;

/// The kinds of the embedder's own that a manifest may have, each with the type that reads it as strictly as all others are.
///
/// ```
/// use gateway_core::api::OwnSpec;
/// use gateway_core::manifest::{self, OwnTypes};
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
///
/// let text = "{apiVersion: example.com/v1, kind: Bucket, metadata: {name: photos}, spec: {region: north, regoin: south}}";
/// let mut types = OwnTypes::default();
/// types.add::<Bucket>();
/// let manifest = manifest::read_with(text, "photos.yaml", &types);
/// assert_eq!(manifest.objects[0].0.key().to_string(), "photos");
/// assert_eq!(
///     manifest.problems[0].to_string(),
///     "photos.yaml:1:92: warning: Bucket photos: spec.regoin: there is no such field; did you mean `region`?"
/// );
/// ```
#[derive(Clone, Default)]
pub struct OwnTypes(Vec<OwnType>);

/// A kind, and what reads its objects.
#[derive(Clone, Copy)]
struct OwnType {
    kind: &'static OwnKind,
    read: ReadOwn,
}

type ReadOwn = for<'r, 't> fn(Reading<'r, 't>, NodeId) -> (Result<AnyObject, FieldError>, Vec<UnknownField>);

// === impl OwnTypes ===

impl OwnTypes {
    /// Adds the kind of this type.
    ///
    /// # Panics
    /// If the kind has been added before, or is one that is known here.
    pub fn add<S: OwnSpec>(&mut self) {
        let (group, kind) = (S::KIND.group(), S::KIND.as_str());
        let is_known = Kind::find(group, kind).is_some() || self.find(group, kind).is_some();
        assert!(!is_known, "{kind} of group {group:?} is read already");
        self.0.push(OwnType { kind: S::KIND, read: read::<S> });
    }

    /// The kind with this group and name.
    pub fn find(&self, group: &str, kind: &str) -> Option<&'static OwnKind> {
        self.iter().find(|known| known.as_str() == kind && known.group() == group)
    }

    /// Every kind, in the order in which they were added.
    pub fn iter(&self) -> impl Iterator<Item = &'static OwnKind> + '_ {
        self.0.iter().map(|known| known.kind)
    }

    /// Reads an object of a kind that was added.
    pub(super) fn read(
        &self,
        kind: &OwnKind,
        reading: Reading<'_, '_>,
        node: NodeId,
    ) -> Option<(Result<AnyObject, FieldError>, Vec<UnknownField>)> {
        let known = self.0.iter().find(|known| known.kind == kind)?;
        Some((known.read)(reading, node))
    }
}

fn read<S: OwnSpec>(
    reading: Reading<'_, '_>,
    node: NodeId,
) -> (Result<AnyObject, FieldError>, Vec<UnknownField>) {
    reading.object(node, Own::<S>(PhantomData))
}

/// Reads an object whose `spec` is of this type.
struct Own<S>(PhantomData<S>);

impl<'de, S: OwnSpec> DeserializeSeed<'de> for Own<S> {
    type Value = AnyObject;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<AnyObject, D::Error> {
        OwnObject::read::<S, D>(deserializer).map(AnyObject::from)
    }
}

impl fmt::Debug for OwnTypes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter().map(OwnKind::as_str)).finish()
    }
}
