//! The rules that Routes of several kinds have in common.

use std::ops::RangeInclusive;

use super::pattern;
use super::problem::Problems;

/// How many matches the rules of a Route may have together.
const MAX_MATCHES: usize = 128;

/// `spec.hostnames`.
///
/// # Spec
/// LIM-10, HST-01.
pub(super) fn hostnames(hostnames: &[String], lengths: RangeInclusive<usize>, at: &mut Problems) {
    at.list("hostnames", hostnames, lengths, "LIM-10", |hostname, at| {
        if !pattern::HOST.accepts(hostname) {
            at.wrong_text(hostname, &pattern::HOST);
        }
    });
}

/// The number of matches over all rules.
///
/// # Spec
/// VAL-HR-01, VAL-GR-01, LIM-12.
pub(super) fn match_count(matches: impl Iterator<Item = usize>, rule: &'static str, at: &mut Problems) {
    let count: usize = matches.sum();
    if count > MAX_MATCHES {
        at.field("rules").report(
            rule,
            format!("have {count} matches together; at most {MAX_MATCHES} are allowed, so divide the Route into several"),
        );
    }
}

/// The names of rules, those that have one.
///
/// # Spec
/// VAL-HR-02
pub(super) fn rule_names<R>(rules: &[R], name: impl Fn(&R) -> Option<&str>, at: &mut Problems) {
    for (second, rule) in rules.iter().enumerate().skip(1) {
        if let Some(wanted) = name(rule)
            && let Some(first) = rules[..second].iter().position(|earlier| name(earlier) == Some(wanted))
        {
            at.field("rules").index(second).field("name").report(
                "VAL-HR-02",
                format!("is that of rules[{first}] already; each rule needs a name of its own, or none"),
            );
        }
    }
}
