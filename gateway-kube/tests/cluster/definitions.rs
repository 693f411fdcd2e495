//! Definitions of v1.6, and what is stored that v1.7 does not allow.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;

use crate::Faulty;
use crate::cluster::{has, idle, written};
use crate::control_plane::module;

crate::fault_tests!["definitions":
    with_definitions_of_v1_6_its_words_are_used,
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
