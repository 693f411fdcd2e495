//! The time for one connection of HTTP/2, read once each time the connection is polled.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use hyper::rt::{Sleep, Timer};
use hyper_util::rt::TokioTimer;

/// Tells the time when the connection was last polled; hyper asks for it with each frame, to know when the client was last heard.
#[derive(Clone, Debug)]
pub(super) struct TurnClock {
    start: Instant,
    /// The nanoseconds from then to the last turn.
    turn: Arc<AtomicU64>,
}

// === impl TurnClock ===

impl TurnClock {
    pub(super) fn new() -> Self {
        Self { start: Instant::now(), turn: Arc::default() }
    }

    /// The connection is about to be polled.
    pub(super) fn begin_turn(&self) {
        let passed = self.start.elapsed().as_nanos();
        self.turn.store(u64::try_from(passed).unwrap_or(u64::MAX), Ordering::Relaxed);
    }
}

impl Timer for TurnClock {
    fn now(&self) -> Instant {
        self.start + Duration::from_nanos(self.turn.load(Ordering::Relaxed))
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Sleep>> {
        TokioTimer::new().sleep(duration)
    }

    fn sleep_until(&self, deadline: Instant) -> Pin<Box<dyn Sleep>> {
        TokioTimer::new().sleep_until(deadline)
    }

    fn reset(&self, sleep: &mut Pin<Box<dyn Sleep>>, deadline: Instant) {
        TokioTimer::new().reset(sleep, deadline);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_is_that_of_the_last_turn() {
        let clock = TurnClock::new();
        let before = clock.now();
        while Instant::now() == before {}
        assert_eq!(clock.now(), before);
        let earliest = Instant::now();
        clock.begin_turn();
        assert!((earliest..=Instant::now()).contains(&clock.now()));
    }
}
