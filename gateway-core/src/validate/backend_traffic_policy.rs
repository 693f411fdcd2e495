//! XBackendTrafficPolicy.

use std::time::Duration;

use super::pattern;
use super::problem::{Problems, clipped};
use super::session_persistence;
use super::status;
use super::valid::Validate;
use crate::api::{RetryConstraint, XBackendTrafficPolicy};
use crate::duration;

const HOUR: Duration = Duration::from_secs(3600);

/// # Spec
/// LIM-19, VAL-ST-01, VAL-XT-01, VAL-XT-02.
impl Validate for XBackendTrafficPolicy {
    fn problems(&self, problems: &mut Problems) {
        let spec = &self.spec;
        let at = &mut *problems.field("spec");
        let targets = at.list("targetRefs", &spec.target_refs, 1..=16, "LIM-19", |target, at| {
            at.group_kind(&target.group, &target.kind);
            at.object_name(&target.name);
        });
        for (second, target) in targets.iter().enumerate().skip(1) {
            if let Some(first) = targets[..second].iter().position(|earlier| earlier == target) {
                let name = clipped(&target.name);
                at.field("targetRefs").index(second).report(
                    "VAL-ST-01",
                    format!("names {name:?} as targetRefs[{first}] does; drop one of them"),
                );
            }
        }
        if let Some(constraint) = &spec.retry_constraint {
            retry_constraint(constraint, &mut at.field("retryConstraint"));
        }
        if let Some(session) = &spec.session_persistence {
            session_persistence::session_persistence(session, &mut at.field("sessionPersistence"));
        }
    }

    fn status_problems(&self, at: &mut Problems) {
        status::policy(&self.status, at);
    }
}

fn retry_constraint(constraint: &RetryConstraint, at: &mut Problems) {
    let RetryConstraint { budget, min_retry_rate } = constraint;
    {
        let at = &mut *at.field("budget");
        at.number("percent", budget.percent, 0..=100);
        at.text("interval", &budget.interval, &pattern::DURATION);
        if duration::parse(&budget.interval)
            .is_ok_and(|interval| !(Duration::from_secs(1)..=HOUR).contains(&interval))
        {
            at.field("interval").report("VAL-XT-01", format!("is {}; 1s to 1h are allowed", budget.interval));
        }
    }
    let at = &mut *at.field("minRetryRate");
    at.optional_number("count", min_retry_rate.count, 1..=1_000_000);
    if let Some(interval) = &min_retry_rate.interval {
        at.text("interval", interval, &pattern::DURATION);
        if duration::parse(interval).is_ok_and(|interval| interval.is_zero() || interval > HOUR) {
            at.field("interval")
                .report("VAL-XT-02", format!("is {interval}; more than 0s and at most 1h are allowed"));
        }
    }
}
