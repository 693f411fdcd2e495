//! The selection of the cases that are run.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use gateway_core::feature::{Feature, Profile};
use globset::{GlobBuilder, GlobMatcher};

use crate::case::Case;

/// Which cases are run. Nothing said: all of them.
///
/// ```
/// use conformance::run::Selection;
///
/// let selection = Selection { names: vec!["HTTPRoute*".parse()?], ..Selection::default() };
/// assert!(selection.select(conformance::case::cases()).any(|case| case.name == "HTTPRouteMatching"));
/// assert!(!selection.select(conformance::case::cases()).any(|case| case.name.starts_with("Gateway")));
/// # Ok::<(), String>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// Only cases whose name fits one of these.
    pub names: Vec<Pattern>,
    /// No cases whose name fits one of these.
    pub without: Vec<Pattern>,
    /// Only cases that belong to one of these.
    pub profiles: BTreeSet<Profile>,
    /// Only cases that need one of these.
    pub features: BTreeSet<Feature>,
    /// Cases that upstream calls provisional.
    pub provisional: Choice,
    /// Cases of ours, which upstream does not have.
    pub beyond: Choice,
}

/// The name of a case, or a glob such as `HTTPRoute*`. Upper and lower case are the same.
#[derive(Clone, Debug)]
pub struct Pattern(GlobMatcher);

/// What becomes of cases of a sort.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Choice {
    /// They run like all others.
    #[default]
    With,
    /// No others run.
    Only,
    /// They do not run.
    Without,
}

// === impl Selection ===

impl Selection {
    /// Whether the case is run.
    pub fn selects(&self, case: &Case) -> bool {
        (self.names.is_empty() || self.names.iter().any(|pattern| pattern.fits(&case.name)))
            && !self.without.iter().any(|pattern| pattern.fits(&case.name))
            && (self.profiles.is_empty()
                || self.profiles.iter().any(|profile| case.level(*profile).is_some()))
            && (self.features.is_empty() || !self.features.is_disjoint(&case.features))
            && self.provisional.allows(case.provisional)
            && self.beyond.allows(case.is_beyond())
    }

    /// Those cases that are run.
    pub fn select<'a>(&'a self, cases: &'a [Case]) -> impl Iterator<Item = &'a Case> {
        cases.iter().filter(|case| self.selects(case))
    }
}

// === impl Pattern ===

impl Pattern {
    /// Whether a name fits.
    pub fn fits(&self, name: &str) -> bool {
        self.0.is_match(name)
    }
}

impl FromStr for Pattern {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let glob = GlobBuilder::new(text)
            .case_insensitive(true)
            .build()
            .map_err(|error| format!("{text:?} is no pattern: {error}"))?;
        Ok(Self(glob.compile_matcher()))
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.glob().glob())
    }
}

// === impl Choice ===

impl Choice {
    fn allows(self, is_one: bool) -> bool {
        match self {
            Self::With => true,
            Self::Only => is_one,
            Self::Without => !is_one,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case;

    fn names(selection: &Selection) -> Vec<&str> {
        selection.select(case::cases()).map(|case| case.name.as_str()).collect()
    }

    #[test]
    fn cases_are_selected_by_name_profile_and_feature() {
        let pattern = |text: &str| text.parse::<Pattern>().unwrap();
        let all = names(&Selection::default()).len();
        let one = Selection { names: vec![pattern("httproutematching")], ..Selection::default() };
        assert_eq!(names(&one), ["HTTPRouteMatching"]);
        let others = Selection { without: one.names.clone(), ..Selection::default() };
        assert_eq!(names(&others).len(), all - 1);
        let http = Selection {
            names: one.names.clone(),
            profiles: [Profile::GatewayGrpc].into(),
            ..Selection::default()
        };
        assert_eq!(names(&http), [""; 0]);
        let port = Selection { features: [Feature::GatewayPort8080].into(), ..Selection::default() };
        assert!(names(&port).contains(&"GatewayWithAttachedRoutesWithPort8080"));
        assert!(!names(&port).contains(&"HTTPRouteMatching"));
        assert!("[".parse::<Pattern>().unwrap_err().starts_with("\"[\" is no pattern"));
    }

    #[test]
    fn a_choice_is_about_one_sort_of_cases() {
        assert!(Choice::With.allows(true) && Choice::With.allows(false));
        assert!(Choice::Only.allows(true) && !Choice::Only.allows(false));
        assert!(!Choice::Without.allows(true) && Choice::Without.allows(false));
    }
}
