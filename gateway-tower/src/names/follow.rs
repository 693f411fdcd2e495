//! The task that looks names up.

use std::collections::BTreeMap;
use std::sync::Arc;

use gateway_core::table::RouteTable;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};

use super::lookup::Found;
use super::options::NameOptions;
use super::room::Room;
use super::schedule::{Outcome, Schedule};
use super::wanted::wanted;
use crate::handle::TableHandle;

/// What is known of the names of a table.
struct Follow {
    tables: TableHandle,
    options: NameOptions,
    names: BTreeMap<Arc<str>, Followed>,
    lookups: JoinSet<(Arc<str>, Result<Found, String>)>,
    /// Taken until the look-up is over, also where its answer is not waited for any more.
    room: Room,
    without_room: usize,
}

/// What is known of a name.
struct Followed {
    schedule: Schedule,
    /// Those that have it.
    namespaces: Box<[Arc<str>]>,
}

/// Looks names up for as long as it is polled.
pub(super) async fn follow(tables: TableHandle, options: NameOptions) {
    let mut changes = tables.subscribe();
    let room = Room::new(options.max_lookups);
    let (names, lookups) = (BTreeMap::new(), JoinSet::new());
    let mut follow = Follow { tables, options, names, lookups, room, without_room: 0 };
    let table = Arc::clone(&changes.borrow_and_update());
    follow.take(&table);
    let room = follow.room.clone();
    loop {
        let (next, is_full) = follow.begin();
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

// === impl Follow ===

impl Follow {
    /// Takes the names of a table in the place of those before.
    fn take(&mut self, table: &RouteTable) {
        let (wanted, without_room) =
            wanted(table, |name| self.names.contains_key(name), self.options.max_names);
        if without_room > self.without_room {
            tracing::warn!(
                without_room,
                "names of backends are not looked up, because as many are as there is room for"
            );
        }
        self.without_room = without_room;
        let tables = &self.tables;
        self.names.retain(|name, _| {
            let stays = wanted.contains_key(name);
            if !stays {
                tables.set_addresses(name, &[]);
            }
            stays
        });
        let now = Instant::now();
        for (name, namespaces) in wanted {
            let new = || Followed { schedule: Schedule::new(now, &self.options), namespaces: [].into() };
            self.names.entry(name).or_insert_with(new).namespaces = namespaces;
        }
    }

    /// Begins the look-ups that are due, as far as there is room, those first that have been due the longest. Gives when there is
    /// something to do next, and whether room is waited for, too.
    fn begin(&mut self) -> (Option<Instant>, bool) {
        let now = Instant::now();
        self.expire(now);
        let is_due = |next: &Instant| *next <= now;
        let due =
            self.names.iter_mut().filter(|(_, followed)| followed.schedule.next.as_ref().is_some_and(is_due));
        let mut due: Vec<_> = due.collect();
        due.sort_by_key(|(_, followed)| followed.schedule.next);
        let mut is_full = false;
        for (name, followed) in due {
            let Some(permit) = self.room.take(&followed.namespaces) else {
                // There may be room for other namespaces.
                is_full = true;
                continue;
            };
            followed.schedule.next = None;
            let (name, limit) = (Arc::clone(name), self.options.limit);
            let (lookup, asked) = (Arc::clone(&self.options.lookup), Arc::clone(&name));
            let lookup = tokio::spawn(async move {
                let found = lookup.lookup(&asked).await;
                drop(permit);
                found
            });
            self.lookups.spawn(async move {
                let found = match timeout(limit, lookup).await {
                    Ok(Ok(found)) => found.map_err(|error| error.to_string()),
                    Ok(Err(panicked)) => Err(panicked.to_string()),
                    Err(_) => Err(format!("no answer within {limit:?}")),
                };
                (name, found)
            });
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
                tracing::warn!(%name, "no answer for too long; requests to its backends are refused");
                self.tables.set_addresses(name, &[]);
            }
        }
    }

    fn answered(&mut self, name: &Arc<str>, found: Result<Found, String>) {
        // It has gone meanwhile.
        let Some(Followed { schedule, .. }) = self.names.get_mut(name) else { return };
        let outcome = schedule.answer(found, Instant::now(), fastrand::f64(), &self.options);
        let is_news = schedule.is_news;
        match outcome {
            Outcome::Leads(addresses) => {
                tracing::debug!(%name, ?addresses, "looked up");
                self.tables.set_addresses(name, &addresses);
            }
            Outcome::Stays(why) if is_news => {
                tracing::warn!(%name, why, "not found; what was found before is used");
            }
            Outcome::Stays(_) => {}
            Outcome::Nowhere(why) => {
                if is_news {
                    tracing::warn!(%name, why, "not found; requests to its backends are refused");
                }
                self.tables.set_addresses(name, &[]);
            }
        }
    }
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
            let all = async {
                loop {
                    let asked = self.0.lock().unwrap().clone();
                    if names.iter().all(|name| asked.get(*name).is_some_and(|count| *count >= 3)) {
                        return;
                    }
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            };
            let result = timeout(Duration::from_secs(20), all).await;
            assert!(result.is_ok(), "asked for {names:?}: {:?}", self.0.lock().unwrap());
        }
    }

    fn tables(names: impl IntoIterator<Item = (&'static str, String)>) -> TableHandle {
        let mut table = RouteTable::builder(1);
        for (namespace, name) in names {
            let service = ObjectName::new(namespace, "b");
            table.backend(Backend { service, hostname: Some(name.into()), ..Backend::default() });
        }
        TableHandle::new(table.build())
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
