//! Traces of the requests of a Gateway, as a policy wants them.

use http::{HeaderName, HeaderValue};

use super::span_attribute::SpanAttribute;
use crate::filter::Share;
use crate::name::{BackendId, ObjectName};

/// What a policy says of the traces of a Gateway. Where none says anything, it is left to the program.
///
/// # Spec
/// `XTelemetryPolicy`, [TEL-01](crate::spec#TEL-01) to [TEL-05](crate::spec#TEL-05).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tracing {
    /// The policy.
    pub policy: ObjectName,
    /// The spans that are made; none at all without it, and what came with a request is passed on as it is.
    pub spans: Option<Spans>,
}

/// The spans of a Gateway: of which requests, what they say, and who is told of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spans {
    /// Who is told, by OTLP: over gRPC if the backend speaks [HTTP/2](crate::rule::BackendProtocol::H2c), over HTTP otherwise.
    pub provider: BackendId,
    /// Headers of what it is sent.
    pub headers: Box<[(HeaderName, HeaderValue)]>,
    /// Of which requests there are spans.
    pub sampling: Sampling,
    /// The name of the service; the program's where the policy gives none.
    pub service_name: Option<Box<str>>,
    /// The name of the span of a request; its method where the policy gives none.
    pub name: Option<Box<str>>,
    /// What each says besides, one a name.
    pub attributes: Box<[SpanAttribute]>,
}

/// Of which requests there are spans. The number of the trace decides, so that all who decide about one trace by the same share
/// decide the same.
///
/// ```
/// use gateway_core::filter::Share;
/// use gateway_core::table::Sampling;
///
/// let half = Share::fraction(1, 2)?;
/// let sampling = Sampling { of_new: half, of_parents: Some(Share::all()) };
/// assert!(sampling.samples(1, None) && !sampling.samples(u128::MAX, None));
/// assert!(sampling.samples(u128::MAX, Some(true)), "the client's word counts");
/// assert!(!sampling.samples(1, Some(false)));
/// # Ok::<(), gateway_core::filter::ShareError>(())
/// ```
///
/// # Spec
/// [TEL-04](crate::spec#TEL-04)
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sampling {
    /// The share of requests that come without a trace; without `of_parents`, of all.
    pub of_new: Share,
    /// The share of requests with a trace that is sampled; of one that is not, there are no spans. Without it, nothing is made of
    /// what the client has decided.
    pub of_parents: Option<Share>,
}

// === impl Tracing ===

impl Tracing {
    /// The most attributes that each span carries besides.
    pub const MAX_ATTRIBUTES: usize = 64;
}

// === impl Sampling ===

impl Sampling {
    /// Whether there are spans of a request in this trace; `parent` is what the client has decided, where it began the trace.
    ///
    /// # Spec
    /// [TEL-04](crate::spec#TEL-04); W3C Trace Context section 3.2.2.5.1.
    pub fn samples(&self, trace_id: u128, parent: Option<bool>) -> bool {
        match (parent, self.of_parents) {
            (Some(sampled), Some(share)) => sampled && share.is_below(mixed(trace_id)),
            // The lower half is what is random in all cases, and what OpenTelemetry decides by.
            (None, _) | (Some(_), None) => self.of_new.is_below(trace_id as u64),
        }
    }
}

/// A number for a trace that has nothing to do with the one by which its beginner may have decided: a half of those that were
/// sampled is to be a half, whatever share they are of all.
fn mixed(trace_id: u128) -> u64 {
    let mut number = (trace_id >> 64) as u64 ^ (trace_id as u64).rotate_left(32);
    for factor in [0xff51_afd7_ed55_8ccd, 0xc4ce_b9fe_1a85_ec53] {
        number = (number ^ (number >> 33)).wrapping_mul(factor);
    }
    number ^ (number >> 33)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share(numerator: i32) -> Share {
        Share::fraction(numerator, 100).unwrap()
    }

    /// Numbers of traces, spread over all of them.
    fn traces() -> impl Iterator<Item = u128> {
        (1..=10_000_u128).map(|number| number.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835))
    }

    fn sampled(sampling: Sampling, traces: impl Iterator<Item = u128>, parent: Option<bool>) -> usize {
        traces.filter(|trace| sampling.samples(*trace, parent)).count()
    }

    // TEL-04
    #[test]
    fn a_share_of_traces_is_sampled_and_none_and_all_are_exact() {
        for (numerator, expected) in [(0, 0..=0), (5, 450..=550), (50, 4_850..=5_150), (100, 10_000..=10_000)]
        {
            let sampling = Sampling { of_new: share(numerator), of_parents: None };
            for parent in [None, Some(true), Some(false)] {
                let sampled = sampled(sampling, traces(), parent);
                assert!(expected.contains(&sampled), "{numerator} of 100, {parent:?}: {sampled}");
            }
        }
        let none = Sampling { of_new: share(0), of_parents: None };
        assert!(!none.samples(0, None), "0 of 100 is none, be it the first of all numbers");
    }

    // TEL-04
    #[test]
    fn of_sampled_parents_a_share_counts_whatever_share_they_are() {
        let sampling = Sampling { of_new: share(0), of_parents: Some(share(50)) };
        let of_one_in_ten = || traces().filter(|trace| share(10).is_below(*trace as u64));
        let all = of_one_in_ten().count();
        let half = sampled(sampling, of_one_in_ten(), Some(true));
        assert!((all * 4 / 10..=all * 6 / 10).contains(&half), "{half} of {all}");
        assert_eq!(sampled(sampling, traces(), Some(false)), 0);
        assert_eq!(sampled(sampling, traces(), None), 0);
    }
}
