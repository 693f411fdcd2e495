//! Names, namespaces and times of objects.

use super::pattern;
use super::problem::Problems;
use crate::api::{Kind, Object, ObjectMeta};

/// # Spec
/// VAL-ST-08; the names of Namespaces and Services are single labels, as Kubernetes has them. A time that is none would
/// make the object the newest one wherever age decides (GEN-18).
pub(super) fn metadata<T: Object>(metadata: &ObjectMeta, at: &mut Problems) {
    let name = &metadata.name;
    if name.is_empty() {
        at.field("name").report("VAL-ST-08", "is empty; every object needs a name");
    } else if !pattern::PRECISE.accepts(name) {
        at.field("name").report("VAL-ST-08", pattern::PRECISE.refusal(name));
    } else if matches!(T::KIND_ID, Kind::Namespace | Kind::Service) && !pattern::NAMESPACE.accepts(name) {
        at.field("name").report("VAL-ST-08", pattern::NAMESPACE.refusal(name));
    }
    for (field, time) in [
        ("creationTimestamp", &metadata.creation_timestamp),
        ("deletionTimestamp", &metadata.deletion_timestamp),
    ] {
        if time.as_ref().is_some_and(|time| time.unix_seconds().is_none()) {
            let message = "is not a time; write it as 2026-01-31T12:00:00Z, or leave it out";
            at.field(field).report("VAL-ST-08", message);
        }
    }
    at.optional_text("namespace", metadata.namespace.as_deref(), &pattern::NAMESPACE);
}
