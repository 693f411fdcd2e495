//! The Gateways that a case names.

use gateway_core::api::{AnyObject, Kind};
use gateway_core::name::ObjectName;
use serde_json::Value;

use super::{Case, ObjectRef, Step};

/// Whether an object of the case, or a change of one, names the Gateway as its parent.
pub(super) fn objects_name(case: &Case, gateway: &ObjectName) -> bool {
    let in_object = |object: &AnyObject| {
        let value = serde_json::to_value(object).expect("an object that was read can be written");
        let namespace = object.metadata().namespace.clone().unwrap_or_default();
        attaches(&value["spec"], &namespace, gateway)
    };
    let in_patch = |step: &Step| match step {
        Step::Patch(patch) => attaches(&patch.merge["spec"], &patch.object.key.namespace, gateway),
        _ => false,
    };
    case.objects.iter().any(in_object) || case.steps.iter().any(in_patch)
}

/// Whether a `spec` has a reference to the Gateway among its parents.
fn attaches(spec: &Value, namespace: &str, gateway: &ObjectName) -> bool {
    let is_gateway = |parent: &Value| {
        parent["kind"].as_str().is_none_or(|kind| kind == Kind::Gateway.as_str())
            && parent["name"] == *gateway.name
            && *parent["namespace"].as_str().unwrap_or(namespace) == *gateway.namespace
    };
    is_gateway(&spec["parentRef"])
        || spec["parentRefs"].as_array().is_some_and(|it| it.iter().any(is_gateway))
}

/// Whether the step looks at the Gateway, changes it, or sends to it.
pub(super) fn step_names(step: &Step, gateway: &ObjectName) -> bool {
    let is = |object: &ObjectRef| object.kind == Kind::Gateway && object.key == *gateway;
    match step {
        Step::Ready(objects)
        | Step::Accepted(objects)
        | Step::Resolved(objects)
        | Step::NotAccepted(objects)
        | Step::NoRoutes(objects)
        | Step::Apply(objects)
        | Step::Delete(objects) => objects.iter().any(is),
        Step::Status(status) => is(&status.of) || status.parents.iter().any(|parent| is(&parent.parent)),
        Step::Infrastructure(infrastructure) => infrastructure.of.0 == *gateway,
        Step::Patch(patch) => is(&patch.object),
        Step::Http(http) => http.target.gateway.0 == *gateway,
        Step::Grpc(grpc) => grpc.target.gateway.0 == *gateway,
        Step::WebSocket(websocket) => websocket.target.gateway.0 == *gateway,
        Step::Tcp(tcp) => tcp.target.gateway.0 == *gateway,
        Step::Udp(udp) => udp.target.gateway.0 == *gateway,
        Step::Bytes(bytes) => bytes.target.gateway.0 == *gateway,
        // A mesh has no Gateways.
        Step::Mesh(_) => false,
        Step::Distribution(step) => {
            let sample = &step.of;
            let targets = [
                sample.http.as_ref().map(|it| &it.to),
                sample.grpc.as_ref().map(|it| &it.to),
                sample.tcp.as_ref(),
                sample.udp.as_ref(),
            ];
            targets.into_iter().flatten().any(|target| target.gateway.0 == *gateway)
        }
        Step::MirrorShare(step) => step.to.gateway.0 == *gateway,
    }
}

#[cfg(test)]
mod tests {
    use crate::case::{self, INFRA};

    use super::*;

    #[test]
    fn a_gateway_is_named_by_parents_and_by_targets() {
        let text = "
apiVersion: conformance.gateway-api.rs/v1
kind: Case
name: Names
summary: Names Gateways.
features: [Gateway]
steps:
- http: {to: {gateway: all-namespaces}, requests: [{expect: {backend: infra-backend-v1}}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: route, namespace: gateway-conformance-web-backend}
spec:
  parentRefs: [{name: same-namespace, namespace: gateway-conformance-infra}, {name: backend-namespaces}]
";
        let case = case::read(text, "names.yaml").unwrap();
        let names = |name: &str| case.names_gateway(&ObjectName::new(INFRA, name));
        assert!(names("same-namespace") && names("all-namespaces"));
        assert!(!names("backend-namespaces"), "the parent of that name is in another namespace");
        assert_eq!(case.line("steps[0].http.requests[0]"), 8);
    }
}
