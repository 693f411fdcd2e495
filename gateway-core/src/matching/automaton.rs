//! Automata that recognise whole texts, with memory that is chosen.
//!
//! Most expressions of Routes are small enough to become a table of all states at once: one step for each byte, and nothing
//! for each thread. Others, with classes of Unicode or long repetitions, make their states as texts ask for them, in a
//! cache that each thread has for itself; where a text asks for too many, all states are followed side by side.

use std::fmt;

use regex_automata::dfa::{Automaton as _, StartKind, dense};
use regex_automata::hybrid::dfa as lazy;
use regex_automata::nfa::thompson::pikevm::{self, PikeVM};
use regex_automata::nfa::thompson::{NFA, WhichCaptures};
use regex_automata::util::pool::Pool;
use regex_automata::{Anchored, Input};
use regex_syntax::hir::{Hir, Look};

/// The largest table of all states, in bytes.
const TABLE_LIMIT: usize = 28 << 10;

/// The smallest and the largest cache of states of one automaton and one thread, in bytes.
const LEAST_CACHE: usize = 64 << 10;
const CACHE_LIMIT: usize = 256 << 10;

/// What each expression may take in a [set](super::pattern_set), in bytes, and as much again for each thread.
pub(super) const SHARE_OF_SET: usize = 4 << 10;

/// How often a cache may be full before it has to pay: ten bytes for each state that it holds.
const CLEARED: Option<usize> = Some(1);
const BYTES_PER_STATE: Option<usize> = Some(10);

/// What is kept for each thread.
pub(super) type Caches<C> = Pool<C, Box<dyn Fn() -> C + Send + Sync>>;

/// Recognises the texts of one expression.
pub(super) enum Automaton {
    /// By a table of all states.
    Table(Box<dense::DFA<Vec<u32>>>),
    /// By states that are made as they are needed.
    Lazy(Box<LazyAutomaton>),
}

pub(super) struct LazyAutomaton {
    states: Option<(lazy::DFA, Caches<lazy::Cache>)>,
    all: PikeVM,
    all_caches: Caches<pikevm::Cache>,
}

/// The expression in the dialect of the `regex` crate for bytes.
pub(super) fn parse(source: &str) -> Result<Hir, Box<regex_syntax::Error>> {
    Ok(regex_syntax::ParserBuilder::new().utf8(false).build().parse(source)?)
}

/// The automaton for these expressions, each anchored at both ends; nothing if it takes more than `limit` bytes.
pub(super) fn whole_texts(expressions: impl IntoIterator<Item = Hir>, limit: usize) -> Option<NFA> {
    let anchored = expressions
        .into_iter()
        .map(|expression| Hir::concat(vec![Hir::look(Look::Start), expression, Hir::look(Look::End)]));
    let config = NFA::config().utf8(false).which_captures(WhichCaptures::None).nfa_size_limit(Some(limit));
    // What was parsed can only be too large.
    NFA::compiler().configure(config).build_many_from_hir(&anchored.collect::<Vec<_>>()).ok()
}

pub(super) fn anchored(text: &[u8]) -> Input<'_> {
    Input::new(text).anchored(Anchored::Yes)
}

/// How states are made that are not made at once.
pub(super) fn lazily(cache: usize) -> lazy::Config {
    lazy::Config::new()
        .cache_capacity(cache)
        .unicode_word_boundary(true)
        .minimum_cache_clear_count(CLEARED)
        .minimum_bytes_per_state(BYTES_PER_STATE)
}

// === impl Automaton ===

impl Automaton {
    /// The automaton for an expression, and its size: the first of `sizes` that is enough for it, and again for what a
    /// thread keeps that matches with it. Nothing if none is.
    pub(super) fn new(expression: Hir, sizes: &[usize]) -> Option<(Self, usize)> {
        let first = |bytes: usize| sizes.iter().copied().find(|size| bytes <= *size);
        let nfa = whole_texts([expression], *sizes.last()?)?;
        let table = dense::Config::new()
            .start_kind(StartKind::Anchored)
            .dfa_size_limit(Some(TABLE_LIMIT))
            .determinize_size_limit(Some(TABLE_LIMIT));
        // Each state takes 16 bytes at least: there is no use in trying with many.
        if nfa.states().len() <= TABLE_LIMIT / 16
            && let Ok(table) = dense::Builder::new().configure(table).build_from_nfa(&nfa)
        {
            let size = first(table.memory_usage() + SHARE_OF_SET)?;
            return Some((Self::Table(Box::new(table)), size));
        }
        let size = first(nfa.memory_usage() + LEAST_CACHE)?;
        Some((Self::Lazy(Box::new(LazyAutomaton::new(&nfa, size)?)), size))
    }

    /// Whether each byte of a text costs the same, whatever the expression is.
    pub(super) fn is_table(&self) -> bool {
        matches!(self, Self::Table(_))
    }

    /// Whether the whole of `text` matches.
    pub(super) fn matches(&self, text: &[u8]) -> bool {
        match self {
            Self::Table(table) => table.try_search_fwd(&anchored(text)).is_ok_and(|found| found.is_some()),
            Self::Lazy(automaton) => automaton.matches(text),
        }
    }
}

impl fmt::Debug for Automaton {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_table() { "Table" } else { "Lazy" })
    }
}

// === impl LazyAutomaton ===

impl LazyAutomaton {
    /// With `size` bytes for each thread at most; nothing if that is too little.
    fn new(nfa: &NFA, size: usize) -> Option<Self> {
        let all = PikeVM::new_from_nfa(nfa.clone()).ok()?;
        let cache = CACHE_LIMIT.min(size.checked_sub(all.create_cache().memory_usage())?);
        let states = lazy::Builder::new().configure(lazily(cache)).build_from_nfa(nfa.clone()).ok();
        let states = states.map(|states| {
            let made = states.clone();
            (states, Pool::new(Box::new(move || made.create_cache()) as Box<_>))
        });
        let made = all.clone();
        Some(Self { states, all, all_caches: Pool::new(Box::new(move || made.create_cache())) })
    }

    fn matches(&self, text: &[u8]) -> bool {
        if let Some((states, caches)) = &self.states
            && let Ok(found) = states.try_search_fwd(&mut caches.get(), &anchored(text))
        {
            return found.is_some();
        }
        self.all.is_match(&mut self.all_caches.get(), anchored(text))
    }

    /// The memory that a thread keeps which matches with it, at most.
    #[cfg(test)]
    fn cache_limit(&self) -> usize {
        let states = self.states.as_ref().map_or(0, |(states, _)| states.get_config().get_cache_capacity());
        states + self.all.create_cache().memory_usage()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZES: [usize; 3] = [32 << 10, 128 << 10, 1 << 20];

    // VAL-ST-07
    #[test]
    fn a_thread_keeps_no_more_than_the_size_that_is_counted() {
        for source in [
            "/[ab]*a[ab]{900}x",
            r"/\w+/x",
            r"\w+@\w+",
            r"\w{15}",
            r"(?i)[\w-]{1,20}",
            r".*\bfoo\b.*",
            ".*a.{8}b",
        ] {
            let (automaton, size) = Automaton::new(parse(source).unwrap(), &SIZES).expect(source);
            let Automaton::Lazy(lazy) = automaton else { panic!("{source} is a table") };
            assert!(lazy.states.is_some(), "{source} follows all states");
            assert!(lazy.cache_limit() <= size, "{source} takes {} of {size}", lazy.cache_limit());
            // Texts that ask for a state for each byte.
            let text: String = (0..60_000_u32).map(|i| if i * i % 7 < 3 { 'a' } else { 'b' }).collect();
            lazy.matches(text.as_bytes());
            let (_, caches) = lazy.states.as_ref().unwrap();
            assert!(caches.get().memory_usage() <= size, "{source}");
        }
    }

    #[test]
    fn the_ways_to_match_agree() {
        let texts = [
            "",
            "a",
            "ab",
            "aab",
            "aaab",
            "foo",
            "a foo b",
            "afoo",
            "\u{e4} foo \u{e4}",
            "\u{e4}foo",
            "a\nb",
        ];
        for source in ["a*b", "(a|ab)(b|)", r".*\bfoo\b.*", r"\w+", r"[^a]*", "(?s).*b", r"\w{1,9}( foo \w)?"]
        {
            let nfa = whole_texts([parse(source).unwrap()], 1 << 20).unwrap();
            let lazy = LazyAutomaton::new(&nfa, 1 << 20).unwrap();
            let (automaton, _) = Automaton::new(parse(source).unwrap(), &SIZES).unwrap();
            for text in texts {
                let text = text.as_bytes();
                let expected = lazy.all.is_match(&mut lazy.all.create_cache(), anchored(text));
                assert_eq!(lazy.matches(text), expected, "{source} on {text:?}");
                assert_eq!(automaton.matches(text), expected, "{source} on {text:?}");
            }
        }
    }
}
