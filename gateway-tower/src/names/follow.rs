//! The task that looks names up.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use gateway_core::table::RouteTable;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};

use super::failure::LookupFailure;
use super::lookup::Found;
use super::options::NameOptions;
use super::room::Room;
use super::schedule::{Outcome, Schedule};
use super::standing::{NameStates, Standing};
use super::wanted::{Holders, Wanted};
use crate::handle::TableHandle;
use crate::span;

/// The field that a name is written in.
const FIELD: &str = "spec.externalHostname.hostname";

/// What is known of the names of a table.
struct Follow {
    tables: TableHandle,
    options: NameOptions,
    names: BTreeMap<Arc<str>, Followed>,
    lookups: JoinSet<(Arc<str>, Result<Found, LookupFailure>)>,
    rooms: Rooms,
    without_room: BTreeSet<Arc<str>>,
    states: watch::Sender<NameStates>,
    /// The names of the first table that no look-up of has come to an end.
    awaited: BTreeSet<Arc<str>>,
    /// When the first round is over in any case; never once it is.
    first_round: Option<Instant>,
}

/// What is known of a name.
struct Followed {
    schedule: Schedule,
    holders: Holders,
    /// Those of its holders.
    namespaces: Box<[Arc<str>]>,
}

/// The room for look-ups, which is taken until they are over, also where their answers are not waited for any more. What has
/// hung before, or may, takes none of the room of what has not, unless there is room for one look-up alone.
#[derive(Clone)]
struct Rooms {
    proven: Room,
    others: Option<Room>,
}

/// Looks names up for as long as it is polled.
pub(super) async fn follow(tables: TableHandle, options: NameOptions, states: watch::Sender<NameStates>) {
    let mut changes = tables.subscribe();
    let rooms = Rooms::new(options.max_lookups);
    let room = rooms.clone();
    let first_round = Some(span::from_now(options.first_round));
    let mut follow = Follow {
        tables,
        options,
        names: BTreeMap::new(),
        lookups: JoinSet::new(),
        rooms,
        without_room: BTreeSet::new(),
        states,
        awaited: BTreeSet::new(),
        first_round,
    };
    let table = Arc::clone(&changes.borrow_and_update());
    follow.take(&table);
    follow.awaited = follow.names.keys().cloned().collect();
    loop {
        follow.end_first_round(Instant::now());
        let (next, is_full) = follow.begin();
        let next = next.into_iter().chain(follow.first_round).min();
        tokio::select! {
            // There is a sender here, so that the channel does not close.
            _ = changes.changed() => {
                // Nothing is borrowed while addresses are set, which would wait for that.
                let table = Arc::clone(&changes.borrow_and_update());
                follow.take(&table);
            }
            Some(done) = follow.lookups.join_next(), if !follow.lookups.is_empty() => {
                // What panics is the look-up within.
                if let Ok((name, found)) = done {
                    follow.answered(&name, found);
                }
            }
            () = room.freed(), if is_full => {}
            () = sleep_until(next.unwrap_or_else(Instant::now)), if next.is_some() => {}
        }
    }
}

// === impl Rooms ===

impl Rooms {
    fn new(most: usize) -> Self {
        Self { proven: Room::new(most - most / 2), others: (most > 1).then(|| Room::new(most / 2)) }
    }

    /// Each room, and which names are looked up there, by whether they are proven.
    fn all(&self) -> impl Iterator<Item = (&Room, Option<bool>)> {
        let proven = self.others.as_ref().map(|_| true);
        [(&self.proven, proven)].into_iter().chain(self.others.iter().map(|room| (room, Some(false))))
    }

    /// Waits until a look-up is over.
    async fn freed(&self) {
        let others = async {
            match &self.others {
                Some(room) => room.freed().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = self.proven.freed() => {}
            () = others => {}
        }
    }
}

// === impl Follow ===

impl Follow {
    /// Takes the names of a table in the place of those before.
    fn take(&mut self, table: &RouteTable) {
        let Wanted { names, without_room } =
            Wanted::new(table, |name| self.names.contains_key(name), self.options.max_names);
        let new: Vec<_> =
            without_room.iter().filter(|(name, _)| !self.without_room.contains(*name)).collect();
        if let Some((name, holders)) = new.first() {
            tracing::warn!(
                object = %holders,
                field = FIELD,
                %name,
                others = new.len() - 1,
                max_names = self.options.max_names,
                "the name is not looked up, and others, since there are more than there is room for; requests are answered with 503; \
                 remove some, or make the room larger"
            );
        }
        let tables = &self.tables;
        self.names.retain(|name, _| {
            let stays = names.contains_key(name);
            if !stays {
                tables.set_addresses(name, &[]);
            }
            stays
        });
        self.awaited.retain(|name| names.contains_key(name));
        let now = Instant::now();
        for (name, holders) in names {
            let namespaces = holders.namespaces();
            match self.names.get_mut(&name) {
                Some(known) => (known.holders, known.namespaces) = (holders, namespaces),
                None => {
                    let schedule = Schedule::new(now, &self.options);
                    self.names.insert(name, Followed { schedule, holders, namespaces });
                }
            }
        }
        self.without_room = without_room.into_keys().collect();
        let namespaces: BTreeSet<&str> =
            self.names.values().flat_map(|name| &name.namespaces).map(|name| &**name).collect();
        for (room, _) in self.rooms.all() {
            room.retain(|namespace| namespaces.contains(namespace));
        }
        let (looked_up, without_room) = (&self.names, &self.without_room);
        self.states.send_modify(|states| {
            states.by_name.retain(|name, _| looked_up.contains_key(name) || without_room.contains(name));
            for name in looked_up.keys() {
                let state = states.by_name.entry(Arc::clone(name)).or_default();
                if state.standing == Standing::WithoutRoom {
                    state.standing = Standing::Awaited;
                }
            }
            for name in without_room {
                states.by_name.entry(Arc::clone(name)).or_default().standing = Standing::WithoutRoom;
            }
        });
    }

    /// Says that the first names are looked up, once they are or the time for that is over.
    fn end_first_round(&mut self, now: Instant) {
        let Some(end) = self.first_round else { return };
        if self.awaited.is_empty() || end <= now {
            self.first_round = None;
            self.awaited.clear();
            self.states.send_modify(|states| states.is_looked_up = true);
        }
    }

    /// Begins the look-ups that are due, as far as there is room. Gives when there is something to do next, and whether room is waited for,
    /// too.
    fn begin(&mut self) -> (Option<Instant>, bool) {
        let now = Instant::now();
        self.expire(now);
        let mut is_full = false;
        for (room, of) in self.rooms.all() {
            let is_due = |followed: &Followed| {
                of.is_none_or(|is_proven| followed.schedule.is_proven == is_proven)
                    && followed.schedule.next.is_some_and(|next| next <= now)
            };
            let mut due: Vec<_> = self.names.iter_mut().filter(|(_, followed)| is_due(followed)).collect();
            due.sort_by_key(|(_, followed)| followed.schedule.next);
            while let Some((index, permit)) = room.take(due.iter().map(|(_, followed)| &*followed.namespaces))
            {
                let (name, followed) = due.remove(index);
                followed.schedule.next = None;
                let (name, limit) = (Arc::clone(name), self.options.limit);
                let (lookup, asked) = (Arc::clone(&self.options.lookup), Arc::clone(&name));
                let lookup = tokio::spawn(async move {
                    let found = lookup.lookup(&asked).await;
                    drop(permit);
                    found
                });
                self.lookups.spawn(async move {
                    let failed = |why: String| LookupFailure::Failed(why.into());
                    let found = match timeout(limit, lookup).await {
                        Ok(Ok(found)) => found.map_err(|error| failed(error.to_string())),
                        Ok(Err(panicked)) => Err(failed(panicked.to_string())),
                        Err(_) => Err(LookupFailure::TimedOut(limit)),
                    };
                    (name, found)
                });
            }
            is_full |= !due.is_empty();
        }
        let times =
            self.names.values().flat_map(|followed| [followed.schedule.next, followed.schedule.expires]);
        // What is due still waits for room.
        (times.flatten().filter(|time| *time > now).min(), is_full)
    }

    /// Forgets what is too old, also of names that there is no room to look up.
    fn expire(&mut self, now: Instant) {
        for (name, followed) in &mut self.names {
            if followed.schedule.expire(now) {
                let why = LookupFailure::TimedOut(self.options.keep);
                warn(&followed.holders, name, &why, "requests are answered with 503");
                self.tables.set_addresses(name, &[]);
                self.states.send_modify(|states| states.set(name, Standing::Nowhere(why)));
            }
        }
    }

    fn answered(&mut self, name: &Arc<str>, found: Result<Found, LookupFailure>) {
        self.awaited.remove(name);
        // It has gone meanwhile.
        let Some(Followed { schedule, holders, .. }) = self.names.get_mut(name) else { return };
        let outcome = schedule.answer(found, Instant::now(), fastrand::f64(), &self.options);
        let is_news = schedule.is_news;
        let standing = match outcome {
            Outcome::Leads(addresses) => {
                tracing::debug!(object = %holders, %name, ?addresses, "looked up");
                self.tables.set_addresses(name, &addresses);
                Standing::Found(addresses.len())
            }
            Outcome::Stays(why) => {
                if is_news {
                    warn(holders, name, &why, "what was found before is used");
                }
                Standing::Kept(why)
            }
            Outcome::Nowhere(why) => {
                if is_news {
                    warn(holders, name, &why, "requests are answered with 503");
                }
                self.tables.set_addresses(name, &[]);
                Standing::Nowhere(why)
            }
        };
        self.states.send_modify(|states| states.answered(name, standing));
    }
}

/// Says that a name was not found, whose it is, and what comes of that.
fn warn(holders: &Holders, name: &str, why: &LookupFailure, consequence: &str) {
    tracing::warn!(object = %holders, field = FIELD, %name, %why, "the name is not found; {consequence}");
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::Mutex;
    use std::time::Duration;

    use gateway_core::name::ObjectName;
    use gateway_core::rule::Backend;

    use super::*;
    use crate::names::{Lookup, LookupFuture, Names};

    /// Counts how often each name is asked for. What begins with `hang` never has an answer, with `panic` panics, and `once` has one.
    #[derive(Clone, Debug, Default)]
    struct Book(Arc<Mutex<BTreeMap<String, usize>>>);

    impl Lookup for Book {
        fn lookup(&self, name: &str) -> LookupFuture {
            let count = {
                let mut asked = self.0.lock().unwrap();
                let count = asked.entry(name.to_owned()).or_default();
                *count += 1;
                *count
            };
            assert!(!name.starts_with("panic"), "a resolver of one's own");
            let hangs = name.starts_with("hang") || name.starts_with("once") && count > 1;
            Box::pin(async move {
                if hangs {
                    std::future::pending::<()>().await;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
                Ok(Found { addresses: vec![[192, 0, 2, 1].into()], good_for: None })
            })
        }
    }

    impl Book {
        fn options(&self) -> NameOptions {
            let soon = Duration::from_millis(2);
            NameOptions { refresh: soon, retry: soon, ..NameOptions::new(self.clone()) }
        }

        /// Waits until each of the names was asked for three times.
        async fn until_asked(&self, names: &[&str]) {
            let all = |book: &Self| {
                let asked = book.0.lock().unwrap();
                names.iter().all(|name| asked.get(*name).is_some_and(|count| *count >= 3))
            };
            self.until(all).await;
        }

        async fn until(&self, done: impl Fn(&Self) -> bool) {
            let all = async {
                while !done(self) {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            };
            let result = timeout(Duration::from_secs(20), all).await;
            assert!(result.is_ok(), "asked for {:?}", self.0.lock().unwrap());
        }

        /// How often names that begin so were asked for.
        fn asked(&self, start: &str) -> usize {
            let asked = self.0.lock().unwrap();
            asked.iter().filter(|(name, _)| name.starts_with(start)).map(|(_, count)| count).sum()
        }
    }

    fn tables(names: impl IntoIterator<Item = (&'static str, String)>) -> TableHandle {
        TableHandle::new(table(names))
    }

    fn table(names: impl IntoIterator<Item = (&'static str, String)>) -> RouteTable {
        let mut table = RouteTable::builder(1);
        for (namespace, name) in names {
            let service = ObjectName::new(namespace, "b");
            table.backend(Backend { service, hostname: Some(name.into()), ..Backend::default() });
        }
        table.build()
    }

    #[tokio::test]
    async fn names_that_hang_keep_no_other_namespace_waiting() {
        let book = Book::default();
        let hanging = (0..100).map(|number| ("a", format!("hang{number}.example")));
        let tables = tables(hanging.chain([("z", "victim.example".to_owned())]));
        let limit = Duration::from_millis(10);
        let _names = Names::start(&tables, NameOptions { limit, max_lookups: 4, ..book.options() });
        book.until_asked(&["victim.example"]).await;
    }

    #[tokio::test]
    async fn names_that_hang_in_several_namespaces_keep_no_other_namespace_waiting() {
        let book = Book::default();
        let attackers = ["a", "b", "c", "d", "e"];
        let tables = tables([("z", "victim.example".to_owned())]);
        let limit = Duration::from_millis(10);
        let names = Names::start(&tables, NameOptions { limit, max_lookups: 16, ..book.options() });
        book.until_asked(&["victim.example"]).await;
        // It has an answer, and then so many look-ups hang for ever as there is room for.
        let hanging = attackers
            .into_iter()
            .flat_map(|name| (0..100).map(move |number| (name, format!("hang{number}.{name}.example"))));
        tables.store(table(hanging.chain([("z", "victim.example".to_owned())])));
        let before = book.asked("hang");
        let mut states = names.states();
        let hang = states.wait_for(|states| {
            let hanging = states.iter().filter(|(_, state)| state.failed.iter().sum::<u64>() > 0);
            hanging.count() >= attackers.len()
        });
        timeout(Duration::from_secs(20), hang).await.expect("in time").expect("it goes on");
        assert!(book.asked("hang") > before);
        let asked = book.asked("victim");
        book.until(|book| book.asked("victim") >= asked + 3).await;
    }

    #[tokio::test]
    async fn names_are_looked_up_once_each_had_an_answer_or_the_time_is_over() {
        let book = Book::default();
        let with_answers = tables([("a", "a.example".to_owned()), ("b", "panic.example".to_owned())]);
        let names = Names::start(&with_answers, NameOptions { first_round: Duration::MAX, ..book.options() });
        assert!(!names.states().borrow().is_looked_up());
        timeout(Duration::from_secs(20), names.looked_up()).await.expect("in time");
        let states = names.states();
        assert_eq!(states.borrow().get("a.example").unwrap().standing, Standing::Found(1));
        let state = states.borrow().get("panic.example").unwrap().clone();
        assert!(matches!(state.standing, Standing::Nowhere(LookupFailure::Failed(_))), "{state:?}");

        let hangs = tables([("a", "hang.example".to_owned())]);
        let soon = Duration::from_millis(5);
        let options = NameOptions { first_round: soon, limit: Duration::MAX, ..book.options() };
        let names = Names::start(&hangs, options);
        timeout(Duration::from_secs(20), names.looked_up()).await.expect("in time");
        assert_eq!(names.states().borrow().get("hang.example").unwrap().standing, Standing::Awaited);
    }

    #[tokio::test]
    async fn names_without_room_are_known_as_such() {
        let book = Book::default();
        let tables = tables(["1.example", "2.example"].map(|name| ("a", name.to_owned())));
        let names = Names::start(&tables, NameOptions { max_names: 1, ..book.options() });
        names.looked_up().await;
        let standings: Vec<_> =
            names.states().borrow().iter().map(|(_, state)| state.standing.clone()).collect();
        assert_eq!(standings, [Standing::Found(1), Standing::WithoutRoom]);
    }

    #[tokio::test]
    async fn what_has_been_due_the_longest_goes_first() {
        let book = Book::default();
        let names = ["1.example", "2.example", "3.example", "4.example"];
        let tables = tables(names.map(|name| ("a", name.to_owned())));
        let _names = Names::start(&tables, NameOptions { max_lookups: 1, ..book.options() });
        book.until_asked(&names).await;
    }

    #[tokio::test]
    async fn a_look_up_that_panics_ends_no_other() {
        let book = Book::default();
        let names = ["panic.example", "victim.example"];
        let tables = tables(names.map(|name| ("a", name.to_owned())));
        let _names = Names::start(&tables, book.options());
        book.until_asked(&names).await;
    }

    #[tokio::test]
    async fn addresses_become_too_old_also_where_there_is_no_room_to_look_again() {
        let book = Book::default();
        let tables = tables([("a", "once.example".to_owned())]);
        let keep = Duration::from_millis(200);
        let options =
            NameOptions { limit: Duration::from_millis(20), keep, max_lookups: 1, ..book.options() };
        let mut changes = tables.subscribe();
        let _names = Names::start(&tables, options);
        for expected in [1, 0] {
            let found = changes.wait_for(|table| {
                let counts: BTreeSet<_> = table.backends().map(|backend| backend.endpoints.len()).collect();
                counts == BTreeSet::from([expected])
            });
            timeout(Duration::from_secs(20), found).await.expect("in time").expect("tables come");
        }
    }
}
