//! The API server of a cluster, for objects of all kinds that cases have.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use gateway_core::api::{AnyObject, Kind};
use gateway_kube::kube::api::{
    Api, ApiResource, DeleteParams, DynamicObject, ListParams, Patch, PatchParams,
};
use gateway_kube::kube::{self, Client};
use serde::de::DeserializeSeed;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::case::ObjectRef;
use crate::engine::EngineError;

/// Who the fields belong to that are applied here.
const MANAGER: &str = "gateway-conformance";

/// How long an object may take to go.
const GONE: Duration = Duration::from_secs(120);

/// How often it is looked whether something has happened.
pub(super) const POLL: Duration = Duration::from_millis(50);

/// How often a status is written anew when another change came first.
const ATTEMPTS: usize = 10;

/// The API server of a cluster.
#[derive(Clone)]
pub(super) struct ApiServer {
    pub(super) client: Client,
    /// The newest version that is served, of the kinds that are.
    versions: BTreeMap<Kind, &'static str>,
}

// === impl ApiServer ===

impl ApiServer {
    /// The API server that the client reaches.
    ///
    /// # Errors
    /// If it does not say which kinds it serves.
    pub(super) async fn new(client: Client) -> Result<Self, EngineError> {
        let mut served = BTreeMap::<String, BTreeSet<String>>::new();
        let mut versions = BTreeMap::new();
        for kind in Kind::ALL {
            for version in kind.versions() {
                let api_version = api_version(*kind, version);
                if !served.contains_key(&api_version) {
                    let kinds = kinds(&client, &api_version).await?;
                    served.insert(api_version.clone(), kinds);
                }
                if served[&api_version].contains(kind.as_str()) {
                    versions.insert(*kind, *version);
                    break;
                }
            }
        }
        Ok(Self { client, versions })
    }

    /// Creates an object, or replaces what was asked for before. What others said of it stays.
    pub(super) async fn apply(&self, object: &AnyObject) -> Result<DynamicObject, EngineError> {
        let name = ObjectRef::new(object.kind(), object.key());
        let mut value = serde_json::to_value(object).map_err(|error| refused(&name, &error))?;
        value["apiVersion"] = json!(api_version(name.kind, self.version(name.kind)?));
        let status = value.as_object_mut().and_then(|object| object.remove("status"));
        if let Some(metadata) = value.get_mut("metadata").and_then(Value::as_object_mut) {
            for field in ["creationTimestamp", "generation", "resourceVersion", "uid"] {
                metadata.remove(field);
            }
        }
        let applied = self.apply_value(&name.to_string(), &self.api(&name)?, &name.key.name, &value).await?;
        match status.filter(|status| status.as_object().is_some_and(|fields| !fields.is_empty())) {
            Some(status) => self.write_status(&name, &status).await,
            None => Ok(applied),
        }
    }

    /// The same for an object of any kind. One whose fields cannot be changed, which another program left, is replaced.
    pub(super) async fn apply_value(
        &self,
        what: &str,
        api: &Api<DynamicObject>,
        name: &str,
        value: &Value,
    ) -> Result<DynamicObject, EngineError> {
        let params = PatchParams::apply(MANAGER).force();
        match api.patch(name, &params, &Patch::Apply(value)).await {
            Err(kube::Error::Api(status)) if status.code == 422 && status.message.contains("immutable") => {
                self.delete_named(what, api, name).await?;
                let again = api.patch(name, &params, &Patch::Apply(value)).await;
                again.map_err(|error| refusal(what, error))
            }
            result => result.map_err(|error| refusal(what, error)),
        }
    }

    /// The object as it is stored.
    pub(super) async fn get(&self, name: &ObjectRef) -> Result<Option<AnyObject>, EngineError> {
        let found = self.api(name)?.get_opt(&name.key.name).await;
        let Some(object) = found.map_err(|error| failed(&name.to_string(), &error))? else { return Ok(None) };
        let value = serde_json::to_value(object).map_err(|error| refused(name, &error))?;
        let object = name.kind.deserialize(value);
        object.map(Some).map_err(|error| EngineError::failed(format!("{name} cannot be read: {error}")))
    }

    /// Deletes an object, and waits until it is gone; false if there is none.
    pub(super) async fn delete(&self, name: &ObjectRef) -> Result<bool, EngineError> {
        // What is not served does not exist.
        if !self.versions.contains_key(&name.kind) {
            return Ok(false);
        }
        self.delete_named(&name.to_string(), &self.api(name)?, &name.key.name).await
    }

    async fn delete_named(
        &self,
        what: &str,
        api: &Api<DynamicObject>,
        name: &str,
    ) -> Result<bool, EngineError> {
        match api.delete(name, &DeleteParams::background()).await {
            Ok(_) => {}
            Err(kube::Error::Api(status)) if status.code == 404 => return Ok(false),
            Err(error) => return Err(failed(what, &error)),
        }
        let started = Instant::now();
        while api.get_metadata_opt(name).await.map_err(|error| failed(what, &error))?.is_some() {
            if started.elapsed() > GONE {
                return Err(not_gone(what));
            }
            sleep(POLL).await;
        }
        Ok(true)
    }

    /// Deletes all objects of a kind in a namespace, and waits until they are gone.
    pub(super) async fn delete_all(&self, kind: Kind, namespace: &str) -> Result<(), EngineError> {
        // What is not served does not exist.
        let Ok(api) = self.api_in(kind, namespace) else { return Ok(()) };
        let what = format!("objects of kind {kind} in {namespace}");
        let (delete, all) = (DeleteParams::background(), ListParams::default());
        api.delete_collection(&delete, &all).await.map_err(|error| failed(&what, &error))?;
        let started = Instant::now();
        while !api.list_metadata(&all).await.map_err(|error| failed(&what, &error))?.items.is_empty() {
            if started.elapsed() > GONE {
                return Err(not_gone(&what));
            }
            sleep(POLL).await;
        }
        Ok(())
    }

    /// Asks that an object be deleted, whether there is one or not.
    pub(super) async fn begin_to_delete(&self, name: &ObjectRef) -> Result<(), EngineError> {
        match self.api(name)?.delete(&name.key.name, &DeleteParams::background()).await {
            Ok(_) => Ok(()),
            Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
            Err(error) => Err(failed(&name.to_string(), &error)),
        }
    }

    /// Waits until an object that is being deleted is gone.
    pub(super) async fn when_not_going(&self, name: &ObjectRef) -> Result<(), EngineError> {
        let (api, started) = (self.api(name)?, Instant::now());
        loop {
            let found = api.get_metadata_opt(&name.key.name).await;
            let found = found.map_err(|error| failed(&name.to_string(), &error))?;
            if found.is_none_or(|object| object.metadata.deletion_timestamp.is_none()) {
                return Ok(());
            }
            if started.elapsed() > GONE {
                return Err(not_gone(&name.to_string()));
            }
            sleep(POLL).await;
        }
    }

    /// Adds to a status what another controller would have written.
    async fn write_status(&self, name: &ObjectRef, written: &Value) -> Result<DynamicObject, EngineError> {
        let (api, what) = (self.api(name)?, format!("the status of {name}"));
        for _ in 0..ATTEMPTS {
            let mut object = api.get(&name.key.name).await.map_err(|error| failed(&what, &error))?;
            add(
                object.data.as_object_mut().map(|fields| fields.entry("status").or_insert(json!({}))),
                written,
            );
            match api.replace_status(&name.key.name, &Default::default(), &object).await {
                Err(kube::Error::Api(status)) if status.code == 409 => {}
                result => return result.map_err(|error| refusal(&what, error)),
            }
        }
        Err(EngineError::failed(format!("{what} is changed by others all the time")))
    }

    fn version(&self, kind: Kind) -> Result<&'static str, EngineError> {
        let version = self.versions.get(&kind).copied();
        version
            .ok_or_else(|| EngineError::unsupported(format!("the cluster knows no objects of kind {kind}")))
    }

    fn api(&self, name: &ObjectRef) -> Result<Api<DynamicObject>, EngineError> {
        self.api_in(name.kind, &name.key.namespace)
    }

    fn api_in(&self, kind: Kind, namespace: &str) -> Result<Api<DynamicObject>, EngineError> {
        let version = self.version(kind)?;
        let resource = ApiResource {
            group: kind.group().to_owned(),
            version: version.to_owned(),
            api_version: api_version(kind, version),
            kind: kind.as_str().to_owned(),
            plural: kind.plural().to_owned(),
        };
        Ok(match kind.is_namespaced() {
            true => Api::namespaced_with(self.client.clone(), namespace, &resource),
            false => Api::all_with(self.client.clone(), &resource),
        })
    }
}

fn api_version(kind: Kind, version: &str) -> String {
    match kind.group() {
        "" => version.to_owned(),
        group => format!("{group}/{version}"),
    }
}

/// The kinds that are served in a version of a group.
async fn kinds(client: &Client, api_version: &str) -> Result<BTreeSet<String>, EngineError> {
    let list = match api_version.contains('/') {
        true => client.list_api_group_resources(api_version).await,
        false => client.list_core_api_resources(api_version).await,
    };
    match list {
        Ok(list) => Ok(list.resources.into_iter().map(|resource| resource.kind).collect()),
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(BTreeSet::new()),
        Err(error) => Err(failed("the kinds that are served", &error)),
    }
}

/// Adds to a document what is written: entries to lists, fields to objects. A condition takes the place of another of its
/// type, as does a listener of the same name.
fn add(document: Option<&mut Value>, written: &Value) {
    let Some(document) = document else { return };
    match (document, written) {
        (Value::Object(fields), Value::Object(written)) => {
            for (name, value) in written {
                match fields.get_mut(name) {
                    Some(known) => add(Some(known), value),
                    None => drop(fields.insert(name.clone(), value.clone())),
                }
            }
        }
        (Value::Array(entries), Value::Array(written)) => {
            for entry in written {
                let same = |known: &&mut Value| {
                    ["type", "name"]
                        .iter()
                        .any(|key| entry.get(key).is_some() && entry.get(key) == known.get(key))
                };
                match entries.iter_mut().find(same) {
                    Some(known) => add(Some(known), entry),
                    None => entries.push(entry.clone()),
                }
            }
        }
        (document, written) => *document = written.clone(),
    }
}

fn not_gone(what: &str) -> EngineError {
    EngineError::failed(format!("{what}: deleted, and not gone after {} s", GONE.as_secs()))
}

/// This object cannot be made: the case cannot be played here, which is no fault of the implementation.
fn refusal(what: &str, error: kube::Error) -> EngineError {
    match &error {
        kube::Error::Api(status)
            if matches!(status.code, 400 | 422) || status.message.contains("not declared in schema") =>
        {
            EngineError::unsupported(format!("the API server refuses {what}: {}", status.message))
        }
        _ => failed(what, &error),
    }
}

/// Something went wrong with a request about this.
pub(super) fn failed(what: &str, error: &kube::Error) -> EngineError {
    match error {
        kube::Error::Api(status) if !status.message.is_empty() => {
            EngineError::failed(format!("{what}: {} ({})", status.message, status.code))
        }
        error => EngineError::failed(format!("{what}: {error}")),
    }
}

fn refused(name: &ObjectRef, error: &serde_json::Error) -> EngineError {
    EngineError::failed(format!("{name}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_added_to_what_is_there() {
        let mut status = json!({
            "conditions": [{"type": "Accepted", "status": "Unknown"}],
            "listeners": [{"name": "http", "attachedRoutes": 2, "conditions": [{"type": "Programmed"}]}],
        });
        let written = json!({
            "conditions": [{"type": "example.com/Other", "status": "True"}, {"type": "Accepted", "status": "True"}],
            "listeners": [{"name": "http", "conditions": [{"type": "example.com/Other"}]}],
            "parents": [{"controllerName": "example.com/other"}],
        });
        add(Some(&mut status), &written);
        let expected = json!({
            "conditions": [{"type": "Accepted", "status": "True"}, {"type": "example.com/Other", "status": "True"}],
            "listeners": [
                {"name": "http", "attachedRoutes": 2, "conditions": [{"type": "Programmed"}, {"type": "example.com/Other"}]},
            ],
            "parents": [{"controllerName": "example.com/other"}],
        });
        assert_eq!(status, expected);
    }

    #[test]
    fn what_an_api_server_refuses_is_no_failure_of_the_implementation() {
        let error = |code: u16, message: &str| {
            let status = kube::core::Status::failure(message, "Invalid").with_code(code);
            refusal("HTTPRoute shop", kube::Error::Api(Box::new(status)))
        };
        let refused = "the API server refuses HTTPRoute shop: no such thing";
        assert_eq!(error(422, "no such thing"), EngineError::unsupported(refused));
        assert!(matches!(error(500, "x: field not declared in schema"), EngineError::Unsupported(_)));
        assert_eq!(error(403, "no"), EngineError::failed("HTTPRoute shop: no (403)"));
    }
}
