//! The open connections of a listener, how busy they are, and telling them to end.
//!
//! A connection pays for this when it opens and when it closes, and for a request with a few writes to memory of its own:
//! no timer is set and no lock taken. One [sweep](Connections::sweep) a second over all connections of a listener takes
//! the place of the timers; limits are therefore kept to within a second or two.
//!
//! A tunnel, into which an upgraded connection turns, [stays](Member) among the connections until both its ends are closed.

use std::fmt;
use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures_util::task::AtomicWaker;
use slab::Slab;
use tokio::sync::{Notify, OwnedSemaphorePermit};

use crate::body::guard::Guard;
#[cfg(feature = "server")]
use crate::connect::Turn;
use crate::observe::ObserveConnections;

/// The open connections of one listener. Clones are the same connections.
#[derive(Clone, Debug, Default)]
pub(crate) struct Connections(Arc<Shared>);

/// The place of one connection among the open ones; it ends when the last clone goes.
#[derive(Clone, Debug)]
pub(crate) struct Member(Arc<Place>);

/// A request that is under way on a connection, until its response has been taken over to the last byte or dropped.
#[derive(Debug)]
pub(crate) struct InFlight {
    member: Member,
    answered: bool,
    /// Whether its answer waits for the client.
    resting: bool,
}

/// The requests that a client of HTTP/2 may take back before they are answered, or while it takes nothing. One that takes back more,
/// and at least half of all, is closed: each may have cost a connection to a backend, and room for what cannot be sent.
const MOST_TAKEN_BACK: u32 = 500;

/// So many answers of a connection may wait for room until those that have been reset are looked for.
const FEW_WAIT: usize = 16;

/// How far a connection has been told to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    /// It serves.
    Open,
    /// It serves, and asks its client to go elsewhere.
    WindingDown,
    /// It finishes what is under way and takes nothing new.
    Draining,
    /// It ends where it stands.
    Closed,
}

/// How long a connection may be quiet. `None` is no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Patience {
    /// Without a request under way: it is drained.
    pub(crate) idle: Option<Duration>,
    /// From the first bytes of a request of HTTP/1.1 to the end of its head, and until a client of HTTP/2 has sent what it has to
    /// send first: it is closed.
    pub(crate) head: Option<Duration>,
    /// With a request under way but without a byte in either direction: it is closed.
    pub(crate) stalled: Option<Duration>,
    /// The same where the client has closed its side, and may be gone.
    pub(crate) half_closed: Duration,
}

#[derive(Debug, Default)]
struct Shared {
    members: Mutex<Slab<Watched>>,
    /// The phase of those that come next.
    phase: AtomicU8,
    empty: Notify,
    /// Who is told of each that opens and closes.
    observer: Option<Arc<dyn ObserveConnections>>,
}

struct Place {
    connections: Connections,
    key: usize,
    state: Arc<State>,
    _permits: Vec<OwnedSemaphorePermit>,
    /// What is held besides, once it is known whose connection it is.
    held: OnceLock<Guard>,
}

/// Written by the connection, read by the sweep.
#[derive(Debug, Default)]
struct State {
    phase: AtomicU8,
    waker: AtomicWaker,
    /// What its socket has.
    #[cfg(feature = "server")]
    turn: Turn,
    tunnel: AtomicBool,
    multiplexed: AtomicBool,
    /// Whether a client of HTTP/2 has sent its settings.
    greeted: AtomicBool,
    /// Whether the client takes no more bytes at present.
    blocked: AtomicBool,
    /// Whom to wake when it does again: over HTTP/2 there may be several, and some whose requests have been reset.
    room: Mutex<Vec<Waker>>,
    /// Whether the client has closed its side while a request was under way.
    half_closed: AtomicBool,
    /// Whom to wake when nothing is under way any more, and that is the end.
    ended: AtomicWaker,
    in_flight: AtomicU32,
    /// Requests begun and ended, counted together.
    requests: AtomicU32,
    /// Requests that ended before they were answered, or while the answer waited for the client.
    taken_back: AtomicU32,
    reads: AtomicU32,
    writes: AtomicU32,
    /// `reads` when the latest request ended.
    reads_before: AtomicU32,
}

/// A connection, and what the last sweep saw of it.
#[derive(Debug)]
struct Watched {
    state: Arc<State>,
    requests: u32,
    bytes: u32,
    idle: Duration,
    head: Duration,
    stalled: Duration,
}

// === impl Connections ===

impl Connections {
    /// None yet; the observer, if there is one, is told of each that opens and closes.
    pub(crate) fn observed(observer: Option<Arc<dyn ObserveConnections>>) -> Self {
        Self(Arc::new(Shared { observer, ..Shared::default() }))
    }

    /// Takes a connection in, with the permits that it was let in by.
    pub(crate) fn join(&self, permits: Vec<OwnedSemaphorePermit>) -> Member {
        if let Some(observer) = &self.0.observer {
            observer.accepted();
        }
        let state = Arc::new(State::default());
        let mut members = self.members();
        // Within the lock, so that the connection is either told with the others or knows from the start.
        state.phase.store(self.0.phase.load(Ordering::Relaxed), Ordering::Relaxed);
        let key = members.insert(Watched {
            state: Arc::clone(&state),
            requests: 0,
            bytes: 0,
            idle: Duration::ZERO,
            head: Duration::ZERO,
            stalled: Duration::ZERO,
        });
        drop(members);
        Member(Arc::new(Place {
            connections: self.clone(),
            key,
            state,
            _permits: permits,
            held: OnceLock::new(),
        }))
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.members().len()
    }

    /// Tells all of them, and those that come later, to go on to `phase`. There is no way back.
    pub(crate) fn advance(&self, phase: Phase) {
        let members = self.members();
        self.0.phase.fetch_max(phase as u8, Ordering::Relaxed);
        let wakers: Vec<_> = members.iter().filter_map(|(_, watched)| watched.state.advance(phase)).collect();
        drop(members);
        wakers.into_iter().for_each(Waker::wake);
    }

    /// Waits until there are none.
    pub(crate) async fn emptied(&self) {
        loop {
            let emptied = self.0.empty.notified();
            if self.len() == 0 {
                return;
            }
            emptied.await;
        }
    }

    /// Looks for connections that have been quiet too long; `elapsed` is the time since the last look.
    pub(crate) fn sweep(&self, elapsed: Duration, patience: Patience) {
        let mut members = self.members();
        let wakers: Vec<_> = members
            .iter_mut()
            .filter_map(|(_, watched)| {
                let phase = watched.look(elapsed, patience)?;
                watched.state.advance(phase)
            })
            .collect();
        drop(members);
        wakers.into_iter().for_each(Waker::wake);
    }

    fn members(&self) -> MutexGuard<'_, Slab<Watched>> {
        self.0.members.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Member ===

impl Member {
    /// What the connection has been told.
    pub(crate) fn phase(&self) -> Phase {
        self.0.state.phase()
    }

    /// Tells the connection to go on to `phase`.
    #[cfg(feature = "server")]
    pub(crate) fn advance(&self, phase: Phase) {
        self.0.state.advance(phase).into_iter().for_each(Waker::wake);
    }

    /// Says whom to wake when the phase changes. One call is enough for a future that stays in one task; look at the
    /// phase after it.
    pub(crate) fn register(&self, waker: &Waker) {
        self.0.state.waker.register(waker);
    }

    /// Waits until the connection has been told to go on to `phase`, or further.
    pub(crate) async fn reached(&self, phase: Phase) {
        poll_fn(|cx| {
            self.register(cx.waker());
            if self.phase() >= phase { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }

    /// Several requests can be under way at once: HTTP/2.
    pub(crate) fn set_multiplexed(&self) {
        self.0.state.multiplexed.store(true, Ordering::Relaxed);
    }

    /// The client of HTTP/2 has sent what it has to send first.
    #[cfg(feature = "server")]
    pub(crate) fn set_greeted(&self) {
        self.0.state.greeted.store(true, Ordering::Relaxed);
    }

    /// The connection has become a tunnel: what is under way there never ends by itself, and only being closed ends it.
    pub(crate) fn set_tunnel(&self) {
        let state = &self.0.state;
        state.tunnel.store(true, Ordering::Release);
        state.ended.wake();
    }

    /// Waits until nothing is under way, where the client has closed its side and may still wait for an answer. A tunnel is for
    /// its ends to close.
    ///
    /// Several requests on a connection of HTTP/2 are ended by frames of their own, so that it is not half closed.
    pub(crate) fn poll_end(&self, cx: &Context<'_>) -> Poll<()> {
        let state = &self.0.state;
        let has_ended = || {
            state.in_flight.load(Ordering::Acquire) == 0
                || state.tunnel.load(Ordering::Acquire)
                || state.multiplexed.load(Ordering::Relaxed)
        };
        if has_ended() {
            return Poll::Ready(());
        }
        state.half_closed.store(true, Ordering::Relaxed);
        state.ended.register(cx.waker());
        // It may have ended before there was a waker to wake.
        if has_ended() { Poll::Ready(()) } else { Poll::Pending }
    }

    /// Holds what was given for the connection, until that ends with its tunnels. Given once.
    pub(crate) fn hold(&self, guard: Guard) {
        // Dropped, and so given back, where there is one.
        let _ = self.0.held.set(guard);
    }

    /// What the socket of the connection has, as far as that is known.
    #[cfg(feature = "server")]
    pub(crate) fn turn(&self) -> &Turn {
        &self.0.state.turn
    }

    /// Bytes have come from the client.
    pub(crate) fn count_read(&self) {
        bump(&self.0.state.reads);
    }

    /// Bytes have gone to the client.
    pub(crate) fn count_write(&self) {
        let state = &self.0.state;
        bump(&state.writes);
        if state.blocked.load(Ordering::Relaxed) {
            let mut room = state.room();
            // Within the lock, so that each that waits is either woken or sees it.
            state.blocked.store(false, Ordering::Relaxed);
            room.drain(..).for_each(Waker::wake);
        }
    }

    /// The client takes no more bytes, or is first to take those that wait; the next [that go](Self::count_write) end this.
    pub(crate) fn set_blocked(&self) {
        self.0.state.blocked.store(true, Ordering::Relaxed);
    }

    /// Waits until the client takes bytes. Each that waits says so from one task.
    pub(crate) fn poll_room(&self, cx: &Context<'_>) -> Poll<()> {
        let state = &self.0.state;
        if !state.blocked.load(Ordering::Relaxed) {
            return Poll::Ready(());
        }
        let mut room = state.room();
        // It may have changed meanwhile.
        if !state.blocked.load(Ordering::Relaxed) {
            return Poll::Ready(());
        }
        if !room.iter().any(|waiting| waiting.will_wake(cx.waker())) {
            if room.len() >= 2 * (state.in_flight.load(Ordering::Relaxed) as usize).max(FEW_WAIT) {
                // Most are of requests that were reset meanwhile, and would be held until the client reads. The others come again.
                room.drain(..).for_each(Waker::wake);
            }
            room.push(cx.waker().clone());
        }
        Poll::Pending
    }

    /// A request begins.
    pub(crate) fn begin(&self) -> InFlight {
        self.0.state.in_flight.fetch_add(1, Ordering::Relaxed);
        self.0.state.requests.fetch_add(1, Ordering::Relaxed);
        InFlight { member: self.clone(), answered: false, resting: false }
    }
}

/// One task writes these counters, so that no atomic addition is needed.
fn bump(counter: &AtomicU32) {
    counter.store(counter.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
}

// === impl InFlight ===

impl InFlight {
    /// Waits until the client [takes bytes](Member::poll_room).
    pub(crate) fn poll_room(&mut self, cx: &Context<'_>) -> Poll<()> {
        let room = self.member.poll_room(cx);
        self.resting = room.is_pending();
        room
    }

    /// The client is first to take [what waits](Member::set_blocked).
    pub(crate) fn set_blocked(&self) {
        self.member.set_blocked();
    }

    /// What the connection has been told.
    pub(crate) fn phase(&self) -> Phase {
        self.member.phase()
    }

    /// The answer begins.
    pub(crate) fn set_answered(&mut self) {
        self.answered = true;
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        let state = &self.member.0.state;
        if !self.answered || self.resting {
            state.take_back();
        }
        state.requests.fetch_add(1, Ordering::Relaxed);
        state.reads_before.store(state.reads.load(Ordering::Relaxed), Ordering::Relaxed);
        state.in_flight.fetch_sub(1, Ordering::Release);
        if state.half_closed.load(Ordering::Relaxed) {
            state.ended.wake();
        }
    }
}

// === impl Place ===

impl Drop for Place {
    fn drop(&mut self) {
        let mut members = self.connections.members();
        members.remove(self.key);
        if members.is_empty() {
            self.connections.0.empty.notify_waiters();
        }
        drop(members);
        if let Some(observer) = &self.connections.0.observer {
            observer.closed();
        }
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Place").field("key", &self.key).field("state", &self.state).finish()
    }
}

// === impl Phase ===

impl Phase {
    fn from_u8(phase: u8) -> Self {
        [Self::Open, Self::WindingDown, Self::Draining][..]
            .get(usize::from(phase))
            .copied()
            .unwrap_or(Self::Closed)
    }
}

// === impl State ===

impl State {
    /// A request has ended without an answer, or with one that its client has not taken.
    fn take_back(&self) {
        let taken_back = self.taken_back.fetch_add(1, Ordering::Relaxed) + 1;
        // Each request is counted twice, when it begins and when it ends.
        let most = self.requests.load(Ordering::Relaxed) / 2 <= taken_back.saturating_mul(2);
        if taken_back > MOST_TAKEN_BACK && most && self.multiplexed.load(Ordering::Relaxed) {
            self.advance(Phase::Closed).into_iter().for_each(Waker::wake);
        }
    }

    fn room(&self) -> MutexGuard<'_, Vec<Waker>> {
        self.room.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn phase(&self) -> Phase {
        Phase::from_u8(self.phase.load(Ordering::Acquire))
    }

    /// Goes on to `phase`; the waker to wake, when that is news.
    fn advance(&self, phase: Phase) -> Option<Waker> {
        if self.phase.fetch_max(phase as u8, Ordering::AcqRel) < phase as u8 {
            self.waker.take()
        } else {
            None
        }
    }
}

// === impl Watched ===

impl Watched {
    /// What the connection must be told, if it has been quiet too long.
    fn look(&mut self, elapsed: Duration, patience: Patience) -> Option<Phase> {
        let state = &*self.state;
        if state.tunnel.load(Ordering::Relaxed) {
            // Who joined its ends looks after it.
            return None;
        }
        let in_flight = state.in_flight.load(Ordering::Acquire) > 0;
        let requests = state.requests.load(Ordering::Relaxed);
        let reads = state.reads.load(Ordering::Relaxed);
        let bytes = reads.wrapping_add(state.writes.load(Ordering::Relaxed));
        let same_requests = requests == self.requests;
        let head_begun = !in_flight
            && match state.multiplexed.load(Ordering::Relaxed) {
                true => !state.greeted.load(Ordering::Relaxed),
                false => reads != state.reads_before.load(Ordering::Relaxed),
            };

        let add = |time: &mut Duration, counts| *time = if counts { *time + elapsed } else { Duration::ZERO };
        add(&mut self.idle, same_requests && !in_flight);
        add(&mut self.head, same_requests && head_begun);
        add(&mut self.stalled, same_requests && in_flight && bytes == self.bytes);
        self.requests = requests;
        self.bytes = bytes;

        // None is over before a sweep has passed, however short.
        let over = |time: Duration, limit: Option<Duration>| {
            !time.is_zero() && limit.is_some_and(|limit| time >= limit)
        };
        let half_closed = state.half_closed.load(Ordering::Relaxed);
        if over(self.head, patience.head)
            || over(self.stalled, patience.stalled)
            || half_closed && over(self.stalled, Some(patience.half_closed))
        {
            Some(Phase::Closed)
        } else if over(self.idle, patience.idle) {
            // One that sits in the middle of a head, or that does not go away when asked to, is not asked twice.
            let asked = state.phase() >= Phase::Draining;
            Some(if asked { Phase::Closed } else { Phase::Draining })
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn patience(idle: u64, head: u64, stalled: u64) -> Patience {
        let seconds = |n| Some(Duration::from_secs(n));
        let half_closed = Duration::from_secs(2);
        Patience { idle: seconds(idle), head: seconds(head), stalled: seconds(stalled), half_closed }
    }

    /// How many sweeps it takes until the connection is told to go on from where it is.
    fn sweeps(connections: &Connections, member: &Member, patience: Patience) -> usize {
        let before = member.phase();
        (1..20)
            .find(|_| {
                connections.sweep(SECOND, patience);
                member.phase() != before
            })
            .expect("it is told to end within twenty sweeps")
    }

    #[test]
    fn an_idle_connection_is_drained_and_then_closed() {
        let connections = Connections::default();
        let member = connections.join(Vec::new());
        assert_eq!(sweeps(&connections, &member, patience(3, 9, 9)), 3);
        assert_eq!(member.phase(), Phase::Draining);
        assert_eq!(sweeps(&connections, &member, patience(3, 9, 9)), 1);
        assert_eq!(member.phase(), Phase::Closed);
    }

    #[test]
    fn a_head_that_does_not_end_closes_the_connection() {
        let connections = Connections::default();
        let member = connections.join(Vec::new());
        drop(member.begin());
        connections.sweep(SECOND, patience(9, 3, 9));
        member.count_read();
        assert_eq!(sweeps(&connections, &member, patience(9, 3, 9)), 3);
        assert_eq!(member.phase(), Phase::Closed);

        let multiplexed = connections.join(Vec::new());
        multiplexed.set_multiplexed();
        multiplexed.set_greeted();
        multiplexed.count_read();
        assert_eq!(sweeps(&connections, &multiplexed, patience(9, 3, 9)), 9, "pings are no head");

        let silent = connections.join(Vec::new());
        silent.set_multiplexed();
        assert_eq!(sweeps(&connections, &silent, patience(9, 3, 9)), 3);
        assert_eq!(silent.phase(), Phase::Closed);
    }

    #[test]
    fn a_request_may_take_any_time_as_long_as_bytes_move() {
        let connections = Connections::default();
        let member = connections.join(Vec::new());
        let request = member.begin();
        for _ in 0..10 {
            member.count_write();
            connections.sweep(SECOND, patience(2, 2, 3));
        }
        assert_eq!(member.phase(), Phase::Open);
        assert_eq!(sweeps(&connections, &member, patience(2, 2, 3)), 3);
        assert_eq!(member.phase(), Phase::Closed);
        drop(request);
    }

    // MSG-09
    #[tokio::test]
    async fn a_client_that_may_be_gone_is_waited_for_a_while() {
        let connections = Connections::default();
        let end = |member: &Member| {
            let member = member.clone();
            async move { poll_fn(|cx| member.poll_end(cx)).await }
        };
        let member = connections.join(Vec::new());
        end(&member).await;
        let request = member.begin();
        let mut waiting = tokio::spawn(end(&member));
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        member.count_write();
        connections.sweep(SECOND, patience(9, 9, 9));
        assert_eq!(sweeps(&connections, &member, patience(9, 9, 9)), 2);
        assert_eq!(member.phase(), Phase::Closed);
        drop(request);
        (&mut waiting).await.unwrap();

        let tunnel = connections.join(Vec::new());
        let _request = tunnel.begin();
        tunnel.set_tunnel();
        end(&tunnel).await;
    }

    #[tokio::test]
    async fn answers_rest_until_bytes_go_to_the_client_again() {
        let connections = Connections::default();
        let member = connections.join(Vec::new());
        let room = |member: &Member| {
            let member = member.clone();
            async move { poll_fn(|cx| member.poll_room(cx)).await }
        };
        room(&member).await;
        // Of HTTP/2, which carries several.
        member.set_multiplexed();
        member.set_blocked();
        let resting = [tokio::spawn(room(&member)), tokio::spawn(room(&member))];
        tokio::task::yield_now().await;
        assert!(!resting.iter().any(|answer| answer.is_finished()));
        member.count_write();
        for answer in resting {
            answer.await.unwrap();
        }
        room(&member).await;
    }

    // A client that does not read may still send: requests, and resets of them.
    #[test]
    fn answers_that_were_reset_while_they_rested_are_let_go() {
        struct Task;
        impl std::task::Wake for Task {
            fn wake(self: Arc<Self>) {}
        }
        let member = Connections::default().join(Vec::new());
        member.set_multiplexed();
        member.set_blocked();
        let task = || {
            let task = Arc::new(Task);
            (Arc::downgrade(&task), Waker::from(task))
        };
        let reset: Vec<_> = (0..1_000)
            .map(|_| {
                let (reset, waker) = task();
                assert!(member.begin().poll_room(&Context::from_waker(&waker)).is_pending());
                reset
            })
            .collect();
        let held = reset.iter().filter(|task| task.strong_count() > 0).count();
        assert!(held <= 2 * FEW_WAIT, "{held} are held");
    }

    #[test]
    fn a_client_that_resets_answers_while_it_takes_nothing_is_sent_away() {
        let member = Connections::default().join(Vec::new());
        member.set_multiplexed();
        let cx = Context::from_waker(Waker::noop());
        let reset = || {
            let mut request = member.begin();
            request.set_answered();
            _ = request.poll_room(&cx);
        };
        // One that reads may reset as many answers as it likes.
        (0..=MOST_TAKEN_BACK).for_each(|_| reset());
        member.set_blocked();
        (0..MOST_TAKEN_BACK).for_each(|_| reset());
        assert_eq!(member.phase(), Phase::Open);
        reset();
        assert_eq!(member.phase(), Phase::Closed);
    }

    #[test]
    fn a_tunnel_is_left_alone() {
        let connections = Connections::default();
        let member = connections.join(Vec::new());
        member.set_tunnel();
        for _ in 0..10 {
            connections.sweep(SECOND, patience(1, 1, 1));
        }
        assert_eq!(member.phase(), Phase::Open);
    }

    #[tokio::test]
    async fn those_that_come_late_know_the_phase_and_the_last_to_go_is_noticed() {
        let connections = Connections::default();
        let first = connections.join(Vec::new());
        let closed = tokio::spawn({
            let first = first.clone();
            async move { first.reached(Phase::Closed).await }
        });
        tokio::task::yield_now().await;
        connections.advance(Phase::Draining);
        assert_eq!(connections.join(Vec::new()).phase(), Phase::Draining);
        assert_eq!(connections.len(), 1);
        connections.advance(Phase::Closed);
        closed.await.unwrap();
        drop(first);
        connections.emptied().await;
    }
}
