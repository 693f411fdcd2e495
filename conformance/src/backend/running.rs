//! Backends on sockets of the loopback interface.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::{fmt, io};

use gateway_core::name::ObjectName;
use tokio::net::{TcpListener, TcpSocket, TcpStream, UdpSocket};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use super::behaviour::HttpBackend;
use super::received::Received;
use super::{bytes, datagram, grpc, http, tcp, tls};
use crate::case::{Deployment, Speaks, bytes_of_text};
use crate::cluster::RunningPod;
use crate::exchange::Pod;
use crate::loopback;

/// The pods of Deployments, each with sockets of its own on 127.0.0.1, or where it is a workload of a mesh, which is known by its
/// address, on a loopback address of its own, at the ports of its container. They stop when this is dropped.
///
/// ```
/// use conformance::backend::Backends;
/// use conformance::case::base;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> std::io::Result<()> {
/// let backends = Backends::start(&base().deployments).await?;
/// let pod = &backends.pods()[0];
/// assert_eq!(pod.labels["app"], "infra-backend-v1");
/// assert!(pod.ports[&3000].ip().is_loopback());
/// # Ok(()) }
/// ```
pub struct Backends {
    pods: Vec<RunningPod>,
    received: Received,
    _tasks: JoinSet<()>,
}

/// Binds the sockets of one pod.
struct Starting<'a> {
    deployment: &'a Deployment,
    pod: Pod,
    received: &'a Received,
    ports: BTreeMap<u16, SocketAddr>,
    address: IpAddr,
    tasks: &'a mut JoinSet<()>,
}

// === impl Backends ===

impl Backends {
    /// Starts the pods of all these Deployments.
    ///
    /// # Errors
    /// If there is no socket to be had, or a Deployment names a certificate that is not there.
    pub async fn start(deployments: impl IntoIterator<Item = &Deployment>) -> io::Result<Self> {
        let mut tasks = JoinSet::new();
        let (mut pods, received) = (Vec::new(), Received::default());
        for deployment in deployments {
            for pod in deployment.pods() {
                let (ports, received) = (BTreeMap::new(), &received);
                let address = match deployment.speaks {
                    Speaks::Mesh => loopback::address(),
                    _ => Ipv4Addr::LOCALHOST.into(),
                };
                let mut starting = Starting { deployment, pod, received, ports, address, tasks: &mut tasks };
                starting.start().await?;
                let labels = deployment.pod_labels();
                pods.push(RunningPod { pod: starting.pod, labels, ports: starting.ports });
            }
        }
        Ok(Self { pods, received, _tasks: tasks })
    }

    /// The pods, and where they can be reached.
    pub fn pods(&self) -> &[RunningPod] {
        &self.pods
    }

    /// How many requests with this path and query the pods of a Deployment have received.
    pub fn received(&self, deployment: &ObjectName, path: &str) -> usize {
        self.received.requests(deployment, path)
    }
}

impl fmt::Debug for Backends {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Backends").field("pods", &self.pods).finish_non_exhaustive()
    }
}

// === impl Starting ===

impl Starting<'_> {
    async fn start(&mut self) -> io::Result<()> {
        let http = Arc::new(HttpBackend::new(self.pod.clone(), self.received.clone()));
        let grpc = grpc::GrpcBackend::new(self.pod.clone(), self.received.clone());
        let pod = self.pod.clone();
        match self.deployment.speaks {
            Speaks::Http => {
                let backend = http.clone();
                self.listen(3000, move |stream| http::serve_http1(stream, backend.clone())).await?;
                let backend = http.clone();
                self.listen(3001, move |stream| http::serve_http2(stream, backend.clone())).await?;
                if let Some(acceptor) = self.tls(&["h2", "http/1.1"])? {
                    self.listen(8443, move |stream| {
                        http::serve_https(stream, acceptor.clone(), http.clone())
                    })
                    .await?;
                }
            }
            Speaks::Grpc => {
                let backend = grpc.clone();
                self.listen(3000, move |stream| grpc::serve(stream, backend.clone())).await?;
                if let Some(acceptor) = self.tls(&["h2"])? {
                    self.listen(8443, move |stream| grpc::serve_tls(stream, acceptor.clone(), grpc.clone()))
                        .await?;
                }
            }
            Speaks::Tcp => {
                let backend = pod.clone();
                self.listen(3000, move |stream| tcp::serve(stream, backend.clone())).await?;
                if let Some(acceptor) = self.tls(&[])? {
                    self.listen(8443, move |stream| tcp::serve_tls(stream, acceptor.clone(), pod.clone()))
                        .await?;
                }
            }
            Speaks::Udp => {
                let socket = self.datagrams(8080).await?;
                self.tasks.spawn(datagram::serve(socket, pod));
            }
            Speaks::Bytes => {
                let answer = self.deployment.answer.as_deref().and_then(bytes_of_text);
                let backend = bytes::BytesBackend::new(pod, self.received.clone(), answer);
                self.listen(3000, move |stream| backend.clone().serve(stream)).await?;
            }
            Speaks::Nothing => {
                let socket = TcpSocket::new_v4()?;
                socket.bind((Ipv4Addr::LOCALHOST, 0).into())?;
                self.ports.insert(3000, socket.local_addr()?);
                // The port is taken for as long as the pod is there, and no socket listens.
                self.tasks.spawn(async move {
                    let _bound = socket;
                    std::future::pending().await
                });
            }
            Speaks::Mesh => {
                self.listen(8080, move |stream| http::serve_any(stream, http.clone())).await?;
                self.listen(7070, move |stream| grpc::serve(stream, grpc.clone())).await?;
            }
        }
        Ok(())
    }

    fn tls(&self, protocols: &[&str]) -> io::Result<Option<TlsAcceptor>> {
        let Some(secret) = &self.deployment.certificate else { return Ok(None) };
        let config = tls::server(secret, self.deployment.client_authority.as_ref(), protocols);
        let config = config.map_err(|error| {
            io::Error::new(
                io::ErrorKind::InvalidInput,
                format!("Deployment {}: {error}", self.deployment.name),
            )
        })?;
        Ok(Some(TlsAcceptor::from(Arc::new(config))))
    }

    /// Serves every connection to a new socket.
    async fn listen<S, F>(&mut self, port: u16, serve: S) -> io::Result<()>
    where
        S: Fn(TcpStream) -> F + Send + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        // Where the address is the pod's own, so are its ports, as in a cluster.
        let own = self.address != Ipv4Addr::LOCALHOST;
        let listener = TcpListener::bind((self.address, if own { port } else { 0 })).await?;
        self.ports.insert(port, listener.local_addr()?);
        self.tasks.spawn(async move {
            // The connections end with the task that took them.
            let mut connections = JoinSet::new();
            loop {
                tokio::select! {
                    // An error is about the connection that could not be taken.
                    accepted = listener.accept() => if let Ok((stream, _)) = accepted {
                        let _ = stream.set_nodelay(true);
                        connections.spawn(serve(stream));
                    },
                    Some(_) = connections.join_next() => {}
                }
            }
        });
        Ok(())
    }

    async fn datagrams(&mut self, port: u16) -> io::Result<UdpSocket> {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        self.ports.insert(port, socket.local_addr()?);
        Ok(socket)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::case::base;

    #[tokio::test]
    async fn every_pod_has_the_ports_of_what_it_speaks() {
        let backends = Backends::start(&base().deployments).await.unwrap();
        let ports = |name: &str| -> Vec<Vec<u16>> {
            let pods = backends.pods().iter().filter(|it| it.pod.deployment() == name);
            pods.map(|pod| pod.ports.keys().copied().collect()).collect()
        };
        assert_eq!(ports("infra-backend-v1"), [[3000, 3001], [3000, 3001]]);
        assert_eq!(ports("tls-backend")[0], [3000, 3001, 8443]);
        assert_eq!(ports("tcp-backend")[0], [3000, 8443]);
        assert_eq!(ports("udp-echo"), [[8080]]);
        assert_eq!(ports("grpc-infra-backend-v1")[0], [3000, 8443]);
        assert_eq!(ports("grpc-infra-backend-v2")[0], [3000]);
        assert_eq!(ports("echo-v2"), [[7070, 8080]]);
        let labels = &backends.pods().iter().find(|it| it.pod.deployment() == "echo-v2").unwrap().labels;
        assert_eq!((labels["app"].as_str(), labels["version"].as_str()), ("echo", "v2"));
        let mut names: Vec<_> = backends.pods().iter().map(|it| &it.pod).collect();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), backends.pods().len(), "every pod has a name of its own");
    }

    #[tokio::test]
    async fn a_certificate_that_is_not_there_is_an_error_that_names_it() {
        let mut deployment = base().deployments[0].clone();
        deployment.certificate = Some("missing".into());
        let error = Backends::start(&[deployment]).await.unwrap_err().to_string();
        assert!(error.contains("infra-backend-v1") && error.contains("Secret missing"), "{error}");
    }
}
