//! gRPC: the status, and who was asked for what.

use crate::case::{GrpcCode, GrpcExchange};
use crate::exchange::Answer;

use super::mismatch::{Mismatch, backend};

/// Compares the end of a call. Only after a success it matters who answered.
pub fn grpc(exchange: &GrpcExchange, answer: &Answer) -> Vec<Mismatch> {
    let expected = &exchange.expect;
    let name = |code: u8| format!("{code} {}", name(code));
    let Answer::Grpc(got) = answer else {
        return vec![Mismatch::answer(format!("gRPC status {}", name(expected.code.number())), answer)];
    };
    if expected.failure {
        let is_failure = got.code != GrpcCode::Ok.number();
        return match is_failure {
            true => Vec::new(),
            false => vec![Mismatch::new("gRPC status", "any but OK", name(got.code))],
        };
    }
    let mut mismatches = Vec::new();
    if got.code != expected.code.number() {
        let got = format!("{} {:?}", name(got.code), got.message);
        mismatches.push(Mismatch::new("gRPC status", name(expected.code.number()), got));
    }
    if got.code != GrpcCode::Ok.number() || expected.code != GrpcCode::Ok {
        return mismatches;
    }
    let Some(echo) = &got.echo else {
        if expected.backend.is_some() {
            mismatches.push(Mismatch::new("backend", "one that answers", "an answer that no backend made"));
        }
        return mismatches;
    };
    let wanted = format!("/{}/{}", exchange.call.service, exchange.call.method);
    if echo.method.trim_start_matches('/') != wanted.trim_start_matches('/') {
        mismatches.push(Mismatch::new("method at the backend", wanted, &echo.method));
    }
    mismatches.extend(expected.backend.as_ref().and_then(|name| backend(name, &echo.pod, true)));
    for (name, wanted) in expected.headers.iter().filter(|(name, it)| !it.fits(&echo.header(name))) {
        mismatches.push(Mismatch::new(
            format!("metadata {name}"),
            wanted,
            format!("{:?}", echo.header(name)),
        ));
    }
    for name in expected.absent_headers.iter().filter(|name| !echo.header(name).is_empty()) {
        mismatches.push(Mismatch::new(
            format!("metadata {name}"),
            "none",
            format!("{:?}", echo.header(name)),
        ));
    }
    if let Some(wanted) =
        expected.server_name.as_ref().filter(|name| Some(*name) != echo.server_name.as_ref())
    {
        let got = format!("{:?}", echo.server_name);
        mismatches.push(Mismatch::new("server name at the backend", format!("{wanted:?}"), got));
    }
    mismatches
}

/// The name of a status code.
fn name(code: u8) -> &'static str {
    const NAMES: [&str; 17] = [
        "OK",
        "CANCELLED",
        "UNKNOWN",
        "INVALID_ARGUMENT",
        "DEADLINE_EXCEEDED",
        "NOT_FOUND",
        "ALREADY_EXISTS",
        "PERMISSION_DENIED",
        "RESOURCE_EXHAUSTED",
        "FAILED_PRECONDITION",
        "ABORTED",
        "OUT_OF_RANGE",
        "UNIMPLEMENTED",
        "INTERNAL",
        "UNAVAILABLE",
        "DATA_LOSS",
        "UNAUTHENTICATED",
    ];
    NAMES.get(usize::from(code)).unwrap_or(&"which is none")
}

#[cfg(test)]
mod tests {
    use serde_json::{from_value, json};

    use crate::case::ECHO_SERVICE;
    use crate::exchange::{GrpcAnswer, GrpcEcho, Pod};

    use super::*;

    #[test]
    fn code_method_and_backend_count() {
        let compare = |expect: serde_json::Value, answer: &Answer| {
            let exchange = from_value(json!({"method": "Echo", "expect": expect})).unwrap();
            grpc(&exchange, answer).iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
        };
        let pod = Pod { namespace: "gateway-conformance-infra".to_owned(), name: "one-a-b".to_owned() };
        let headers = [("x-one".to_owned(), vec!["1".to_owned()])].into();
        let method = format!("/{ECHO_SERVICE}/Echo");
        let echo = Some(GrpcEcho { pod, method, headers, server_name: None });
        let good = Answer::Grpc(GrpcAnswer { echo, ..GrpcAnswer::default() });
        assert_eq!(compare(json!({"backend": "one"}), &good), "");
        assert!(compare(json!({"backend": "two"}), &good).starts_with("backend: "));
        assert_eq!(compare(json!({"headers": {"X-One": "1"}, "absentHeaders": ["x-two"]}), &good), "");
        assert_eq!(
            compare(json!({"headers": {"x-one": "2"}, "absentHeaders": ["x-one"], "serverName": "a"}), &good),
            "metadata x-one: expected \"2\", got [\"1\"]; metadata x-one: expected none, got [\"1\"]; \
             server name at the backend: expected \"a\", got None"
        );
        assert_eq!(compare(json!({"failure": true}), &good), "gRPC status: expected any but OK, got 0 OK");
        assert_eq!(
            compare(json!({"code": "UNAVAILABLE"}), &good),
            "gRPC status: expected 14 UNAVAILABLE, got 0 OK \"\""
        );
        let none = Answer::Grpc(GrpcAnswer { code: 12, message: "no".to_owned(), ..GrpcAnswer::default() });
        assert_eq!(compare(json!({"code": "UNIMPLEMENTED"}), &none), "");
        assert_eq!(compare(json!({"failure": true}), &none), "");
        assert_eq!(
            compare(json!({"backend": "one"}), &none),
            "gRPC status: expected 0 OK, got 12 UNIMPLEMENTED \"no\""
        );
    }
}
