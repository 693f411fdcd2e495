//! The end of a run on a terminal.

use std::fmt::Write as _;

use gateway_core::feature::SupportLevel;

use super::explanation::indented;
use super::{Count, Results, explanation};
use crate::case::Case;
use crate::outcome::{CaseReport, Verdict};

/// A row for each profile and level, then each failure with all that is known about it.
pub fn table(results: &Results<'_>) -> String {
    let mut rows = Vec::new();
    for section in results.sections() {
        for level in [Some(SupportLevel::Core), Some(SupportLevel::Extended), None] {
            let count = section.count(level);
            if count.sum() > 0 {
                rows.push((section.name, level.map_or("", SupportLevel::as_str), count));
            }
        }
    }
    rows.push(("each case once", "", results.total()));
    let mut text = String::new();
    let head = ["passed", "failed", "skipped", "not supported"].map(str::to_owned);
    line(&mut text, ("profile", "class", head));
    for (name, level, Count { passed, failed, skipped, not_supported }) in rows {
        line(
            &mut text,
            (name, level, [passed, failed, skipped, not_supported].map(|number| number.to_string())),
        );
    }
    for (case, report) in results.selected() {
        if let Verdict::Failed(finding) = &report.verdict {
            let _ = write!(
                text,
                "\nFAILED {}: {}\n{}",
                case.name,
                case.summary,
                indented(&explanation(finding), "  ")
            );
        }
    }
    let is_partly = |(case, report): &(&Case, &CaseReport)| {
        report.verdict == Verdict::Passed && !results.is_seen_to_pass(case)
    };
    let partly = results.selected().iter().filter(|it| is_partly(it)).count();
    if partly > 0 {
        let _ = writeln!(
            text,
            "\nPassed without a look at the statuses, which the engine does not have: {partly}"
        );
    }
    text
}

fn line(
    text: &mut String,
    (name, level, [passed, failed, skipped, not_supported]): (&str, &str, [String; 4]),
) {
    let _ =
        writeln!(text, "{name:<14}{level:<8}  {passed:>6}  {failed:>6}  {skipped:>7}  {not_supported:>13}");
}
