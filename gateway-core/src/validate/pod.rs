//! Pod.

use super::problem::Problems;
use super::valid::Validate;
use crate::api::Pod;

impl Validate for Pod {
    /// Its node says what routing looks at.
    fn problems(&self, _problems: &mut Problems) {}
}
