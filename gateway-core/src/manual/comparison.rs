//! Neighbouring projects, and what each is for.
//!
//! Written down from their sources and documentation in November 2026; where one has moved on, its own pages are right.
//!
//! | project | is | takes the Gateway API | is embedded as |
//! | --- | --- | --- | --- |
//! | [linkerd2-proxy](https://github.com/linkerd/linkerd2-proxy) | the data plane of a service mesh | in its control plane; the proxy gets policies over gRPC | crates of its own workspace, such as `linkerd-http-route`, without releases of their own |
//! | [Pingora](https://github.com/cloudflare/pingora) | a framework for proxies | no: routing is the program's to write | a library |
//! | [go-control-plane](https://github.com/envoyproxy/go-control-plane) | a server of xDS for Envoy, with a cache of snapshots | no: translating resources is left to the program, in so many words | a library, in Go |
//! | [agentgateway](https://github.com/agentgateway/agentgateway) | a gateway for agents and for the Gateway API | in its control plane; the proxy gets its resources over xDS | a program |
//! | this project | the Gateway API as libraries | resources to statuses and decisions, in one process | three libraries and a program |
//!
//! **`linkerd-http-route`** has the closest neighbour of [`matching`](crate::matching): one trait for HTTP and gRPC, a summary of a match
//! that orders it. It looks at each route and each rule of a list, and leaves the order by age to the control plane. This crate has
//! an index, and goes on from there to filters, references, conflicts and statuses. Linkerd is a mesh, with identities and policies
//! of its own, which this project has not.
//!
//! **Pingora** brings what a proxy needs below routing: connections, TLS, caching, load balancing, graceful restarts. This crate is what it
//! leaves open for the Gateway API, and the two fit together: `examples/pingora` embeds the core there, and says in its first lines how to
//! run the conformance cases on it.
//!
//! **go-control-plane** hands snapshots of configuration to Envoys, and takes them ready made. Making them of resources is what this crate
//! does, for data planes that take a table in memory; it speaks no xDS.
//!
//! **agentgateway** is a product; by upstream's published reports it is the one implementation that passes all of GATEWAY-HTTP, extended tests
//! included, at v1.6.1. It routes to models and tools, which this project does not. What it is not meant to be is a library of which a program takes
//! the half that it needs. What upstream's suite says of this project is in
//! [conformance/reports](https://github.com/gateway-api-rs/gateway/tree/main/conformance/reports), and how to run it there is in
//! [conformance/upstream](https://github.com/gateway-api-rs/gateway/tree/main/conformance/upstream).
//!
//! # What is not a goal
//! - A protocol between control plane and data plane. Replicas watch the API server themselves.
//! - Policies beyond the Gateway API: rate limits, authentication, WAF, caching. There are [places](super::embedding) for one's own.
//! - HTTP/3 and QUIC, and being a forward proxy: `CONNECT` is refused.
//! - Active health checks. Endpoints are ready as EndpointSlices say; retries and timeouts take care of the moments between.
//! - DNS and load balancers of a cloud. A Gateway may get a Service, and what that is exposed by is the cluster's.
//! - Provisioning pods for each Gateway: one data plane serves all Gateways of its classes.
