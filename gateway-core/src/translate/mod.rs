//! Resources in; a route table, every status, and what there is to say about it out.
//!
//! Pure: the same resources and options give the same translation, in whatever order the resources
//! were read. No object can spoil another's part.
//!
//! ```
//! use gateway_core::api::Resources;
//! use gateway_core::manifest;
//! use gateway_core::matching::RequestHead;
//! use gateway_core::name::ObjectName;
//! use gateway_core::options::Options;
//! use gateway_core::table::{FrontendOwner, Transport};
//! use gateway_core::translate::translate;
//!
//! let yaml = "
//! apiVersion: gateway.networking.k8s.io/v1
//! kind: GatewayClass
//! metadata: {name: example}
//! spec: {controllerName: gateway-api.rs/controller}
//! ---
//! apiVersion: gateway.networking.k8s.io/v1
//! kind: Gateway
//! metadata: {name: gateway}
//! spec: {gatewayClassName: example, listeners: [{name: http, port: 80, protocol: HTTP}]}
//! ---
//! apiVersion: gateway.networking.k8s.io/v1
//! kind: HTTPRoute
//! metadata: {name: shop}
//! spec: {parentRefs: [{name: gateway}], rules: [{matches: [{path: {value: /cart}}]}]}
//! ";
//! let resources: Resources = manifest::read(yaml, "shop.yaml").objects.into_iter().map(|(object, _)| object).collect();
//! let translation = translate(&resources, &Options::default());
//!
//! let request = http::Request::get("http://example.com/cart/1").body(())?;
//! let head = RequestHead::new(request.method(), request.uri(), request.headers())?;
//! let gateway = FrontendOwner::Gateway(&ObjectName::new("default", "gateway"));
//! let frontend = translation.table.frontend(gateway, Transport::Tcp, 80).expect("the listener is served");
//! let matched = translation.table.find(frontend, None, &head)?;
//! assert_eq!(translation.table.rule(matched.rule).id.to_string(), "default/shop/0");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod routes;
mod translator;

use std::collections::BTreeMap;
use std::fmt;

use crate::api::{Kind, Resources};
use crate::finding::Finding;
use crate::infrastructure::GatewayService;
use crate::manifest::Severity;
use crate::name::ObjectName;
use crate::one_line::OneLine;
use crate::options::Options;
use crate::resolve::Lookups;
use crate::status::Statuses;
use crate::table::RouteTable;

pub use self::translator::Translator;

/// What a set of resources amounts to.
#[derive(Clone, Debug, Default)]
pub struct Translation {
    /// The table that decides about requests.
    pub table: RouteTable,
    /// The status of every object that is ours to reconcile.
    pub statuses: Statuses,
    /// What is to be made for Gateways in the cluster, by Gateway; nothing unless it [is made](Options::infrastructure).
    pub infrastructure: BTreeMap<ObjectName, GatewayService>,
    /// The Secrets and ConfigMaps that were asked for, there or not: what a controller has to keep and to watch.
    pub lookups: Lookups,
    /// What users should know, beyond the statuses: objects that are invalid, written twice, or of a class that is not
    /// there.
    pub diagnostics: Vec<Diagnostic>,
}

/// Something that a user should know about an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// How bad it is: an error costs the object, or a version of it.
    pub severity: Severity,
    /// The kind of the object.
    pub kind: Kind,
    /// Its namespace and name.
    pub key: ObjectName,
    /// What is wrong, and where.
    pub finding: Finding,
}

/// Translates resources.
///
/// Objects that an API server would have rejected are left out, with a diagnostic for each of their problems. Who translates
/// again and again keeps a [`Translator`]: it gives the same, at the cost of what changed.
pub fn translate(resources: &Resources, options: &Options) -> Translation {
    let mut translator = Translator::new(options.clone());
    translator.update(resources);
    translator.translate();
    translator.into_translation()
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.kind, OneLine(&self.key), self.finding)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest;

    #[test]
    fn what_is_missing_was_looked_for_too() {
        let yaml = "
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: example}
spec: {controllerName: gateway-api.rs/controller}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: gateway}
spec:
  gatewayClassName: example
  listeners: [{name: https, port: 443, protocol: HTTPS, tls: {certificateRefs: [{name: absent}]}}]
";
        let read = manifest::read(yaml, "gateway.yaml");
        let resources: Resources = read.objects.into_iter().map(|(object, _)| object).collect();
        let translation = translate(&resources, &Options::default());
        assert!(translation.lookups.contains(Kind::Secret, &ObjectName::new("default", "absent")));
        assert!(
            translation.table.listeners().next().is_none(),
            "without its certificate the listener is not served"
        );
    }
}
