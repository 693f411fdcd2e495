//! Objects, and parts of them, that are given and not served.
//!
//! Statuses speak of what is ours. Of a policy that is not carried out, a parent that is not there, an EndpointSlice with
//! a port that its Service does not have, nothing speaks: in a cluster it may be another controller's, or be complete in a
//! moment. Where the objects at hand are all that there will be, as in files, it is a mistake that costs a user an
//! afternoon. It is told here; what statuses and the other diagnostics say is not said again.
//!
//! ```
//! use gateway_core::api::Resources;
//! use gateway_core::options::Options;
//! use gateway_core::translate::translate;
//! use gateway_core::{lint, manifest};
//!
//! let text = "
//! apiVersion: gateway.networking.k8s.io/v1
//! kind: HTTPRoute
//! metadata: {name: shop}
//! spec: {parentRefs: [{name: gatewya}], rules: [{}]}
//! ";
//! let resources: Resources = manifest::read(text, "shop.yaml").objects.into_iter().map(|(object, _)| object).collect();
//! let options = Options::default();
//! let found = lint::unserved(&resources, &translate(&resources, &options).statuses, &options);
//! assert_eq!(
//!     found[0].to_string(),
//!     "HTTPRoute default/shop: spec.parentRefs[0]: names no Gateway that is served here; name one"
//! );
//! ```

mod references;
mod app_protocols;
mod backend_refs;
mod backends;
mod certificates;
mod endpoints;
mod gateways;
mod grants;
mod kinds;
mod mesh;
mod parents;
mod policies;
mod streams;
mod unreached;

use crate::api::{Kind, Resources};
use crate::condition::Reason;
use crate::finding::Finding;
use crate::manifest::Severity;
use crate::name::ObjectName;
use crate::options::Options;
use crate::status::Statuses;
use crate::translate::Diagnostic;

/// What is given in `resources` and not served, by kind and name. `statuses` are those that a translation with these
/// `options` gave.
pub fn unserved(resources: &Resources, statuses: &Statuses, options: &Options) -> Vec<Diagnostic> {
    let mut lint = Lint { resources, statuses, options, found: Vec::new() };
    kinds::look(&mut lint);
    gateways::look(&mut lint);
    certificates::look(&mut lint);
    parents::look(&mut lint);
    mesh::look(&mut lint);
    streams::look(&mut lint);
    unreached::look(&mut lint);
    backend_refs::look(&mut lint);
    policies::look(&mut lint);
    endpoints::look(&mut lint);
    backends::look(&mut lint);
    app_protocols::look(&mut lint);
    grants::look(&mut lint);
    lint.found.sort_by(|a, b| (a.kind, &a.key).cmp(&(b.kind, &b.key)));
    lint.found
}

/// What is looked at, and what was found so far.
struct Lint<'l> {
    resources: &'l Resources,
    statuses: &'l Statuses,
    options: &'l Options,
    found: Vec<Diagnostic>,
}

// === impl Lint ===

impl Lint<'_> {
    /// Notes that a field, or the whole object, is not served.
    fn say(
        &mut self,
        kind: Kind,
        key: &ObjectName,
        reason: Reason,
        field: impl Into<String>,
        message: impl Into<String>,
    ) {
        self.note(kind, key, Finding::new(field, reason, message));
    }

    fn note(&mut self, kind: Kind, key: &ObjectName, finding: Finding) {
        self.found.push(Diagnostic { severity: Severity::Warning, kind, key: key.clone(), finding });
    }
}
