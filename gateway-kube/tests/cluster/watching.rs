//! Changes in a cluster become tables.

use gateway_core::api::Kind;
use gateway_core::matching::RequestHead;
use gateway_core::name::ObjectName;
use gateway_core::table::{FrontendOwner, RouteTable, Transport};

use crate::cluster::{Cluster, Seen, table};

crate::tests!["watching":
    a_table_follows_what_is_created_changed_and_deleted,
    endpoints_of_both_families_are_found_by_the_name_of_their_port,
];

/// The rule that answers a request to port 80 of Gateway `web`, as `namespace/route/rule`.
fn rule(table: &RouteTable, namespace: &str, path: &str) -> Option<String> {
    let request = http::Request::get(format!("http://example.com{path}")).body(()).unwrap();
    let head = RequestHead::new(request.method(), request.uri(), request.headers()).unwrap();
    let gateway = ObjectName::new(namespace, "web");
    let frontend = table.frontend(FrontendOwner::Gateway(&gateway), Transport::Tcp, 80)?;
    let matched = table.find(frontend, None, &head).ok()?;
    Some(table.rule(matched.rule).id.to_string())
}

async fn a_table_follows_what_is_created_changed_and_deleted(cluster: Cluster) {
    let name = cluster.name.clone();
    cluster.gateway().await;
    let mut controller = cluster.controller();
    let answers = |path: &'static str, route: Option<&str>| {
        let (name, wanted) = (name.clone(), route.map(|route| format!("{name}/{route}/0")));
        move |update: &Seen| rule(&update.table, &name, path) == wanted
    };
    cluster.route("shop", "rules: [{matches: [{path: {value: /cart}}]}]").await;
    let update = table(&mut controller, answers("/cart", Some("shop"))).await;
    assert!(update.changed.contains(&(Kind::HttpRoute, ObjectName::new(name.as_str(), "shop"))));
    cluster.route("shop", "rules: [{matches: [{path: {value: /basket}}]}]").await;
    table(&mut controller, answers("/basket", Some("shop"))).await;
    cluster.delete("HTTPRoute", "shop").await;
    table(&mut controller, answers("/basket", None)).await;
}

// HRB-02, HRB-15
async fn endpoints_of_both_families_are_found_by_the_name_of_their_port(cluster: Cluster) {
    let name = cluster.name.clone();
    cluster.gateway().await;
    cluster
        .apply(&format!(
            "{{apiVersion: v1, kind: Service, metadata: {{name: shop, namespace: {name}}}, spec: {{selector: {{a: b}}, \
             ports: [{{name: web, port: 80}}, {{name: other, port: 81}}]}}}}"
        ))
        .await;
    for (family, address) in [("IPv4", "10.1.0.1"), ("IPv6", "2001:db8::1")] {
        cluster
            .apply(&format!(
                "{{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, addressType: {family}, metadata: {{name: shop-{}, \
                 namespace: {name}, labels: {{kubernetes.io/service-name: shop}}}}, ports: [{{name: other, port: 9}}, \
                 {{name: web, port: 8080}}], endpoints: [{{addresses: ['{address}'], conditions: {{ready: true, serving: true, \
                 terminating: false}}}}, {{addresses: ['{address}9'], conditions: {{ready: false, serving: true, \
                 terminating: true}}}}]}}",
                family.to_lowercase()
            ))
            .await;
    }
    cluster.route("shop", "rules: [{backendRefs: [{name: shop, port: 80}]}]").await;
    let mut controller = cluster.controller();
    let addresses = |table: &RouteTable| -> Vec<String> {
        let backends = table.backends().map(|backend| backend.endpoints.clone());
        backends
            .flat_map(|endpoints| endpoints.iter().map(|e| e.address().to_string()).collect::<Vec<_>>())
            .collect()
    };
    table(&mut controller, |update| addresses(&update.table) == ["10.1.0.1:8080", "[2001:db8::1]:8080"])
        .await;
}
