//! ClusterTrustBundle.

use super::problem::Problems;
use super::valid::Validate;
use crate::api::ClusterTrustBundle;

impl Validate for ClusterTrustBundle {
    /// Whether the text is certificates, is told where one refers to it.
    fn problems(&self, _problems: &mut Problems) {}
}
