//! Metrics of a data plane, for Prometheus: what happens to requests, attempts, mirrors, connections and certificates.
//!
//! Names and units are stable. Those that begin with `http_` are of the convention of OpenTelemetry for HTTP, as Prometheus
//! writes them.
//!
//! | metric | type | labels besides those of the place | what it says |
//! | --- | --- | --- | --- |
//! | `http_server_request_duration_seconds` | histogram | `http_response_status_class` | from the head of a request to the last byte of its answer, or until it was given up |
//! | `http_server_requests_total` | counter | `http_request_method` `http_response_status_class` | requests, counted when their answers begin |
//! | `gateway_refused_requests_total` | counter | `reason`, and `backend` of an `unresolved_backend` | answers of the gateway's own; they are among the requests above, too |
//! | `gateway_retries_total` | counter | | attempts after the first of a request |
//! | `http_client_request_duration_seconds` | histogram | `backend` `http_response_status_class` `error_type` | from the start of an attempt to the head of its answer, or its failure |
//! | `gateway_mirrored_requests_total` | counter | `backend` `result` | copies: `sent`, or `dropped` for want of room |
//! | `gateway_streams_total` | counter | `backend` `result` | connections of TLSRoutes and TCPRoutes and flows of datagrams, at their end: the word of a [`StreamEnd`](crate::outcome::StreamEnd) |
//! | `gateway_stream_duration_seconds` | histogram | `backend` | from accepting a stream to its end; of those that reached an endpoint |
//! | `gateway_stream_bytes_total` | counter | `backend` `direction` | bytes of streams that have ended: `received` from clients, `sent` to them |
//! | `gateway_connections_open` | gauge | | connections of clients, tunnels included |
//! | `gateway_connections_accepted_total` | counter | | connections that were taken in |
//! | `gateway_connections_refused_total` | counter | `reason` | connections that were not served: `not_accepted`, for want of file descriptors |
//! | `gateway_tls_handshakes_total` | counter | `result` | `completed`, `no_listener` for the server name, `failed`, `timed_out` |
//! | `gateway_certificate_expiry_timestamp_seconds` | gauge | `secret` | when the first certificate of a chain expires, in Unix time |
//! | `gateway_name_lookups_total` | counter | `backend` `result`, and none of a place | look-ups of the names of XBackends: `found`, or the word of a [failure](crate::names::LookupFailure) |
//! | `gateway_config_generation` | gauge | none at all | the number of the table in use, which rises with each |
//! | `gateway_config_served_duration_seconds` | histogram | none at all | from the notice of a change until it was [served](Metrics::served) |
//!
//! The place of requests, attempts, mirrors and streams is in `gateway` (`namespace/name`), `listener` (its name; that of a
//! ListenerSet has `namespace/name/` before it), `route_kind`, `route` (`namespace/name`), `rule` (its position, from 0) and
//! `rule_name`, where it has one; `backend` is `namespace/name:port` of a Service, with the kind and a space before it of one of
//! another kind: `XBackend default/pods:3101`, `ServiceImport default/shop:80`; of an `unresolved_backend` it is what the invalid
//! reference is to. Where no rule served a request or a stream, the labels end with the listener, or with the Gateway. In a mesh,
//! the Service that was dialled is there in the place of the Gateway, as `service`, with `client_namespace` where the namespace of
//! the client has Routes of its own for it. A connection's place is `gateway`, which is `mesh` for those of workloads,
//! `network_transport` (`tcp` or `udp`) and `port`.
//!
//! `http_response_status_class` is `1xx` to `5xx`, `other`, or `none` where there was no answer; `http_request_method` one of the
//! methods of HTTP or `_OTHER`; `error_type` is `unreachable`, `backend_failed`, `request_broken`, `timed_out`, `refused` (by a
//! layer of one's own) or `given_up` (the client went, or the time of the whole request was over). `reason` is the word for a
//! [`Reason`](crate::outcome::Reason).
//!
//! # What labels are made of
//! Labels name what is in the table, or a word of a closed list. Nothing that a client sends becomes one: a million hosts, paths and
//! methods add no series. A series begins with the first thing that it counts, stays when the table is swapped, and goes with
//! what it names. Statuses are counted by class, since a backend can send nine hundred of them.
//!
//! # What it costs
//! A request takes no lock and allocates nothing: its series is found once, by its numbers in the table, and compared with its
//! names once a table; the attempt [notes](crate::observe::ObserveAttempt::note) it for the request. It reads the clock four times,
//! and adds to five numbers, which lie beside each other. A place that is asked for more than a thousand times has several of them,
//! one for each thread, so that cores do not share them.
//!
//! The first request to a backend of a rule allocates some 250 bytes, wherever it comes in; the first that is no GET, takes more than 5 ms
//! or is no success, and each class of status after that, up to 300 more.
//!
//! An answer to a call of gRPC has the status 200 however the call ended: those of the gateway's own that say why it did not serve a call
//! are told by their `reason`, and what backends say is told by an access log, as `grpc_status`, and by no metric.
//!
//! A stream takes a lock once, at its end, and nothing while bytes go through it. So a stream that is there for days is counted when it
//! is over, with all its bytes; until then it is among `gateway_connections_open`. A datagram that begins no flow is no stream.
//!
//! The surprising case: a request that is given up before its answer begins is counted for its Gateway alone; to which rule it
//! went, the attempts tell, as `error_type="given_up"`.
//!
//! ```
//! use std::sync::Arc;
//! use bytes::Bytes;
//! use gateway_core::name::ObjectName;
//! use gateway_tower::metrics::Metrics;
//! use gateway_tower::metrics::prometheus_client::encoding::text::encode;
//! use gateway_tower::metrics::prometheus_client::registry::Registry;
//! use gateway_tower::{BoxError, Connection, Gateway, RequestBody, TableHandle};
//! use http::{Request, Response};
//! use http_body_util::Full;
//! use tower::{Layer, ServiceExt, service_fn};
//!
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/documentation/table.rs"));
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! # let table = table(|_, _| {});
//! # let client = service_fn(async |_: Request<RequestBody<Full<Bytes>>>| Ok::<_, BoxError>(Response::new(Full::<Bytes>::default())));
//! // The table has one rule, for paths under `/shop`.
//! let tables = TableHandle::new(table);
//! let metrics = Metrics::new(tables.clone());
//! let mut registry = Registry::default();
//! registry.register_collector(Box::new(metrics.clone()));
//!
//! // Within: attempts and mirrors. Around, for each connection: requests. A server takes the metrics as its observer.
//! let gateway = Gateway::builder(tables).metrics(&metrics).client(client);
//! let connection = Arc::new(Connection::new(ObjectName::new("default", "gateway"), 80));
//! let counted = metrics.requests(connection.clone()).layer(gateway.on(connection));
//!
//! let request = Request::get("/shop/cart").header("host", "example.com").body(Full::<Bytes>::default()).unwrap();
//! let Ok(_answer) = counted.oneshot(request).await;
//! let mut text = String::new();
//! encode(&mut text, &registry).unwrap();
//! assert!(text.contains(r#"route="default/shop",rule="0",http_request_method="GET",http_response_status_class="2xx"} 1"#));
//! # }
//! ```
//!
//! # Alerts
//! ```yaml
//! - alert: GatewayRouteFails
//!   expr: |
//!     sum by (route_kind, route) (rate(http_server_requests_total{http_response_status_class="5xx"}[5m]))
//!       / sum by (route_kind, route) (rate(http_server_requests_total[5m])) > 0.05
//!   for: 10m
//! - alert: GatewayRouteIsSlow
//!   expr: |
//!     histogram_quantile(0.99,
//!       sum by (route_kind, route, le) (rate(http_server_request_duration_seconds_bucket[5m]))) > 1
//!   for: 10m
//! - alert: GatewayBackendIsUnreachable
//!   expr: sum by (backend) (rate(http_client_request_duration_seconds_count{error_type="unreachable"}[5m])) > 0
//!   for: 5m
//! - alert: GatewayNameIsNotFound
//!   expr: sum by (backend) (rate(gateway_name_lookups_total{result!="found"}[5m])) > 0
//!   for: 5m
//! - alert: GatewayCertificateExpires
//!   expr: gateway_certificate_expiry_timestamp_seconds - time() < 14 * 24 * 3600
//! ```

mod closed_label;
mod method;
mod class;
mod attempt_end;
mod histogram;
mod cells;
mod labels;
mod series;
mod places;
mod streams;
mod sockets;
#[expect(clippy::module_inception, reason = "a file is named after its main type")]
mod metrics;
mod requests;
mod attempts;
mod collect;

pub use prometheus_client;

pub use self::attempts::CountedAttempt;
pub use self::metrics::Metrics;
pub use self::requests::{CountRequests, CountedRequest};
