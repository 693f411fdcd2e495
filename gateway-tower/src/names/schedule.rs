//! The schedule of a name: its next look-up, and the time for which its last answer is used.

use std::net::IpAddr;
use std::time::Duration;

use tokio::time::Instant;

use super::failure::LookupFailure;
use super::lookup::Found;
use super::options::NameOptions;
use super::refused::is_refused;
use crate::span::FOREVER;

/// Bounds for what an answer says of itself.
const SHORTEST: Duration = Duration::from_secs(5);

/// See [`SHORTEST`].
const LONGEST: Duration = Duration::from_secs(600);

/// How it stands with a name.
#[derive(Debug)]
pub(super) struct Schedule {
    /// When it is looked up; not while it is.
    pub(super) next: Option<Instant>,
    /// When the last good answer came.
    answered: Option<Instant>,
    /// When that is used no more, although no look-up failed: none came to an end.
    pub(super) expires: Option<Instant>,
    /// The pause after the next failure.
    pause: Duration,
    /// Whether the last answer was another than the one before: what is worth to be told once.
    pub(super) is_news: bool,
    has_failed: bool,
    /// Whether the last look-up came to an end in time: one that hangs takes the room of others for longer than it may.
    pub(super) is_proven: bool,
}

/// What becomes of an answer, or of that there is none.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The name leads there from now on.
    Leads(Vec<IpAddr>),
    /// What was known goes on, if anything was; why there is nothing new.
    Stays(LookupFailure),
    /// It leads nowhere from now on, and why.
    Nowhere(LookupFailure),
}

// === impl Schedule ===

impl Schedule {
    /// A name that is to be looked up at once.
    pub(super) fn new(now: Instant, options: &NameOptions) -> Self {
        Self {
            next: Some(now),
            answered: None,
            expires: None,
            pause: options.retry,
            is_news: false,
            has_failed: false,
            is_proven: false,
        }
    }

    /// Whether what was found is too old now; says so once.
    pub(super) fn expire(&mut self, now: Instant) -> bool {
        let is_over = self.expires.is_some_and(|expires| expires <= now);
        if is_over {
            (self.answered, self.expires, self.has_failed) = (None, None, true);
        }
        is_over
    }

    /// Takes what a look-up came to, and says what becomes of the name. `spread` is a random number of at most 1: names that became known
    /// together are not looked up together for ever.
    pub(super) fn answer(
        &mut self,
        found: Result<Found, LookupFailure>,
        now: Instant,
        spread: f64,
        options: &NameOptions,
    ) -> Outcome {
        self.is_proven = !matches!(found, Err(LookupFailure::TimedOut(_)));
        let usable = found.and_then(|found| usable(found, options));
        match usable {
            Ok(Found { addresses, good_for }) => {
                let refresh = good_for.map_or(options.refresh, |good_for| good_for.clamp(SHORTEST, LONGEST));
                let refresh = refresh.min(FOREVER).mul_f64(1.0 - spread / 10.0);
                self.next = Some(now + refresh);
                self.answered = Some(now);
                // Not before there was time to look it up again.
                self.expires =
                    Some(now + options.keep.max(refresh.saturating_add(options.limit)).min(FOREVER));
                self.pause = options.retry;
                (self.is_news, self.has_failed) = (self.has_failed, false);
                Outcome::Leads(addresses)
            }
            Err(why) => {
                self.next = Some(now + self.pause.min(FOREVER));
                self.pause = self.pause.saturating_mul(2).min(options.refresh.max(options.retry));
                let is_fresh = self.answered.is_some_and(|answered| now - answered < options.keep);
                if !is_fresh {
                    self.expires = None;
                }
                // It has just become too old.
                let is_over = !is_fresh && self.answered.take().is_some();
                self.is_news = !self.has_failed || is_over;
                self.has_failed = true;
                if is_fresh { Outcome::Stays(why) } else { Outcome::Nowhere(why) }
            }
        }
    }
}

/// The addresses that are used: sorted, each once, and not too many.
fn usable(found: Found, options: &NameOptions) -> Result<Found, LookupFailure> {
    let Found { mut addresses, good_for } = found;
    if addresses.is_empty() {
        return Err(LookupFailure::NoAddress);
    }
    let refused = addresses[0];
    addresses.retain(|address| options.local_addresses || !is_refused(*address));
    if addresses.is_empty() {
        return Err(LookupFailure::Refused(refused));
    }
    addresses.sort_unstable();
    addresses.dedup();
    addresses.truncate(options.max_addresses.max(1));
    Ok(Found { addresses, good_for })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::{Lookup, LookupFuture};

    #[derive(Debug)]
    struct Never;

    impl Lookup for Never {
        fn lookup(&self, _: &str) -> LookupFuture {
            Box::pin(std::future::pending())
        }
    }

    fn found(addresses: &[&str]) -> Result<Found, LookupFailure> {
        Ok(Found { addresses: addresses.iter().map(|text| text.parse().unwrap()).collect(), good_for: None })
    }

    #[test]
    fn the_last_good_answer_is_used_for_some_time() {
        // Whatever addresses this machine has.
        let options = NameOptions { local_addresses: true, ..NameOptions::new(Never) };
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut schedule = Schedule::new(start, &options);
        let failed = || Err(LookupFailure::NoAddress);
        assert_eq!(
            schedule.answer(failed(), start, 0.0, &options),
            Outcome::Nowhere(LookupFailure::NoAddress)
        );
        assert_eq!(schedule.next, Some(at(1)));
        let Outcome::Leads(addresses) =
            schedule.answer(found(&["203.0.113.2", "203.0.113.1", "203.0.113.2"]), at(1), 1.0, &options)
        else {
            panic!("it is good")
        };
        assert_eq!(addresses, ["203.0.113.1", "203.0.113.2"].map(|text| text.parse::<IpAddr>().unwrap()));
        assert_eq!(schedule.next, Some(at(28)), "a tenth earlier");
        for (now, next) in [(28, 29), (29, 31), (31, 35), (35, 43), (43, 59), (59, 89), (89, 119)] {
            assert_eq!(
                schedule.answer(failed(), at(now), 0.0, &options),
                Outcome::Stays(LookupFailure::NoAddress)
            );
            assert_eq!(schedule.next, Some(at(next)));
        }
        assert_eq!(
            schedule.answer(failed(), at(601), 0.0, &options),
            Outcome::Nowhere(LookupFailure::NoAddress)
        );
    }

    #[test]
    fn an_answer_is_taken_at_its_word_within_bounds() {
        let options = NameOptions { max_addresses: 1, local_addresses: true, ..NameOptions::new(Never) };
        let start = Instant::now();
        for (said, expected) in [(0, 5), (60, 60), (86_400, 600)] {
            let mut schedule = Schedule::new(start, &options);
            let good_for = Some(Duration::from_secs(said));
            let answer = found(&["203.0.113.1", "203.0.113.2"]).map(|found| Found { good_for, ..found });
            let Outcome::Leads(addresses) = schedule.answer(answer, start, 0.0, &options) else {
                panic!("it is good")
            };
            assert_eq!(addresses.len(), 1);
            assert_eq!(schedule.next, Some(start + Duration::from_secs(expected)));
        }
    }

    // XBK-05
    #[test]
    fn an_answer_that_leads_to_this_machine_is_none() {
        let options = NameOptions::new(Never);
        let start = Instant::now();
        let mut schedule = Schedule::new(start, &options);
        let Outcome::Nowhere(why) = schedule.answer(found(&["127.0.0.1"]), start, 0.0, &options) else {
            panic!("it is refused")
        };
        assert_eq!(why, LookupFailure::Refused([127, 0, 0, 1].into()));
        let both = schedule.answer(found(&["127.0.0.1", "203.0.113.1"]), start, 0.0, &options);
        assert_eq!(both, Outcome::Leads(vec!["203.0.113.1".parse().unwrap()]));
        let options = NameOptions { local_addresses: true, ..options };
        let local = schedule.answer(found(&["127.0.0.1"]), start, 0.0, &options);
        assert_eq!(local, Outcome::Leads(vec!["127.0.0.1".parse().unwrap()]));
    }

    #[test]
    fn an_answer_becomes_too_old_also_without_another() {
        let options = NameOptions::new(Never);
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut schedule = Schedule::new(start, &options);
        assert!(!schedule.expire(at(10_000)), "nothing was found yet");
        schedule.answer(found(&["203.0.113.1"]), start, 0.0, &options);
        assert!(!schedule.expire(at(599)));
        assert!(schedule.expire(at(600)));
        assert!(!schedule.expire(at(601)), "it is said once");
        let good_for = Some(LONGEST);
        let answer = found(&["203.0.113.1"]).map(|found| Found { good_for, ..found });
        schedule.answer(answer, start, 0.0, &options);
        assert!(!schedule.expire(at(604)), "there is time to look it up again");
        assert!(schedule.expire(at(605)));
    }

    #[test]
    fn options_without_measure_mean_never() {
        let max = Duration::MAX;
        let options =
            NameOptions { refresh: max, retry: max, limit: max, keep: max, ..NameOptions::new(Never) };
        let start = Instant::now();
        let mut schedule = Schedule::new(start, &options);
        schedule.answer(found(&["203.0.113.1"]), start, 0.0, &options);
        assert!(schedule.next > Some(start + LONGEST) && schedule.expires > Some(start + LONGEST));
        schedule.answer(Err(LookupFailure::NoAddress), start, 0.0, &options);
        schedule.answer(Err(LookupFailure::NoAddress), start, 0.0, &options);
        assert!(schedule.next > Some(start + LONGEST));
    }
}
