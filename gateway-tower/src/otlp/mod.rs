//! Spans sent to the providers of XTelemetryPolicies, by OTLP over the client of the gateway.
//!
//! What [`Traces`](crate::trace::Traces) make for Gateways with a policy is kept in an [`Outbox`] and sent by an [`Exporter`]: each
//! Gateway's to the provider that its policy names in the table at that time, over gRPC or HTTP as the port of that Service says,
//! within TLS where a BackendTLSPolicy asks for it, at the endpoints that are ready then.
//!
//! - A batch is sent after [`DELAY`], or once [`BATCH`] spans wait. A Gateway has one under way at a time, so that a provider that
//!   hangs holds up no other Gateway's; all Gateways together have [`MAX_UNDER_WAY`].
//! - [`MAX_SPANS`] spans are kept in all. A Gateway may keep as many as it leaves free, and always [`LEAST_PER_GATEWAY`]. Spans that find
//!   no room are lost, and so are those of a batch that cannot be sent; both is logged.
//! - A provider has [`TIME_LIMIT`] for its answer.
//!
//! The surprising case: a policy that changes has what waits sent to the new provider, and what waits when it goes is dropped.
//!
//! ```
//! use std::sync::Arc;
//! use gateway_core::table::RouteTable;
//! use gateway_tower::balance::Random;
//! use gateway_tower::otlp::Outbox;
//! use gateway_tower::trace::Traces;
//! use gateway_tower::upstream::{Upstream, UpstreamOptions};
//! use gateway_tower::{Gateway, TableHandle};
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! let tables = TableHandle::new(RouteTable::default());
//! let (outbox, exporter) = Outbox::new(tables.clone(), "gateway");
//! let traces = Traces::disabled().by_policy(tables.clone(), outbox.clone());
//! // What serves the connections of `gateway` is to be within `traces.requests`.
//! let client = Upstream::new(UpstreamOptions::default());
//! let gateway = Gateway::builder(tables).traces(&traces).client(client.clone());
//! let exporting = tokio::spawn(exporter.run(client, Arc::new(Random)));
//!
//! // At the end, what waits is sent.
//! drop((gateway, traces));
//! outbox.close();
//! exporting.await.unwrap();
//! # }
//! ```
//!
//! # Spec
//! OTLP 1.3; [TEL-03](gateway_core::spec#TEL-03), [TEL-04](gateway_core::spec#TEL-04).

mod waiting;
mod shared;
mod recorded;
mod exporter;
mod outbox;

use std::time::Duration;

pub use self::exporter::Exporter;
pub use self::outbox::Outbox;

/// How long a span waits for others, at most.
pub const DELAY: Duration = Duration::from_secs(1);

/// The most spans that are sent at once.
pub const BATCH: usize = 512;

/// The most batches that are under way.
pub const MAX_UNDER_WAY: usize = 64;

/// The most spans that are kept until they are sent, but for the [least](LEAST_PER_GATEWAY) of each Gateway.
pub const MAX_SPANS: usize = 32_768;

/// What a Gateway may always keep.
pub const LEAST_PER_GATEWAY: usize = 64;

/// The longest that a provider may take for a batch.
pub const TIME_LIMIT: Duration = Duration::from_secs(10);
