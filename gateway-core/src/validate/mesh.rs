//! XMesh.

use super::gateway_class::{controlled, same_controller};
use super::problem::Problems;
use super::status;
use super::valid::Validate;
use crate::api::XMesh;

/// # Spec
/// VAL-GC-01, LIM-21.
impl Validate for XMesh {
    fn problems(&self, problems: &mut Problems) {
        let spec = &self.spec;
        let at = &mut problems.field("spec");
        controlled(&spec.controller_name, spec.parameters_ref.as_ref(), spec.description.as_deref(), at);
    }

    fn update_problems(&self, old: &Self, problems: &mut Problems) {
        same_controller(&old.spec.controller_name, &self.spec.controller_name, problems);
    }

    fn status_problems(&self, at: &mut Problems) {
        status::conditions(&self.status.conditions, 0, at);
        status::supported_features(&self.status.supported_features, at);
    }
}
