//! Kinds that are not installed or may not be read, and what is never read at all.

use std::collections::BTreeSet;
use std::time::Duration;

use gateway_core::api::Kind;
use gateway_core::name::ObjectName;
use gateway_kube::watch::{Scope, State};
use kube::Client;
use serde_json::json;

use crate::Faulty;
use crate::cluster::{
    Cluster, Followed, SERVICE_IMPORTS, Seen, has, idle, install, parents, table, within, written,
};

crate::fault_tests!["rights":
    a_kind_that_may_not_be_read_is_left_out_until_it_may,
    a_kind_that_is_not_installed_is_left_out_until_it_is,
    service_imports_are_picked_up_when_they_are_installed_and_nothing_is_said_before,
    only_the_secrets_that_are_asked_for_are_read,
    a_controller_of_one_namespace_needs_rights_in_that_alone,
];

/// Rules of a role for user `limited`: everything but these.
fn role(without: &[&str]) -> String {
    let all = [
        ("''", vec!["namespaces", "services"]),
        ("discovery.k8s.io", vec!["endpointslices"]),
        ("multicluster.x-k8s.io", vec!["serviceimports"]),
        ("apiextensions.k8s.io", vec!["customresourcedefinitions"]),
        ("gateway.networking.x-k8s.io", vec!["xbackends", "xbackendtrafficpolicies", "xtelemetrypolicies"]),
        (
            "gateway.networking.k8s.io",
            vec![
                "gatewayclasses",
                "gateways",
                "listenersets",
                "httproutes",
                "grpcroutes",
                "tlsroutes",
                "tcproutes",
                "udproutes",
                "referencegrants",
                "backendtlspolicies",
                "gatewayclasses/status",
                "gateways/status",
                "httproutes/status",
            ],
        ),
    ];
    let rules = all.into_iter().map(|(group, resources)| {
        let allowed: Vec<_> = resources.into_iter().filter(|resource| !without.contains(resource)).collect();
        format!(
            "{{apiGroups: [{group}], resources: [{}], verbs: [get, list, watch, patch]}}",
            allowed.join(", ")
        )
    });
    let rules: Vec<_> = rules.collect();
    format!(
        "{{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {{name: limited}}, rules: [{}]}}",
        rules.join(", ")
    )
}

const BINDING: &str = "{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: limited}, roleRef: \
                       {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: limited}, subjects: [{kind: User, name: \
                       limited}]}";

fn limited(faulty: &Faulty) -> Client {
    Client::try_from(faulty.control_plane.config("limited")).unwrap()
}

async fn a_kind_that_may_not_be_read_is_left_out_until_it_may(mut faulty: Faulty) {
    let cluster = faulty.cluster("forbidden").await;
    cluster.gateway().await;
    cluster.route("shop", "rules: [{}]").await;
    cluster.apply(&role(&["grpcroutes"])).await;
    cluster.apply(BINDING).await;
    let mut controller = Followed::new(limited(&faulty), cluster.options());
    let forbidden = |kind: Kind| {
        move |update: &Seen| {
            let mut out = update.left_out.iter();
            out.any(|out| {
                out.kind == kind
                    && matches!(&out.state, State::Forbidden(told) if told.contains("limited\" cannot "))
            })
        }
    };
    let update = table(&mut controller, forbidden(Kind::GrpcRoute)).await;
    assert_eq!(update.left_out.len(), 1, "{:?}", update.left_out);
    cluster.route_until("shop", "Accepted=True/Accepted").await;
    cluster.apply(&role(&[])).await;
    table(&mut controller, |update| update.left_out.is_empty()).await;

    // What was read stays when the right is taken away.
    cluster.apply(&role(&["httproutes"])).await;
    faulty.control_plane.kill_api_server();
    faulty.control_plane.start_api_server().await;
    let update = table(&mut controller, forbidden(Kind::HttpRoute)).await;
    assert_eq!(update.table.rules().count(), 1);
    drop(controller);

    // A controller that cannot see the parents of a Route takes away nothing that was said about them.
    cluster.apply(&role(&["gateways"])).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let mut controller = Followed::new(limited(&faulty), cluster.options());
    table(&mut controller, forbidden(Kind::Gateway)).await;
    idle(&controller).await;
    let route = cluster.get("HTTPRoute", "shop").await;
    assert_eq!(parents(&route, &cluster.controller_name).len(), 1, "{route:#}");
}

async fn a_kind_that_is_not_installed_is_left_out_until_it_is(mut faulty: Faulty) {
    let cluster = faulty.cluster("missing").await;
    cluster.gateway().await;
    let name = "grpcroutes.gateway.networking.k8s.io";
    let definition = cluster.definition(name).await;
    cluster.delete_definition(name).await;
    let mut controller = cluster.controller();
    let missing = |update: &Seen| {
        update.left_out.iter().any(|out| (out.kind, &out.state) == (Kind::GrpcRoute, &State::Missing))
    };
    table(&mut controller, missing).await;
    cluster
        .until("Gateway", "web", |gateway| has(&written(&gateway["status"]), "Programmed=True/Programmed"))
        .await;
    cluster.install_definition(definition).await;
    table(&mut controller, |update| !missing(update)).await;
}

// HRB-17
async fn service_imports_are_picked_up_when_they_are_installed_and_nothing_is_said_before(
    mut faulty: Faulty,
) {
    let cluster = faulty.cluster("imports").await;
    let name = cluster.name.clone();
    cluster.gateway().await;
    let reference = "{group: multicluster.x-k8s.io, kind: ServiceImport, name: shop, port: 80}";
    cluster.route("shop", &format!("rules: [{{backendRefs: [{reference}]}}]")).await;
    // With the rights of an installation.
    cluster.apply(&role(&[])).await;
    cluster.apply(BINDING).await;
    let mut controller = Followed::new(limited(&faulty), cluster.options());
    let update = table(&mut controller, |update| update.table.rules().count() == 1).await;
    assert!(update.left_out.is_empty(), "{:?}", update.left_out);
    cluster.route_until("shop", "ResolvedRefs=False/BackendNotFound").await;

    let slice = |source: &str, address: &str| {
        format!(
            "{{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, addressType: IPv4, metadata: {{name: shop-{source}, namespace: \
             {name}, labels: {{multicluster.kubernetes.io/service-name: shop, multicluster.kubernetes.io/source-cluster: \
             {source}}}}}, ports: [{{name: web, port: 8080}}], endpoints: [{{addresses: ['{address}']}}]}}"
        )
    };
    cluster.apply(&slice("east", "10.1.0.1")).await;
    cluster.apply(&slice("west", "10.2.0.1")).await;
    install(&cluster.client, &[SERVICE_IMPORTS.to_owned()]).await;
    cluster
        .apply(&format!(
            "{{apiVersion: multicluster.x-k8s.io/v1alpha1, kind: ServiceImport, metadata: {{name: shop, namespace: {name}}}, spec: \
             {{type: ClusterSetIP, ports: [{{name: web, port: 80}}]}}}}"
        ))
        .await;
    let leads_to = |wanted: &'static [&str]| {
        move |update: &Seen| {
            let backends: Vec<_> = update.table.backends().collect();
            let found = backends.iter().flat_map(|backend| &*backend.endpoints);
            backends.len() == 1
                && found.map(|endpoint| endpoint.address().to_string()).eq(wanted.iter().copied())
        }
    };
    let update = table(&mut controller, leads_to(&["10.1.0.1:8080", "10.2.0.1:8080"])).await;
    assert!(update.left_out.is_empty(), "{:?}", update.left_out);
    cluster.route_until("shop", "ResolvedRefs=True/ResolvedRefs").await;
    cluster.delete("EndpointSlice", "shop-west").await;
    table(&mut controller, leads_to(&["10.1.0.1:8080"])).await;

    // Where it goes again, so do its objects, and nothing is said either.
    cluster.delete_definition("serviceimports.multicluster.x-k8s.io").await;
    cluster.route_until("shop", "ResolvedRefs=False/BackendNotFound").await;
    let update = table(&mut controller, |update| update.table.backends().count() == 0).await;
    assert!(update.left_out.is_empty(), "{:?}", update.left_out);
}

// RGR-04
async fn only_the_secrets_that_are_asked_for_are_read(mut faulty: Faulty) {
    let cluster = faulty.cluster("secrets").await;
    let name = cluster.name.clone();
    cluster.apply("{apiVersion: v1, kind: Namespace, metadata: {name: elsewhere}}").await;
    let certificate = rcgen::generate_simple_self_signed(["shop.example".to_owned()]).unwrap();
    let data = json!({"tls.crt": certificate.cert.pem(), "tls.key": certificate.signing_key.serialize_pem()});
    for (namespace, secret) in [
        (name.as_str(), "wanted"),
        (name.as_str(), "other"),
        ("elsewhere", "granted"),
        ("elsewhere", "hidden"),
    ] {
        let metadata = json!({"name": secret, "namespace": namespace});
        let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": "kubernetes.io/tls", "stringData": data});
        cluster.apply(&secret.to_string()).await;
    }
    let references = "certificateRefs: [{name: wanted}, {name: granted, namespace: elsewhere}, {name: hidden, namespace: elsewhere}]";
    cluster
        .gateway_with(&format!(
            "listeners: [{{name: https, port: 443, protocol: HTTPS, tls: {{{references}}}}}]"
        ))
        .await;
    cluster
        .apply(&format!(
            "{{apiVersion: gateway.networking.k8s.io/v1beta1, kind: ReferenceGrant, metadata: {{name: web, namespace: elsewhere}}, \
             spec: {{from: [{{group: gateway.networking.k8s.io, kind: Gateway, namespace: {name}}}], to: [{{group: '', kind: \
             Secret, name: granted}}]}}}}"
        ))
        .await;
    // The role names what may be read: a request for all Secrets, or for another one, would be refused and said.
    cluster.apply(&role(&[])).await;
    cluster.apply(BINDING).await;
    for (namespace, secret) in [(name.as_str(), "wanted"), ("elsewhere", "granted")] {
        for text in [
            format!(
                "{{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {{name: secrets, namespace: {namespace}}}, rules: \
                 [{{apiGroups: [''], resources: [secrets], resourceNames: [{secret}], verbs: [list, watch]}}]}}"
            ),
            format!(
                "{{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {{name: secrets, namespace: {namespace}}}, \
                 roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: Role, name: secrets}}, subjects: [{{kind: User, name: \
                 limited}}]}}"
            ),
        ] {
            cluster.apply(&text).await;
        }
    }
    let mut controller = Followed::new(limited(&faulty), cluster.options());
    let update = table(&mut controller, |update| update.table.listeners().count() == 1).await;
    assert!(update.left_out.is_empty(), "{:?}", update.left_out);
    let refused = |gateway: &serde_json::Value| {
        has(&written(&gateway["status"]["listeners"][0]), "ResolvedRefs=False/RefNotPermitted")
    };
    cluster.until("Gateway", "web", refused).await;

    // A Secret that is changed is read again, and one that is not asked for any more is forgotten.
    cluster.delete("Secret", "wanted").await;
    let asked = ObjectName::new(name.as_str(), "wanted");
    table(&mut controller, |update| update.changed.contains(&(Kind::Secret, asked.clone()))).await;
}

async fn a_controller_of_one_namespace_needs_rights_in_that_alone(mut faulty: Faulty) {
    let cluster = faulty.cluster("namespaced").await;
    let name = cluster.name.clone();
    let elsewhere = Cluster::new(cluster.client.clone(), "elsewhere").await;
    cluster.gateway().await;
    cluster.route("shop", "rules: [{}]").await;
    elsewhere
        .apply(
            &elsewhere
                .route_text("shop", "rules: [{}]")
                .replace("{name: web}", &format!("{{name: web, namespace: {name}}}")),
        )
        .await;
    let clusterwide = format!(
        "{{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {{name: limited}}, rules: [{{apiGroups: \
         [gateway.networking.k8s.io], resources: [gatewayclasses, gatewayclasses/status], verbs: [get, list, watch, patch]}}, \
         {{apiGroups: [''], resources: [namespaces], resourceNames: [{name}], verbs: [list, watch]}}]}}"
    );
    let within_namespace = role(&[])
        .replace("ClusterRole", "Role")
        .replace("name: limited", &format!("name: limited, namespace: {name}"));
    let binding =
        BINDING.replacen("ClusterRoleBinding", "RoleBinding", 1).replace("kind: ClusterRole,", "kind: Role,");
    let binding = binding.replacen("{name: limited}", &format!("{{name: limited, namespace: {name}}}"), 1);
    for text in [clusterwide.as_str(), BINDING, &within_namespace, &binding] {
        cluster.apply(text).await;
    }
    let mut options = cluster.options();
    options.watch.scope = Scope::Namespaces(BTreeSet::from([name.clone()]));
    let mut controller = Followed::new(limited(&faulty), options);
    let update = table(&mut controller, |update| update.table.rules().count() == 1).await;
    assert!(update.left_out.is_empty(), "{:?}", update.left_out);
    cluster.route_until("shop", "Accepted=True/Accepted").await;
    within(async { tokio::time::sleep(Duration::from_secs(1)).await }).await;
    assert!(
        elsewhere.get("HTTPRoute", "shop").await["status"]["parents"].as_array().is_none_or(Vec::is_empty)
    );
}
