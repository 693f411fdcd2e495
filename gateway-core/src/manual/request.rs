//! The way of a request, from the socket to the backend and back.
//!
//! | step | what happens | where |
//! | --- | --- | --- |
//! | 1 | The connection comes to a port of a Gateway, or of a Service in a mesh: the *frontend*. | the server |
//! | 2 | Within TLS, the server name chooses the listener and its certificate. | [`listener_by_server_name`](crate::table::RouteTable::listener_by_server_name) |
//! | 3 | The head is brought into one form: one valid host, a path without dot segments, one length. What was matched is what is forwarded. | [`exchange::prepare`](crate::exchange::prepare) |
//! | 4 | The host chooses the most specific listener of the port. No other listener is looked at again. A host that belongs to another listener than the connection does gets 421. | [`find`](crate::table::RouteTable::find) |
//! | 5 | The filters of the listener run. They may answer, ask an authorization service, or change what is matched, but not the host. | [`filter::before_routing`](crate::filter::before_routing) |
//! | 6 | The entry that goes before all others serves the request; see [precedence](super::precedence). Without one it is 404. | [`find`](crate::table::RouteTable::find) |
//! | 7 | The backend is told about the client: `x-forwarded-for` and the like. | [`exchange::forwarded`](crate::exchange::forwarded) |
//! | 8 | The filters of the rule run. | [`filter::on_request`](crate::filter::on_request) |
//! | 9 | A backend is chosen by weight. The share of one that is invalid gets 500, that of one without endpoints 503. | [`Backends`](crate::rule::Backends) |
//! | 10 | The filters of that backend run. | [`filter::on_request`](crate::filter::on_request) |
//! | 11 | Copies go to mirrors. | the embedding |
//! | 12 | An endpoint is chosen, by the session where there is one, and the request is sent; where the rule says so, again. | the embedding |
//! | 13 | The answer loses what was for one hop only, and passes the filters of the backend and of the rule, in this order. | [`Forward::finish`](crate::exchange::Forward::finish) |
//!
//! Steps 3 to 10 and 13 are [`RouteTable::decide`](crate::table::RouteTable::decide), in one call; [`Exchange`](crate::exchange::Exchange) takes
//! them one by one. In `gateway-tower` they are layers. There the `request` timeout of a rule covers steps 11 and 12 up to the last byte of
//! the answer, and what authorization services of the rule took before; `backendRequest` covers each attempt of step 12.
//!
//! # Answers of the gateway's own
//! A request that is stopped is a [`Refusal`](crate::exchange::Refusal), whose page has the status and the code of gRPC for each.
//! The filters that are for such answers run on it: those of CORS, so that a script can read a 504, and no others.
//!
//! # To see it
//! ```
//! use std::sync::Arc;
//!
//! use gateway_core::exchange::{Arrival, Decision};
//! use gateway_core::manifest;
//! use gateway_core::name::ObjectName;
//! use gateway_core::options::Options;
//! use gateway_core::translate::translate;
//!
//! let text = "
//! apiVersion: gateway.networking.k8s.io/v1
//! kind: Gateway
//! metadata: {name: web}
//! spec: {gatewayClassName: any, listeners: [{name: http, port: 80, protocol: HTTP, hostname: '*.example.com'}]}
//! ---
//! apiVersion: gateway.networking.k8s.io/v1
//! kind: HTTPRoute
//! metadata: {name: old}
//! spec:
//!   parentRefs: [{name: web}]
//!   rules: [{filters: [{type: RequestRedirect, requestRedirect: {hostname: new.example.com, statusCode: 301}}]}]
//! ";
//! let resources = manifest::read(text, "old.yaml").objects.into_iter().map(|(object, _)| object).collect();
//! let table = Arc::new(translate(&resources, &Options { any_class: true, ..Options::default() }).table);
//! let web = ObjectName::new("default", "web");
//! let answer = |host: &str| -> Result<_, Box<dyn std::error::Error>> {
//!     let (request, ()) = http::Request::get("/cart/../").header("host", host).body(())?.into_parts();
//!     match table.decide(&Arrival::new(&web, 80), request, &mut || 0) {
//!         Decision::Answer(answer) => Ok(answer),
//!         _ => Err("the rule answers by itself".into()),
//!     }
//! };
//!
//! // Step 8: a filter answers, for the path of step 3.
//! assert_eq!(answer("old.example.com")?.headers()["location"], "http://new.example.com/");
//! // Step 4: no listener has the host.
//! assert_eq!(answer("example.org")?.status(), 404);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
