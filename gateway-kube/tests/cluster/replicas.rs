//! Several replicas: all serve, one writes.

use std::sync::Arc;
use std::time::Duration;

use gateway_kube::controller::ControllerOptions;
use gateway_kube::lease::LeaseOptions;
use gateway_kube::metrics::Metrics;
use gateway_kube::metrics::prometheus_client::encoding::text::encode;
use gateway_kube::metrics::prometheus_client::registry::Registry;

use crate::cluster::{Cluster, Followed, has, idle, table, within, written};

crate::tests!["replicas":
    one_writes_and_the_next_takes_over,
    what_a_controller_does_is_counted,
];

async fn one_writes_and_the_next_takes_over(cluster: Cluster) {
    cluster.gateway().await;
    let replica = |identity: &str| {
        let lease = LeaseOptions {
            duration: Duration::from_secs(3),
            interval: Duration::from_millis(300),
            ..LeaseOptions::new(&cluster.name, "gateway", identity)
        };
        Followed::new(cluster.client.clone(), ControllerOptions { lease: Some(lease), ..cluster.options() })
    };
    let writes = async |controller: &Followed| {
        let mut progress = controller.progress();
        within(async { progress.wait_for(|progress| progress.is_writing).await.map(|progress| *progress) })
            .await
            .unwrap();
    };
    let first = replica("first");
    writes(&first).await;
    let mut second = replica("second");
    table(&mut second, |update| update.table.listeners().count() > 0).await;
    cluster
        .until("Gateway", "web", |gateway| has(&written(&gateway["status"]), "Programmed=True/Programmed"))
        .await;
    assert!(!second.progress().borrow().is_writing && second.progress().borrow().writes == 0);

    // The second takes over at once when the first gives the Lease back ...
    first.stop().await;
    writes(&second).await;
    cluster.route("shop", "rules: [{}]").await;
    cluster.route_until("shop", "Accepted=True/Accepted").await;

    // ... and the third when the second is gone without a word.
    drop(second);
    let third = replica("third");
    writes(&third).await;
    cluster.delete("HTTPRoute", "shop").await;
    cluster.until("Gateway", "web", |gateway| gateway["status"]["listeners"][0]["attachedRoutes"] == 0).await;
}

async fn what_a_controller_does_is_counted(cluster: Cluster) {
    cluster.gateway().await;
    cluster.route("shop", "rules: [{}]").await;
    let mut registry = Registry::default();
    let observer = Metrics::new(&mut registry);
    let options = ControllerOptions { observer: Some(Arc::new(observer)), ..cluster.options() };
    let controller = Followed::new(cluster.client.clone(), options);
    cluster.route_until("shop", "Accepted=True/Accepted").await;
    cluster
        .until("Gateway", "web", |gateway| has(&written(&gateway["status"]), "Programmed=True/Programmed"))
        .await;
    idle(&controller).await;
    let mut text = String::new();
    encode(&mut text, &registry).unwrap();
    let number = |name: &str| -> u64 {
        let lines = text.lines().filter_map(|line| line.strip_prefix(name)?.rsplit_once(' '));
        lines.map(|(_, number)| number.parse::<u64>().unwrap()).sum()
    };
    let progress = *controller.progress().borrow();
    assert_eq!(number("gateway_reconcile_duration_seconds_count"), progress.translations, "{text}");
    assert_eq!(number("gateway_status_writes_total"), progress.writes, "{text}");
    assert_eq!(number("gateway_status_writes_total{kind=\"HTTPRoute\",result=\"written\"}"), 1, "{text}");
    assert_eq!(number("gateway_leader"), 1, "{text}");
}
