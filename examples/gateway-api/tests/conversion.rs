//! Objects of every kind of the crate `gateway-api`, converted to its types and back.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::process::Command;

use gateway_api::{apis, experimental};
use gateway_core::api::{AnyObject, Kind};
use gateway_core::manifest;
use kube::Resource;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// One object of each kind, and those that the demo has.
const MANIFESTS: [(&str, &str); 4] = [
    ("every_kind.yaml", include_str!("every_kind.yaml")),
    ("demo/gateway.yaml", include_str!("../../demo/gateway.yaml")),
    ("demo/filters.yaml", include_str!("../../demo/filters.yaml")),
    ("demo/traffic.yaml", include_str!("../../demo/traffic.yaml")),
];

fn objects() -> impl Iterator<Item = AnyObject> {
    MANIFESTS.into_iter().flat_map(|(name, text)| {
        let read = manifest::read(text, name);
        assert!(read.problems.is_empty(), "{:?}", read.problems);
        read.objects.into_iter().map(|(object, _)| object)
    })
}

/// Converts each object of the type's kind there and back, and back again; gives the kind.
#[track_caller]
fn same_both_ways<T>() -> Kind
where
    T: Resource<DynamicType = ()> + Serialize + DeserializeOwned + PartialEq + Debug,
{
    let kind = Kind::find(&T::group(&()), &T::kind(&())).expect("a kind that is read here");
    let mut converted = 0;
    for ours in objects().filter(|object| object.kind() == kind) {
        let theirs: T = ours.to_other().unwrap_or_else(|error| panic!("{kind}: {error}"));
        assert_eq!(theirs.meta().name.as_deref(), Some(ours.metadata().name.as_str()));
        let back = AnyObject::from_other(&theirs).unwrap_or_else(|error| panic!("{kind}: {error}"));
        assert_eq!(back, ours);
        assert_eq!(back.to_other::<T>().unwrap(), theirs);
        converted += 1;
    }
    assert!(converted > 0, "{kind}");
    kind
}

#[test]
fn objects_of_every_kind_are_the_same_there_and_back() {
    use experimental as e;
    let kinds = [
        same_both_ways::<e::gatewayclasses::GatewayClass>(),
        same_both_ways::<e::gateways::Gateway>(),
        same_both_ways::<e::listenersets::ListenerSet>(),
        same_both_ways::<e::httproutes::HttpRoute>(),
        same_both_ways::<e::grpcroutes::GrpcRoute>(),
        same_both_ways::<e::tlsroutes::TlsRoute>(),
        same_both_ways::<e::tcproutes::TcpRoute>(),
        same_both_ways::<e::udproutes::UdpRoute>(),
        same_both_ways::<e::referencegrants::ReferenceGrant>(),
        same_both_ways::<e::xbackendtrafficpolicies::XBackendTrafficPolicy>(),
        same_both_ways::<e::xmeshes::XMesh>(),
        same_both_ways::<apis::standard::backendtlspolicies::BackendTlsPolicy>(),
    ];
    let converted: BTreeSet<Kind> = kinds.into_iter().collect();
    let there: BTreeSet<Kind> = objects().map(|object| object.kind()).collect();
    assert_eq!(converted, there);
}

#[test]
fn fields_newer_than_the_bindings_are_lost() {
    let text = "{apiVersion: gateway.networking.k8s.io/v1, kind: HTTPRoute, metadata: {name: shop, namespace: default}, spec: {rules: [
        {name: cart, sessionPersistence: {type: Cookie, cookie: {name: shop}}}]}}";
    let (ours, _) = manifest::read(text, "shop.yaml").objects.remove(0);
    let theirs: experimental::httproutes::HttpRoute = ours.to_other().unwrap();
    let AnyObject::HttpRoute(back) = AnyObject::from_other(&theirs).unwrap() else { panic!("{theirs:?}") };
    let AnyObject::HttpRoute(ours) = ours else { panic!("{ours:?}") };
    let session = |route: &gateway_core::api::HttpRoute| route.spec.rules[0].session_persistence.clone();
    assert!(session(&ours).unwrap().cookie.is_some());
    assert!(session(&back).unwrap().cookie.is_none(), "v1.5.1 has no `cookie` there");
}

#[test]
fn the_program_prints_the_status_of_its_gateway() {
    let output = Command::new(env!("CARGO_BIN_EXE_gateway-bindings-example")).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.lines().any(|line| line.starts_with("Accepted True")), "{text}");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
