//! The resources as written: serde, and no behaviour.
//!
//! Every type has the fields of the v1.7.0 schema, standard and experimental channel, under the name that the Go API gives
//! it, in Rust case. Reading does what an API server does before it stores an object, and nothing more:
//! - a default is applied where the schema has one, to absent fields only, where an explicit `null` counts as absent;
//! - a value that an enumeration does not list is kept, as `Unknown`: later stages make a condition of it, not an error;
//! - a union keeps the shape that it is written in, `type` beside optional members, so that a wrong combination can be seen.
//!
//! Nothing is checked here beyond the types of the fields and the presence of those that the schema requires.
//!
//! ```
//! use gateway_core::api::{HttpRoute, PathMatchType};
//!
//! let route: HttpRoute = serde_json::from_str(r#"{"metadata": {"name": "all"}, "spec": {}}"#)?;
//! let path = &route.spec.rules[0].matches[0].path;
//! assert_eq!((&path.r#type, &*path.value), (&PathMatchType::PathPrefix, "/"));
//! # Ok::<(), serde_json::Error>(())
//! ```

mod group;
mod field;

mod meta;
mod reference;
mod timestamp;

mod certificates_v1beta1;
mod core_v1;
mod discovery_v1;
mod pod;
mod service_import;

mod backend;
mod backend_tls_policy;
mod backend_traffic_policy;
mod gateway;
mod gateway_class;
mod grpc_route;
mod http_filter;
mod http_route;
mod listener;
mod listener_filter;
mod listener_set;
mod mesh;
mod policy;
mod reference_grant;
mod route;
mod session_persistence;
mod tcp_route;
mod telemetry_policy;
mod tls_route;
mod udp_route;

mod own;
mod kind;
mod convert;
mod resources;

pub use backend::*;
pub use backend_tls_policy::*;
pub use backend_traffic_policy::*;
pub use certificates_v1beta1::*;
pub use convert::*;
pub use core_v1::*;
pub use discovery_v1::*;
pub use gateway::*;
pub use gateway_class::*;
pub use group::*;
pub use grpc_route::*;
pub use http_filter::*;
pub use http_route::*;
pub use kind::*;
pub use listener::*;
pub use listener_filter::*;
pub use listener_set::*;
pub use mesh::*;
pub use meta::*;
pub use own::*;
pub use pod::*;
pub use policy::*;
pub use reference::*;
pub use reference_grant::*;
pub use resources::*;
pub use route::*;
pub use service_import::*;
pub use session_persistence::*;
pub use tcp_route::*;
pub use telemetry_policy::*;
pub use timestamp::*;
pub use tls_route::*;
pub use udp_route::*;
