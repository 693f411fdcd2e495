//! The core, or an engine of one's own, against the reference, on generated resources and requests.

use std::sync::Arc;
use std::{fmt, ops};

use gateway_core::api::AnyObject;
use gateway_core::feature::Feature;
use gateway_core::manifest::Severity;
use gateway_core::options::Options;
use gateway_core::translate::translate;

use super::sessions::{self, Again, session};
use crate::decision::core::Core;
use crate::decision::reference::Reference;
use crate::decision::{
    Arrival, Decision, Effect, MeshArrival, Outcome, RequestEdits, StreamArrival, StreamOutcome,
};
use crate::generate::{
    CONTROLLER_NAME, Source, World, arrival, mesh_arrival, mesh_world, stream_arrival, stream_world, world,
};

/// How many requests one set of resources is asked about.
pub(super) const REQUESTS: usize = 24;

/// What was compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Compared {
    /// Requests.
    pub requests: usize,
    /// Requests that a rule served; in a mesh those that some Route is for.
    pub served: usize,
    /// Requests that a backend got.
    pub forwarded: usize,
    /// Requests of clients that came again, and were kept with an endpoint.
    pub in_session: usize,
}

/// A request, or a stream, on which an engine and the reference do not agree.
#[derive(Debug)]
pub struct Disagreement<A = Arrival, O = Outcome> {
    world: World,
    arrival: A,
    reference: O,
    engine: O,
}

/// Resources and requests made of the bytes: the core and the reference agree on what becomes of each request, and
/// `explain` decides as `find` does.
///
/// # Panics
/// When they do not.
pub fn find(bytes: &[u8]) {
    if let Err(disagreement) = compare(bytes) {
        panic!("{disagreement}");
    }
}

/// The same, told by its result.
///
/// # Errors
/// When core and reference do not agree.
///
/// # Panics
/// When `explain` decides otherwise than `find`, or something that was generated is refused.
pub fn compare(bytes: &[u8]) -> Result<Compared, Box<Disagreement>> {
    compare_engine(bytes, |world| {
        let core = core(world, &options(world));
        move |arrival: &Arrival| core.answer(arrival)
    })
}

/// An engine of one's own in the place of the core: `start` makes it of the resources, and it says what becomes of each request.
///
/// Only GatewayClasses of [`CONTROLLER_NAME`] are the engine's. What an engine does not have, `start` takes out of the resources:
/// kinds, filters, one of the two answers to [AMB-12](gateway_core::choices#AMB-12). A Gateway has to be left.
///
/// ```
/// use std::sync::Arc;
///
/// use conformance::decision::core::Core;
/// use conformance::decision::{Arrival, RequestEdits};
/// use conformance::fuzzing::compare_engine;
/// use conformance::generate::CONTROLLER_NAME;
/// use gateway_core::options::Options;
///
/// // In a fuzz target, of what the fuzzer gives.
/// let bytes: Vec<u8> = (0..=255).cycle().take(2000).collect();
/// let compared = compare_engine(&bytes, |world| {
///     // This engine has no calls and no sessions, and goes on with less specific hostnames.
///     world.resources.grpc_routes.clear();
///     world.resources.backend_traffic_policies.clear();
///     world.hostname_fall_through = true;
///     let controller_name = CONTROLLER_NAME.to_owned();
///     // The filters of listeners that are generated.
///     let extensions = Some(Arc::new(RequestEdits) as _);
///     let engine = Core::new(
///         &world.resources,
///         &Options { controller_name, extensions, ..Options::default() },
///     );
///     move |arrival: &Arrival| engine.answer(arrival)
/// });
/// assert!(compared.expect("the engine agrees with the reference").requests > 0);
/// ```
///
/// # Errors
/// When the engine and the reference do not agree: the resources as manifests, the request, and what each of them says.
///
/// # Panics
/// When the engine does.
pub fn compare_engine<E: Fn(&Arrival) -> Outcome>(
    bytes: &[u8],
    start: impl FnOnce(&mut World) -> E,
) -> Result<Compared, Box<Disagreement>> {
    each_request(bytes, start, |reference, engine, arrival, source, compared| {
        let (expected, found) = (reference.answer(&arrival), engine(&arrival));
        if !agree(&expected, &found, None) {
            return Err(Box::new(Differ { arrival, reference: expected, engine: found }));
        }
        compared.count(&expected);
        let Some(again) = Again::new(&arrival, [&expected.effect, &found.effect], source) else {
            return Ok(());
        };
        let [of_reference, of_engine] = again.arrivals();
        let (expected, found) = (reference.answer(&of_reference), engine(&of_engine));
        if !agree(&expected, &found, Some(&again)) {
            return Err(Box::new(Differ { arrival: of_engine, reference: expected, engine: found }));
        }
        let kept = session(&expected.effect).and_then(|session| session.kept);
        compared.in_session += usize::from(kept.is_some());
        Ok(())
    })
}

/// The same where the engine says only who serves a request, and not what becomes of it.
///
/// # Errors
/// When the engine and the reference do not agree.
///
/// # Panics
/// When the engine does.
pub fn compare_decisions<E: Fn(&Arrival) -> Decision>(
    bytes: &[u8],
    start: impl FnOnce(&mut World) -> E,
) -> Result<Compared, Box<Disagreement<Arrival, Decision>>> {
    each_request(bytes, start, |reference, engine, arrival, _, compared| {
        let (expected, found) = (reference.answer(&arrival), engine(&arrival));
        compared.count(&expected);
        let reference = expected.decision;
        if reference == found { Ok(()) } else { Err(Box::new(Differ { arrival, reference, engine: found })) }
    })
}

/// A request on which two do not agree.
struct Differ<O> {
    arrival: Arrival,
    reference: O,
    engine: O,
}

/// Has each request that is made of the bytes judged, as far as the first on which the reference and an engine differ.
fn each_request<E, O>(
    bytes: &[u8],
    start: impl FnOnce(&mut World) -> E,
    judge: impl Fn(&Reference<'_>, &E, Arrival, &mut Source<'_>, &mut Compared) -> Result<(), Box<Differ<O>>>,
) -> Result<Compared, Box<Disagreement<Arrival, O>>> {
    let mut source = Source::new(bytes);
    let mut world = world(&mut source);
    let engine = start(&mut world);
    let reference = reference(&world);
    let mut compared = Compared::default();
    while compared.requests < REQUESTS && (compared.requests == 0 || !source.is_empty()) {
        let arrival = arrival(&mut source, &world);
        if let Err(differ) = judge(&reference, &engine, arrival, &mut source, &mut compared) {
            let Differ { arrival, reference, engine } = *differ;
            return Err(Box::new(Disagreement { world, arrival, reference, engine }));
        }
    }
    Ok(compared)
}

/// Resources and what comes in below HTTP made of the bytes: the core and the reference agree on where each connection and
/// datagram goes. Requests to the listeners beside them are compared as well.
///
/// # Panics
/// When they do not.
pub fn streams(bytes: &[u8]) {
    if let Err(disagreement) = compare_streams(bytes) {
        panic!("{disagreement}");
    }
}

/// The same, told by its result: how many connections and datagrams there were, and how many a backend got.
///
/// # Errors
/// When core and reference do not agree.
///
/// # Panics
/// When they do not agree on a request, or something that was generated is refused.
pub fn compare_streams(
    bytes: &[u8],
) -> Result<(usize, usize), Box<Disagreement<StreamArrival, StreamOutcome>>> {
    let mut source = Source::new(bytes);
    let world = stream_world(&mut source);
    let options = Options { features: Feature::ALL.iter().copied().collect(), ..options(&world) };
    let core = core(&world, &options);
    let reference = reference(&world);
    let (mut streams, mut forwarded) = (0, 0);
    while streams < REQUESTS && (streams == 0 || !source.is_empty()) {
        let arrival = stream_arrival(&mut source, &world);
        let (expected, found) = (reference.decide_stream(&arrival), core.stream(&arrival));
        if expected != found {
            return Err(Box::new(Disagreement { world, arrival, reference: expected, engine: found }));
        }
        streams += 1;
        forwarded += usize::from(expected != StreamOutcome::Rejected);
        if source.chance(20) {
            let arrival = self::arrival(&mut source, &world);
            let (expected, found) = (reference.answer(&arrival), core.answer(&arrival));
            let shown = Shown(&world);
            assert!(agree(&expected, &found, None), "{shown}{arrival:?}\n{expected:?}\n{found:?}");
        }
    }
    Ok((streams, forwarded))
}

/// A request of a workload on which they do not agree.
pub type MeshDisagreement = Disagreement<MeshArrival, Option<Effect>>;

/// Resources and requests of workloads made of the bytes: the core and the reference agree on what becomes of each request to a
/// Service. Requests to the Gateways beside them are compared as well.
///
/// # Panics
/// When they do not.
pub fn mesh(bytes: &[u8]) {
    if let Err(disagreement) = compare_mesh(bytes) {
        panic!("{disagreement}");
    }
}

/// The same, told by its result.
///
/// # Errors
/// When core and reference do not agree.
///
/// # Panics
/// When they do not agree on a request to a Gateway, or something that was generated is refused.
pub fn compare_mesh(bytes: &[u8]) -> Result<Compared, Box<MeshDisagreement>> {
    let mut source = Source::new(bytes);
    let world = mesh_world(&mut source);
    let options = Options { features: Feature::ALL.iter().copied().collect(), ..options(&world) };
    let core = core(&world, &options);
    let reference = reference(&world);
    let mut compared = Compared::default();
    while compared.requests < REQUESTS && (compared.requests == 0 || !source.is_empty()) {
        let arrival = mesh_arrival(&mut source, &world);
        let expected = reference.answer_in_mesh(&arrival);
        let by_route = core.answer_in_mesh(&arrival);
        compared.served += usize::from(by_route.is_some());
        compared.forwarded += usize::from(matches!(by_route, Some(Effect::Forwarded(_))));
        let found = by_route.or_else(|| reference.answer_without_mesh(&arrival));
        let sessions = [&expected, &found].map(|effect| effect.as_ref().and_then(session));
        if !sessions::agree([&expected, &found], sessions, None) {
            return Err(Box::new(Disagreement { world, arrival, reference: expected, engine: found }));
        }
        compared.requests += 1;
        if source.chance(20) {
            let arrival = self::arrival(&mut source, &world);
            let (expected, found) = (reference.answer(&arrival), core.answer(&arrival));
            let shown = Shown(&world);
            assert!(agree(&expected, &found, None), "{shown}{arrival:?}\n{expected:?}\n{found:?}");
        }
    }
    Ok(compared)
}

fn agree(reference: &Outcome, core: &Outcome, again: Option<&Again>) -> bool {
    let sessions = [session(&reference.effect), session(&core.effect)];
    sessions::agree([reference, core], sessions, again)
}

/// The core with these resources, of which it refuses none.
pub(super) fn core(world: &World, options: &Options) -> Core {
    let translation = translate(&world.resources, options);
    let mut diagnostics = translation.diagnostics.iter();
    let error = diagnostics.find(|diagnostic| diagnostic.severity == Severity::Error);
    assert!(error.is_none(), "an API server would take everything that is generated: {error:?}");
    Core::with_table(translation.table)
}

/// Resources made of the bytes, put together in another order: the translation is the same.
///
/// # Panics
/// When it is not.
pub fn any_order(bytes: &[u8]) {
    let mut source = Source::new(bytes);
    let world = world(&mut source);
    let mut objects: Vec<AnyObject> = world.resources.iter().collect();
    for i in (1..objects.len()).rev() {
        objects.swap(i, source.below(i + 1));
    }
    let shuffled = World { resources: objects.into_iter().collect(), ..world.clone() };
    let (one, other) =
        (translate(&world.resources, &options(&world)), translate(&shuffled.resources, &options(&world)));
    assert_eq!(one.statuses, other.statuses);
    assert_eq!(one.diagnostics, other.diagnostics);
    let (one, other) = (Core::with_table(one.table), Core::with_table(other.table));
    for _ in 0..REQUESTS {
        let arrival = arrival(&mut source, &world);
        assert_eq!(one.answer(&arrival), other.answer(&arrival), "{arrival:?}\n{}", Shown(&world));
    }
}

pub(super) fn options(world: &World) -> Options {
    Options {
        controller_name: CONTROLLER_NAME.to_owned(),
        hostname_fall_through: world.hostname_fall_through,
        extensions: Some(Arc::new(RequestEdits)),
        ..Options::default()
    }
}

fn reference(world: &World) -> Reference<'_> {
    Reference {
        resources: &world.resources,
        controller_name: CONTROLLER_NAME,
        hostname_fall_through: world.hostname_fall_through,
    }
}

// === impl Compared ===

impl Compared {
    fn count(&mut self, outcome: &Outcome) {
        self.requests += 1;
        match outcome.decision {
            Decision::Served { .. } => self.served += 1,
            Decision::Refused(_) => {}
        }
        match outcome.effect {
            Effect::Forwarded(_) => self.forwarded += 1,
            Effect::Answered(_) | Effect::Asks(_) => {}
        }
    }
}

impl ops::AddAssign for Compared {
    fn add_assign(&mut self, other: Self) {
        self.requests += other.requests;
        self.served += other.served;
        self.forwarded += other.forwarded;
        self.in_session += other.in_session;
    }
}

// === impl Disagreement ===

impl<A: fmt::Debug, O: fmt::Debug> fmt::Display for Disagreement<A, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { world, arrival, reference, engine } = self;
        writeln!(f, "{}{arrival:?}\nreference: {reference:?}\n   engine: {engine:?}", Shown(world))
    }
}

/// Prints the resources as manifests, one a line, which a YAML reader takes too.
pub(super) struct Shown<'w>(pub(super) &'w World);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "hostname_fall_through: {}", self.0.hostname_fall_through)?;
        for object in self.0.resources.iter() {
            writeln!(f, "{}", serde_json::to_string(&object).map_err(|_| fmt::Error)?)?;
        }
        Ok(())
    }
}
