//! An engine with a fault.

use std::collections::BTreeMap;
use std::sync::Arc;

use gateway_core::api::{
    AnyObject, GATEWAY_GROUP, Kind, ObjectMeta, ReferenceGrant, ReferenceGrantFrom, ReferenceGrantSpec,
    ReferenceGrantTo,
};
use gateway_core::name::ObjectName;

use super::order::{Entry, split};
use super::{Fault, Mutant};
use crate::case::{Case, GrpcCode, ObjectRef};
use crate::engine::{Abilities, ControlPlane, Engine, EngineError, Engines, Infrastructure};
use crate::exchange::{Answer, Exchange, HttpAnswer};

pub(super) const MUTANTS: &[Mutant] = &[
    Mutant { name: "no grant is asked for", fault: Fault::Extra(every_grant) },
    Mutant {
        name: "a grant that is deleted goes on",
        fault: Fault::Deaf(|object| object.kind == Kind::ReferenceGrant),
    },
    Mutant {
        name: "a route that changes stays as it was",
        fault: Fault::Blind(|object| object.kind == Kind::HttpRoute),
    },
    Mutant {
        name: "a Gateway that changes stays as it was",
        fault: Fault::Blind(|object| object.kind == Kind::Gateway),
    },
    Mutant { name: "mirrored copies are lost", fault: Fault::Copies(0) },
    Mutant { name: "mirrored copies are sent three times", fault: Fault::Copies(3) },
];

/// Engines with a fault.
#[derive(Debug)]
pub struct Mutated<E> {
    engines: Arc<E>,
    mutant: Mutant,
}

/// An engine with a fault.
#[derive(Debug)]
pub struct MutatedEngine<E: Engines> {
    engines: Arc<E>,
    mutant: Mutant,
    case: Case,
    inner: E::Engine,
    /// What has been applied, as it was written.
    objects: BTreeMap<ObjectRef, AnyObject>,
    /// For [`Fault::Order`]: an engine for each match entry; empty until a request comes.
    alone: Vec<(Entry, E::Engine)>,
    /// Which of these answered last.
    chosen: Option<usize>,
}

// === impl Mutated ===

impl<E> Mutated<E> {
    /// These engines, with this fault.
    pub fn new(engines: Arc<E>, mutant: Mutant) -> Self {
        Self { engines, mutant }
    }
}

impl<E: Engines + 'static> Engines for Mutated<E> {
    type Engine = MutatedEngine<E>;

    fn name(&self) -> &str {
        self.mutant.name
    }

    fn abilities(&self) -> Abilities {
        self.engines.abilities()
    }

    async fn start(&self, case: &Case) -> Result<MutatedEngine<E>, EngineError> {
        let mut inner = self.engines.start(case).await?;
        if let Fault::Extra(objects) = self.mutant.fault {
            inner.apply(objects()).await?;
        }
        Ok(MutatedEngine {
            engines: self.engines.clone(),
            mutant: self.mutant,
            case: case.clone(),
            inner,
            objects: BTreeMap::new(),
            alone: Vec::new(),
            chosen: None,
        })
    }
}

// === impl MutatedEngine ===

impl<E: Engines + 'static> ControlPlane for MutatedEngine<E> {
    async fn apply(&mut self, mut objects: Vec<AnyObject>) -> Result<(), EngineError> {
        self.alone.clear();
        if let Fault::Blind(blind) = self.mutant.fault {
            let known = |object: &AnyObject| self.objects.contains_key(&name(object));
            objects.retain(|object| !(known(object) && blind(&name(object))));
        }
        self.objects.extend(objects.iter().map(|object| (name(object), object.clone())));
        if let Fault::Object(misread) = self.mutant.fault {
            objects.iter_mut().for_each(misread);
        }
        self.inner.apply(objects).await
    }

    async fn delete(&mut self, object: &ObjectRef) -> Result<(), EngineError> {
        if let Fault::Deaf(deaf) = self.mutant.fault
            && deaf(object)
        {
            return Ok(());
        }
        self.alone.clear();
        self.objects.remove(object);
        self.inner.delete(object).await
    }

    async fn object(&self, object: &ObjectRef) -> Result<Option<AnyObject>, EngineError> {
        let mut found = self.inner.object(object).await?;
        if let (Fault::Status(change), Some(found)) = (self.mutant.fault, &mut found) {
            change(found);
        }
        Ok(found)
    }

    async fn infrastructure(&self, gateway: &ObjectName) -> Result<Vec<Infrastructure>, EngineError> {
        self.inner.infrastructure(gateway).await
    }

    fn explain(&self, exchange: &Exchange) -> Option<String> {
        self.inner.explain(exchange)
    }
}

impl<E: Engines + 'static> Engine for MutatedEngine<E> {
    async fn send(&mut self, exchange: &Exchange) -> Result<Answer, EngineError> {
        let mut exchange = exchange.clone();
        if let (Fault::Request(mistake), Exchange::Http(_, request)) = (self.mutant.fault, &mut exchange) {
            let objects: Vec<AnyObject> = self.objects.values().cloned().collect();
            mistake(&objects, request);
        }
        if let (Fault::Way(mistake), Exchange::Mesh(way, request)) = (self.mutant.fault, &mut exchange) {
            mistake(way, request);
        }
        let mut answer = match self.mutant.fault {
            Fault::Order(_) => self.in_another_order(&exchange).await?,
            _ => self.inner.send(&exchange).await?,
        };
        match (self.mutant.fault, &mut answer) {
            (Fault::Answer(change), Answer::Http(answer)) => change(answer),
            (Fault::Code(right, wrong), Answer::Grpc(answer)) if answer.code == right.number() => {
                answer.code = wrong.number();
            }
            _ => {}
        }
        Ok(answer)
    }

    async fn received(&self, backend: &ObjectName, path: &str) -> Result<usize, EngineError> {
        let received = match self.chosen.and_then(|chosen| self.alone.get(chosen)) {
            Some((_, engine)) => engine.received(backend, path).await?,
            None => self.inner.received(backend, path).await?,
        };
        Ok(match self.mutant.fault {
            Fault::Copies(copies) => received * copies,
            _ => received,
        })
    }
}

impl<E: Engines + 'static> MutatedEngine<E> {
    /// Asks the good engine about every match entry alone; of those that match, the first in the mutant's order answers.
    async fn in_another_order(&mut self, exchange: &Exchange) -> Result<Answer, EngineError> {
        let Fault::Order(order) = self.mutant.fault else { return self.inner.send(exchange).await };
        if self.alone.is_empty() {
            self.split().await?;
        }
        let mut best: Option<(usize, &Entry, Answer)> = None;
        for (index, (entry, engine)) in self.alone.iter_mut().enumerate() {
            let answer = engine.send(exchange).await?;
            let matches = match &answer {
                Answer::Http(answer) => !matches!(answer.status, 404 | 421) && !is_unimplemented(answer),
                Answer::Grpc(answer) => answer.code != GrpcCode::Unimplemented.number(),
                Answer::Failed(_) => false,
                _ => true,
            };
            if matches && best.as_ref().is_none_or(|(_, known, _)| order(entry, known).is_lt()) {
                best = Some((index, entry, answer));
            }
        }
        self.chosen = best.as_ref().map(|(index, ..)| *index);
        match best {
            Some((_, _, answer)) => Ok(answer),
            None => self.inner.send(exchange).await,
        }
    }

    async fn split(&mut self) -> Result<(), EngineError> {
        let is_split = |object: &AnyObject| matches!(object.kind(), Kind::HttpRoute | Kind::GrpcRoute);
        let others: Vec<_> = self.objects.values().filter(|object| !is_split(object)).cloned().collect();
        let mut entries = Vec::new();
        for (name, object) in self.objects.iter().filter(|(_, object)| is_split(object)) {
            // As it is stored, with the time of its creation.
            let stored = self.inner.object(name).await?;
            let created = stored.as_ref().and_then(|stored| stored.metadata().creation_timestamp.as_ref());
            let created = created.and_then(|time| time.unix_seconds()).unwrap_or(i64::MAX);
            entries.extend(match object {
                AnyObject::HttpRoute(route) => split(&**route, &others, created),
                AnyObject::GrpcRoute(route) => split(&**route, &others, created),
                _ => Vec::new(),
            });
        }
        for (entry, route) in entries {
            let mut engine = self.engines.start(&self.case).await?;
            engine.apply(others.iter().cloned().chain([route]).collect()).await?;
            self.alone.push((entry, engine));
        }
        Ok(())
    }
}

/// Whether a call that came as a request found no rule.
fn is_unimplemented(answer: &HttpAnswer) -> bool {
    answer.header("grpc-status") == [GrpcCode::Unimplemented.number().to_string()]
}

fn name(object: &AnyObject) -> ObjectRef {
    ObjectRef::new(object.kind(), object.key())
}

/// Grants for everything in every namespace of the base.
fn every_grant() -> Vec<AnyObject> {
    const NAMESPACES: &[&str] =
        &["gateway-conformance-infra", "gateway-conformance-app-backend", "gateway-conformance-web-backend"];
    let grant = |namespace: &&str| {
        // A grant has room for sixteen.
        let kinds = ["Gateway", "ListenerSet", "HTTPRoute", "GRPCRoute", "TLSRoute"];
        let from = kinds.iter().flat_map(|kind| {
            NAMESPACES.iter().map(|from| ReferenceGrantFrom {
                group: GATEWAY_GROUP.to_owned(),
                kind: (*kind).to_owned(),
                namespace: (*from).to_owned(),
            })
        });
        let to = ["Service", "Secret", "ConfigMap"].map(|kind| ReferenceGrantTo {
            group: String::new(),
            kind: kind.to_owned(),
            name: None,
        });
        let metadata = ObjectMeta {
            name: "everything".to_owned(),
            namespace: Some((*namespace).to_owned()),
            ..ObjectMeta::default()
        };
        ReferenceGrant { metadata, spec: ReferenceGrantSpec { from: from.collect(), to: to.to_vec() } }.into()
    };
    NAMESPACES.iter().map(grant).collect()
}
