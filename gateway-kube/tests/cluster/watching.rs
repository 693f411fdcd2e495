//! Changes in a cluster become tables.

use gateway_core::api::{Kind, OwnSpec};
use gateway_core::matching::RequestHead;
use gateway_core::name::{ObjectName, OwnKind};
use gateway_core::own_kinds::OwnKinds;
use gateway_core::rule::BackendKind;
use gateway_core::table::{FrontendOwner, RouteTable, Transport};

use serde::{Deserialize, Serialize};

use crate::cluster::{self, Cluster, Followed, Seen, table};

crate::tests!["watching":
    a_table_follows_what_is_created_changed_and_deleted,
    endpoints_of_both_families_are_found_by_the_name_of_their_port,
    objects_of_ones_own_kinds_are_backends,
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

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Bucket {
    region: String,
}

impl OwnSpec for Bucket {
    const KIND: &'static OwnKind = &OwnKind::new("example.com", "Bucket", "buckets", &["v1"]);
}

/// The definition of buckets. It asks for less than their type does, as definitions of a later version may.
const BUCKETS: &str = "
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: buckets.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {kind: Bucket, plural: buckets, singular: bucket, listKind: BucketList}
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema: {type: object, properties: {spec: {type: object, x-kubernetes-preserve-unknown-fields: true}}}
";

async fn objects_of_ones_own_kinds_are_backends(cluster: Cluster) {
    let name = cluster.name.clone();
    let bucket = |spec: &str| {
        format!(
            "{{apiVersion: example.com/v1, kind: Bucket, metadata: {{name: photos, namespace: {name}}}, spec: {spec}}}"
        )
    };
    cluster.gateway().await;
    cluster
        .route("photos", "rules: [{backendRefs: [{group: example.com, kind: Bucket, name: photos}]}]")
        .await;
    let mut options = cluster.options();
    options.translate.own_kinds = OwnKinds::default().backend::<Bucket>();
    let mut controller = Followed::new(cluster.client.clone(), options);
    // Not there yet: neither the bucket nor what says that there are any.
    let is_missing = |update: &Seen| update.left_out.iter().any(|out| out.kind == Kind::Own(Bucket::KIND));
    let update = table(&mut controller, |update| rule(&update.table, &name, "/").is_some()).await;
    assert!(is_missing(&update) && update.table.backends().count() == 0, "{:?}", update.left_out);

    cluster::install(&cluster.client, &[BUCKETS.to_owned()]).await;
    cluster.apply(&bucket("{region: north}")).await;
    let backends = |update: &Seen| -> Vec<_> {
        let backends = update.table.backends();
        backends.map(|backend| (backend.kind, backend.service.to_string())).collect()
    };
    let photos = vec![(BackendKind::Own(Bucket::KIND), format!("{name}/photos"))];
    let update = table(&mut controller, |update| backends(update) == photos).await;
    assert!(!is_missing(&update), "{:?}", update.left_out);
    let view = controller.viewer().view().await.unwrap();
    let known = &view.resources.own[Bucket::KIND][&ObjectName::new(name.as_str(), "photos")];
    assert_eq!(known.spec(), Some(&Bucket { region: "north".to_owned() }));

    // Its definition lets pass what its type does not.
    cluster.apply(&bucket("{region: 7}")).await;
    table(&mut controller, |update| backends(update).is_empty()).await;
    let view = controller.viewer().view().await.unwrap();
    let unreadable: Vec<_> = view.unreadable.iter().map(ToString::to_string).collect();
    let expected = format!(
        "Bucket {name}/photos cannot be read and is left out: spec.region: expected a string, found a number; put it in quotes"
    );
    assert_eq!(unreadable, [expected]);
    cluster.apply(&bucket("{region: south}")).await;
    table(&mut controller, |update| backends(update) == photos).await;
    controller.stop().await;
}
