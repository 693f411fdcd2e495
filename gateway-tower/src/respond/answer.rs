//! The answer to a request that was refused.

use std::error::Error;

use bytes::Bytes;
use gateway_core::exchange::Form;
use http::Response;

use crate::outcome::Refused;

/// The answer in the form that the client understands, with an [`Outcome`](crate::outcome::Outcome) in its extensions.
pub(super) fn answer<B: From<Bytes>>(form: Form, refused: Refused) -> Response<B> {
    let (refusal, headers, outcome) = refused.into_parts();
    let status = refusal.status();
    tracing::debug!(status = status.as_u16(), error = &refusal as &dyn Error, "answered by the gateway");
    let mut response = form.answer(status, refusal.grpc_code(), refusal.text(), headers).map(B::from);
    response.extensions_mut().insert(outcome);
    response
}

#[cfg(test)]
mod tests {
    use http::StatusCode;
    use http::header::{self, HeaderValue};

    use super::*;
    use crate::outcome::CustomRefusal;

    #[test]
    fn headers_of_the_refusal_are_in_both_forms() {
        let refused = || {
            Refused::from(CustomRefusal::new("quota", StatusCode::TOO_MANY_REQUESTS).text("{}"))
                .with_header(header::RETRY_AFTER, HeaderValue::from_static("60"))
                .with_header(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))
        };
        let plain: Response<Bytes> = answer(Form::Http, refused());
        assert_eq!((plain.status(), &plain.body()[..]), (StatusCode::TOO_MANY_REQUESTS, &b"{}"[..]));
        assert_eq!(plain.headers()["content-type"], "application/json");
        assert_eq!(plain.headers()["retry-after"], "60");

        let call: Response<Bytes> =
            answer(Form::Grpc(Box::new(HeaderValue::from_static("application/grpc"))), refused());
        assert!(call.body().is_empty());
        assert_eq!(call.headers()["content-type"], "application/grpc");
        assert_eq!(call.headers()["grpc-status"], "14");
        assert_eq!(call.headers()["retry-after"], "60");
    }
}
