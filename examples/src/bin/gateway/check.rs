//! `gateway check`

use std::io::{self, Write};
use std::process::ExitCode;

use gateway_core::apply::Applied;
use gateway_core::condition::{Condition, ConditionType};
use gateway_core::manifest::Severity;
use gateway_examples::table_view;

use crate::args::Check;
use crate::load;

pub(crate) fn check(args: &Check) -> io::Result<ExitCode> {
    let (update, _demo) = load::load(&args.source, &args.live, args.options())?;
    let mut out = io::stdout().lock();
    let shown = |severity: Severity| severity != Severity::Info || args.notes;
    for problem in update.problems.iter().filter(|problem| shown(problem.severity)) {
        writeln!(out, "{problem}")?;
    }
    if args.status {
        out.write_all(table_view::conditions(&update).as_bytes())?;
    }
    let count = |severity| update.problems.iter().filter(|problem| problem.severity == severity).count();
    let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
    let objects = update.resources.len();
    writeln!(
        out,
        "{}, {} served: {}, {}",
        counted(objects, "object"),
        counted(served(&update), "rule"),
        counted(errors, "error"),
        counted(warnings, "warning")
    )?;
    // The user has named the wrong folder, in most cases, and would take silence for praise.
    let nothing = objects == 0 && update.problems.is_empty() && !args.live.kube;
    if nothing {
        writeln!(
            out,
            "there is no object in any file that ends in .yaml, .yml or .json; name other files or folders"
        )?;
    }
    let failed = errors > 0 || (warnings > 0 || nothing) && !args.allow_warnings;
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// `1 rule`, `2 rules`.
fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// How many rules some parent of their route accepts. Others are in the table too, to fail their requests rather than
/// leave them to other routes.
fn served(update: &Applied) -> usize {
    let accepts = |key| {
        let parents = update.statuses.routes.get(key).map_or(&[][..], |status| &status.parents);
        parents.iter().any(|parent| Condition::holds(&parent.conditions, ConditionType::Accepted))
    };
    let requests = update.table.rules().map(|rule| &rule.id);
    let streams = update.table.stream_rules().map(|rule| &rule.id);
    requests.chain(streams).filter(|id| accepts(&*id.route)).count()
}
