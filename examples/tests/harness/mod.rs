//! The `gateway` program in a process of its own, with files in a folder of its own, on ports that the system chose.

#![allow(dead_code, reason = "no test needs all of it")]

mod manifests;

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tempfile::TempDir;
use tokio::net::TcpStream;

#[allow(unused_imports, reason = "no test needs all of it")]
pub(crate) use self::manifests::{CLASS, GATEWAY, SHOP, gateway, route, secret, service};

/// How long anything may take before a test gives up.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A running `gateway`; killed when dropped.
pub(crate) struct Gateway {
    child: Child,
    folder: TempDir,
    lines: Arc<Mutex<Vec<String>>>,
    stdout: Arc<Mutex<Vec<String>>>,
}

impl Gateway {
    /// Starts `gateway run` with a folder that holds these files, and waits until it has said how it stands.
    pub(crate) fn start(files: &[(&str, &str)], args: &[&str]) -> Self {
        Self::start_as(Command::new(env!("CARGO_BIN_EXE_gateway")), files, args)
    }

    /// The same with limits on open files, the one in force and the one up to which that can be raised.
    #[allow(dead_code, reason = "not every test needs it")]
    pub(crate) fn start_with_open_files(soft: u32, hard: u32, files: &[(&str, &str)], args: &[&str]) -> Self {
        let mut command = Command::new("sh");
        let limits = format!("ulimit -S -n {soft} && ulimit -H -n {hard} && exec \"$0\" \"$@\"");
        command.args(["-c", &limits, env!("CARGO_BIN_EXE_gateway")]);
        Self::start_as(command, files, args)
    }

    fn start_as(mut command: Command, files: &[(&str, &str)], args: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            fs::write(folder.path().join(name), text).unwrap();
        }
        command.args(["run", "--address", "127.0.0.1", "--port-map", "80=0", "--port-map", "443=0"]);
        command.args(args).arg(folder.path());
        let mut gateway = Self::spawn(command);
        gateway.folder = folder;
        gateway.wait_for_line("ROUTE ");
        gateway
    }

    /// Starts a command line of the program, without files.
    pub(crate) fn spawn(mut command: Command) -> Self {
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let lines = collect(child.stderr.take().unwrap());
        let stdout = collect(child.stdout.take().unwrap());
        Self { child, folder: tempfile::tempdir().unwrap(), lines, stdout }
    }

    /// The path of a file in the folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Replaces a file as editors and `mv` do.
    pub(crate) fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        let new = self.path(".new");
        fs::write(&new, text).unwrap();
        fs::rename(new, self.path(name)).unwrap();
    }

    /// What it said so far.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap().clone()
    }

    /// Waits until it says something with `text` in it, after the first `skip` lines.
    pub(crate) fn wait_for_line_after(&self, skip: usize, text: &str) -> String {
        let start = Instant::now();
        loop {
            let lines = self.lines();
            if let Some(line) = lines.iter().skip(skip).find(|line| line.contains(text)) {
                return line.clone();
            }
            assert!(start.elapsed() < PATIENCE, "nothing with {text:?} was said: {lines:#?}");
            thread::sleep(Duration::from_millis(2));
        }
    }

    /// Waits until it says something with `text` in it.
    pub(crate) fn wait_for_line(&self, text: &str) -> String {
        self.wait_for_line_after(0, text)
    }

    /// Where a listener is bound, as the table says: one of the Gateway `default/web`, or as `gateway/listener`.
    pub(crate) fn address(&self, listener: &str) -> SocketAddr {
        let line = match listener.contains('/') {
            true => self.wait_for_line(&format!("default/{listener} ")),
            false => self.wait_for_line(&format!("default/web/{listener} ")),
        };
        let address = line.split_whitespace().find_map(|word| word.parse().ok());
        address.unwrap_or_else(|| panic!("no address in {line:?}"))
    }

    /// Where the admin port is.
    pub(crate) fn admin(&self) -> SocketAddr {
        self.wait_for_line("admin on http://").rsplit('/').next().unwrap().parse().unwrap()
    }

    /// The lines of the access log, once there are at least `count`.
    pub(crate) fn access_log(&self, count: usize) -> Vec<String> {
        let start = Instant::now();
        loop {
            let lines = self.stdout.lock().unwrap().clone();
            if lines.len() >= count {
                return lines;
            }
            assert!(start.elapsed() < PATIENCE, "the access log has {} lines only", lines.len());
            thread::sleep(Duration::from_millis(2));
        }
    }

    /// The number of the process.
    pub(crate) fn process(&self) -> u32 {
        self.child.id()
    }

    /// Sends SIGTERM.
    pub(crate) fn terminate(&self) {
        let killed = Command::new("kill").args(["-TERM", &self.process().to_string()]).status().unwrap();
        assert!(killed.success());
    }

    /// Waits until it ends by itself.
    pub(crate) fn ended(mut self) -> ExitStatus {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(start.elapsed() < PATIENCE, "the gateway does not end: {:#?}", self.lines());
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Asks until an answer is as wanted.
    pub(crate) async fn until(
        &self,
        address: SocketAddr,
        path: &str,
        wanted: impl Fn(&Answer) -> bool,
    ) -> Answer {
        let start = Instant::now();
        loop {
            let answer = get(address, path).await;
            if wanted(&answer) {
                return answer;
            }
            assert!(start.elapsed() < PATIENCE, "{path} still gives {answer:?}: {:#?}", self.lines());
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn collect(stream: impl Read + Send + 'static) -> Arc<Mutex<Vec<String>>> {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let collected = lines.clone();
    thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            collected.lock().unwrap().push(line);
        }
    });
    lines
}

/// Runs `gateway` to its end.
pub(crate) fn run(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_gateway")).args(args).stdin(Stdio::null()).output().unwrap()
}

/// An answer with its body.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    /// What the backend says that it received.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The name of the backend that answered.
    pub(crate) fn backend(&self) -> String {
        self.json()["backend"].as_str().unwrap().to_owned()
    }

    /// The value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

/// Sends one request over a new connection.
pub(crate) async fn send(address: SocketAddr, request: Request<&'static str>) -> Answer {
    answer(try_send(address, request).await.unwrap()).await
}

/// The same, where no server may be there to answer.
pub(crate) async fn try_send(
    address: SocketAddr,
    request: Request<&'static str>,
) -> Result<Response<hyper::body::Incoming>, Box<dyn std::error::Error + Send + Sync>> {
    let stream = TcpStream::connect(address).await?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    Ok(sender.send_request(request.map(Full::<bytes::Bytes>::from)).await?)
}

/// Reads an answer to its end.
pub(crate) async fn answer(response: Response<hyper::body::Incoming>) -> Answer {
    let (parts, body) = response.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let body = String::from_utf8(body.into()).unwrap();
    Answer { status: parts.status.as_u16(), headers: parts.headers, body }
}

/// Sends a GET request for a path of `www.example.com`.
pub(crate) async fn get(address: SocketAddr, path: &str) -> Answer {
    send(address, Request::get(path).header("host", "www.example.com").body("").unwrap()).await
}

/// Sends a GET request with headers.
pub(crate) async fn get_with(address: SocketAddr, path: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = Request::get(path).header("host", "www.example.com");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    send(address, request.body("").unwrap()).await
}
