//! Writes to the API server, an object at a time: statuses, finalizers, and the Services of Gateways.

use std::time::Duration;

use gateway_core::api::{AnyObject, Kind, ListenerSetSpec, ParentReference};
use gateway_core::infrastructure::{GATEWAY_CLASS_NAME, GatewayService};
use gateway_core::name::ObjectName;
use tokio::task::JoinError;
use tokio::time::Instant;

use super::Running;
use crate::error::Error;
use crate::infrastructure::{Owner, Part, former_service, gateway_of, has_part, parts_to_make, services_of};
use crate::object::{Stored, StoredStatus};
use crate::observe::WriteResult;
use crate::status::{Computed, Outcome, lacks_finalizer, refused};
use crate::turns::{FOREVER, Key};

/// The wait after a write that failed; it doubles up to [`LONGEST_RETRY`].
const FIRST_RETRY: Duration = Duration::from_millis(500);
const LONGEST_RETRY: Duration = Duration::from_secs(30);

/// How many statuses are compared before others have their turn.
const CHUNK: usize = 256;

/// What came of the writes for an object.
pub(super) struct Written {
    /// What was made for a Gateway, if there was something to make.
    made: Option<Result<(), Error>>,
    /// A status, or the finalizer of a class, if it was to be written.
    status: Option<Result<Outcome, Error>>,
}

impl Running {
    pub(super) fn can_write(&self) -> bool {
        let says_what_is = self.is_complete && !self.is_held() && !self.is_unbound_anew;
        self.is_writing && says_what_is && self.turns.under_way() < self.options.concurrency.max(1)
    }

    /// Starts as many writes as may be under way, of objects whose status is not what it should be.
    pub(super) fn start_writes(&mut self) {
        self.turns.rest_until(Instant::now());
        let mut looked_at = 0;
        while self.can_write() && looked_at < CHUNK {
            let Some(key) = self.turns.next() else { break };
            looked_at += 1;
            self.start_write(key);
        }
    }

    fn start_write(&mut self, key: Key) {
        let (kind, name) = &key;
        let Some(stored) = self.store.stored(*kind, name) else { return };
        let holds_class = (*kind == Kind::GatewayClass).then(|| self.has_gateways(name));
        let Some(computed) = self.computed(*kind, name, stored) else { return };
        let needs_status = self.writer.merged(stored, &computed).is_some();
        let needs_finalizer = holds_class.is_some_and(|has_gateways| lacks_finalizer(stored, has_gateways));
        let to_make = self.to_make(&key);
        if !needs_status && !needs_finalizer && to_make.is_empty() {
            return;
        }
        let (writer, maker, stored) = (self.writer.clone(), self.maker.clone(), stored.clone());
        self.progress.writes += u64::from(needs_status || needs_finalizer) + u64::from(!to_make.is_empty());
        self.turns.begin(key.clone());
        self.writes.spawn(async move {
            let (kind, name) = &key;
            // First what a status says: an address leads somewhere when it is shown.
            let owner = Owner { name: name.clone(), uid: stored.uid.clone() };
            let mut made = None;
            for (parts, service) in to_make {
                let result = maker.make(&owner, &service, &parts).await;
                made = Some(made.unwrap_or(Ok(())).and(result));
            }
            let status = match holds_class.filter(|_| needs_finalizer) {
                // The status follows when this has come back.
                Some(has_gateways) => Some(writer.hold_class(name, stored, has_gateways).await),
                None if needs_status => Some(writer.write(*kind, name, stored, &computed).await),
                None => None,
            };
            (key, Written { made, status })
        });
    }

    /// What is to be made for a Gateway: parts of its Services.
    fn to_make(&self, (kind, name): &Key) -> Vec<(Vec<Part>, GatewayService)> {
        let stored = self.store.stored(*kind, name).filter(|stored| !stored.is_deleted);
        if *kind != Kind::Gateway || stored.is_none() {
            return Vec::new();
        }
        let resources = self.store.resources();
        let services = self.services(name).into_iter();
        let to_make = services.map(|service| (parts_to_make(&service, resources), service));
        to_make.filter(|(parts, _)| !parts.is_empty()).collect()
    }

    /// The Services of a Gateway as they should be: the one that it has, and without endpoints those that it had when it was of
    /// another class of ours.
    fn services(&self, gateway: &ObjectName) -> Vec<GatewayService> {
        if !self.options.translate.infrastructure {
            return Vec::new();
        }
        let wanted = self.translator.translation().infrastructure.get(gateway);
        let former = services_of(gateway, self.store.resources()).filter(|(name, service)| {
            let class = service.metadata.labels.get(GATEWAY_CLASS_NAME).map(String::as_str);
            wanted.is_none_or(|wanted| wanted.name != **name) && self.is_our_class(class.unwrap_or_default())
        });
        let former = former.map(|(name, service)| GatewayService {
            name: name.clone(),
            ..former_service(&service.metadata)
        });
        wanted.cloned().into_iter().chain(former).collect()
    }

    /// The Gateway for which an object was made, if it was.
    pub(super) fn made_for(&self, kind: Kind, key: &ObjectName) -> Option<ObjectName> {
        if !self.options.translate.infrastructure {
            return None;
        }
        if let Some(object) = self.store.resources().get(kind, key) {
            return gateway_of(&key.namespace, &object.metadata().labels);
        }
        // It is gone: what it was is known from what there should be.
        let infrastructure = &self.translator.translation().infrastructure;
        infrastructure.iter().find(|(_, service)| has_part(service, key)).map(|(gateway, _)| gateway.clone())
    }

    pub(super) fn computed(&self, kind: Kind, key: &ObjectName, stored: &Stored) -> Option<Computed> {
        let (statuses, rejected) = (&self.translator.translation().statuses, self.translator.rejected());
        let controller_name = &self.options.translate.controller_name;
        let computed = Computed::find(statuses, kind, key)
            .or_else(|| refused(&self.store, rejected, statuses, controller_name, kind, key))
            .or_else(|| Computed::nothing(stored))?;
        match computed {
            Computed::Route(status) => {
                let mut unseen = self.unseen(key, stored);
                unseen.retain(|parent| !status.parents.iter().any(|seen| seen.parent_ref == *parent));
                Some(if unseen.is_empty() {
                    Computed::Route(status)
                } else {
                    Computed::RouteBeside(status, unseen)
                })
            }
            Computed::Policy(status) => {
                let mut unseen = self.unseen(key, stored);
                unseen.retain(|ancestor| !status.ancestors.iter().any(|seen| seen.ancestor_ref == *ancestor));
                Some(if unseen.is_empty() {
                    Computed::Policy(status)
                } else {
                    Computed::PolicyBeside(status, unseen)
                })
            }
            computed => Some(computed),
        }
    }

    /// The parents of a Route, or ancestors of a policy, of which this instance knows nothing: what was said about them is not for it to take away.
    pub(super) fn unseen(&self, key: &ObjectName, stored: &Stored) -> Vec<ParentReference> {
        let entries: Vec<(&String, &ParentReference)> = match &stored.status {
            StoredStatus::Route(status) => {
                status.parents.iter().map(|entry| (&entry.controller_name, &entry.parent_ref)).collect()
            }
            StoredStatus::Policy(status) => {
                status.ancestors.iter().map(|entry| (&entry.controller_name, &entry.ancestor_ref)).collect()
            }
            StoredStatus::Backend(status) => {
                status.ancestors.iter().map(|entry| (&entry.controller_name, &entry.ancestor_ref)).collect()
            }
            _ => return Vec::new(),
        };
        let ours = entries.into_iter().filter(|(name, _)| **name == self.options.translate.controller_name);
        let unseen = ours.map(|(_, parent)| parent).filter(|parent| {
            let namespace = parent.namespace.as_deref().unwrap_or(&key.namespace);
            let name = ObjectName::new(namespace, parent.name.as_str());
            self.is_blind || !self.options.watch.scope.contains(namespace) || !self.sees(parent, &name)
        });
        unseen.cloned().collect()
    }

    /// Whether a parent is not one of a class that another instance carries out.
    fn sees(&self, parent: &ParentReference, name: &ObjectName) -> bool {
        if self.options.classes.is_none() {
            return true;
        }
        let resources = self.store.resources();
        let gateway = match parent.kind.as_str() {
            "ListenerSet" => resources.listener_sets.get(name).map(|set| {
                let ListenerSetSpec { parent_ref, .. } = &set.spec;
                let namespace = parent_ref.namespace.as_deref().unwrap_or(&name.namespace);
                ObjectName::new(namespace, parent_ref.name.as_str())
            }),
            // It has no class.
            "Service" => return true,
            _ => Some(name.clone()),
        };
        let gateway = gateway.and_then(|name| resources.gateways.get(&name).cloned());
        gateway.is_none_or(|gateway| self.is_carried_out(&AnyObject::Gateway(gateway)))
    }

    pub(super) fn has_gateways(&self, class: &ObjectName) -> bool {
        let mut unreadable =
            self.store.unreadable().filter_map(|unreadable| unreadable.class_name.as_deref());
        let gateways = self.store.resources().gateways.values();
        let mut named = gateways.map(|gateway| gateway.spec.gateway_class_name.as_str());
        named.any(|named| *named == *class.name) || unreadable.any(|named| *named == *class.name)
    }

    pub(super) fn written(&mut self, result: Result<(Key, Written), JoinError>) {
        let Ok((key, Written { made, status })) = result else {
            // A panic has been reported; the object is looked at again with its next change.
            return self.turns.forget_under_way();
        };
        let is_made_alone = status.is_none();
        let rest = match status {
            Some(result) => self.status_written(&key, result),
            None => self.options.rest,
        };
        let rest = match made {
            None => rest,
            Some(Ok(())) => {
                self.failures.remove(&Kind::Service);
                if is_made_alone {
                    self.waits.remove(&key);
                }
                rest
            }
            Some(Err(error)) => self.put_off(&key, Kind::Service, error.to_string()),
        };
        self.turns.end(key, Instant::now() + rest.min(FOREVER));
    }

    /// Takes note of what became of a status, or a finalizer. Gives how long the object is left alone.
    fn status_written(&mut self, key: &Key, result: Result<Outcome, Error>) -> Duration {
        let (kind, name) = key;
        self.observe(|observer| observer.status_written(*kind, write_result(&result)));
        match result {
            Ok(Outcome::Written(stored)) => {
                self.failures.remove(kind);
                self.waits.remove(key);
                self.store.note_written(*kind, name, stored);
                // Both a status and a finalizer may be missing.
                if *kind == Kind::GatewayClass {
                    self.turns.insert(key.clone(), Instant::now());
                }
            }
            Ok(Outcome::Cut(stored)) => {
                let message =
                    "the installed definition has no place for a part of the status; install that of v1.7";
                self.say_failure(*kind, format!("{kind} {name}: {message}"));
                self.store.note_written(*kind, name, stored);
            }
            Ok(Outcome::Unchanged | Outcome::Outdated) => _ = self.waits.remove(key),
            Err(error) => return self.put_off(key, *kind, error.to_string()),
        }
        self.options.rest
    }

    /// Has another try made later, and says what failed. Gives how much later: twice as long each time.
    fn put_off(&mut self, key: &Key, kind: Kind, failure: String) -> Duration {
        self.progress.failures += 1;
        let waited = self.waits.get(key).map(|wait| *wait * 2);
        let rest = waited.unwrap_or_default().clamp(FIRST_RETRY, LONGEST_RETRY);
        self.waits.insert(key.clone(), rest);
        self.say_failure(kind, failure);
        self.turns.insert(key.clone(), Instant::now());
        rest
    }

    pub(super) fn say_failure(&mut self, kind: Kind, message: String) {
        if self.failures.get(&kind) != Some(&message) {
            tracing::warn!("{message}");
            self.failures.insert(kind, message);
        }
    }
}

fn write_result(result: &Result<Outcome, Error>) -> WriteResult {
    match result {
        Ok(Outcome::Written(_)) => WriteResult::Written,
        Ok(Outcome::Cut(_)) => WriteResult::Cut,
        Ok(Outcome::Unchanged) => WriteResult::Unchanged,
        Ok(Outcome::Outdated) => WriteResult::Outdated,
        Err(Error::Contended { .. }) => WriteResult::Contended,
        Err(
            Error::Request { .. } | Error::Unanswered { .. } | Error::Taken { .. } | Error::Former { .. },
        ) => WriteResult::Failed,
    }
}
