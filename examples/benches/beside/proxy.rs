//! The programs that are compared, each in a process of its own with one worker.

use std::fs::{self, File};
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::case::Exchange;
use super::certificate::Certificate;
use super::configuration;
use super::error::Error;
use super::process::Process;

/// How long a proxy has until it listens.
const PATIENCE: Duration = Duration::from_secs(20);

/// A program that is measured.
#[derive(Clone, Debug)]
pub(crate) enum Program {
    /// The one at this path.
    Envoy(PathBuf),
    /// `gateway run` of the one at this path.
    Gateway(PathBuf),
}

/// A running proxy; killed when dropped.
pub(crate) struct Proxy {
    name: &'static str,
    child: Child,
    address: SocketAddr,
    folder: TempDir,
}

// === impl Program ===

impl Program {
    /// The `gateway` that cargo has built with this.
    pub(crate) fn own() -> Self {
        Self::Gateway(env!("CARGO_BIN_EXE_gateway").into())
    }

    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Envoy(_) => "Envoy",
            Self::Gateway(_) => "gateway",
        }
    }

    fn configuration(
        &self,
        exchange: Exchange,
        port: u16,
        backend: SocketAddr,
        certificate: &Certificate,
    ) -> String {
        match self {
            Self::Envoy(_) => configuration::of_envoy(exchange, port, backend, certificate),
            Self::Gateway(_) => configuration::of_gateway(exchange, port, backend, certificate),
        }
    }

    /// How it is started with a file.
    fn command(&self, file: &Path) -> Command {
        match self {
            Self::Envoy(path) => {
                let mut command = Command::new(path);
                // Two that are restarted hot would share memory.
                command
                    .args(["--concurrency", "1", "--disable-hot-restart", "--log-level", "error", "-c"])
                    .arg(file);
                command
            }
            Self::Gateway(path) => {
                let mut command = Command::new(path);
                command.args(["run", "--threads", "1", "--address", "127.0.0.1"]).arg(file);
                command
            }
        }
    }
}

/// What Envoy at a path says of its version.
pub(crate) fn version(envoy: &Path) -> Result<String, Error> {
    let no_peer = |error| Error::NoPeer { path: envoy.to_owned(), error };
    let output = Command::new(envoy).arg("--version").stdin(Stdio::null()).output().map_err(no_peer)?;
    let said = String::from_utf8_lossy(&output.stdout);
    let version = said.lines().find_map(|line| line.split_once("version: "));
    match version {
        Some((_, version)) if output.status.success() => Ok(version.trim().to_owned()),
        _ => Err(no_peer(io::Error::other("that says no version"))),
    }
}

// === impl Proxy ===

impl Proxy {
    /// Starts a program in front of a backend, on the core of the caller, and waits until it listens.
    pub(crate) fn start(
        program: &Program,
        exchange: Exchange,
        backend: SocketAddr,
        certificate: &Certificate,
    ) -> Result<Self, Error> {
        // A port that is free now.
        let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
        let folder = tempfile::tempdir()?;
        // Envoy knows the format by the end of the name.
        let file = folder.path().join("configuration.yaml");
        fs::write(&file, program.configuration(exchange, address.port(), backend, certificate))?;
        let said = File::create(folder.path().join("said"))?;
        let name = program.name();
        let mut command = program.command(&file);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(said);
        let child = command.spawn().map_err(|error| Error::Start { name, error })?;
        let mut proxy = Self { name, child, address, folder };
        proxy.wait_until_it_listens()?;
        Ok(proxy)
    }

    fn wait_until_it_listens(&mut self) -> Result<(), Error> {
        let (name, address) = (self.name, self.address);
        let start = Instant::now();
        while TcpStream::connect(address).is_err() {
            if let Some(status) = self.child.try_wait()? {
                return Err(Error::Ended { name, address, status, said: self.said() });
            }
            if start.elapsed() > PATIENCE {
                return Err(Error::Deaf { name, address, seconds: PATIENCE.as_secs(), said: self.said() });
            }
            thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn process(&self) -> Process {
        Process::new(self.child.id())
    }

    /// What it wrote to its standard error.
    pub(crate) fn said(&self) -> String {
        fs::read_to_string(self.folder.path().join("said")).unwrap_or_default()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
