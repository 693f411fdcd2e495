//! TCPRoute.

use super::parent_ref;
use super::problem::Problems;
use super::status;
use super::stream_route;
use super::valid::Validate;
use crate::api::TcpRoute;

/// # Spec
/// LIM-09, LIM-11, LIM-14, VAL-RT-01 to VAL-RT-03.
impl Validate for TcpRoute {
    fn problems(&self, problems: &mut Problems) {
        let spec = &self.spec;
        let at = &mut *problems.field("spec");
        parent_ref::parents(&spec.parent_refs, spec.use_default_gateways.as_ref(), at);
        stream_route::rules(
            &spec.rules,
            &self.api_version,
            |rule| (rule.name.as_deref(), &rule.backend_refs),
            at,
        );
    }

    fn status_problems(&self, at: &mut Problems) {
        status::route(&self.status, at);
    }
}
