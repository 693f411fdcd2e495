//! A kube-apiserver of our own with its etcd: started for a test binary, and gone with it.

use std::fmt;
use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;
use tokio::time::sleep;

/// A program that ends when this process does, however that ends: its shell waits at a pipe that closes then.
struct Program {
    shell: Child,
}

/// Every request of others than the API server itself, once it is answered.
const AUDIT: &str = "
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
  - {level: None, users: ['system:apiserver']}
  - {level: Metadata}
";

/// A running control plane.
pub(crate) struct ControlPlane {
    assets: PathBuf,
    folder: TempDir,
    etcd_port: u16,
    port: u16,
    is_audited: bool,
    // Dropped in this order.
    api_server: Option<Program>,
    _etcd: Program,
}

/// A request that was answered, as the API server's log of requests has it.
#[allow(dead_code, reason = "for those who look at requests")]
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Request {
    pub(crate) verb: String,
    pub(crate) group: String,
    /// As `gateways` or `gateways/status`.
    pub(crate) resource: String,
    pub(crate) namespace: String,
    /// The name that is asked for, also where it is a selector of a list or a watch.
    pub(crate) name: String,
    pub(crate) code: u64,
}

/// Who asks: `admin` may do everything, each other user what a role says.
pub(crate) const USERS: [&str; 2] = ["admin", "limited"];

/// Where the programs of the control plane are.
///
/// # Errors
/// There are none; how to get them.
pub(crate) fn assets() -> Result<PathBuf, String> {
    if let Some(folder) = std::env::var_os("KUBEBUILDER_ASSETS") {
        let folder = PathBuf::from(folder);
        let is_there = |name| folder.join(name).exists();
        // Named and not there is a mistake, not a reason to pass over the tests.
        assert!(
            is_there("etcd") && is_there("kube-apiserver"),
            "KUBEBUILDER_ASSETS has no etcd and kube-apiserver"
        );
        return Ok(folder);
    }
    let build = concat!(env!("CARGO_MANIFEST_DIR"), "/../conformance/upstream/controlplane/build");
    let found = Command::new(build).arg("--find").output();
    match found {
        Ok(output) if output.status.success() => {
            Ok(PathBuf::from(String::from_utf8_lossy(&output.stdout).trim_end().to_owned()))
        }
        Ok(output) => {
            Err(format!("there is no control plane: {}", String::from_utf8_lossy(&output.stderr).trim_end()))
        }
        Err(error) => Err(format!("there is no control plane: {build}: {error}")),
    }
}

/// The folder of upstream's Go module.
///
/// # Errors
/// It cannot be had; why.
pub(crate) fn module(version: &str) -> Result<PathBuf, String> {
    let go = |arguments: &[&str]| {
        // The module may ask for a newer Go than is installed.
        let output = Command::new("go").args(arguments).env("GOTOOLCHAIN", "auto").current_dir("/").output();
        let output =
            output.map_err(|error| format!("the resource definitions come from a Go module: go: {error}"))?;
        Ok::<_, String>((String::from_utf8_lossy(&output.stdout).trim().to_owned(), output))
    };
    let (cache, _) = go(&["env", "GOMODCACHE"])?;
    let module = format!("sigs.k8s.io/gateway-api@{version}");
    let folder = Path::new(&cache).join(&module);
    if !folder.exists() {
        let (_, output) = go(&["mod", "download", &module])?;
        if !folder.exists() {
            return Err(format!("{module} cannot be had: {}", String::from_utf8_lossy(&output.stderr)));
        }
    }
    Ok(folder)
}

/// The resource definitions of a version of Gateway API, as YAML, of the experimental channel.
///
/// # Errors
/// They cannot be had; why.
pub(crate) fn definitions(version: &str) -> Result<Vec<String>, String> {
    definitions_of_channel(version, "experimental")
}

/// The same of a channel.
///
/// # Errors
/// They cannot be had; why.
pub(crate) fn definitions_of_channel(version: &str, channel: &str) -> Result<Vec<String>, String> {
    let folder = module(version)?.join("config/crd").join(channel);
    let files = fs::read_dir(folder).map_err(|error| error.to_string())?;
    let texts = files.filter_map(|file| fs::read_to_string(file.ok()?.path()).ok());
    Ok(texts.filter(|text| text.contains("\nkind: CustomResourceDefinition\n")).collect())
}

// === impl ControlPlane ===

impl ControlPlane {
    /// Starts etcd and kube-apiserver, and waits until they are ready.
    pub(crate) async fn start(assets: PathBuf) -> Self {
        Self::start_with(assets, false).await
    }

    /// The same with a log of the requests.
    #[allow(dead_code, reason = "for those who look at requests")]
    pub(crate) async fn start_audited(assets: PathBuf) -> Self {
        Self::start_with(assets, true).await
    }

    async fn start_with(assets: PathBuf, is_audited: bool) -> Self {
        let folder = tempfile::Builder::new().prefix("gateway-kube-").tempdir().unwrap();
        let key = rcgen::KeyPair::generate().unwrap();
        fs::write(folder.path().join("sa.key"), key.serialize_pem()).unwrap();
        fs::write(folder.path().join("sa.pub"), key.public_key_pem()).unwrap();
        let tokens = USERS.map(|user| match user {
            "admin" => "admin,admin,admin,system:masters\n".to_owned(),
            user => format!("{user},{user},{user}\n"),
        });
        fs::write(folder.path().join("tokens.csv"), tokens.concat()).unwrap();
        fs::write(folder.path().join("audit.yaml"), AUDIT).unwrap();
        let (etcd_port, peer_port, port) = (free_port(), free_port(), free_port());
        let url = |port| format!("http://127.0.0.1:{port}");
        let data = folder.path().join("etcd");
        let etcd = Program::start(
            &assets.join("etcd"),
            folder.path(),
            &[
                &format!("--data-dir={}", data.display()),
                &format!("--listen-client-urls={}", url(etcd_port)),
                &format!("--advertise-client-urls={}", url(etcd_port)),
                &format!("--listen-peer-urls={}", url(peer_port)),
                "--unsafe-no-fsync",
                "--log-level=warn",
            ],
            true,
        );
        let mut control_plane =
            Self { assets, folder, etcd_port, port, is_audited, api_server: None, _etcd: etcd };
        control_plane.start_api_server().await;
        control_plane
    }

    /// Starts kube-apiserver, where the one before was killed.
    pub(crate) async fn start_api_server(&mut self) {
        let file = |name: &str| self.folder.path().join(name).display().to_string();
        let arguments = [
            &format!("--etcd-servers=http://127.0.0.1:{}", self.etcd_port),
            "--bind-address=127.0.0.1",
            "--advertise-address=127.0.0.1",
            &format!("--secure-port={}", self.port),
            &format!("--cert-dir={}", file("certificates")),
            "--endpoint-reconciler-type=none",
            "--authorization-mode=RBAC",
            "--anonymous-auth=false",
            &format!("--token-auth-file={}", file("tokens.csv")),
            "--service-account-issuer=https://kubernetes.default.svc",
            &format!("--service-account-key-file={}", file("sa.pub")),
            &format!("--service-account-signing-key-file={}", file("sa.key")),
            "--service-cluster-ip-range=10.96.0.0/16",
            "--feature-gates=ClusterTrustBundle=true",
            "--runtime-config=certificates.k8s.io/v1beta1/clustertrustbundles=true",
            &format!("--audit-policy-file={}", file("audit.yaml")),
            // Without a place for the log, there is none.
            &format!("--audit-log-path={}", if self.is_audited { file("audit.log") } else { String::new() }),
        ];
        let program = self.assets.join("kube-apiserver");
        self.api_server = Some(Program::start(&program, self.folder.path(), &arguments, false));
        let deadline = Instant::now() + Duration::from_secs(120);
        let certificate = self.certificate();
        while !certificate.exists() || !self.is_ready().await {
            assert!(
                Instant::now() < deadline,
                "kube-apiserver does not become ready; see {}",
                file("kube-apiserver.log")
            );
            sleep(Duration::from_millis(100)).await;
        }
    }

    /// Kills kube-apiserver, as a crash would.
    pub(crate) fn kill_api_server(&mut self) {
        self.api_server = None;
    }

    /// Makes etcd forget everything but the present, so that a watch cannot go on where it stopped.
    pub(crate) fn compact(&self) {
        let range = self.etcd("/v3/kv/range", r#"{"key": "AA=="}"#);
        let revision = range.split(r#""revision":""#).nth(1).and_then(|rest| rest.split('"').next());
        let revision = revision.unwrap_or_else(|| panic!("no revision in {range}"));
        let answer =
            self.etcd("/v3/kv/compaction", &format!(r#"{{"revision": "{revision}", "physical": true}}"#));
        assert!(answer.contains(" 200 OK"), "{answer}");
    }

    /// The requests of a user so far, if it was started with a log of them.
    #[allow(dead_code, reason = "for those who look at requests")]
    pub(crate) fn requests(&self, user: &str) -> Vec<Request> {
        let log = fs::read_to_string(self.folder.path().join("audit.log")).unwrap_or_default();
        // The last line may be half of one.
        let events = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let of_user = events.filter(|event| event["user"]["username"] == *user);
        of_user.filter_map(|event| Request::from_event(&event)).collect()
    }

    /// A configuration for requests of a user.
    pub(crate) fn config(&self, user: &str) -> kube::Config {
        let url = format!("https://127.0.0.1:{}", self.port).parse().unwrap();
        let mut config = kube::Config::new(url);
        let pem = fs::read(self.certificate()).unwrap();
        let certificates = rustls_pki_types::pem::PemObject::pem_slice_iter(&pem);
        let certificates =
            certificates.map(|der: Result<rustls_pki_types::CertificateDer<'_>, _>| der.unwrap().to_vec());
        config.root_cert = Some(certificates.collect());
        config.auth_info.token = Some(user.to_owned().into());
        config
    }

    /// The same as a file for programs.
    #[allow(dead_code, reason = "for those who run programs on it")]
    pub(crate) fn kubeconfig(&self, user: &str) -> String {
        let (port, certificate) = (self.port, self.certificate().display().to_string());
        format!(
            "{{apiVersion: v1, kind: Config, current-context: test, contexts: [{{name: test, context: {{cluster: test, user: \
             test}}}}], clusters: [{{name: test, cluster: {{server: 'https://127.0.0.1:{port}', certificate-authority: \
             '{certificate}'}}}}], users: [{{name: test, user: {{token: {user}}}}}]}}"
        )
    }

    fn certificate(&self) -> PathBuf {
        self.folder.path().join("certificates/apiserver.crt")
    }

    async fn is_ready(&self) -> bool {
        let Ok(client) = kube::Client::try_from(self.config("admin")) else { return false };
        let request = http::Request::get("/readyz").body(Vec::new()).unwrap();
        client.request_text(request).await.is_ok()
    }

    fn etcd(&self, path: &str, body: &str) -> String {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.etcd_port)).unwrap();
        let length = body.len();
        let request = format!(
            "POST {path} HTTP/1.1\r\nhost: etcd\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }
}

// === impl Request ===

impl Request {
    /// Nothing for a request that is about no object.
    fn from_event(event: &Value) -> Option<Self> {
        let object = event.get("objectRef")?;
        let text = |field: &str| object[field].as_str().unwrap_or_default();
        let resource = match text("subresource") {
            "" => text("resource").to_owned(),
            subresource => format!("{}/{subresource}", text("resource")),
        };
        Some(Self {
            verb: event["verb"].as_str()?.to_owned(),
            group: text("apiGroup").to_owned(),
            resource,
            namespace: text("namespace").to_owned(),
            name: text("name").to_owned(),
            code: event["responseStatus"]["code"].as_u64().unwrap_or_default(),
        })
    }
}

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { verb, group, resource, namespace, name, code } = self;
        write!(f, "{verb} {resource}.{group} {namespace}/{name}: {code}")
    }
}

// === impl Program ===

impl Program {
    /// The last one to end takes the folder away.
    fn start(program: &Path, folder: &Path, arguments: &[&str], is_last: bool) -> Self {
        const SCRIPT: &str = r#"
            folder=$1 is_last=$2 log=$3; shift 3
            "$@" >>"$log" 2>&1 </dev/null & child=$!
            read -r _
            kill -9 $child 2>/dev/null; wait $child 2>/dev/null
            if $is_last; then rm -rf "$folder"; fi
        "#;
        let log = folder.join(program.file_name().unwrap()).with_extension("log");
        let mut shell = Command::new("sh");
        shell
            .args(["-c", SCRIPT, "sh"])
            .arg(folder)
            .arg(is_last.to_string())
            .arg(log)
            .arg(program)
            .args(arguments);
        for variable in ["HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"] {
            shell.env_remove(variable);
        }
        let shell = shell.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        Self { shell }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        // It is a shell that waits for nothing but the end of its child.
        let _ = self.shell.wait();
    }
}

fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}
