//! Holding the body of a request, to be sent along and then on.

use std::pin::pin;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use http_body::Body;
use http_body_util::BodyExt;

use crate::body::{BoxError, RequestBody};
use crate::outcome::{Refusal, Refused};

/// What came of reading a body.
pub(super) enum Held<B> {
    /// All of it is here: what it is, and the same to be sent on.
    Whole(Bytes, RequestBody<B>),
    /// It is longer than it may be.
    TooLong,
}

/// Reads a body to its end, as long as it has no more than `limit` bytes.
///
/// # Errors
/// When it breaks off.
pub(super) async fn hold<B>(body: RequestBody<B>, limit: usize) -> Result<Held<B>, Refused>
where
    B: Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    if body.is_end_stream() {
        return Ok(Held::Whole(Bytes::new(), body));
    }
    if body.size_hint().lower() > limit as u64 {
        return Ok(Held::TooLong);
    }
    let (mut body, mut held, mut trailers) = (pin!(body), BytesMut::new(), None);
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| Refused::from(Refusal::RequestBroken(Arc::from(error))))?;
        match frame.into_data() {
            Ok(data) if held.len() + data.len() > limit => return Ok(Held::TooLong),
            Ok(data) => held.extend_from_slice(&data),
            Err(frame) => trailers = frame.into_trailers().ok(),
        }
    }
    let held = held.freeze();
    Ok(Held::Whole(held.clone(), RequestBody::whole(held, trailers)))
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue};
    use http_body::Frame;
    use http_body_util::{Full, StreamBody};

    use super::*;

    async fn length(body: RequestBody<Full<Bytes>>, limit: usize) -> Option<usize> {
        match hold(body, limit).await.unwrap() {
            Held::Whole(held, body) => {
                assert_eq!(body.size_hint().exact(), Some(held.len() as u64));
                assert_eq!(body.collect().await.unwrap().to_bytes(), held);
                Some(held.len())
            }
            Held::TooLong => None,
        }
    }

    // FEA-08, CON-13
    #[tokio::test]
    async fn a_body_is_held_whole_or_not_at_all() {
        let body = |text: &'static str| RequestBody::new(Full::from(text));
        assert_eq!(length(body("1234"), 4).await, Some(4));
        assert_eq!(length(body("12345"), 4).await, None);
        assert_eq!(length(RequestBody::empty(), 4).await, Some(0));
    }

    // FEA-08
    #[tokio::test]
    async fn a_body_without_a_length_is_read_no_further_than_it_may_be_and_keeps_its_trailers() {
        let frames = |last: Frame<Bytes>| {
            let data = Frame::data(Bytes::from_static(b"1234"));
            let frames = [data, last].map(Ok::<_, BoxError>);
            RequestBody::new(StreamBody::new(futures_util::stream::iter(frames)))
        };
        let more = frames(Frame::data(Bytes::from_static(b"5")));
        assert!(matches!(hold(more, 4).await.unwrap(), Held::TooLong));
        let trailers = HeaderMap::from_iter([("x-sum".parse().unwrap(), HeaderValue::from_static("7"))]);
        let Held::Whole(_, body) = hold(frames(Frame::trailers(trailers.clone())), 4).await.unwrap() else {
            panic!("it is short")
        };
        assert_eq!(body.collect().await.unwrap().trailers(), Some(&trailers));
    }

    // MSG-10
    #[tokio::test]
    async fn a_body_that_breaks_is_not_blamed_on_the_service() {
        let frames = [Ok(Frame::data(Bytes::from_static(b"1"))), Err(BoxError::from("reset"))];
        let broken = RequestBody::new(StreamBody::new(futures_util::stream::iter(frames)));
        let Err(refused) = hold(broken, 4).await else { panic!("it breaks") };
        assert_eq!(refused.refusal().status(), 400);
    }
}
