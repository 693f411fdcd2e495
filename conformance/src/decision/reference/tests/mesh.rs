//! Requests within a mesh.

use super::*;
use crate::decision::{Headers, MeshArrival};

/// Who gets a request to port 80 of the Service `one`, and the header that a route has set.
fn mesh(resources: &Resources, client_namespace: &str, path: &str, headers: &[(&str, &str)]) -> String {
    let arrival = MeshArrival {
        client_namespace: client_namespace.to_owned(),
        service: ObjectName::new("infra", "one"),
        port: 80,
        request: request("any.test", path, headers),
        randoms: vec![0],
        answer: Response::new(()),
    };
    let set = |headers: &Headers| headers.get("by").map_or("nobody".to_owned(), |lines| lines.concat());
    match reference(resources).answer_in_mesh(&arrival) {
        Some(Effect::Forwarded(forwarded)) => {
            format!("{} by {}", forwarded.to.service, set(&forwarded.sent.headers))
        }
        Some(Effect::Answered(reply)) => reply.status.as_u16().to_string(),
        Some(Effect::Asks(asked)) => panic!("{asked:?}"),
        None => "nothing".to_owned(),
    }
}

fn bound(kind: &str, name: &str, port: &str, backend: &str) -> String {
    let by = name.replace('/', "-");
    let filter = format!(
        "filters: [{{type: RequestHeaderModifier, requestHeaderModifier: {{set: [{{name: by, value: {by}}}]}}}}]"
    );
    let path = match kind {
        "HTTPRoute" => "matches: [{path: {value: /a}}], ",
        _ => "",
    };
    let rules = format!("rules: [{{{path}{filter}, backendRefs: [{{{backend}}}]}}]");
    let parent = format!("{{group: '', kind: Service, name: one, namespace: infra{port}}}");
    route(kind, name, &format!("parentRefs: [{parent}], hostnames: [other.test], {rules}"))
}

#[test]
fn routes_of_a_service_are_for_its_clients() {
    let two = "name: two, namespace: infra, port: 80";
    // MSH-08
    let nothing = resources(HTTP, &[]);
    assert_eq!(mesh(&nothing, "infra", "/", &[]), "infra/one by nobody");
    let producer = bound("HTTPRoute", "producer", "", two);
    let one = resources(HTTP, &[&producer]);
    // MSH-04, MSH-10; MSH-08: what no rule matches is refused.
    assert_eq!(mesh(&one, "app", "/a", &[]), "infra/two by producer");
    assert_eq!(mesh(&one, "app", "/b", &[]), "404");
    // MSH-05, MSH-06, MSH-12: the route of the client's namespace alone, without a grant.
    let consumer = bound("HTTPRoute", "app/consumer", "", two);
    let both = resources(HTTP, &[&producer, &consumer, &namespace("app")]);
    assert_eq!(mesh(&both, "app", "/a", &[]), "infra/two by app-consumer");
    assert_eq!(mesh(&both, "infra", "/a", &[]), "infra/two by producer");
    // MSH-03
    let elsewhere = resources(HTTP, &[&bound("HTTPRoute", "producer", ", port: 81", two)]);
    assert_eq!(mesh(&elsewhere, "app", "/a", &[]), "infra/one by nobody");
    let named = resources(HTTP, &[&bound("HTTPRoute", "producer", ", sectionName: web", two)]);
    assert_eq!(mesh(&named, "app", "/a", &[]), "infra/two by producer");
    // MSH-09
    let kinds = resources(HTTP, &[&producer, &bound("GRPCRoute", "calls", "", two)]);
    assert_eq!(mesh(&kinds, "app", "/a", &[]), "404");
    assert_eq!(mesh(&kinds, "app", "/a/b", &[GRPC]), "infra/two by calls");
    // HRB-10: an invalid backend, as on a Gateway.
    let invalid = resources(HTTP, &[&bound("HTTPRoute", "producer", "", "name: missing, port: 80")]);
    assert_eq!(mesh(&invalid, "app", "/a", &[]), "500");
}
