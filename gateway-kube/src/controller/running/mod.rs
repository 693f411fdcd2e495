//! The task: what it hears, and what it does about that.

mod addresses;
mod pace;
mod writes;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use gateway_core::api::{AnyObject, Kind};
use gateway_core::feature::Feature;
use gateway_core::name::ObjectName;
use gateway_core::options::{AddressPolicy, Options as TranslateOptions};
use gateway_core::table::Unbound;
use gateway_core::translate::Translator;
use kube::Client;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};

use self::pace::Pace;
use self::writes::Written;
use super::update::{InUse, Pending, Update};
use super::{Command, ControllerOptions, Progress, View};
use crate::definitions::{DefinitionWatch, Known};
use crate::infrastructure::Maker;
use crate::lease::Candidate;
use crate::observe::Observe;
use crate::status::{Writer, WriterOptions, published_names};
use crate::store::{Effects, Store};
use crate::turns::{Key, Turns};
use crate::watch::{LeftOut, Said, State, WatchOptions, Watches};

/// How long the Secrets of a new listener are waited for. A watch that cannot be made must not keep others' changes back.
const LONGEST_LOOKUP: Duration = Duration::from_secs(5);

/// How long a table may take to be applied until that is said: the embedder may have forgotten it.
const LONGEST_HOLD: Duration = Duration::from_secs(10);

/// How long the end may take. What is served ends after it, in what is left of the time that a program is given.
const LONGEST_END: Duration = Duration::from_secs(5);

/// What a task has to know.
pub(super) struct Running {
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

    pace: Pace,
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

// === impl Running ===

impl Running {
    pub(super) fn new(client: Client, options: ControllerOptions, tell: watch::Sender<Progress>) -> Self {
        let writer = WriterOptions {
            controller_name: options.translate.controller_name.clone(),
            events: options.events,
            concurrency: options.concurrency,
            answer_timeout: options.answer_timeout,
        };
        let definition_watch = DefinitionWatch::new(client.clone(), options.watch.retry);
        let lease = options.lease.clone().filter(|_| options.writes);
        let observer = options.watch.observer.clone().or_else(|| options.observer.clone());
        let own_types = options.translate.own_kinds.types().clone();
        let watch = WatchOptions { observer, own_types, ..options.watch.clone() };
        Self {
            store: Store::default(),
            watch: Watches::new(client.clone(), watch),
            translator: Translator::new(options.translate.clone()),
            definitions: definition_watch.known(),
            _definition_watch: definition_watch,
            candidate: lease.map(|lease| Candidate::new(client.clone(), lease)),
            is_writing: options.writes && options.lease.is_none(),
            maker: Maker::new(client.clone(), &writer.controller_name).answer_timeout(options.answer_timeout),
            writer: Writer::new(client, writer),
            pace: Pace::new(options.debounce, Instant::now()),
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
            turns: Turns::new(options.settle),
            waits: BTreeMap::new(),
            writes: JoinSet::new(),
            failures: BTreeMap::new(),
            progress: Progress::default(),
            tell,
            options,
        }
    }

    pub(super) async fn run(
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
                    // Without a permit the data plane wants no tables any more; statuses are written all the same.
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
            let is_due = is_overdue || self.pace.is_due(Instant::now());
            if is_due && !self.is_held() {
                self.translate();
            }
            self.say_held();
        }
        if timeout(LONGEST_END, self.end()).await.is_err() {
            tracing::warn!("the API server does not answer; the controller ends without it");
        }
    }

    /// Waits for the writes that are under way, and gives the Lease back.
    async fn end(&mut self) {
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
        let rested = self.turns.next_end().into_iter();
        if let Some(since) = self.held_since {
            // Nothing is translated and nothing written.
            let told = (!self.is_told).then(|| since + LONGEST_HOLD);
            return rested.chain(told).min().unwrap_or(idle).min(idle);
        }
        let lookup = self.incomplete_since.map(|since| since + LONGEST_LOOKUP);
        let more = (self.turns.has_next() && self.can_write()).then(Instant::now);
        let all = rested.chain(self.pace.due()).chain(lookup).chain(more);
        all.min().unwrap_or(idle).min(idle)
    }

    /// Whether a table is not in use yet, so that statuses would say too much.
    fn is_held(&self) -> bool {
        self.update.is_some() || self.held_since.is_some()
    }

    fn applied(&mut self, unbound: Option<Vec<Unbound>>) {
        self.held_since = None;
        self.pace.gather(Instant::now());
        if let Some(unbound) = unbound {
            self.set_unbound(unbound);
        }
    }

    fn set_unbound(&mut self, unbound: Vec<Unbound>) {
        if self.translator.options().addresses.unbound != unbound {
            self.translator.set_unbound(unbound);
            // Nothing is written before that is translated.
            self.is_unbound_anew = true;
            self.pace.changed_at_once(Instant::now());
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
        let now = Instant::now();
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
                self.turns.extend(gateway.map(|gateway| (Kind::Gateway, gateway)), now);
            }
            if kind == Kind::Gateway {
                // Their classes have Gateways, or have none any more.
                let classes = self.store.resources().gateway_classes.keys();
                self.turns.extend(classes.map(|class| (Kind::GatewayClass, class.clone())), now);
            }
            self.turns.insert((kind, key), now);
            self.translate_soon();
        }
        self.turns.extend(statuses, now);
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

    fn translate_soon(&mut self) {
        let now = Instant::now();
        self.changed_since.get_or_insert(now);
        self.pace.changed(now);
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
        self.turns.extend(classes.map(|class| (Kind::GatewayClass, class.clone())), Instant::now());
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
            let all = self.store.with_status().map(|(kind, key)| (kind, key.clone()));
            self.turns.extend(all, Instant::now());
        }
        self.is_writing = holds;
        self.observe(|observer| observer.leading(holds));
    }

    fn translate(&mut self) {
        self.pace.begin();
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
        let now = Instant::now();
        self.pace.gather(now);
        self.turns.extend(self.translator.take_status_changes(), now);
        let rejected =
            self.translator.rejected().iter().map(|rejected| (rejected.kind, rejected.key.clone()));
        self.turns.extend(rejected, now);
        let unreadable = self.store.unreadable();
        self.turns.extend(unreadable.map(|unreadable| (unreadable.kind, unreadable.key.clone())), now);
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

    fn observe(&self, told: impl FnOnce(&dyn Observe)) {
        if let Some(observer) = &self.options.observer {
            told(&**observer);
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
