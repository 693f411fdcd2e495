//! The task that looks names up.

use std::collections::BTreeMap;
use std::sync::Arc;

use gateway_core::table::RouteTable;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};

use super::lookup::Found;
use super::options::NameOptions;
use super::schedule::{Outcome, Schedule};
use super::wanted::wanted;
use crate::handle::TableHandle;

/// What is known of the names of a table.
struct Follow {
    tables: TableHandle,
    options: NameOptions,
    names: BTreeMap<Arc<str>, Schedule>,
    lookups: JoinSet<(Arc<str>, Result<Found, String>)>,
    /// Taken until the look-up is over, also where its answer is not waited for any more.
    room: Arc<Semaphore>,
    without_room: usize,
}

/// Looks names up for as long as it is polled.
pub(super) async fn follow(tables: TableHandle, options: NameOptions) {
    let mut changes = tables.subscribe();
    let room = Arc::new(Semaphore::new(options.max_lookups.max(1)));
    let (names, lookups) = (BTreeMap::new(), JoinSet::new());
    let mut follow = Follow { tables, options, names, lookups, room, without_room: 0 };
    let table = Arc::clone(&changes.borrow_and_update());
    follow.take(&table);
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
            _ = Arc::clone(&follow.room).acquire_owned(), if is_full => {}
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
            let stays = wanted.contains(name);
            if !stays {
                tables.set_addresses(name, &[]);
            }
            stays
        });
        let now = Instant::now();
        for name in wanted {
            self.names.entry(name).or_insert_with(|| Schedule::new(now, &self.options));
        }
    }

    /// Begins the look-ups that are due, as far as there is room. Gives when the next one is, and whether there is room to be waited for
    /// first.
    fn begin(&mut self) -> (Option<Instant>, bool) {
        let now = Instant::now();
        for (name, schedule) in &mut self.names {
            if schedule.next.is_none_or(|next| next > now) {
                continue;
            }
            let Ok(permit) = Arc::clone(&self.room).try_acquire_owned() else { return (None, true) };
            schedule.next = None;
            let (name, limit) = (name.clone(), self.options.limit);
            let lookup = self.options.lookup.lookup(&name);
            let lookup = tokio::spawn(async move {
                let found = lookup.await;
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
        (self.names.values().filter_map(|schedule| schedule.next).min(), false)
    }

    fn answered(&mut self, name: &Arc<str>, found: Result<Found, String>) {
        // It has gone meanwhile.
        let Some(schedule) = self.names.get_mut(name) else { return };
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
