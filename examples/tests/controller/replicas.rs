//! Several replicas behind a Service: the same tables, one that writes, and no request that fails when they are replaced.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use tokio::task::JoinHandle;

use crate::cluster::{Cluster, api};
use crate::control_plane::ControlPlane;
use crate::load::{Load, Service};
use crate::program::{Controller, backend, free_port, until_served};

crate::tests!["replicas":
    replicas_have_equal_tables_and_one_that_writes,
    no_request_fails_when_replicas_are_replaced_under_load,
];

/// How many replicas there are.
const REPLICAS: usize = 3;

/// The Lease's duration, and how often it is asked for.
const LEASE: Duration = Duration::from_secs(15);
const LEASE_INTERVAL: Duration = Duration::from_secs(2);

/// A replica, with a port of its own for what comes to port 80.
struct Replica {
    controller: Controller,
    address: SocketAddr,
}

// === impl Replica ===

impl Replica {
    fn start(control_plane: &ControlPlane, cluster: &Cluster, identity: &str) -> Self {
        let name = &cluster.name;
        let port = free_port();
        let (service, map, lease) =
            (format!("service={name}/front"), format!("80={port}"), format!("{name}/gateway"));
        let args = [
            "--address-from",
            &service,
            "--port-map",
            &map,
            "--lease",
            &lease,
            "--identity",
            identity,
            "--shutdown-delay",
            "1s",
            "--drain-timeout",
            "10s",
        ];
        let controller = Controller::start(control_plane, cluster, &args);
        Self { controller, address: (Ipv4Addr::LOCALHOST, port).into() }
    }

    /// The line about its table, once it is this number of rules.
    async fn table(&self, rules: usize) -> String {
        let rules = format!(" {rules} rules");
        let is_there =
            |body: &str| body.lines().any(|line| line.starts_with("table ") && line.contains(&rules));
        let admin = self.controller.gateway.admin();
        let answer = self.controller.gateway.until(admin, "/status", |answer| is_there(&answer.body)).await;
        answer.body.lines().find(|line| line.starts_with("table ")).unwrap().to_owned()
    }
}

/// The address, the class, a Gateway, and what the replicas serve.
async fn prepare(cluster: &Cluster) {
    cluster
        .apply(&format!(
            "{{apiVersion: v1, kind: Service, metadata: {{name: front, namespace: {}}}, spec: {{type: LoadBalancer, \
             ports: [{{port: 80}}], externalIPs: [192.0.2.1]}}}}",
            cluster.name
        ))
        .await;
    cluster.gateway().await;
}

async fn holder(cluster: &Cluster) -> Option<String> {
    let api = api(cluster.client.clone(), "coordination.k8s.io/v1", "Lease", "leases", Some(&cluster.name));
    let lease = api.get_opt("gateway").await.unwrap()?;
    lease.data["spec"]["holderIdentity"].as_str().map(str::to_owned)
}

async fn replicas_have_equal_tables_and_one_that_writes(control_plane: ControlPlane, cluster: Cluster) {
    prepare(&cluster).await;
    let _backend = backend(&cluster, "shop").await;
    let route = async |index: usize| {
        let rules = format!(
            "hostnames: [host-{index}.example], rules: [{{backendRefs: [{{name: shop, port: 80}}]}}, \
             {{matches: [{{path: {{value: /{index}}}}}], backendRefs: [{{name: absent, port: 80}}]}}]"
        );
        cluster.route(&format!("route-{index}"), &rules).await;
    };
    // They do not see the same history: routes come between their starts.
    let mut replicas = Vec::new();
    for index in 0..REPLICAS {
        route(index).await;
        let replica = Replica::start(&control_plane, &cluster, &format!("replica-{index}"));
        replica.controller.until_ready(200).await;
        replicas.push(replica);
    }
    cluster.delete("HTTPRoute", "route-0").await;
    route(REPLICAS).await;
    let mut tables = BTreeSet::new();
    for replica in &replicas {
        tables.insert(replica.table(REPLICAS * 2).await);
    }
    assert_eq!(tables.len(), 1, "{tables:#?}");

    // The first has the Lease. It is killed, and what is to be said is said when another has it.
    cluster.route_until(&format!("route-{REPLICAS}"), "Accepted=True/Accepted").await;
    assert_eq!(holder(&cluster).await.as_deref(), Some("replica-0"));
    drop(replicas.remove(0));
    let killed = Instant::now();
    route(REPLICAS + 1).await;
    let name = format!("route-{}", REPLICAS + 1);
    cluster.route_until(&name, "Accepted=True/Accepted").await;
    let took = killed.elapsed();
    assert_ne!(holder(&cluster).await.as_deref(), Some("replica-0"));
    // A machine that does much else takes a moment for a round.
    assert!(took < LEASE + LEASE_INTERVAL + Duration::from_secs(8), "it took {took:?}");
    eprintln!("statuses were written again {took:?} after the leader was killed");
    // Who served all the time goes on.
    let tables: BTreeSet<_> =
        [replicas[0].table(REPLICAS * 2 + 2).await, replicas[1].table(REPLICAS * 2 + 2).await].into();
    assert_eq!(tables.len(), 1, "{tables:#?}");

    // One that ends by itself hands over at once.
    let leader = holder(&cluster).await.unwrap();
    let leader = replicas.remove(usize::from(leader == "replica-2"));
    leader.controller.gateway.terminate();
    assert!(leader.controller.gateway.ended().success());
    let ended = Instant::now();
    route(REPLICAS + 2).await;
    cluster.route_until(&format!("route-{}", REPLICAS + 2), "Accepted=True/Accepted").await;
    assert!(ended.elapsed() < LEASE, "it took {:?}", ended.elapsed());
}

/// `GATEWAY_ROLLOUTS=20` for more rounds than the two of an ordinary run.
async fn no_request_fails_when_replicas_are_replaced_under_load(
    control_plane: ControlPlane,
    cluster: Cluster,
) {
    let rounds = std::env::var("GATEWAY_ROLLOUTS").map_or(2, |rounds| rounds.parse().unwrap());
    prepare(&cluster).await;
    let _backend = backend(&cluster, "shop").await;
    cluster.route("shop", "rules: [{backendRefs: [{name: shop, port: 80}]}]").await;
    let service = Service::default();
    let start = async |identity: &str| {
        let replica = Replica::start(&control_plane, &cluster, identity);
        replica.controller.until_ready(200).await;
        until_served(replica.address, "/").await;
        let probes = service.follow(&replica.controller, replica.address);
        (replica, probes)
    };
    let mut replicas: Vec<(Replica, JoinHandle<()>)> = Vec::new();
    for index in 0..REPLICAS {
        replicas.push(start(&format!("replica-{index}")).await);
    }
    service.until_ready(REPLICAS).await;

    let load = Load::start(&service);
    for round in 0..rounds {
        for index in 0..REPLICAS {
            let (replica, probes) = replicas.remove(0);
            replica.controller.gateway.terminate();
            let lines = replica.controller.gateway.lines();
            assert!(replica.controller.gateway.ended().success(), "{lines:#?}");
            probes.abort();
            replicas.push(start(&format!("replica-{round}-{index}")).await);
            service.until_ready(REPLICAS).await;
        }
        load.check(&format!("in round {round}"));
    }
    load.end(&format!("{} replicas replaced", rounds * REPLICAS)).await;
}
