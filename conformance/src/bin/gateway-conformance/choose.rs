//! The cases chosen on the command line.

use conformance::case::Case;
use conformance::run::{self, Pattern, Selection};
use gateway_core::feature::Feature;
use gateway_core::manifest::closest;

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
    for (option, pattern) in named("", &choice.names)
        .chain(named("--case: ", &choice.cases))
        .chain(named("--skip: ", &choice.skip))
    {
        if !cases.iter().any(|case| pattern.fits(&case.name)) {
            let way_out = way_out(&pattern.to_string(), cases);
            return Err(Trouble::Usage(format!("{option}there is no case {pattern}; {way_out}")));
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

/// What may have been meant by a name that no case has.
pub(crate) fn way_out(name: &str, cases: &[Case]) -> String {
    /// More are of no use to a reader.
    const MOST: usize = 20;
    let names = || cases.iter().map(|case| case.name.as_str());
    let lower = name.to_ascii_lowercase();
    let mut near: Vec<&str> =
        names().filter(|known| known.to_ascii_lowercase().contains(&lower)).take(MOST).collect();
    if near.is_empty() {
        near.extend(closest(name, names()));
    }
    if !near.is_empty() {
        return format!("did you mean {}?", near.join(" or "));
    }
    // Several in one, or what upstream's suite calls a part of one.
    let parts = name.split([',', '/', ' ']);
    let parts = parts.filter_map(|part| names().find(|known| known.eq_ignore_ascii_case(part)));
    let parts: Vec<&str> = parts.collect();
    if !parts.is_empty() {
        return format!("name each by itself, and as a whole: {}", parts.join(" "));
    }
    match name.split(',').all(|part| Feature::parse(part).is_some()) {
        // Of several after an option, which takes one.
        true => format!("write features with commas and no spaces between them, or `--feature {name}`"),
        false => {
            "`gateway-conformance list` shows all, and with `--cases FOLDER` those of your own".to_owned()
        }
    }
}

/// Without those of `--skip`, which are named in reports.
fn selection(choice: &Choice) -> Selection {
    Selection {
        names: choice.names.iter().chain(&choice.cases).cloned().collect(),
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
