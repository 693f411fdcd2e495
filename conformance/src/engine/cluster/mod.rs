//! A live cluster, as an engine: any implementation of any vendor.
//!
//! Objects are applied to the cluster, statuses are read from it, and traffic goes to the addresses in the statuses of
//! Gateways, from where this program runs. The backends are Pods with the image of upstream's backends, which tell of
//! copies in their logs. One case is played at a time, in the namespaces of the base, which belong to the run: objects of
//! Gateway API that are found there are deleted, as is what a case brought before the next one begins.
//!
//! Some cases cannot be played so, and are skipped with the reason:
//! - those with backends that answer with given bytes, or with workloads of a mesh: there is no image of them;
//! - those whose objects the API server refuses, because its schema is stricter than the implementation has to be.
//!
//! An API server decides about the age of objects. Where a case says how old they are, they are created in that order, more
//! than a second apart, and those of one age again until they have one.

mod api_server;
mod deployment;
mod ground;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use gateway_core::api::{
    AnyObject, ConditionStatus, Endpoint, EndpointAddressType, EndpointConditions, GatewayClassStatus,
    GatewayStatus, Kind,
};
use gateway_core::feature::Feature;
use gateway_core::name::ObjectName;
use gateway_kube::kube::api::{Api, ListParams, LogParams};
use gateway_kube::kube::config::{KubeConfigOptions, Kubeconfig};
use gateway_kube::kube::{Client, Config, ResourceExt};
use gateway_kube::status::{Minor, Vocabulary, published_names};
use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::core::v1::{Pod, Service, ServiceAccount};
use tokio::sync::OwnedMutexGuard;
use tokio::time::{Instant, sleep};

use self::api_server::{ApiServer, POLL, failed};
use self::deployment::LABEL;
use self::ground::Ground;
use super::{Abilities, ControlPlane, Engine, EngineError, Engines, GATEWAY_CLASS, Infrastructure, Pace};
use crate::case::{Case, ObjectRef, Speaks, Target, WebSocketMessage};
use crate::cluster::deployments;
use crate::exchange::{Answer, Exchange, Failure};
use crate::store::PODS_LABEL;
use crate::wire;

/// The image of upstream's backends, of suite v1.7.0.
pub const ECHO_IMAGE: &str = "registry.k8s.io/gateway-api/conformance/echo-basic:v0.2.0";

/// The label of what is made for a Gateway, with its name.
const GATEWAY_NAME: &str = "gateway.networking.k8s.io/gateway-name";

/// How long the GatewayClass may take to be accepted.
const ACCEPTED: Duration = Duration::from_secs(60);

/// Which cluster, and what is tested there.
#[derive(Clone, Debug)]
pub struct ClusterOptions {
    /// The GatewayClass of the implementation. It must be there; that of upstream's suite by default.
    pub gateway_class: String,
    /// The image of the backends.
    pub echo_image: String,
}

/// Plays cases in a cluster, one at a time.
#[derive(Clone)]
pub struct ClusterEngines {
    server: ApiServer,
    gateway_class: String,
    controller_name: String,
    features: BTreeSet<Feature>,
    /// The task that holds it plays a case.
    ground: Arc<tokio::sync::Mutex<Ground>>,
}

/// The cluster, in the hands of one case.
pub struct ClusterEngine {
    server: ApiServer,
    gateway_class: String,
    ground: OwnedMutexGuard<Ground>,
    /// Addresses of Gateways that were looked up since something changed.
    addresses: Mutex<BTreeMap<ObjectName, IpAddr>>,
}

/// A client for the cluster that a kubeconfig names: that of the file, or of `$KUBECONFIG`, `~/.kube/config` or the Pod that
/// this runs in; with this context, or the current one.
///
/// # Errors
/// What is wrong with it.
pub async fn client(
    kubeconfig: Option<&std::path::Path>,
    context: Option<&str>,
) -> Result<Client, EngineError> {
    let options = KubeConfigOptions { context: context.map(str::to_owned), ..KubeConfigOptions::default() };
    let config = match (kubeconfig, context) {
        (Some(file), _) => {
            let failed =
                |error: &dyn fmt::Display| EngineError::failed(format!("{}: {error}", file.display()));
            let kubeconfig = Kubeconfig::read_from(file).map_err(|error| failed(&error))?;
            Config::from_custom_kubeconfig(kubeconfig, &options).await.map_err(|error| failed(&error))?
        }
        (None, Some(_)) => Config::from_kubeconfig(&options).await.map_err(EngineError::failed)?,
        (None, None) => {
            let no_cluster = |error| format!("there is no cluster: {error}; name a file with --kubeconfig");
            Config::infer().await.map_err(|error| EngineError::failed(no_cluster(error)))?
        }
    };
    Client::try_from(config).map_err(EngineError::failed)
}

// === impl ClusterOptions ===

impl Default for ClusterOptions {
    fn default() -> Self {
        Self { gateway_class: GATEWAY_CLASS.to_owned(), echo_image: ECHO_IMAGE.to_owned() }
    }
}

// === impl ClusterEngines ===

impl ClusterEngines {
    /// Looks at the cluster: the kinds that it knows, and the GatewayClass once it is accepted, which says what is claimed.
    ///
    /// # Errors
    /// If there is no such GatewayClass, or no controller accepts it within a minute.
    pub async fn connect(client: Client, options: ClusterOptions) -> Result<Self, EngineError> {
        let ClusterOptions { gateway_class, echo_image } = options;
        let server = ApiServer::new(client).await?;
        let name = ObjectRef::new(Kind::GatewayClass, ObjectName::cluster(gateway_class.as_str()));
        let started = Instant::now();
        let class = loop {
            let Some(AnyObject::GatewayClass(class)) = server.get(&name).await? else {
                return Err(EngineError::failed(format!("the cluster has no {name}")));
            };
            let accepted = class.status.conditions.iter().find(|condition| condition.r#type == "Accepted");
            if accepted.is_some_and(|condition| condition.status == ConditionStatus::True) {
                break class;
            }
            if started.elapsed() > ACCEPTED {
                let reason = accepted.map_or("nobody says so", |condition| condition.message.as_str());
                return Err(EngineError::failed(format!("{name} is not accepted: {reason}")));
            }
            sleep(POLL).await;
        };
        Ok(Self {
            ground: Arc::new(tokio::sync::Mutex::new(Ground::new(server.clone(), echo_image))),
            server,
            gateway_class,
            controller_name: class.spec.controller_name.clone(),
            features: claimed(&class.status),
        })
    }

    /// Takes away all that was brought into the cluster, without waiting until it is gone.
    ///
    /// # Errors
    /// If the API server does not take it.
    pub async fn leave(&self) -> Result<(), EngineError> {
        self.ground.lock().await.leave().await
    }
}

impl Engines for ClusterEngines {
    type Engine = ClusterEngine;

    fn name(&self) -> &str {
        "cluster"
    }

    fn abilities(&self) -> Abilities {
        Abilities {
            features: self.features.clone(),
            controller_name: self.controller_name.clone(),
            statuses: true,
            traffic: true,
            pace: Pace::Eventual,
            static_addresses: None,
        }
    }

    async fn start(&self, case: &Case) -> Result<ClusterEngine, EngineError> {
        // The workloads of a mesh are not run here, and only cases about one need them.
        let deployments = deployments(case).filter(|deployment| deployment.speaks != Speaks::Mesh).collect();
        let mut ground = self.ground.clone().lock_owned().await;
        ground.prepare(deployments).await?;
        let (server, gateway_class) = (self.server.clone(), self.gateway_class.clone());
        Ok(ClusterEngine { server, gateway_class, ground, addresses: Mutex::default() })
    }
}

impl fmt::Debug for ClusterEngines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { gateway_class, controller_name, .. } = self;
        let mut fields = f.debug_struct("ClusterEngines");
        fields.field("gateway_class", gateway_class).field("controller_name", controller_name);
        fields.finish_non_exhaustive()
    }
}

/// The features that a class claims, by their names in v1.6 or in v1.7.
fn claimed(status: &GatewayClassStatus) -> BTreeSet<Feature> {
    let before = Vocabulary { minor: Minor::V1_6, ..Vocabulary::default() };
    let is_claimed = |name: &str| status.supported_features.iter().any(|feature| feature.name == name);
    let by_either_name = |feature: &Feature| {
        is_claimed(feature.as_str())
            || published_names(&[*feature], &before).iter().any(|name| is_claimed(name))
    };
    Feature::ALL.iter().copied().filter(by_either_name).collect()
}

// === impl ClusterEngine ===

impl ClusterEngine {
    /// The object as it is asked for in this cluster.
    async fn adapted(&self, mut object: AnyObject) -> Result<AnyObject, EngineError> {
        let namespace = object.key().namespace;
        match &mut object {
            AnyObject::Gateway(gateway) if gateway.spec.gateway_class_name == GATEWAY_CLASS => {
                Arc::make_mut(gateway).spec.gateway_class_name.clone_from(&self.gateway_class);
            }
            AnyObject::EndpointSlice(slice) if slice.metadata.labels.contains_key(PODS_LABEL) => {
                let slice = Arc::make_mut(slice);
                let deployment = &slice.metadata.labels[PODS_LABEL];
                for pod in self.pods(&ObjectName::new(&*namespace, deployment.as_str())).await? {
                    let addresses = addresses(&pod, &slice.address_type);
                    let conditions =
                        EndpointConditions { ready: Some(true), ..EndpointConditions::default() };
                    let endpoint =
                        |address| Endpoint { addresses: vec![address], conditions, ..Endpoint::default() };
                    slice.endpoints.extend(addresses.map(endpoint));
                }
            }
            _ => {}
        }
        Ok(object)
    }

    async fn pods(&self, deployment: &ObjectName) -> Result<Vec<Pod>, EngineError> {
        let api = Api::<Pod>::namespaced(self.server.client.clone(), &deployment.namespace);
        let of_it = ListParams::default().labels(&format!("{LABEL}={}", deployment.name));
        let pods = api.list(&of_it).await;
        Ok(pods.map_err(|error| failed(&format!("Pods of Deployment {deployment}"), &error))?.items)
    }

    /// The port of a target: that of the Gateway's first listener if it names none.
    fn port(&self, target: &Target) -> Result<u16, EngineError> {
        let name = ObjectRef::new(Kind::Gateway, target.gateway.0.clone());
        let first = match self.ground.applied(&name) {
            Some(AnyObject::Gateway(gateway)) => gateway.spec.listeners.first().map(|listener| listener.port),
            Some(_) | None => None,
        };
        let port = target.port.or_else(|| u16::try_from(first?).ok());
        port.ok_or_else(|| EngineError::failed(format!("{name} has no listener with a port; name one")))
    }

    /// The first address in the status of a Gateway.
    async fn address(&self, gateway: &ObjectName) -> Result<Option<IpAddr>, EngineError> {
        let known = || self.addresses.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(address) = known().get(gateway).copied() {
            return Ok(Some(address));
        }
        let object = self.server.get(&ObjectRef::new(Kind::Gateway, gateway.clone())).await?;
        let status = object.as_ref().and_then(AnyObject::status::<GatewayStatus>);
        let Some(address) = status.and_then(|status| status.addresses.first()) else { return Ok(None) };
        let address = match address.value.parse() {
            Ok(address) => Some(address),
            // A hostname.
            Err(_) => match tokio::net::lookup_host((address.value.as_str(), 0)).await {
                Ok(mut found) => found.next().map(|address| address.ip()),
                Err(_) => None,
            },
        };
        if let Some(address) = address {
            known().insert(gateway.clone(), address);
        }
        Ok(address)
    }

    /// Labels and annotations of the objects of a type that were made for a Gateway.
    async fn made<K>(&self, gateway: &ObjectName) -> Result<Vec<Infrastructure>, EngineError>
    where
        K: k8s_openapi::Resource<Scope = NamespaceResourceScope>
            + k8s_openapi::Metadata<Ty = k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta>
            + Clone
            + fmt::Debug
            + serde::de::DeserializeOwned,
    {
        let api = Api::<K>::namespaced(self.server.client.clone(), &gateway.namespace);
        let of_it = ListParams::default().labels(&format!("{GATEWAY_NAME}={}", gateway.name));
        let objects = api.list(&of_it).await.map_err(|error| failed(K::KIND, &error))?;
        let infrastructure = |object: &K| Infrastructure {
            name: format!("{} {}/{}", K::KIND, gateway.namespace, object.name_any()),
            labels: object.labels().clone(),
            annotations: object.annotations().clone(),
        };
        Ok(objects.items.iter().map(infrastructure).collect())
    }
}

impl ControlPlane for ClusterEngine {
    async fn apply(&mut self, objects: Vec<AnyObject>) -> Result<(), EngineError> {
        let mut adapted = Vec::with_capacity(objects.len());
        for object in objects {
            adapted.push(self.adapted(object).await?);
        }
        self.addresses.get_mut().unwrap_or_else(PoisonError::into_inner).clear();
        self.ground.apply_all(adapted).await
    }

    async fn delete(&mut self, object: &ObjectRef) -> Result<(), EngineError> {
        self.addresses.get_mut().unwrap_or_else(PoisonError::into_inner).clear();
        match self.ground.delete(object).await? {
            true => Ok(()),
            false => Err(EngineError::failed(format!("there is no {object} that could be deleted"))),
        }
    }

    async fn object(&self, object: &ObjectRef) -> Result<Option<AnyObject>, EngineError> {
        self.server.get(object).await
    }

    async fn infrastructure(&self, gateway: &ObjectName) -> Result<Vec<Infrastructure>, EngineError> {
        let mut made = self.made::<ServiceAccount>(gateway).await?;
        made.extend(self.made::<Service>(gateway).await?);
        made.extend(self.made::<Pod>(gateway).await?);
        Ok(made)
    }
}

impl Engine for ClusterEngine {
    async fn send(&mut self, exchange: &Exchange) -> Result<Answer, EngineError> {
        let Some(target) = exchange.target() else {
            return Err(EngineError::unsupported("nothing can be sent from within a mesh"));
        };
        let port = self.port(target)?;
        match self.address(&target.gateway.0).await? {
            Some(address) => {
                let answer = wire::send(exchange, SocketAddr::new(address, port), port).await?;
                Ok(match (exchange, answer) {
                    (Exchange::WebSocket(_, said), Answer::WebSocket(messages)) => {
                        Answer::WebSocket(as_sent(&said.messages, messages))
                    }
                    (_, answer) => answer,
                })
            }
            None => {
                let failure =
                    format!("Gateway {} has no address that can be reached in its status", target.gateway);
                Ok(Answer::Failed(Failure::Connect(failure)))
            }
        }
    }

    async fn received(&self, backend: &ObjectName, path: &str) -> Result<usize, EngineError> {
        let said = format!("Echoing back request made to {path} to client");
        let api = Api::<Pod>::namespaced(self.server.client.clone(), &backend.namespace);
        let mut received = 0;
        for pod in self.pods(backend).await? {
            let log = api.logs(&pod.name_any(), &LogParams::default()).await;
            let log = log.map_err(|error| failed(&format!("the log of Pod {}", pod.name_any()), &error))?;
            received += log.lines().filter(|line| line.contains(&said)).count();
        }
        Ok(received)
    }
}

impl fmt::Debug for ClusterEngine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClusterEngine").field("gateway_class", &self.gateway_class).finish_non_exhaustive()
    }
}

/// The messages of a backend, which answers bytes with a text: what was sent as bytes is taken for bytes.
fn as_sent(sent: &[WebSocketMessage], answered: Vec<WebSocketMessage>) -> Vec<WebSocketMessage> {
    let mut sent = sent.iter();
    let message = |answer| match (sent.next(), answer) {
        (Some(WebSocketMessage::Binary(_)), WebSocketMessage::Text(text)) => {
            WebSocketMessage::Binary(text.into_bytes())
        }
        (_, answer) => answer,
    };
    answered.into_iter().map(message).collect()
}

/// The addresses of a Pod that are of this type.
fn addresses(pod: &Pod, r#type: &EndpointAddressType) -> impl Iterator<Item = String> {
    let is_wanted = {
        let (v4, v6) = (*r#type == EndpointAddressType::Ipv4, *r#type == EndpointAddressType::Ipv6);
        move |ip: &IpAddr| ip.is_ipv4() && v4 || ip.is_ipv6() && v6
    };
    let ips = pod.status.iter().flat_map(|status| status.pod_ips.iter().flatten());
    ips.filter_map(|ip| ip.ip.parse().ok()).filter(is_wanted).map(|ip: IpAddr| ip.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sent_as_bytes_comes_back_as_bytes() {
        let (text, bytes) = (WebSocketMessage::Text("a".to_owned()), WebSocketMessage::Binary(b"a".to_vec()));
        let answered =
            as_sent(&[text.clone(), bytes.clone()], vec![text.clone(), text.clone(), text.clone()]);
        assert_eq!(answered, [text.clone(), bytes, text], "one more than was sent is what it is");
    }

    #[test]
    fn a_class_claims_features_by_their_names_in_either_version() {
        let features = ["HTTPRoute", "HTTPRouteRetry", "HTTPRouteCORS", "Later"];
        let features = features.map(|name| gateway_core::api::SupportedFeature { name: name.to_owned() });
        let status =
            GatewayClassStatus { supported_features: features.to_vec(), ..GatewayClassStatus::default() };
        let expected = [Feature::HttpRoute, Feature::HttpRouteRetryCodes, Feature::HttpRouteCors];
        assert_eq!(claimed(&status), BTreeSet::from(expected));
    }
}
