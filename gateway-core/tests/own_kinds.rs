//! Objects of the embedder's own kinds, from the manifest to the table.

use std::net::SocketAddr;
use std::sync::Arc;

use gateway_core::api::{AnyObject, Kind, OwnObject, OwnSpec};
use gateway_core::apply::{Applied, Applier};
use gateway_core::exchange::{Arrival, Decision};
use gateway_core::filter::{Extension, ExtensionError, Verdict};
use gateway_core::manifest::{self, Collection, LastGood};
use gateway_core::name::{ObjectName, OwnKind};
use gateway_core::options::Options;
use gateway_core::own_kinds::OwnKinds;
use gateway_core::rule::{BackendKind, BackendProtocol};
use gateway_core::table::RouteTable;
use http::StatusCode;
use serde::{Deserialize, Serialize};

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Bucket {
    region: String,
    #[serde(default)]
    addresses: Vec<SocketAddr>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Teapot {
    status: u16,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Quota {
    most: u16,
}

impl OwnSpec for Bucket {
    const KIND: &'static OwnKind = &OwnKind::new("example.com", "Bucket", "buckets", &["v1"]);
}

impl OwnSpec for Teapot {
    const KIND: &'static OwnKind = &OwnKind::new("example.com", "Teapot", "teapots", &["v1"]);
}

impl OwnSpec for Quota {
    const KIND: &'static OwnKind =
        &OwnKind::new("example.com", "Quota", "quotas", &["v1", "v1beta1"]).cluster_scoped();
}

/// Answers every request with a status.
#[derive(Debug)]
struct Answers(StatusCode);

impl Extension for Answers {
    fn on_request(&self, _: &mut http::request::Parts) -> Verdict {
        let mut answer = http::Response::new(bytes::Bytes::new());
        *answer.status_mut() = self.0;
        Verdict::Respond(Box::new(answer))
    }
}

fn options() -> Options {
    let teapot = |teapot: &Teapot| match StatusCode::from_u16(teapot.status) {
        Ok(status) => Ok(Arc::new(Answers(status)) as Arc<dyn Extension>),
        Err(error) => Err(ExtensionError::Invalid(error.to_string())),
    };
    let kinds = OwnKinds::default();
    let kinds = kinds.backend_at(|bucket: &Bucket| bucket.addresses.clone()).filter(teapot).other::<Quota>();
    Options { own_kinds: kinds, ..Options::standalone() }
}

const GATEWAY: &str = "
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: web}
spec: {gatewayClassName: any, listeners: [{name: http, port: 80, protocol: HTTP}]}
";

fn route(rule: &str) -> String {
    format!(
        "---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {{name: photos}}
spec: {{parentRefs: [{{name: web}}], rules: [{{{rule}}}]}}
"
    )
}

fn own(kind: &str, namespace: &str, spec: &str) -> String {
    format!(
        "---\napiVersion: example.com/v1\nkind: {kind}\nmetadata: {{name: own, namespace: {namespace}}}\nspec: {spec}\n"
    )
}

const TO_BUCKET: &str = "backendRefs: [{group: example.com, kind: Bucket, name: own}]";

fn apply(text: &str) -> Applied {
    Applied::from_text(text, "own.yaml", options())
}

fn problems(applied: &Applied) -> Vec<String> {
    applied.problems.iter().map(ToString::to_string).collect()
}

fn decide(table: &RouteTable) -> Decision {
    let (request, ()) = http::Request::get("http://example.com/a").body(()).unwrap().into_parts();
    let table = Arc::new(table.clone());
    table.decide(&Arrival::new(&ObjectName::new("default", "web"), 80), request, &mut || 0)
}

fn status(table: &RouteTable) -> u16 {
    match decide(table) {
        Decision::Answer(answer) => answer.status().as_u16(),
        Decision::Forward(_) => 200,
        other => panic!("{other:?}"),
    }
}

// HRB-07
#[test]
fn a_reference_to_an_object_of_ones_own_leads_to_a_backend_with_its_identity() {
    let applied =
        apply(&(GATEWAY.to_owned() + &route(TO_BUCKET) + &own("Bucket", "default", "{region: north}")));
    assert_eq!(problems(&applied), [""; 0]);
    let Decision::Forward(forward) = decide(&applied.table) else { panic!("a rule serves it") };
    let backend = forward.backend();
    assert_eq!(
        (backend.kind, &backend.service),
        (BackendKind::Own(Bucket::KIND), &ObjectName::new("default", "own"))
    );
    assert!(backend.is_answered_by_client());
    assert_eq!(backend.to_string(), "Bucket default/own");
    let object = &applied.resources.own[Bucket::KIND][&backend.service];
    assert_eq!(object.spec::<Bucket>().unwrap().region, "north");
    assert!(object.spec::<Quota>().is_none());
}

#[test]
fn addresses_that_an_object_tells_are_endpoints() {
    let bucket = own("Bucket", "default", "{region: north, addresses: ['10.0.0.7:9000']}");
    let port = TO_BUCKET.replace("name: own", "name: own, port: 90");
    let applied = apply(&(GATEWAY.to_owned() + &route(&port) + &bucket));
    let backend = applied.table.backends().next().unwrap();
    assert_eq!((backend.endpoints[0].address(), backend.port), ("10.0.0.7:9000".parse().unwrap(), 90));
    assert_eq!(backend.protocol, BackendProtocol::Http1);
    assert!(!backend.is_answered_by_client());
}

// HRB-08, HRB-07
#[test]
fn an_object_that_is_not_there_and_a_kind_that_nobody_registered_are_told_apart() {
    let applied = apply(&(GATEWAY.to_owned() + &route(TO_BUCKET)));
    let said = problems(&applied);
    assert!(said[0].contains("BackendNotFound: there is no Bucket default/own; write one"), "{said:?}");
    assert_eq!(status(&applied.table), 500);
    let other = own("Bucket", "default", "{region: north}").replace("name: own", "name: owm");
    let said = problems(&apply(&(GATEWAY.to_owned() + &route(TO_BUCKET) + &other)));
    assert!(said[0].ends_with("; did you mean owm?"), "{said:?}");

    let text = GATEWAY.to_owned() + &route(TO_BUCKET) + &own("Bucket", "default", "{region: north}");
    let applied = Applied::from_text(&text, "own.yaml", Options::standalone());
    let said = problems(&applied);
    assert!(said.iter().any(|said| said.contains("InvalidKind")), "{said:?}");
    assert!(said.iter().any(|said| said.contains("passed over")), "{said:?}");
    // One that is registered, and no backend.
    let teapot = GATEWAY.to_owned() + &route(&TO_BUCKET.replace("Bucket", "Teapot"));
    let said = problems(&apply(&teapot));
    assert!(said[0].contains("InvalidKind"), "{said:?}");
}

// RGR-01, RGR-08
#[test]
fn one_in_another_namespace_takes_a_grant() {
    let text = GATEWAY.to_owned()
        + &route(&TO_BUCKET.replace("name: own", "name: own, namespace: store"))
        + &own("Bucket", "store", "{region: north}");
    let refused = apply(&text);
    assert!(problems(&refused)[0].contains("RefNotPermitted"), "{:?}", refused.problems);
    assert_eq!(status(&refused.table), 500);
    let grant = "---
apiVersion: gateway.networking.k8s.io/v1beta1
kind: ReferenceGrant
metadata: {name: photos, namespace: store}
spec:
  from: [{group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: default}]
  to: [{group: example.com, kind: Bucket}]
";
    let granted = apply(&(text + grant));
    assert_eq!(problems(&granted), [""; 0]);
    assert_eq!(status(&granted.table), 200);
}

#[test]
fn what_the_gateway_asks_itself_is_a_service() {
    let auth = "filters: [{type: ExternalAuth, externalAuth: {protocol: HTTP, http: {}, \
                backendRef: {group: example.com, kind: Bucket, name: own}}}]";
    let applied = apply(&(GATEWAY.to_owned() + &route(auth) + &own("Bucket", "default", "{region: north}")));
    assert!(
        problems(&applied)[0].contains("sends nothing of its own to a backend of kind Bucket"),
        "{:?}",
        applied.problems
    );
}

#[test]
fn objects_are_read_as_strictly_as_all_others_and_keep_their_last_good_version() {
    let types = options().own_kinds.types().clone();
    let mut versions = LastGood::new(types.clone());
    versions.read(&own("Bucket", "default", "{region: north}"), "own.yaml");
    versions.read(&own("Bucket", "default", "{region: 7}"), "own.yaml");
    let manifest = versions.manifest();
    assert_eq!(
        manifest.problems[0].to_string(),
        "own.yaml:5:16: error: Bucket default/own: spec.region: expected a string, found a number; put it in quotes; \
         the last good version of the object stays in use"
    );
    assert_eq!(manifest.objects.len(), 1);
    for (text, expected) in [
        (
            own("Bucket", "default", "{region: a, regoin: b}"),
            "spec.regoin: there is no such field; did you mean `region`?",
        ),
        (
            own("Bukcet", "default", "{region: a}"),
            "`example.com/v1` has no such kind that is read; did you mean `Bucket`?",
        ),
        (
            own("Bucket", "default", "{region: a}").replace("/v1", "/v2"),
            "Bucket is not served as `example.com/v2`; write `example.com/v1`",
        ),
    ] {
        let problem = manifest::read_with(&text, "own.yaml", &types).problems[0].to_string();
        assert!(problem.contains(expected), "{problem}");
    }
    let list =
        "{apiVersion: example.com/v1, kind: BucketList, items: [{metadata: {name: a}, spec: {region: b}}]}";
    assert_eq!(manifest::read_with(list, "own.yaml", &types).objects.len(), 1);
    let status =
        own("Bucket", "default", "{region: a}") + "status: {phase: Ready, conditions: [{type: Ready}]}\n";
    assert!(manifest::read_with(&status, "own.yaml", &types).problems.is_empty());
}

#[test]
fn a_collection_knows_where_they_are_and_keeps_the_first() {
    let types = options().own_kinds.types().clone();
    let text = own("Quota", "default", "{most: 1}") + &own("Quota", "other", "{most: 2}");
    let collection: Collection = [manifest::read_with(&text, "own.yaml", &types)].into_iter().collect();
    let name = ObjectName::cluster("own");
    assert_eq!(collection.location(Kind::Own(Quota::KIND), &name).unwrap().line, 2);
    assert_eq!(collection.resources.own[Quota::KIND][&name].spec(), Some(&Quota { most: 1 }));
    assert!(collection.problems[0].message.starts_with("already written at own.yaml:2:1"));
}

// FEX-01, FEX-02
#[test]
fn an_object_is_a_filter_and_what_changes_it_changes_the_answers() {
    let filter =
        "filters: [{type: ExtensionRef, extensionRef: {group: example.com, kind: Teapot, name: own}}]";
    let base = GATEWAY.to_owned() + &route(filter);
    let mut applier = Applier::new(options());
    let mut apply = |own: &str| {
        let text = base.clone() + own;
        let types = options().own_kinds;
        let written: Collection =
            [manifest::read_with(&text, "own.yaml", types.types())].into_iter().collect();
        applier.apply(written, |problems| manifest::locate(&text, problems))
    };
    let applied = apply("");
    assert!(problems(&applied)[0].contains("there is no such object"), "{:?}", applied.problems);
    assert_eq!(status(&applied.table), 500);
    let applied = apply(&own("Teapot", "default", "{status: 418}"));
    assert_eq!(applied.changes[0].to_string(), "added Teapot default/own");
    assert_eq!((problems(&applied).len(), status(&applied.table)), (0, 418));
    assert_eq!(status(&apply(&own("Teapot", "default", "{status: 403}")).table), 403);
    let applied = apply(&own("Teapot", "default", "{status: 4}"));
    assert!(problems(&applied)[0].contains("invalid status code"), "{:?}", applied.problems);
    assert_eq!(status(&applied.table), 500);
    assert_eq!(status(&apply("").table), 500);
}

#[test]
fn a_backend_that_comes_changes_or_goes_changes_what_its_routes_do() {
    let base = GATEWAY.to_owned() + &route(TO_BUCKET);
    let mut applier = Applier::new(options());
    let mut apply = |own: &str| {
        let types = options().own_kinds;
        let text = base.clone() + own;
        let written: Collection =
            [manifest::read_with(&text, "own.yaml", types.types())].into_iter().collect();
        applier.apply(written, |_| ()).table
    };
    assert_eq!(status(&apply("")), 500);
    assert_eq!(status(&apply(&own("Bucket", "default", "{region: north}"))), 200);
    let table = apply(&own("Bucket", "default", "{region: north, addresses: ['10.0.0.7:9000']}"));
    assert_eq!(table.backends().next().unwrap().endpoints.len(), 1);
    assert_eq!(status(&apply("")), 500);
}

#[test]
fn an_object_is_written_as_it_was_read() {
    let object =
        OwnObject::new(Default::default(), Bucket { region: "north".to_owned(), addresses: Vec::new() });
    let written = serde_json::to_value(AnyObject::from(object)).unwrap();
    assert_eq!((&written["apiVersion"], &written["kind"]), (&"example.com/v1".into(), &"Bucket".into()));
    assert_eq!(written["spec"]["region"], "north");
}

#[test]
#[should_panic(expected = "is read already")]
fn a_kind_is_added_once() {
    let _ = OwnKinds::default().backend::<Bucket>().other::<Bucket>();
}
