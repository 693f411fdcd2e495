//! ServiceImports: endpoints in several clusters, of which one may go while requests are under way.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use gateway_core::api::{AnyObject, Kind};
use gateway_core::manifest;
use gateway_core::name::ObjectName;
use gateway_core::options::Options;
use gateway_core::translate::Translator;
use gateway_tower::serve::ServeOptions;
use gateway_tower::upstream::{Upstream, UpstreamOptions};
use gateway_tower::{Connection, Gateway, TableHandle};
use http::{Response, StatusCode};

use crate::world::{Client, LONG, World, backend, full, get};

const ROUTE: &str = "
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: gateway}
spec: {gatewayClassName: any, listeners: [{name: http, port: 80, protocol: HTTP}]}
---
apiVersion: multicluster.x-k8s.io/v1beta1
kind: ServiceImport
metadata: {name: shop}
spec: {type: ClusterSetIP, ports: [{name: web, port: 80}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: shop}
spec:
  parentRefs: [{name: gateway}]
  rules: [{backendRefs: [{group: multicluster.x-k8s.io, kind: ServiceImport, name: shop, port: 80}]}]
";

/// The endpoints that a cluster exports, as their importer writes them.
fn slice(cluster: &str, endpoint: SocketAddr) -> AnyObject {
    let text = format!(
        "{{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {{name: shop-{cluster}, labels: \
         {{multicluster.kubernetes.io/service-name: shop, multicluster.kubernetes.io/source-cluster: {cluster}}}}}, addressType: \
         IPv4, ports: [{{name: web, port: {}}}], endpoints: [{{addresses: ['{}']}}]}}",
        endpoint.port(),
        endpoint.ip()
    );
    objects(&text).remove(0)
}

fn objects(text: &str) -> Vec<AnyObject> {
    let read = manifest::read(text, "test.yaml");
    assert!(read.problems.is_empty(), "{:?}", read.problems);
    read.objects.into_iter().map(|(object, _)| object).collect()
}

/// A backend in a cluster, which says where it is, and takes a moment.
async fn pod(cluster: &'static str) -> SocketAddr {
    backend(move |_| async move {
        tokio::time::sleep(Duration::from_millis(2)).await;
        Response::new(full(cluster))
    })
    .await
}

/// The clusters that answered, after so many requests.
async fn answered(world: &World, requests: usize) -> Vec<String> {
    let mut client = Client::http1(world.connect().await).await;
    let mut clusters = Vec::new();
    for _ in 0..requests {
        let answer = client.send(get("/")).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        clusters.push(answer.text().to_owned());
    }
    clusters.sort();
    clusters.dedup();
    clusters
}

// HRB-17, HRB-12
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_fails_when_the_endpoints_of_one_cluster_go() {
    let mut translator = Translator::new(Options { any_class: true, ..Options::default() });
    objects(ROUTE).into_iter().for_each(|object| translator.insert(object));
    let (east, west) = (pod("east").await, pod("west").await);
    translator.insert(slice("east", east));
    translator.insert(slice("west", west));
    let tables = TableHandle::new(translator.translate().table.clone());
    let gateway = Gateway::new(tables.clone(), Upstream::new(UpstreamOptions::default()));
    let world = World::serving(tables, ServeOptions::default(), move |connection: Arc<Connection>| {
        gateway.clone().on(connection)
    })
    .await;
    assert_eq!(answered(&world, 20).await, ["east", "west"]);

    // While one client sends one request after the other, the slices of one cluster go, come back, and those of the other go.
    let (is_over, sent) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let mut client = Client::http1(world.connect().await).await;
    let load = tokio::spawn({
        let (is_over, sent) = (is_over.clone(), sent.clone());
        async move {
            while !is_over.load(Ordering::Relaxed) {
                let answer = client.send(get("/")).await;
                assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
                sent.fetch_add(1, Ordering::Relaxed);
            }
        }
    });
    let more = async |requests: usize| {
        let wanted = sent.load(Ordering::Relaxed) + requests;
        let come = async {
            while sent.load(Ordering::Relaxed) < wanted {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        tokio::time::timeout(LONG, come).await.expect("requests go on");
    };
    let gone = |translator: &mut Translator, cluster: &str| {
        translator.remove(Kind::EndpointSlice, &ObjectName::new("default", format!("shop-{cluster}")));
    };
    for (cluster, endpoint, rest) in [("west", west, "east"), ("east", east, "west"), ("west", west, "east")]
    {
        more(10).await;
        gone(&mut translator, cluster);
        world.tables.store(translator.translate().table.clone());
        assert_eq!(answered(&world, 10).await, [rest], "{cluster} is gone");
        more(10).await;
        translator.insert(slice(cluster, endpoint));
        world.tables.store(translator.translate().table.clone());
        assert_eq!(answered(&world, 20).await, ["east", "west"], "{cluster} is back");
    }
    is_over.store(true, Ordering::Relaxed);
    load.await.expect("every request is answered");

    // Without any, it is as with a Service.
    gone(&mut translator, "east");
    gone(&mut translator, "west");
    world.tables.store(translator.translate().table.clone());
    assert_eq!(world.send(get("/")).await.status, StatusCode::SERVICE_UNAVAILABLE);
}
