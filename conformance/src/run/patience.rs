//! The schedule by which something is looked at again and again.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::engine::Pace;

use super::Settings;

/// Decides whether to look again.
#[derive(Debug)]
pub(super) struct Patience {
    pace: Pace,
    started: Instant,
    limit: Duration,
    poll: Duration,
    /// How many successes in a row are needed.
    needed: u32,
    in_a_row: u32,
    tries: u32,
}

/// What to do after a look.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// It held long enough.
    Held,
    /// Look again.
    Again,
    /// It did not hold, and there is no time left.
    Over,
}

// === impl Patience ===

impl Patience {
    /// For something that must hold as often as the settings say.
    pub(super) fn new(pace: Pace, settings: &Settings, limit: Duration) -> Self {
        let Settings { poll, successes, .. } = *settings;
        Self { pace, started: Instant::now(), limit, poll, needed: successes, in_a_row: 0, tries: 0 }
    }

    /// For something that must hold this often at least.
    pub(super) fn at_least(mut self, successes: u32) -> Self {
        self.needed = self.needed.max(successes);
        self
    }

    /// For something that must hold for this long at least.
    pub(super) fn during(self, time: Duration) -> Self {
        let looks = time.as_millis().div_ceil(self.poll.as_millis().max(1));
        self.at_least(u32::try_from(looks).unwrap_or(u32::MAX).saturating_add(1))
    }

    /// What to do after a look that found that it holds this many times, or that it does not hold. Waits for the next look.
    pub(super) async fn after(&mut self, successes: Option<u32>) -> Next {
        self.tries += 1;
        self.in_a_row = successes.map_or(0, |successes| self.in_a_row.saturating_add(successes));
        match self.pace {
            Pace::Immediate => return if successes.is_some() { Next::Held } else { Next::Over },
            Pace::Eventual if self.in_a_row >= self.needed => return Next::Held,
            Pace::Eventual => {}
        }
        if self.started.elapsed() >= self.limit {
            return Next::Over;
        }
        sleep(self.poll).await;
        Next::Again
    }

    /// How often it was looked at, in words; empty where it was looked at once.
    pub(super) fn tried(&self) -> String {
        match self.pace {
            Pace::Immediate => String::new(),
            Pace::Eventual => {
                let times = match self.tries {
                    1 => "once".to_owned(),
                    tries => format!("{tries} times"),
                };
                format!("{times} in {:.1} s", self.started.elapsed().as_secs_f64())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> Settings {
        Settings { poll: Duration::from_millis(1), ..Settings::default() }
    }

    #[tokio::test]
    async fn it_must_hold_several_times_in_a_row() {
        let mut patience = Patience::new(Pace::Eventual, &settings(), Duration::from_secs(5));
        for (successes, next) in
            [(Some(1), Next::Again), (Some(1), Next::Again), (None, Next::Again), (Some(2), Next::Again)]
        {
            assert_eq!(patience.after(successes).await, next);
        }
        assert_eq!(patience.after(Some(1)).await, Next::Held);
        assert!(patience.tried().starts_with("5 times in 0."), "{}", patience.tried());
    }

    #[tokio::test]
    async fn there_is_a_limit() {
        let mut patience = Patience::new(Pace::Eventual, &settings(), Duration::ZERO);
        assert_eq!(patience.after(None).await, Next::Over);
        assert!(patience.tried().starts_with("once in 0."), "{}", patience.tried());
        let mut long = Patience::new(Pace::Eventual, &settings(), Duration::from_secs(5))
            .during(Duration::from_millis(9));
        assert_eq!(long.after(Some(9)).await, Next::Again);
        assert_eq!(long.after(Some(1)).await, Next::Held);
    }

    #[tokio::test]
    async fn where_time_does_not_pass_one_look_is_all() {
        let look = async |successes| {
            Patience::new(Pace::Immediate, &settings(), Duration::MAX).after(successes).await
        };
        assert_eq!(look(Some(1)).await, Next::Held);
        assert_eq!(look(None).await, Next::Over);
    }
}
