//! Results of cases sorted by profile, from which all reports are made.

use std::collections::{BTreeMap, BTreeSet};

use gateway_core::feature::{Feature, Profile, SupportLevel};

use crate::case::Case;
use crate::outcome::{CaseReport, Verdict};

/// What came of a run.
#[derive(Clone, Debug)]
pub struct Results<'r> {
    /// The name of the engine.
    pub engine: &'r str,
    /// The profiles that are reported about. Reports order them by themselves.
    pub profiles: Vec<Profile>,
    /// The features that the engine claims.
    pub claimed: &'r BTreeSet<Feature>,
    /// The cases there are, whether they were selected or not.
    pub cases: &'r [Case],
    /// What came of those that were selected.
    pub reports: &'r [CaseReport],
}

/// The cases of one profile, those of none, or those beyond upstream's.
#[derive(Clone, Debug)]
pub struct Section<'r> {
    /// `GATEWAY-HTTP`, `no profile` or `beyond`.
    pub name: &'static str,
    /// The cases that were selected, by name, with their class if it is a profile.
    pub cases: Vec<(Option<SupportLevel>, &'r Case, &'r CaseReport)>,
}

/// How many cases came to which verdict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Everything was as it must be.
    pub passed: usize,
    /// Something was not.
    pub failed: usize,
    /// Not run, for some reason.
    pub skipped: usize,
    /// The engine does not claim what they need.
    pub not_supported: usize,
}

// === impl Results ===

impl<'r> Results<'r> {
    /// The profiles whose core features are all claimed.
    pub fn claimed_profiles(claimed: &BTreeSet<Feature>) -> Vec<Profile> {
        let is_claimed = |profile: &Profile| {
            profile.features(SupportLevel::Core).all(|feature| claimed.contains(&feature))
        };
        Profile::ALL.iter().copied().filter(is_claimed).collect()
    }

    /// The profiles that are reported about, in the order that all reports have.
    pub(super) fn profiles_in_order(&self) -> impl Iterator<Item = Profile> {
        Profile::ALL.iter().copied().filter(|profile| self.profiles.contains(profile))
    }

    /// What came of the case of this name, if it was selected.
    pub fn report(&self, case: &Case) -> Option<&'r CaseReport> {
        self.reports.iter().find(|report| report.name == case.name)
    }

    /// Whether the case passed, and everything that it is about was looked at.
    pub fn is_seen_to_pass(&self, case: &Case) -> bool {
        let is_claimed = |feature: &Feature| self.claimed.contains(feature);
        // With these, nothing of the case is to be looked at.
        let has_nothing_to_show =
            case.unless.iter().any(is_claimed) || !case.only_with.iter().all(is_claimed);
        self.report(case).is_some_and(|report| {
            report.verdict == Verdict::Passed && (report.passed_over.is_empty() || has_nothing_to_show)
        })
    }

    /// Each case that was selected, once, by name.
    pub fn selected(&self) -> Vec<(&'r Case, &'r CaseReport)> {
        let cases: BTreeMap<&str, &'r Case> =
            self.cases.iter().map(|case| (case.name.as_str(), case)).collect();
        let found = self.reports.iter().filter_map(|it| Some((*cases.get(it.name.as_str())?, it)));
        let mut found: Vec<_> = found.collect();
        found.sort_by(|(a, _), (b, _)| a.name.cmp(&b.name));
        found
    }

    /// The profiles, then the cases of none of them, then those beyond upstream's; without those that are empty.
    pub fn sections(&self) -> Vec<Section<'r>> {
        let selected = self.selected();
        let mut sections: Vec<Section<'r>> = self
            .profiles_in_order()
            .map(|profile| Section {
                name: profile.as_str(),
                cases: selected
                    .iter()
                    .filter_map(|(case, report)| Some((Some(case.level(profile)?), *case, *report)))
                    .collect(),
            })
            .collect();
        let is_in_none = |case: &Case| self.profiles.iter().all(|profile| case.level(*profile).is_none());
        let others = |name, is_member: &dyn Fn(&Case) -> bool| Section {
            name,
            cases: selected
                .iter()
                .filter(|(case, _)| is_member(case))
                .map(|(case, report)| (None, *case, *report))
                .collect(),
        };
        sections.push(others("no profile", &|case| !case.is_beyond() && is_in_none(case)));
        sections.push(others("beyond", &Case::is_beyond));
        sections.retain(|section| !section.cases.is_empty());
        sections
    }

    /// How many cases came to which verdict, each counted once.
    pub fn total(&self) -> Count {
        Count::from_reports(self.selected().into_iter().map(|(_, report)| report))
    }
}

// === impl Section ===

impl Section<'_> {
    /// How many of its cases came to which verdict, of those of this level.
    pub fn count(&self, level: Option<SupportLevel>) -> Count {
        let members = self.cases.iter().filter(|(known, _, _)| *known == level);
        Count::from_reports(members.map(|(_, _, report)| *report))
    }
}

// === impl Count ===

impl Count {
    /// Counts the verdicts of these cases.
    pub fn from_reports<'a>(reports: impl IntoIterator<Item = &'a CaseReport>) -> Self {
        let mut count = Self::default();
        for report in reports {
            let field = match report.verdict {
                Verdict::Passed => &mut count.passed,
                Verdict::NotSupported(_) => &mut count.not_supported,
                Verdict::Skipped(_) => &mut count.skipped,
                Verdict::Failed(_) => &mut count.failed,
            };
            *field += 1;
        }
        count
    }

    /// How many cases there are.
    pub fn sum(self) -> usize {
        self.passed + self.failed + self.skipped + self.not_supported
    }
}
