//! GatewayClass, and what XMesh has in common with it.

use super::pattern;
use super::problem::Problems;
use super::reference;
use super::status;
use super::valid::Validate;
use crate::api::{GatewayClass, ParametersReference};

/// # Spec
/// VAL-GC-01, LIM-21.
impl Validate for GatewayClass {
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

/// The spec of an object that belongs to one controller.
pub(super) fn controlled(
    controller_name: &str,
    parameters_ref: Option<&ParametersReference>,
    description: Option<&str>,
    at: &mut Problems,
) {
    at.text("controllerName", controller_name, &pattern::CONTROLLER);
    if let Some(reference) = parameters_ref {
        reference::parameters(reference, &mut at.field("parametersRef"));
    }
    if let Some(description) = description {
        at.length("description", description, 0..=64, "LIM-21");
    }
}

/// The controller of an object stays, whatever else is changed.
pub(super) fn same_controller(old: &str, new: &str, problems: &mut Problems) {
    if old != new {
        problems.field("spec").field("controllerName").report(
            "VAL-GC-01",
            format!("is immutable, and was {old:?}; make another object for another controller"),
        );
    }
}
