//! Requests to the API server, by its audit log: what nothing granted is never read, and never served.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::cluster::{Cluster, has, parents, written};
use crate::control_plane::{ControlPlane, Request};
use crate::harness::{Answer, send};
use crate::program::{Controller, address, backend, backend_in};

crate::tests!["audit":
    only_secrets_that_are_asked_for_and_granted_are_read,
    a_program_of_one_namespace_reads_that_alone,
];

/// Lets user `limited` do everything: what it leaves alone, it leaves by itself.
const EVERYTHING: &str = "{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: limited}, roleRef: \
                          {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}, subjects: [{kind: User, \
                          name: limited}]}";

/// What user `limited` asked to read so far.
fn reads(control_plane: &ControlPlane) -> Vec<Request> {
    let all = control_plane.requests("limited").into_iter();
    all.filter(|request| matches!(&*request.verb, "get" | "list" | "watch")).collect()
}

async fn secret(cluster: &Cluster, namespace: &str, name: &str) {
    let certificate = rcgen::generate_simple_self_signed(["shop.example".to_owned()]).unwrap();
    let data = json!({"tls.crt": certificate.cert.pem(), "tls.key": certificate.signing_key.serialize_pem()});
    let metadata = json!({"name": name, "namespace": namespace});
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": "kubernetes.io/tls", "stringData": data});
    cluster.apply(&secret.to_string()).await;
}

async fn ask(address: std::net::SocketAddr, host: &str) -> Answer {
    send(address, http::Request::get("/").header("host", host).body("").unwrap()).await
}

// RGR-04, RGR-09
async fn only_secrets_that_are_asked_for_and_granted_are_read(control_plane: ControlPlane, cluster: Cluster) {
    let name = &cluster.name;
    cluster.apply(EVERYTHING).await;
    cluster.apply("{apiVersion: v1, kind: Namespace, metadata: {name: elsewhere}}").await;
    for (namespace, one) in
        [(name.as_str(), "wanted"), (name, "other"), ("elsewhere", "granted"), ("elsewhere", "hidden")]
    {
        secret(&cluster, namespace, one).await;
        let metadata = json!({"name": one, "namespace": namespace});
        cluster
            .apply(&json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}).to_string())
            .await;
    }
    cluster
        .apply(&format!(
            "{{apiVersion: gateway.networking.k8s.io/v1, kind: ReferenceGrant, metadata: {{name: web, namespace: elsewhere}}, \
             spec: {{from: [{{group: gateway.networking.k8s.io, kind: Gateway, namespace: {name}}}], to: [{{group: '', kind: \
             Secret, name: granted}}]}}}}"
        ))
        .await;
    let references = "certificateRefs: [{name: wanted}, {name: granted, namespace: elsewhere}, {name: hidden, namespace: elsewhere}]";
    cluster
        .gateway_with(&format!(
            "listeners: [{{name: http, port: 8080, protocol: HTTP}}, \
             {{name: https, port: 8443, protocol: HTTPS, tls: {{{references}}}}}]"
        ))
        .await;
    // A backend of another namespace, which granted nothing.
    let foreign = backend_in(&cluster, "elsewhere", "foreign").await;
    let _shop = backend(&cluster, "shop").await;
    cluster
        .route("shop", "hostnames: [shop.example], rules: [{backendRefs: [{name: shop, port: 80}]}]")
        .await;
    cluster
        .route(
            "imported",
            "hostnames: [imported.example], rules: [{backendRefs: [{name: foreign, namespace: elsewhere, port: 80}]}]",
        )
        .await;
    let args = ["--address-pool", "127.77.4.0/29"];
    let controller = Controller::start_as("limited", &control_plane, &cluster, &[], &args);
    controller.until_ready(200).await;
    cluster.route_until("imported", "ResolvedRefs=False/RefNotPermitted").await;
    let refused = |gateway: &Value| {
        has(&written(&gateway["status"]["listeners"][1]), "ResolvedRefs=False/RefNotPermitted")
    };
    cluster.until("Gateway", "web", refused).await;
    let address = address(&cluster, "web", 8080).await;
    for _ in 0..20 {
        assert_eq!(ask(address, "imported.example").await.status, 500);
    }
    assert_eq!(foreign.total(), 0);
    assert_eq!(ask(address, "shop.example").await.backend(), "shop");

    // Something that makes it translate again, and all that was read until then.
    cluster
        .route("more", "hostnames: [more.example], rules: [{backendRefs: [{name: shop, port: 80}]}]")
        .await;
    cluster.route_until("more", "Accepted=True/Accepted").await;
    let reads = reads(&control_plane);
    let delicate: BTreeSet<_> =
        reads.iter().filter(|read| matches!(&*read.resource, "secrets" | "configmaps")).collect();
    let names: BTreeSet<_> =
        delicate.iter().map(|read| (&*read.resource, &*read.namespace, &*read.name)).collect();
    assert_eq!(
        names,
        BTreeSet::from([("secrets", &**name, "wanted"), ("secrets", "elsewhere", "granted")]),
        "{delicate:?}"
    );
    // The log tells of everything: what is watched as a whole is there too.
    assert!(reads.iter().any(|read| read.resource == "httproutes" && read.verb == "watch"), "{reads:?}");
}

// RGR-09
async fn a_program_of_one_namespace_reads_that_alone(control_plane: ControlPlane, cluster: Cluster) {
    let name = &cluster.name;
    cluster.apply(EVERYTHING).await;
    let elsewhere = Cluster::new(cluster.client.clone(), "elsewhere").await;
    cluster
        .gateway_with(
            "listeners: [{name: http, port: 8080, protocol: HTTP, allowedRoutes: {namespaces: {from: All}}}]",
        )
        .await;
    let foreign = backend_in(&cluster, "elsewhere", "foreign").await;
    let _shop = backend(&cluster, "shop").await;
    cluster
        .route("shop", "hostnames: [shop.example], rules: [{backendRefs: [{name: shop, port: 80}]}]")
        .await;
    // A Route in a namespace that is not watched, and a backend there: granted, but by an object that is not read.
    let backends = "rules: [{backendRefs: [{name: foreign, namespace: elsewhere, port: 80}]}]";
    cluster.route("imported", &format!("hostnames: [imported.example], {backends}")).await;
    let outside = elsewhere
        .route_text("outside", &format!("hostnames: [outside.example], {backends}"))
        .replace("{name: web}", &format!("{{name: web, namespace: {name}}}"));
    elsewhere.apply(&outside).await;
    cluster
        .apply(&format!(
            "{{apiVersion: gateway.networking.k8s.io/v1, kind: ReferenceGrant, metadata: {{name: shop, namespace: elsewhere}}, \
             spec: {{from: [{{group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: {name}}}], to: [{{group: '', kind: \
             Service}}]}}}}"
        ))
        .await;
    let args = ["--namespace", name, "--address-pool", "127.77.5.0/29"];
    let controller = Controller::start_as("limited", &control_plane, &cluster, &[], &args);
    controller.until_ready(200).await;
    let address = address(&cluster, "web", 8080).await;
    assert_eq!(ask(address, "shop.example").await.backend(), "shop");
    assert_eq!(ask(address, "imported.example").await.status, 500);
    assert_eq!(ask(address, "outside.example").await.status, 404);
    assert_eq!(foreign.total(), 0);
    cluster.route_until("shop", "Accepted=True/Accepted").await;
    let outside = elsewhere.get("HTTPRoute", "outside").await;
    assert!(parents(&outside, &cluster.controller_name).is_empty(), "{outside:#}");

    let reads = reads(&control_plane);
    let beyond: Vec<_> = reads
        .iter()
        .filter(|read| match &*read.resource {
            "gatewayclasses" | "customresourcedefinitions" => false,
            "namespaces" => read.name != *name,
            _ => read.namespace != *name,
        })
        .collect();
    assert!(beyond.is_empty(), "{beyond:#?}");
    assert!(reads.iter().any(|read| read.resource == "services" && read.namespace == *name), "{reads:?}");
}
