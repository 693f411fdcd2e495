//! The progress of a run, shown while it lasts.

use std::io::{self, IsTerminal, Write};

use conformance::case::Case;
use conformance::outcome::{CaseReport, Verdict};
use conformance::run::Event;
use indicatif::{ProgressBar, ProgressStyle};

/// A bar on a terminal, and lines where the output is kept.
#[derive(Debug)]
pub(crate) struct Progress {
    bar: Option<ProgressBar>,
    verbose: bool,
    running: Vec<String>,
}

// === impl Progress ===

impl Progress {
    /// For a run of that many cases.
    pub(crate) fn new(cases: usize, verbose: bool) -> Self {
        let bar = io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new(u64::try_from(cases).unwrap_or(u64::MAX));
            let style = ProgressStyle::with_template("{bar:30} {pos}/{len}  {elapsed}  {wide_msg}");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar
        });
        Self { bar, verbose, running: Vec::new() }
    }

    /// Something has happened.
    pub(crate) fn on(&mut self, event: Event<'_>) {
        match event {
            Event::Started(case) => self.running.push(case.name.clone()),
            Event::Finished(case, report) => {
                self.running.retain(|name| *name != case.name);
                self.finished(case, report);
            }
        }
        if let Some(bar) = &self.bar {
            bar.set_message(self.running.join(" "));
        }
    }

    /// Nothing more will happen.
    pub(crate) fn end(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }

    fn finished(&self, case: &Case, report: &CaseReport) {
        let line = line(case, report, self.verbose);
        match &self.bar {
            Some(bar) => {
                bar.inc(1);
                if self.verbose || matches!(report.verdict, Verdict::Failed(_)) {
                    bar.println(line);
                }
            }
            // Progress that cannot be written is no reason to stop.
            None => drop(writeln!(io::stderr(), "{line}")),
        }
    }
}

fn line(case: &Case, report: &CaseReport, verbose: bool) -> String {
    let (verdict, reason) = match &report.verdict {
        Verdict::Passed => ("passed", report.passed_over.join("; ")),
        Verdict::NotSupported(features) => {
            ("not supported", features.iter().map(|it| it.as_str()).collect::<Vec<_>>().join(", "))
        }
        Verdict::Skipped(reason) => ("skipped", reason.clone()),
        Verdict::Failed(finding) => ("FAILED", format!("expected {}, got {}", finding.expected, finding.got)),
    };
    let mut line = format!("{verdict:<13}  {}", case.name);
    if verbose {
        line.push_str(&format!("  {:.3} s", report.duration.as_secs_f64()));
    }
    // The reason of a failure comes in full at the end.
    if verbose && !reason.is_empty() {
        line.push_str(&format!("  {}", reason.replace('\n', " ")));
    }
    line
}
