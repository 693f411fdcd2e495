//! Namespace, Service, Secret and ConfigMap.
//!
//! Their own API server checks far more. Here is what routing relies on; names and namespaces are checked for every kind.

use super::problem::Problems;
use super::schema::PORT;
use super::valid::Validate;
use crate::api::{ConfigMap, IntOrString, Namespace, Secret, Service};

impl Validate for Namespace {
    /// The name is all that there is.
    fn problems(&self, _problems: &mut Problems) {}
}

/// # Spec
/// VAL-ST-06, for ports.
impl Validate for Service {
    fn problems(&self, problems: &mut Problems) {
        problems.field("spec").each("ports", &self.spec.ports, |port, at| {
            at.number("port", port.port, PORT);
            match port.target_port {
                Some(IntOrString::Int(target)) => at.number("targetPort", target, PORT),
                Some(IntOrString::String(_)) | None => {}
            }
        });
    }
}

impl Validate for Secret {
    /// What an entry must hold depends on who refers to it.
    fn problems(&self, _problems: &mut Problems) {}
}

impl Validate for ConfigMap {
    /// What an entry must hold depends on who refers to it.
    fn problems(&self, _problems: &mut Problems) {}
}
