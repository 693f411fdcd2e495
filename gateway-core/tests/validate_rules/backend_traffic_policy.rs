//! XBackendTrafficPolicy.

use gateway_core::api::Kind;

use super::{check_rows, many, row};

#[test]
fn specs() {
    const TARGET: &str = "{group: '', kind: Service, name: a}";
    let targets = |targets: &str| format!("targetRefs: [{targets}]");
    let numbered = |count| targets(&many(count, |i| format!("{{group: '', kind: Service, name: a{i}}}")));
    let with = |more: &str| format!("targetRefs: [{TARGET}], {more}");
    let budget = |budget: &str| with(&format!("retryConstraint: {{budget: {{{budget}}}}}"));
    let rate = |rate: &str| with(&format!("retryConstraint: {{minRetryRate: {{{rate}}}}}"));
    const BUDGET: &str = "spec.retryConstraint.budget.interval";
    const RATE: &str = "spec.retryConstraint.minRetryRate.interval";
    const COUNT: &str = "spec.retryConstraint.minRetryRate.count";
    check_rows(
        Kind::XBackendTrafficPolicy,
        [
            row("LIM-19", numbered(1), numbered(0), "spec.targetRefs"),
            row("LIM-19", numbered(16), numbered(17), "spec.targetRefs"),
            row(
                "VAL-ST-01",
                targets(&format!("{TARGET}, {{group: b, kind: Service, name: a}}")),
                targets(&format!("{TARGET}, {TARGET}")),
                "spec.targetRefs[1]",
            ),
            row(
                "VAL-ST-03",
                targets(TARGET),
                targets("{group: '', kind: Service, name: ''}"),
                "spec.targetRefs[0].name",
            ),
            row("VAL-XT-01", budget("interval: 1s"), budget("interval: 999ms"), BUDGET),
            row("VAL-XT-01", budget("interval: 60m"), budget("interval: 1h1ms"), BUDGET),
            row("PAT-DUR", budget("interval: 10s"), budget("interval: '10'"), BUDGET),
            row(
                "VAL-ST-06",
                budget("percent: 0"),
                budget("percent: -1"),
                "spec.retryConstraint.budget.percent",
            ),
            row(
                "VAL-ST-06",
                budget("percent: 100"),
                budget("percent: 101"),
                "spec.retryConstraint.budget.percent",
            ),
            row("VAL-XT-02", rate("interval: 1ms"), rate("interval: 0s"), RATE),
            row("VAL-XT-02", rate("interval: 1h"), rate("interval: 2h"), RATE),
            row("PAT-DUR", rate("interval: 1s"), rate("interval: 1us"), RATE),
            row("VAL-ST-06", rate("count: 1"), rate("count: 0"), COUNT),
            row("VAL-ST-06", rate("count: 1000000"), rate("count: 1000001"), COUNT),
            row(
                "VAL-SP-01",
                with("sessionPersistence: {absoluteTimeout: 1h, cookie: {lifetimeType: Permanent}}"),
                with("sessionPersistence: {cookie: {lifetimeType: Permanent}}"),
                "spec.sessionPersistence.absoluteTimeout",
            ),
            row(
                "VAL-SP-02",
                with("sessionPersistence: {type: Header, header: {name: a}}"),
                with("sessionPersistence: {type: Header, header: {name: a}, cookie: {}}"),
                "spec.sessionPersistence.cookie",
            ),
        ],
    );
}
