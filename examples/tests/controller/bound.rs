//! Statuses and sockets: no status promises a socket before it is bound.

use std::net::{Ipv4Addr, TcpListener};
use std::pin::pin;
use std::sync::{Arc, Mutex};

use futures_util::StreamExt;
use kube::api::DynamicObject;
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, Event, watcher};
use serde_json::Value;

use crate::cluster::{Cluster, has, written};
use crate::control_plane::ControlPlane;
use crate::program::Controller;

crate::tests!["bound":
    a_port_that_another_process_holds_is_never_said_to_be_served,
];

/// The names of all Gateways of which a status that was stored ever said that they are programmed.
struct Promised(Arc<Mutex<Vec<String>>>);

// === impl Promised ===

impl Promised {
    /// Watches from now on.
    fn watch(cluster: &Cluster) -> Self {
        let (promised, api) = (Arc::<Mutex<Vec<String>>>::default(), cluster.api("Gateway"));
        let names = promised.clone();
        tokio::spawn(async move {
            // Without waits, it would not even let its runtime end, once the API server has.
            let mut events = pin!(watcher(api, watcher::Config::default()).default_backoff());
            while let Some(event) = events.next().await {
                if let Ok(Event::Apply(gateway) | Event::InitApply(gateway)) = event {
                    names.lock().unwrap().extend(programmed(gateway));
                }
            }
        });
        Self(promised)
    }

    fn names(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

fn programmed(gateway: DynamicObject) -> Option<String> {
    let name = gateway.metadata.name?;
    has(&written(&gateway.data["status"]), "Programmed=True/Programmed").then_some(name)
}

// GEN-13
async fn a_port_that_another_process_holds_is_never_said_to_be_served(
    control_plane: ControlPlane,
    cluster: Cluster,
) {
    const ADDRESSES: std::ops::Range<u8> = 1..9;
    let ip = |last: u8| Ipv4Addr::new(127, 77, 2, last);
    let mut held: Vec<_> = ADDRESSES.map(|last| TcpListener::bind((ip(last), 8080)).unwrap()).collect();
    let promised = Promised::watch(&cluster);
    let gateway = async |last: u8| {
        let name = &cluster.name;
        cluster
            .apply(&format!(
                "{{apiVersion: gateway.networking.k8s.io/v1, kind: Gateway, metadata: {{name: held-{last}, namespace: {name}}}, \
                 spec: {{gatewayClassName: {name}, addresses: [{{value: {}}}], \
                 listeners: [{{name: http, port: 8080, protocol: HTTP}}]}}}}",
                ip(last)
            ))
            .await;
    };
    // Some are there when the controller starts, and others come later.
    cluster.gateway_with("listeners: [{name: http, port: 8081, protocol: HTTP}]").await;
    for last in ADDRESSES.take(4) {
        gateway(last).await;
    }
    let controller = Controller::start(&control_plane, &cluster, &["--address-pool", "127.77.2.128/28"]);
    controller.until_ready(200).await;
    for last in ADDRESSES.skip(4) {
        gateway(last).await;
    }
    let unavailable =
        |gateway: &Value| has(&written(&gateway["status"]["listeners"][0]), "Accepted=False/PortUnavailable");
    for last in ADDRESSES {
        cluster.until("Gateway", &format!("held-{last}"), unavailable).await;
    }
    cluster
        .until("Gateway", "web", |gateway| has(&written(&gateway["status"]), "Programmed=True/Programmed"))
        .await;
    let names: Vec<_> = promised.names().into_iter().filter(|name| name != "web").collect();
    assert!(names.is_empty(), "programmed, it was said: {names:?}");

    // When it is free, it is bound, and that is said.
    held.clear();
    for last in ADDRESSES {
        let served = |gateway: &Value| has(&written(&gateway["status"]), "Programmed=True/Programmed");
        cluster.until("Gateway", &format!("held-{last}"), served).await;
    }
}
