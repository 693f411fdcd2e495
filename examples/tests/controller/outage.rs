//! An API server that is killed again and again: requests are served all the time, and what is written in between takes effect.

use serde_json::Value;

use crate::cluster::Cluster;
use crate::control_plane::ControlPlane;
use crate::harness::Answer;
use crate::load::{Load, Service};
use crate::program::{Controller, address, backend, until_served};

crate::tests!["outage":
    no_request_fails_while_the_api_server_is_killed_again_and_again,
];

/// `GATEWAY_CRASHES=20` for more of them than the two of an ordinary run.
async fn no_request_fails_while_the_api_server_is_killed_again_and_again(
    mut control_plane: ControlPlane,
    cluster: Cluster,
) {
    let crashes = std::env::var("GATEWAY_CRASHES").map_or(2, |crashes| crashes.parse().unwrap());
    cluster.gateway_with("listeners: [{name: http, port: 8080, protocol: HTTP}]").await;
    let _backend = backend(&cluster, "shop").await;
    cluster.route("shop", "rules: [{backendRefs: [{name: shop, port: 80}]}]").await;
    let lease = format!("{}/gateway", cluster.name);
    let args = ["--address-pool", "127.77.6.0/29", "--shutdown-delay", "0s", "--lease", &lease];
    let controller = Controller::start(&control_plane, &cluster, &args);
    let address = address(&cluster, "web", 8080).await;
    until_served(address, "/").await;
    let service = Service::default();
    // One that says that it is not ready gets no connections, and clients fail who find none that is.
    let probes = service.follow(&controller, address);
    service.until_ready(1).await;

    let load = Load::start(&service);
    for crash in 0..crashes {
        // What this leads to is under way when the API server goes.
        let (name, marks) = (format!("crash-{crash}"), format!("[{{name: x-crash, value: '{crash}'}}]"));
        let rule = format!(
            "rules: [{{matches: [{{path: {{value: /{name}}}}}], backendRefs: [{{name: shop, port: 80}}], \
             filters: [{{type: ResponseHeaderModifier, responseHeaderModifier: {{set: {marks}}}}}]}}]"
        );
        cluster.route(&name, &rule).await;
        control_plane.kill_api_server();
        load.until_answered(200).await;
        if crash % 5 == 1 {
            control_plane.compact();
        }
        control_plane.start_api_server().await;
        let is_new = |answer: &Answer| answer.header("x-crash") == Some(&*crash.to_string());
        controller.gateway.until(address, &format!("/{name}"), is_new).await;
        load.check(&format!("after crash {crash}"));
    }
    for crash in 0..crashes {
        cluster.route_until(&format!("crash-{crash}"), "Accepted=True/Accepted").await;
    }
    let attached = |gateway: &Value| gateway["status"]["listeners"][0]["attachedRoutes"] == crashes + 1;
    cluster.until("Gateway", "web", attached).await;
    load.end(&format!("API server killed {crashes} times")).await;
    probes.abort();
}
