//! ServiceImport.

use super::problem::Problems;
use super::schema::PORT;
use super::valid::Validate;
use crate::api::{ServiceImport, ServiceImportSpec, ServiceImportType};

/// What its definition has, and the ranges of ports that Services have. Who imports Services writes it.
///
/// # Spec
/// VAL-ST-04, VAL-ST-06.
impl Validate for ServiceImport {
    fn problems(&self, problems: &mut Problems) {
        let ServiceImportSpec { r#type, ports, ips: _, session_affinity: _ } = &self.spec;
        let at = &mut *problems.field("spec");
        if let ServiceImportType::Unknown(value) = r#type {
            at.field("type").unknown_value(value, ServiceImportType::KNOWN);
        }
        at.each("ports", ports, |port, at| at.number("port", port.port, PORT));
    }
}
