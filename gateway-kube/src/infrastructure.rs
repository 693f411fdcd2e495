//! Services made for Gateways, and kept as a translation says.
//!
//! Made are a Service without a selector, and an EndpointSlice for each family of the addresses behind it. They belong to the
//! Gateway: the API server's garbage collector takes them away with it. What is asked of the API server is to read single ones, to
//! create, and to patch; nothing is deleted here. A Service that a Gateway has no more, because its class is another one, stays
//! without endpoints.
//!
//! A Service that is there and does not belong to the Gateway is left alone. That of a Gateway that was deleted and created again is
//! the former one's, until the garbage collector has taken it away; then there is a new one.
//!
//! ```no_run
//! use gateway_core::api::Resources;
//! use gateway_core::infrastructure::GatewayService;
//! use gateway_core::name::ObjectName;
//! use gateway_kube::Error;
//! use gateway_kube::infrastructure::{Maker, Owner, parts_to_make};
//!
//! async fn make(client: kube::Client, gateway: Owner, wanted: &GatewayService, stored: &Resources) -> Result<(), Error> {
//!     let parts = parts_to_make(wanted, stored);
//!     Maker::new(client, "example.com/gateway").make(&gateway, wanted, &parts).await
//! }
//! ```
//!
//! # Spec
//! [GWA-08](gateway_core::spec#GWA-08), [GWA-09](gateway_core::spec#GWA-09).

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use gateway_core::api::{
    EndpointAddressType, EndpointPort, EndpointSlice, IntOrString, Kind, ObjectMeta, Resources, Service,
    ServicePort, TransportProtocol,
};
use gateway_core::infrastructure::{GATEWAY_NAME, GatewayPort, GatewayService};
use gateway_core::name::ObjectName;
use gateway_core::table::Transport;
use kube::api::{DynamicObject, Patch, PatchParams, PostParams};
use kube::{Api, Client};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::error::{ANSWER_TIMEOUT, Error, answered, code};
use crate::object::{api_resource, field_manager};

/// The annotation with the labels and annotations that were put there, so that those which are not wanted any more can go.
pub const PUT: &str = "gateway-api.rs/infrastructure";

/// The label that says who keeps an EndpointSlice.
const MANAGED_BY: &str = "endpointslice.kubernetes.io/managed-by";

/// Who does, here.
const MANAGER: &str = "gateway-api.rs";

/// Makes Services for Gateways.
#[derive(Clone)]
pub struct Maker {
    client: Client,
    manager: String,
    answer_timeout: Duration,
}

/// The Gateway that what is made belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// Namespace and name.
    pub name: ObjectName,
    /// Its identity over time.
    pub uid: String,
}

/// A part of what is made for a Gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// The Service.
    Service,
    /// The EndpointSlice with its IPv4 addresses.
    Ipv4,
    /// The EndpointSlice with its IPv6 addresses.
    Ipv6,
}

/// The names of labels and annotations that were put on an object.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
struct Put {
    annotations: BTreeSet<String>,
    labels: BTreeSet<String>,
}

/// The metadata of a part, as it should be.
struct Metadata {
    labels: BTreeMap<String, String>,
    annotations: BTreeMap<String, String>,
}

/// The parts that are not stored as they should be. A Service without ports cannot be made, and waits until it has some.
pub fn parts_to_make(wanted: &GatewayService, stored: &Resources) -> Vec<Part> {
    Part::ALL.into_iter().filter(|part| part.is_to_be_made(wanted, stored)).collect()
}

/// Whether a part of this Service has this name.
pub(crate) fn has_part(service: &GatewayService, name: &ObjectName) -> bool {
    Part::ALL.into_iter().any(|part| part.name(&service.name) == *name)
}

/// What a Service that was made is to be when its Gateway has it no more: the same, with nothing behind it.
pub(crate) fn former_service(metadata: &ObjectMeta) -> GatewayService {
    let put: Option<Put> = metadata.annotations.get(PUT).and_then(|put| serde_json::from_str(put).ok());
    let put = put.unwrap_or_default();
    let of = |all: &BTreeMap<String, String>, put: &BTreeSet<String>| {
        all.iter()
            .filter(|(key, _)| put.contains(*key))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect()
    };
    GatewayService {
        labels: of(&metadata.labels, &put.labels),
        annotations: of(&metadata.annotations, &put.annotations),
        ..GatewayService::default()
    }
}

/// The Services that were made for a Gateway, with their names.
pub(crate) fn services_of<'r>(
    gateway: &ObjectName,
    resources: &'r Resources,
) -> impl Iterator<Item = (&'r ObjectName, &'r Arc<Service>)> {
    let all = resources.services.range(ObjectName::new(&*gateway.namespace, "")..);
    let all = all.take_while(move |(name, _)| name.namespace == gateway.namespace);
    all.filter(move |(_, service)| is_made_for(gateway, &service.metadata))
}

/// The addresses in the EndpointSlices that were made for a Gateway.
pub(crate) fn endpoints_of(gateway: &ObjectName, resources: &Resources) -> Vec<IpAddr> {
    let all = resources.endpoint_slices.range(ObjectName::new(&*gateway.namespace, "")..);
    let all = all.take_while(|(name, _)| name.namespace == gateway.namespace);
    let made = all.filter(|(_, slice)| is_made_for(gateway, &slice.metadata));
    let endpoints = made.flat_map(|(_, slice)| &slice.endpoints).flat_map(|endpoint| &endpoint.addresses);
    endpoints.filter_map(|address| address.parse().ok()).collect()
}

fn is_made_for(gateway: &ObjectName, metadata: &ObjectMeta) -> bool {
    metadata.annotations.contains_key(PUT)
        && metadata.labels.get(GATEWAY_NAME).map(String::as_str) == Some(&*gateway.name)
}

/// The Gateway that an object was made for, as its labels say.
pub(crate) fn gateway_of(namespace: &str, labels: &BTreeMap<String, String>) -> Option<ObjectName> {
    labels.get(GATEWAY_NAME).map(|name| ObjectName::new(namespace, name.as_str()))
}

// === impl Part ===

impl Part {
    const ALL: [Self; 3] = [Self::Service, Self::Ipv4, Self::Ipv6];

    fn kind(self) -> Kind {
        match self {
            Self::Service => Kind::Service,
            Self::Ipv4 | Self::Ipv6 => Kind::EndpointSlice,
        }
    }

    /// The name of this part of a Service.
    fn name(self, service: &ObjectName) -> ObjectName {
        let suffix = match self {
            Self::Service => return service.clone(),
            Self::Ipv4 => "-ipv4",
            Self::Ipv6 => "-ipv6",
        };
        ObjectName::new(&*service.namespace, format!("{}{suffix}", service.name).as_str())
    }

    fn addresses(self, wanted: &GatewayService) -> Vec<String> {
        let is_of_family = |address: &&IpAddr| match self {
            Self::Service => false,
            Self::Ipv4 => address.is_ipv4(),
            Self::Ipv6 => address.is_ipv6(),
        };
        wanted.addresses.iter().filter(is_of_family).map(ToString::to_string).collect()
    }

    fn is_to_be_made(self, wanted: &GatewayService, stored: &Resources) -> bool {
        let name = self.name(&wanted.name);
        let metadata = Metadata::new(self, wanted);
        match self {
            Self::Service => match stored.services.get(&name) {
                None => !wanted.ports.is_empty(),
                Some(service) => {
                    let ports = service.spec.ports.iter().map(of_service).collect::<Option<BTreeSet<_>>>();
                    let other_ports = !wanted.ports.is_empty() && ports.as_ref() != Some(&wanted.ports);
                    other_ports || !metadata.is_on(&service.metadata.labels, &service.metadata.annotations)
                }
            },
            Self::Ipv4 | Self::Ipv6 => {
                let addresses = self.addresses(wanted);
                match stored.endpoint_slices.get(&name) {
                    None => !addresses.is_empty() && !wanted.ports.is_empty(),
                    Some(slice) => {
                        let known = slice.endpoints.iter().flat_map(|endpoint| &endpoint.addresses);
                        let ports = slice.ports.iter().map(of_slice).collect::<Option<BTreeSet<_>>>();
                        !known.eq(&addresses)
                            || ports.as_ref() != Some(&wanted.ports)
                            || !metadata.is_on(&slice.metadata.labels, &slice.metadata.annotations)
                    }
                }
            }
        }
    }

    /// What is asked for beside the metadata.
    fn content(self, wanted: &GatewayService) -> Value {
        let name = |port: &GatewayPort| {
            let transport = port_protocol(port.transport).as_str().to_ascii_lowercase();
            format!("{transport}-{}", port.port)
        };
        match self {
            Self::Service => {
                let port = |port: &GatewayPort| {
                    json!({
                        "name": name(port), "port": port.port, "targetPort": port.port,
                        "protocol": port_protocol(port.transport),
                    })
                };
                json!({"spec": {"ports": wanted.ports.iter().map(port).collect::<Vec<_>>()}})
            }
            Self::Ipv4 | Self::Ipv6 => {
                let port = |port: &GatewayPort| json!({"name": name(port), "port": port.port, "protocol": port_protocol(port.transport)});
                let endpoint =
                    |address: &String| json!({"addresses": [address], "conditions": {"ready": true}});
                json!({
                    "endpoints": self.addresses(wanted).iter().map(endpoint).collect::<Vec<_>>(),
                    "ports": wanted.ports.iter().map(port).collect::<Vec<_>>(),
                })
            }
        }
    }

    /// The whole object, for when there is none.
    fn object(self, wanted: &GatewayService, owner: &Owner) -> Value {
        let Metadata { labels, annotations } = Metadata::new(self, wanted);
        let name = self.name(&wanted.name);
        let mut object = self.content(wanted);
        object["apiVersion"] = json!(self.kind().api_version());
        object["kind"] = json!(self.kind().as_str());
        object["metadata"] = json!({
            "name": name.name, "namespace": name.namespace, "labels": labels, "annotations": annotations,
            "ownerReferences": [{
                "apiVersion": Kind::Gateway.api_version(), "kind": Kind::Gateway.as_str(), "name": owner.name.name,
                "uid": owner.uid, "controller": true,
            }],
        });
        match self {
            Self::Service => {
                // Of each family that the cluster has.
                object["spec"]["ipFamilyPolicy"] = json!("PreferDualStack");
                if let Some(cluster_ip) = wanted.cluster_ip {
                    object["spec"]["clusterIP"] = json!(cluster_ip);
                }
            }
            Self::Ipv4 => object["addressType"] = json!(EndpointAddressType::Ipv4),
            Self::Ipv6 => object["addressType"] = json!(EndpointAddressType::Ipv6),
        }
        object
    }
}

fn port_protocol(transport: Transport) -> TransportProtocol {
    match transport {
        Transport::Tcp => TransportProtocol::Tcp,
        Transport::Udp => TransportProtocol::Udp,
    }
}

/// A port that is not one of a Gateway is none.
fn port(port: i32, protocol: &TransportProtocol) -> Option<GatewayPort> {
    let transport = match protocol {
        TransportProtocol::Tcp => Transport::Tcp,
        TransportProtocol::Udp => Transport::Udp,
        TransportProtocol::Sctp | TransportProtocol::Unknown(_) => return None,
    };
    Some(GatewayPort { port: u16::try_from(port).ok()?, transport })
}

fn of_service(written: &ServicePort) -> Option<GatewayPort> {
    let leads_there = written.target_port == Some(IntOrString::Int(written.port));
    leads_there.then(|| port(written.port, &written.protocol))?
}

fn of_slice(written: &EndpointPort) -> Option<GatewayPort> {
    port(written.port?, &written.protocol)
}

// === impl Metadata ===

impl Metadata {
    fn new(part: Part, wanted: &GatewayService) -> Self {
        let GatewayService { name, labels, annotations, .. } = wanted;
        let (mut labels, mut annotations) = (labels.clone(), annotations.clone());
        if part != Part::Service {
            labels.insert(EndpointSlice::SERVICE_NAME_LABEL.to_owned(), name.name.to_string());
            labels.insert(MANAGED_BY.to_owned(), MANAGER.to_owned());
        }
        annotations.remove(PUT);
        let put = Put {
            annotations: annotations.keys().cloned().collect(),
            labels: labels.keys().cloned().collect(),
        };
        // Sets of text are always written.
        annotations.insert(PUT.to_owned(), serde_json::to_string(&put).unwrap_or_default());
        Self { labels, annotations }
    }

    /// Whether an object has all of it, and nothing that was put there before and is not wanted any more.
    fn is_on(&self, labels: &BTreeMap<String, String>, annotations: &BTreeMap<String, String>) -> bool {
        let has = |all: &BTreeMap<String, String>, wanted: &BTreeMap<String, String>| {
            wanted.iter().all(|(key, value)| all.get(key) == Some(value))
        };
        has(labels, &self.labels) && has(annotations, &self.annotations)
    }

    /// The metadata as a merge patch: what was put there before and is not wanted any more is named, or it would stay.
    fn patch(&self, object: &DynamicObject) -> Value {
        let put = object.metadata.annotations.as_ref().and_then(|annotations| annotations.get(PUT));
        let put: Option<Put> = put.and_then(|put| serde_json::from_str(put).ok());
        let patch = |before: Option<&BTreeSet<String>>, wanted: &BTreeMap<String, String>| {
            let mut patch: Map<String, Value> =
                before.into_iter().flatten().map(|key| (key.clone(), Value::Null)).collect();
            patch.extend(wanted.iter().map(|(key, value)| (key.clone(), json!(value))));
            patch
        };
        json!({
            "resourceVersion": object.metadata.resource_version,
            "labels": patch(put.as_ref().map(|put| &put.labels), &self.labels),
            "annotations": patch(put.as_ref().map(|put| &put.annotations), &self.annotations),
        })
    }
}

// === impl Maker ===

impl Maker {
    /// Makes them under this name, which the API server notes with the fields that are written. What is not answered after 30 s is given up.
    pub fn new(client: Client, controller_name: &str) -> Self {
        Self { client, manager: field_manager(controller_name).to_owned(), answer_timeout: ANSWER_TIMEOUT }
    }

    /// Gives up the parts of a Service, all together, after this long instead. A request whose connection is gone without a word would
    /// never end.
    pub fn answer_timeout(self, limit: Duration) -> Self {
        Self { answer_timeout: limit, ..self }
    }

    /// Makes these parts of a Service, or has them be as they should.
    ///
    /// # Errors
    /// The API server does not take one or does not answer in time, or an object of the name does not belong to the Gateway.
    pub async fn make(&self, owner: &Owner, wanted: &GatewayService, parts: &[Part]) -> Result<(), Error> {
        let doing = || format!("making Service {} of Gateway {}", wanted.name, owner.name);
        let making = async {
            for part in parts {
                self.make_part(owner, wanted, *part).await?;
            }
            Ok(())
        };
        answered(self.answer_timeout, doing, making).await
    }

    async fn make_part(&self, owner: &Owner, wanted: &GatewayService, part: Part) -> Result<(), Error> {
        let (kind, key) = (part.kind(), part.name(&wanted.name));
        let resource = api_resource(kind, kind.versions()[0]);
        let api: Api<DynamicObject> = Api::namespaced_with(self.client.clone(), &key.namespace, &resource);
        let failed = |doing: &str, error| {
            Error::request(format!("{doing} {kind} {key} of Gateway {}", owner.name), error)
        };
        let known = api.get_opt(&key.name).await.map_err(|error| failed("reading", error))?;
        let Some(known) = known else {
            let params = PostParams { field_manager: Some(self.manager.clone()), ..PostParams::default() };
            let create = async |wanted: &GatewayService| {
                let object =
                    serde_json::from_value(part.object(wanted, owner)).map_err(kube::Error::SerdeError);
                let object: DynamicObject = object?;
                api.create(&params, &object).await.map(|_| ())
            };
            let mut created = create(wanted).await;
            if wanted.cluster_ip.is_some() && created.as_ref().is_err_and(|error| code(error) == Some(422)) {
                // An address that cannot be had costs the entry that asks for it, and not the Service.
                created = create(&GatewayService { cluster_ip: None, ..wanted.clone() }).await;
            }
            return created.map_err(|error| failed("creating", error));
        };
        let mut owners = known.metadata.owner_references.iter().flatten();
        if !owners.clone().any(|known| known.uid == owner.uid) {
            let gateway = owner.name.clone();
            let is_former =
                owners.any(|known| known.kind == Kind::Gateway.as_str() && known.name == *gateway.name);
            return Err(if is_former {
                Error::Former { kind, key, gateway }
            } else {
                Error::Taken { kind, key, gateway }
            });
        }
        let mut patch = part.content(wanted);
        if part == Part::Service && wanted.ports.is_empty() {
            // A Service has ports: it keeps those that lead nowhere now.
            patch = json!({});
        }
        patch["metadata"] = Metadata::new(part, wanted).patch(&known);
        let params = PatchParams { field_manager: Some(self.manager.clone()), ..PatchParams::default() };
        match api.patch(&key.name, &params, &Patch::Merge(patch)).await {
            Ok(_) => Ok(()),
            // Another change came first, and brings us here again.
            Err(error) if code(&error) == Some(409) => Ok(()),
            Err(error) => Err(failed("patching", error)),
        }
    }
}

impl std::fmt::Debug for Maker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Maker")
            .field("manager", &self.manager)
            .field("answer_timeout", &self.answer_timeout)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use serde::de::DeserializeSeed;

    use super::*;

    fn wanted() -> GatewayService {
        GatewayService {
            name: ObjectName::new("shop", "web-example"),
            labels: [(GATEWAY_NAME, "web"), ("team", "shop")]
                .map(|(a, b)| (a.to_owned(), b.to_owned()))
                .into(),
            annotations: BTreeMap::new(),
            ports: [GatewayPort { port: 80, transport: Transport::Tcp }].into(),
            addresses: vec![[192, 0, 2, 1].into()],
            cluster_ip: None,
        }
    }

    fn stored(parts: &[Part], wanted: &GatewayService) -> Resources {
        let owner = Owner { name: ObjectName::new("shop", "web"), uid: "u".to_owned() };
        let mut resources = Resources::default();
        for part in parts {
            let object = part.object(wanted, &owner);
            resources.insert(part.kind().deserialize(object).unwrap());
        }
        resources
    }

    // GWA-08
    #[test]
    fn what_is_as_it_should_be_is_not_made_again() {
        let parts = [Part::Service, Part::Ipv4];
        assert_eq!(parts_to_make(&wanted(), &Resources::default()), parts);
        assert_eq!(parts_to_make(&wanted(), &stored(&parts, &wanted())), []);

        let with_label = |mut wanted: GatewayService| {
            wanted.labels.insert("a".to_owned(), "b".to_owned());
            wanted
        };
        assert_eq!(parts_to_make(&with_label(wanted()), &stored(&parts, &wanted())), parts, "one more");
        assert_eq!(parts_to_make(&wanted(), &stored(&parts, &with_label(wanted()))), parts, "one less");
        let without = GatewayService { ports: BTreeSet::new(), addresses: Vec::new(), ..wanted() };
        assert_eq!(parts_to_make(&without, &Resources::default()), [], "a Service has ports");
        assert_eq!(parts_to_make(&without, &stored(&parts, &wanted())), [Part::Ipv4], "and keeps them");
        let moved = GatewayService { addresses: vec!["2001:db8::1".parse().unwrap()], ..wanted() };
        assert_eq!(parts_to_make(&moved, &stored(&parts, &wanted())), [Part::Ipv4, Part::Ipv6]);
    }

    #[test]
    fn a_label_that_is_not_wanted_any_more_goes_and_those_of_others_stay() {
        let owner = Owner { name: ObjectName::new("shop", "web"), uid: "u".to_owned() };
        let mut object: DynamicObject =
            serde_json::from_value(Part::Service.object(&wanted(), &owner)).unwrap();
        object.metadata.labels.as_mut().unwrap().insert("theirs".to_owned(), "1".to_owned());
        let other =
            GatewayService { labels: [(GATEWAY_NAME.to_owned(), "web".to_owned())].into(), ..wanted() };
        let patch = Metadata::new(Part::Service, &other).patch(&object);
        assert_eq!(patch["labels"], json!({GATEWAY_NAME: "web", "team": null}));
    }
}
