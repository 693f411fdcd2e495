//! Names and namespaces of objects.

use super::pattern;
use super::problem::Problems;
use crate::api::{Kind, Object, ObjectMeta};

/// # Spec
/// VAL-ST-08; the names of Namespaces and Services are single labels, as Kubernetes has them.
pub(super) fn metadata<T: Object>(metadata: &ObjectMeta, at: &mut Problems) {
    let name = &metadata.name;
    if name.is_empty() {
        at.field("name").report("VAL-ST-08", "is empty; every object needs a name");
    } else if !pattern::PRECISE.accepts(name) {
        at.field("name").report("VAL-ST-08", pattern::PRECISE.refusal(name));
    } else if matches!(T::KIND_ID, Kind::Namespace | Kind::Service) && !pattern::NAMESPACE.accepts(name) {
        at.field("name").report("VAL-ST-08", pattern::NAMESPACE.refusal(name));
    }
    at.optional_text("namespace", metadata.namespace.as_deref(), &pattern::NAMESPACE);
}
