//! gRPC calls.

use http::StatusCode;

use super::forward::{begins, mirror, start};
use super::tls::with_backend;
use super::{Decider, Pure};
use crate::backend::VirtualBackends;
use crate::case::{GrpcCall, GrpcCode, Target};
use crate::decision::{Arrival, Effect, Reply};
use crate::engine::{EngineError, arrival};
use crate::exchange::{Answer, GrpcAnswer, GrpcEcho};
use crate::store::Store;

impl<D: Decider> Pure<D> {
    pub(super) fn grpc(&mut self, target: &Target, call: &GrpcCall) -> Result<Answer, EngineError> {
        let at = self.place(target)?;
        if let Err(failure) = self.admit(&at, call.tls.as_ref()) {
            return Ok(Answer::Failed(failure));
        }
        let mut arrival = Arrival { now: self.now(), ..arrival::of_call(&at, call, self.randoms())? };
        let effect = self.settle(&mut arrival);
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
        ..GrpcAnswer::default()
    };
    let forwarded = match effect {
        Effect::Answered(reply) => return of_reply(&reply),
        Effect::Forwarded(forwarded) => forwarded,
        Effect::Asks(_) => return failed(GrpcCode::Unimplemented, "nobody is asked here"),
    };
    mirror(backends, store, &forwarded.mirrors, first);
    let position = start(&forwarded, first);
    let Some(backend) = backends.at(forwarded.endpoints[position]) else {
        return failed(GrpcCode::Unavailable, "the endpoint cannot be reached");
    };
    let seen = match &forwarded.to.tls {
        Some(tls) => match with_backend(tls, backend, store) {
            Some(seen) => Some(seen),
            None => return failed(GrpcCode::Unavailable, "one of the two does not trust the other"),
        },
        None => None,
    };
    let method = forwarded.sent.target;
    if !backend.is_grpc() || backend.is_tls() != seen.is_some() {
        return failed(GrpcCode::Unavailable, "the backend speaks something else");
    }
    match method.rsplit('/').next() {
        Some("Echo" | "EchoTwo") => {
            let server_name = seen.map(|tls| tls.server_name);
            let (pod, headers) = (backend.pod().clone(), forwarded.sent.headers);
            let echo = Some(GrpcEcho { pod, method, headers, server_name });
            let begins = begins(forwarded.session.as_ref(), &forwarded.endpoints, position);
            GrpcAnswer { echo, headers: begins.into_iter().collect(), ..GrpcAnswer::default() }
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
        ..GrpcAnswer::default()
    }
}
