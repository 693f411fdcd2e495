//! The expressions of one Route that look at the same text of a request, together.
//!
//! What a client sends and what a tenant writes must not multiply: a path of sixty thousand bytes and a hundred expressions
//! for paths would otherwise be six million steps. A set looks at a text once and says for each of its expressions whether
//! it matches. It is made of the expressions when a long text first asks for it, so that it costs nothing where there are
//! none.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use regex_automata::MatchKind;
use regex_automata::hybrid::LazyStateID;
use regex_automata::hybrid::dfa as lazy;
use regex_automata::util::pool::Pool;

use super::automaton::{Caches, SHARE_OF_SET, anchored, lazily, parse, whole_texts};

/// How many expressions a set has at least and at most.
pub(super) const MEMBERS: std::ops::RangeInclusive<usize> = 3..=u128::BITS as usize;

/// The largest cache of states of one set and one thread, in bytes.
const CACHE_LIMIT: usize = 256 << 10;

/// After how many bytes the cache learns how far a search is.
const PROGRESS: usize = 512;

/// Expressions that look at the same text.
pub(super) struct PatternSet {
    /// No other set has it.
    id: u64,
    sources: Box<[Arc<str>]>,
    together: OnceLock<Option<Together>>,
    /// Whether some text asked for too many states.
    gave_up: AtomicBool,
}

struct Together {
    states: lazy::DFA,
    caches: Caches<lazy::Cache>,
}

// === impl PatternSet ===

impl PatternSet {
    /// A set of small expressions, as many as [`MEMBERS`] allows, all of which are well formed.
    pub(super) fn new(sources: impl IntoIterator<Item = Arc<str>>) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        let sources = sources.into_iter().collect();
        Self { id, sources, together: OnceLock::new(), gave_up: AtomicBool::new(false) }
    }

    /// What tells the set from all others.
    pub(super) fn id(&self) -> u64 {
        self.id
    }

    /// Which expressions match the whole of `text`, one bit for each; nothing if they have to be asked one by one.
    pub(super) fn matching(&self, text: &[u8]) -> Option<u128> {
        if self.gave_up.load(Ordering::Relaxed) {
            return None;
        }
        let together = self.together.get_or_init(|| Together::new(&self.sources)).as_ref()?;
        let found = together.matching(text);
        if found.is_none() {
            self.gave_up.store(true, Ordering::Relaxed);
        }
        found
    }
}

impl fmt::Debug for PatternSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PatternSet").field(&self.sources).finish()
    }
}

// === impl Together ===

impl Together {
    fn new(sources: &[Arc<str>]) -> Option<Self> {
        let expressions: Result<Vec<_>, _> = sources.iter().map(|source| parse(source)).collect();
        let limit = sources.len() * SHARE_OF_SET;
        let nfa = whole_texts(expressions.ok()?, limit)?;
        let config = lazily(limit.min(CACHE_LIMIT)).match_kind(MatchKind::All);
        let states = lazy::Builder::new().configure(config).build_from_nfa(nfa).ok()?;
        let made = states.clone();
        Some(Self { states, caches: Pool::new(Box::new(move || made.create_cache())) })
    }

    /// Nothing where the text asks for more states than the cache has room for.
    fn matching(&self, text: &[u8]) -> Option<u128> {
        let cache = &mut *self.caches.get();
        cache.search_start(0);
        let found = self.last_state(cache, text);
        cache.search_finish(text.len());
        let Some(last) = found? else { return Some(0) };
        let members = (0..if last.is_match() { self.states.match_len(cache, last) } else { 0 })
            .map(|i| self.states.match_pattern(cache, last, i).as_usize());
        Some(members.fold(0, |bits, member| bits | (1 << member)))
    }

    /// The state after all of the text, or that no expression can match any more; nothing where there is no room.
    fn last_state(&self, cache: &mut lazy::Cache, text: &[u8]) -> Option<Option<LazyStateID>> {
        let mut state = self.states.start_state_forward(cache, &anchored(text)).ok()?;
        for (number, piece) in text.chunks(PROGRESS).enumerate() {
            cache.search_update(number * PROGRESS);
            for byte in piece {
                state = self.states.next_state(cache, state, *byte).ok()?;
                if state.is_tagged() {
                    if state.is_dead() {
                        return Some(None);
                    }
                    // No small expression depends on words, so this is never seen.
                    if state.is_quit() {
                        return None;
                    }
                }
            }
        }
        cache.search_update(text.len());
        self.states.next_eoi_state(cache, state).ok().map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(sources: &[&str]) -> PatternSet {
        PatternSet::new(sources.iter().map(|source| Arc::from(*source)))
    }

    // AMB-08
    #[test]
    fn a_set_says_what_each_of_its_expressions_says() {
        let sources = [".*/x1", ".*/x2", "/a(/.*)?", "(?i)/A", "", "/a|/b/x2", ".*/x1"];
        let set = set(&sources);
        for text in ["", "/a", "/A", "/a/x1", "/b/x2", "/b/x22", "/a\n/x1", "/none"] {
            let text = text.as_bytes();
            let bits = set.matching(text).expect("few states");
            for (place, source) in sources.iter().enumerate() {
                let alone: crate::matching::Pattern = source.parse().unwrap();
                assert_eq!(bits >> place & 1 == 1, alone.matches(text), "{source} on {text:?}");
            }
        }
    }

    // AMB-08
    #[test]
    fn a_set_gives_up_where_it_would_need_too_much_memory() {
        let sources: Vec<String> = (0..16).map(|i| format!("(?s).*a.{{{i}}}b")).collect();
        let set = set(&sources.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(set.matching(b"aab").map(u128::count_ones), Some(2));
        let random = std::iter::successors(Some(1_u32), |x| {
            Some(x.wrapping_mul(1_664_525).wrapping_add(1_013_904_223))
        });
        let text: String = random.take(60_000).map(|x| if x >> 31 == 0 { 'a' } else { 'b' }).collect();
        assert_eq!(set.matching(text.as_bytes()), None);
        assert_eq!(set.matching(b"a"), None, "and goes on so");
    }
}
