//! Headers as what carries a trace from one process to the next.

use http::header::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::propagation::{Extractor, Injector};

/// The headers of a request, to be read.
#[derive(Debug)]
pub(super) struct Received<'a> {
    headers: &'a HeaderMap,
    /// The values of `tracestate`, where they stand in more than one line.
    state: Option<String>,
}

/// The headers of a request, to be written.
#[derive(Debug)]
pub(super) struct Sent<'a>(pub(super) &'a mut HeaderMap);

const PARENT: HeaderName = HeaderName::from_static("traceparent");
const STATE: HeaderName = HeaderName::from_static("tracestate");

// === impl Received ===

impl<'a> Received<'a> {
    pub(super) fn new(headers: &'a HeaderMap) -> Self {
        let mut lines = headers.get_all(STATE).iter();
        let state = (lines.next().is_some() && lines.next().is_some()).then(|| {
            let lines = headers.get_all(STATE).iter().filter_map(|line| line.to_str().ok());
            lines.collect::<Vec<_>>().join(",")
        });
        Self { headers, state }
    }
}

impl Extractor for Received<'_> {
    /// The value of a header.
    ///
    /// # Spec
    /// W3C Trace Context sections 3.2 and 3.3: more than one `traceparent` is none, and the lines of `tracestate` are one list.
    fn get(&self, key: &str) -> Option<&str> {
        if key == STATE
            && let Some(state) = &self.state
        {
            return Some(state);
        }
        let mut values = self.headers.get_all(key).iter();
        let first = values.next()?;
        if key == PARENT && values.next().is_some() {
            return None;
        }
        first.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.headers.keys().map(HeaderName::as_str).collect()
    }
}

// === impl Sent ===

impl Injector for Sent<'_> {
    /// Sets a header; one that would be empty is left out.
    fn set(&mut self, key: &str, value: String) {
        let Ok(name) = HeaderName::try_from(key) else { return };
        self.0.remove(&name);
        if !value.is_empty()
            && let Ok(value) = HeaderValue::try_from(value)
        {
            // A request with so many headers that there is no room for another goes without.
            let _full = self.0.try_insert(name, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[(&'static str, &'static str)]) -> HeaderMap {
        let line = |(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        lines.iter().map(line).collect()
    }

    #[test]
    fn two_parents_are_none_and_the_lines_of_a_state_are_one_list() {
        let received = headers(&[("traceparent", "a"), ("tracestate", "b=1"), ("tracestate", "c=2")]);
        let received = Received::new(&received);
        assert_eq!((received.get("traceparent"), received.get("tracestate")), (Some("a"), Some("b=1,c=2")));
        let received = headers(&[("traceparent", "a"), ("traceparent", "b")]);
        assert_eq!(Received::new(&received).get("traceparent"), None);
    }

    #[test]
    fn what_is_empty_is_taken_away() {
        let mut sent = headers(&[("traceparent", "a"), ("tracestate", "b=1"), ("tracestate", "c=2")]);
        Sent(&mut sent).set("traceparent", "new".to_owned());
        Sent(&mut sent).set("tracestate", String::new());
        assert_eq!(sent, headers(&[("traceparent", "new")]));
    }
}
