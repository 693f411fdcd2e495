//! The checks of an API server, for those who have none: resources as written in, [`Valid`] objects out.
//!
//! The specification puts a part of its rules into the schemas of the resources and relies on an API server to enforce
//! them. A program that reads resources from files has none, so the same rules are checked here, for every kind, before
//! anything else looks at an object: lengths, forms and ranges of fields, uniqueness in lists, and the rules between
//! fields that the schemas state in CEL. The rules are those of v1.7.0, and an object that either channel takes is taken:
//! an API server may have stored it. What an object refers to is not looked at here: that is for the next stage.
//!
//! Some things that an API server refuses pass here, because the specification gives them a consequence that users can
//! see (`Accepted: False`, `UnsupportedValue`; [GEN-14](crate::spec#GEN-14), [RTE-30](crate::spec#RTE-30)): values of matches and
//! filters that are not known, and whatever depends on them. Neither does anything here compile a regular expression
//! ([VAL-ST-07](crate::spec#VAL-ST-07)).
//!
//! An object with a problem is left out as a whole, as if it had never been stored; every other object is translated.
//!
//! ```
//! use std::sync::Arc;
//!
//! use gateway_core::api::HttpRoute;
//! use gateway_core::validate::check;
//!
//! let route: HttpRoute = serde_json::from_str(
//!     r#"{"metadata": {"name": "shop"}, "spec": {"rules": [{"matches": [{"path": {"value": "/cart/../admin"}}]}]}}"#,
//! )?;
//! let problems = check(&Arc::new(route)).unwrap_err();
//! assert_eq!(problems[0].rule, "VAL-HR-47");
//! assert_eq!(problems[0].field.to_string(), "spec.rules[0].matches[0].path.value");
//! # Ok::<(), serde_json::Error>(())
//! ```

mod pattern;
mod problem;
mod schema;
mod valid;

mod metadata;
mod parent_ref;
mod reference;
mod session_persistence;
mod status;

mod header_modifier;
mod http_filter;
mod http_match;
mod listener;
mod listener_filter;
mod route;
mod stream_route;

mod backend;
mod backend_tls_policy;
mod backend_traffic_policy;
mod certificates_v1beta1;
mod core_v1;
mod discovery_v1;
mod gateway;
mod gateway_class;
mod grpc_route;
mod http_route;
mod listener_set;
mod mesh;
mod pod;
mod reference_grant;
mod service_import;
mod tcp_route;
mod telemetry_policy;
mod tls_route;
mod udp_route;

mod validated;

pub use pattern::form;
pub use problem::{FieldPath, Problem, Problems, Segment};
pub use valid::{Valid, Validate, check, update_problems};
pub use validated::{AllRejected, Rejected, Validated, problems, status_problems, validate};
