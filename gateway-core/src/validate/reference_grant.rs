//! ReferenceGrant.

use super::pattern;
use super::problem::Problems;
use super::valid::Validate;
use crate::api::ReferenceGrant;

/// # Spec
/// LIM-18, VAL-ST-03.
impl Validate for ReferenceGrant {
    fn problems(&self, problems: &mut Problems) {
        let at = &mut *problems.field("spec");
        at.list("from", &self.spec.from, 1..=16, "LIM-18", |from, at| {
            at.group_kind(&from.group, &from.kind);
            at.text("namespace", &from.namespace, &pattern::NAMESPACE);
        });
        at.list("to", &self.spec.to, 1..=16, "LIM-18", |to, at| {
            at.group_kind(&to.group, &to.kind);
            if let Some(name) = &to.name {
                at.object_name(name);
            }
        });
    }
}
