//! Holding the body of a request, to be sent along and then on.

use std::pin::pin;
use std::sync::Arc;

use bytes::Bytes;
use http_body::Body;
use http_body_util::BodyExt;

use super::room::Permit;
use crate::body::{BoxError, RequestBody};
use crate::outcome::{Refusal, Refused};

/// What came of reading a body.
pub(super) enum Held<B> {
    /// All of it is here: what it is, and the same to be sent on.
    Whole(Bytes, RequestBody<B>),
    /// It is longer than it may be.
    TooLong,
    /// There is no room for it.
    NoRoom,
}

/// What is held, with its room: until the last who has some of it has passed it on.
struct Holding {
    bytes: Vec<u8>,
    room: Permit,
}

/// Reads a body to its end, as long as it has no more than `limit` bytes.
///
/// # Errors
/// When it breaks off.
pub(super) async fn hold<B>(body: RequestBody<B>, limit: usize, room: Permit) -> Result<Held<B>, Refused>
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
    let (mut body, mut trailers) = (pin!(body), None);
    let mut held = Holding { bytes: Vec::new(), room };
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| Refused::from(Refusal::RequestBroken(Arc::from(error))))?;
        match frame.into_data() {
            Ok(data) if held.bytes.len() + data.len() > limit => return Ok(Held::TooLong),
            Ok(data) if !held.make_room(data.len(), limit) => return Ok(Held::NoRoom),
            Ok(data) => held.bytes.extend_from_slice(&data),
            Err(frame) => trailers = frame.into_trailers().ok(),
        }
    }
    let held = Bytes::from_owner(held);
    Ok(Held::Whole(held.clone(), RequestBody::whole(held, trailers)))
}

// === impl Holding ===

impl Holding {
    /// Makes room for so many more bytes; says whether there is. It doubles, up to the limit, so that little is moved.
    fn make_room(&mut self, more: usize, limit: usize) -> bool {
        let needed = self.bytes.len() + more;
        if needed <= self.bytes.capacity() {
            return true;
        }
        let wanted = needed.max(2 * self.bytes.capacity()).min(limit);
        let there_is = self.room.grow_to(wanted);
        if there_is {
            self.bytes.reserve_exact(wanted - self.bytes.len());
        }
        there_is
    }
}

impl AsRef<[u8]> for Holding {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

#[cfg(test)]
mod tests {
    use gateway_core::name::ObjectName;
    use gateway_core::rule::BackendKind;
    use http::{HeaderMap, HeaderValue};
    use http_body::Frame;
    use http_body_util::{Full, StreamBody};

    use super::super::MAX_HELD;
    use super::super::room::{Holder, Room};
    use super::*;

    fn permit(room: &Room) -> Permit {
        room.permit(Holder {
            service: (BackendKind::Service, ObjectName::new("default", "auth"), 80),
            client: None,
        })
    }

    async fn length(body: RequestBody<Full<Bytes>>, limit: usize) -> Option<usize> {
        match hold(body, limit, permit(&Room::default())).await.unwrap() {
            Held::Whole(held, body) => {
                assert_eq!(body.size_hint().exact(), Some(held.len() as u64));
                assert_eq!(body.collect().await.unwrap().to_bytes(), held);
                Some(held.len())
            }
            Held::TooLong => None,
            Held::NoRoom => panic!("there is room"),
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
        let room = permit(&Room::default());
        assert!(matches!(hold(more, 4, room).await.unwrap(), Held::TooLong));
        let trailers = HeaderMap::from_iter([("x-sum".parse().unwrap(), HeaderValue::from_static("7"))]);
        let short = frames(Frame::trailers(trailers.clone()));
        let Held::Whole(_, body) = hold(short, 4, permit(&Room::default())).await.unwrap() else {
            panic!("it is short")
        };
        assert_eq!(body.collect().await.unwrap().trailers(), Some(&trailers));
    }

    // MSG-10
    #[tokio::test]
    async fn a_body_that_breaks_is_not_blamed_on_the_service() {
        let frames = [Ok(Frame::data(Bytes::from_static(b"1"))), Err(BoxError::from("reset"))];
        let broken = RequestBody::new(StreamBody::new(futures_util::stream::iter(frames)));
        let Err(refused) = hold(broken, 4, permit(&Room::default())).await else { panic!("it breaks") };
        assert_eq!(refused.refusal().status(), 400);
    }

    // FEA-08
    #[tokio::test]
    async fn there_is_room_again_when_nobody_has_the_body_any_more() {
        let room = Room::default();
        let body = || RequestBody::new(Full::from(vec![b'x'; 1 << 20]));
        let mut held = Vec::new();
        loop {
            match hold(body(), 1 << 20, permit(&room)).await.unwrap() {
                Held::Whole(bytes, body) => held.push((bytes, body)),
                Held::NoRoom => break,
                Held::TooLong => panic!("it is as long as it may be"),
            }
        }
        assert_eq!(held.len(), MAX_HELD >> 22, "one client of one service has a quarter");
        let (bytes, body) = held.pop().unwrap();
        drop(bytes);
        assert!(matches!(hold(self::body(), 1, permit(&room)).await.unwrap(), Held::NoRoom));
        let sent = body.collect().await.unwrap().to_bytes();
        drop(sent);
        assert!(matches!(hold(self::body(), 1, permit(&room)).await.unwrap(), Held::Whole(..)));
    }

    fn body() -> RequestBody<Full<Bytes>> {
        RequestBody::new(Full::from("x"))
    }
}
