//! JUnit XML, for build servers.

use std::time::Duration;

use quick_junit::{NonSuccessKind, Report, SerializeError, TestCase, TestCaseStatus, TestSuite};

use super::{Results, explanation};
use crate::outcome::{CaseReport, Verdict};

/// JUnit XML: a suite for each profile, one for cases of none, and one for those beyond upstream's.
///
/// A case of several profiles is in the suite of the first, so that every case counts once. Cases that the engine does
/// not support are skipped here: there is no other word for it.
///
/// # Errors
/// If the XML cannot be written; no text that there is makes it so.
pub fn junit(results: &Results<'_>) -> Result<String, SerializeError> {
    let mut report = Report::new(format!("gateway-conformance {}", results.engine));
    let mut total = Duration::ZERO;
    let mut seen = std::collections::BTreeSet::new();
    for section in results.sections() {
        let mut suite = TestSuite::new(section.name);
        let mut time = Duration::ZERO;
        for (_, case, outcome) in section.cases {
            if seen.insert(&case.name) {
                suite.add_test_case(test_case(section.name, outcome));
                time += outcome.duration;
            }
        }
        if !suite.test_cases.is_empty() {
            suite.set_time(time);
            total += time;
            report.add_test_suite(suite);
        }
    }
    report.set_time(total);
    report.to_string()
}

fn test_case(class_name: &str, report: &CaseReport) -> TestCase {
    let status = match &report.verdict {
        Verdict::Passed => TestCaseStatus::success(),
        Verdict::NotSupported(features) => {
            let names: Vec<&str> = features.iter().map(|feature| feature.as_str()).collect();
            skipped(&format!("not supported: {}", names.join(", ")))
        }
        Verdict::Skipped(reason) => skipped(reason),
        Verdict::Failed(finding) => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            status.set_message(format!("expected {}, got {}", finding.expected, finding.got));
            status.set_description(explanation(finding));
            status
        }
    };
    let mut case = TestCase::new(report.name.as_str(), status);
    case.set_classname(class_name).set_time(report.duration);
    if !report.passed_over.is_empty() {
        case.set_system_out(format!("passed over:\n{}", report.passed_over.join("\n")));
    }
    case
}

fn skipped(reason: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::skipped();
    status.set_message(reason);
    status
}
