//! The proof that an object was checked.

use std::ops::Deref;
use std::sync::Arc;

use super::metadata;
use super::problem::{Problem, Problems};
use crate::api::Object;

/// An object without problems; [`check`] is the only way to one.
///
/// Shares the object that was checked: a clone costs a pointer.
#[derive(Debug, PartialEq, Eq)]
pub struct Valid<T>(Arc<T>);

/// A kind of object that can be checked: every kind that is read.
pub trait Validate: Object {
    /// Adds everything that is wrong with the object, apart from its metadata.
    fn problems(&self, problems: &mut Problems);

    /// Adds everything that is wrong with turning `old` into this object.
    ///
    /// Nothing, for most kinds.
    fn update_problems(&self, _old: &Self, _problems: &mut Problems) {}

    /// Adds everything that is wrong with the status.
    ///
    /// Nothing, for kinds without a status.
    fn status_problems(&self, _problems: &mut Problems) {}
}

/// Checks an object.
///
/// # Errors
/// Everything that is wrong with the object, not only what is found first.
///
/// # Spec
/// The schemas of v1.7.0 with their CEL rules: an object that either channel takes is taken.
pub fn check<T: Validate>(object: &Arc<T>) -> Result<Valid<T>, Vec<Problem>> {
    let mut problems = Problems::of_group(T::GROUP);
    metadata::metadata::<T>(object.metadata(), &mut problems.field("metadata"));
    object.problems(&mut problems);
    problems.into_result().map(|()| Valid(object.clone()))
}

/// What is wrong with turning the object `old` into `new`, beyond what is wrong with `new` itself.
///
/// # Spec
/// [VAL-GC-01](crate::spec#VAL-GC-01): the controller of a GatewayClass or XMesh stays.
pub fn update_problems<T: Validate>(old: &T, new: &T) -> Vec<Problem> {
    let mut problems = Problems::default();
    new.update_problems(old, &mut problems);
    problems.into_result().err().unwrap_or_default()
}

// === impl Valid ===

impl<T> Valid<T> {
    /// Whether this is the object that was checked, or one like it.
    pub(crate) fn is_same(&self, object: &Arc<T>) -> bool
    where
        T: PartialEq,
    {
        Arc::ptr_eq(&self.0, object) || *self.0 == **object
    }

    /// The object that was checked.
    pub fn arc(&self) -> &Arc<T> {
        &self.0
    }
}

impl<T> Clone for Valid<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> Deref for Valid<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}
