//! The cases chosen on the command line.

use conformance::case::Case;
use conformance::run::{self, Pattern, Selection};

use crate::Trouble;
use crate::args::Choice;

/// The cases that are chosen, and among them those that are passed over with `--skip`.
#[derive(Debug)]
pub(crate) struct Chosen<'c> {
    pub(crate) cases: Vec<&'c Case>,
    pub(crate) skipped: Vec<&'c Case>,
}

/// Chooses among these cases.
///
/// # Errors
/// If a name or a pattern fits no case, or if no case is left.
pub(crate) fn chosen<'c>(cases: &'c [Case], choice: &Choice) -> Result<Chosen<'c>, Trouble> {
    for (option, pattern) in named("--case", &choice.cases).chain(named("--skip", &choice.skip)) {
        if !cases.iter().any(|case| pattern.fits(&case.name)) {
            let message =
                format!("{option}: there is no case {pattern}; `gateway-conformance list` shows all");
            return Err(Trouble::Usage(message));
        }
    }
    let selection = selection(choice);
    let is_skipped = |case: &&Case| choice.skip.iter().any(|pattern| pattern.fits(&case.name));
    let (skipped, cases): (Vec<_>, Vec<_>) =
        cases.iter().filter(|case| selection.selects(case)).partition(is_skipped);
    if cases.is_empty() {
        return Err(Trouble::Usage(
            "no case is left of those that there are; ask for less at once".to_owned(),
        ));
    }
    Ok(Chosen { cases, skipped })
}

fn named<'p>(
    option: &'static str,
    patterns: &'p [Pattern],
) -> impl Iterator<Item = (&'static str, &'p Pattern)> {
    patterns.iter().map(move |pattern| (option, pattern))
}

/// Without those of `--skip`, which are named in reports.
fn selection(choice: &Choice) -> Selection {
    Selection {
        names: choice.cases.clone(),
        without: Vec::new(),
        profiles: choice.profiles.iter().copied().collect(),
        features: choice.features.iter().copied().collect(),
        provisional: if choice.skip_provisional { run::Choice::Without } else { run::Choice::With },
        beyond: match (choice.no_beyond, choice.beyond_only) {
            (true, _) => run::Choice::Without,
            (false, true) => run::Choice::Only,
            (false, false) => run::Choice::With,
        },
    }
}
