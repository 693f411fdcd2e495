//! Objects of `k8s-openapi` and of `kube`, converted to those of `gateway_core` and back.

use std::collections::BTreeMap;

use gateway_core::api::AnyObject;
use k8s_openapi::api::core::v1::{Service, ServicePort, ServiceSpec};
use kube::api::{DynamicObject, ObjectMeta};

fn service() -> Service {
    let ports = vec![ServicePort { name: Some("http".to_owned()), port: 80, ..ServicePort::default() }];
    let labels = BTreeMap::from([("app".to_owned(), "shop".to_owned())]);
    Service {
        metadata: ObjectMeta {
            name: Some("shop".to_owned()),
            namespace: Some("default".to_owned()),
            labels: Some(labels),
            ..ObjectMeta::default()
        },
        spec: Some(ServiceSpec { ports: Some(ports), ..ServiceSpec::default() }),
        status: None,
    }
}

#[test]
fn a_service_of_k8s_openapi_is_ours_and_theirs_again() {
    let ours = AnyObject::from_other(&service()).unwrap();
    let AnyObject::Service(read) = &ours else { panic!("{ours:?}") };
    assert_eq!((read.metadata.name.as_str(), read.spec.ports[0].port), ("shop", 80));
    let theirs: Service = ours.to_other().unwrap();
    assert_eq!(theirs.metadata, service().metadata);
    let ports = |service: &Service| service.spec.as_ref().unwrap().ports.as_ref().unwrap()[0].port;
    assert_eq!(ports(&theirs), 80);
    assert_eq!(AnyObject::from_other(&theirs).unwrap(), ours, "nothing more is lost");
}

#[test]
fn a_dynamic_object_of_kube_is_ours() {
    let text = r#"{"apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute", "metadata": {"name": "shop"},
        "spec": {"rules": [{"name": "cart"}]}}"#;
    let theirs: DynamicObject = serde_json::from_str(text).unwrap();
    let ours = AnyObject::from_other(&theirs).unwrap();
    let AnyObject::HttpRoute(route) = &ours else { panic!("{ours:?}") };
    assert_eq!(route.spec.rules[0].name.as_deref(), Some("cart"));
    let again: DynamicObject = ours.to_other().unwrap();
    assert_eq!(again.data["spec"]["rules"][0]["name"], "cart");
}
