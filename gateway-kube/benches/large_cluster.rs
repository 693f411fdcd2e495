//! The cost of thousands of Routes to a controller: time until a new one is in a table and until its status is written, memory, writes,
//! and one change.
//!
//! Needs the control plane of the tests. `cargo bench -p gateway-kube --bench large_cluster -- 5000`; how long a Route takes until it
//! is served, the benchmark `propagation` of the examples says.

#[path = "../tests/cluster/cluster.rs"]
#[expect(dead_code, reason = "the tests need more of it")]
mod cluster;
#[path = "../tests/cluster/control_plane.rs"]
#[expect(dead_code, reason = "the tests need more of it")]
mod control_plane;
mod routes;

use std::collections::HashMap;
use std::fs;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use gateway_core::api::Kind;
use tokio::time::Instant;

use crate::cluster::{Cluster, Followed};
use crate::control_plane::ControlPlane;
use crate::routes::{Process, Statuses, Waits, on_a_cluster, rules};

/// A Route on its way.
struct Created {
    name: String,
    /// When its creation was answered.
    at: Instant,
    in_table: Instant,
}

fn main() {
    on_a_cluster("large", measure);
}

async fn measure(_: &ControlPlane, cluster: &Cluster, number: usize) {
    cluster.gateway().await;
    let service = format!(
        "{{apiVersion: v1, kind: Service, metadata: {{name: shop, namespace: {}}}, spec: {{ports: [{{port: 80}}]}}}}",
        cluster.name
    );
    cluster.apply(&service).await;
    let mut options = cluster.options();
    options.events = false;
    let mut controller = Followed::new(cluster.client.clone(), options);
    create(cluster, &mut controller, 0..10).await;
    settle(&controller).await;
    let few = one_change(cluster, &mut controller).await;
    let (memory, writes) = (Process::this().resident(), controller.progress().borrow().writes);

    let mut statuses = Statuses::follow(cluster);
    let (begun, busy) = (Instant::now(), Process::this().cpu());
    let created = create(cluster, &mut controller, 10..number).await;
    let all_created = begun.elapsed();
    let mut written = Vec::new();
    for route in &created {
        written.push(statuses.accepted(&route.name).await.saturating_duration_since(route.at));
    }
    drop(statuses);
    let busy = Process::this().cpu() - busy;
    settle(&controller).await;
    let settled = begun.elapsed();
    let progress = *controller.progress().borrow();
    // The watch may be faster than the answer.
    let in_table = created.iter().map(|route| route.in_table.saturating_duration_since(route.at));
    eprintln!(
        "{number} HTTPRoutes, created 16 at a time in {all_created:?}; nothing more to write after {settled:?}"
    );
    eprintln!("created until in a table: {}", Waits::new(in_table));
    eprintln!("created until the status is written: {}", Waits::new(written));
    eprintln!("CPU until then: {busy:?}, with that of creating and of watching statuses");
    eprintln!(
        "translations {}, writes {}, failures {}",
        progress.translations,
        progress.writes - writes,
        progress.failures
    );
    eprintln!(
        "memory: {} KiB more, {} bytes a Route",
        Process::this().resident() - memory,
        (Process::this().resident() - memory) * 1024 / number as u64
    );
    let many = one_change(cluster, &mut controller).await;
    eprintln!("one change: {few:?} of CPU with 10 Routes, {many:?} with {number}");
}

/// Creates Routes, and waits until all are in a table.
async fn create(cluster: &Cluster, controller: &mut Followed, range: std::ops::Range<usize>) -> Vec<Created> {
    let number = range.len();
    let (sender, mut answered) = tokio::sync::mpsc::unbounded_channel();
    let create = stream::iter(range).for_each_concurrent(16, |index| {
        let sender = sender.clone();
        async move {
            let name = format!("route-{index}");
            cluster.route(&name, &rules(index)).await;
            sender.send((name, Instant::now())).unwrap();
        }
    });
    let mut in_table = HashMap::new();
    let follow = async {
        while in_table.len() < number {
            let update = controller.next().await;
            let now = Instant::now();
            for (kind, key) in update.changed {
                if kind == Kind::HttpRoute {
                    in_table.entry(key.name.to_string()).or_insert(now);
                }
            }
        }
    };
    tokio::join!(create, follow);
    drop(sender);
    let mut created = Vec::new();
    while let Some((name, at)) = answered.recv().await {
        let in_table = in_table[&name];
        created.push(Created { name, at, in_table });
    }
    created
}

/// CPU time of a change of one Route, with the request that makes it: the least of many.
async fn one_change(cluster: &Cluster, controller: &mut Followed) -> Duration {
    let mut least = Duration::MAX;
    for round in 0..20 {
        settle(controller).await;
        let before = cpu();
        cluster.route("route-1", &rules(1).replace("/a", &format!("/round-{round}"))).await;
        loop {
            let update = controller.next().await;
            if update.changed.iter().any(|(_, key)| &*key.name == "route-1") {
                break;
            }
        }
        settle(controller).await;
        least = least.min(cpu() - before);
    }
    least
}

async fn settle(controller: &Followed) {
    let mut quiet = 0;
    while quiet < 3 {
        tokio::time::sleep(Duration::from_millis(200)).await;
        quiet = if controller.progress().borrow().pending == 0 { quiet + 1 } else { 0 };
    }
}

/// CPU time of this process, in nanoseconds: the first number of `schedstat` of each of its threads.
fn cpu() -> Duration {
    let threads = fs::read_dir("/proc/self/task").unwrap();
    let times = threads.filter_map(|thread| {
        let text = fs::read_to_string(thread.ok()?.path().join("schedstat")).ok()?;
        text.split(' ').next()?.parse::<u64>().ok()
    });
    Duration::from_nanos(times.sum())
}
