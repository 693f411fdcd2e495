//! Requests that write statuses.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use futures_util::{StreamExt, stream};
use gateway_core::api::Kind;
use gateway_core::name::ObjectName;
use gateway_core::status::Statuses;
use k8s_openapi::api::core::v1::ObjectReference;
use kube::api::{Patch, PatchParams};
use kube::runtime::events::{Event, EventType, Recorder, Reporter};
use kube::{Api, Client};
use serde_json::{Map, Value, json};

use super::computed::Computed;
use super::event::{Worse, worse};
use super::feature_name::Vocabulary;
use super::never_seen;
use crate::error::{ANSWER_TIMEOUT, Error, answered, code};
use crate::object::{Received, Stored, StoredStatus, api_resource, field_manager, read};
use crate::store::Store;

/// The finalizer of a GatewayClass that has Gateways.
///
/// # Spec
/// GC-10: `GatewayClassFinalizerGatewaysExist`
const FINALIZER: &str = "gateway-exists-finalizer.gateway.networking.k8s.io";

/// How often others may come first until an object is left for later.
const ATTEMPTS: usize = 5;

/// How long the note of an event may be, in bytes.
const MAX_NOTE: usize = 1024;

/// How statuses are written.
#[derive(Clone, Debug)]
pub struct WriterOptions {
    /// The controller name that our entries in Routes have.
    pub controller_name: String,
    /// Whether an event tells of each condition that changes for the worse. It takes the right to create and patch `events` of
    /// `events.k8s.io`; without it the statuses are written all the same.
    pub events: bool,
    /// How many requests are under way at once, where many objects are written.
    pub concurrency: usize,
    /// How long the writes for an object may take, with its events, until they are given up; 30 s by default. A request whose connection is
    /// gone without a word would never end.
    pub answer_timeout: Duration,
}

/// Writes the statuses of objects.
///
/// ```no_run
/// use gateway_core::status::Statuses;
/// use gateway_kube::status::{Writer, WriterOptions};
/// use gateway_kube::store::Store;
///
/// async fn write(client: kube::Client, store: &Store, statuses: &Statuses) {
///     let writer = Writer::new(client, WriterOptions::default());
///     for result in writer.write_all(store, statuses).await {
///         if let Err(error) = result {
///             eprintln!("{error}");
///         }
///     }
/// }
/// ```
#[derive(Clone)]
pub struct Writer {
    client: Client,
    options: Arc<WriterOptions>,
    recorder: Option<Recorder>,
    /// Whether it was said already that events cannot be written.
    is_told: Arc<AtomicBool>,
    vocabulary: Arc<Vocabulary>,
}

/// What became of a status.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// What is stored is what was computed.
    Unchanged,
    /// It was written; what is stored now.
    Written(Stored),
    /// It was written, and the API server left a part of it away: the definition that is installed has no such fields. What
    /// is stored now.
    Cut(Stored),
    /// The object is gone, or another one than the status was computed for.
    Outdated,
}

// === impl WriterOptions ===

impl Default for WriterOptions {
    fn default() -> Self {
        Self {
            controller_name: gateway_core::options::DEFAULT_CONTROLLER_NAME.to_owned(),
            events: true,
            concurrency: 8,
            answer_timeout: ANSWER_TIMEOUT,
        }
    }
}

// === impl Writer ===

impl Writer {
    /// A writer that asks this client.
    pub fn new(client: Client, options: WriterOptions) -> Self {
        let reporter = || Reporter::from(options.controller_name.as_str());
        let recorder = options.events.then(|| Recorder::new(client.clone(), reporter()));
        Self {
            client,
            options: Arc::new(options),
            recorder,
            is_told: Arc::default(),
            vocabulary: Arc::default(),
        }
    }

    /// Says which features the installed definitions have, and by which names.
    pub fn set_vocabulary(&mut self, vocabulary: Vocabulary) {
        self.vocabulary = Arc::new(vocabulary);
    }

    /// The status to write, if it is not the one that is stored.
    ///
    /// What is stored about a generation that the object has not had is written anew: no other replica can have seen that.
    pub fn merged(&self, stored: &Stored, computed: &Computed) -> Option<StoredStatus> {
        let (ours, now) = (&self.options.controller_name, SystemTime::now().into());
        let mut status = stored.status.clone();
        if let Some(generation) = stored.generation.filter(|_| stored.generation == computed.generation()) {
            never_seen::forget(&mut status, generation, |name, about| {
                name == ours && !computed.unseen().contains(about)
            });
        }
        computed.merged(&status, ours, &self.vocabulary, &now)
    }

    /// Writes what statuses say about the objects in a store, and takes away what was said about Routes that are not ours
    /// any more. Gives what became of each that had to be written.
    ///
    /// # Errors
    /// For each object: that the API server did not take its status, or did not answer in time.
    pub async fn write_all(&self, store: &Store, statuses: &Statuses) -> Vec<Result<Outcome, Error>> {
        let to_write = store.with_status().filter_map(|(kind, key)| {
            let stored = store.stored(kind, key)?;
            let computed = Computed::find(statuses, kind, key).or_else(|| Computed::nothing(stored))?;
            self.merged(stored, &computed)?;
            Some((kind, key.clone(), stored.clone(), computed))
        });
        let to_write: Vec<_> = to_write.collect();
        let writes = to_write.into_iter().map(|(kind, key, stored, computed)| async move {
            self.write(kind, &key, stored, &computed).await
        });
        stream::iter(writes).buffer_unordered(self.options.concurrency.max(1)).collect().await
    }

    /// Writes the status of one object, of which `stored` is known.
    ///
    /// # Errors
    /// The API server does not take it, does not answer within [`answer_timeout`](WriterOptions::answer_timeout), or others come first
    /// again and again.
    pub async fn write(
        &self,
        kind: Kind,
        key: &ObjectName,
        stored: Stored,
        computed: &Computed,
    ) -> Result<Outcome, Error> {
        let doing = || format!("writing the status of {kind} {key}");
        answered(self.options.answer_timeout, doing, self.patch_status(kind, key, stored, computed, doing))
            .await
    }

    async fn patch_status(
        &self,
        kind: Kind,
        key: &ObjectName,
        mut stored: Stored,
        computed: &Computed,
        doing: impl Fn() -> String,
    ) -> Result<Outcome, Error> {
        let api = self.api(kind, key, stored.version);
        if stored.generation != computed.generation() {
            return Ok(Outcome::Outdated);
        }
        for _ in 0..ATTEMPTS {
            let Some(merged) = self.merged(&stored, computed) else { return Ok(Outcome::Unchanged) };
            let patch = Patch::Merge(json!({
                "metadata": {"resourceVersion": stored.resource_version},
                "status": difference(&stored.status, &merged),
            }));
            let result = api.patch_status(&key.name, &self.params(), &patch).await;
            match result {
                Ok(received) => {
                    let written = read_stored(kind, stored.version, received);
                    self.tell(kind, key, &stored, &merged).await;
                    return Ok(match self.merged(&written, computed) {
                        None => Outcome::Written(written),
                        Some(_) => Outcome::Cut(written),
                    });
                }
                Err(error) if code(&error) == Some(404) => return Ok(Outcome::Outdated),
                Err(error) if code(&error) == Some(409) => {
                    match self.reread(&api, kind, key, &stored).await? {
                        Some(fresh) if fresh.generation == computed.generation() => stored = fresh,
                        Some(_) | None => return Ok(Outcome::Outdated),
                    }
                }
                Err(error) => return Err(Error::request(doing(), error)),
            }
        }
        Err(Error::Contended { doing: doing(), attempts: ATTEMPTS })
    }

    /// Sees to it that a GatewayClass has the finalizer that keeps it while Gateways of it exist, and only then.
    ///
    /// # Errors
    /// The API server does not take it, does not answer within [`answer_timeout`](WriterOptions::answer_timeout), or others come first
    /// again and again.
    ///
    /// # Spec
    /// [GC-10](gateway_core::spec#GC-10)
    pub async fn hold_class(
        &self,
        key: &ObjectName,
        stored: Stored,
        has_gateways: bool,
    ) -> Result<Outcome, Error> {
        let doing = || format!("setting the finalizers of GatewayClass {key}");
        answered(self.options.answer_timeout, doing, self.patch_finalizers(key, stored, has_gateways, doing))
            .await
    }

    async fn patch_finalizers(
        &self,
        key: &ObjectName,
        mut stored: Stored,
        has_gateways: bool,
        doing: impl Fn() -> String,
    ) -> Result<Outcome, Error> {
        let api = self.api(Kind::GatewayClass, key, stored.version);
        for _ in 0..ATTEMPTS {
            if !lacks_finalizer(&stored, has_gateways) {
                return Ok(Outcome::Unchanged);
            }
            let mut finalizers = stored.finalizers.clone();
            finalizers.retain(|finalizer| finalizer != FINALIZER);
            if has_gateways {
                finalizers.push(FINALIZER.to_owned());
            }
            let patch = Patch::Merge(json!({
                "metadata": {"resourceVersion": stored.resource_version, "finalizers": finalizers},
            }));
            match api.patch(&key.name, &self.params(), &patch).await {
                Ok(received) => {
                    return Ok(Outcome::Written(read_stored(Kind::GatewayClass, stored.version, received)));
                }
                Err(error) if code(&error) == Some(404) => return Ok(Outcome::Outdated),
                Err(error) if code(&error) == Some(409) => {
                    match self.reread(&api, Kind::GatewayClass, key, &stored).await? {
                        Some(fresh) => stored = fresh,
                        None => return Ok(Outcome::Outdated),
                    }
                }
                Err(error) => return Err(Error::request(doing(), error)),
            }
        }
        Err(Error::Contended { doing: doing(), attempts: ATTEMPTS })
    }

    /// What is stored now; nothing if the object is gone, or another one.
    async fn reread(
        &self,
        api: &Api<Received>,
        kind: Kind,
        key: &ObjectName,
        known: &Stored,
    ) -> Result<Option<Stored>, Error> {
        let received = api.get_opt(&key.name).await;
        let received = received.map_err(|error| Error::request(format!("reading {kind} {key}"), error))?;
        let Some(received) = received else { return Ok(None) };
        let stored = read_stored(kind, known.version, received);
        Ok(Some(stored).filter(|stored| stored.uid == known.uid))
    }

    fn api(&self, kind: Kind, key: &ObjectName, version: &str) -> Api<Received> {
        let resource = api_resource(kind, version);
        match &*key.namespace {
            "" => Api::all_with(self.client.clone(), &resource),
            namespace => Api::namespaced_with(self.client.clone(), namespace, &resource),
        }
    }

    fn params(&self) -> PatchParams {
        let manager = field_manager(&self.options.controller_name);
        PatchParams { field_manager: Some(manager.to_owned()), ..PatchParams::default() }
    }

    /// Events are a courtesy: one that fails is logged.
    async fn tell(&self, kind: Kind, key: &ObjectName, stored: &Stored, now: &StoredStatus) {
        let Some(recorder) = &self.recorder else { return };
        let resource = api_resource(kind, stored.version);
        let regarding = ObjectReference {
            api_version: Some(resource.api_version),
            kind: Some(resource.kind),
            name: Some(key.name.to_string()),
            namespace: Some(key.namespace.to_string()).filter(|namespace| !namespace.is_empty()),
            uid: Some(stored.uid.clone()),
            ..ObjectReference::default()
        };
        for Worse { place, condition } in worse(&stored.status, now) {
            let at = if place.is_empty() { place } else { format!(" ({place})") };
            let mut note = format!("{} is {}{at}: {}", condition.r#type, condition.status, condition.message);
            let end = (0..=MAX_NOTE.min(note.len())).rev().find(|end| note.is_char_boundary(*end));
            note.truncate(end.unwrap_or(0));
            let event = Event {
                type_: EventType::Warning,
                reason: condition.reason,
                note: Some(note),
                action: condition.r#type,
                secondary: None,
            };
            match recorder.publish(&event, &regarding).await {
                Ok(()) => self.is_told.store(false, Ordering::Relaxed),
                Err(error) if !self.is_told.swap(true, Ordering::Relaxed) => {
                    tracing::warn!(%kind, %key, "no event could be written: {}", crate::error::told(&error));
                }
                // Said once for all that fail in a row.
                Err(_) => {}
            }
        }
    }
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer")
            .field("options", &self.options)
            .field("vocabulary", &self.vocabulary)
            .finish_non_exhaustive()
    }
}

/// What is stored with an object, whether that itself can be read or not.
fn read_stored(kind: Kind, version: &'static str, received: Received) -> Stored {
    match read(kind, version, received) {
        Ok(object) => object.stored,
        Err(unreadable) => unreadable.stored,
    }
}

/// Whether the finalizers of a class are not what they should be. One that is being deleted gets none any more.
pub(crate) fn lacks_finalizer(stored: &Stored, has_gateways: bool) -> bool {
    let has = stored.finalizers.iter().any(|finalizer| finalizer == FINALIZER);
    if has_gateways { !has && !stored.is_deleted } else { has }
}

/// The status as a merge patch: a field that is there and should not be is named, or it would stay.
fn difference(stored: &StoredStatus, merged: &StoredStatus) -> Value {
    let mut patch = fields(merged);
    for (field, _) in fields(stored) {
        patch.entry(field).or_insert(Value::Null);
    }
    Value::Object(patch)
}

fn fields(status: &StoredStatus) -> Map<String, Value> {
    let value = match status {
        StoredStatus::None | StoredStatus::Unreadable(_) => return Map::new(),
        StoredStatus::GatewayClass(status) => serde_json::to_value(status),
        StoredStatus::Gateway(status) => serde_json::to_value(status),
        StoredStatus::ListenerSet(status) => serde_json::to_value(status),
        StoredStatus::Route(status) => serde_json::to_value(status),
        StoredStatus::Policy(status) => serde_json::to_value(status),
        StoredStatus::Backend(status) => serde_json::to_value(status),
    };
    match value {
        Ok(Value::Object(fields)) => fields,
        // Each of these types is written as an object.
        Ok(_) | Err(_) => Map::new(),
    }
}
