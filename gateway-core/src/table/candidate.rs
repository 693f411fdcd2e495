//! One match entry of a rule, without its host and path.

use std::sync::Arc;

use super::RuleId;
use crate::matching::{Conditions, RequestHead};

/// One match entry of a rule, without its host and path.
#[derive(Clone, Debug)]
pub(crate) struct Candidate {
    pub(crate) rule: RuleId,
    /// The position in the rule's `matches`.
    pub(crate) entry: u16,
    /// How many of the entries that have to be [asked](super::indexed) go before it, where that is neither all nor none of
    /// them; 0 elsewhere.
    pub(crate) after: u32,
    /// What is asked for besides the path; nothing, for most. Shared by all hostnames of the route.
    pub(crate) conditions: Option<Arc<Conditions>>,
}

/// The entry that serves a request, in few bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Chosen {
    route: u32,
    rule: u16,
    entry: u16,
}

// === impl Candidate ===

impl Candidate {
    pub(crate) fn matches(&self, request: &RequestHead<'_>) -> bool {
        self.conditions.as_ref().is_none_or(|conditions| conditions.unmet(request).is_none())
    }

    pub(crate) fn chosen(&self) -> Chosen {
        Chosen::new(self.rule, self.entry)
    }
}

// === impl Chosen ===

impl Chosen {
    pub(super) fn new(rule: RuleId, entry: u16) -> Self {
        let RuleId { route, rule } = rule;
        Self { route, rule, entry }
    }

    pub(crate) fn rule(self) -> RuleId {
        RuleId { route: self.route, rule: self.rule }
    }

    /// The position in the rule's `matches`.
    pub(crate) fn entry(self) -> u16 {
        self.entry
    }

    /// As a candidate: the only one of its kind has no conditions.
    pub(crate) fn candidate(self) -> Candidate {
        Candidate { rule: self.rule(), entry: self.entry, after: 0, conditions: None }
    }
}
