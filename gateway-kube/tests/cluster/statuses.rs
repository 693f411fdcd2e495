//! Statuses are written: what is ours, only where something changed, and never what is another's.

use std::collections::BTreeSet;
use std::time::Duration;

use gateway_core::api::Kind;
use gateway_core::name::ObjectName;
use gateway_core::options::{AddressPolicy, DefaultAddresses, Options};
use gateway_core::rule::Backend;
use gateway_core::table::{Transport, Unbound, UnboundCause};
use gateway_core::translate::translate;
use gateway_kube::addresses::{AddressWatch, ServiceAddresses};
use gateway_kube::controller::{Controller, ControllerOptions};
use gateway_kube::status::{Outcome, Writer, WriterOptions};
use gateway_kube::store::Store;
use gateway_kube::watch::{Said, Scope, WatchOptions, Watches};
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};

use crate::cluster::{Cluster, Followed, Seen, conditions, has, idle, parents, table, within, written};

crate::tests!["statuses":
    everything_of_ours_gets_a_status,
    what_is_as_it_should_be_is_not_written,
    entries_and_conditions_of_others_stay,
    what_no_replica_can_have_seen_is_written_anew,
    a_route_that_leaves_us_loses_our_entries_only,
    a_policy_has_an_entry_for_each_gateway_that_reaches_it,
    of_two_policies_for_traffic_the_younger_says_that_it_conflicts,
    of_two_policies_for_traces_the_younger_says_that_it_conflicts,
    an_x_backend_has_the_pods_that_it_selects_and_a_status,
    a_second_controller_is_no_fight,
    an_event_tells_of_what_becomes_worse,
    what_could_not_be_bound_is_said,
    statuses_wait_until_a_table_is_in_use,
    what_is_served_at_once_has_its_status_when_more_may_have_come,
    classes_are_shared_out_among_instances_of_one_name,
    a_gateway_shows_where_its_service_is_reached,
    the_parts_are_of_use_alone_and_merge_what_came_in_between,
];

// GEN-03, GC-02, GC-10, GC-11
async fn everything_of_ours_gets_a_status(cluster: Cluster) {
    cluster.gateway().await;
    cluster.route("shop", "rules: [{backendRefs: [{name: absent, port: 80}]}]").await;
    let _controller = cluster.controller();
    let route = cluster.route_until("shop", "ResolvedRefs=False/BackendNotFound").await;
    let entry = &parents(&route, &cluster.controller_name)[0];
    assert_eq!(entry["conditions"][0]["observedGeneration"], route["metadata"]["generation"]);
    assert!(has(&written(entry), "Accepted=True/Accepted"));

    let attached = |gateway: &Value| gateway["status"]["listeners"][0]["attachedRoutes"] == 1;
    let gateway = cluster.until("Gateway", "web", attached).await;
    assert!(has(&written(&gateway["status"]), "Programmed=True/Programmed"), "{gateway:#}");

    let held = |class: &Value| {
        let finalizers = class["metadata"]["finalizers"].as_array();
        finalizers
            .is_some_and(|all| all.contains(&json!("gateway-exists-finalizer.gateway.networking.k8s.io")))
    };
    let class = cluster.until("GatewayClass", &cluster.name, held).await;
    let accepted = |class: &Value| has(&written(&class["status"]), "Accepted=True/Accepted");
    let class =
        if accepted(&class) { class } else { cluster.until("GatewayClass", &cluster.name, accepted).await };
    assert!(has(&written(&class["status"]), "SupportedVersion=True/SupportedVersion"), "{class:#}");
    let features = class["status"]["supportedFeatures"].as_array().unwrap();
    assert!(features.contains(&json!({"name": "HTTPRouteRetryCodes"})), "{class:#}");

    cluster.delete("Gateway", "web").await;
    let class = cluster.until("GatewayClass", &cluster.name, |class| !held(class)).await;
    assert!(accepted(&class));
}

async fn what_is_as_it_should_be_is_not_written(cluster: Cluster) {
    cluster.gateway().await;
    for index in 0..5 {
        cluster.route(&format!("route-{index}"), "rules: [{backendRefs: [{name: absent, port: 80}]}]").await;
    }
    let first = cluster.controller();
    cluster.until("Gateway", "web", |gateway| gateway["status"]["listeners"][0]["attachedRoutes"] == 5).await;
    for index in 0..5 {
        cluster.route_until(&format!("route-{index}"), "Accepted=True/Accepted").await;
    }
    idle(&first).await;
    assert_eq!(first.progress().borrow().failures, 0);
    first.stop().await;

    let second = cluster.controller();
    idle(&second).await;
    let progress = *second.progress().borrow();
    assert!(progress.translations > 0 && progress.is_writing);
    assert_eq!(progress.writes, 0, "another translation of the same comes to the same");
}

// GEN-02, GEN-12
async fn entries_and_conditions_of_others_stay(cluster: Cluster) {
    cluster.gateway().await;
    cluster.route("shop", "rules: [{}]").await;
    let time = "2026-01-01T00:00:00Z";
    let theirs = json!({"type": "example.net/Checked", "status": "True", "reason": "Checked", "message": "", "lastTransitionTime": time});
    let entry =
        json!({"parentRef": {"name": "web"}, "controllerName": "example.net/other", "conditions": [theirs]});
    cluster.write_status("HTTPRoute", "shop", json!({"parents": [entry]})).await;
    let mut gateway = cluster.get("Gateway", "web").await;
    let all = gateway["status"]["conditions"].as_array_mut().unwrap();
    all.insert(0, theirs.clone());
    cluster.write_status("Gateway", "web", json!({"conditions": all})).await;

    let _controller = cluster.controller();
    let route = cluster.route_until("shop", "Accepted=True/Accepted").await;
    let others = parents(&route, "example.net/other");
    assert_eq!(others[0]["conditions"], json!([theirs]));
    let programmed = |gateway: &Value| has(&written(&gateway["status"]), "Programmed=True/Programmed");
    let gateway = cluster.until("Gateway", "web", programmed).await;
    assert_eq!(gateway["status"]["conditions"][0], theirs);
}

// GEN-04
async fn what_no_replica_can_have_seen_is_written_anew(cluster: Cluster) {
    cluster.gateway().await;
    cluster.route("shop", "rules: [{}]").await;
    let controller = cluster.controller();
    let route = cluster.route_until("shop", "Accepted=True/Accepted").await;
    let programmed = |gateway: &Value| has(&written(&gateway["status"]), "Programmed=True/Programmed");
    let gateway = cluster.until("Gateway", "web", programmed).await;
    // As objects have it that are brought back with their statuses, in a cluster where they have not been changed as often.
    let others = |conditions: &mut Value| {
        for condition in conditions.as_array_mut().unwrap() {
            condition["status"] = json!("False");
            condition["observedGeneration"] = json!(99);
        }
    };
    let (mut parents, mut status) = (route["status"]["parents"].clone(), gateway["status"].clone());
    others(&mut parents[0]["conditions"]);
    others(&mut status["conditions"]);
    others(&mut status["listeners"][0]["conditions"]);
    cluster.write_status("HTTPRoute", "shop", json!({"parents": parents})).await;
    cluster.write_status("Gateway", "web", status).await;
    cluster
        .write_status(
            "GatewayClass",
            &cluster.name,
            json!({"conditions": [
        {"type": "Accepted", "status": "False", "reason": "Pending", "message": "", "observedGeneration": 99,
         "lastTransitionTime": "2026-01-01T00:00:00Z"}]}),
        )
        .await;

    cluster.route_until("shop", "Accepted=True/Accepted").await;
    let gateway = cluster.until("Gateway", "web", programmed).await;
    assert!(has(&written(&gateway["status"]["listeners"][0]), "Programmed=True/Programmed"), "{gateway:#}");
    let accepted = |class: &Value| has(&written(&class["status"]), "Accepted=True/Accepted");
    cluster.until("GatewayClass", &cluster.name, accepted).await;
    idle(&controller).await;
    assert_eq!(controller.progress().borrow().failures, 0);
}

// RTE-10, GEN-12
async fn a_route_that_leaves_us_loses_our_entries_only(cluster: Cluster) {
    cluster.gateway().await;
    cluster.route("shop", "rules: [{}]").await;
    let _controller = cluster.controller();
    let route = cluster.route_until("shop", "Accepted=True/Accepted").await;
    let mut entries = route["status"]["parents"].as_array().unwrap().clone();
    entries.push(json!({"parentRef": {"name": "elsewhere"}, "controllerName": "example.net/other", "conditions": [
        {"type": "Accepted", "status": "True", "reason": "Accepted", "message": "", "lastTransitionTime": "2026-01-01T00:00:00Z"}]}));
    cluster.write_status("HTTPRoute", "shop", json!({"parents": entries})).await;
    cluster
        .apply(&cluster.route_text("shop", "rules: [{}]").replace("[{name: web}]", "[{name: elsewhere}]"))
        .await;
    let gone = |route: &Value| parents(route, &cluster.controller_name).is_empty();
    let route = cluster.until("HTTPRoute", "shop", gone).await;
    assert_eq!(parents(&route, "example.net/other").len(), 1);
}

// BTP-09, BTP-10, BTP-22, BTP-25, CTB-01, CTB-02
async fn a_policy_has_an_entry_for_each_gateway_that_reaches_it(cluster: Cluster) {
    cluster.gateway().await;
    let namespace = &cluster.name;
    cluster
        .apply(&format!(
            "{{apiVersion: v1, kind: Service, metadata: {{name: secure, namespace: {namespace}}}, spec: {{ports: [{{port: 443}}]}}}}"
        ))
        .await;
    cluster
        .apply(&format!(
            "{{apiVersion: gateway.networking.k8s.io/v1, kind: BackendTLSPolicy, metadata: {{name: secure, namespace: \
             {namespace}}}, spec: {{targetRefs: [{{group: '', kind: Service, name: secure}}], validation: {{hostname: \
             secure.example, caCertificateRefs: [{{group: '', kind: ConfigMap, name: authority}}]}}}}}}"
        ))
        .await;
    let time = "2026-01-01T00:00:00Z";
    let theirs = json!({"type": "Accepted", "status": "True", "reason": "Accepted", "message": "", "lastTransitionTime": time});
    let entry = json!({"ancestorRef": {"name": "web"}, "controllerName": "example.net/other", "conditions": [theirs]});
    cluster.write_status("BackendTLSPolicy", "secure", json!({"ancestors": [entry]})).await;
    cluster.route("shop", "rules: [{backendRefs: [{name: secure, port: 443}]}]").await;
    let _controller = cluster.controller();
    let ours = |policy: &Value| {
        let all = policy.pointer("/status/ancestors").and_then(Value::as_array).cloned().unwrap_or_default();
        all.into_iter()
            .filter(|entry| entry["controllerName"] == *cluster.controller_name)
            .collect::<Vec<_>>()
    };
    let is = |wanted: &'static str| move |policy: &Value| has(&conditions(&ours(policy)), wanted);
    let policy = cluster.until("BackendTLSPolicy", "secure", is("Accepted=False/NoValidCACertificate")).await;
    assert!(is("ResolvedRefs=False/InvalidCACertificateRef")(&policy), "{policy:#}");
    let entry = &ours(&policy)[0];
    assert_eq!(entry["ancestorRef"]["name"], "web");
    assert_eq!(entry["conditions"][0]["observedGeneration"], policy["metadata"]["generation"]);

    // The authority was asked for, and comes.
    let mut authority = rcgen::CertificateParams::default();
    authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let authority = authority.self_signed(&rcgen::KeyPair::generate().unwrap()).unwrap().pem();
    let data = json!({"ca.crt": authority});
    let metadata = json!({"name": "authority", "namespace": namespace});
    let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data});
    cluster.apply(&map.to_string()).await;
    cluster.until("BackendTLSPolicy", "secure", is("Accepted=True/Accepted")).await;

    // An authority of the whole cluster: CTB-01, CTB-02
    let name = format!("roots-{namespace}");
    let reference = json!([{"group": "certificates.k8s.io", "kind": "ClusterTrustBundle", "name": name}]);
    let patch = json!({"spec": {"validation": {"caCertificateRefs": reference}}});
    let policies = cluster.api("BackendTLSPolicy");
    policies.patch("secure", &PatchParams::default(), &Patch::Merge(&patch)).await.unwrap();
    cluster.until("BackendTLSPolicy", "secure", is("Accepted=False/NoValidCACertificate")).await;
    let spec = json!({"trustBundle": authority});
    let bundle = json!({"apiVersion": "certificates.k8s.io/v1beta1", "kind": "ClusterTrustBundle", "metadata": {"name": name}, "spec": spec});
    cluster.apply(&bundle.to_string()).await;
    cluster.until("BackendTLSPolicy", "secure", is("Accepted=True/Accepted")).await;
    cluster.delete("ClusterTrustBundle", &name).await;
    cluster.until("BackendTLSPolicy", "secure", is("Accepted=False/NoValidCACertificate")).await;

    cluster.delete("HTTPRoute", "shop").await;
    let policy = cluster.until("BackendTLSPolicy", "secure", |policy| ours(policy).is_empty()).await;
    assert_eq!(policy["status"]["ancestors"].as_array().map(Vec::len), Some(1), "theirs stays: {policy:#}");
}

// RTB-05, CND-107, POL-04
async fn of_two_policies_for_traffic_the_younger_says_that_it_conflicts(cluster: Cluster) {
    cluster.gateway().await;
    let namespace = &cluster.name;
    let apply = async |name: &str| {
        let metadata = json!({"name": name, "namespace": namespace});
        let targets = json!([{"group": "", "kind": "Service", "name": "shop"}]);
        let spec = json!({"targetRefs": targets, "retryConstraint": {"budget": {"percent": 30}}});
        let api_version = "gateway.networking.x-k8s.io/v1alpha1";
        let kind = "XBackendTrafficPolicy";
        let policy = json!({"apiVersion": api_version, "kind": kind, "metadata": metadata, "spec": spec});
        cluster.apply(&policy.to_string()).await;
    };
    // Of the same second, so that their names decide.
    apply("a-budget").await;
    apply("late").await;
    cluster.route("shop", "rules: [{backendRefs: [{name: shop, port: 80}]}]").await;
    let metadata = json!({"name": "shop", "namespace": namespace});
    let service = json!({"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": {"ports": [{"port": 80}]}});
    cluster.apply(&service.to_string()).await;
    let _controller = cluster.controller();
    let ours = |policy: &Value| {
        let all = policy.pointer("/status/ancestors").and_then(Value::as_array).cloned().unwrap_or_default();
        let own = all.into_iter().filter(|entry| entry["controllerName"] == *cluster.controller_name);
        own.collect::<Vec<_>>()
    };
    let is = |wanted: &'static str| move |policy: &Value| has(&conditions(&ours(policy)), wanted);
    let policy = cluster.until("XBackendTrafficPolicy", "a-budget", is("Accepted=True/Accepted")).await;
    assert_eq!(ours(&policy)[0]["ancestorRef"]["name"], "web");
    cluster.until("XBackendTrafficPolicy", "late", is("Accepted=False/Conflicted")).await;
    cluster.delete("XBackendTrafficPolicy", "a-budget").await;
    cluster.until("XBackendTrafficPolicy", "late", is("Accepted=True/Accepted")).await;
    cluster.delete("HTTPRoute", "shop").await;
    cluster.until("XBackendTrafficPolicy", "late", |policy| ours(policy).is_empty()).await;
}

// TEL-01, TEL-02, POL-04
async fn of_two_policies_for_traces_the_younger_says_that_it_conflicts(cluster: Cluster) {
    cluster.gateway().await;
    let namespace = &cluster.name;
    let apply = async |name: &str, gateway: &str| {
        let metadata = json!({"name": name, "namespace": namespace});
        let targets = json!([{"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": gateway}]);
        let spec = json!({"targetRefs": targets, "tracing": {"mode": "Disabled"}});
        let api_version = "gateway.networking.x-k8s.io/v1alpha1";
        let kind = "XTelemetryPolicy";
        let policy = json!({"apiVersion": api_version, "kind": kind, "metadata": metadata, "spec": spec});
        cluster.apply(&policy.to_string()).await;
    };
    // Of the same second, so that their names decide.
    apply("a-traces", "web").await;
    apply("late", "web").await;
    apply("nowhere", "absent").await;
    let _controller = cluster.controller();
    let ours = |policy: &Value| {
        let all = policy.pointer("/status/ancestors").and_then(Value::as_array).cloned().unwrap_or_default();
        let own = all.into_iter().filter(|entry| entry["controllerName"] == *cluster.controller_name);
        own.collect::<Vec<_>>()
    };
    let is = |wanted: &'static str| move |policy: &Value| has(&conditions(&ours(policy)), wanted);
    // The controller of these tests makes no spans, which is what these policies want.
    let policy = cluster.until("XTelemetryPolicy", "a-traces", is("Accepted=True/Accepted")).await;
    assert_eq!(ours(&policy)[0]["ancestorRef"]["name"], "web");
    cluster.until("XTelemetryPolicy", "late", is("Accepted=False/Conflicted")).await;
    cluster.until("XTelemetryPolicy", "nowhere", is("Accepted=False/TargetNotFound")).await;
    cluster.delete("XTelemetryPolicy", "a-traces").await;
    cluster.until("XTelemetryPolicy", "late", is("Accepted=True/Accepted")).await;
}

// XBK-06, XBK-07, CND-106
async fn an_x_backend_has_the_pods_that_it_selects_and_a_status(cluster: Cluster) {
    cluster.gateway().await;
    let namespace = &cluster.name;
    let account = json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default", "namespace": namespace}});
    cluster.apply(&account.to_string()).await;
    let pod = async |name: &str, ip: &str| {
        let metadata = json!({"name": name, "namespace": namespace, "labels": {"app": "shop"}});
        let spec =
            json!({"containers": [{"name": "c", "image": "i"}], "automountServiceAccountToken": false});
        let object = json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec});
        cluster.apply(&object.to_string()).await;
        let ready = json!({"type": "Ready", "status": "True"});
        let status = json!({"phase": "Running", "podIP": ip, "podIPs": [{"ip": ip}], "conditions": [ready]});
        cluster.write_status("Pod", name, status).await;
    };
    pod("a", "10.1.0.1").await;
    let apply = async |labels: Value| {
        let spec = json!({"type": "EndpointSelector", "endpointSelector": {"matchLabels": labels}, "port": {"number": 8080}});
        let (api_version, metadata) =
            ("gateway.networking.x-k8s.io/v1alpha1", json!({"name": "shop", "namespace": namespace}));
        let object =
            json!({"apiVersion": api_version, "kind": "XBackend", "metadata": metadata, "spec": spec});
        cluster.apply(&object.to_string()).await;
    };
    apply(json!({"app": "shop"})).await;
    let to = "group: gateway.networking.x-k8s.io, kind: XBackend, name: shop";
    cluster.route("shop", &format!("rules: [{{backendRefs: [{{{to}}}]}}]")).await;
    let mut controller = cluster.controller();
    let has_endpoints = |wanted: &'static [&'static str]| {
        move |seen: &Seen| {
            let wanted = wanted.iter().map(|address| (*address).to_owned());
            let is_it = |backend: &Backend| {
                let found = backend.endpoints.iter().map(|endpoint| endpoint.address().to_string());
                found.eq(wanted.clone())
            };
            seen.table.backends().any(is_it)
        }
    };
    table(&mut controller, has_endpoints(&["10.1.0.1:8080"])).await;
    pod("b", "10.1.0.2").await;
    table(&mut controller, has_endpoints(&["10.1.0.1:8080", "10.1.0.2:8080"])).await;
    cluster.merge("Pod", "a", json!({"metadata": {"labels": {"app": "other"}}})).await;
    table(&mut controller, has_endpoints(&["10.1.0.2:8080"])).await;
    let entries = |backend: &Value| {
        backend.pointer("/status/ancestors").and_then(Value::as_array).cloned().unwrap_or_default()
    };
    let backend = cluster
        .until("XBackend", "shop", |backend| has(&conditions(&entries(backend)), "Accepted=True/Accepted"))
        .await;
    assert_eq!(entries(&backend)[0]["ancestorRef"]["name"], "web");
    cluster.delete("HTTPRoute", "shop").await;
    cluster.until("XBackend", "shop", |backend| entries(backend).is_empty()).await;
}

async fn a_second_controller_is_no_fight(cluster: Cluster) {
    cluster.gateway().await;
    cluster.route("shop", "rules: [{backendRefs: [{name: absent, port: 80}]}]").await;
    // One of the same name, and one of another name with a class of its own.
    let (first, same) = (cluster.controller(), cluster.controller());
    let other = Cluster::new(cluster.client.clone(), "a_second_controller_of_another_name").await;
    let other = Cluster { scope: cluster.scope.clone(), ..other };
    other
        .apply(&format!(
            "{{apiVersion: gateway.networking.k8s.io/v1, kind: Gateway, metadata: {{name: theirs, namespace: {}}}, spec: \
             {{gatewayClassName: {}, listeners: [{{name: http, port: 80, protocol: HTTP}}]}}}}",
            cluster.name, other.name
        ))
        .await;
    let second = other.controller();
    cluster
        .apply(
            &cluster
                .route_text("shop", "rules: [{}]")
                .replace("[{name: web}]", "[{name: web}, {name: theirs}]"),
        )
        .await;
    let both = |route: &Value| {
        let accepted = |name: &str| has(&conditions(&parents(route, name)), "Accepted=True/Accepted");
        accepted(&cluster.controller_name) && accepted(&other.controller_name)
    };
    cluster.until("HTTPRoute", "shop", both).await;
    for controller in [&first, &same, &second] {
        idle(controller).await;
    }
    let writes = || [&first, &same, &second].map(|controller| controller.progress().borrow().writes);
    let (before, route) = (writes(), cluster.get("HTTPRoute", "shop").await);
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(writes(), before, "nobody writes any more");
    assert_eq!(
        cluster.get("HTTPRoute", "shop").await["metadata"]["resourceVersion"],
        route["metadata"]["resourceVersion"]
    );
}

async fn an_event_tells_of_what_becomes_worse(cluster: Cluster) {
    cluster.gateway().await;
    cluster.route("shop", "rules: [{}]").await;
    let _controller = cluster.controller();
    cluster.route_until("shop", "Accepted=True/Accepted").await;
    cluster
        .until("Gateway", "web", |gateway| has(&written(&gateway["status"]), "Programmed=True/Programmed"))
        .await;
    let class = cluster.name.as_str();
    cluster
        .until("GatewayClass", class, |class| has(&written(&class["status"]), "Accepted=True/Accepted"))
        .await;
    for (kind, name) in [("HTTPRoute", "shop"), ("Gateway", "web"), ("GatewayClass", class)] {
        assert!(events(&cluster, kind, name).await.is_empty(), "nothing is bad of {kind} {name}");
    }

    cluster.route("shop", "rules: [{backendRefs: [{name: absent, port: 80}]}]").await;
    let note = warning(&cluster, "HTTPRoute", "shop", "BackendNotFound").await;
    assert!(note.starts_with("ResolvedRefs is False (parent "), "{note}");

    // Of a Gateway, a listener; a class is in no namespace.
    cluster
        .gateway_with(
            "listeners: [{name: http, port: 80, protocol: HTTP}, \
             {name: https, port: 443, protocol: HTTPS, tls: {certificateRefs: [{name: absent}]}}]",
        )
        .await;
    let note = warning(&cluster, "Gateway", "web", "InvalidCertificateRef").await;
    assert!(note.starts_with("ResolvedRefs is False (listener https): "), "{note}");
    let unknown =
        json!({"spec": {"parametersRef": {"group": "example.com", "kind": "Tuning", "name": "absent"}}});
    cluster.merge("GatewayClass", class, unknown).await;
    let note = warning(&cluster, "GatewayClass", class, "InvalidParameters").await;
    assert!(note.starts_with("Accepted is False: "), "{note}");
}

/// The note of the warning with this reason about an object, once there is one.
async fn warning(cluster: &Cluster, kind: &str, name: &str, reason: &str) -> String {
    let event = within(async {
        loop {
            let mut events = events(cluster, kind, name).await.into_iter();
            if let Some(event) = events.find(|event| event["reason"] == *reason) {
                return event;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    let event = event.await;
    assert_eq!(event["type"], "Warning", "{event:#}");
    event["note"].as_str().unwrap().to_owned()
}

/// The events about an object; those of objects that are in no namespace are in `default`.
async fn events(cluster: &Cluster, kind: &str, name: &str) -> Vec<Value> {
    let namespace = if kind == "GatewayClass" { "default" } else { cluster.name.as_str() };
    let (client, version) = (cluster.client.clone(), "events.k8s.io/v1");
    let api = crate::cluster::api(client, version, "Event", "events", Some(namespace));
    let all = api.list(&kube::api::ListParams::default()).await.unwrap().items;
    let all = all.into_iter().map(|event| serde_json::to_value(event).unwrap());
    all.filter(|event| event["regarding"]["kind"] == *kind && event["regarding"]["name"] == *name).collect()
}

async fn what_could_not_be_bound_is_said(cluster: Cluster) {
    cluster.gateway().await;
    let controller = cluster.controller();
    cluster
        .until("Gateway", "web", |gateway| has(&written(&gateway["status"]), "Programmed=True/Programmed"))
        .await;
    controller.set_unbound(vec![Unbound {
        gateway: ObjectName::new(cluster.name.as_str(), "web"),
        transport: Transport::Tcp,
        port: 80,
        address: [127, 0, 0, 1].into(),
        cause: UnboundCause::Port,
        message: "address already in use".to_owned(),
    }]);
    let unavailable =
        |gateway: &Value| has(&written(&gateway["status"]["listeners"][0]), "Accepted=False/PortUnavailable");
    cluster.until("Gateway", "web", unavailable).await;
    controller.set_unbound(Vec::new());
    cluster.until("Gateway", "web", |gateway| !unavailable(gateway)).await;
}

// GEN-13
async fn statuses_wait_until_a_table_is_in_use(cluster: Cluster) {
    cluster.gateway().await;
    let (controller, mut updates) = Controller::new(cluster.client.clone(), cluster.options());
    let update = within(updates.next()).await.unwrap();
    // What changes meanwhile is in the next table, and statuses wait all the same.
    cluster.route("shop", "rules: [{}]").await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(controller.progress().borrow().writes, 0);
    let unbound = Unbound {
        gateway: ObjectName::new(cluster.name.as_str(), "web"),
        transport: Transport::Tcp,
        port: 80,
        address: [127, 0, 0, 1].into(),
        cause: UnboundCause::Port,
        message: "address already in use".to_owned(),
    };
    update.applied(vec![unbound]);
    let update = within(updates.next()).await.unwrap();
    assert_eq!(update.changed, [(Kind::HttpRoute, ObjectName::new(cluster.name.as_str(), "shop"))]);
    assert_eq!(controller.progress().borrow().writes, 0);
    drop(update);
    let gateway =
        cluster.until("Gateway", "web", |gateway| gateway["status"]["listeners"][0].is_object()).await;
    assert!(
        has(&written(&gateway["status"]["listeners"][0]), "Accepted=False/PortUnavailable"),
        "{gateway:#}"
    );
    cluster.route_until("shop", "Accepted=True/Accepted").await;

    // Where no table is wanted, nothing waits.
    drop(updates);
    cluster.route("more", "rules: [{}]").await;
    cluster.route_until("more", "Accepted=True/Accepted").await;
}

// GEN-11
async fn what_is_served_at_once_has_its_status_when_more_may_have_come(cluster: Cluster) {
    cluster.gateway().await;
    let options = ControllerOptions { settle: Duration::from_secs(3600), ..cluster.options() };
    let mut controller = Followed::new(cluster.client.clone(), options);
    cluster.route("shop", "rules: [{backendRefs: [{name: shop, port: 80}]}]").await;
    table(&mut controller, |update| update.table.rules().count() == 1).await;
    // Nothing but that is waited for.
    tokio::time::sleep(Duration::from_secs(1)).await;
    let progress = *controller.progress().borrow();
    assert!(progress.is_writing && progress.pending > 0 && progress.writes == 0, "{progress:?}");
    controller.stop().await;
    // The Service comes after the Route, which is not told that there is none.
    let mut options = cluster.options();
    options.settle = Duration::from_secs(5);
    let mut controller = Followed::new(cluster.client.clone(), options);
    table(&mut controller, |update| update.table.rules().count() == 1).await;
    let service = "{apiVersion: v1, kind: Service, metadata: {name: shop, namespace: NAMESPACE}, spec: {ports: [{port: 80}]}}";
    cluster.apply(&service.replace("NAMESPACE", &cluster.name)).await;
    cluster.route_until("shop", "ResolvedRefs=True/ResolvedRefs").await;
    assert!(events(&cluster, "HTTPRoute", "shop").await.is_empty(), "it was never bad");
}

async fn classes_are_shared_out_among_instances_of_one_name(cluster: Cluster) {
    let other = format!("{}-other", cluster.name);
    cluster
        .apply(&format!(
            "{{apiVersion: gateway.networking.k8s.io/v1, kind: GatewayClass, metadata: {{name: {other}}}, spec: \
             {{controllerName: {}}}}}",
            cluster.controller_name
        ))
        .await;
    cluster.gateway().await;
    cluster
        .apply(&format!(
            "{{apiVersion: gateway.networking.k8s.io/v1, kind: Gateway, metadata: {{name: theirs, namespace: {}}}, spec: \
             {{gatewayClassName: {other}, listeners: [{{name: http, port: 80, protocol: HTTP}}]}}}}",
            cluster.name
        ))
        .await;
    let both =
        cluster.route_text("shop", "rules: [{}]").replace("[{name: web}]", "[{name: web}, {name: theirs}]");
    cluster.apply(&both).await;
    let instance = |class: &str| {
        let classes = Some(BTreeSet::from([class.to_owned()]));
        Followed::new(cluster.client.clone(), ControllerOptions { classes, ..cluster.options() })
    };
    let (mut first, mut second) = (instance(&cluster.name), instance(&other));
    let ours = &cluster.controller_name;
    let entries = |number: usize| move |route: &Value| parents(route, ours).len() == number;
    cluster.until("HTTPRoute", "shop", entries(2)).await;
    for controller in [&mut first, &mut second] {
        let update = table(controller, |update| update.table.listeners().count() > 0).await;
        assert_eq!(
            (update.table.listeners().count(), update.diagnostics.len()),
            (1, 0),
            "{:?}",
            update.diagnostics
        );
        idle(controller).await;
    }
    assert_eq!(parents(&cluster.get("HTTPRoute", "shop").await, &cluster.controller_name).len(), 2);
    // Each takes away its own.
    cluster.apply(&cluster.route_text("shop", "rules: [{}]")).await;
    cluster.until("HTTPRoute", "shop", entries(1)).await;
}

// ADR-02
async fn a_gateway_shows_where_its_service_is_reached(cluster: Cluster) {
    cluster.gateway().await;
    let service = ObjectName::new(cluster.name.as_str(), "front");
    let addresses = AddressWatch::new(cluster.client.clone(), &service);
    let controller = cluster.controller();
    let service = |external: &str| {
        format!(
            "{{apiVersion: v1, kind: Service, metadata: {{name: front, namespace: {}}}, spec: {{type: LoadBalancer, \
             ports: [{{port: 80}}], externalIPs: [{external}]}}}}",
            cluster.name
        )
    };
    let mut known = addresses.known();
    for address in ["192.0.2.1", "192.0.2.2"] {
        cluster.apply(&service(address)).await;
        let is_known = |known: &ServiceAddresses| known.ips.iter().any(|ip| ip.to_string() == address);
        let ips = within(async { known.wait_for(is_known).await.unwrap().ips.clone() }).await;
        let shared = DefaultAddresses::Shared(ips);
        controller.set_addresses(AddressPolicy { default: shared, ..AddressPolicy::default() });
        let shown = |gateway: &Value| {
            let addresses = &gateway["status"]["addresses"];
            *addresses == json!([{"type": "IPAddress", "value": address, "routability": ""}])
        };
        cluster.until("Gateway", "web", shown).await;
    }
}

// GEN-05
async fn the_parts_are_of_use_alone_and_merge_what_came_in_between(cluster: Cluster) {
    cluster.gateway().await;
    cluster.route("shop", "rules: [{}]").await;
    let scope = Scope::Namespaces(BTreeSet::from([cluster.name.clone()]));
    let mut watches = Watches::new(cluster.client.clone(), WatchOptions { scope, ..WatchOptions::default() });
    let mut store = Store::default();
    within(async {
        while !watches.is_filled() {
            if let Said::Change(part, change) = watches.next().await {
                store.apply(&part, change);
            }
        }
    })
    .await;
    let options = Options { controller_name: cluster.controller_name.clone(), ..Options::default() };
    let translation = translate(store.resources(), &options);

    // The store does not hear of this any more.
    let entry = json!({"parentRef": {"name": "web"}, "controllerName": "example.net/other", "conditions": [
        {"type": "Accepted", "status": "True", "reason": "Accepted", "message": "", "lastTransitionTime": "2026-01-01T00:00:00Z"}]});
    cluster.write_status("HTTPRoute", "shop", json!({"parents": [entry]})).await;
    let options = WriterOptions {
        controller_name: cluster.controller_name.clone(),
        events: false,
        ..WriterOptions::default()
    };
    let writer = Writer::new(cluster.client.clone(), options);
    let outcomes = writer.write_all(&store, &translation.statuses).await;
    assert_eq!(outcomes.len(), 3, "the class, the Gateway and the Route");
    assert!(outcomes.iter().all(|outcome| matches!(outcome, Ok(Outcome::Written(_)))), "{outcomes:?}");
    let route = cluster.get("HTTPRoute", "shop").await;
    assert!(
        has(&conditions(&parents(&route, &cluster.controller_name)), "Accepted=True/Accepted"),
        "{route:#}"
    );
    assert_eq!(parents(&route, "example.net/other").len(), 1, "{route:#}");
}
