//! Objects as an API server sends them, read as what [`gateway_core`] translates.
//!
//! An API server has checked what it stores against its own schema, not against ours: it may be of another version. An
//! object that does not fit is no error of the watch, and does not keep others from being read. It is [`Unreadable`], and says
//! which field; statuses tell its owner.
//!
//! An object is split into the part that is translated, shared with the translator, and what is needed to write its status
//! again. Neither `managedFields` nor what `kubectl apply` notes for itself is kept.

use std::borrow::Cow;
use std::fmt;

use gateway_core::api::{
    self, AnyObject, BackendStatus, GatewayClassStatus, GatewayStatus, Kind, ListenerSetStatus,
    ParentReference, PolicyStatus, RouteStatus,
};
use gateway_core::manifest::{self, Manifest, ManifestProblem, OwnTypes, Severity};
use gateway_core::name::ObjectName;
use kube::api::DynamicObject;
use kube::core::{ApiResource, DynamicResourceScope, ObjectMeta};
use serde::de::{DeserializeOwned, DeserializeSeed};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::former_field;

/// The whole object once more, for `kubectl apply` alone.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// An object of an API server, in two parts.
#[derive(Clone, Debug)]
pub struct Object {
    /// What is translated: without a status and a version, so that it is equal as long as the same was asked for.
    pub object: AnyObject,
    /// What is stored beside it.
    pub stored: Stored,
}

/// What an API server stores with an object besides what was asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Stored {
    /// The version of the API that the object was read in.
    pub version: &'static str,
    /// The version of the stored object, opaque.
    pub resource_version: String,
    /// The identity of the object over time.
    pub uid: String,
    /// Counts the changes of what is asked for.
    pub generation: Option<i64>,
    /// What has to be done before the object may go.
    pub finalizers: Vec<String>,
    /// Whether its deletion was asked for.
    pub is_deleted: bool,
    /// The status.
    pub status: StoredStatus,
}

/// The status of an object as it is stored, for the kinds whose status is written.
#[derive(Clone, Debug, PartialEq)]
pub enum StoredStatus {
    /// A kind whose status is not written.
    None,
    /// It cannot be read, and so it is not written either: what others wrote would be lost. What is wrong with it.
    Unreadable(String),
    /// Of a GatewayClass.
    GatewayClass(GatewayClassStatus),
    /// Of a Gateway.
    Gateway(GatewayStatus),
    /// Of a ListenerSet.
    ListenerSet(ListenerSetStatus),
    /// Of a Route of any kind.
    Route(RouteStatus),
    /// Of a policy.
    Policy(PolicyStatus),
    /// Of an XBackend.
    Backend(BackendStatus),
}

/// An object that is stored and cannot be read, with what is known of it nevertheless.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{kind} {key} cannot be read and is left out: {field}: {message}")]
pub struct Unreadable {
    /// The kind.
    pub kind: Kind,
    /// Namespace and name.
    pub key: ObjectName,
    /// The field that cannot be read.
    pub field: String,
    /// What is wrong with it, and the way out.
    pub message: String,
    /// The parents that it names, if it is a Route.
    pub parent_refs: Vec<ParentReference>,
    /// The class that it names, if it is a Gateway.
    pub class_name: Option<String>,
    /// What is stored beside it.
    pub stored: Stored,
}

/// An object as it came, with as much metadata as a watch has to know.
#[derive(Clone)]
pub(crate) struct Received {
    metadata: ObjectMeta,
    value: Value,
}

/// The name under which the API server notes the fields that are written. It takes no more than 128 characters; controller names are
/// ASCII, and may be longer.
pub(crate) fn field_manager(controller_name: &str) -> &str {
    const LONGEST: usize = 128;
    controller_name.get(..LONGEST).unwrap_or(controller_name)
}

/// The kind as requests are made for it, with [`kube::Api::all_with`] for instance, in one of its [versions](Kind::versions).
pub fn api_resource(kind: Kind, version: &str) -> ApiResource {
    let group = kind.group();
    ApiResource {
        group: group.to_owned(),
        version: version.to_owned(),
        api_version: if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") },
        kind: kind.as_str().to_owned(),
        plural: kind.plural().to_owned(),
    }
}

/// Takes an object apart.
///
/// # Errors
/// Which field cannot be read.
pub(crate) fn read(kind: Kind, version: &'static str, received: Received) -> Result<Object, Box<Unreadable>> {
    read_with(kind, version, received, &OwnTypes::default())
}

/// The same for an object that may be of one of the embedder's own kinds.
///
/// # Errors
/// Which field cannot be read.
pub(crate) fn read_with(
    kind: Kind,
    version: &'static str,
    received: Received,
    own: &OwnTypes,
) -> Result<Object, Box<Unreadable>> {
    let Received { mut value, .. } = received;
    // That of a Pod is all that there is of interest, and its node's.
    let status = match kind {
        Kind::Pod => None,
        _ => value.as_object_mut().and_then(|object| object.remove("status")),
    };
    let mut stored = Stored {
        version,
        resource_version: String::new(),
        uid: String::new(),
        generation: None,
        finalizers: Vec::new(),
        is_deleted: false,
        status: read_status(kind, status),
    };
    let mut key = ObjectName::default();
    if let Some(metadata) = value.get_mut("metadata").and_then(Value::as_object_mut) {
        let mut take = |field| match metadata.remove(field) {
            Some(Value::String(text)) => text,
            _ => String::new(),
        };
        stored.resource_version = take("resourceVersion");
        stored.uid = take("uid");
        stored.generation = metadata.get("generation").and_then(Value::as_i64);
        stored.is_deleted = metadata.contains_key("deletionTimestamp");
        if let Some(Value::Array(finalizers)) = metadata.remove("finalizers") {
            stored.finalizers = finalizers.into_iter().filter_map(text).collect();
        }
        if let Some(annotations) = metadata.get_mut("annotations").and_then(Value::as_object_mut) {
            annotations.remove(LAST_APPLIED);
        }
        if kind == Kind::Pod {
            // There are many, and their labels are enough.
            metadata.remove("annotations");
            metadata.remove("creationTimestamp");
        }
        let name = |field| metadata.get(field).and_then(Value::as_str).unwrap_or_default();
        key = ObjectName::new(name("namespace"), name("name"));
    }
    former_field::rewrite(kind, &mut value);
    let read = match kind {
        Kind::Own(_) => read_own(kind, version, &value, own),
        _ => read_known(kind, &value),
    };
    match read {
        Ok(object) => Ok(Object { object, stored }),
        Err(Refused { field, message }) => {
            let parent_refs = value.pointer("/spec/parentRefs").map(|refs| lenient(refs.clone()));
            let class_name = value.pointer("/spec/gatewayClassName").and_then(Value::as_str);
            Err(Box::new(Unreadable {
                kind,
                key,
                field,
                message,
                parent_refs: parent_refs.unwrap_or_default(),
                class_name: class_name.map(str::to_owned),
                stored,
            }))
        }
    }
}

/// A field that keeps an object from being read, and why.
struct Refused {
    field: String,
    message: String,
}

fn read_known(kind: Kind, value: &Value) -> Result<AnyObject, Refused> {
    // Read from a reference, so that a failure leaves something to look at.
    let mut track = serde_path_to_error::Track::new();
    kind.deserialize(serde_path_to_error::Deserializer::new(value, &mut track)).map_err(|error| Refused {
        field: track.path().to_string(),
        message: format!("{error}; write what v1.7 of the Gateway API has there"),
    })
}

/// Reads an object of one of the embedder's own kinds as a manifest of it is read: what is wrong with it is told by the same words.
fn read_own(kind: Kind, version: &'static str, value: &Value, own: &OwnTypes) -> Result<AnyObject, Refused> {
    let mut manifest = value.clone();
    if let Some(fields) = manifest.as_object_mut() {
        // The entries of a list go without.
        fields.insert("apiVersion".to_owned(), api_resource(kind, version).api_version.into());
        fields.insert("kind".to_owned(), kind.as_str().into());
    }
    let Manifest { objects, problems } = manifest::read_with(&manifest.to_string(), kind.as_str(), own);
    if let Some((object, _)) = objects.into_iter().next() {
        return Ok(object);
    }
    let why = problems.into_iter().find(|problem| problem.severity == Severity::Error);
    Err(match why {
        Some(ManifestProblem { field, message, .. }) => Refused { field: field.unwrap_or_default(), message },
        None => Refused { field: String::new(), message: format!("{kind} is no kind that is read") },
    })
}

/// Those entries of a list that can be read.
fn lenient<T: DeserializeOwned>(list: Value) -> Vec<T> {
    let Value::Array(entries) = list else { return Vec::new() };
    entries.into_iter().filter_map(|entry| serde_json::from_value(entry).ok()).collect()
}

fn text(value: Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text),
        _ => None,
    }
}

fn read_status(kind: Kind, value: Option<Value>) -> StoredStatus {
    fn read<S: DeserializeOwned>(value: Value, status: impl FnOnce(S) -> StoredStatus) -> StoredStatus {
        match serde_path_to_error::deserialize(&value) {
            Ok(read) => status(read),
            Err(error) => StoredStatus::Unreadable(format!("status.{}: {}", error.path(), error.inner())),
        }
    }
    let value = value.filter(|value| !value.is_null()).unwrap_or_else(|| Value::Object(Default::default()));
    match kind {
        Kind::GatewayClass => read(value, StoredStatus::GatewayClass),
        Kind::Gateway => read(value, StoredStatus::Gateway),
        Kind::ListenerSet => read(value, StoredStatus::ListenerSet),
        Kind::HttpRoute | Kind::GrpcRoute | Kind::TlsRoute | Kind::TcpRoute | Kind::UdpRoute => {
            read(value, StoredStatus::Route)
        }
        Kind::BackendTlsPolicy | Kind::XBackendTrafficPolicy | Kind::XTelemetryPolicy => {
            read(value, StoredStatus::Policy)
        }
        Kind::XBackend => read(value, StoredStatus::Backend),
        Kind::Namespace
        | Kind::Service
        | Kind::Secret
        | Kind::ConfigMap
        | Kind::ClusterTrustBundle
        | Kind::EndpointSlice
        | Kind::ServiceImport
        | Kind::Pod
        | Kind::ReferenceGrant
        | Kind::XMesh
        // Its status is the embedder's to write.
        | Kind::Own(_) => StoredStatus::None,
    }
}

/// A Namespace, of which the metadata is all that is read.
pub(crate) fn namespace(metadata: ObjectMeta) -> AnyObject {
    let ObjectMeta { name, labels, .. } = metadata;
    let metadata = api::ObjectMeta {
        name: name.unwrap_or_default(),
        labels: labels.unwrap_or_default(),
        ..api::ObjectMeta::default()
    };
    api::Namespace { metadata }.into()
}

// === impl Stored ===

impl Stored {
    /// What is known of an object whose status is of no interest.
    pub(crate) fn without_status(version: &'static str) -> Self {
        Self {
            version,
            resource_version: String::new(),
            uid: String::new(),
            generation: None,
            finalizers: Vec::new(),
            is_deleted: false,
            status: StoredStatus::None,
        }
    }

    /// Whether this is what was stored before the other; API servers count up.
    pub(crate) fn is_older_than(&self, other: &Self) -> bool {
        let number = |stored: &Self| stored.resource_version.parse::<u64>().ok();
        match (number(self), number(other)) {
            (Some(this), Some(other)) => this < other,
            (None, _) | (_, None) => false,
        }
    }
}

// === impl Received ===

impl Received {
    pub(crate) fn key(&self) -> ObjectName {
        let ObjectMeta { name, namespace, .. } = &self.metadata;
        ObjectName::new(namespace.as_deref().unwrap_or_default(), name.as_deref().unwrap_or_default())
    }
}

impl<'de> Deserialize<'de> for Received {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut value = Value::deserialize(deserializer)?;
        let mut known = ObjectMeta::default();
        if let Some(metadata) = value.get_mut("metadata").and_then(Value::as_object_mut) {
            metadata.remove("managedFields");
            let text = |field: &str| metadata.get(field).and_then(Value::as_str).map(str::to_owned);
            known.name = text("name");
            known.namespace = text("namespace");
            known.resource_version = text("resourceVersion");
        }
        Ok(Self { metadata: known, value })
    }
}

/// Secrets are received too.
impl fmt::Debug for Received {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Received").field("key", &self.key()).finish_non_exhaustive()
    }
}

impl kube::Resource for Received {
    type DynamicType = ApiResource;
    type Scope = DynamicResourceScope;

    fn kind(kind: &ApiResource) -> Cow<'_, str> {
        DynamicObject::kind(kind)
    }

    fn group(kind: &ApiResource) -> Cow<'_, str> {
        DynamicObject::group(kind)
    }

    fn version(kind: &ApiResource) -> Cow<'_, str> {
        DynamicObject::version(kind)
    }

    fn api_version(kind: &ApiResource) -> Cow<'_, str> {
        DynamicObject::api_version(kind)
    }

    fn plural(kind: &ApiResource) -> Cow<'_, str> {
        DynamicObject::plural(kind)
    }

    fn meta(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.metadata
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use gateway_core::api::OwnSpec;
    use gateway_core::name::OwnKind;

    fn received(text: &str) -> Received {
        serde_json::from_str(text).unwrap()
    }

    const ENTRY: &str =
        r#"{"parentRef": {"name": "g"}, "controllerName": "example.com/c", "conditions": []}"#;

    #[test]
    fn an_object_is_equal_for_as_long_as_the_same_is_asked_for() {
        let object = |version: u32, status: &str| {
            let text = format!(
                r#"{{"metadata": {{"name": "shop", "namespace": "a", "resourceVersion": "{version}", "uid": "u", "generation": 2,
                "managedFields": [{{"manager": "x"}}], "annotations": {{"{LAST_APPLIED}": "{version}"}}}},
                "spec": {{}}, "status": {{"parents": [{status}]}}}}"#
            );
            read(Kind::HttpRoute, "v1", received(&text)).unwrap()
        };
        let (first, second) = (object(1, ""), object(2, ENTRY));
        assert_eq!(first.object, second.object);
        assert!(first.stored.is_older_than(&second.stored) && !second.stored.is_older_than(&first.stored));
        assert!(matches!(&second.stored.status, StoredStatus::Route(status) if status.parents.len() == 1));
        assert_eq!(second.stored.generation, Some(2));
        assert!(second.object.metadata().annotations.is_empty());
    }

    #[test]
    fn what_cannot_be_read_names_its_field_and_its_parents() {
        let text = r#"{"metadata": {"name": "shop", "namespace": "a"}, "spec": {"parentRefs": [{"name": "g"}, 7],
            "rules": [{}, {"backendRefs": [{"name": "b", "port": "http"}]}]}}"#;
        let unreadable = read(Kind::HttpRoute, "v1", received(text)).unwrap_err();
        assert_eq!(unreadable.key, ObjectName::new("a", "shop"));
        assert_eq!(unreadable.parent_refs.len(), 1);
        let text = r#"{"metadata": {"name": "shop", "namespace": "a"}, "spec": {
            "rules": [{}, {"backendRefs": [{"name": "b", "port": "http"}]}]}}"#;
        let unreadable = read(Kind::HttpRoute, "v1", received(text)).unwrap_err();
        assert_eq!(unreadable.field, "spec.rules[1].backendRefs[0].port");
    }

    #[test]
    fn a_status_that_cannot_be_read_costs_the_status_alone() {
        let text = r#"{"metadata": {"name": "shop"}, "spec": {}, "status": {"parents": [{"parentRef": 1}]}}"#;
        let object = read(Kind::HttpRoute, "v1", received(text)).unwrap();
        assert!(
            matches!(object.stored.status, StoredStatus::Unreadable(why) if why.starts_with("status.parents[0].parentRef: "))
        );
    }

    #[test]
    fn an_object_of_ones_own_kind_is_read_as_a_manifest_is() {
        #[derive(Debug, PartialEq, serde::Serialize, Deserialize)]
        struct Bucket {
            region: String,
        }

        impl OwnSpec for Bucket {
            const KIND: &'static OwnKind = &OwnKind::new("example.com", "Bucket", "buckets", &["v2", "v1"]);
        }

        let mut own = OwnTypes::default();
        own.add::<Bucket>();
        let read = |region: &str| {
            let text = format!(
                r#"{{"metadata": {{"name": "photos", "namespace": "a", "resourceVersion": "7", "managedFields": []}},
                "spec": {{"region": {region}, "later": true}}, "status": {{"ready": true}}}}"#
            );
            read_with(Kind::Own(Bucket::KIND), "v1", received(&text), &own)
        };
        let Object { object, stored } = read(r#""north""#).unwrap();
        let AnyObject::Own(bucket) = &object else { panic!("{object:?}") };
        assert_eq!(bucket.spec(), Some(&Bucket { region: "north".to_owned() }));
        assert_eq!((object.key(), &*stored.resource_version), (ObjectName::new("a", "photos"), "7"));

        let unreadable = read("7").unwrap_err();
        assert_eq!(
            unreadable.to_string(),
            "Bucket a/photos cannot be read and is left out: spec.region: expected a string, found a number; put it in quotes"
        );
    }

    #[test]
    fn a_secret_that_was_received_is_not_shown() {
        let secret = received(r#"{"metadata": {"name": "tls"}, "data": {"tls.key": "c2VjcmV0"}}"#);
        assert!(!format!("{secret:?}").contains("c2VjcmV0"));
    }
}
