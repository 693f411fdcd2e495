//! The trace that a request is part of, read and written without anything else being made of it.

use http::header::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::trace::{SpanContext, SpanId, TraceFlags, TraceId, TraceState};

/// What `traceparent` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TraceParent {
    trace_id: TraceId,
    span_id: SpanId,
    flags: TraceFlags,
}

/// That there are no spans of a request, to be told to backends.
#[derive(Clone, Copy, Debug)]
pub(super) struct Unsampled {
    parent: TraceParent,
    is_new: bool,
}

const PARENT: HeaderName = HeaderName::from_static("traceparent");
const STATE: HeaderName = HeaderName::from_static("tracestate");

/// The length of version 00, and of what every later version begins with.
const LENGTH: usize = 55;

// === impl TraceParent ===

impl TraceParent {
    /// What the headers of a request say, if they say something that is understood.
    ///
    /// # Spec
    /// W3C Trace Context section 3.2: more than one `traceparent` is none; of a later version the parts of this one count.
    pub(super) fn read(headers: &HeaderMap) -> Option<Self> {
        let mut lines = headers.get_all(PARENT).iter();
        let (Some(line), None) = (lines.next(), lines.next()) else { return None };
        let (line, rest) = line.as_bytes().split_at_checked(LENGTH)?;
        let is_whole = match &line[..2] {
            b"00" => rest.is_empty(),
            b"ff" => false,
            later => hex(later).is_some() && matches!(rest, [] | [b'-', ..]),
        };
        if !is_whole || [2, 35, 52].iter().any(|dash| line[*dash] != b'-') {
            return None;
        }
        let trace_id = TraceId::from(hex(&line[3..35])?);
        let span_id = SpanId::from(hex(&line[36..52])? as u64);
        let flags = TraceFlags::new(hex(&line[53..])? as u8);
        let is_valid = trace_id != TraceId::INVALID && span_id != SpanId::INVALID;
        is_valid.then_some(Self { trace_id, span_id, flags })
    }

    /// The trace.
    pub(super) fn trace_id(&self) -> TraceId {
        self.trace_id
    }

    /// Whether there are spans of it, as its sender has decided.
    pub(super) fn is_sampled(&self) -> bool {
        self.flags.is_sampled()
    }

    /// A span that came with a request with these headers.
    pub(super) fn remote(&self, headers: &HeaderMap) -> SpanContext {
        SpanContext::new(self.trace_id, self.span_id, self.flags, true, state(headers))
    }
}

// === impl Unsampled ===

impl Unsampled {
    /// What is to be told of a request in this trace, which came with `parent` or began the trace. Nothing where that says so already.
    pub(super) fn new(trace_id: TraceId, parent: Option<TraceParent>) -> Option<Self> {
        match parent {
            Some(parent) => parent.is_sampled().then_some(Self {
                parent: TraceParent { flags: parent.flags.with_sampled(false), ..parent },
                is_new: false,
            }),
            None => Some(Self {
                parent: TraceParent { trace_id, span_id: new_span_id(), flags: TraceFlags::NOT_SAMPLED },
                is_new: true,
            }),
        }
    }

    /// Has the headers of a request say so.
    pub(super) fn tell(self, headers: &mut HeaderMap) {
        let Self { parent: TraceParent { trace_id, span_id, flags }, is_new } = self;
        write(trace_id, span_id, flags, is_new, headers);
    }
}

/// Has the headers of a request name this span. The state of the trace goes on as it came, unless there was no trace.
pub(super) fn tell(context: &SpanContext, is_new: bool, headers: &mut HeaderMap) {
    write(context.trace_id(), context.span_id(), context.trace_flags(), is_new, headers);
}

/// # Spec
/// W3C Trace Context section 3.3: its lines are one list. What is not understood is left out, and what is longer than it is to be.
fn state(headers: &HeaderMap) -> TraceState {
    const LONGEST: usize = 512;
    let lines: Vec<_> = headers.get_all(STATE).iter().filter_map(|line| line.to_str().ok()).collect();
    let list = lines.join(",");
    if list.len() > LONGEST { TraceState::NONE } else { list.parse().unwrap_or_default() }
}

/// A number that is hardly any other trace's.
pub(super) fn new_trace_id() -> TraceId {
    // The one number that stands for none is left out.
    TraceId::from(fastrand::u128(1..))
}

pub(super) fn new_span_id() -> SpanId {
    SpanId::from(fastrand::u64(1..))
}

fn write(trace_id: TraceId, span_id: SpanId, flags: TraceFlags, is_new: bool, headers: &mut HeaderMap) {
    if is_new {
        headers.remove(STATE);
    }
    let mut text = *b"00-00000000000000000000000000000000-0000000000000000-00";
    write_hex(&trace_id.to_bytes(), &mut text[3..35]);
    write_hex(&span_id.to_bytes(), &mut text[36..52]);
    write_hex(&[flags.to_u8()], &mut text[53..]);
    let value = HeaderValue::from_bytes(&text).expect("digits and dashes");
    // A request with so many headers that there is no room for another goes without.
    let _full = headers.try_insert(PARENT, value);
}

fn write_hex(bytes: &[u8], text: &mut [u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for (byte, digits) in bytes.iter().zip(text.chunks_exact_mut(2)) {
        digits[0] = DIGITS[usize::from(byte >> 4)];
        digits[1] = DIGITS[usize::from(byte & 15)];
    }
}

/// Digits in lower case, as the headers have them.
fn hex(digits: &[u8]) -> Option<u128> {
    digits.iter().try_fold(0, |number, digit| {
        let digit = match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'f' => digit - b'a' + 10,
            _ => return None,
        };
        Some(number << 4 | u128::from(digit))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    fn headers(lines: &[&'static str]) -> HeaderMap {
        lines.iter().map(|line| (PARENT, HeaderValue::from_static(line))).collect()
    }

    #[test]
    fn a_parent_is_read_and_written_as_the_same() {
        let parent = TraceParent::read(&headers(&[GOOD])).unwrap();
        assert!(parent.is_sampled());
        let mut sent = HeaderMap::new();
        tell(&parent.remote(&HeaderMap::new()), true, &mut sent);
        assert_eq!(sent, headers(&[GOOD]));
        Unsampled::new(parent.trace_id(), Some(parent)).unwrap().tell(&mut sent);
        assert_eq!(sent, headers(&["00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"]));
        assert!(!TraceParent::read(&sent).unwrap().is_sampled());
    }

    #[test]
    fn what_is_not_understood_is_none() {
        for bad in [
            "",
            "00",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0g",
            "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "00_0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "0g-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01.what",
        ] {
            assert_eq!(TraceParent::read(&headers(&[bad])), None, "{bad}");
        }
        assert_eq!(TraceParent::read(&headers(&[GOOD, GOOD])), None);
        let later = "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-what-will-be";
        assert!(TraceParent::read(&headers(&[later])).is_some());
    }

    // TEL-04
    #[test]
    fn a_request_of_which_there_are_no_spans_says_so() {
        let mut sent = headers(&["bad", GOOD]);
        sent.append(STATE, HeaderValue::from_static("a=1"));
        Unsampled::new(TraceId::from(7), TraceParent::read(&sent)).unwrap().tell(&mut sent);
        let told = TraceParent::read(&sent).unwrap();
        assert!(!told.is_sampled() && told.trace_id == TraceId::from(7));
        assert_eq!(sent.len(), 1, "the state was that of no trace: {sent:?}");
        assert!(Unsampled::new(told.trace_id, Some(told)).is_none(), "it says so already");
    }

    #[test]
    fn the_lines_of_a_state_are_one_list() {
        let lines = ["a=1", "b=2"].map(|line| (STATE, HeaderValue::from_static(line)));
        assert_eq!(state(&lines.into_iter().collect()).header(), "a=1,b=2");
        let bad = [(STATE, HeaderValue::from_static("no state"))];
        assert_eq!(state(&bad.into_iter().collect()), TraceState::NONE);
        let long = HeaderValue::try_from(format!("a={}", "x".repeat(200))).unwrap();
        let long = [(STATE, long.clone()), (STATE, long.clone()), (STATE, long)];
        assert_eq!(state(&long.into_iter().collect()), TraceState::NONE);
    }
}
