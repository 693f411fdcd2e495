//! The status of a GatewayClass.

use super::GatewayClassStatus;
use crate::attach::{AttachedGatewayClass, Options};

/// # Spec
/// GC-02, GC-08, GC-11, GC-12: the features are sorted by name, and none is a mesh feature.
pub(super) fn gateway_class(class: &AttachedGatewayClass, options: &Options) -> GatewayClassStatus {
    GatewayClassStatus {
        generation: class.object.metadata.generation,
        conditions: class.conditions.clone(),
        supported_features: options.features.iter().copied().filter(|feature| !feature.is_mesh()).collect(),
    }
}
