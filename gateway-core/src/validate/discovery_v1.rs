//! EndpointSlice.

use super::problem::Problems;
use super::schema::PORT;
use super::valid::Validate;
use crate::api::EndpointSlice;

/// # Spec
/// VAL-ST-06, for ports. Addresses are read where they are used.
impl Validate for EndpointSlice {
    fn problems(&self, problems: &mut Problems) {
        problems.each("ports", &self.ports, |port, at| at.optional_number("port", port.port, PORT));
    }
}
