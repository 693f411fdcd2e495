//! Edits: objects that come, change in one field, break, mend and go; all of them at once; other options.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

use gateway_core::api::{AnyObject, Kind, Resources};
use gateway_core::feature::{Feature, SUPPORTED};
use gateway_core::filter::Extensions;
use gateway_core::name::ObjectName;
use gateway_core::options::{DEFAULT_MAX_LISTENERS, DefaultAddresses, Options};
use gateway_core::rule::{RuleData, RuleDataSource, RuleName};
use gateway_core::validate;
use serde::de::DeserializeSeed;
use serde_json::{Value, json};

use super::CONTROLLER_NAME;
use super::objects::{KINDS, object};
use super::source::Source;
use crate::decision::RequestEdits;

/// One edit.
#[derive(Clone, Debug)]
pub enum Edit {
    /// An object comes, or takes the place of the one of its name.
    Insert(AnyObject),
    /// An object goes, there or not.
    Remove(Kind, ObjectName),
    /// All objects are these now.
    Update(Box<Resources>),
    /// The options are these now.
    SetOptions(Box<Options>),
}

/// Rules carry the annotation of their Route as text.
#[derive(Debug)]
struct Annotation;

const ANNOTATION: &str = "example.com/annotation";

/// Makes an edit to the resources as they are `now`; those that there were at `first` come back at times.
pub fn edit(source: &mut Source<'_>, first: &Resources, now: &Resources) -> Edit {
    match source.below(48) {
        0..44 => edit_one(source, first, now),
        44 | 45 => Edit::Update(Box::new(all(source, first, now))),
        46 => Edit::Update(Box::new(first.clone())),
        _ => Edit::SetOptions(Box::new(options(source))),
    }
}

/// Options that change what is served, and who is in the way of whom.
pub fn options(source: &mut Source<'_>) -> Options {
    let every: BTreeSet<Feature> = Feature::ALL.iter().copied().collect();
    let supported: BTreeSet<Feature> = SUPPORTED.iter().copied().collect();
    let mut fewer = supported.clone();
    fewer.remove(&Feature::ListenerSet);
    let mut options = Options {
        controller_name: CONTROLLER_NAME.to_owned(),
        any_class: source.chance(10),
        features: source.one(&[every.clone(), every, supported, fewer]),
        max_listeners: source.one(&[DEFAULT_MAX_LISTENERS, DEFAULT_MAX_LISTENERS, 3]),
        hostname_fall_through: !source.chance(40),
        telemetry_policies: !source.chance(20),
        extensions: source.some(60, |_| Arc::new(RequestEdits) as Arc<dyn Extensions>),
        rule_data: source.some(60, |_| Arc::new(Annotation) as Arc<dyn RuleDataSource>),
        ..Options::default()
    };
    if source.chance(30) {
        options.addresses.default = DefaultAddresses::Shared(vec![IpAddr::from([127, 0, 0, 1])]);
    }
    if source.chance(10) {
        options.addresses.reserved_ports.insert(8080);
    }
    options
}

/// An edit to one object.
fn edit_one(source: &mut Source<'_>, first: &Resources, now: &Resources) -> Edit {
    let kind = source.one(&KINDS);
    // Parents that are gone are referred to all the same.
    let parents = if now.gateways.is_empty() || source.chance(10) { first } else { now };
    let other = object(source, kind, parents);
    let names: Vec<&ObjectName> = now.names(kind).collect();
    if names.is_empty() {
        return Edit::Insert(other);
    }
    let name = source.one(&names);
    let known = now.get(kind, name).expect("it was listed");
    let made = match source.below(16) {
        0..4 => None,
        4..10 => changed(source, &known, &other),
        10 => broken(&known),
        // What stays the same is inserted again, too.
        11 => Some(known),
        12 => first.get(kind, name),
        _ => return Edit::Remove(kind, name.clone()),
    };
    Edit::Insert(made.unwrap_or(other))
}

/// All resources, some of them edited; the others shared, or copied as after reading them again.
fn all(source: &mut Source<'_>, first: &Resources, now: &Resources) -> Resources {
    let mut all = match source.chance(50) {
        true => now.clone(),
        false => now.iter().map(copied).collect(),
    };
    for _ in 0..source.below(4) {
        match edit_one(source, first, &all) {
            Edit::Insert(object) => _ = all.insert(object),
            Edit::Remove(kind, name) => _ = all.remove(kind, &name),
            Edit::Update(_) | Edit::SetOptions(_) => {}
        }
    }
    all
}

fn copied(mut object: AnyObject) -> AnyObject {
    // It is shared, so that this copies it.
    object.metadata_mut();
    object
}

/// An object with one field of another of its kind.
fn changed(source: &mut Source<'_>, object: &AnyObject, other: &AnyObject) -> Option<AnyObject> {
    let (mut object, other, kind) = (value(object), value(other), object.kind());
    let in_metadata = source.chance(30);
    let part = if in_metadata {
        "metadata"
    } else if object.get("spec").is_some() {
        "spec"
    } else {
        ""
    };
    let mut at = &mut object;
    let mut from = Some(&other);
    if !part.is_empty() {
        at = &mut at[part];
        from = other.get(part);
    }
    let (at, from) = (at.as_object_mut()?, from?.as_object()?);
    let mut fields: Vec<String> = at.keys().chain(from.keys()).cloned().collect();
    fields.retain(|field| {
        !matches!(&**field, "name" | "namespace" | "metadata" | "apiVersion" | "kind" | "status")
    });
    if in_metadata {
        fields.extend(["generation".to_owned(), "annotations".to_owned()]);
    }
    if fields.is_empty() {
        return None;
    }
    let field = source.one(&fields);
    match (&*field, from.get(&field)) {
        ("generation", _) => _ = at.insert(field, json!(source.below(3))),
        ("annotations", _) => _ = at.insert(field, json!({ANNOTATION: source.one(&["1", "2"])})),
        ("listeners", _) if source.chance(60) => swapped(source, at.get_mut(&field)?.as_array_mut()?),
        (_, Some(value)) => _ = at.insert(field, value.clone()),
        (_, None) => _ = at.remove(&field),
    }
    kind.deserialize(object).ok()
}

/// Two listeners exchange something, or a listener loses it.
fn swapped(source: &mut Source<'_>, listeners: &mut [Value]) {
    let field = source.one(&["port", "hostname", "name", "protocol", "tls", "allowedRoutes", "filters"]);
    let Some((first, [second, ..])) = listeners.split_first_mut() else { return };
    let value = |listener: &Value| listener.get(field).cloned().unwrap_or(Value::Null);
    let (one, other) = (value(first), value(second));
    (first[field], second[field]) = (other, one);
}

/// The object with something that makes it invalid; nothing for a kind of which all objects are valid.
fn broken(object: &AnyObject) -> Option<AnyObject> {
    let (part, field, bad) = match object.kind() {
        Kind::Gateway | Kind::ListenerSet => ("spec", "listeners", json!([])),
        Kind::HttpRoute | Kind::GrpcRoute | Kind::TlsRoute => ("spec", "hostnames", json!(["*"])),
        Kind::TcpRoute | Kind::UdpRoute => ("spec", "rules", json!([])),
        Kind::Service | Kind::ServiceImport => ("spec", "ports", json!([{"name": "http", "port": 0}])),
        Kind::EndpointSlice => ("", "ports", json!([{"name": "http", "port": 70_000}])),
        Kind::GatewayClass => ("spec", "controllerName", json!("nothing")),
        Kind::ReferenceGrant => ("spec", "from", json!([])),
        Kind::BackendTlsPolicy | Kind::XBackendTrafficPolicy | Kind::XTelemetryPolicy => {
            ("spec", "targetRefs", json!([]))
        }
        Kind::XBackend => ("spec", "port", json!({"number": 0})),
        Kind::Namespace
        | Kind::Secret
        | Kind::ConfigMap
        | Kind::ClusterTrustBundle
        | Kind::Pod
        | Kind::XMesh
        | Kind::Own(_) => return None,
    };
    let (mut broken, kind) = (value(object), object.kind());
    let at = if part.is_empty() { &mut broken } else { &mut broken[part] };
    at[field] = bad;
    let broken = kind.deserialize(broken).expect("it is malformed, not unreadable");
    assert!(!validate::problems(&broken).is_empty(), "{broken:?}");
    Some(broken)
}

fn value(object: &AnyObject) -> Value {
    serde_json::to_value(object).expect("an object is written as JSON")
}

// === impl Annotation ===

impl RuleDataSource for Annotation {
    fn data(
        &self,
        _rule: &RuleName,
        _labels: &BTreeMap<String, String>,
        annotations: &BTreeMap<String, String>,
    ) -> Option<RuleData> {
        annotations.get(ANNOTATION).map(|text| RuleData::new(text.clone()))
    }
}
