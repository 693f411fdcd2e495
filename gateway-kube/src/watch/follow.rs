//! One watch: from the first list on, over every failure.

use std::fmt;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use gateway_core::api::{AnyObject, Kind};
use gateway_core::manifest::OwnTypes;
use gateway_core::name::ObjectName;
use kube::api::PartialObjectMeta;
use kube::core::ObjectMeta;
use kube::runtime::watcher::{self, Event};
use kube::{Api, Client};
use tokio::sync::mpsc;
use tokio::time::sleep;

use super::change::{Change, Said};
use super::options::may_be_missing;
use super::part::Part;
use super::state::State;
use crate::error;
use crate::object::{self, Object, Received, Stored, Unreadable, api_resource};
use crate::observe::{Observe, RestartCause};

/// The first wait after a failure; it doubles up to [`LONGEST_WAIT`].
pub(super) const FIRST_WAIT: Duration = Duration::from_millis(100);

/// Half a minute without the API server is felt; it is not to be asked by every watch of every replica more often than this.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// How often in a row a kind that was there has to be missing until its objects are given up. A definition that is
/// deleted takes its objects with it, and the watch tells; a single refusal may come from something in between.
const ROUNDS_UNTIL_GONE: u32 = 3;

pub(super) struct Follow {
    pub(super) client: Client,
    pub(super) kind: Kind,
    pub(super) part: Part,
    pub(super) own: OwnTypes,
    pub(super) retry: Duration,
    pub(super) observer: Option<Arc<dyn Observe>>,
    pub(super) sender: mpsc::Sender<Said>,
}

/// Why following a version ended.
enum Ended {
    /// The version is not served.
    NotServed,
    /// The receiver is gone.
    Unheard,
}

/// What is known from one round to the next.
struct Memory {
    state: State,
    /// Whether objects were listed and are not given up.
    has_objects: bool,
    /// How often in a row no version was served.
    missing: u32,
    wait: Duration,
}

// === impl Follow ===

impl Follow {
    pub(super) async fn run(self) {
        let mut memory = Memory { state: State::Starting, has_objects: false, missing: 0, wait: FIRST_WAIT };
        loop {
            for version in self.kind.versions() {
                if let Ended::Unheard = self.follow(version, &mut memory).await {
                    return;
                }
            }
            memory.missing += 1;
            if memory.has_objects && memory.missing >= ROUNDS_UNTIL_GONE {
                memory.has_objects = false;
                if !self.change(Change::Listed { kind: self.kind, objects: Vec::new() }).await {
                    return;
                }
            }
            if !self.state(State::Missing, &mut memory).await {
                return;
            }
            sleep(self.retry).await;
        }
    }

    async fn follow(&self, version: &'static str, memory: &mut Memory) -> Ended {
        match self.kind {
            Kind::Namespace => {
                let metadata = |namespace: PartialObjectMeta<Received>| {
                    let object = object::namespace(namespace.metadata);
                    Ok(Object { object, stored: Stored::without_status(version) })
                };
                self.events::<PartialObjectMeta<Received>>(version, memory, metadata).await
            }
            kind => {
                let read = |received| object::read_with(kind, version, received, &self.own);
                self.events::<Received>(version, memory, read).await
            }
        }
    }

    async fn events<K>(
        &self,
        version: &'static str,
        memory: &mut Memory,
        read: impl Fn(K) -> Result<Object, Box<Unreadable>>,
    ) -> Ended
    where
        K: kube::Resource<DynamicType = kube::core::ApiResource> + Clone + fmt::Debug + Send + 'static,
        K: serde::de::DeserializeOwned,
        K: NamedApi,
    {
        let kind = self.kind;
        let resource = api_resource(kind, version);
        let api = K::api(self.client.clone(), self.part.namespace(), &resource);
        let mut config = watcher::Config::default();
        if let Part::Object(key) = &self.part {
            config = config.fields(&format!("metadata.name={}", key.name));
        }
        let mut events = pin!(watcher::watcher(api, config));
        let mut listed = Vec::new();
        while let Some(event) = events.next().await {
            let change = match event {
                Ok(Event::Init) => {
                    listed.clear();
                    continue;
                }
                Ok(Event::InitApply(object)) => {
                    listed.extend(Some(read(object)).filter(is_of_use));
                    continue;
                }
                Ok(Event::InitDone) => {
                    (memory.has_objects, memory.missing) = (true, 0);
                    Change::Listed { kind, objects: std::mem::take(&mut listed) }
                }
                Ok(Event::Apply(object)) => {
                    let key = key(object.meta());
                    match read(object) {
                        object if is_of_use(&object) => Change::Applied { kind, object },
                        // It may have been before.
                        _ => Change::Deleted { kind, key },
                    }
                }
                Ok(Event::Delete(object)) => Change::Deleted { kind, key: key(object.meta()) },
                Err(error) => match self.failure(&error, memory).await {
                    Some(ended) => return ended,
                    None => continue,
                },
            };
            memory.wait = FIRST_WAIT;
            if !self.change(change).await || !self.state(State::Current, memory).await {
                return Ended::Unheard;
            }
        }
        Ended::Unheard
    }

    /// Waits as long as the failure asks for. Says whether the version has to be given up.
    async fn failure(&self, error: &watcher::Error, memory: &mut Memory) -> Option<Ended> {
        let (code, told) = match error {
            watcher::Error::InitialListFailed(error)
            | watcher::Error::WatchStartFailed(error)
            | watcher::Error::WatchFailed(error) => (error::code(error), error::told(error)),
            // 410 Gone among others: the watch lists again by itself.
            watcher::Error::WatchError(status) => (Some(status.code), status.message.clone()),
            watcher::Error::NoResourceVersion => (None, error.to_string()),
        };
        let (state, wait) = match code {
            Some(404) => return Some(Ended::NotServed),
            Some(401 | 403) => (State::Forbidden(told), self.retry),
            // It is caught up with at once, and nothing to tell of.
            Some(410) => (memory.state.clone(), FIRST_WAIT),
            _ => {
                let wait = memory.wait;
                memory.wait = (wait * 2).min(LONGEST_WAIT);
                let state = if memory.has_objects { State::Failing(told) } else { State::NotStarting(told) };
                (state, wait)
            }
        };
        if let Some(observer) = &self.observer {
            observer.watch_restarted(
                self.kind,
                match code {
                    Some(410) => RestartCause::Expired,
                    Some(401 | 403) => RestartCause::Forbidden,
                    Some(_) | None => RestartCause::Failed,
                },
            );
        }
        if !self.state(state, memory).await {
            return Some(Ended::Unheard);
        }
        sleep(wait).await;
        None
    }

    /// Says whether the receiver is there.
    async fn change(&self, change: Change) -> bool {
        self.sender.send(Said::Change(self.part.clone(), change)).await.is_ok()
    }

    async fn state(&self, state: State, memory: &mut Memory) -> bool {
        if memory.state == state {
            return true;
        }
        memory.state = state.clone();
        match &state {
            State::Starting => {}
            State::Current => tracing::debug!(kind = %self.kind, part = ?self.part, "watched"),
            State::Missing if may_be_missing(self.kind) => {
                tracing::debug!(kind = %self.kind, part = ?self.part, "{state}");
            }
            state => tracing::warn!(kind = %self.kind, part = ?self.part, "{state}"),
        }
        self.sender.send(Said::State(self.kind, self.part.clone(), state)).await.is_ok()
    }
}

fn key(metadata: &ObjectMeta) -> ObjectName {
    let ObjectMeta { namespace, name, .. } = metadata;
    ObjectName::new(namespace.as_deref().unwrap_or_default(), name.as_deref().unwrap_or_default())
}

/// Whether anything is made of an object. There are EndpointSlices that are of no Service and of no ServiceImport; no selector
/// tells them from the others, since these have one label of two.
fn is_of_use(object: &Result<Object, Box<Unreadable>>) -> bool {
    match object {
        Ok(Object { object: AnyObject::EndpointSlice(slice), .. }) => {
            slice.service_name().or(slice.service_import_name()).is_some()
        }
        Ok(_) | Err(_) => true,
    }
}

/// The requests for a kind, in a namespace or in all.
trait NamedApi: Sized {
    fn api(client: Client, namespace: Option<&str>, resource: &kube::core::ApiResource) -> Api<Self>;
}

impl NamedApi for Received {
    fn api(client: Client, namespace: Option<&str>, resource: &kube::core::ApiResource) -> Api<Self> {
        match namespace {
            Some(namespace) => Api::namespaced_with(client, namespace, resource),
            None => Api::all_with(client, resource),
        }
    }
}

impl NamedApi for PartialObjectMeta<Received> {
    fn api(client: Client, _: Option<&str>, resource: &kube::core::ApiResource) -> Api<Self> {
        Api::all_with(client, resource)
    }
}
