//! The cluster of benchmarks and their Routes, the arrival of their statuses, and many waits in a few words.

mod process;

use std::collections::HashMap;
use std::fmt;
use std::pin::pin;
use std::time::Duration;

use futures_util::StreamExt;
use kube::api::DynamicObject;
use kube::runtime::watcher::{self, Event, watcher};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::cluster::{self, Cluster, conditions, has, parents};
use crate::control_plane::{self, ControlPlane};

pub(crate) use self::process::Process;

/// Measures something on a control plane of its own, in a namespace of this name, with as many Routes as the command line says: 5,000
/// unless it has a number. Without the programs of a control plane it says so, and is left out.
pub(crate) fn on_a_cluster(namespace: &str, measure: impl AsyncFnOnce(&ControlPlane, &Cluster, usize)) {
    let number = std::env::args().find_map(|argument| argument.parse::<usize>().ok()).unwrap_or(5000);
    let assets = match control_plane::assets() {
        Ok(assets) => assets,
        Err(why) => return eprintln!("left out: {why}"),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let control_plane = ControlPlane::start(assets).await;
        let client = kube::Client::try_from(control_plane.config("admin")).unwrap();
        cluster::install(&client, &control_plane::definitions("v1.7.0").unwrap()).await;
        measure(&control_plane, &Cluster::new(client, namespace).await, number).await;
    });
}

/// The spec of an HTTPRoute with a hostname of its own, and two rules that lead to Service `shop`.
pub(crate) fn rules(index: usize) -> String {
    format!(
        "hostnames: [{}], rules: [{{matches: [{{path: {{value: /a}}}}], backendRefs: [{{name: shop, port: 80}}]}}, \
         {{matches: [{{path: {{value: /b}}}}], backendRefs: [{{name: shop, port: 80}}]}}]",
        hostname(index)
    )
}

/// The hostname of an HTTPRoute.
pub(crate) fn hostname(index: usize) -> String {
    format!("host-{index}.example")
}

/// When HTTPRoutes of a test's namespace have a status that says that they are accepted, as a watch of somebody else hears it.
pub(crate) struct Statuses {
    heard: mpsc::UnboundedReceiver<(String, Instant)>,
    accepted: HashMap<String, Instant>,
    task: JoinHandle<()>,
}

/// How long something took, again and again.
pub(crate) struct Waits(Vec<Duration>);

// === impl Statuses ===

impl Statuses {
    pub(crate) fn follow(cluster: &Cluster) -> Self {
        let (sender, heard) = mpsc::unbounded_channel();
        let (routes, controller_name) = (cluster.api("HTTPRoute"), cluster.controller_name.clone());
        let task = tokio::spawn(async move {
            let mut events = pin!(watcher(routes, watcher::Config::default()));
            while let Some(event) = events.next().await {
                let (Event::Apply(route) | Event::InitApply(route)) = event.expect("the API server is there")
                else {
                    continue;
                };
                let now = Instant::now();
                let DynamicObject { metadata, data, .. } = route;
                if has(&conditions(&parents(&data, &controller_name)), "Accepted=True/Accepted") {
                    // The benchmark may have ended.
                    let _ = sender.send((metadata.name.unwrap_or_default(), now));
                }
            }
        });
        Self { heard, accepted: HashMap::new(), task }
    }

    /// Waits until a Route is accepted, and says since when it is.
    pub(crate) async fn accepted(&mut self, name: &str) -> Instant {
        loop {
            if let Some(since) = self.accepted.get(name) {
                return *since;
            }
            let (heard, now) = self.heard.recv().await.expect("the watch goes on");
            self.accepted.entry(heard).or_insert(now);
        }
    }
}

impl Drop for Statuses {
    fn drop(&mut self) {
        self.task.abort();
    }
}

// === impl Waits ===

impl Waits {
    /// Of at least one.
    pub(crate) fn new(waits: impl IntoIterator<Item = Duration>) -> Self {
        let mut waits: Vec<_> = waits.into_iter().collect();
        waits.sort();
        assert!(!waits.is_empty(), "nothing was waited for");
        Self(waits)
    }

    fn percentile(&self, percent: usize) -> f64 {
        let index = (self.0.len() * percent / 100).min(self.0.len() - 1);
        self.0[index].as_secs_f64() * 1000.0
    }
}

/// As p50, p99 and the most, in milliseconds.
impl fmt::Display for Waits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [middle, high, most] = [50, 99, 100].map(|percent| self.percentile(percent));
        write!(f, "p50 {middle:.1} ms, p99 {high:.1} ms, most {most:.1} ms")
    }
}
