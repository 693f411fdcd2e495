//! The network of a mesh: addresses of Services, what carries out those that no Route is for, and the way through a mesh.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::{fmt, io};

use gateway_core::api::{AnyObject, Resources, ServiceType};
use gateway_core::name::ObjectName;
use gateway_tower::serve::{ProxyHeader, ProxyHeaderVersion};
use tokio::io::{AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::connection::connect;
use super::{grpc, http};
use crate::case::{HttpRequest, MeshProtocol, Way};
use crate::cluster::RunningPod;
use crate::decision::reference::Reference;
use crate::engine::mesh::{call, host, of_call};
use crate::engine::{CONTROLLER_NAME, EngineError};
use crate::exchange::{Answer, Failure};
use crate::loopback;

/// The port of a client: no other client has its address.
const CLIENT_PORT: u16 = 50_000;

/// The way of a connection of a workload through a mesh.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MeshWay {
    /// Where the mesh takes connections. They begin with a header of the PROXY protocol that names the other two.
    pub entrance: SocketAddr,
    /// The workload.
    pub client: SocketAddr,
    /// Where it connects to: the address of a Service, or of a pod.
    pub dialled: SocketAddr,
}

/// What the network of a cluster does for a mesh: Services get addresses, of the loopback interface, and a connection to one goes to an
/// endpoint of the Service.
#[derive(Default)]
pub struct ClusterNetwork {
    addresses: BTreeMap<ObjectName, IpAddr>,
    resources: Arc<Mutex<Arc<Resources>>>,
    /// What is carried out.
    carried: BTreeSet<SocketAddr>,
    tasks: JoinSet<()>,
}

// === impl ClusterNetwork ===

impl ClusterNetwork {
    /// Gives a Service that has no address one of its own, which it keeps.
    pub fn give_address(&mut self, object: &mut AnyObject) {
        let key = object.key();
        if let AnyObject::Service(service) = object
            && service.spec.cluster_ip.is_none()
            && service.spec.r#type != ServiceType::ExternalName
        {
            let address = *self.addresses.entry(key).or_insert_with(loopback::address);
            Arc::make_mut(service).spec.cluster_ip = Some(address.to_string());
        }
    }

    /// From now on, Services and endpoints are these.
    pub fn follow(&self, resources: &Arc<Resources>) {
        *self.resources.lock().unwrap_or_else(PoisonError::into_inner) = Arc::clone(resources);
    }

    /// The way from a workload to a Service or a pod, by a mesh that takes connections at `entrance`.
    ///
    /// # Errors
    /// When there is no such workload, Service or pod, or the port of the Service may not be bound.
    pub async fn way(
        &mut self,
        way: &Way,
        pods: &[RunningPod],
        entrance: SocketAddr,
    ) -> Result<MeshWay, EngineError> {
        let pod = |name: &ObjectName| {
            let is_it = |pod: &&RunningPod| {
                (pod.pod.namespace.as_str(), pod.pod.deployment()) == (&*name.namespace, &*name.name)
            };
            let found = pods.iter().find(is_it);
            found.ok_or_else(|| EngineError::failed(format!("there is no pod of Deployment {name}")))
        };
        let from = pod(&way.from.0)?.ports.values().next();
        let from = from.ok_or_else(|| EngineError::failed(format!("{} has no address", way.from.0)))?;
        let client = SocketAddr::new(from.ip(), CLIENT_PORT);
        let to = &way.to.0;
        let dialled = if way.pod {
            let address = pod(to)?.ports.get(&way.port).copied();
            address.ok_or_else(|| EngineError::failed(format!("{to} has no port {}", way.port)))?
        } else {
            let address = self.addresses.get(to).copied();
            let address = address.ok_or_else(|| EngineError::failed(format!("there is no Service {to}")))?;
            let dialled = SocketAddr::new(address, way.port);
            self.carry_out(to, dialled).await?;
            dialled
        };
        Ok(MeshWay { entrance, client, dialled })
    }

    /// Has connections to the port of a Service go to its endpoints.
    async fn carry_out(&mut self, service: &ObjectName, dialled: SocketAddr) -> Result<(), EngineError> {
        if self.carried.contains(&dialled) {
            return Ok(());
        }
        let listener = TcpListener::bind(dialled).await.map_err(|error| match error.kind() {
            io::ErrorKind::PermissionDenied => EngineError::unsupported(format!(
                "port {} of a Service may not be bound; run this with the right to bind low ports",
                dialled.port()
            )),
            _ => EngineError::failed(format!("{dialled}, for Service {service}: {error}")),
        })?;
        self.carried.insert(dialled);
        let (resources, service) = (Arc::clone(&self.resources), service.clone());
        self.tasks.spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                tokio::select! {
                    // An error is about the connection that could not be taken.
                    accepted = listener.accept() => if let Ok((mut client, _)) = accepted {
                        let resources = resources.lock().unwrap_or_else(PoisonError::into_inner).clone();
                        let reference = Reference {
                            resources: &resources,
                            controller_name: CONTROLLER_NAME,
                            hostname_fall_through: true,
                        };
                        let endpoint = fastrand::choice(reference.endpoints(&service, dialled.port()));
                        connections.spawn(async move {
                            if let Some(endpoint) = endpoint
                                && let Ok(mut backend) = TcpStream::connect(endpoint).await
                            {
                                // Who broke it off, the client will see.
                                let _ = copy_bidirectional(&mut client, &mut backend).await;
                            }
                        });
                    },
                    Some(_) = connections.join_next() => {}
                }
            }
        });
        Ok(())
    }
}

impl fmt::Debug for ClusterNetwork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClusterNetwork").field("addresses", &self.addresses).finish_non_exhaustive()
    }
}

/// Sends a request, or makes a call, through a mesh.
pub(super) async fn send(way: &Way, request: &HttpRequest, through: MeshWay) -> Result<Answer, EngineError> {
    let stream = match enter(through).await {
        Ok(stream) => stream,
        Err(failure) => return Ok(Answer::Failed(failure)),
    };
    let host = host(way, request);
    match way.speak {
        MeshProtocol::Http => http::send_on(request, stream, &host).await,
        MeshProtocol::Grpc => Ok(match grpc::call_on(&call(request), stream, &host).await? {
            Answer::Grpc(end) => Answer::Http(of_call(end)),
            other => other,
        }),
    }
}

async fn enter(MeshWay { entrance, client, dialled }: MeshWay) -> Result<TcpStream, Failure> {
    let mut stream = connect(entrance).await?;
    let header = ProxyHeader { peer: client, local: dialled }.written(ProxyHeaderVersion::V2);
    stream.write_all(&header).await.map_err(|error| Failure::Closed(error.to_string()))?;
    Ok(stream)
}
