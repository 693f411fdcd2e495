//! A cluster as it would be with manifests applied to it.

use std::collections::BTreeSet;

use gateway_core::api::{AnyObject, Kind, Resources};
use gateway_core::manifest::Collection;
use gateway_core::name::ObjectName;
use gateway_core::options::Options;
use gateway_core::resolve::Lookups;
use gateway_core::translate::Translator;
use gateway_kube::api_resource;
use gateway_kube::kube::Client;
use gateway_kube::kube::api::{Api, DynamicObject, ListParams, TypeMeta};

/// Why an object that the manifests name could not be read.
#[derive(Debug, thiserror::Error)]
#[error("{what} cannot be read, which the manifests ask for: {cause}")]
pub struct LookUpError {
    what: String,
    cause: Box<dyn std::error::Error + Send + Sync>,
}

/// What was asked for so far of what is only read where something asks for it: Secrets, ConfigMaps, bundles of certificates, Pods.
struct Asked<'c> {
    client: &'c Client,
    objects: BTreeSet<(Kind, ObjectName)>,
    pods_of: BTreeSet<String>,
}

/// Puts what is `written` over the objects of a cluster, as an API server would, and reads what else is asked for then.
///
/// What takes the place of an object keeps its age. What is new is younger than all there is.
///
/// # Errors
/// What is asked for may not be read, or the API server does not answer.
pub async fn dry_run(
    mut written: Collection,
    cluster: &Resources,
    client: &Client,
    options: &Options,
) -> Result<Collection, LookUpError> {
    let mut translator = Translator::new(options.clone());
    translator.update(cluster);
    let mut asked = Asked { client, objects: BTreeSet::new(), pods_of: BTreeSet::new() };
    asked.note(&translator.translate().lookups);

    let mut together = cluster.clone();
    for mut object in written.resources.iter() {
        if let Some(replaced) = cluster.get(object.kind(), &object.key()) {
            object.take_status(&replaced);
            let (old, new) = (replaced.metadata(), object.metadata_mut());
            new.generation = old.generation;
            new.creation_timestamp.clone_from(&old.creation_timestamp);
            new.uid.clone_from(&old.uid);
        }
        together.insert(object);
    }
    loop {
        translator.update(&together);
        let found = asked.look_up(&translator.translate().lookups).await?;
        if found.is_empty() {
            written.resources = together;
            return Ok(written);
        }
        together.extend(found);
    }
}

// === impl Asked ===

impl Asked<'_> {
    fn note(&mut self, lookups: &Lookups) {
        for kind in [Kind::Secret, Kind::ConfigMap, Kind::ClusterTrustBundle] {
            self.objects.extend(lookups.of_kind(kind).map(|key| (kind, key.clone())));
        }
        self.pods_of.extend(lookups.pods_of().map(str::to_owned));
    }

    /// What there is of what was not asked for before.
    async fn look_up(&mut self, lookups: &Lookups) -> Result<Vec<AnyObject>, LookUpError> {
        let known = (self.objects.clone(), self.pods_of.clone());
        self.note(lookups);
        let mut found = Vec::new();
        for (kind, key) in self.objects.difference(&known.0) {
            let failed = |cause| LookUpError { what: format!("{kind} {key}"), cause };
            let api = self.api(*kind, &key.namespace);
            let object = api.get_opt(&key.name).await.map_err(|error| failed(error.into()))?;
            let object = object.map(|object| AnyObject::from_other(&object)).transpose();
            found.extend(object.map_err(|error| failed(error.into()))?);
        }
        for namespace in self.pods_of.difference(&known.1) {
            let failed = |cause| LookUpError { what: format!("Pods of {namespace}"), cause };
            let pods = self.api(Kind::Pod, namespace).list(&ListParams::default()).await;
            for mut pod in pods.map_err(|error| failed(error.into()))? {
                // In lists they do not say what they are.
                pod.types = Some(TypeMeta { api_version: Kind::Pod.api_version(), kind: "Pod".to_owned() });
                found.push(AnyObject::from_other(&pod).map_err(|error| failed(error.into()))?);
            }
        }
        Ok(found)
    }

    fn api(&self, kind: Kind, namespace: &str) -> Api<DynamicObject> {
        let resource = api_resource(kind, kind.versions()[0]);
        match kind.is_namespaced() {
            true => Api::namespaced_with(self.client.clone(), namespace, &resource),
            false => Api::all_with(self.client.clone(), &resource),
        }
    }
}
