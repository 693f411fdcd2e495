//! Definitions of v1.6, and what is stored that v1.7 does not allow.

use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

use serde_json::{Value, json};

use crate::Faulty;
use crate::cluster::{has, idle, install, table, written};
use crate::control_plane::{definitions_of_channel, module};

crate::fault_tests!["definitions":
    with_definitions_of_v1_6_its_words_are_used,
    what_the_definitions_have_no_place_for_is_not_published,
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
    let published = published(&class);
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

    // Fields that v1.7 has no more are no reason to leave an object out.
    let session = "{type: Cookie, sessionName: cart, cookieConfig: {lifetimeType: Session}}";
    cluster.route("session", &format!("rules: [{{sessionPersistence: {session}}}]")).await;
    cluster.route_until("session", "Accepted=True/Accepted").await;

    cluster.route_until("shop", "ResolvedRefs=False/BackendNotFound").await;
    cluster.until("Gateway", "web", |gateway| gateway["status"]["listeners"][0]["attachedRoutes"] == 2).await;
    idle(&controller).await;
    controller.stop().await;
    let next = cluster.controller();
    idle(&next).await;
    assert_eq!(next.progress().borrow().writes, 0, "nothing is written that is not kept");
}

// GC-11
async fn what_the_definitions_have_no_place_for_is_not_published(mut faulty: Faulty) {
    (faulty.version, faulty.channel) = ("v1.6.1", "standard");
    let cluster = faulty.cluster("standard").await;
    cluster.gateway().await;
    let _controller = cluster.controller();
    let publishes = async |wanted: &[&str], unwanted: &[&str]| {
        let is_so = |class: &Value| {
            let published = published(class);
            wanted.iter().all(|feature| published.contains(feature))
                && !unwanted.iter().any(|feature| published.contains(feature))
        };
        cluster.until("GatewayClass", &cluster.name, is_so).await;
    };
    // What has no field of its own is served with these too: upstream's suite takes a class that does not name it at its word.
    publishes(
        &["HTTPRouteCORS", "ListenerSet", "TLSRouteModeMixed"],
        &["HTTPRouteRetry", "HTTPRouteRetryConnectionError"],
    )
    .await;

    // The field is in the experimental channel only; and it is the definition of the kind itself that counts.
    let experimental = definitions_of_channel("v1.6.1", "experimental").unwrap();
    let routes = experimental.into_iter().filter(|text| text.contains("  name: httproutes.gateway."));
    install(&cluster.client, &routes.collect::<Vec<_>>()).await;
    publishes(&["HTTPRouteRetry", "HTTPRouteRetryConnectionError", "ListenerSet"], &[]).await;

    let name = "listenersets.gateway.networking.k8s.io";
    let definition = cluster.definition(name).await;
    cluster.delete_definition(name).await;
    publishes(&["HTTPRouteRetry"], &["ListenerSet"]).await;
    cluster.install_definition(definition).await;
    publishes(&["HTTPRouteRetry", "ListenerSet"], &[]).await;
}

/// The names of the features in the status of a class.
fn published(class: &Value) -> BTreeSet<&str> {
    let features = class["status"]["supportedFeatures"].as_array().into_iter().flatten();
    features.filter_map(|feature| feature["name"].as_str()).collect()
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
    assert_eq!(
        controller.progress().borrow().failures,
        0,
        "a status can be written where the object cannot be read"
    );
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
