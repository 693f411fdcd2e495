//! TLSRoute.

use std::net::IpAddr;

use super::parent_ref;
use super::pattern;
use super::problem::Problems;
use super::status;
use super::stream_route;
use super::valid::Validate;
use crate::api::TlsRoute;

/// # Spec
/// LIM-09 to LIM-11, LIM-14, VAL-RT-01 to VAL-RT-03, VAL-TL-01 to VAL-TL-03.
impl Validate for TlsRoute {
    fn problems(&self, problems: &mut Problems) {
        let spec = &self.spec;
        let at = &mut *problems.field("spec");
        parent_ref::parents(&spec.parent_refs, spec.use_default_gateways.as_ref(), at);
        if stream_route::many_rules(&self.api_version) {
            super::route::hostnames(&spec.hostnames, 0..=1024, at);
        } else {
            at.list("hostnames", &spec.hostnames, 1..=1024, "LIM-10", |name, at| hostname(name, at));
        }
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

/// A server name. Beside the pattern that all hostnames have, the schema states the same once more in CEL, and that an
/// address is none.
///
/// # Spec
/// VAL-TL-01 to VAL-TL-03
fn hostname(hostname: &str, at: &mut Problems) {
    let form = pattern::HOST.accepts(hostname);
    // The only addresses with the form of a name are those of IPv4, which end in a digit.
    let may_be_address = !form || hostname.ends_with(|c: char| c.is_ascii_digit());
    if may_be_address && hostname.parse::<IpAddr>().is_ok() {
        at.report(
            "VAL-TL-01",
            format!("{hostname:?} is an IP address, which no client sends as server name"),
        );
    } else if !form {
        let rule = if hostname.contains('*') { "VAL-TL-03" } else { "VAL-TL-02" };
        at.report(rule, pattern::HOST.refusal(hostname));
    }
}
