//! ListenerSet.

use super::listener;
use super::pattern;
use super::problem::Problems;
use super::status;
use super::valid::Validate;
use crate::api::ListenerSet;

/// # Spec
/// VAL-GW-01 to VAL-GW-07, LIM-01, LIM-03, LIM-04.
impl Validate for ListenerSet {
    fn problems(&self, problems: &mut Problems) {
        let at = &mut *problems.field("spec");
        let parent = &self.spec.parent_ref;
        {
            let at = &mut *at.field("parentRef");
            at.group_kind(&parent.group, &parent.kind);
            at.object_name(&parent.name);
            at.optional_text("namespace", parent.namespace.as_deref(), &pattern::NAMESPACE);
        }
        listener::listeners(&self.spec.listeners, at);
    }

    fn status_problems(&self, at: &mut Problems) {
        status::conditions(&self.status.conditions, 0, at);
        status::listeners(&self.status.listeners, at);
    }
}
