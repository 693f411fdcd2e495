//! The objects of a case: what an API server and the controllers beside it do, in memory.
//!
//! Objects get what an API server gives them: a generation that counts the changes of `spec`, an age, an identity. An
//! object that is replaced keeps its status. The statuses that a translation computes are merged into what is stored.
//!
//! Endpoints follow from the pods. A Service with a selector has an EndpointSlice for each pod that it selects; in an
//! EndpointSlice with the label [`PODS_LABEL`] the pods of a Deployment stand. Both are in [`Store::resources`] only, and
//! not among the stored objects; so are the pods, where an XBackend selects among them.

mod endpoints;

use std::sync::Arc;

use gateway_core::api::{AnyObject, Kind, Resources, Timestamp};
use gateway_core::name::ObjectName;
use gateway_core::status::{Statuses, merge};
use serde_json::Value;

pub use self::endpoints::PODS_LABEL;

use crate::case::ObjectRef;
use crate::cluster::RunningPod;

/// 2026-01-01T00:00:00Z, when the clock of every store starts.
const START: i64 = 1_767_225_600;

/// The objects of a case, and the pods behind its Services.
#[derive(Clone, Debug)]
pub struct Store {
    objects: Resources,
    pods: Vec<RunningPod>,
    /// The objects together with the endpoints.
    resources: Arc<Resources>,
    /// Seconds since 1970. Time passes with each call that changes something.
    clock: i64,
    /// How many objects there have been.
    created: u64,
    /// How many times an object was written.
    written: u64,
}

// === impl Store ===

impl Store {
    /// A store without objects, in a cluster with these pods.
    pub fn new(pods: Vec<RunningPod>) -> Self {
        Self {
            objects: Resources::default(),
            pods,
            resources: Arc::default(),
            clock: START,
            created: 0,
            written: 0,
        }
    }

    /// Creates objects, or replaces those that are there. A second passes.
    pub fn apply(&mut self, objects: Vec<AnyObject>) {
        self.clock += 1;
        for object in objects {
            self.put(object);
        }
        self.derive();
    }

    /// Deletes an object; false if there is none. A second passes.
    pub fn delete(&mut self, object: &ObjectRef) -> bool {
        self.clock += 1;
        let deleted = self.objects.remove(object.kind, &object.key).is_some();
        self.derive();
        deleted
    }

    /// Brings what a translation computed together with what is stored.
    pub fn write(&mut self, statuses: &Statuses, controller_name: &str) {
        let now = self.now();
        let written: Vec<AnyObject> = merge::all(&self.objects, statuses, controller_name, &now).collect();
        self.objects.extend(written);
    }

    /// An object as it is stored.
    pub fn get(&self, kind: Kind, key: &ObjectName) -> Option<AnyObject> {
        self.objects.get(kind, key)
    }

    /// All objects together with the endpoints: what a translation looks at.
    pub fn resources(&self) -> &Arc<Resources> {
        &self.resources
    }

    /// The pods behind the Services.
    pub fn pods(&self) -> &[RunningPod] {
        &self.pods
    }

    /// The time of the store.
    pub fn now(&self) -> Timestamp {
        Timestamp::from_unix_seconds(self.clock)
    }

    fn put(&mut self, mut object: AnyObject) {
        // The namespace as it will be stored.
        let key = {
            let mut alone = Resources::default();
            alone.insert(object);
            let Some(settled) = alone.iter().next() else { return };
            object = settled;
            object.key()
        };
        let now = self.now();
        let stored = self.objects.get(object.kind(), &key);
        self.written += 1;
        if stored.is_none() {
            self.created += 1;
        }
        if let Some(stored) = &stored {
            object.take_status(stored);
        }
        let changed = stored.as_ref().is_some_and(|stored| spec(stored) != spec(&object));
        let (created, written) = (self.created, self.written);
        let metadata = object.metadata_mut();
        metadata.resource_version = Some(written.to_string());
        match &stored {
            None => {
                metadata.generation = Some(1);
                metadata.creation_timestamp.get_or_insert(now);
                metadata.uid = Some(format!("00000000-0000-4000-8000-{created:012x}"));
            }
            Some(stored) => {
                let stored = stored.metadata();
                metadata.generation = stored.generation.map(|generation| generation + i64::from(changed));
                metadata.creation_timestamp = stored.creation_timestamp.clone();
                metadata.uid = stored.uid.clone();
            }
        }
        self.objects.insert(object);
    }

    fn derive(&mut self) {
        self.resources = Arc::new(endpoints::with_endpoints(&self.objects, &self.pods));
    }
}

/// What the generation of an object counts the changes of.
fn spec(object: &AnyObject) -> Option<Value> {
    let mut written = serde_json::to_value(object).expect("every object can be written as JSON");
    written.get_mut("spec").map(Value::take)
}

#[cfg(test)]
mod tests {
    use super::*;

    use gateway_core::manifest;

    pub(super) fn objects(yaml: &str) -> Vec<AnyObject> {
        let read = manifest::read(yaml, "test.yaml");
        read.objects.into_iter().map(|(object, _)| object).collect()
    }

    const ROUTE: &str = "
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: route}
spec: {hostnames: [one.example.com]}
";

    #[test]
    fn the_generation_counts_changes_of_the_spec() {
        let mut store = Store::new(Vec::new());
        let key = ObjectName::new("default", "route");
        let metadata = |store: &Store| store.get(Kind::HttpRoute, &key).unwrap().metadata().clone();
        store.apply(objects(ROUTE));
        let first = metadata(&store);
        assert_eq!(first.generation, Some(1));
        let labelled = ROUTE.replace("name: route", "name: route, labels: {a: b}");
        store.apply(objects(&labelled));
        assert_eq!(metadata(&store).generation, Some(1), "labels are no specification");
        store.apply(objects(&ROUTE.replace("one", "two")));
        let last = metadata(&store);
        assert_eq!(last.generation, Some(2));
        assert_eq!((&last.uid, &last.creation_timestamp), (&first.uid, &first.creation_timestamp));
        assert!(store.delete(&ObjectRef::new(Kind::HttpRoute, key.clone())));
        assert!(!store.delete(&ObjectRef::new(Kind::HttpRoute, key.clone())));
        store.apply(objects(ROUTE));
        let second = metadata(&store);
        assert_eq!(second.generation, Some(1));
        assert_ne!(second.uid, first.uid);
        assert!(second.creation_timestamp > first.creation_timestamp);
    }

    #[test]
    fn an_age_and_a_status_that_are_written_are_kept() {
        let mut store = Store::new(Vec::new());
        let written = "
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: route, creationTimestamp: 2001-01-01T00:00:00Z}
spec: {}
status:
  parents:
  - {parentRef: {name: a}, controllerName: example.com/other, conditions: []}
";
        store.apply(objects(written));
        store.apply(objects(ROUTE));
        let AnyObject::HttpRoute(route) =
            store.get(Kind::HttpRoute, &ObjectName::new("default", "route")).unwrap()
        else {
            unreachable!("it is an HTTPRoute")
        };
        assert_eq!(route.metadata.creation_timestamp, Some(Timestamp::from("2001-01-01T00:00:00Z")));
        assert_eq!(route.status.parents[0].controller_name, "example.com/other");
        assert_eq!(route.spec.hostnames, ["one.example.com"]);
    }
}
