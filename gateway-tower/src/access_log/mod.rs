//! One line for each request, written when its answer has been sent to the end, or was given up; and one for each stream, at its end.
//!
//! The events are those of the `tracing` crate with the [target](TARGET) `access`, at the level `INFO`; who sets up the subscriber
//! decides on their form. The [layer](AccessLog) is around the whole [`Gateway`](crate::Gateway), whose answers carry an
//! [`Outcome`](crate::outcome::Outcome): the rule, the table, the endpoint, and the reason where the gateway answered itself.
//!
//! The surprising case: the body of an answer to `HEAD`, or of one without content, is never asked for, and the line says all the
//! same that the answer is complete.
//!
//! | field of a request | is |
//! | --- | --- |
//! | `peer`, `method`, `host`, `path`, `query`, `protocol` | of the request, as it came |
//! | `status`, `grpc_status`, `bytes` | of the answer; bytes of its body |
//! | `duration_ms` | from the head of the request to the end of the answer, in milliseconds |
//! | `complete` | whether the answer was sent to its end |
//! | `listener`, `route`, `rule`, `backend`, `endpoint`, `retries` | where it went; a rule by its name or its number, a backend also where the reference to it is invalid |
//! | `generation` | the number of the table that decided |
//! | `answered_by`, `reason` | who made the answer, and why, where it was no backend |
//!
//! Streams are connections that TLSRoutes and TCPRoutes are about, and flows of datagrams. A server that has the [`StreamLog`] among its
//! observers writes their lines, made of a [`StreamOutcome`](crate::outcome::StreamOutcome); a field that requests have too means the same.
//!
//! | field of a stream | is |
//! | --- | --- |
//! | `peer`, `transport`, `server_name` | of the client: `tcp` or `udp`, and the name that its TLS asked for |
//! | `bytes_received`, `bytes` | from the client to the backend, and back; within TLS, where it is terminated here |
//! | `duration_ms` | from accepting it to its end, in milliseconds |
//! | `complete` | whether both sides have closed it; a flow, whether it ended by being quiet |
//! | `listener`, `route_kind`, `route`, `rule`, `backend`, `endpoint` | where it went |
//! | `generation` | the number of the table that decided |
//! | `result` | how it ended, as one [word](crate::outcome::StreamEnd::as_str) |
//! | `reason` | why it went nowhere |
//!
//! A datagram that begins no flow has no line, since anything may send any number of them.
//!
//! ```
//! use std::sync::Arc;
//! use gateway_core::name::ObjectName;
//! use gateway_core::table::RouteTable;
//! use gateway_tower::access_log::AccessLog;
//! use gateway_tower::{BoxError, Connection, Gateway, RequestBody, TableHandle};
//! use http::{Request, Response};
//! use http_body_util::Empty;
//! use tower::{Layer, ServiceExt, service_fn};
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! # type Body = Empty<bytes::Bytes>;
//! # let client = service_fn(async |_: Request<RequestBody<Body>>| Ok::<_, BoxError>(Response::new(Body::new())));
//! let gateway = Gateway::new(TableHandle::new(RouteTable::default()), client);
//! // As for a server, which has a service for each connection.
//! let service = move |connection: Arc<Connection>| {
//!     AccessLog::layer(connection.clone()).layer(gateway.clone().on(connection))
//! };
//!
//! let connection = Arc::new(Connection::new(ObjectName::new("default", "gateway"), 80));
//! let request = Request::get("/").header("host", "example.com").body(Body::new()).unwrap();
//! let Ok(answer) = service(connection).oneshot(request).await;
//! // access: method="GET" path="/" protocol=HTTP/1.1 status=404 … answered_by="gateway" reason="…"
//! assert_eq!(answer.status(), 404);
//! # }
//! ```

mod target;
mod causes;
mod requests;
mod streams;

pub use self::requests::{AccessLog, LoggedRequest};
pub use self::streams::StreamLog;
pub use self::target::TARGET;
