//! The regular expressions of Routes, and how much of them one Route and one namespace may have.
//!
//! A Route of 128 matches may hold thousands of expressions, each of which takes milliseconds and a megabyte to compile at
//! worst. What one tenant writes must not stop the gateway of all, so every Route has a budget, and so has every
//! namespace. An expression that several Routes share is compiled once, and counts for each of them.
//!
//! What becomes of a Route depends on that Route alone for as long as the Routes of its namespace have room together. When
//! they have not, the oldest come first: the namespace is [full](Patterns::take_full), and all its Routes are compiled
//! again in that order.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use crate::matching::{Pattern, PatternError};
use crate::name::RouteKey;

/// The memory that all expressions of one Route may take when they are compiled, in bytes.
const ROUTE_LIMIT: usize = 32 << 20;

/// The memory that all expressions of the Routes of one namespace may take, in bytes; and as much again for each thread that matches
/// with them, at most.
const NAMESPACE_LIMIT: usize = 128 << 20;

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
    present: Option<Arc<RouteKey>>,
    /// What the Routes with expressions take, and all those of each namespace together.
    by_route: HashMap<Arc<RouteKey>, usize>,
    by_namespace: HashMap<Arc<str>, usize>,
    /// The namespaces in which some expression found no room when it was compiled last.
    refused: BTreeSet<Arc<str>>,
    /// The namespaces with Routes that changed since they were looked at.
    changed: BTreeSet<Arc<str>>,
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
        Self {
            known: HashMap::new(),
            sweep_at: FIRST_SWEEP,
            route: 0,
            left: ROUTE_LIMIT,
            present: None,
            by_route: HashMap::new(),
            by_namespace: HashMap::new(),
            refused: BTreeSet::new(),
            changed: BTreeSet::new(),
        }
    }

    /// What follows is this Route's; what it had before goes.
    pub(crate) fn next_route(&mut self, route: &Arc<RouteKey>) {
        self.release(route);
        self.route += 1;
        self.left = ROUTE_LIMIT;
        self.present = Some(route.clone());
    }

    /// A Route has no expressions any more.
    pub(crate) fn release(&mut self, route: &RouteKey) {
        let namespace = &route.name.namespace;
        if let Some(size) = self.by_route.remove(route)
            && let Some(all) = self.by_namespace.get_mut(namespace)
        {
            *all -= size;
        }
        if self.refused.contains(namespace) || self.by_namespace.contains_key(namespace) {
            self.changed.insert(namespace.clone());
        }
    }

    /// The namespaces with Routes that changed, whose expressions do not all have room: their Routes have to be compiled
    /// again, the oldest first. It is as if they had had none.
    pub(crate) fn take_full(&mut self) -> BTreeSet<Arc<str>> {
        let changed = std::mem::take(&mut self.changed);
        let size = |namespace: &Arc<str>| self.by_namespace.get(namespace).copied().unwrap_or_default();
        let is_full = |namespace: &Arc<str>| {
            self.refused.contains(namespace) || size(namespace) > NAMESPACE_LIMIT - Pattern::SIZE_LIMIT
        };
        let full: BTreeSet<_> = changed.into_iter().filter(is_full).collect();
        if full.is_empty() {
            return full;
        }
        self.by_route.retain(|route, _| !full.contains(&route.name.namespace));
        for namespace in &full {
            self.by_namespace.remove(namespace);
            self.refused.remove(namespace);
        }
        full
    }

    /// The Routes of full namespaces were compiled again.
    pub(crate) fn settle(&mut self) {
        self.changed.clear();
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
        if !is_counted && self.left < Pattern::SIZE_LIMIT {
            return Err(format!(
                "the regular expressions of this Route take more than {} MiB when compiled; simplify them, or divide the \
                 Route into several",
                (ROUTE_LIMIT - Pattern::SIZE_LIMIT) >> 20
            ));
        }
        let present = self.present.as_ref().map(|route| &route.name.namespace);
        let of_namespace =
            present.and_then(|namespace| self.by_namespace.get(namespace)).copied().unwrap_or(0);
        if !is_counted && of_namespace > NAMESPACE_LIMIT - Pattern::SIZE_LIMIT {
            self.refused.extend(present.cloned());
            self.changed.extend(present.cloned());
            return Err(format!(
                "the regular expressions of this namespace take more than {} MiB when compiled, and older Routes come \
                 first; simplify them, or move Routes to other namespaces",
                (NAMESPACE_LIMIT - Pattern::SIZE_LIMIT) >> 20
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
            let size = known.compiled.as_ref().map_or(Pattern::SIZE_LIMIT, Pattern::size);
            self.left -= size;
            if let Some(route) = &self.present {
                *self.by_route.entry(route.clone()).or_default() += size;
                *self.by_namespace.entry(route.name.namespace.clone()).or_default() += size;
                self.changed.insert(route.name.namespace.clone());
            }
        }
        known.compiled.clone().map_err(|error| error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::{ObjectName, RouteKind};

    fn route(name: usize) -> Arc<RouteKey> {
        // Each in a namespace of its own.
        Arc::new(RouteKey::new(RouteKind::Http, ObjectName::new(format!("n{name}"), "route")))
    }

    // VAL-ST-07
    #[test]
    fn a_route_has_a_budget_that_others_do_not_touch() {
        let large: Vec<String> = (0..40).map(|i| format!(r"\w{{15}}{i}")).collect();
        let bad: Vec<String> = (0..40).map(|i| format!("({i}")).collect();
        let mut patterns = Patterns::new();
        let compiled = |patterns: &mut Patterns| patterns.compile("/v[0-9]+").is_ok();
        for (i, all) in [&large, &bad, &large].into_iter().enumerate() {
            patterns.next_route(&route(2 * i));
            let refused = all.iter().filter_map(|source| patterns.compile(source).err());
            assert_eq!(refused.filter(|message| message.contains("than 31 MiB")).count(), 8);
            assert!(!compiled(&mut patterns), "there may be no room for it");
            assert!(
                patterns.compile(&large[0]).is_ok() || all == &bad,
                "what was counted is not counted again"
            );
            patterns.next_route(&route(2 * i + 1));
            assert!(compiled(&mut patterns));
        }
    }
    #[test]
    fn an_expression_is_compiled_once_as_long_as_it_is_in_use() {
        let mut patterns = Patterns::new();
        let used = patterns.compile("/used.*").unwrap();
        for i in 0..10 * FIRST_SWEEP {
            patterns.next_route(&route(i));
            assert!(patterns.compile(&format!("/{i}.*")).is_ok());
            patterns.sweep();
            assert!(patterns.known.len() <= FIRST_SWEEP);
        }
        assert!(patterns.compile("/used.*").unwrap().is_clone_of(&used));
    }
}
