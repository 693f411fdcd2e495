//! Resources in; a route table, every status, and what there is to say about it out.
//!
//! Pure: the same resources and options give the same translation, whoever asks and in whatever order the resources
//! were read. No object can spoil another's part.
//!
//! ```
//! use gateway_core::api::Resources;
//! use gateway_core::manifest;
//! use gateway_core::matching::RequestHead;
//! use gateway_core::name::ObjectName;
//! use gateway_core::options::Options;
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
//! let port = translation.table.port(&ObjectName::new("default", "gateway"), 80).expect("the listener is served");
//! let matched = translation.table.find(port, None, &head)?;
//! assert_eq!(translation.table.rule(matched.rule).id.to_string(), "default/shop/0");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::collections::BTreeMap;
use std::fmt;

use crate::api::{Kind, Resources};
use crate::attach::{self, Gateways, Namespaces};
use crate::compile::{self, CompileRoute, CompiledRoute, Compiler, Patterns};
use crate::name::ObjectName;
use crate::options::Options;
use crate::resolve::{
    BackendContext, Backends, Certificates, Endpoints, Grants, KeptCertificates, Lookups, TlsTargets,
};
use crate::status::{self, Statuses};
use crate::table::RouteTable;
use crate::validate::{self, Valid, Validated};

/// What a set of resources amounts to.
#[derive(Debug)]
pub struct Translation {
    /// The table that decides about requests.
    pub table: RouteTable,
    /// The status of every object that is ours to reconcile.
    pub statuses: Statuses,
    /// The Secrets and ConfigMaps that were asked for, there or not: what a controller has to keep and to watch.
    pub lookups: Lookups,
    /// What users should know, beyond the statuses: invalid objects, and objects that nothing refers to.
    pub diagnostics: Vec<Diagnostic>,
}

/// Something that a user should know about an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// The kind of the object.
    pub kind: Kind,
    /// Its namespace and name.
    pub key: ObjectName,
    /// The field, as in `spec.rules[0].matches[1].path.value`; empty for the object as a whole.
    pub field: String,
    /// What is wrong, and the way out.
    pub message: String,
}

/// Translates resources.
///
/// Objects that an API server would have rejected are left out, with a diagnostic for each of their problems.
pub fn translate(resources: &Resources, options: &Options) -> Translation {
    let valid = validate::validate(resources);
    let grants = Grants::new(&valid.reference_grants);
    let namespaces = Namespaces::new(&valid.namespaces);
    let kept = KeptCertificates::default();
    let mut certificates = Certificates::new(&valid.secrets, &valid.config_maps, &grants, kept);
    let gateways = attach::gateways(&valid, &namespaces, &mut certificates, options);
    let (_, lookups) = certificates.finish();
    let mut backends = Backends::default();
    let routes = routes(&valid, &grants, &namespaces, &gateways, &mut backends, options);
    let statuses = status::statuses(&gateways, &routes, options);
    let diagnostics = diagnostics(&valid);
    let table = compile::table(&gateways, routes, &backends, options);
    Translation { table, statuses, lookups, diagnostics }
}

/// Attaches and compiles the Routes of every kind; those without a parent of ours are left out.
fn routes(
    valid: &Validated,
    grants: &Grants,
    namespaces: &Namespaces,
    gateways: &Gateways,
    backends: &mut Backends,
    options: &Options,
) -> Vec<CompiledRoute> {
    let mut endpoints = Endpoints::default();
    valid.endpoint_slices.iter().for_each(|(name, slice)| endpoints.insert(name, slice));
    let tls_targets = TlsTargets::new(&valid.backend_tls_policies);
    let references = BackendContext {
        services: &valid.services,
        endpoints: &endpoints,
        tls_targets: &tls_targets,
        grants,
    };
    let mut patterns = Patterns::new();
    let mut compiler = Compiler { references, backends, patterns: &mut patterns, options };
    let mut made = Vec::new();
    of_kind(&valid.http_routes, gateways, namespaces, &mut compiler, &mut made);
    of_kind(&valid.grpc_routes, gateways, namespaces, &mut compiler, &mut made);
    of_kind(&valid.tls_routes, gateways, namespaces, &mut compiler, &mut made);
    of_kind(&valid.tcp_routes, gateways, namespaces, &mut compiler, &mut made);
    of_kind(&valid.udp_routes, gateways, namespaces, &mut compiler, &mut made);
    made
}

fn of_kind<R: CompileRoute>(
    routes: &BTreeMap<ObjectName, Valid<R>>,
    gateways: &Gateways,
    namespaces: &Namespaces,
    compiler: &mut Compiler<'_>,
    made: &mut Vec<CompiledRoute>,
) {
    let attached = routes.iter().filter_map(|(name, route)| attach::route(name, route, gateways, namespaces));
    made.extend(attached.map(|attached| compile::route(attached, compiler)));
}

fn diagnostics(valid: &validate::Validated) -> Vec<Diagnostic> {
    let of_object = |rejected: &validate::Rejected| {
        let (kind, key) = (rejected.kind, rejected.key.clone());
        let of_problem = move |problem: &validate::Problem| Diagnostic {
            kind,
            key: key.clone(),
            field: problem.field.to_string(),
            message: problem.message.clone(),
        };
        rejected.problems.iter().map(of_problem).collect::<Vec<_>>()
    };
    valid.rejected.iter().flat_map(of_object).collect()
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: ", self.kind, self.key)?;
        if !self.field.is_empty() {
            write!(f, "{}: ", self.field)?;
        }
        f.write_str(&self.message)
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
            translation.table.listeners().is_empty(),
            "without its certificate the listener is not served"
        );
    }
}
