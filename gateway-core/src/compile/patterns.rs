//! The regular expressions of Routes, and how much of them one Route may have.
//!
//! A Route of 128 matches may hold thousands of expressions, each of which takes milliseconds and a megabyte to compile at
//! worst. What one tenant writes must not stop the gateway of all, so every Route has a budget. An expression that several
//! Routes share is compiled once, and counts for each of them: what becomes of a Route depends on that Route alone.

use std::collections::HashMap;

use crate::matching::pattern::{Pattern, PatternError, SIZE_LIMIT};

/// The memory that all expressions of one Route may take when they are compiled, in bytes.
const ROUTE_LIMIT: usize = 32 << 20;

/// With how many expressions those without a user are looked for first.
const FIRST_SWEEP: usize = 64;

/// Compiles the expressions of Routes, and keeps those that are in use.
#[derive(Debug)]
pub(crate) struct Patterns {
    known: HashMap<Box<str>, Known>,
    /// How many there may be before those without a user are looked for.
    sweep_at: usize,
    /// The number of the present Route, and how much it may still have.
    route: usize,
    left: usize,
}

#[derive(Debug)]
struct Known {
    compiled: Result<Pattern, PatternError>,
    /// The last Route that had it.
    route: usize,
}

// === impl Patterns ===

impl Patterns {
    pub(crate) fn new() -> Self {
        Self { known: HashMap::new(), sweep_at: FIRST_SWEEP, route: 0, left: ROUTE_LIMIT }
    }

    /// What follows is another Route's.
    pub(crate) fn next_route(&mut self) {
        self.route += 1;
        self.left = ROUTE_LIMIT;
    }

    /// Forgets the expressions that no Route has any more, if there may be many of them: each is looked at once for every
    /// time that their number doubles.
    pub(crate) fn sweep(&mut self) {
        if self.known.len() >= self.sweep_at {
            self.known.retain(|_, known| known.compiled.as_ref().is_ok_and(Pattern::is_shared));
            self.sweep_at = FIRST_SWEEP.max(2 * self.known.len());
        }
    }

    /// The expression written as `source`, or why it cannot be used. One that does not compile counts as the largest.
    ///
    /// # Spec
    /// VAL-ST-07
    pub(crate) fn compile(&mut self, source: &str) -> Result<Pattern, String> {
        let known = self.known.get_mut(source);
        let is_counted = known.as_ref().is_some_and(|known| known.route == self.route);
        // How large it is, is not known before there is room for the largest.
        if !is_counted && self.left < SIZE_LIMIT {
            return Err(format!(
                "the regular expressions of this Route take more than {} MiB when compiled; simplify them, or divide the \
                 Route into several",
                (ROUTE_LIMIT - SIZE_LIMIT) >> 20
            ));
        }
        let known = match known {
            Some(known) => known,
            None => {
                let new = Known { compiled: source.parse(), route: self.route };
                self.known.entry(source.into()).or_insert(new)
            }
        };
        known.route = self.route;
        if !is_counted {
            self.left -= known.compiled.as_ref().map_or(SIZE_LIMIT, Pattern::size);
        }
        known.compiled.clone().map_err(|error| error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // VAL-ST-07
    #[test]
    fn a_route_has_a_budget_that_others_do_not_touch() {
        let large: Vec<String> = (0..40).map(|i| format!(r"\w{{15}}{i}")).collect();
        let bad: Vec<String> = (0..40).map(|i| format!("({i}")).collect();
        let mut patterns = Patterns::new();
        let compiled = |patterns: &mut Patterns| patterns.compile("/v[0-9]+").is_ok();
        for all in [&large, &bad, &large] {
            patterns.next_route();
            let refused = all.iter().filter_map(|source| patterns.compile(source).err());
            assert_eq!(refused.filter(|message| message.contains("than 31 MiB")).count(), 8);
            assert!(!compiled(&mut patterns), "there may be no room for it");
            assert!(
                patterns.compile(&large[0]).is_ok() || all == &bad,
                "what was counted is not counted again"
            );
            patterns.next_route();
            assert!(compiled(&mut patterns));
        }
    }
    #[test]
    fn an_expression_is_compiled_once_as_long_as_it_is_in_use() {
        let mut patterns = Patterns::new();
        let used = patterns.compile("/used.*").unwrap();
        for i in 0..10 * FIRST_SWEEP {
            patterns.next_route();
            assert!(patterns.compile(&format!("/{i}.*")).is_ok());
            patterns.sweep();
            assert!(patterns.known.len() <= FIRST_SWEEP);
        }
        assert!(patterns.compile("/used.*").unwrap().is_clone_of(&used));
    }
}
