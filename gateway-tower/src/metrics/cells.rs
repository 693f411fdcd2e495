//! The counters of one place.
//!
//! A place that has served nothing else than GET at once costs a few words; the rest is made when it is first needed.

use std::iter;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use once_cell::race::OnceBox;

use super::attempt_end::AttemptEnd;
use super::class::Class;
use super::histogram::{Counted, Histogram};
use super::method::MethodLabel;
use crate::observe::Copied;
use crate::outcome::Reason;

/// Of requests and attempts.
///
/// Requests to one rule are counted with the backend that they went to, as its attempts are, so that there is one thing to
/// find and to keep for both.
#[derive(Debug, Default)]
pub(super) struct PlaceCells {
    pub(super) requests: RequestCells,
    pub(super) attempts: AttemptCells,
}

/// Of requests.
#[derive(Debug, Default)]
pub(super) struct RequestCells {
    successes: ClassCells,
    rest: OnceBox<OtherRequests>,
}

/// What is counted of requests besides successes.
#[derive(Debug, Default)]
struct OtherRequests {
    classes: [OnceBox<ClassCells>; Class::COUNT],
    refusals: OnceBox<[AtomicU64; Reason::ALL.len()]>,
    retries: AtomicU64,
}

/// Of requests that were answered with one class of status.
#[derive(Debug, Default)]
struct ClassCells {
    /// Those with the method of most requests.
    gets: AtomicU64,
    durations: Histogram,
    /// Those with each of the methods behind it.
    others: OnceBox<[AtomicU64; MethodLabel::COUNT - 1]>,
}

/// Of attempts at a backend, and of copies for it.
#[derive(Debug, Default)]
pub(super) struct AttemptCells {
    successes: Histogram,
    rest: OnceBox<OtherAttempts>,
}

/// What is counted of attempts besides successes, and of copies.
#[derive(Debug, Default)]
struct OtherAttempts {
    ends: [OnceBox<Histogram>; AttemptEnd::COUNT],
    sent: AtomicU64,
    dropped: AtomicU64,
}

/// What was counted of requests.
#[derive(Debug, Default)]
pub(super) struct RequestCounts {
    pub(super) classes: [Option<(Counted, [u64; MethodLabel::COUNT])>; Class::COUNT],
    pub(super) refusals: [u64; Reason::ALL.len()],
    pub(super) retries: u64,
}

/// What was counted of attempts.
#[derive(Debug, Default)]
pub(super) struct AttemptCounts {
    pub(super) ends: [Option<Counted>; AttemptEnd::COUNT],
    pub(super) sent: u64,
    pub(super) dropped: u64,
}

fn add(cell: &AtomicU64, number: u64) {
    cell.fetch_add(number, Ordering::Relaxed);
}

fn read(cell: &AtomicU64) -> u64 {
    cell.load(Ordering::Relaxed)
}

// === impl RequestCells ===

impl RequestCells {
    /// The answer begins.
    pub(super) fn answered(&self, class: Class, method: MethodLabel) {
        add(self.class(class).of_method(method), 1);
    }

    /// The answer has ended, or there will be none.
    pub(super) fn ended(&self, class: Class, duration: Duration) {
        self.class(class).durations.observe(duration);
    }

    pub(super) fn refused(&self, reason: Reason, times: u64) {
        add(&self.rest().refusals.get_or_init(Box::default)[reason as usize], times);
    }

    pub(super) fn retried(&self, times: u64) {
        add(&self.rest().retries, times);
    }

    /// Whether so much was counted that several cores may want to count at once.
    #[inline]
    pub(super) fn are_busy(&self) -> bool {
        self.successes.durations.is_busy()
    }

    /// Counts what others have counted.
    pub(super) fn add(&self, counts: &RequestCounts) {
        let RequestCounts { classes, refusals, retries } = counts;
        for (class, known) in Class::ALL.into_iter().zip(classes) {
            let Some((durations, methods)) = known else { continue };
            let cells = self.class(class);
            cells.durations.add(durations);
            for (method, number) in
                MethodLabel::ALL.into_iter().zip(methods).filter(|(_, number)| **number > 0)
            {
                add(cells.of_method(method), *number);
            }
        }
        for (reason, number) in Reason::ALL.into_iter().zip(refusals).filter(|(_, number)| **number > 0) {
            self.refused(reason, *number);
        }
        if *retries > 0 {
            self.retried(*retries);
        }
    }

    fn class(&self, class: Class) -> &ClassCells {
        match class {
            Class::SUCCESS => &self.successes,
            _ => self.rest().classes[class.index()].get_or_init(Box::default),
        }
    }

    fn rest(&self) -> &OtherRequests {
        self.rest.get_or_init(Box::default)
    }

    /// Those of a class, if they have counted something.
    fn counted(&self, class: usize) -> Option<&ClassCells> {
        if class == Class::SUCCESS.index() {
            return Some(&self.successes).filter(|cells| cells.methods().any(|cell| read(cell) > 0));
        }
        self.rest.get()?.classes[class].get()
    }
}

// === impl ClassCells ===

impl ClassCells {
    fn of_method(&self, method: MethodLabel) -> &AtomicU64 {
        match method {
            MethodLabel::GET => &self.gets,
            _ => &self.others.get_or_init(Box::default)[method.index() - 1],
        }
    }

    /// Those that there are, in the order of the methods.
    fn methods(&self) -> impl Iterator<Item = &AtomicU64> {
        iter::once(&self.gets).chain(self.others.get().into_iter().flatten())
    }
}

// === impl AttemptCells ===

impl AttemptCells {
    pub(super) fn ended(&self, end: AttemptEnd, duration: Duration) {
        self.of_end(end).observe(duration);
    }

    fn of_end(&self, end: AttemptEnd) -> &Histogram {
        match end {
            AttemptEnd::SUCCESS => &self.successes,
            _ => self.rest().ends[end.index()].get_or_init(Box::default),
        }
    }

    fn rest(&self) -> &OtherAttempts {
        self.rest.get_or_init(Box::default)
    }

    /// That of an end, if it has counted something.
    fn counted(&self, end: usize) -> Option<&Histogram> {
        if end == AttemptEnd::SUCCESS.index() {
            return Some(&self.successes).filter(|histogram| !histogram.is_empty());
        }
        self.rest.get()?.ends[end].get()
    }

    pub(super) fn copied(&self, copied: Copied) {
        match copied {
            Copied::Sent => add(&self.rest().sent, 1),
            Copied::Dropped => add(&self.rest().dropped, 1),
        }
    }
}

// === impl RequestCounts ===

impl<'c> FromIterator<&'c RequestCells> for RequestCounts {
    fn from_iter<I: IntoIterator<Item = &'c RequestCells>>(all: I) -> Self {
        let mut counts = Self::default();
        for cells in all {
            for (class, known) in counts.classes.iter_mut().enumerate() {
                let Some(of_class) = cells.counted(class) else { continue };
                let (durations, methods) = known.get_or_insert_default();
                durations.add(&of_class.durations);
                methods.iter_mut().zip(of_class.methods()).for_each(|(count, cell)| *count += read(cell));
            }
            let Some(rest) = cells.rest.get() else { continue };
            let refusals = rest.refusals.get().into_iter().flat_map(|refusals| refusals.iter());
            counts.refusals.iter_mut().zip(refusals).for_each(|(count, cell)| *count += read(cell));
            counts.retries += read(&rest.retries);
        }
        counts
    }
}

// === impl AttemptCounts ===

impl<'c> FromIterator<&'c AttemptCells> for AttemptCounts {
    fn from_iter<I: IntoIterator<Item = &'c AttemptCells>>(all: I) -> Self {
        let mut counts = Self::default();
        for cells in all {
            for (end, known) in counts.ends.iter_mut().enumerate() {
                if let Some(durations) = cells.counted(end) {
                    known.get_or_insert_default().add(durations);
                }
            }
            if let Some(rest) = cells.rest.get() {
                counts.sent += read(&rest.sent);
                counts.dropped += read(&rest.dropped);
            }
        }
        counts
    }
}
