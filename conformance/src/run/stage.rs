//! The stage on which a case is played: the engine, and the objects that it was given.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use gateway_core::api::{AnyObject, Kind};
use gateway_core::name::ObjectName;
use serde_json::Value;
use tokio::time::sleep;

use crate::case::{Case, ObjectRef, PatchStep, StatusStep, Step, Target, base};
use crate::certificate::certificates;
use crate::engine::{Abilities, Engine, EngineError, Pace};
use crate::expect::{self, Mismatch};
use crate::outcome::Finding;

use super::clients::Clients;
use super::merge_patch::merge;
use super::patience::{Next, Patience};
use super::{Settings, placeholder};

/// Where a case is played.
pub(super) struct Stage<'a, E> {
    pub(super) engine: E,
    pub(super) settings: &'a Settings,
    pub(super) abilities: &'a Abilities,
    pub(super) place: &'a Place,
    case: &'a Case,
    /// What the engine was given.
    objects: BTreeMap<ObjectRef, AnyObject>,
    pub(super) clients: Clients,
}

/// Why a case does not go on.
#[derive(Debug)]
pub(super) enum Stop {
    /// The engine cannot do such a thing.
    Skipped(String),
    /// Something was not as it must be.
    Failed(Box<Finding>),
}

/// Where in the case it is.
#[derive(Debug, Default)]
pub(super) struct Place(Mutex<String>);

/// Something that must be so, and is not.
#[derive(Debug)]
pub(super) struct Problem {
    /// What was sent or looked at.
    pub(super) sent: String,
    /// What is wrong.
    pub(super) mismatches: Vec<Mismatch>,
    /// What the engine says about it.
    pub(super) explanation: Option<String>,
}

/// A route that has no parents in its status may only not have been looked at yet.
const SETTLED: Duration = Duration::from_secs(1);

/// The next second, in which the age of objects is another one.
const YOUNGER: Duration = Duration::from_millis(1100);

/// What a step is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum About {
    /// It changes objects, and looks at nothing.
    Objects,
    /// It looks at statuses.
    Statuses,
    /// It looks at what was made for a Gateway.
    Infrastructure,
    /// It sends something.
    Traffic,
}

// === impl Stage ===

impl<'a, E: Engine> Stage<'a, E> {
    pub(super) fn new(
        engine: E,
        case: &'a Case,
        settings: &'a Settings,
        abilities: &'a Abilities,
        place: &'a Place,
    ) -> Self {
        Self {
            engine,
            settings,
            abilities,
            place,
            case,
            objects: BTreeMap::new(),
            clients: Clients::default(),
        }
    }

    /// Gives the engine what is there before the first step.
    pub(super) async fn set_up(&mut self) -> Result<(), Stop> {
        self.place.set("objects of the base");
        let case = self.case;
        let is_needed =
            |object: &&AnyObject| object.kind() != Kind::Gateway || case.names_gateway(&object.key());
        let shared: Vec<AnyObject> =
            base().objects.iter().filter(is_needed).chain(certificates().objects()).cloned().collect();
        self.apply(shared).await?;
        self.place.set("objects of the case");
        self.apply(case.first_objects().cloned().collect()).await
    }

    /// Does what the step says, or waits until it is so.
    pub(super) async fn step(&mut self, step: &Step) -> Result<(), Stop> {
        let controller = self.abilities.controller_name.clone();
        match step {
            Step::Ready(objects) => self.each(objects, Duration::ZERO, expect::ready).await,
            Step::Accepted(objects) => {
                self.each(objects, Duration::ZERO, |route| expect::accepted(route, &controller)).await
            }
            Step::Resolved(objects) => {
                self.each(objects, Duration::ZERO, |route| expect::resolved(route, &controller)).await
            }
            Step::NotAccepted(objects) => {
                self.each(objects, SETTLED, |route| expect::not_accepted(route, &controller)).await
            }
            Step::NoRoutes(objects) => self.each(objects, Duration::ZERO, expect::no_routes).await,
            Step::Status(step) => {
                let step = self.status_step(step)?;
                self.object_is(&step.of, Duration::ZERO, &|object| expect::status(&step, object, &controller))
                    .await
            }
            Step::Infrastructure(step) => {
                let mut patience = self.patience(self.settings.status);
                loop {
                    let made = self.engine.infrastructure(&step.of.0).await?;
                    let sent = format!("what was made for Gateway {}", step.of);
                    let problem = Problem::of(sent, expect::infrastructure(step, &made));
                    if self.is_over(&mut patience, problem, 1).await? {
                        return Ok(());
                    }
                }
            }
            Step::Apply(objects) => {
                if self.abilities.pace == Pace::Eventual {
                    sleep(YOUNGER).await;
                }
                let objects = objects.iter().map(|name| self.held_back(name)).collect::<Result<_, _>>()?;
                self.apply(objects).await
            }
            Step::Delete(objects) => {
                for object in objects {
                    self.objects.remove(object);
                    self.engine.delete(object).await?;
                }
                Ok(())
            }
            Step::Patch(patch) => self.patch(patch).await,
            Step::Http(step) => self.http(step).await,
            Step::Grpc(step) => self.grpc(step).await,
            Step::WebSocket(step) => self.websocket(step).await,
            Step::Tcp(step) => self.tcp(step).await,
            Step::Udp(step) => self.udp(step).await,
            Step::Bytes(step) => self.bytes(step).await,
            Step::Mesh(step) => self.mesh(step).await,
            Step::Distribution(step) => self.distribution(step).await,
            Step::MirrorShare(step) => self.mirror_share(step).await,
        }
    }

    /// The port where a target is: that of the Gateway's first listener if nothing else is said.
    pub(super) fn port(&self, target: &Target) -> u16 {
        let name = ObjectRef::new(Kind::Gateway, target.gateway.0.clone());
        let first = match self.objects.get(&name) {
            Some(AnyObject::Gateway(gateway)) => gateway.spec.listeners.first().map(|listener| listener.port),
            _ => None,
        };
        target.port.or_else(|| u16::try_from(first?).ok()).unwrap_or(80)
    }

    /// The text of the certificate in a Secret.
    pub(super) fn certificate(&self, secret: &ObjectRef) -> Option<String> {
        match self.objects.get(secret)? {
            AnyObject::Secret(secret) => {
                Some(String::from_utf8_lossy(&secret.data.get("tls.crt")?.0).into_owned())
            }
            _ => None,
        }
    }

    pub(super) fn patience(&self, limit: Duration) -> Patience {
        Patience::new(self.abilities.pace, self.settings, limit)
    }

    /// Whether what was looked at held long enough; an error if there is no time left to look again.
    pub(super) async fn is_over(
        &mut self,
        patience: &mut Patience,
        problem: Option<Problem>,
        successes: u32,
    ) -> Result<bool, Stop> {
        match patience.after(problem.is_none().then_some(successes)).await {
            Next::Held => Ok(true),
            Next::Again => Ok(false),
            Next::Over => {
                let problem = problem.unwrap_or_else(|| Problem {
                    sent: String::new(),
                    mismatches: vec![Mismatch::new(
                        "answer",
                        "the same several times in a row",
                        "others between",
                    )],
                    explanation: None,
                });
                Err(problem.into_stop(patience.tried()))
            }
        }
    }

    async fn apply(&mut self, objects: Vec<AnyObject>) -> Result<(), Stop> {
        let mut ready = Vec::with_capacity(objects.len());
        for object in objects {
            let object = placeholder::object(&object, self.abilities, &self.case.objects)
                .map_err(EngineError::Failed)?;
            self.objects.insert(ObjectRef::new(object.kind(), object.key()), object.clone());
            ready.push(object);
        }
        Ok(self.engine.apply(ready).await?)
    }

    fn held_back(&self, name: &ObjectRef) -> Result<AnyObject, Stop> {
        let found = self.case.object(name).cloned();
        found.ok_or_else(|| EngineError::failed(format!("{name} is not in the case")).into())
    }

    async fn patch(&mut self, patch: &PatchStep) -> Result<(), Stop> {
        let name = &patch.object;
        let failed = |error: String| EngineError::failed(format!("{name}: {error}"));
        let object = self.objects.get(name).ok_or_else(|| failed("it is not there".to_owned()))?;
        let mut value = serde_json::to_value(object).map_err(|error| failed(error.to_string()))?;
        // What others wrote stays as it is.
        if let Value::Object(fields) = &mut value {
            fields.remove("status");
        }
        merge(&mut value, &patch.merge);
        let object = placeholder::read(name.kind, value).map_err(failed)?;
        self.apply(vec![object]).await
    }

    fn status_step(&self, step: &StatusStep) -> Result<StatusStep, Stop> {
        let replace = |text: &mut String| {
            if let Some(new) = placeholder::replace(text, self.abilities, &[]).map_err(EngineError::Failed)? {
                *text = new;
            }
            Ok::<_, Stop>(())
        };
        let mut step = step.clone();
        step.addresses.iter_mut().flatten().try_for_each(replace)?;
        step.parents.iter_mut().filter_map(|parent| parent.controller_name.as_mut()).try_for_each(replace)?;
        Ok(step)
    }

    async fn each(
        &mut self,
        objects: &[ObjectRef],
        during: Duration,
        check: impl Fn(&AnyObject) -> Vec<Mismatch> + Sync,
    ) -> Result<(), Stop> {
        let step = self.place.get();
        for (index, object) in objects.iter().enumerate() {
            self.place.set(format!("{step}[{index}]"));
            self.object_is(object, during, &check).await?;
        }
        Ok(())
    }

    /// Waits until the object is what it must be.
    async fn object_is(
        &mut self,
        name: &ObjectRef,
        during: Duration,
        check: &(impl Fn(&AnyObject) -> Vec<Mismatch> + Sync),
    ) -> Result<(), Stop> {
        let mut patience = self.patience(self.settings.status).during(during);
        loop {
            let object = self.engine.object(name).await?;
            let mismatches = match &object {
                Some(object) => check(object),
                None => vec![Mismatch::new("object", format!("{name}"), "no such object")],
            };
            let problem = Problem::of(format!("status of {name}"), mismatches);
            let is_unwritten = object.as_ref().is_some_and(expect::is_unwritten);
            let explanation = is_unwritten.then(|| {
                let controller = &self.abilities.controller_name;
                format!("no controller has written one; the GatewayClass names {controller}: is that the name of this one?")
            });
            let problem = problem.map(|problem| Problem { explanation, ..problem });
            if self.is_over(&mut patience, problem, 1).await? {
                return Ok(());
            }
        }
    }

    /// How many copies of a request a backend has.
    pub(super) async fn received(&mut self, backend: &ObjectName, path: &str) -> Result<usize, Stop> {
        Ok(self.engine.received(backend, path).await?)
    }
}

// === impl About ===

impl From<&Step> for About {
    fn from(step: &Step) -> Self {
        match step {
            Step::Apply(_) | Step::Delete(_) | Step::Patch(_) => Self::Objects,
            Step::Ready(_)
            | Step::Accepted(_)
            | Step::Resolved(_)
            | Step::NotAccepted(_)
            | Step::NoRoutes(_)
            | Step::Status(_) => Self::Statuses,
            Step::Infrastructure(_) => Self::Infrastructure,
            Step::Http(_)
            | Step::Grpc(_)
            | Step::WebSocket(_)
            | Step::Tcp(_)
            | Step::Udp(_)
            | Step::Bytes(_)
            | Step::Mesh(_)
            | Step::Distribution(_)
            | Step::MirrorShare(_) => Self::Traffic,
        }
    }
}

// === impl Place ===

impl Place {
    /// It is there now.
    pub(super) fn set(&self, place: impl Into<String>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = place.into();
    }

    /// Where it is.
    pub(super) fn get(&self) -> String {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The finding with the place, and the line there.
    pub(super) fn finding(&self, case: &Case, finding: Finding) -> Finding {
        let place = self.get();
        let at = match place.starts_with("steps[") {
            true => format!("{place} ({}:{})", case.file, case.line(&place)),
            false => format!("{place} ({})", case.file),
        };
        Finding { at, ..finding }
    }
}

// === impl Problem ===

impl Problem {
    /// A problem, if there are mismatches.
    pub(super) fn of(sent: String, mismatches: Vec<Mismatch>) -> Option<Self> {
        (!mismatches.is_empty()).then_some(Self { sent, mismatches, explanation: None })
    }

    /// The end of the case.
    pub(super) fn into_stop(self, tried: String) -> Stop {
        let lines = |of: fn(&Mismatch) -> &str| {
            let line = |it: &Mismatch| format!("{}: {}", it.what, of(it));
            self.mismatches.iter().map(line).collect::<Vec<_>>().join("\n")
        };
        Stop::Failed(Box::new(Finding {
            at: String::new(),
            expected: lines(|it| &it.expected),
            got: lines(|it| &it.got),
            sent: self.sent,
            explanation: self.explanation,
            tried,
        }))
    }
}

// === impl Stop ===

impl From<EngineError> for Stop {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::Unsupported(reason) => Self::Skipped(reason),
            EngineError::Failed(reason) => Self::Failed(Box::new(Finding {
                expected: "an engine that does what it is told".to_owned(),
                got: reason,
                ..Finding::default()
            })),
        }
    }
}
