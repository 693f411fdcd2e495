//! The program in a process of its own, and the cluster that it reads.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::process::{Command, Stdio};
use std::time::Instant;

use gateway_examples::demo::endpoint_slice;
use gateway_examples::echo::EchoBackend;
use serde_json::Value;
use tempfile::TempDir;

use crate::cluster::{Cluster, has, written};
use crate::control_plane::ControlPlane;
use crate::harness::{Answer, Gateway, PATIENCE, get};

/// A running `gateway controller`; killed when dropped.
pub(crate) struct Controller {
    pub(crate) gateway: Gateway,
    _folder: TempDir,
}

// === impl Controller ===

impl Controller {
    /// Starts it for the class of a test, with more arguments.
    pub(crate) fn start(control_plane: &ControlPlane, cluster: &Cluster, args: &[&str]) -> Self {
        Self::start_as("admin", control_plane, cluster, &[], args)
    }

    /// The same for another user than the one who may do everything, and with variables.
    pub(crate) fn start_as(
        user: &str,
        control_plane: &ControlPlane,
        cluster: &Cluster,
        variables: &[(&str, &str)],
        args: &[&str],
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let kubeconfig = folder.path().join("kubeconfig");
        std::fs::write(&kubeconfig, control_plane.kubeconfig(user)).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_gateway"));
        command
            .args(["controller", "--admin", "127.0.0.1:0", "--controller-name", &cluster.controller_name])
            .arg("--kubeconfig")
            .arg(&kubeconfig)
            .args(args)
            .envs(variables.iter().copied())
            .stdin(Stdio::null());
        Self { gateway: Gateway::spawn(command), _folder: folder }
    }

    /// Starts the program `controller` for the class of a test, on this address.
    pub(crate) fn start_small(control_plane: &ControlPlane, cluster: &Cluster, address: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let kubeconfig = folder.path().join("kubeconfig");
        std::fs::write(&kubeconfig, control_plane.kubeconfig("admin")).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_controller"));
        command.args([cluster.controller_name.as_str(), address]).env("KUBECONFIG", &kubeconfig);
        Self { gateway: Gateway::spawn(command), _folder: folder }
    }

    /// Waits until its admin port answers so.
    pub(crate) async fn until_ready(&self, status: u16) -> Answer {
        let admin = self.gateway.admin();
        self.gateway.until(admin, "/readyz", |answer| answer.status == status).await
    }
}

/// A port that is free now.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)).unwrap().local_addr().unwrap().port()
}

/// A backend with a Service that leads to it.
pub(crate) async fn backend(cluster: &Cluster, name: &str) -> EchoBackend {
    backend_in(cluster, &cluster.name, name).await
}

/// The same in another namespace.
pub(crate) async fn backend_in(cluster: &Cluster, namespace: &str, name: &str) -> EchoBackend {
    // The address by which this machine reaches others; nothing is sent.
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).unwrap();
    socket.connect((Ipv4Addr::new(198, 51, 100, 1), 9)).expect("a machine with a network");
    let backend = EchoBackend::start_at(name, socket.local_addr().unwrap().ip()).await.unwrap();
    let port = backend.address().port();
    cluster
        .apply(&format!(
            "{{apiVersion: v1, kind: Service, metadata: {{name: {name}, namespace: {namespace}}}, \
             spec: {{ports: [{{port: 80, targetPort: {port}}}]}}}}"
        ))
        .await;
    let mut slice: Value = serde_saphyr::from_str(&endpoint_slice(&backend)).unwrap();
    slice["metadata"]["namespace"] = namespace.into();
    cluster.apply(&slice.to_string()).await;
    backend
}

/// Waits until Gateway `web` is programmed, and gives its address with this port.
pub(crate) async fn address(cluster: &Cluster, name: &str, port: u16) -> SocketAddr {
    let programmed = |gateway: &Value| {
        has(&written(&gateway["status"]), "Programmed=True/Programmed")
            && gateway["status"]["addresses"].as_array().is_some_and(|addresses| !addresses.is_empty())
    };
    let gateway = cluster.until("Gateway", name, programmed).await;
    let address = gateway["status"]["addresses"][0]["value"].as_str().unwrap();
    SocketAddr::new(address.parse().unwrap(), port)
}

/// Asks until a backend answers.
pub(crate) async fn until_served(address: SocketAddr, path: &str) -> Answer {
    let start = Instant::now();
    loop {
        if tokio::net::TcpStream::connect(address).await.is_ok() {
            let answer = get(address, path).await;
            if answer.status == 200 {
                return answer;
            }
        }
        assert!(start.elapsed() < PATIENCE, "{address} does not serve {path}");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}
