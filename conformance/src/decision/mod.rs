//! Decisions about requests, connections and datagrams: made by the core, and by the plain reference.
//!
//! Both get an [`Arrival`] and give an [`Outcome`], in the same words, so that an engine can play either, and a test compare
//! the two. Nothing here knows a case or a socket: it is what fuzzing needs and no more.
//!
//! The surprising case: an outcome holds no body and no hop-by-hop header. What the specification leaves open is not compared.
//!
//! ```
//! use conformance::decision::core::Core;
//! use conformance::decision::{Arrival, Decision};
//! use gateway_core::name::ObjectName;
//! use http::{Request, Response, StatusCode};
//!
//! let arrival = Arrival {
//!     gateway: ObjectName::new("default", "web"),
//!     port: 80,
//!     server_name: None,
//!     request: Request::get("/").header("host", "shop.example.com").body(())?,
//!     body_length: 0,
//!     auth: Vec::new(),
//!     randoms: vec![0],
//!     answer: Response::new(()),
//!     now: Arrival::some_time(),
//! };
//! // A core without resources serves nothing.
//! assert_eq!(Core::default().decide(&arrival), Decision::Refused(StatusCode::NOT_FOUND));
//! # Ok::<(), http::Error>(())
//! ```

pub mod core;
pub mod reference;

mod mesh_arrival;
mod outcome;
mod request_edit;
mod stream;
mod tls;

pub use self::mesh_arrival::MeshArrival;
pub use self::outcome::{
    Arrival, Asked, AuthReply, CheckReply, Decision, Effect, Entrance, Forwarded, Headers, Mirrored, Outcome,
    Question, Reply, Retry, RetryBudget, Sent, Session, Target, Timeouts, headers,
};
pub use self::request_edit::{REQUEST_EDIT_GROUP, REQUEST_EDIT_KIND, RequestEdits};
pub use self::stream::{StreamArrival, StreamOutcome, Transport};
pub use self::tls::{Authorities, BackendTls, ClientValidation, Handshake, Identity};
