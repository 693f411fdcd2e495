//! Programs that are installed on this machine, and how they are started.

use std::net::{Ipv4Addr, TcpListener, TcpStream, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use crate::harness::{self, PATIENCE};

/// A server, ended when dropped.
pub(crate) struct Server(Child);

// === impl Server ===

impl Server {
    /// Starts it, and waits until it accepts connections on this port.
    pub(crate) fn start(mut command: Command, port: u16) -> Self {
        let log = tempfile::NamedTempFile::new().unwrap();
        command.stdin(Stdio::null()).stdout(log.reopen().unwrap()).stderr(log.reopen().unwrap());
        let mut server = Self(command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}")));
        let start = Instant::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            let is_alive = server.0.try_wait().unwrap().is_none();
            let said = || fs::read_to_string(log.path()).unwrap();
            assert!(is_alive && start.elapsed() < PATIENCE, "{command:?} is not there: {}", said());
            thread::sleep(Duration::from_millis(10));
        }
        server
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It takes what it has in memory of the system with it, which those who are killed do not.
        let _ = Command::new("kill").args(["-INT", &self.0.id().to_string()]).status();
        let start = Instant::now();
        while self.0.try_wait().is_ok_and(|status| status.is_none()) && start.elapsed() < PATIENCE / 3 {
            thread::sleep(Duration::from_millis(10));
        }
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Those that are not installed. A module of Python has its name after `python3:`.
pub(crate) fn missing(programs: &[&'static str]) -> Vec<&'static str> {
    let is_there = |name: &str| match name.strip_prefix("python3:") {
        Some(module) => {
            let import = Command::new("python3").args(["-c", &format!("import {module}")]).output();
            import.is_ok_and(|output| output.status.success())
        }
        None => find(name).is_some(),
    };
    programs.iter().copied().filter(|name| !is_there(name)).collect()
}

/// Where a program is: in one of the folders of PATH, or where Debian has programs of administrators and of PostgreSQL.
fn find(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = env::split_paths(&path).chain([PathBuf::from("/usr/sbin")]).collect();
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    folders.extend(versions.map(|version| version.unwrap().path().join("bin")));
    folders.into_iter().map(|folder| folder.join(name)).find(|path| path.is_file())
}

/// A command line of a program that is installed.
pub(crate) fn program(name: &str) -> Command {
    Command::new(find(name).unwrap_or_else(|| panic!("{name} is installed")))
}

/// A command line of a script that stands beside these tests.
pub(crate) fn script(name: &str) -> Command {
    let mut python = program("python3");
    python.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients").join(name));
    // It writes nothing beside its scripts, and what it reaches is on this machine.
    python.env("PYTHONDONTWRITEBYTECODE", "1").env("no_proxy", "*").env("no_grpc_proxy", "*");
    python
}

/// Runs a client with this as its input, and gives its output.
pub(crate) fn said(mut command: Command, input: &[u8]) -> String {
    let output = run(&mut command, input);
    let (said, error) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?}: {said}{error}");
    said.into_owned()
}

/// The same for a client that may fail.
pub(crate) fn run(command: &mut Command, input: &[u8]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("input");
    fs::write(&path, input).unwrap();
    command.stdin(fs::File::open(path).unwrap()).output().unwrap()
}

/// A port that is free now, for TCP and UDP alike.
pub(crate) fn free_port() -> u16 {
    loop {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        if UdpSocket::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
}

/// A Service, and the port of this machine behind it.
pub(crate) fn service(name: &str, protocol: &str, port: u16) -> String {
    format!(
        "---
apiVersion: v1
kind: Service
metadata: {{name: {name}}}
spec: {{ports: [{{name: main, port: 1, protocol: {protocol}}}]}}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {{name: {name}, labels: {{kubernetes.io/service-name: {name}}}}}
addressType: IPv4
ports: [{{name: main, port: {port}, protocol: {protocol}}}]
endpoints: [{{addresses: [127.0.0.1]}}]
"
    )
}

/// A Route of this kind from a listener to a Service.
pub(crate) fn route(kind: &str, listener: &str, more: &str, service: &str) -> String {
    format!(
        "---
apiVersion: gateway.networking.k8s.io/v1
kind: {kind}
metadata: {{name: {listener}}}
spec: {{parentRefs: [{{name: web, sectionName: {listener}}}], {more} rules: [{{backendRefs: [{{name: {service}, port: 1}}]}}]}}
"
    )
}

/// A Secret with a certificate of one's own for this name; its text is written to a file, too.
pub(crate) fn secret(name: &str, host: &str, certificate: &Path, key: &Path) -> String {
    let made = rcgen::generate_simple_self_signed([host.to_owned()]).unwrap();
    let (pem, key_pem) = (made.cert.pem(), made.signing_key.serialize_pem());
    fs::write(certificate, &pem).unwrap();
    fs::write(key, &key_pem).unwrap();
    harness::secret(name, &pem, &key_pem)
}
