//! The verdicts about cases, next to those of upstream's own suite.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::Results;
use crate::case::Case;
use crate::outcome::Verdict;

/// What upstream's suite says of each of its tests, by name.
///
/// It is read from what the suite writes with `-test.v`, since its report names no test that passed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SuiteVerdicts(BTreeMap<String, SuiteVerdict>);

/// What upstream's suite says of a test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SuiteVerdict {
    /// It passed.
    Passed,
    /// It failed.
    Failed,
    /// It was skipped, mostly because a feature is not claimed.
    Skipped,
}

/// Two suites about one implementation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    /// How many tests have the same verdict as their case.
    pub alike: usize,
    /// Tests that have another one, or no case at all.
    pub differences: Vec<Difference>,
    /// Cases of upstream's that this version of the suite does not have.
    pub not_in_suite: Vec<String>,
}

/// A test of upstream's suite and a case that come to different verdicts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The name of both.
    pub name: String,
    /// What upstream's suite says.
    pub suite: SuiteVerdict,
    /// What the case says, with the reason.
    pub case: String,
    /// Why that is no fault of either, if it is known.
    pub explanation: Option<&'static str>,
}

/// Tests that an earlier version of the suite calls by another name.
const FORMER_NAMES: &[(&str, &str)] = &[("GatewayInfrastructure", "GatewayInfrastructureMetadata")];

/// Differences that are no fault of either suite: the name of the test, how the verdict about the case begins, and the reason.
const EXPLAINED: &[(&str, &str, &str)] = &[
    (
        "GatewayInvalidParametersRef",
        "not supported",
        "until v1.6 the test belongs to no feature, since v1.7 to GatewayInfrastructure",
    ),
    (
        "HTTPRouteRetry",
        "skipped: the API server refuses",
        "definitions of v1.6 take no `attempts: 0`, which the test has since v1.7",
    ),
];

// === impl SuiteVerdicts ===

impl SuiteVerdicts {
    /// Reads what the suite wrote.
    ///
    /// ```
    /// use conformance::report::{SuiteVerdict, SuiteVerdicts};
    ///
    /// let verdicts = SuiteVerdicts::read("--- FAIL: TestConformance (2.00s)\n    --- PASS: TestConformance/HTTPRouteWeight (1.10s)\n");
    /// assert_eq!(verdicts.get("HTTPRouteWeight"), Some(SuiteVerdict::Passed));
    /// ```
    pub fn read(log: &str) -> Self {
        let verdict = |line: &str| {
            let (word, rest) = line.trim_start().strip_prefix("--- ")?.split_once(": TestConformance/")?;
            let (name, _) = rest.split_once(' ')?;
            let verdict = match word {
                "PASS" => SuiteVerdict::Passed,
                "FAIL" => SuiteVerdict::Failed,
                "SKIP" => SuiteVerdict::Skipped,
                _ => return None,
            };
            // What stands below a test is a part of it.
            (!name.contains('/')).then(|| (current(name).to_owned(), verdict))
        };
        Self(log.lines().filter_map(verdict).collect())
    }

    /// What it says of the test with this name.
    pub fn get(&self, name: &str) -> Option<SuiteVerdict> {
        self.0.get(name).copied()
    }

    /// How many tests there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether the suite says nothing.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

// === impl Comparison ===

impl Comparison {
    /// Compares, test by test. Cases that were not selected are left out, as are those beyond upstream's.
    pub fn new(results: &Results<'_>, suite: &SuiteVerdicts) -> Self {
        let mut comparison = Self::default();
        let cases: BTreeMap<&str, &Case> =
            results.cases.iter().map(|case| (case.name.as_str(), case)).collect();
        for (name, verdict) in &suite.0 {
            let report = cases.get(name.as_str()).map(|case| results.report(case));
            let case = match report {
                Some(Some(report)) if is_alike(*verdict, &report.verdict) => {
                    comparison.alike += 1;
                    continue;
                }
                Some(Some(report)) => said(&report.verdict),
                Some(None) => continue,
                None => "there is none".to_owned(),
            };
            let is_it = |(known, start, _): &&(&str, &str, &str)| known == name && case.starts_with(start);
            let explanation = EXPLAINED.iter().find(is_it).map(|(_, _, reason)| *reason);
            comparison.differences.push(Difference {
                name: name.clone(),
                suite: *verdict,
                case,
                explanation,
            });
        }
        let others = results.selected().into_iter().map(|(case, _)| case).filter(|case| !case.is_beyond());
        comparison.not_in_suite =
            others.filter(|case| suite.get(&case.name).is_none()).map(|case| case.name.clone()).collect();
        comparison
    }

    /// Whether every difference is explained.
    pub fn is_explained(&self) -> bool {
        self.differences.iter().all(|difference| difference.explanation.is_some())
    }

    /// A line for each difference.
    pub fn table(&self) -> String {
        let Self { alike, differences, not_in_suite } = self;
        let mut text = format!(
            "Next to upstream's suite: {alike} verdicts are alike, {} differ, {} cases are not in that suite\n",
            differences.len(),
            not_in_suite.len()
        );
        for Difference { name, suite, case, explanation } in differences {
            let explanation = explanation.map(|reason| format!(" ({reason})")).unwrap_or_default();
            let _ = writeln!(text, "{name}: the suite {}; the case: {case}{explanation}", suite.as_str());
        }
        text
    }
}

// === impl SuiteVerdict ===

impl SuiteVerdict {
    fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "passed it",
            Self::Failed => "failed it",
            Self::Skipped => "skipped it",
        }
    }
}

/// The name that the test has in the newest version of the suite.
fn current(name: &str) -> &str {
    FORMER_NAMES.iter().find(|(former, _)| *former == name).map_or(name, |(_, current)| current)
}

/// Whether both say the same. The suite has one word for what is not supported and for what was not run.
fn is_alike(suite: SuiteVerdict, case: &Verdict) -> bool {
    match suite {
        SuiteVerdict::Passed => *case == Verdict::Passed,
        SuiteVerdict::Failed => matches!(case, Verdict::Failed(_)),
        SuiteVerdict::Skipped => matches!(case, Verdict::NotSupported(_) | Verdict::Skipped(_)),
    }
}

fn said(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Passed => "passed".to_owned(),
        Verdict::NotSupported(features) => {
            let features: Vec<_> = features.iter().map(ToString::to_string).collect();
            format!("not supported, for want of {}", features.join(", "))
        }
        Verdict::Skipped(reason) => format!("skipped: {reason}"),
        Verdict::Failed(finding) => format!("failed at {}", finding.at),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use std::collections::BTreeSet;
    use std::time::Duration;

    use crate::case::cases;
    use crate::outcome::{CaseReport, Finding};

    const LOG: &str = "
=== RUN   TestConformance/HTTPRouteWeight
    conformance.go:1: something
--- FAIL: TestConformance (90.00s)
    --- PASS: TestConformance/HTTPRouteWeight (1.20s)
        --- PASS: TestConformance/HTTPRouteWeight/Requests (1.00s)
    --- FAIL: TestConformance/HTTPRouteMatching (60.00s)
        --- FAIL: TestConformance/HTTPRouteMatching/0_request (30.00s)
    --- SKIP: TestConformance/GatewayInfrastructure (0.00s)
    --- PASS: TestConformance/OfALaterVersion (0.10s)
";

    fn compared(verdicts: [(&str, Verdict); 4]) -> Comparison {
        let reports = verdicts.map(|(name, verdict)| CaseReport {
            name: name.to_owned(),
            verdict,
            checked: 1,
            passed_over: Vec::new(),
            duration: Duration::ZERO,
        });
        let results = Results {
            engine: "core",
            profiles: Vec::new(),
            claimed: &BTreeSet::new(),
            cases: cases(),
            reports: &reports,
        };
        Comparison::new(&results, &SuiteVerdicts::read(LOG))
    }

    fn failed() -> Verdict {
        Verdict::Failed(Box::new(Finding { at: "steps[1]".to_owned(), ..Finding::default() }))
    }

    #[test]
    fn the_same_verdict_is_no_difference() {
        let comparison = compared([
            ("HTTPRouteWeight", Verdict::Passed),
            ("HTTPRouteMatching", failed()),
            ("GatewayInfrastructureMetadata", Verdict::NotSupported(Vec::new())),
            ("HTTPRouteCORS", Verdict::Passed),
        ]);
        assert_eq!(comparison.alike, 3);
        assert_eq!(comparison.not_in_suite, ["HTTPRouteCORS"]);
        let names: Vec<_> = comparison.differences.iter().map(|it| it.name.as_str()).collect();
        assert_eq!(names, ["OfALaterVersion"], "there is no such case");
    }

    #[test]
    fn another_verdict_is_named_with_its_reason() {
        let comparison = compared([
            ("HTTPRouteWeight", failed()),
            ("HTTPRouteMatching", Verdict::Passed),
            ("GatewayInfrastructureMetadata", Verdict::Skipped("for a reason".to_owned())),
            ("BeyondDefaults", failed()),
        ]);
        assert!(!comparison.is_explained() && comparison.not_in_suite.is_empty());
        let table = comparison.table();
        assert!(
            table.contains("HTTPRouteWeight: the suite passed it; the case: failed at steps[1]\n"),
            "{table}"
        );
        assert!(table.contains("HTTPRouteMatching: the suite failed it; the case: passed\n"), "{table}");
        assert!(table.starts_with("Next to upstream's suite: 1 verdicts are alike, 3 differ"), "{table}");
    }

    #[test]
    fn what_is_explained_is_a_test_that_there_is() {
        for (name, _, reason) in EXPLAINED {
            assert!(cases().iter().any(|case| case.name == *name), "{name}");
            assert!(!reason.is_empty(), "{name} has no reason");
        }
    }
}
