//! Markdown, for the summary of a build or a README.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use gateway_core::feature::SupportLevel;

use super::{Count, RELEASE, Results, explanation};
use crate::outcome::Verdict;

/// Markdown: a table with a row for each profile and class, then the cases that failed and that were skipped, with the
/// reasons.
pub fn markdown(results: &Results<'_>) -> String {
    let mut text = format!("# Gateway API {RELEASE} conformance of `{}`\n\n", results.engine);
    text.push_str("| profile | class | passed | failed | skipped | not supported |\n");
    text.push_str("| --- | --- | ---: | ---: | ---: | ---: |\n");
    for section in results.sections() {
        for level in [Some(SupportLevel::Core), Some(SupportLevel::Extended), None] {
            row(&mut text, section.name, level.map_or("", SupportLevel::as_str), section.count(level));
        }
    }
    row(&mut text, "each case once", "", results.total());
    failed(&mut text, results);
    skipped(&mut text, results);
    not_supported(&mut text, results);
    passed_over(&mut text, results);
    text
}

fn row(text: &mut String, name: &str, class: &str, count: Count) {
    if count.sum() > 0 {
        let Count { passed, failed, skipped, not_supported } = count;
        let _ = writeln!(text, "| {name} | {class} | {passed} | {failed} | {skipped} | {not_supported} |");
    }
}

fn failed(text: &mut String, results: &Results<'_>) {
    let mut heading = "\n## Failed\n";
    for (case, report) in results.selected() {
        if let Verdict::Failed(finding) = &report.verdict {
            text.push_str(std::mem::take(&mut heading));
            // An explanation may hold anything but the end of its block.
            let block = explanation(finding).replace("```", "` ` `");
            let _ = writeln!(text, "\n### {}\n\n{}\n\n```text\n{block}```", case.name, case.summary);
        }
    }
}

fn skipped(text: &mut String, results: &Results<'_>) {
    let mut heading = "\n## Skipped\n\n| case | reason |\n| --- | --- |\n";
    for (case, report) in results.selected() {
        if let Verdict::Skipped(reason) = &report.verdict {
            text.push_str(std::mem::take(&mut heading));
            let _ = writeln!(text, "| {} | {} |", case.name, cell(reason));
        }
    }
}

/// By the features that are missing, because these explain it.
fn not_supported(text: &mut String, results: &Results<'_>) {
    let mut missing: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for (case, report) in results.selected() {
        if let Verdict::NotSupported(features) = &report.verdict {
            let names: Vec<&str> = features.iter().map(|feature| feature.as_str()).collect();
            missing.entry(names.join(", ")).or_default().push(&case.name);
        }
    }
    if !missing.is_empty() {
        text.push_str("\n## Not supported\n\n| not claimed | cases |\n| --- | --- |\n");
        for (features, cases) in missing {
            let _ = writeln!(text, "| {features} | {} |", cases.join(", "));
        }
    }
}

fn passed_over(text: &mut String, results: &Results<'_>) {
    let passed = results.selected().into_iter().filter(|(_, report)| report.verdict == Verdict::Passed);
    let mut heading =
        "\n## Passed, but not all of it was looked at\n\n| case | passed over |\n| --- | --- |\n";
    for (case, report) in passed.filter(|(_, report)| !report.passed_over.is_empty()) {
        text.push_str(std::mem::take(&mut heading));
        let _ = writeln!(text, "| {} | {} |", case.name, cell(&report.passed_over.join("; ")));
    }
}

/// Text in a cell of a table.
fn cell(text: &str) -> String {
    text.trim().replace('|', "\\|").replace('\n', "<br>")
}
