//! Cases that an engine of ours does not pass, with the reason.
//!
//! A line here is shown in reports. Tests run these cases all the same, and fail when one passes: the line goes then.

/// A case that an engine does not pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Skip {
    /// The name of the engine.
    pub engine: &'static str,
    /// The name of the case.
    pub case: &'static str,
    /// Why, for a reader of the report.
    pub reason: &'static str,
}

/// All of them, by engine and case.
pub const SKIPS: &[Skip] = &[Skip {
    engine: "cluster",
    case: "BeyondRetryAfterTimeout",
    reason: "upstream's backend makes failing requests wait for each other, so that each attempt is as slow as all before it",
}];

/// Why the engine does not run the case; nothing if it does.
pub fn reason(engine: &str, case: &str) -> Option<&'static str> {
    SKIPS.iter().find(|skip| (skip.engine, skip.case) == (engine, case)).map(|skip| skip.reason)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::cases;

    #[test]
    fn every_skip_is_of_a_case_that_there_is_and_has_a_reason() {
        const ENGINES: [&str; 5] = ["cluster", "core", "http", "reference", "tower"];
        for Skip { engine, case, reason } in SKIPS {
            assert!(ENGINES.contains(engine), "{case}: there is no engine {engine}");
            assert!(cases().iter().any(|known| known.name == *case), "{engine}: there is no case {case}");
            assert!(!reason.is_empty(), "{engine}: {case} has no reason");
        }
        assert!(
            SKIPS.is_sorted_by(|a, b| (a.engine, a.case) < (b.engine, b.case)),
            "sort by engine and case"
        );
    }
}
