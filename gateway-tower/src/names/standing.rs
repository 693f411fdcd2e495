//! The states of names: awaited, found, or leading nowhere.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::failure::LookupFailure;

/// How it stands with the names of the table in use.
#[derive(Clone, Debug, Default)]
pub struct NameStates {
    pub(super) by_name: BTreeMap<Arc<str>, NameState>,
    pub(super) is_looked_up: bool,
}

/// How it stands with a name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NameState {
    /// Where it leads, or why nowhere.
    pub standing: Standing,
    /// The look-ups that led somewhere.
    pub found: u64,
    /// The look-ups that did not, by the place of their word among [`LookupFailure::WORDS`].
    pub failed: [u64; LookupFailure::WORDS.len()],
}

/// Where a name leads, or why nowhere.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Standing {
    /// No look-up has come to an end yet.
    #[default]
    Awaited,
    /// To so many addresses.
    Found(usize),
    /// To those that were found before, since the last look-up failed.
    Kept(LookupFailure),
    /// Nowhere, and requests to its backends are refused.
    Nowhere(LookupFailure),
    /// Nowhere, since other names take [the room that there is](super::NameOptions::max_names).
    WithoutRoom,
}

// === impl NameStates ===

impl NameStates {
    /// How it stands with a name, if the table has it.
    pub fn get(&self, name: &str) -> Option<&NameState> {
        self.by_name.get(name)
    }

    /// All of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &NameState)> {
        self.by_name.iter().map(|(name, state)| (&**name, state))
    }

    /// Whether each name of the first table has been looked up, successfully or not, or
    /// [the time for that](super::NameOptions::first_round) is over.
    pub fn is_looked_up(&self) -> bool {
        self.is_looked_up
    }

    pub(super) fn set(&mut self, name: &str, standing: Standing) {
        if let Some(state) = self.by_name.get_mut(name) {
            state.standing = standing;
        }
    }

    /// Takes note of what a look-up came to, and counts it.
    pub(super) fn answered(&mut self, name: &str, standing: Standing) {
        let Some(state) = self.by_name.get_mut(name) else { return };
        let NameState { standing: now, found, failed } = state;
        match &standing {
            Standing::Kept(why) | Standing::Nowhere(why) => failed[why.index()] += 1,
            Standing::Awaited | Standing::Found(_) | Standing::WithoutRoom => *found += 1,
        }
        *now = standing;
    }
}

// === impl Standing ===

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Awaited => f.write_str("is looked up for the first time"),
            Self::Found(1) => f.write_str("leads to 1 address"),
            Self::Found(count) => write!(f, "leads to {count} addresses"),
            Self::Kept(why) => write!(f, "leads to what was found before: {why}"),
            Self::Nowhere(why) => write!(f, "leads nowhere, requests are answered with 503: {why}"),
            Self::WithoutRoom => f.write_str(
                "is not looked up, requests are answered with 503: other names take the room that there is; remove some",
            ),
        }
    }
}
