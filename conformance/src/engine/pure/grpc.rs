//! gRPC calls.

use http::StatusCode;

use super::forward::mirror;
use super::{Decider, Pure};
use crate::backend::VirtualBackends;
use crate::case::{GrpcCall, GrpcCode, Target};
use crate::engine::{Effect, EngineError, Reply, arrival};
use crate::exchange::{Answer, Failure, GrpcAnswer};
use crate::store::Store;

use super::super::Entrance;

impl<D: Decider> Pure<D> {
    pub(super) fn grpc(&mut self, target: &Target, call: &GrpcCall) -> Result<Answer, EngineError> {
        let at = self.place(target)?;
        match self.decider.entrance(&at.gateway, at.port, None) {
            Entrance::Http => {}
            Entrance::Closed => {
                return Ok(Answer::Failed(Failure::Connect("nobody listens there".to_owned())));
            }
            Entrance::Https(_) | Entrance::Stream => {
                return Ok(Answer::Failed(Failure::Closed("the port speaks something else".to_owned())));
            }
        }
        let arrival = arrival::of_call(&at, call, self.randoms())?;
        let effect = self.decider.answer(&arrival).effect;
        Ok(Answer::Grpc(end_of_call(&self.backends, &self.store, effect, self.random.u32(..))))
    }
}

/// How a call ends.
pub(super) fn end_of_call(
    backends: &VirtualBackends,
    store: &Store,
    effect: Effect,
    first: u32,
) -> GrpcAnswer {
    let failed = |code: GrpcCode, message: &str| GrpcAnswer {
        code: code.number(),
        message: message.to_owned(),
        echo: None,
    };
    let forwarded = match effect {
        Effect::Answered(reply) => return of_reply(&reply),
        Effect::Forwarded(forwarded) => forwarded,
    };
    mirror(backends, store, &forwarded.mirrors, first);
    let endpoint = forwarded.endpoints[first as usize % forwarded.endpoints.len()];
    let Some(backend) = backends.at(endpoint) else {
        return failed(GrpcCode::Unavailable, "the endpoint cannot be reached");
    };
    let method = forwarded.sent.target;
    if !backend.is_grpc() {
        return failed(GrpcCode::Unavailable, "the backend speaks no gRPC");
    }
    match method.rsplit('/').next() {
        Some("Echo" | "EchoTwo") => {
            GrpcAnswer { code: 0, message: String::new(), echo: Some((backend.pod().clone(), method)) }
        }
        _ => failed(GrpcCode::Unimplemented, "the backend has no such method"),
    }
}

/// What a client of gRPC makes of an answer without trailers.
fn of_reply(reply: &Reply) -> GrpcAnswer {
    let line = |name: &str| reply.headers.get(name).and_then(|lines| lines.first());
    let code = line("grpc-status").and_then(|code| code.parse().ok());
    // The mapping that gRPC documents for answers of HTTP.
    let by_http = match reply.status {
        StatusCode::BAD_REQUEST => GrpcCode::Internal,
        StatusCode::UNAUTHORIZED => GrpcCode::Unauthenticated,
        StatusCode::FORBIDDEN => GrpcCode::PermissionDenied,
        StatusCode::NOT_FOUND => GrpcCode::Unimplemented,
        StatusCode::TOO_MANY_REQUESTS
        | StatusCode::BAD_GATEWAY
        | StatusCode::SERVICE_UNAVAILABLE
        | StatusCode::GATEWAY_TIMEOUT => GrpcCode::Unavailable,
        _ => GrpcCode::Unknown,
    };
    GrpcAnswer {
        code: code.unwrap_or(by_http.number()),
        message: line("grpc-message").cloned().unwrap_or_else(|| reply.status.to_string()),
        echo: None,
    }
}
