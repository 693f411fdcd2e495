//! The classes and addresses that the arguments of the program choose.

use std::net::Ipv4Addr;

use serde_json::{Value, json};

use crate::cluster::{Cluster, has, parents, written};
use crate::control_plane::ControlPlane;
use crate::program::{Controller, address, backend, free_port, until_served};

crate::tests!["options":
    programs_of_one_name_share_out_classes,
    the_addresses_of_a_service_are_those_of_the_gateways,
    the_addresses_of_the_node_are_those_of_the_gateways,
];

// GEN-11
async fn programs_of_one_name_share_out_classes(control_plane: ControlPlane, cluster: Cluster) {
    let (name, other) = (&cluster.name, format!("{}-other", cluster.name));
    cluster
        .apply(&format!(
            "{{apiVersion: gateway.networking.k8s.io/v1, kind: GatewayClass, metadata: {{name: {other}}}, spec: \
             {{controllerName: {}}}}}",
            cluster.controller_name
        ))
        .await;
    for (gateway, class) in [("web", name), ("theirs", &other)] {
        cluster
            .apply(&format!(
                "{{apiVersion: gateway.networking.k8s.io/v1, kind: Gateway, metadata: {{name: {gateway}, namespace: {name}}}, \
                 spec: {{gatewayClassName: {class}, listeners: [{{name: http, port: 8080, protocol: HTTP}}]}}}}"
            ))
            .await;
    }
    let _backend = backend(&cluster, "shop").await;
    let route = cluster
        .route_text("shop", "rules: [{backendRefs: [{name: shop, port: 80}]}]")
        .replace("[{name: web}]", "[{name: web}, {name: theirs}]");
    cluster.apply(&route).await;
    let start = |class: &str, pool: &str| {
        Controller::start(&control_plane, &cluster, &["--class", class, "--address-pool", pool])
    };
    let (first, second) = (start(name, "127.77.3.0/29"), start(&other, "127.77.3.8/29"));
    for (controller, gateway, range) in [(&first, "web", 0..8), (&second, "theirs", 8..16)] {
        controller.until_ready(200).await;
        let address = address(&cluster, gateway, 8080).await;
        let ip: Ipv4Addr = address.ip().to_string().parse().unwrap();
        assert!(range.contains(&ip.octets()[3]), "{gateway} is at {ip}");
        assert_eq!(until_served(address, "/").await.backend(), "shop");
    }
    let both = |route: &Value| parents(route, &cluster.controller_name).len() == 2;
    cluster.until("HTTPRoute", "shop", both).await;
    // Each knows only its own Gateway: nothing else is bound there.
    let sockets = |controller: &Controller| controller.gateway.lines().join("\n");
    assert!(!sockets(&first).contains("theirs") && !sockets(&second).contains("/web"));
}

// GWA-01
async fn the_addresses_of_a_service_are_those_of_the_gateways(control_plane: ControlPlane, cluster: Cluster) {
    let name = &cluster.name;
    let front = async |external: &str| {
        cluster
            .apply(&format!(
                "{{apiVersion: v1, kind: Service, metadata: {{name: front, namespace: {name}}}, spec: {{type: LoadBalancer, \
                 ports: [{{port: 80}}], externalIPs: [{external}]}}}}"
            ))
            .await;
    };
    front("192.0.2.1").await;
    cluster.gateway().await;
    let _backend = backend(&cluster, "shop").await;
    cluster.route("shop", "rules: [{backendRefs: [{name: shop, port: 80}]}]").await;
    let port = free_port();
    let (service, map) = (format!("service={name}/front"), format!("80={port}"));
    let args = ["--address-from", &service, "--port-map", &map];
    let controller = Controller::start(&control_plane, &cluster, &args);
    controller.until_ready(200).await;
    // Wherever the Service leads from, it is this machine that is served.
    assert_eq!(until_served((Ipv4Addr::LOCALHOST, port).into(), "/").await.backend(), "shop");
    for external in ["192.0.2.1", "192.0.2.2"] {
        front(external).await;
        let shown = |gateway: &Value| {
            gateway["status"]["addresses"]
                == json!([{"type": "IPAddress", "value": external, "routability": ""}])
                && has(&written(&gateway["status"]), "Programmed=True/Programmed")
        };
        cluster.until("Gateway", "web", shown).await;
    }
}

// GWA-01
async fn the_addresses_of_the_node_are_those_of_the_gateways(control_plane: ControlPlane, cluster: Cluster) {
    cluster.gateway().await;
    let map = format!("80={}", free_port());
    let args = ["--address-from", "node", "--port-map", &map];
    let variables = [("HOST_IPS", "192.0.2.1,2001:db8::1")];
    let controller = Controller::start_as("admin", &control_plane, &cluster, &variables, &args);
    controller.until_ready(200).await;
    let shown = |gateway: &Value| {
        let values = gateway["status"]["addresses"].as_array().into_iter().flatten();
        values.map(|address| &address["value"]).eq(["192.0.2.1", "2001:db8::1"])
    };
    cluster.until("Gateway", "web", shown).await;
    drop(controller);

    // Without the variable there is nothing to show, and that is said.
    let variables = [("HOST_IPS", "")];
    let controller = Controller::start_as("admin", &control_plane, &cluster, &variables, &args);
    let line = controller.gateway.wait_for_line("gateway: ");
    assert!(line.contains("HOST_IPS is \"\"; set it to status.hostIPs"), "{line}");
    assert_eq!(controller.gateway.ended().code(), Some(2));
}
