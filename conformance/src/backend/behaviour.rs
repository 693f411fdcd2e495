//! One HTTP backend: it echoes, unless the request asks it to fail or to take its time.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use gateway_core::duration;
use http::{Response, StatusCode, request};

use super::echo::{Tls, echo};
use super::received::Received;
use crate::exchange::Pod;

/// A pod that echoes requests, and does what their paths ask for:
///
/// - `?delay=1s` waits for so long;
/// - `/status/503` answers with this status;
/// - `/retry/…?uuid=a&succeedAfter=2&responseCode=503` fails this many times for this `uuid` before it echoes: with the
///   status, or by breaking the connection without one; `delayRetry=100ms` waits before each failure.
#[derive(Debug)]
pub struct HttpBackend {
    pod: Pod,
    received: Received,
    /// How many requests there were for each `uuid`.
    attempts: Mutex<HashMap<String, u64>>,
}

/// What becomes of a request at a backend.
#[derive(Clone, Debug)]
pub struct Served {
    /// How long it takes before anything is sent.
    pub after: Duration,
    /// The answer; without it the connection breaks.
    pub response: Option<Response<Bytes>>,
}

// === impl HttpBackend ===

impl HttpBackend {
    /// A backend that counts what it receives there.
    pub fn new(pod: Pod, received: Received) -> Self {
        Self { pod, received, attempts: Mutex::default() }
    }

    /// Who it is.
    pub fn pod(&self) -> &Pod {
        &self.pod
    }

    /// Where it counts what it receives.
    pub fn received(&self) -> &Received {
        &self.received
    }

    /// Takes a request. The body does not matter.
    pub fn serve(&self, head: &request::Parts, tls: Option<&Tls>) -> Served {
        let target = head.uri.path_and_query().map_or("", |target| target.as_str());
        self.received.count(&self.pod, target);
        let param = |name: &str| {
            let mut pairs =
                head.uri.query().unwrap_or_default().split('&').filter_map(|it| it.split_once('='));
            pairs.find_map(|(known, value)| (known == name).then_some(value))
        };
        let time = |name: &str| param(name).and_then(|text| duration::parse(text).ok()).unwrap_or_default();
        let after = time("delay");
        // Several slashes count as one where a path has a meaning here.
        let mut segments = head.uri.path().split('/').filter(|segment| !segment.is_empty());
        match (segments.next(), segments.next()) {
            (Some("retry"), _) => {
                let failures = param("succeedAfter").and_then(|text| text.parse().ok()).unwrap_or(0);
                if self.attempt(param("uuid").unwrap_or_default()) > failures {
                    return Served { after, response: Some(echo(head, &self.pod, tls)) };
                }
                let status = param("responseCode").and_then(|code| code.parse().ok());
                let response =
                    status.map(|status: StatusCode| with_status(echo(head, &self.pod, tls), status));
                Served { after: after + time("delayRetry"), response }
            }
            (Some("status"), Some(code)) => {
                let status = code.parse().unwrap_or(StatusCode::BAD_REQUEST);
                Served { after, response: Some(with_status(echo(head, &self.pod, tls), status)) }
            }
            _ => Served { after, response: Some(echo(head, &self.pod, tls)) },
        }
    }

    /// The number of this attempt, from 1.
    fn attempt(&self, uuid: &str) -> u64 {
        let mut attempts = self.attempts.lock().unwrap_or_else(PoisonError::into_inner);
        let number = attempts.entry(uuid.to_owned()).or_default();
        *number += 1;
        *number
    }
}

fn with_status(mut response: Response<Bytes>, status: StatusCode) -> Response<Bytes> {
    *response.status_mut() = status;
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    use gateway_core::name::ObjectName;
    use http::Request;

    fn pod() -> Pod {
        Pod { namespace: "shop".to_owned(), name: "cart-1-2".to_owned() }
    }

    fn statuses(backend: &HttpBackend, path: &str, times: usize) -> Vec<Option<u16>> {
        let ask = || {
            let (head, ()) = Request::get(path).body(()).unwrap().into_parts();
            backend.serve(&head, None).response.map(|response| response.status().as_u16())
        };
        (0..times).map(|_| ask()).collect()
    }

    #[test]
    fn a_backend_fails_as_often_as_it_is_asked_to() {
        let backend = HttpBackend::new(pod(), Received::default());
        let path = "/retry/x?responseCode=503&succeedAfter=2&uuid=a";
        assert_eq!(statuses(&backend, path, 4), [Some(503), Some(503), Some(200), Some(200)]);
        assert_eq!(statuses(&backend, "/retry/x?succeedAfter=1&uuid=b", 2), [None, Some(200)]);
        assert_eq!(statuses(&backend, "/status/418", 1), [Some(418)]);
        assert_eq!(statuses(&backend, "/status/x", 1), [Some(400)]);
    }

    #[test]
    fn a_backend_takes_its_time_and_counts() {
        let received = Received::default();
        let backend = HttpBackend::new(pod(), received.clone());
        let (head, ()) = Request::get("/a?delay=1s").body(()).unwrap().into_parts();
        assert_eq!(backend.serve(&head, None).after, Duration::from_secs(1));
        let (head, ()) =
            Request::get("//retry?succeedAfter=1&delayRetry=30ms").body(()).unwrap().into_parts();
        assert_eq!(backend.serve(&head, None).after, Duration::from_millis(30));
        assert_eq!(backend.serve(&head, None).after, Duration::ZERO);
        assert_eq!(received.requests(&ObjectName::new("shop", "cart"), "/a?delay=1s"), 1);
        assert_eq!(received.requests(&ObjectName::new("shop", "other"), "/a?delay=1s"), 0);
    }
}
