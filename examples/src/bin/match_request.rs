//! Matches requests without any server: resources in, decisions out.
//!
//! `cargo run -p gateway-examples --bin match_request`

#![allow(clippy::print_stdout, reason = "what it prints is what it shows")]

use std::error::Error;

use gateway_core::manifest;
use gateway_core::matching::RequestHead;
use gateway_core::name::ObjectName;
use gateway_core::options::Options;
use gateway_core::table::{FrontendOwner, Transport};
use gateway_core::translate::translate;
use http::Request;

const MANIFEST: &str = "
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: example}
spec: {controllerName: gateway-api.rs/controller}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: web}
spec:
  gatewayClassName: example
  listeners: [{name: http, port: 80, protocol: HTTP}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: shop}
spec:
  parentRefs: [{name: web}]
  hostnames: [shop.example.com]
  rules:
  - name: cart
    matches: [{path: {value: /cart}}]
  - name: beta
    matches: [{path: {value: /}, headers: [{name: x-version, value: beta}]}]
";

fn main() -> Result<(), Box<dyn Error>> {
    let resources =
        manifest::read(MANIFEST, "shop.yaml").objects.into_iter().map(|(object, _)| object).collect();
    let table = translate(&resources, &Options::default()).table;
    let port = table
        .frontend(FrontendOwner::Gateway(&ObjectName::new("default", "web")), Transport::Tcp, 80)
        .ok_or("the listener is not served")?;

    for request in [
        Request::get("http://shop.example.com/cart/1").body(())?,
        Request::get("http://shop.example.com/").header("x-version", "beta").body(())?,
        Request::get("http://shop.example.com/").body(())?,
        Request::get("http://other.example.com/cart").body(())?,
    ] {
        let head = RequestHead::new(request.method(), request.uri(), request.headers())?;
        match table.find(port, None, &head) {
            Ok(matched) => println!("{} -> {}", request.uri(), table.rule(matched.rule).id),
            Err(no_match) => {
                println!("{} -> {}: {}", request.uri(), no_match.status(), no_match.in_table(&table));
            }
        }
    }
    Ok(())
}
