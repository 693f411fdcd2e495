//! An API server that goes, forgets and refuses: everything comes right in the end.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use gateway_kube::controller::ControllerOptions;
use gateway_kube::metrics::Metrics;
use gateway_kube::metrics::prometheus_client::encoding::text::encode;
use gateway_kube::metrics::prometheus_client::registry::Registry;
use http::{Method, Request};
use kube::Client;
use kube::client::Body;
use serde_json::{Value, json};
use tower::service_fn;

use crate::Faulty;
use crate::cluster::{Followed, Seen, conditions, has, idle, parents, table, within, written};

crate::fault_tests!["faults":
    statuses_come_right_after_twenty_crashes_of_the_api_server,
    a_watch_lists_again_when_the_past_is_forgotten,
    another_write_in_between_is_merged,
    writes_that_are_never_answered_keep_no_others_from_being_written,
];

async fn statuses_come_right_after_twenty_crashes_of_the_api_server(mut faulty: Faulty) {
    let cluster = faulty.cluster("crashes").await;
    cluster.gateway().await;
    let controller = cluster.controller();
    cluster
        .until("Gateway", "web", |gateway| has(&written(&gateway["status"]), "Programmed=True/Programmed"))
        .await;
    for crash in 0..20 {
        // Writes are under way when it goes.
        cluster.route(&format!("route-{crash}"), "rules: [{backendRefs: [{name: absent, port: 80}]}]").await;
        faulty.control_plane.kill_api_server();
        if crash % 5 == 4 {
            faulty.control_plane.compact();
        }
        faulty.control_plane.start_api_server().await;
    }
    let all = |gateway: &Value| gateway["status"]["listeners"][0]["attachedRoutes"] == 20;
    cluster.until("Gateway", "web", all).await;
    for crash in 0..20 {
        let route =
            cluster.route_until(&format!("route-{crash}"), "ResolvedRefs=False/BackendNotFound").await;
        assert_eq!(parents(&route, &cluster.controller_name).len(), 1);
    }
    idle(&controller).await;
    controller.stop().await;
    let next = cluster.controller();
    idle(&next).await;
    assert_eq!(next.progress().borrow().writes, 0, "all was written");
}

async fn a_watch_lists_again_when_the_past_is_forgotten(mut faulty: Faulty) {
    let cluster = faulty.cluster("forgotten").await;
    cluster.gateway().await;
    cluster.route("goes", "rules: [{}]").await;
    cluster.route("stays", "rules: [{}]").await;
    let mut registry = Registry::default();
    let observer = Metrics::new(&mut registry);
    let options = ControllerOptions { observer: Some(Arc::new(observer)), ..cluster.options() };
    let mut controller = Followed::new(cluster.client.clone(), options);
    let routes = |update: &Seen| {
        let mut all: Vec<String> = update.table.rules().map(|rule| rule.id.to_string()).collect();
        all.sort();
        all
    };
    let id = |name: &str| format!("{}/{name}/0", cluster.name);
    table(&mut controller, |update| routes(update) == [id("goes"), id("stays")]).await;
    // The watches come back later than this, to an API server that does not know where they stopped.
    faulty.control_plane.kill_api_server();
    faulty.control_plane.start_api_server().await;
    cluster.delete("HTTPRoute", "goes").await;
    cluster.route("comes", "rules: [{}]").await;
    faulty.control_plane.compact();
    table(&mut controller, |update| routes(update) == [id("comes"), id("stays")]).await;
    let mut text = String::new();
    encode(&mut text, &registry).unwrap();
    for cause in ["failed", "expired"] {
        let restarts = format!(r#"gateway_watch_restarts_total{{kind="HTTPRoute",cause="{cause}"}}"#);
        assert!(text.contains(&restarts), "no {restarts} in\n{text}");
    }
}

// GEN-05
async fn another_write_in_between_is_merged(mut faulty: Faulty) {
    let cluster = faulty.cluster("conflicts").await;
    cluster.gateway().await;
    let controller = cluster.controller();
    let other = async {
        // Another controller writes its entry again and again, and a user the specification.
        for round in 0..30 {
            let spec = format!("rules: [{{backendRefs: [{{name: absent-{round}, port: 80}}]}}]");
            cluster.route("shop", &spec).await;
            let entry = |route: &Value| {
                let mut entries = route["status"]["parents"].as_array().cloned().unwrap_or_default();
                entries.retain(|entry| entry["controllerName"] != "example.net/other");
                entries.push(json!({"parentRef": {"name": "theirs"}, "controllerName": "example.net/other", "conditions": [
                    {"type": "Accepted", "status": "True", "reason": "Accepted", "message": round.to_string(),
                     "lastTransitionTime": "2026-01-01T00:00:00Z"}]}));
                entries
            };
            loop {
                let route = cluster.get("HTTPRoute", "shop").await;
                let version = &route["metadata"]["resourceVersion"];
                let patch =
                    json!({"metadata": {"resourceVersion": version}, "status": {"parents": entry(&route)}});
                if cluster.try_write("HTTPRoute", "shop", &patch).await {
                    break;
                }
            }
        }
    };
    other.await;
    let right = |route: &Value| {
        let ours = parents(route, &cluster.controller_name);
        let theirs = parents(route, "example.net/other");
        has(&conditions(&ours), "ResolvedRefs=False/BackendNotFound")
            && ours[0]["conditions"][0]["observedGeneration"] == route["metadata"]["generation"]
            && theirs.first().is_some_and(|entry| entry["conditions"][0]["message"] == "29")
    };
    cluster.until("HTTPRoute", "shop", right).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(right(&cluster.get("HTTPRoute", "shop").await), "and stays so");
    assert_eq!(controller.progress().borrow().failures, 0);
}

/// A client of which so many requests to write are never answered.
fn silent(client: Client, requests: &Arc<AtomicUsize>) -> Client {
    let left = Arc::clone(requests);
    let service = service_fn(move |request: Request<Body>| {
        let (client, left) = (client.clone(), Arc::clone(&left));
        async move {
            let take = |left: usize| left.checked_sub(1);
            if request.method() == Method::PATCH
                && left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, take).is_ok()
            {
                pending::<()>().await;
            }
            client.send(request).await
        }
    });
    Client::new(service, "default")
}

async fn writes_that_are_never_answered_keep_no_others_from_being_written(mut faulty: Faulty) {
    let cluster = faulty.cluster("silent").await;
    cluster.gateway().await;
    for route in 0..10 {
        cluster.route(&format!("route-{route}"), "rules: [{}]").await;
    }
    // As many as there may be at once, by connections of which the API server knows nothing any more.
    let options = ControllerOptions { answer_timeout: Duration::from_secs(1), ..cluster.options() };
    let requests = Arc::new(AtomicUsize::new(options.concurrency));
    let controller = Followed::new(silent(cluster.client.clone(), &requests), options);
    for route in 0..10 {
        cluster.route_until(&format!("route-{route}"), "Accepted=True/Accepted").await;
    }
    idle(&controller).await;
    assert_eq!(controller.progress().borrow().failures, 8);

    // The end waits for none.
    requests.store(usize::MAX, Ordering::SeqCst);
    let writes = controller.progress().borrow().writes;
    cluster.route("last", "rules: [{}]").await;
    within(controller.progress().wait_for(|progress| progress.writes > writes)).await.unwrap();
    within(controller.stop()).await;
}
