//! Definitions of v1.6, and what is stored that v1.7 does not allow.

use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

use serde_json::{Value, json};

use crate::Faulty;
use crate::cluster::{has, idle, table, written};
use crate::control_plane::module;

crate::fault_tests!["definitions":
    with_definitions_of_v1_6_its_words_are_used,
    an_unknown_version_is_said_and_used_nevertheless,
    what_is_stored_against_the_rules_is_told_its_owner,
    a_field_that_is_not_kept_is_not_written_for_ever,
];

// GC-08, GC-11
async fn with_definitions_of_v1_6_its_words_are_used(mut faulty: Faulty) {
    faulty.version = "v1.6.1";
    let cluster = faulty.cluster("former").await;
    cluster.gateway().await;
    cluster.route("shop", "rules: [{backendRefs: [{name: absent, port: 80}]}]").await;
    let controller = cluster.controller();
    let accepted = |class: &Value| has(&written(&class["status"]), "SupportedVersion=True/SupportedVersion");
    let class = cluster.until("GatewayClass", &cluster.name, accepted).await;
    let published = class["status"]["supportedFeatures"].as_array().unwrap();
    let published: BTreeSet<&str> =
        published.iter().map(|feature| feature["name"].as_str().unwrap()).collect();
    assert!(
        published.contains("HTTPRouteRetry") && !published.contains("HTTPRouteRetryCodes"),
        "{published:?}"
    );

    // Upstream's own list of the names.
    let folder = module("v1.6.1").unwrap().join("pkg/features");
    let sources = fs::read_dir(folder).unwrap().map(|file| fs::read_to_string(file.unwrap().path()).unwrap());
    let sources: String = sources.collect();
    for feature in published {
        assert!(sources.contains(&format!(" = \"{feature}\"\n")), "v1.6.1 has no feature {feature}");
    }

    cluster.route_until("shop", "ResolvedRefs=False/BackendNotFound").await;
    cluster.until("Gateway", "web", |gateway| gateway["status"]["listeners"][0]["attachedRoutes"] == 1).await;
    idle(&controller).await;
    controller.stop().await;
    let next = cluster.controller();
    idle(&next).await;
    assert_eq!(next.progress().borrow().writes, 0, "nothing is written that is not kept");
}

// GC-08, GC-09
async fn an_unknown_version_is_said_and_used_nevertheless(mut faulty: Faulty) {
    let cluster = faulty.cluster("unknown").await;
    cluster.gateway().await;
    let _controller = cluster.controller();
    let supported = |class: &Value| has(&written(&class["status"]), "SupportedVersion=True/SupportedVersion");
    cluster.until("GatewayClass", &cluster.name, supported).await;
    let name = "httproutes.gateway.networking.k8s.io";
    cluster
        .change_definition(name, |definition| {
            definition["metadata"]["annotations"]["gateway.networking.k8s.io/bundle-version"] =
                json!("v2.0.0");
        })
        .await;
    let unsupported =
        |class: &Value| has(&written(&class["status"]), "SupportedVersion=False/UnsupportedVersion");
    let class = cluster.until("GatewayClass", &cluster.name, unsupported).await;
    assert!(has(&written(&class["status"]), "Accepted=True/Accepted"));
    assert!(
        class["status"].to_string().contains("httproutes.gateway.networking.k8s.io (v2.0.0)"),
        "{class:#}"
    );
}

// GEN-14
async fn what_is_stored_against_the_rules_is_told_its_owner(mut faulty: Faulty) {
    let cluster = faulty.cluster("lax").await;
    for name in ["httproutes.gateway.networking.k8s.io", "gateways.gateway.networking.k8s.io"] {
        cluster
            .change_definition(name, |definition| {
                for version in definition["spec"]["versions"].as_array_mut().unwrap() {
                    version["schema"]["openAPIV3Schema"]["properties"]["spec"] =
                        json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
                }
            })
            .await;
    }
    cluster.gateway().await;
    let mut controller = cluster.controller();
    cluster.route("good", "rules: [{matches: [{path: {type: PathPrefix, value: /}}]}]").await;
    // The first is against a rule, the second is not even a list.
    cluster.route("bad-path", "rules: [{matches: [{path: {type: Exact, value: /a/../b}}]}]").await;
    cluster.route("bad-hosts", "hostnames: 7").await;
    let refused = "Accepted=False/UnsupportedValue";
    let route = cluster.route_until("bad-path", refused).await;
    assert!(route["status"].to_string().contains("spec.rules[0].matches[0].path.value"), "{route:#}");
    let route = cluster.route_until("bad-hosts", refused).await;
    assert!(route["status"].to_string().contains("spec.hostnames"), "{route:#}");
    cluster.route_until("good", "Accepted=True/Accepted").await;
    table(&mut controller, |update| update.table.rules().count() == 1).await;
    cluster.route("bad-hosts", "rules: [{matches: [{path: {type: PathPrefix, value: /}}]}]").await;
    cluster.route_until("bad-hosts", "Accepted=True/Accepted").await;

    cluster.gateway_with("listeners: [{name: http, port: 70000, protocol: HTTP}]").await;
    let invalid = |gateway: &Value| has(&written(&gateway["status"]), "Accepted=False/Invalid");
    cluster.until("Gateway", "web", invalid).await;
}

async fn a_field_that_is_not_kept_is_not_written_for_ever(mut faulty: Faulty) {
    let cluster = faulty.cluster("cut").await;
    cluster
        .change_definition("gateways.gateway.networking.k8s.io", |definition| {
            for version in definition["spec"]["versions"].as_array_mut().unwrap() {
                let status = &mut version["schema"]["openAPIV3Schema"]["properties"]["status"]["properties"];
                status.as_object_mut().unwrap().remove("attachedListenerSets").unwrap();
            }
        })
        .await;
    cluster.gateway().await;
    let controller = cluster.controller();
    let programmed = |gateway: &Value| has(&written(&gateway["status"]), "Programmed=True/Programmed");
    let gateway = cluster.until("Gateway", "web", programmed).await;
    assert!(gateway["status"].get("attachedListenerSets").is_none());
    idle(&controller).await;
    let (writes, version) =
        (controller.progress().borrow().writes, gateway["metadata"]["resourceVersion"].clone());
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(controller.progress().borrow().writes, writes);
    assert_eq!(cluster.get("Gateway", "web").await["metadata"]["resourceVersion"], version);
}
