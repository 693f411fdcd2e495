//! Routes made in code, and changed while they are served: no manifest and no cluster.
//!
//! `cargo run -p gateway-examples --bin live_updates -- 8080` reads a change a line: `/cart 127.0.0.1:3000` leads a path to an
//! endpoint, `/cart` alone takes the route away. Each change is answered when it is in use.

#![allow(clippy::print_stdout, reason = "what it prints is what it shows")]

use std::error::Error;
use std::net::SocketAddr;
use std::time::Duration;

use gateway_core::api::{
    AnyObject, Endpoint, EndpointAddressType, EndpointPort, EndpointSlice, Gateway as GatewayObject,
    GatewaySpec, HttpBackendRef, HttpPathMatch, HttpRoute, HttpRouteMatch, HttpRouteRule, HttpRouteSpec,
    Kind, Listener, ObjectMeta, ParentReference, Service, ServicePort, ServiceSpec,
};
use gateway_core::name::ObjectName;
use gateway_core::options::Options;
use gateway_core::translate::Translator;
use gateway_tower::serve::{Addresses, ServeOptions, Server};
use gateway_tower::upstream::Upstream;
use gateway_tower::{Gateway, TableHandle};

fn metadata(name: &str) -> ObjectMeta {
    ObjectMeta { name: name.to_owned(), ..ObjectMeta::default() }
}

/// A Gateway with a listener for HTTP.
fn gateway(port: u16) -> AnyObject {
    let listener =
        Listener { name: "http".into(), port: port.into(), protocol: "HTTP".into(), ..Listener::default() };
    let spec =
        GatewaySpec { gateway_class_name: "any".into(), listeners: vec![listener], ..GatewaySpec::default() };
    GatewayObject { metadata: metadata("web"), spec, ..GatewayObject::default() }.into()
}

/// What leads requests for a path to an endpoint: a Route, and a Service with a slice of endpoints.
fn route(name: &str, path: &str, endpoint: SocketAddr) -> [AnyObject; 3] {
    let backend = HttpBackendRef {
        group: "".into(),
        kind: "Service".into(),
        name: name.into(),
        namespace: None,
        port: Some(80),
        weight: 1,
        filters: [].into(),
    };
    let path = HttpPathMatch { value: path.into(), ..HttpPathMatch::default() };
    let rule = HttpRouteRule {
        matches: vec![HttpRouteMatch { path, ..HttpRouteMatch::default() }],
        backend_refs: vec![backend],
        ..HttpRouteRule::default()
    };
    let spec = HttpRouteSpec {
        parent_refs: vec![ParentReference::gateway("web")],
        rules: vec![rule],
        ..HttpRouteSpec::default()
    };
    let route = HttpRoute { metadata: metadata(name), spec, ..HttpRoute::default() };

    let ports = vec![ServicePort { port: 80, ..ServicePort::default() }];
    let service = Service { metadata: metadata(name), spec: ServiceSpec { ports, ..ServiceSpec::default() } };

    let label = (EndpointSlice::SERVICE_NAME_LABEL.to_owned(), name.to_owned());
    let slice = EndpointSlice {
        metadata: ObjectMeta { labels: [label].into(), ..metadata(name) },
        address_type: match endpoint {
            SocketAddr::V4(_) => EndpointAddressType::Ipv4,
            SocketAddr::V6(_) => EndpointAddressType::Ipv6,
        },
        endpoints: vec![Endpoint { addresses: vec![endpoint.ip().to_string()], ..Endpoint::default() }],
        ports: vec![EndpointPort { port: Some(endpoint.port().into()), ..EndpointPort::default() }],
    };
    [route.into(), service.into(), slice.into()]
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let port = std::env::args().nth(1).ok_or("name a port")?.parse()?;
    let mut translator = Translator::new(Options { any_class: true, ..Options::default() });
    translator.insert(gateway(port));

    let tables = TableHandle::new(translator.translate().table.clone());
    let gateway = Gateway::new(tables.clone(), Upstream::default());
    let service = move |connection| gateway.clone().on(connection);
    let server = Server::start(&tables, Addresses::default(), ServeOptions::default(), service).await?;

    for line in std::io::stdin().lines() {
        let line = line?;
        let (path, endpoint) = line.split_once(' ').map_or((&*line, None), |(path, at)| (path, Some(at)));
        let name = path.trim_matches('/').replace('/', "-");
        match endpoint {
            Some(endpoint) => match endpoint.parse() {
                Ok(endpoint) => {
                    route(&name, path, endpoint).into_iter().for_each(|object| translator.insert(object))
                }
                Err(error) => {
                    println!(
                        "{line}: {endpoint:?} is not the address of an endpoint ({error}); write one, as in 127.0.0.1:3000"
                    );
                    continue;
                }
            },
            None => {
                let name = ObjectName::new("default", &*name);
                [Kind::HttpRoute, Kind::Service, Kind::EndpointSlice]
                    .into_iter()
                    .for_each(|kind| translator.remove(kind, &name));
            }
        }
        // At the cost of what changed; what is wrong with it is said, and the rest is served.
        let translation = translator.translate();
        translation.diagnostics.iter().for_each(|diagnostic| eprintln!("{diagnostic}"));
        translation.statuses.causes().for_each(|(kind, name, cause)| eprintln!("{kind} {name}: {cause}"));
        // Requests under way keep the table that they began with.
        server.reached(tables.store(translation.table.clone())).await;
        println!("{line}");
    }
    server.drain(Duration::from_secs(10)).await;
    Ok(())
}
