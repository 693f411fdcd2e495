//! What comes of one rule: what is served, and what is wrong with it.

use crate::finding::Finding;
use crate::matching::HttpMatch;
use crate::rule::HttpRule;

/// A rule with its match entries; none for a rule that is dropped.
pub(crate) type CompiledRule = (Box<[HttpMatch]>, HttpRule);

/// What is wrong with a rule. Fields are below the rule.
#[derive(Debug, Default)]
pub(crate) struct RuleFindings {
    /// Why the rule is invalid; empty for a valid one.
    pub(crate) problems: Vec<Finding>,
    /// Which of its references lead nowhere.
    pub(crate) references: Vec<Finding>,
    /// The fields that are accepted and have no effect.
    pub(crate) ignored: Vec<&'static str>,
}
