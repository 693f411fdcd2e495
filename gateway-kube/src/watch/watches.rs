//! All watches of a cluster.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;

use gateway_core::api::Kind;
use gateway_core::name::ObjectName;
use gateway_core::resolve::Lookups;
use kube::Client;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

use super::change::{Change, Said};
use super::follow;
use super::options::{WatchOptions, may_be_missing};
use super::part::Part;
use super::share::{Asked, share_out};
use super::state::{LeftOut, State};

/// The watches of a cluster. They end when this is dropped.
pub struct Watches {
    client: Client,
    options: WatchOptions,
    sender: mpsc::Sender<Said>,
    receiver: mpsc::Receiver<Said>,
    /// Changes that no API server made: what is not asked for any more.
    forgotten: VecDeque<Said>,
    followed: BTreeMap<(Kind, Part), (AbortHandle, State)>,
    /// What is asked for and finds no room.
    without_room: BTreeSet<Asked>,
}

// === impl Watches ===

impl Watches {
    /// Begins to watch. To be called within a tokio runtime.
    pub fn new(client: Client, options: WatchOptions) -> Self {
        let (sender, receiver) = mpsc::channel(64);
        let (forgotten, followed) = (VecDeque::new(), BTreeMap::new());
        let without_room = BTreeSet::new();
        let mut watch = Self { client, options, sender, receiver, forgotten, followed, without_room };
        let own = watch.options.own_types.iter().map(Kind::Own);
        let kinds: BTreeSet<Kind> = watch.options.kinds.iter().copied().chain(own).collect();
        for kind in kinds {
            if !is_looked_up(kind) {
                watch.options.scope.parts(kind).into_iter().for_each(|part| watch.follow(kind, part));
            }
        }
        watch
    }

    /// What happens next.
    ///
    /// Cancel safe: nothing is lost when the future is dropped.
    pub async fn next(&mut self) -> Said {
        loop {
            if let Some(said) = self.forgotten.pop_front() {
                return said;
            }
            // There is a sender here, so that the channel does not close.
            let Some(said) = self.receiver.recv().await else { return std::future::pending().await };
            if self.take_note(&said) {
                return said;
            }
        }
    }

    /// What has happened already, if anything.
    pub fn try_next(&mut self) -> Option<Said> {
        loop {
            if let Some(said) = self.forgotten.pop_front() {
                return Some(said);
            }
            let said = self.receiver.try_recv().ok()?;
            if self.take_note(&said) {
                return Some(said);
            }
        }
    }

    /// Looks these Secrets, ConfigMaps and ClusterTrustBundles up, and no others, as far as there is [room](WatchOptions::max_lookups), and
    /// the Pods of namespaces in which something selects among them. Those
    /// outside the namespaces that are watched are not there.
    pub fn look_up(&mut self, lookups: &Lookups) {
        let mut asked = BTreeSet::new();
        for kind in Kind::ALL.iter().copied().filter(|kind| is_looked_up(*kind)) {
            let is_watched =
                |key: &&ObjectName| !kind.is_namespaced() || self.options.scope.contains(&key.namespace);
            asked.extend(lookups.of_kind(kind).filter(is_watched).map(|key| (kind, key.clone())));
        }
        let followed: BTreeSet<Asked> = self.looked_up().map(|(kind, key)| (kind, key.clone())).collect();
        let wanted = share_out(&asked, &followed, self.options.max_lookups);
        for (kind, key) in followed.difference(&wanted) {
            let part = Part::Object(key.clone());
            if let Some((handle, _)) = self.followed.remove(&(*kind, part.clone())) {
                handle.abort();
            }
            self.forgotten.push_back(Said::Change(part, Change::Listed { kind: *kind, objects: Vec::new() }));
        }
        for (kind, key) in wanted.difference(&followed) {
            self.follow(*kind, Part::Object(key.clone()));
        }
        self.look_up_pods(lookups);
        self.without_room = asked.difference(&wanted).cloned().collect();
    }

    /// Follows the Pods of these namespaces, and of no others.
    fn look_up_pods(&mut self, lookups: &Lookups) {
        let wanted = lookups.pods_of().filter(|namespace| self.options.scope.contains(namespace));
        let wanted: BTreeSet<Part> = wanted.map(|namespace| Part::Namespace(namespace.to_owned())).collect();
        let pods = self.followed.keys().filter(|(kind, _)| *kind == Kind::Pod);
        let followed: BTreeSet<Part> = pods.map(|(_, part)| part.clone()).collect();
        for part in followed.difference(&wanted) {
            if let Some((handle, _)) = self.followed.remove(&(Kind::Pod, part.clone())) {
                handle.abort();
            }
            let gone = Change::Listed { kind: Kind::Pod, objects: Vec::new() };
            self.forgotten.push_back(Said::Change(part.clone(), gone));
        }
        for part in wanted.difference(&followed) {
            self.follow(Kind::Pod, part.clone());
        }
    }

    /// Whether every part that is followed has been read, or is left out: whether what has come so far is all there is.
    pub fn is_filled(&self) -> bool {
        self.followed.values().all(|(_, state)| state.is_settled())
    }

    /// Whether every kind has been read, or is left out; what is looked up may still be missing.
    pub fn has_kinds(&self) -> bool {
        self.followed.iter().all(|((kind, _), (_, state))| is_looked_up(*kind) || state.is_settled())
    }

    /// What is not read at present, and why. Of ServiceImports nothing is said where the cluster has no such kind.
    pub fn left_out(&self) -> Vec<LeftOut> {
        let out = self.followed.iter().filter(|((kind, _), (_, state))| match state {
            State::Starting | State::Current => false,
            State::Missing => !may_be_missing(*kind),
            State::Forbidden(_) | State::Failing(_) | State::NotStarting(_) => true,
        });
        let left_out = |((kind, part), (_, state)): (&(Kind, Part), &(AbortHandle, State))| LeftOut {
            kind: *kind,
            part: part.clone(),
            state: state.clone(),
        };
        out.map(left_out).collect()
    }

    /// The Secrets and ConfigMaps that are asked for and may not be read, or find no room, and why: what
    /// [`Options::unreadable`](gateway_core::options::Options::unreadable) has to know. Those outside the namespaces that are
    /// watched are not among them: there, no ReferenceGrant is read that permits a reference to one.
    pub fn unreadable(&self) -> BTreeMap<(Kind, ObjectName), String> {
        let forbidden = self.followed.iter().filter_map(|((kind, part), (_, state))| match (part, state) {
            (Part::Object(key), State::Forbidden(_)) if is_looked_up(*kind) => {
                Some(((*kind, key.clone()), state.to_string()))
            }
            _ => None,
        });
        let without_room = self.without_room.iter().map(|(kind, key)| {
            let message = format!(
                "is not read, because as many are as there is room for, and namespace {} has its share; refer to fewer",
                key.namespace
            );
            ((*kind, key.clone()), message)
        });
        forbidden.chain(without_room).collect()
    }

    /// The Secrets and ConfigMaps that are read.
    pub fn looked_up(&self) -> impl Iterator<Item = (Kind, &ObjectName)> {
        self.followed.keys().filter_map(|(kind, part)| match part {
            Part::Object(key) if is_looked_up(*kind) => Some((*kind, key)),
            Part::Object(_) | Part::Namespace(_) | Part::All => None,
        })
    }

    fn follow(&mut self, kind: Kind, part: Part) {
        let follow = follow::Follow {
            client: self.client.clone(),
            kind,
            part: part.clone(),
            own: self.options.own_types.clone(),
            retry: self.options.retry.max(follow::FIRST_WAIT),
            observer: self.options.observer.clone(),
            sender: self.sender.clone(),
        };
        let handle = tokio::spawn(follow.run()).abort_handle();
        self.followed.insert((kind, part), (handle, State::Starting));
    }

    /// Says whether the caller still asks for what this is about.
    fn take_note(&mut self, said: &Said) -> bool {
        let kind_and_part = match said {
            Said::Change(part, change) => (change.kind(), part.clone()),
            Said::State(kind, part, _) => (*kind, part.clone()),
        };
        let Some((_, known)) = self.followed.get_mut(&kind_and_part) else { return false };
        match said {
            // That it is current is said next.
            Said::Change(..) => {}
            Said::State(_, _, state) => *known = state.clone(),
        }
        true
    }
}

impl fmt::Debug for Watches {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watches")
            .field("options", &self.options)
            .field("followed", &self.followed)
            .finish_non_exhaustive()
    }
}

impl Drop for Watches {
    fn drop(&mut self) {
        self.followed.values().for_each(|(handle, _)| handle.abort());
    }
}

/// Whether objects of the kind are watched only where a translation asks for them.
fn is_looked_up(kind: Kind) -> bool {
    matches!(kind, Kind::Secret | Kind::ConfigMap | Kind::ClusterTrustBundle | Kind::Pod)
}
