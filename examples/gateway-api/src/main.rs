//! Objects of the crate [`gateway-api`](https://docs.rs/gateway-api) translated, and their statuses as that crate has them.
//!
//! For a program that watches the cluster with a version of kube of its own. `cargo run --manifest-path examples/gateway-api/Cargo.toml`

use std::error::Error;
use std::time::SystemTime;

use gateway_api::experimental::gatewayclasses::{GatewayClass, GatewayClassSpec};
use gateway_api::experimental::gateways::{Gateway, GatewayListeners, GatewaySpec};
use gateway_api::experimental::httproutes::{HttpRoute, HttpRouteParentRefs, HttpRouteSpec};
use gateway_core::api::{AnyObject, Resources, Timestamp};
use gateway_core::options::Options;
use gateway_core::status::merge;
use gateway_core::translate::translate;
use kube::Resource;

const CONTROLLER_NAME: &str = "gateway-api.rs/controller";

fn main() -> Result<(), Box<dyn Error>> {
    // As they come from the program's watches.
    let controller_name = CONTROLLER_NAME.to_owned();
    let class =
        GatewayClass::new("example", GatewayClassSpec { controller_name, ..GatewayClassSpec::default() });
    let http = GatewayListeners {
        name: "http".to_owned(),
        protocol: "HTTP".to_owned(),
        port: 80,
        ..GatewayListeners::default()
    };
    let spec = GatewaySpec {
        gateway_class_name: "example".to_owned(),
        listeners: vec![http],
        ..GatewaySpec::default()
    };
    let gateway = in_namespace(Gateway::new("web", spec));
    let web = HttpRouteParentRefs { name: "web".to_owned(), ..HttpRouteParentRefs::default() };
    let spec = HttpRouteSpec { parent_refs: Some(vec![web]), ..HttpRouteSpec::default() };
    let route = in_namespace(HttpRoute::new("shop", spec));

    let stored: Resources =
        [AnyObject::from_other(&class)?, AnyObject::from_other(&gateway)?, AnyObject::from_other(&route)?]
            .into_iter()
            .collect();
    // Beside the table, which serves requests, there is a status for each object.
    let statuses = translate(&stored, &Options::default()).statuses;
    for object in merge::all(&stored, &statuses, CONTROLLER_NAME, &Timestamp::from(SystemTime::now())) {
        let AnyObject::Gateway(_) = &object else { continue };
        // As the program writes it.
        let gateway: Gateway = object.to_other()?;
        let conditions = gateway.status.and_then(|status| status.conditions).unwrap_or_default();
        for condition in conditions {
            println!("{} {}: {}", condition.type_, condition.status, condition.message);
        }
    }
    Ok(())
}

fn in_namespace<T: Resource>(mut object: T) -> T {
    object.meta_mut().namespace = Some("default".to_owned());
    object
}
