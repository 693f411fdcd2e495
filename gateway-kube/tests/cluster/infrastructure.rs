//! A Service for each Gateway is made, and kept as its Gateway wants it.

use std::time::Duration;

use gateway_core::feature::Feature;
use gateway_core::infrastructure::{GatewayPort, GatewayService};
use gateway_core::name::ObjectName;
use gateway_core::options::DefaultAddresses;
use gateway_core::table::Transport;
use gateway_kube::controller::ControllerOptions;
use gateway_kube::infrastructure::{Maker, Owner, Part};
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::cluster::{Cluster, Followed, has, idle, within, written};

crate::tests!["infrastructure":
    a_gateway_has_a_service_that_follows_it,
    what_is_another_s_is_left_alone,
    what_a_former_gateway_left_is_made_anew_when_it_is_gone,
    a_service_of_a_former_class_leads_nowhere,
    a_gateway_is_reached_at_the_cluster_ip_of_its_service,
    a_cluster_ip_that_is_asked_for_is_had_or_it_is_said_why_not,
];

fn options(cluster: &Cluster) -> ControllerOptions {
    let mut options = cluster.options();
    options.pool = Some("198.18.7.0/24".parse().unwrap());
    options.translate.addresses.default = DefaultAddresses::Shared(Vec::new());
    options.translate.infrastructure = true;
    options
}

fn controller(cluster: &Cluster) -> Followed {
    Followed::new(cluster.client.clone(), options(cluster))
}

const LISTENERS: &str =
    "listeners: [{name: http, port: 80, protocol: HTTP}, {name: dns, port: 53, protocol: UDP}]";

// GWA-08, GWA-09
async fn a_gateway_has_a_service_that_follows_it(cluster: Cluster) {
    let name = format!("web-{}", cluster.name);
    let infrastructure =
        "infrastructure: {labels: {team: shop, tier: front}, annotations: {example.com/a: '1'}}";
    cluster.gateway_with(&format!("{LISTENERS}, {infrastructure}")).await;
    let first = controller(&cluster);
    let service = cluster.until("Service", &name, |_| true).await;
    let gateway = cluster
        .until("Gateway", "web", |gateway| has(&written(&gateway["status"]), "Programmed=True/Programmed"))
        .await;
    let metadata = &service["metadata"];
    assert_eq!(metadata["ownerReferences"][0]["uid"], gateway["metadata"]["uid"]);
    assert_eq!(metadata["labels"]["gateway.networking.k8s.io/gateway-name"], "web");
    assert_eq!(metadata["labels"]["gateway.networking.k8s.io/gateway-class-name"], *cluster.name);
    assert_eq!(
        (&metadata["labels"]["team"], &metadata["annotations"]["example.com/a"]),
        (&json!("shop"), &json!("1"))
    );
    assert!(service["spec"]["selector"].is_null(), "{service:#}");

    // A reader of the slices finds the Gateway by them.
    let slice = cluster.until("EndpointSlice", &format!("{name}-ipv4"), |_| true).await;
    assert_eq!(slice["metadata"]["labels"]["kubernetes.io/service-name"], *name);
    assert_eq!(slice["metadata"]["labels"]["team"], "shop");
    assert_eq!(slice["endpoints"][0]["addresses"][0], gateway["status"]["addresses"][0]["value"]);
    let port = |port: &Value| (port["name"].clone(), port["port"].clone(), port["protocol"].clone());
    let ports = |object: &Value| object.as_array().unwrap().iter().map(port).collect::<Vec<_>>();
    assert_eq!(ports(&slice["ports"]), ports(&service["spec"]["ports"]));
    assert_eq!(ports(&slice["ports"])[0], (json!("udp-53"), json!(53), json!("UDP")));

    // It follows: one label is another, one is gone, those of others stay.
    let labelled = json!({"metadata": {"labels": {"theirs": "stays"}}});
    cluster.merge("Service", &name, labelled).await;
    let spec =
        "listeners: [{name: http, port: 8080, protocol: HTTP}], infrastructure: {labels: {team: accounts}}";
    cluster.gateway_with(spec).await;
    let followed = |service: &Value| {
        let labels = &service["metadata"]["labels"];
        labels["team"] == "accounts" && service["spec"]["ports"][0]["port"] == 8080
    };
    let service = cluster.until("Service", &name, followed).await;
    let labels = &service["metadata"]["labels"];
    assert!(labels["tier"].is_null() && labels["theirs"] == "stays", "{labels:#}");
    assert!(service["metadata"]["annotations"]["example.com/a"].is_null());
    cluster.until("EndpointSlice", &format!("{name}-ipv4"), |slice| slice["ports"][0]["port"] == 8080).await;

    // What a user takes away comes again.
    cluster.delete("EndpointSlice", &format!("{name}-ipv4")).await;
    cluster.until("EndpointSlice", &format!("{name}-ipv4"), |slice| slice["ports"][0]["port"] == 8080).await;

    // And what is as it should be is not written.
    idle(&first).await;
    assert_eq!(first.progress().borrow().failures, 0);
    let class = cluster.get("GatewayClass", &cluster.name).await;
    let features = class["status"]["supportedFeatures"].as_array().unwrap();
    assert!(features.contains(&json!({"name": Feature::GatewayInfrastructure.as_str()})), "{features:?}");
    first.stop().await;
    let second = controller(&cluster);
    idle(&second).await;
    assert_eq!(second.progress().borrow().writes, 0, "another start of the same comes to the same");
}

// GWA-09
async fn what_is_another_s_is_left_alone(cluster: Cluster) {
    let (name, namespace) = (format!("web-{}", cluster.name), &cluster.name);
    let theirs = format!(
        "{{apiVersion: v1, kind: Service, metadata: {{name: {name}, namespace: {namespace}}}, spec: {{ports: [{{port: 7}}]}}}}"
    );
    cluster.apply(&theirs).await;
    cluster.gateway_with(LISTENERS).await;
    let controller = controller(&cluster);
    let programmed = |gateway: &Value| has(&written(&gateway["status"]), "Programmed=True/Programmed");
    cluster.until("Gateway", "web", programmed).await;
    let mut progress = controller.progress();
    progress.wait_for(|progress| progress.failures > 0).await.unwrap();
    let service = cluster.get("Service", &name).await;
    assert_eq!(service["spec"]["ports"].as_array().unwrap().len(), 1);
    assert!(service["metadata"]["labels"].is_null(), "{service:#}");

    // The way out: it goes, and the Gateway has one of its own.
    cluster.delete("Service", &name).await;
    cluster.until("Service", &name, |service| !service["metadata"]["ownerReferences"].is_null()).await;
}

// GWA-09
async fn what_a_former_gateway_left_is_made_anew_when_it_is_gone(cluster: Cluster) {
    let name = format!("web-{}", cluster.name);
    cluster.gateway_with(LISTENERS).await;
    let controller = controller(&cluster);
    let uid = |object: &Value| object["metadata"]["uid"].as_str().unwrap().to_owned();
    let former = cluster.until("Service", &name, |_| true).await;

    // There is no garbage collector here, as if it took its time; and the Service is to be another.
    cluster.delete("Gateway", "web").await;
    cluster.gateway_with("listeners: [{name: http, port: 8080, protocol: HTTP}]").await;
    let gateway = cluster.get("Gateway", "web").await;
    let owner = Owner { name: ObjectName::new(cluster.name.as_str(), "web"), uid: uid(&gateway) };
    let wanted = GatewayService {
        name: ObjectName::new(cluster.name.as_str(), name.as_str()),
        ports: [GatewayPort { port: 80, transport: Transport::Tcp }].into(),
        ..GatewayService::default()
    };
    let maker = Maker::new(cluster.client.clone(), &cluster.controller_name);
    let error = maker.make(&owner, &wanted, &[Part::Service]).await.unwrap_err();
    let (service, web) = (&wanted.name, &owner.name);
    assert_eq!(
        error.to_string(),
        format!(
            "Service {service} is that of a former Gateway {web}; it is made anew once the garbage collector of the cluster has \
             taken it away; delete it if it stays"
        )
    );
    let mut progress = controller.progress();
    within(progress.wait_for(|progress| progress.failures > 0)).await.unwrap();
    assert_eq!(cluster.get("Service", &name).await["spec"], former["spec"], "it is left alone");

    cluster.delete("Service", &name).await;
    let anew = |service: &Value| service["metadata"]["ownerReferences"][0]["uid"] == *owner.uid;
    cluster.until("Service", &name, anew).await;
}

// GWA-09
async fn a_service_of_a_former_class_leads_nowhere(cluster: Cluster) {
    let (class, namespace) = (format!("{}-2", cluster.name), &cluster.name);
    let controller_name = &cluster.controller_name;
    cluster
        .apply(&format!(
            "{{apiVersion: gateway.networking.k8s.io/v1, kind: GatewayClass, metadata: {{name: {class}}}, \
             spec: {{controllerName: {controller_name}}}}}"
        ))
        .await;
    cluster.gateway_with(LISTENERS).await;
    let controller = controller(&cluster);
    let slice = format!("web-{namespace}-ipv4");
    cluster.until("EndpointSlice", &slice, |slice| !slice["endpoints"][0].is_null()).await;
    cluster.merge("Gateway", "web", json!({"spec": {"gatewayClassName": class}})).await;
    cluster
        .until("EndpointSlice", &format!("web-{class}-ipv4"), |slice| !slice["endpoints"][0].is_null())
        .await;
    cluster
        .until("EndpointSlice", &slice, |slice| slice["endpoints"].as_array().is_none_or(Vec::is_empty))
        .await;
    // No controller goes on writing.
    sleep(Duration::from_millis(500)).await;
    idle(&controller).await;
}

/// The addresses in a status, each with its routability.
fn addresses(gateway: &Value) -> Vec<(&str, &str)> {
    let all = gateway["status"]["addresses"].as_array();
    all.into_iter()
        .flatten()
        .map(|address| {
            let part = |field: &str| address[field].as_str().unwrap_or("not said");
            (part("value"), part("routability"))
        })
        .collect()
}

fn is_programmed(gateway: &Value) -> bool {
    has(&written(&gateway["status"]), "Programmed=True/Programmed")
}

// ADR-02, ADR-03, ADR-05
async fn a_gateway_is_reached_at_the_cluster_ip_of_its_service(cluster: Cluster) {
    let name = format!("web-{}", cluster.name);
    cluster.gateway_with(&format!("{LISTENERS}, addresses: [{{routability: Cluster}}]")).await;
    let first = controller(&cluster);
    let gateway = cluster.until("Gateway", "web", is_programmed).await;
    let service = cluster.get("Service", &name).await;
    let cluster_ip = service["spec"]["clusterIP"].as_str().unwrap();
    assert_eq!(addresses(&gateway), [(cluster_ip, "Cluster")]);
    // What it leads to is bound, and not shown; it is there before the status says so.
    let slice = cluster.get("EndpointSlice", &format!("{name}-ipv4")).await;
    let behind = slice["endpoints"][0]["addresses"][0].clone();
    assert!(behind.as_str().unwrap().starts_with("198.18.7."), "{slice:#}");
    let names_both = |class: &Value| {
        let features = class["status"]["supportedFeatures"].as_array().cloned().unwrap_or_default();
        let both = [Feature::GatewayAddressRoutability, Feature::GatewayAddressRoutabilityCluster];
        both.iter().all(|feature| features.contains(&json!({"name": feature.as_str()})))
    };
    cluster.until("GatewayClass", &cluster.name, names_both).await;

    // Another start comes to the same, and writes nothing.
    idle(&first).await;
    first.stop().await;
    let second = controller(&cluster);
    idle(&second).await;
    assert_eq!(second.progress().borrow().writes, 0);
    let slice = cluster.get("EndpointSlice", &format!("{name}-ipv4")).await;
    assert_eq!(slice["endpoints"][0]["addresses"][0], behind);

    // Beside another address, which is not hidden any more.
    cluster.gateway_with(&format!("{LISTENERS}, addresses: [{{routability: Cluster}}, {{}}]")).await;
    let both = |gateway: &Value| is_programmed(gateway) && addresses(gateway).len() == 2;
    let gateway = cluster.until("Gateway", "web", both).await;
    assert_eq!(addresses(&gateway)[1], (cluster_ip, "Cluster"));
    let (other, routability) = addresses(&gateway)[0];
    assert!(other.starts_with("198.18.7.") && routability.is_empty(), "{gateway:#}");
}

// ADR-01, ADR-05
async fn a_cluster_ip_that_is_asked_for_is_had_or_it_is_said_why_not(cluster: Cluster) {
    // One that is free for certain: a Service had it a moment ago.
    let namespace = &cluster.name;
    let text = format!(
        "{{apiVersion: v1, kind: Service, metadata: {{name: before, namespace: {namespace}}}, spec: {{ports: [{{port: 80}}]}}}}"
    );
    cluster.apply(&text).await;
    let free = cluster.get("Service", "before").await["spec"]["clusterIP"].as_str().unwrap().to_owned();
    cluster.delete("Service", "before").await;
    let _controller = controller(&cluster);
    cluster.gateway_with(&format!("{LISTENERS}, addresses: [{{value: {free}, routability: Cluster}}]")).await;
    let gateway = cluster.until("Gateway", "web", is_programmed).await;
    assert_eq!(addresses(&gateway), [(&*free, "Cluster")]);

    // One that no cluster has: nothing takes its place, and the Service is made all the same.
    let away = "addresses: [{value: 203.0.113.9, routability: Cluster}]";
    let text = format!(
        "{{apiVersion: gateway.networking.k8s.io/v1, kind: Gateway, metadata: {{name: away, namespace: {namespace}}}, \
         spec: {{gatewayClassName: {namespace}, {LISTENERS}, {away}}}}}"
    );
    cluster.apply(&text).await;
    let refused = |gateway: &Value| {
        let conditions = written(&gateway["status"]);
        let said = gateway["status"].to_string().contains("is not the cluster IP of this Gateway's Service");
        has(&conditions, "Programmed=False/AddressNotAssigned")
            && has(&conditions, "AddressesAssigned=False/NotAssigned")
            && said
    };
    let gateway = cluster.until("Gateway", "away", refused).await;
    assert_eq!(addresses(&gateway), []);
    cluster.get("Service", &format!("away-{namespace}")).await;
}
