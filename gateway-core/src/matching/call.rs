//! Calls of gRPC, told from other requests.

use http::header::{self, HeaderMap};

/// Whether a request with these headers is a call of gRPC: its content type is `application/grpc`, alone or with what may
/// follow it.
///
/// `application/grpc-web` is another protocol with the same methods, and counts as well.
///
/// # Spec
/// [AMB-40](crate::choices#AMB-40), [AMB-64](crate::choices#AMB-64); gRPC, `doc/PROTOCOL-HTTP2.md`.
pub fn is_call(headers: &HeaderMap) -> bool {
    const GRPC: &[u8] = b"application/grpc";
    let content_type =
        headers.get(header::CONTENT_TYPE).and_then(|value| value.as_bytes().split_at_checked(GRPC.len()));
    content_type.is_some_and(|(start, rest)| {
        start.eq_ignore_ascii_case(GRPC) && matches!(rest.first(), None | Some(b'+' | b';' | b'-' | b' '))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    // AMB-40, AMB-64
    #[test]
    fn a_call_is_told_by_its_content_type() {
        for (content_type, expected) in [
            ("application/grpc", true),
            ("application/grpc+proto", true),
            ("Application/gRPC; charset=utf-8", true),
            ("application/grpc-web+proto", true),
            ("application/grpc-web-text", true),
            ("application/grpcfoo", false),
            ("application/json", false),
            ("application/gr", false),
        ] {
            let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, content_type.parse().unwrap())]);
            assert_eq!(is_call(&headers), expected, "{content_type}");
        }
        assert!(!is_call(&HeaderMap::new()));
    }
}
