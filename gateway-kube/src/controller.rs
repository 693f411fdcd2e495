//! All of it in one task: a change comes in, a table and statuses go out.
//!
//! Changes are collected for a moment and translated together, at the cost of what changed. A table is handed out when
//! everything that it depends on has been read: after the first lists, and after the Secrets that a new listener asks for.
//!
//! Statuses are about a table that is in use. Until the data plane [has said so](Update::applied), and which sockets it could not
//! bind, none is written, and what changes is collected for the next table. They are written by the replica that holds the
//! Lease, one request at a time for each object, and no object more often than it can be read.
//!
//! What happens while the API server is away: nothing. The last table stays, and what was to be written is written later.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use gateway_core::api::{self, AnyObject, Gateway, Kind, ListenerSetSpec, ParentReference, Resources};
use gateway_core::feature::Feature;
use gateway_core::infrastructure::{GATEWAY_CLASS_NAME, GatewayService};
use gateway_core::name::ObjectName;
use gateway_core::options::{AddressPolicy, CLUSTER, Options as TranslateOptions, addresses_to_assign};
use gateway_core::status::Statuses;
use gateway_core::table::{RouteTable, Unbound};
use gateway_core::translate::{Diagnostic, Translator};
use gateway_core::validate::Rejected;
use kube::Client;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::{JoinError, JoinHandle, JoinSet};
use tokio::time::{Instant, sleep_until};

use crate::address_pool::{AddressPool, Claim};
use crate::definitions::{DefinitionWatch, Known};
use crate::error::Error;
use crate::infrastructure::{
    Maker, Owner, Part, endpoints_of, former_service, gateway_of, has_part, parts_to_make, services_of,
};
use crate::lease::{Candidate, LeaseOptions};
use crate::object::{Stored, StoredStatus, Unreadable};
use crate::observe::{Observe, WriteResult};
use crate::status::{Computed, Outcome, Writer, WriterOptions, lacks_finalizer, published_names, refused};
use crate::store::{Effects, Store};
use crate::turns::{Key, Turns};
use crate::watch::{LeftOut, Said, State, WatchOptions, Watches};

/// How a controller works.
#[derive(Clone, Debug)]
pub struct ControllerOptions {
    /// Who this controller is, and what its data plane can do. What is not known of the installed definitions is filled in.
    pub translate: TranslateOptions,
    /// What is watched.
    pub watch: WatchOptions,
    /// The GatewayClasses that are carried out, by name; without it, all of our controller name. Instances with
    /// different classes share one controller name without getting in each other's way.
    pub classes: Option<BTreeSet<String>>,
    /// Addresses for the Gateways that ask for none, each its own; without it, they are those of the translation's options.
    pub pool: Option<AddressPool>,
    /// The Lease by which one replica of several writes statuses; without one, this controller is the only one and writes.
    pub lease: Option<LeaseOptions>,
    /// Whether statuses are written at all; if not, no right to write is needed.
    pub writes: bool,
    /// Whether events tell of conditions that change for the worse.
    pub events: bool,
    /// How long changes are collected until they are translated together; 50 ms by default.
    pub debounce: Duration,
    /// How long an object whose status was written is left alone; 300 ms by default.
    pub rest: Duration,
    /// How many writes are under way at once; 8 by default.
    pub concurrency: usize,
    /// Who is told of the work, for [metrics](crate::metrics).
    pub observer: Option<Arc<dyn Observe>>,
}

/// A table, and what led to it.
///
/// Statuses wait until it is [`applied`](Self::applied) or dropped, so that none says that something is served before it is.
#[derive(Debug)]
#[must_use = "an update that is dropped counts as applied"]
pub struct Update {
    /// The table.
    pub table: Arc<RouteTable>,
    /// The objects that changed since the last update, by kind and name.
    pub changed: Vec<(Kind, ObjectName)>,
    /// When the first of these changes was heard of.
    pub since: Instant,
    /// What users should know beyond the statuses, of all objects.
    pub diagnostics: Arc<[Diagnostic]>,
    /// What could not be read, and why.
    pub left_out: Vec<LeftOut>,
    in_use: InUse,
}

/// Tells the controller once that a table is in use, at the latest when it goes.
struct InUse(Option<mpsc::UnboundedSender<Command>>);

/// How much a controller has written, and how it fares.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Whether this replica writes statuses.
    pub is_writing: bool,
    /// How many requests to write were sent.
    pub writes: u64,
    /// How many of them failed; they are tried again.
    pub failures: u64,
    /// How many objects have still to be looked at.
    pub pending: usize,
    /// How often there was something to translate.
    pub translations: u64,
}

/// All that was read, and what came of it.
#[derive(Clone, Debug)]
pub struct View {
    /// The objects, without their statuses.
    pub resources: Resources,
    /// Their statuses, as they are to be written.
    pub statuses: Statuses,
    /// What users should know beyond them.
    pub diagnostics: Vec<Diagnostic>,
    /// The table.
    pub table: RouteTable,
    /// The objects that are read and break a rule of the schema, so that they are left out.
    pub rejected: Vec<Rejected>,
    /// The objects that are there and cannot be read.
    pub unreadable: Vec<Unreadable>,
    /// What is not read at present, and why.
    pub left_out: Vec<LeftOut>,
}

/// A controller that runs, until it is dropped.
#[derive(Debug)]
pub struct Controller {
    commands: mpsc::UnboundedSender<Command>,
    progress: watch::Receiver<Progress>,
    task: JoinHandle<()>,
}

/// The tables of a controller, one after the other.
///
/// Without it, nothing is served by what the controller reads, and statuses wait for nobody.
#[derive(Debug)]
pub struct Updates(mpsc::Receiver<Update>);

/// Asks a controller for all that it knows. Clones ask the same one.
#[derive(Clone, Debug)]
pub struct Viewer {
    commands: mpsc::UnboundedSender<Command>,
}

/// What the program that embeds the controller tells it.
#[derive(Debug)]
enum Command {
    /// The table that was handed out last is in use; what of it could not be bound, if that was said.
    Applied(Option<Vec<Unbound>>),
    Unbound(Vec<Unbound>),
    Addresses(AddressPolicy),
    View(oneshot::Sender<View>),
    Stop,
}

/// How long the Secrets of a new listener are waited for. A watch that cannot be made must not keep others' changes back.
const LONGEST_LOOKUP: Duration = Duration::from_secs(5);

/// The wait after a write that failed; it doubles up to [`LONGEST_RETRY`].
const FIRST_RETRY: Duration = Duration::from_millis(500);
const LONGEST_RETRY: Duration = Duration::from_secs(30);

/// How long a table may take to be applied until that is said: somebody may have forgotten it.
const LONGEST_HOLD: Duration = Duration::from_secs(10);

/// How many statuses are compared before others have their turn.
const CHUNK: usize = 256;

/// What came of the writes for an object.
struct Written {
    /// What was made for a Gateway, if there was something to make.
    made: Option<Result<(), Error>>,
    /// A status, or the finalizer of a class, if it was to be written.
    status: Option<Result<Outcome, Error>>,
}

/// An update that is not handed out yet.
struct Pending {
    table: RouteTable,
    changed: Vec<Key>,
    since: Instant,
    diagnostics: Arc<[Diagnostic]>,
    left_out: Vec<LeftOut>,
}

/// What a task has to know.
struct Running {
    options: ControllerOptions,
    store: Store,
    watch: Watches,
    translator: Translator,
    definitions: watch::Receiver<Known>,
    /// Ends the watch of the definitions with the controller.
    _definition_watch: DefinitionWatch,
    candidate: Option<Candidate>,
    is_writing: bool,
    writer: Writer,
    maker: Maker,

    /// When to translate, if there is something to.
    translate_at: Option<Instant>,
    /// Since when a translation waits for what it asked for.
    incomplete_since: Option<Instant>,
    /// What changed since the last update.
    changed: BTreeSet<Key>,
    /// When the first change was heard of that no update has brought.
    changed_since: Option<Instant>,
    /// Whether the table may be another one although no object changed.
    is_other: bool,
    /// What could not be read when the last update was handed out.
    left_out: Vec<LeftOut>,
    /// Whether statuses are about a table that is handed out.
    is_complete: bool,
    /// Whether parents of Routes may not be read.
    is_blind: bool,
    /// To be handed out.
    update: Option<Pending>,
    /// Since when a table is handed out and not in use.
    held_since: Option<Instant>,
    /// Whether it was said that this takes long.
    is_told: bool,
    /// Whether statuses do not say yet what could not be bound.
    is_unbound_anew: bool,

    /// The objects whose status is to be looked at.
    turns: Turns,
    /// How long was waited after the last write that failed.
    waits: BTreeMap<Key, Duration>,
    writes: JoinSet<(Key, Written)>,
    /// What failed last, for each kind: it is said once.
    failures: BTreeMap<Kind, String>,
    progress: Progress,
    tell: watch::Sender<Progress>,
}

// === impl ControllerOptions ===

impl Default for ControllerOptions {
    fn default() -> Self {
        Self {
            translate: TranslateOptions::default(),
            watch: WatchOptions::default(),
            classes: None,
            pool: None,
            lease: None,
            writes: true,
            events: true,
            debounce: Duration::from_millis(50),
            rest: Duration::from_millis(300),
            concurrency: 8,
            observer: None,
        }
    }
}

// === impl Controller ===

impl Controller {
    /// Starts a controller. To be called within a tokio runtime.
    ///
    /// A controller that only writes statuses drops the updates at once: `let (controller, _) = Controller::new(..)`.
    pub fn new(client: Client, options: ControllerOptions) -> (Self, Updates) {
        let (update_sender, updates) = mpsc::channel(1);
        let (commands, command_receiver) = mpsc::unbounded_channel();
        let (tell, progress) = watch::channel(Progress::default());
        let running = Running::new(client, options, tell);
        let task = tokio::spawn(running.run(update_sender, commands.downgrade(), command_receiver));
        (Self { commands, progress, task }, Updates(updates))
    }

    /// Tells what the data plane cannot bind at present, in the place of what it could not bind before: a port may be free
    /// later than the table was [`applied`](Update::applied). It is said in statuses.
    pub fn set_unbound(&self, unbound: Vec<Unbound>) {
        self.command(Command::Unbound(unbound));
    }

    /// Takes other addresses of Gateways, such as those of a [Service](crate::addresses).
    pub fn set_addresses(&self, addresses: AddressPolicy) {
        self.command(Command::Addresses(addresses));
    }

    /// For those who look, as long as the controller runs.
    pub fn viewer(&self) -> Viewer {
        Viewer { commands: self.commands.clone() }
    }

    /// How far the controller has come.
    pub fn progress(&self) -> watch::Receiver<Progress> {
        self.progress.clone()
    }

    /// Ends the controller when the writes that are under way have ended, and gives the Lease back.
    ///
    /// No [update](Updates::next) follows.
    pub async fn stop(mut self) {
        self.command(Command::Stop);
        // It ends by itself, or was ended by a panic that has been reported.
        let _ = (&mut self.task).await;
    }

    /// A task that has ended needs no command any more.
    fn command(&self, command: Command) {
        let _ = self.commands.send(command);
    }
}

impl Drop for Controller {
    fn drop(&mut self) {
        self.task.abort();
    }
}

// === impl Updates ===

impl Updates {
    /// The next table, with all that has changed since the last one was handed out. There is none until that is in use.
    ///
    /// Cancel safe. `None` when the controller has ended.
    pub async fn next(&mut self) -> Option<Update> {
        self.0.recv().await
    }
}

// === impl Update ===

impl Update {
    /// Says that the table is in use, but for what could not be bound: that takes the place of what could not be bound before,
    /// and is said in statuses.
    ///
    /// An update that is dropped says that the table is in use, and nothing about what could not be bound.
    pub fn applied(mut self, unbound: Vec<Unbound>) {
        self.in_use.tell(Some(unbound));
    }
}

// === impl InUse ===

impl InUse {
    fn tell(&mut self, unbound: Option<Vec<Unbound>>) {
        if let Some(commands) = self.0.take() {
            // A controller that has ended writes no statuses.
            let _ = commands.send(Command::Applied(unbound));
        }
    }
}

impl Drop for InUse {
    fn drop(&mut self) {
        self.tell(None);
    }
}

impl fmt::Debug for InUse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("InUse").finish_non_exhaustive()
    }
}

// === impl Viewer ===

impl Viewer {
    /// All that was read, and what came of it, at the cost of a copy. `None` when the controller has ended.
    pub async fn view(&self) -> Option<View> {
        let (sender, view) = oneshot::channel();
        self.commands.send(Command::View(sender)).ok()?;
        view.await.ok()
    }
}

// === impl Pending ===

impl Pending {
    fn handed_out(self, in_use: InUse) -> Update {
        let Self { table, changed, since, diagnostics, left_out } = self;
        Update { table: Arc::new(table), changed, since, diagnostics, left_out, in_use }
    }
}

// === impl Running ===

impl Running {
    fn new(client: Client, options: ControllerOptions, tell: watch::Sender<Progress>) -> Self {
        let writer = WriterOptions {
            controller_name: options.translate.controller_name.clone(),
            events: options.events,
            concurrency: options.concurrency,
        };
        let definition_watch = DefinitionWatch::new(client.clone(), options.watch.retry);
        let lease = options.lease.clone().filter(|_| options.writes);
        let observer = options.watch.observer.clone().or_else(|| options.observer.clone());
        let watch = WatchOptions { observer, ..options.watch.clone() };
        Self {
            store: Store::default(),
            watch: Watches::new(client.clone(), watch),
            translator: Translator::new(options.translate.clone()),
            definitions: definition_watch.known(),
            _definition_watch: definition_watch,
            candidate: lease.map(|lease| Candidate::new(client.clone(), lease)),
            is_writing: options.writes && options.lease.is_none(),
            maker: Maker::new(client.clone(), &writer.controller_name),
            writer: Writer::new(client, writer),
            translate_at: Some(Instant::now()),
            incomplete_since: None,
            changed: BTreeSet::new(),
            changed_since: None,
            is_other: true,
            left_out: Vec::new(),
            is_complete: false,
            is_blind: false,
            update: None,
            held_since: None,
            is_told: false,
            is_unbound_anew: false,
            turns: Turns::default(),
            waits: BTreeMap::new(),
            writes: JoinSet::new(),
            failures: BTreeMap::new(),
            progress: Progress::default(),
            tell,
            options,
        }
    }

    async fn run(
        mut self,
        updates: mpsc::Sender<Update>,
        commanders: mpsc::WeakUnboundedSender<Command>,
        mut commands: mpsc::UnboundedReceiver<Command>,
    ) {
        self.observe(|observer| observer.leading(self.is_writing));
        let mut holds = self.candidate.as_ref().map(Candidate::holds);
        loop {
            self.start_writes();
            self.tell_progress();
            let wake = self.wake();
            tokio::select! {
                said = self.watch.next() => self.hear(said),
                changed = self.definitions.changed() => {
                    if changed.is_ok() {
                        self.take_definitions();
                    }
                }
                held = changed(&mut holds) => self.set_writing(held),
                Some(result) = self.writes.join_next() => self.written(result),
                permit = updates.reserve(), if self.update.is_some() => {
                    // Without a permit nobody wants tables any more; statuses are written all the same.
                    if let (Ok(permit), Some(update)) = (permit, self.update.take()) {
                        permit.send(update.handed_out(InUse(commanders.upgrade())));
                        (self.held_since, self.is_told) = (Some(Instant::now()), false);
                    }
                }
                command = commands.recv() => match command {
                    Some(Command::Applied(unbound)) => self.applied(unbound),
                    Some(Command::Unbound(unbound)) => self.set_unbound(unbound),
                    Some(Command::Addresses(addresses)) => {
                        let unbound = self.translator.options().addresses.unbound.clone();
                        let addresses = AddressPolicy { unbound, ..addresses };
                        let options = TranslateOptions { addresses, ..self.translator.options().clone() };
                        self.set_options(options);
                    }
                    // Who asked may have gone.
                    Some(Command::View(asked)) => _ = asked.send(self.view()),
                    Some(Command::Stop) | None => break,
                },
                () = sleep_until(wake) => {}
            }
            let is_overdue = self.incomplete_since.is_some_and(|since| since.elapsed() >= LONGEST_LOOKUP);
            let is_due = is_overdue || self.translate_at.is_some_and(|at| at <= Instant::now());
            if is_due && !self.is_held() {
                self.translate();
            }
            self.say_held();
        }
        while let Some(result) = self.writes.join_next().await {
            self.written(result);
        }
        if let Some(candidate) = self.candidate.take()
            && let Err(error) = candidate.resign().await
        {
            tracing::warn!("{error}");
        }
    }

    /// When there is something to do even if nothing happens.
    fn wake(&self) -> Instant {
        let idle = Instant::now() + Duration::from_secs(60);
        let rested = self.turns.rests();
        if let Some(since) = self.held_since {
            // Nothing is translated and nothing written.
            let told = (!self.is_told).then(|| since + LONGEST_HOLD);
            return rested.chain(told).min().unwrap_or(idle).min(idle);
        }
        let lookup = self.incomplete_since.map(|since| since + LONGEST_LOOKUP);
        let more = (self.turns.has_next() && self.can_write()).then(Instant::now);
        let all = rested.chain(self.translate_at).chain(lookup).chain(more);
        all.min().unwrap_or(idle).min(idle)
    }

    /// Whether a table is not in use yet, so that statuses would say too much.
    fn is_held(&self) -> bool {
        self.update.is_some() || self.held_since.is_some()
    }

    fn applied(&mut self, unbound: Option<Vec<Unbound>>) {
        self.held_since = None;
        // However fast one table follows the other, statuses have some time in between.
        let earliest = Instant::now() + self.options.debounce;
        self.translate_at = self.translate_at.map(|at| at.max(earliest));
        if let Some(unbound) = unbound {
            self.set_unbound(unbound);
        }
    }

    fn set_unbound(&mut self, unbound: Vec<Unbound>) {
        if self.translator.options().addresses.unbound != unbound {
            self.translator.set_unbound(unbound);
            // Nothing is written before that is translated.
            self.is_unbound_anew = true;
            self.translate_at = Some(Instant::now());
        }
    }

    fn say_held(&mut self) {
        if !self.is_told && self.held_since.is_some_and(|since| since.elapsed() >= LONGEST_HOLD) {
            self.is_told = true;
            tracing::warn!("statuses wait until the last table is in use: apply or drop its update");
        }
    }

    fn hear(&mut self, said: Said) {
        let mut heard = Some(said);
        // What has come already is taken at once: a list of thousands is one change.
        while let Some(said) = heard {
            match said {
                Said::Change(part, change) => {
                    let effects = self.store.apply(&part, change);
                    self.take(effects);
                }
                // It may be what a translation waits for, and is told with the next table.
                Said::State(..) => self.translate_soon(),
            }
            heard = self.watch.try_next();
        }
    }

    fn take(&mut self, effects: Effects) {
        let Effects { objects, statuses } = effects;
        for (kind, key) in objects {
            match self.store.resources().get(kind, &key).filter(|object| self.is_carried_out(object)) {
                Some(object) => self.translator.insert(object),
                None => {
                    self.translator.remove(kind, &key);
                    self.waits.remove(&(kind, key.clone()));
                }
            }
            self.changed.insert((kind, key.clone()));
            if matches!(kind, Kind::Service | Kind::EndpointSlice) {
                let gateway = self.made_for(kind, &key);
                self.turns.extend(gateway.map(|gateway| (Kind::Gateway, gateway)));
            }
            if kind == Kind::Gateway {
                // Their classes have Gateways, or have none any more.
                let classes = self.store.resources().gateway_classes.keys();
                self.turns.extend(classes.map(|class| (Kind::GatewayClass, class.clone())));
            }
            self.turns.insert((kind, key));
            self.translate_soon();
        }
        self.turns.extend(statuses);
    }

    /// Whether an object is not one of a class that another instance carries out.
    fn is_carried_out(&self, object: &AnyObject) -> bool {
        let Some(classes) = &self.options.classes else { return true };
        match object {
            AnyObject::GatewayClass(class) => classes.contains(&class.metadata.name),
            AnyObject::Gateway(gateway) => classes.contains(&gateway.spec.gateway_class_name),
            _ => true,
        }
    }

    /// The parents of a Route, or ancestors of a policy, of which this instance knows nothing: what was said about them is not for it to take away.
    fn unseen(&self, key: &ObjectName, stored: &Stored) -> Vec<ParentReference> {
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

    fn translate_soon(&mut self) {
        self.changed_since.get_or_insert_with(Instant::now);
        self.translate_at.get_or_insert_with(|| Instant::now() + self.options.debounce);
    }

    fn take_definitions(&mut self) {
        let known = self.definitions.borrow_and_update().clone();
        match &known {
            Known::NotYet => {}
            Known::Read(definitions) if definitions.are_mixed() => tracing::warn!(
                "the definitions are of several versions or channels; install all of one release: {definitions}"
            ),
            Known::Read(definitions) => tracing::info!("the definitions of Gateway API: {definitions}"),
            Known::Hidden(why) => tracing::warn!(
                "the definitions are taken for those of v1.7, because their versions cannot be read: {why}"
            ),
        }
        self.writer.set_vocabulary(known.vocabulary());
        let unknown_definitions = known.unknown();
        let mut features = self.options.translate.features.clone();
        let vocabulary = known.vocabulary();
        // CTB-03: where there are none, the kind is one like any other that is not known.
        if vocabulary.without.contains(&Feature::ClusterTrustBundle) {
            features.remove(&Feature::ClusterTrustBundle);
        }
        // What is said of an address has a field, or is not said.
        let has_no_field = |feature: &Feature| published_names(&[*feature], &vocabulary).is_empty();
        let of_addresses = [Feature::GatewayAddressRoutability, Feature::GatewayAddressRoutabilityCluster];
        of_addresses
            .iter()
            .filter(|feature| has_no_field(feature))
            .for_each(|feature| _ = features.remove(feature));
        let options = self.translator.options();
        if options.unknown_definitions != unknown_definitions || options.features != features {
            self.set_options(TranslateOptions { unknown_definitions, features, ..options.clone() });
        }
        let classes = self.store.resources().gateway_classes.keys();
        self.turns.extend(classes.map(|class| (Kind::GatewayClass, class.clone())));
        self.translate_soon();
    }

    fn set_options(&mut self, options: TranslateOptions) {
        self.translator.set_options(options);
        self.is_other = true;
        self.translate_soon();
    }

    fn set_writing(&mut self, holds: bool) {
        if holds && !self.is_writing {
            // What was written meanwhile, another one has written.
            self.turns.extend(self.store.with_status().map(|(kind, key)| (kind, key.clone())));
        }
        self.is_writing = holds;
        self.observe(|observer| observer.leading(holds));
    }

    fn translate(&mut self) {
        self.translate_at = None;
        if !self.watch.has_kinds() || *self.definitions.borrow() == Known::NotYet {
            // The state that changes this is heard.
            return;
        }
        self.take_addresses();
        let start = Instant::now();
        self.translator.translate();
        self.is_unbound_anew = false;
        self.watch.look_up(&self.translator.translation().lookups);
        let unreadable = self.watch.unreadable();
        if self.translator.options().unreadable != unreadable {
            self.translator.set_unreadable(unreadable);
            self.translator.translate();
        }
        self.progress.translations += 1;
        self.observe(|observer| observer.reconciled(start.elapsed()));
        self.turns.extend(self.translator.take_status_changes());
        let rejected =
            self.translator.rejected().iter().map(|rejected| (rejected.kind, rejected.key.clone()));
        self.turns.extend(rejected);
        self.turns
            .extend(self.store.unreadable().map(|unreadable| (unreadable.kind, unreadable.key.clone())));
        if !self.watch.is_filled() {
            let since = *self.incomplete_since.get_or_insert_with(Instant::now);
            if since.elapsed() < LONGEST_LOOKUP {
                self.is_complete = false;
                return;
            }
        }
        self.incomplete_since = None;
        self.is_complete = true;
        let left_out = self.watch.left_out();
        self.is_blind = left_out.iter().any(|out| {
            let is_parent = matches!(out.kind, Kind::GatewayClass | Kind::Gateway | Kind::ListenerSet);
            is_parent && matches!(out.state, State::Forbidden(_))
        });
        let is_news = self.is_other || !self.changed.is_empty() || self.left_out != left_out;
        let since = self.changed_since.take();
        if !is_news {
            return;
        }
        self.is_other = false;
        self.left_out.clone_from(&left_out);
        let translation = self.translator.translation();
        self.update = Some(Pending {
            table: translation.table.clone(),
            changed: std::mem::take(&mut self.changed).into_iter().collect(),
            since: since.unwrap_or_else(Instant::now),
            diagnostics: translation.diagnostics.iter().cloned().collect(),
            left_out,
        });
    }

    fn view(&self) -> View {
        let translation = self.translator.translation();
        View {
            resources: self.store.resources().clone(),
            statuses: translation.statuses.clone(),
            diagnostics: translation.diagnostics.clone(),
            table: translation.table.clone(),
            rejected: self.translator.rejected().to_vec(),
            unreadable: self.store.unreadable().cloned().collect(),
            left_out: self.watch.left_out(),
        }
    }

    /// Whether Gateways of this class are ours to carry out.
    fn is_our_class(&self, class: &str) -> bool {
        let is_carried_out = self.options.classes.as_ref().is_none_or(|classes| classes.contains(class));
        let class = self.store.resources().gateway_classes.get(&ObjectName::cluster(class));
        let name = class.map(|class| class.spec.controller_name.as_str());
        is_carried_out && name == Some(&*self.options.translate.controller_name)
    }

    /// Takes the addresses of Gateways as they are now: those of the pool, and the cluster IPs of Services.
    fn take_addresses(&mut self) {
        let before = &self.translator.options().addresses;
        let assigned = self.assigned().unwrap_or_else(|| before.assigned.clone());
        let cluster = self.cluster_ips();
        if assigned != before.assigned || cluster != before.cluster {
            let options = self.translator.options().clone();
            let addresses = AddressPolicy { assigned, cluster, ..options.addresses };
            self.translator.set_options(TranslateOptions { addresses, ..options });
        }
    }

    /// Addresses from the pool for each Gateway of ours that leaves the choice to us, the oldest first. What others ask for is no matter
    /// of ours.
    fn assigned(&self) -> Option<BTreeMap<ObjectName, Vec<IpAddr>>> {
        let pool = self.options.pool.as_ref()?;
        let before = &self.translator.options().addresses.assigned;
        let resources = self.store.resources();
        let mut claims = Vec::new();
        let ours = resources
            .gateways
            .iter()
            .filter(|(_, gateway)| self.is_our_class(&gateway.spec.gateway_class_name));
        for (name, gateway) in ours {
            let wanted = &gateway.spec.addresses;
            let count = addresses_to_assign(wanted);
            let asked = wanted.iter().filter_map(|wanted| wanted.value.as_ref()?.parse().ok()).collect();
            let shown = match self.store.stored(Kind::Gateway, name).map(|stored| &stored.status) {
                Some(StoredStatus::Gateway(status)) => &status.addresses[..],
                _ => &[],
            };
            let mut held: Vec<_> = shown.iter().filter_map(|address| address.value.parse().ok()).collect();
            // What stands behind a cluster IP is not shown.
            if asks_for_cluster_ip(gateway) {
                held.extend(endpoints_of(name, resources));
            }
            // It may not have been written yet.
            held.extend(before.get(name).into_iter().flatten());
            claims.push((gateway.metadata.age(name), Claim { gateway: name.clone(), count, held, asked }));
        }
        claims.sort_by(|(age, _), (other, _)| age.cmp(other));
        let claims: Vec<_> = claims.into_iter().map(|(_, claim)| claim).collect();
        Some(pool.assign(&claims))
    }

    /// The cluster IPs of the Services that are made for Gateways which ask for one; nothing where none are made.
    fn cluster_ips(&self) -> Option<BTreeMap<ObjectName, Vec<IpAddr>>> {
        if !self.options.translate.infrastructure {
            return None;
        }
        let resources = self.store.resources();
        let mut all = BTreeMap::new();
        for (name, gateway) in resources.gateways.iter().filter(|(_, gateway)| asks_for_cluster_ip(gateway)) {
            let class = gateway.spec.gateway_class_name.as_str();
            let is_it = |service: &&Arc<api::Service>| {
                service.metadata.labels.get(GATEWAY_CLASS_NAME).is_none_or(|of| of == class)
            };
            if self.is_our_class(class)
                && let Some(service) = services_of(name, resources).map(|(_, service)| service).find(is_it)
            {
                let ips = service.spec.cluster_ips.iter().filter_map(|ip| ip.parse().ok());
                all.insert(name.clone(), ips.collect());
            }
        }
        Some(all)
    }

    fn can_write(&self) -> bool {
        let says_what_is = self.is_complete && !self.is_held() && !self.is_unbound_anew;
        self.is_writing && says_what_is && self.turns.under_way() < self.options.concurrency.max(1)
    }

    /// Starts as many writes as may be under way, of objects whose status is not what it should be.
    fn start_writes(&mut self) {
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
    fn made_for(&self, kind: Kind, key: &ObjectName) -> Option<ObjectName> {
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

    fn computed(&self, kind: Kind, key: &ObjectName, stored: &Stored) -> Option<Computed> {
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

    fn has_gateways(&self, class: &ObjectName) -> bool {
        let mut unreadable =
            self.store.unreadable().filter_map(|unreadable| unreadable.class_name.as_deref());
        let gateways = self.store.resources().gateways.values();
        let mut named = gateways.map(|gateway| gateway.spec.gateway_class_name.as_str());
        named.any(|named| *named == *class.name) || unreadable.any(|named| *named == *class.name)
    }

    fn written(&mut self, result: Result<(Key, Written), JoinError>) {
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
        self.turns.end(key, Instant::now() + rest);
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
                    self.turns.insert(key.clone());
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
        self.turns.insert(key.clone());
        rest
    }

    fn observe(&self, told: impl FnOnce(&dyn Observe)) {
        if let Some(observer) = &self.options.observer {
            told(&**observer);
        }
    }

    fn say_failure(&mut self, kind: Kind, message: String) {
        if self.failures.get(&kind) != Some(&message) {
            tracing::warn!("{message}");
            self.failures.insert(kind, message);
        }
    }

    fn tell_progress(&mut self) {
        self.progress.is_writing = self.is_writing;
        self.progress.pending = self.turns.pending();
        if *self.tell.borrow() != self.progress {
            self.tell.send_replace(self.progress);
        }
    }
}

fn asks_for_cluster_ip(gateway: &Gateway) -> bool {
    gateway.spec.addresses.iter().any(|wanted| wanted.routability.as_deref() == Some(CLUSTER))
}

fn write_result(result: &Result<Outcome, Error>) -> WriteResult {
    match result {
        Ok(Outcome::Written(_)) => WriteResult::Written,
        Ok(Outcome::Cut(_)) => WriteResult::Cut,
        Ok(Outcome::Unchanged) => WriteResult::Unchanged,
        Ok(Outcome::Outdated) => WriteResult::Outdated,
        Err(Error::Contended { .. }) => WriteResult::Contended,
        Err(Error::Request { .. } | Error::Unreadable(_) | Error::Taken { .. }) => WriteResult::Failed,
    }
}

/// Whether the Lease is held, when that changes.
async fn changed(holds: &mut Option<watch::Receiver<bool>>) -> bool {
    match holds {
        Some(receiver) => match receiver.changed().await {
            Ok(()) => *receiver.borrow_and_update(),
            Err(_) => {
                *holds = None;
                false
            }
        },
        None => std::future::pending().await,
    }
}
