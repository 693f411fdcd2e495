//! The objects and Deployments of a cluster in which cases are played, one after the other.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::future::try_join_all;
use gateway_core::api::{AnyObject, Kind, Timestamp};
use gateway_core::name::ObjectName;
use gateway_kube::kube::api::{Api, ApiResource, DynamicObject};
use serde_json::Value;
use tokio::time::{Instant, sleep};

use super::api_server::{ApiServer, POLL, failed};
use super::deployment;
use crate::case::{Deployment, ObjectRef, base};
use crate::certificate::certificates;
use crate::engine::EngineError;

/// How long the Pods of a Deployment may take: images are pulled.
const ROLLED_OUT: Duration = Duration::from_secs(300);

/// The next second, in which the age of objects is another one.
const YOUNGER: Duration = Duration::from_millis(1100);

/// How often objects are made again until they have one age.
const ATTEMPTS: usize = 10;

/// What stands in the cluster.
///
/// The base stays from case to case, as do all namespaces; what else a case brought goes before the next one begins.
pub(super) struct Ground {
    server: ApiServer,
    image: String,
    is_cleared: bool,
    /// Each object as it was applied last.
    objects: BTreeMap<ObjectRef, AnyObject>,
    deployments: BTreeMap<ObjectName, Deployment>,
}

// === impl Ground ===

impl Ground {
    pub(super) fn new(server: ApiServer, image: String) -> Self {
        Self { server, image, is_cleared: false, objects: BTreeMap::new(), deployments: BTreeMap::new() }
    }

    /// Takes away what the last case left, and lets these Deployments run.
    pub(super) async fn prepare(&mut self, deployments: Vec<&Deployment>) -> Result<(), EngineError> {
        if !self.is_cleared {
            self.clear().await?;
            self.is_cleared = true;
        }
        let left: Vec<ObjectRef> = self.objects.keys().filter(|name| !stays(name)).cloned().collect();
        try_join_all(left.iter().map(|name| self.server.delete(name))).await?;
        self.objects.retain(|name, _| stays(name));
        let of_base = |name: &ObjectName| base().deployments.iter().any(|it| it.name.0 == *name);
        let left: Vec<ObjectName> = self.deployments.keys().filter(|name| !of_base(name)).cloned().collect();
        for name in left {
            let deleted = self.deployments(&name.namespace).delete(&name.name, &Default::default()).await;
            deleted.map_err(|error| failed(&format!("Deployment {name}"), &error))?;
            self.deployments.remove(&name);
        }
        // Pods mount what these have, in namespaces that are there.
        let mounted = base().objects.iter().filter(|object| object.kind() == Kind::Namespace);
        for object in mounted.chain(certificates().objects()) {
            self.apply(object.clone()).await?;
        }
        for deployment in &deployments {
            let name = &deployment.name.0;
            if self.deployments.get(name) != Some(*deployment) {
                let manifest = deployment::manifest(deployment, &self.image)?;
                let (what, api) = (format!("Deployment {name}"), self.deployments(&name.namespace));
                self.server.apply_value(&what, &api, &name.name, &manifest).await?;
            }
        }
        for deployment in deployments {
            let name = &deployment.name.0;
            if self.deployments.get(name) != Some(deployment) {
                self.rolled_out(deployment).await?;
                self.deployments.insert(name.clone(), deployment.clone());
            }
        }
        Ok(())
    }

    /// Creates objects, or replaces them. Those that say how old they are come into being in that order.
    pub(super) async fn apply_all(&mut self, objects: Vec<AnyObject>) -> Result<(), EngineError> {
        let mut is_first = true;
        for (age, objects) in by_age(objects) {
            if age.is_some() && !std::mem::take(&mut is_first) {
                sleep(YOUNGER).await;
            }
            let new: Vec<ObjectRef> = match age {
                Some(Age::Written(_)) => {
                    objects.iter().map(name_of).filter(|it| !self.objects.contains_key(it)).collect()
                }
                Some(Age::Youngest) | None => Vec::new(),
            };
            for object in &objects {
                self.apply(object.clone()).await?;
            }
            let mut attempts = 1;
            while !self.have_one_age(&new).await? {
                if attempts == ATTEMPTS {
                    let reason = format!("objects did not come to be of one age in {ATTEMPTS} attempts");
                    return Err(EngineError::unsupported(reason));
                }
                attempts += 1;
                for name in &new {
                    self.delete(name).await?;
                }
                for object in objects.iter().filter(|object| new.contains(&name_of(object))) {
                    self.apply(object.clone()).await?;
                }
            }
        }
        Ok(())
    }

    /// Deletes an object; false if there is none.
    pub(super) async fn delete(&mut self, name: &ObjectRef) -> Result<bool, EngineError> {
        self.objects.remove(name);
        self.server.delete(name).await
    }

    /// The object as it was applied last.
    pub(super) fn applied(&self, name: &ObjectRef) -> Option<&AnyObject> {
        self.objects.get(name)
    }

    /// Asks that all go: the namespaces with what is in them, and what is in none. Does not wait for that.
    pub(super) async fn leave(&mut self) -> Result<(), EngineError> {
        for name in std::mem::take(&mut self.objects).keys() {
            if !name.kind.is_namespaced() {
                self.server.begin_to_delete(name).await?;
            }
        }
        self.deployments.clear();
        self.is_cleared = false;
        Ok(())
    }

    /// Takes away what an earlier run may have left in the namespaces of the base. They are there for this alone.
    async fn clear(&self) -> Result<(), EngineError> {
        let namespaces = base().objects.iter().filter(|object| object.kind() == Kind::Namespace);
        for namespace in namespaces.map(|object| object.metadata().name.as_str()) {
            let name = ObjectRef::new(Kind::Namespace, ObjectName::cluster(namespace));
            self.server.when_not_going(&name).await?;
            for kind in Kind::ALL {
                if kind.is_namespaced() && kind.group().ends_with(gateway_core::api::GATEWAY_GROUP) {
                    self.server.delete_all(*kind, namespace).await?;
                }
            }
        }
        Ok(())
    }

    async fn apply(&mut self, object: AnyObject) -> Result<(), EngineError> {
        let name = name_of(&object);
        if self.objects.get(&name) != Some(&object) {
            // Known before it is there, so that it goes in any case.
            self.objects.insert(name, object.clone());
            self.server.apply(&object).await?;
        }
        Ok(())
    }

    async fn have_one_age(&self, names: &[ObjectRef]) -> Result<bool, EngineError> {
        let mut ages = Vec::new();
        for name in names {
            let object = self.server.get(name).await?;
            ages.extend(object.and_then(|object| object.metadata().creation_timestamp.clone()));
        }
        Ok(ages.windows(2).all(|ages| ages[0] == ages[1]))
    }

    async fn rolled_out(&self, deployment: &Deployment) -> Result<(), EngineError> {
        let (name, wanted) = (&deployment.name.0, deployment.replicas);
        let (what, api) = (format!("Deployment {name}"), self.deployments(&name.namespace));
        let started = Instant::now();
        loop {
            let object = api.get(&name.name).await.map_err(|error| failed(&what, &error))?;
            let number = |field: &str| object.data.pointer(field).and_then(Value::as_u64).unwrap_or(0);
            let of = |field: &str| usize::try_from(number(&format!("/status/{field}"))).unwrap_or(usize::MAX);
            let seen = i64::try_from(number("/status/observedGeneration")).ok() >= object.metadata.generation;
            let is_done =
                ["replicas", "updatedReplicas", "availableReplicas"].iter().all(|field| of(field) == wanted);
            if seen && is_done {
                return Ok(());
            }
            if started.elapsed() > ROLLED_OUT {
                let (available, limit) = (of("availableReplicas"), ROLLED_OUT.as_secs());
                return Err(EngineError::failed(format!(
                    "{what} has {available} of {wanted} Pods after {limit} s; is the image {} to be had there?",
                    self.image
                )));
            }
            sleep(POLL).await;
        }
    }

    fn deployments(&self, namespace: &str) -> Api<DynamicObject> {
        let resource = ApiResource {
            group: "apps".to_owned(),
            version: "v1".to_owned(),
            api_version: "apps/v1".to_owned(),
            kind: "Deployment".to_owned(),
            plural: "deployments".to_owned(),
        };
        Api::namespaced_with(self.server.client.clone(), namespace, &resource)
    }
}

/// When an object has to come into being, where that matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Age {
    /// Seconds since 1970 that stand in the case; only their order can be had.
    Written(i64),
    /// After all that are older.
    Youngest,
}

/// The objects in the order in which they come into being: first those whose age does not matter, then the oldest.
fn by_age(objects: Vec<AnyObject>) -> BTreeMap<Option<Age>, Vec<AnyObject>> {
    let written = |object: &AnyObject| {
        object.metadata().creation_timestamp.as_ref().and_then(Timestamp::unix_seconds).map(Age::Written)
    };
    let ages_matter = objects.iter().any(|object| written(object).is_some());
    let mut groups = BTreeMap::<_, Vec<AnyObject>>::new();
    for object in objects {
        let is_referred_to = match object.kind() {
            Kind::Namespace
            | Kind::Service
            | Kind::Secret
            | Kind::ConfigMap
            | Kind::ClusterTrustBundle
            | Kind::EndpointSlice
            | Kind::ServiceImport
            | Kind::Pod
            | Kind::GatewayClass
            | Kind::ReferenceGrant
            | Kind::Own(_) => true,
            Kind::Gateway
            | Kind::ListenerSet
            | Kind::HttpRoute
            | Kind::GrpcRoute
            | Kind::TlsRoute
            | Kind::TcpRoute
            | Kind::UdpRoute
            | Kind::BackendTlsPolicy
            | Kind::XBackend
            | Kind::XBackendTrafficPolicy
            | Kind::XTelemetryPolicy
            | Kind::XMesh => false,
        };
        let age = (!is_referred_to && ages_matter).then(|| written(&object).unwrap_or(Age::Youngest));
        groups.entry(age).or_default().push(object);
    }
    groups
}

/// Whether an object stays when its case is over.
fn stays(name: &ObjectRef) -> bool {
    let is_it = |object: &AnyObject| name_of(object) == *name;
    name.kind == Kind::Namespace || base().objects.iter().chain(certificates().objects()).any(is_it)
}

pub(super) fn name_of(object: &AnyObject) -> ObjectRef {
    ObjectRef::new(object.kind(), object.key())
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::case::cases;

    #[test]
    fn the_oldest_comes_first_and_what_it_refers_to_before_it() {
        let names = |case: &str| -> Vec<Vec<String>> {
            let case = cases().iter().find(|it| it.name == case).unwrap();
            let groups = by_age(case.objects.clone()).into_values();
            groups
                .map(|objects| objects.iter().map(|object| object.metadata().name.clone()).collect())
                .collect()
        };
        assert_eq!(names("BeyondOldestRouteWins"), [["zz-older"], ["aa-newer"]]);
        let tie = names("BeyondNameBreaksTie");
        assert_eq!(tie.last().map(Vec::len), Some(2), "of one age: {tie:?}");
        assert_eq!(names("HTTPRouteMatching").len(), 1, "without an age in the case, the order of the file");
    }

    #[test]
    fn the_base_stays_and_what_a_case_brings_does_not() {
        let stays = |name: &str| stays(&name.parse().unwrap());
        assert!(stays("Gateway same-namespace") && stays("Secret tls-checks-certificate"));
        assert!(stays("Namespace of-a-case"), "it takes long to make and to delete");
        assert!(!stays("HTTPRoute matching"));
    }
}
