//! The exporter, which sends spans to their providers.

use std::collections::HashSet;
use std::sync::Arc;

use bytes::Bytes;
use foldhash::fast::RandomState;
use gateway_core::name::ObjectName;
use gateway_core::rule::BackendProtocol;
use gateway_core::table::{FrontendOwner, Spans};
use http::header::{self, HeaderValue};
use http::{Method, Request, Response, StatusCode, Uri, request};
use http_body::Body;
use http_body_util::Empty;
use opentelemetry::KeyValue;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::transform::common::tonic::ResourceAttributesWithSchema;
use opentelemetry_proto::transform::trace::tonic::group_spans_by_resource_and_scope;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SpanData;
use prost::Message;
use tokio::task::JoinSet;
use tokio::time;
use tower_service::Service;

use super::shared::Shared;
use super::{DELAY, MAX_UNDER_WAY, TIME_LIMIT};
use crate::balance::Pick;
use crate::body::{BoxError, RequestBody};
use crate::client::UpstreamTarget;
use crate::errand::{self, Errands};
use crate::handle::{Shard, Snapshot, TableHandle};

/// Sends the spans of an [`Outbox`](super::Outbox) to their providers.
#[derive(Debug)]
pub struct Exporter {
    shared: Arc<Shared>,
    tables: TableHandle,
    service_name: Box<str>,
    shard: Shard,
    /// The Gateways of which a batch was lost last, so that it is said once.
    failing: HashSet<ObjectName, RandomState>,
}

/// A batch that is to be sent, and where.
struct Parcel {
    snapshot: Snapshot,
    gateway: ObjectName,
    spans: Vec<SpanData>,
}

// === impl Exporter ===

impl Exporter {
    pub(super) fn new(shared: Arc<Shared>, tables: TableHandle, service_name: &str) -> Self {
        let (service_name, shard) = (service_name.into(), Shard::next());
        Self { shared, tables, service_name, shard, failing: HashSet::default() }
    }

    /// Sends spans through clones of `client`, at the endpoints that `picker` chooses, until the outbox is
    /// [closed](super::Outbox::close) and all are sent or lost.
    pub async fn run<C, RB>(mut self, client: C, picker: Arc<dyn Pick>)
    where
        C: Service<Request<RequestBody<Empty<Bytes>>>, Response = Response<RB>> + Clone + Send + 'static,
        C::Error: Into<BoxError>,
        C::Future: Send,
        RB: Body<Data = Bytes> + Send + 'static,
        RB::Error: Into<BoxError>,
    {
        let errands = Errands::new(client, picker);
        let mut under_way = JoinSet::new();
        loop {
            let closed = self.shared.is_closed();
            tokio::select! {
                Some(ended) = under_way.join_next() => self.note(ended),
                () = self.shared.wake.notified(), if !closed => {}
                () = time::sleep(DELAY), if !closed => {}
                else => {}
            }
            let lost = self.shared.waiting().take_lost();
            if lost > 0 {
                tracing::warn!("{lost} spans found no room, and are lost");
            }
            let room = MAX_UNDER_WAY - under_way.len();
            let batches = self.shared.waiting().take(room);
            for (gateway, spans) in batches {
                let snapshot = self.tables.snapshot(self.shard);
                let parcel = Parcel { snapshot, gateway, spans };
                under_way.spawn(parcel.send(errands.clone(), self.service_name.clone()));
            }
            if self.shared.is_closed() && self.shared.waiting().is_empty() {
                return;
            }
        }
    }

    /// Notes what became of a batch.
    fn note(&mut self, ended: Result<(ObjectName, Result<(), BoxError>), tokio::task::JoinError>) {
        let Ok((gateway, sent)) = ended else { return };
        self.shared.waiting().done(&gateway);
        match sent {
            Ok(()) => _ = self.failing.remove(&gateway),
            Err(error) if self.failing.insert(gateway.clone()) => {
                tracing::warn!(
                    error = &*error as &dyn std::error::Error,
                    "spans of Gateway {gateway} are lost"
                );
            }
            Err(error) => {
                tracing::debug!(
                    error = &*error as &dyn std::error::Error,
                    "spans of Gateway {gateway} are lost"
                );
            }
        }
    }
}

// === impl Parcel ===

impl Parcel {
    /// Sends it, and says whose it was.
    async fn send<C, RB>(
        self,
        mut errands: Errands<C>,
        service_name: Box<str>,
    ) -> (ObjectName, Result<(), BoxError>)
    where
        C: Service<Request<RequestBody<Empty<Bytes>>>, Response = Response<RB>>,
        C::Error: Into<BoxError>,
        RB: Body<Data = Bytes>,
        RB::Error: Into<BoxError>,
    {
        let Self { snapshot, gateway, spans: sent } = self;
        let told = snapshot.tracing(&gateway).and_then(|tracing| tracing.spans.as_ref());
        // A policy that went has no provider told any more.
        let Some(spans) = told else { return (gateway, Ok(())) };
        let sending = deliver(&mut errands, &snapshot, &gateway, spans, sent, &service_name);
        let result = match time::timeout(TIME_LIMIT, sending).await {
            Ok(result) => result,
            Err(_) => Err("the provider takes too long".into()),
        };
        (gateway, result)
    }
}

async fn deliver<C, RB>(
    errands: &mut Errands<C>,
    snapshot: &Snapshot,
    gateway: &ObjectName,
    spans: &Spans,
    sent: Vec<SpanData>,
    service_name: &str,
) -> Result<(), BoxError>
where
    C: Service<Request<RequestBody<Empty<Bytes>>>, Response = Response<RB>>,
    C::Error: Into<BoxError>,
    RB: Body<Data = Bytes>,
    RB::Error: Into<BoxError>,
{
    let backend = snapshot.backend(spans.provider);
    let message = message(sent, spans.service_name.as_deref().unwrap_or(service_name));
    let is_grpc = backend.protocol == BackendProtocol::H2c;
    let (mut parts, body) = match is_grpc {
        true => (errand::call(PATH_OF_CALL, backend), errand::framed(&message)),
        false => (over_http(errand::host(backend)), message.encode_to_vec().into()),
    };
    let parts = parts.as_mut().ok_or("the provider has no name")?;
    for (name, value) in &spans.headers {
        parts.headers.insert(name, value.clone());
    }
    let owner = FrontendOwner::Gateway(gateway.clone());
    let target =
        |endpoint| UpstreamTarget::in_table(snapshot.clone(), spans.provider, endpoint as u32, &owner);
    let answer = errands.send(backend, target, (parts.clone(), body)).await?;
    match (answer.status(), is_grpc, errand::grpc_status(&answer)) {
        (StatusCode::OK, true, Some(status)) if status == "0" => Ok(()),
        (status, false, _) if status.is_success() => Ok(()),
        (status, true, code) => {
            Err(format!("the provider answers with {status} and grpc-status {code:?}").into())
        }
        (status, false, _) => Err(format!("the provider answers with {status}").into()),
    }
}

const PATH_OF_CALL: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";

fn over_http(host: Option<HeaderValue>) -> Option<request::Parts> {
    let (mut parts, ()) = Request::new(()).into_parts();
    parts.method = Method::POST;
    parts.uri = Uri::from_static("/v1/traces");
    parts.headers.insert(header::HOST, host?);
    parts.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-protobuf"));
    Some(parts)
}

fn message(spans: Vec<SpanData>, service_name: &str) -> ExportTraceServiceRequest {
    let name = KeyValue::new("service.name", service_name.to_owned());
    let resource = Resource::builder_empty().with_attribute(name).build();
    let resource = ResourceAttributesWithSchema::from(&resource);
    ExportTraceServiceRequest { resource_spans: group_spans_by_resource_and_scope(spans, &resource) }
}
