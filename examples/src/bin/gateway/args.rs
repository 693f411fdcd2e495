//! The command line.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;
use std::{env, fs, io};

use clap::builder::Resettable;
use clap::{Arg, Args, Parser, Subcommand, ValueEnum};
use gateway_core::duration;
use gateway_core::feature::{Feature, SUPPORTED, SUPPORTED_IN_MESHES};
use gateway_core::name::ObjectName;
use gateway_core::options::{AddressPolicy, DEFAULT_CONTROLLER_NAME, DefaultAddresses, Options};
use gateway_core::rule::SessionKey;
use gateway_kube::address_pool::AddressPool;
use gateway_kube::controller::ControllerOptions;
use gateway_kube::kube::Client;
use gateway_kube::lease::LeaseOptions;
use gateway_kube::watch::Scope;
use gateway_kube::workloads::{WorkloadWatch, Workloads};
use gateway_tower::TableHandle;
use gateway_tower::names::NameOptions;
use gateway_tower::serve::{
    Addresses, MeshOptions, NamespacesInTable, OneNamespace, OriginalDestination, ProxyHeaderVersion,
};
use rustix::system::uname;

use crate::clients::Clients;
use crate::tls;
use crate::traces::Exporting;

/// A gateway of the Kubernetes Gateway API, whose resources come from files or from a cluster.
#[derive(Debug, Parser)]
#[command(name = "gateway", version, max_term_width = 100)]
pub(crate) struct Gateway {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
#[expect(clippy::large_enum_variant, reason = "there is one")]
pub(crate) enum Command {
    /// Serve what the files say, and follow them as they change.
    ///
    /// A file that cannot be parsed and an object that an API server would refuse keep their last good version, and a
    /// message says where and why; the last good table serves whatever happens. So do files that are emptied, and files
    /// named on the command line that are gone; a file that leaves a folder takes its objects with it.
    ///
    /// SIGTERM and SIGINT end the gateway after the requests under way are answered; a second one ends it at once.
    Run(Run),
    /// Serve what a Kubernetes cluster says, and write statuses back.
    ///
    /// The gateway is ready once it has read everything and tried to bind every socket. It stays ready, and serves its last
    /// table, when the API server is away; what it cannot bind is said in statuses.
    ///
    /// SIGTERM and SIGINT make it say that it is not ready, wait, and end after the requests under way are answered; a second
    /// one ends it at once.
    Controller(Controller),
    /// Check files or a cluster: print everything that is wrong with them, and exit with 1 if there is something.
    ///
    /// An object is looked at in stages, and a later one only where nothing is wrong in those before: whether it can be read, of which
    /// the first error is told; whether an API server would take it; and whether all of it is served.
    Check(Check),
    /// Say which rule serves a request and why no other does; exit with 1 if none does.
    Explain(Explain),
    /// Say what would be decided otherwise with other files: which requests go elsewhere, what is new, what is gone.
    ///
    /// Compared is what is served: the match entries of each host of each listener, in the order in which they go before each other, and
    /// what follows on them; and the conditions in statuses. Rules that only move, and requests that go on as before, are no change.
    /// The exit code is 0 where nothing changes, 1 where something does, and 2 where a manifest has an error, which is left out
    /// of what is compared, or cannot be read. Warnings are for `gateway check`.
    Diff(Diff),
    /// Say what rules of the specification are about, by the ids that messages end in; exit with 1 if there is no such rule.
    Rule(Rule),
}

/// What to read, and how to judge it.
#[derive(Debug, Args)]
pub(crate) struct Source {
    /// Files, and folders with files that end in .yaml, .yml or .json.
    #[arg(value_name = "PATH", required_unless_present = "demo")]
    pub(crate) paths: Vec<PathBuf>,

    /// Add the demo: a Gateway on ports 8080 and 8443, routes that show what there is, and backends for them.
    #[arg(long)]
    pub(crate) demo: bool,

    #[command(flatten)]
    classes: Classes,
}

/// Which GatewayClasses files are for, and how they are carried out.
#[derive(Debug, Args)]
struct Classes {
    /// Serve only GatewayClasses with this controller name; by default all are served.
    #[arg(long, value_name = "DOMAIN/PATH")]
    controller_name: Option<String>,

    /// Answer 404 when no rule of the most specific hostname matches, without trying less specific hostnames.
    #[arg(long)]
    strict_hostnames: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Run {
    #[command(flatten)]
    pub(crate) source: Source,

    /// Address of the Gateways that have none in spec.addresses, where those that have are bound; may be given several
    /// times. Of several Gateways that want the same port of an address the oldest gets it [default: 0.0.0.0, with --demo
    /// 127.0.0.1].
    #[arg(long, value_name = "IP")]
    pub(crate) address: Vec<IpAddr>,

    #[command(flatten)]
    pub(crate) serving: Serving,

    /// Write the statuses of all objects into this file, as a List in JSON, whenever they change.
    #[arg(long, value_name = "FILE")]
    pub(crate) write_status: Option<PathBuf>,
}

/// How sockets are bound and requests served, wherever the resources come from.
#[derive(Debug, Args)]
pub(crate) struct Serving {
    /// Bind a port of the listeners to another one, as in 80=8080; 0 lets the system choose. May be given several times.
    #[arg(long, value_name = "PORT=PORT", value_parser = port_pair)]
    pub(crate) port_map: Vec<(u16, u16)>,

    /// Add this to the number of every port that --port-map does not name.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) port_offset: u16,

    /// Threads that serve; with 1, everything runs on one [default: number of cores].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) threads: Option<u16>,

    /// Answer /livez, /readyz, /status and /metrics on this address; by default nowhere.
    #[arg(long, visible_alias = "admin-address", value_name = "IP:PORT")]
    pub(crate) admin: Option<SocketAddr>,

    /// Write a line for each request, and each stream of TLSRoutes, TCPRoutes and UDPRoutes, to standard output.
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = AccessLogFormat::Off)]
    pub(crate) access_log: AccessLogFormat,

    /// Send a span for each request and each attempt to this collector, by OTLP over gRPC, as in http://localhost:4317. Gateways of whose
    /// traces an XTelemetryPolicy says something have theirs sent where that says.
    #[cfg(feature = "otlp")]
    #[arg(long, value_name = "URL")]
    otlp: Option<String>,

    /// How long requests under way may take when the gateway ends, as in 10s or 1m30s.
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = duration::parse)]
    pub(crate) drain_timeout: Duration,

    /// The most connections that each listener's port takes. All together take no more than half of the files that the system
    /// allows to be open.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) max_connections: Option<u32>,

    /// A file with a secret, the same for all replicas, by which the texts of sessions are sealed that clients keep for
    /// sessionPersistence [default: files: one that is made up at the start, so that sessions end with the gateway; a cluster: the
    /// UIDs of Routes, which all replicas know].
    #[arg(long, value_name = "FILE")]
    session_key: Option<PathBuf>,

    #[command(flatten)]
    hostnames: Hostnames,

    /// Let other processes bind the same ports; the kernel spreads connections among them.
    #[arg(long)]
    pub(crate) reuse_port: bool,

    /// Every connection begins with a header of the PROXY protocol, of either version, which says who the client is. For a
    /// gateway behind a load balancer that sends one, and that nothing else can reach.
    #[arg(long)]
    pub(crate) accept_proxy_protocol: bool,

    /// Connections to the backends of TLSRoutes and TCPRoutes begin with a header of the PROXY protocol, of this version.
    #[arg(long, value_name = "VERSION", value_enum)]
    pub(crate) send_proxy_protocol: Option<ProxyProtocol>,

    /// Carry out a mesh too: take the connections of workloads at this address, to which the network leads them. Those that a Route of
    /// a Service is for are decided about, and all others go on to where they were addressed. May be given several times.
    #[arg(long, value_name = "IP:PORT")]
    pub(crate) mesh: Vec<SocketAddr>,

    /// How connections of workloads tell where they were addressed to.
    #[arg(long, value_name = "SOURCE", value_enum, default_value_t = MeshDestination::Redirected, requires = "mesh")]
    mesh_destination: MeshDestination,

    /// The namespace of the one workload that this stands beside [default: those of many, by their addresses, which Pods and
    /// EndpointSlices have; each then gets a quarter of the connections at most].
    #[arg(long, value_name = "NAMESPACE", requires = "mesh")]
    mesh_namespace: Option<String>,

    /// What to log to standard error: error, warn, info, debug or trace, also for single modules as in
    /// gateway_tower=debug.
    #[arg(long, value_name = "FILTER", default_value = "warn")]
    pub(crate) log: String,
}

/// What is made of names outside the cluster.
#[derive(Debug, Args)]
struct Hostnames {
    /// Where the names outside the cluster may lead that XBackends have. They are looked up with a dot at their end; what
    /// /etc/hosts has without one is not found by most systems.
    #[arg(long, value_name = "WHERE", value_enum, default_value_t = ExternalHostnames::Remote)]
    external_hostnames: ExternalHostnames,
}

/// What a cluster says, and how to write back.
#[derive(Debug, Args)]
pub(crate) struct Controller {
    #[command(flatten)]
    pub(crate) cluster: Cluster,

    /// The controller name of the GatewayClasses to carry out.
    #[arg(long, value_name = "DOMAIN/PATH", default_value = DEFAULT_CONTROLLER_NAME)]
    pub(crate) controller_name: String,

    /// Carry out this GatewayClass only; may be given several times [default: all with the controller name].
    #[arg(long, value_name = "NAME")]
    class: Vec<String>,

    /// Answer 404 when no rule of the most specific hostname matches, without trying less specific hostnames.
    #[arg(long)]
    strict_hostnames: bool,

    /// Address of the Gateways that have none in spec.addresses, where those that have are bound; may be given several
    /// times. Of several Gateways that want the same port of an address the oldest gets it [default: 0.0.0.0, which statuses
    /// do not show].
    #[arg(long, value_name = "IP")]
    address: Vec<IpAddr>,

    /// Give each Gateway that has no address in spec.addresses one of its own from this block, as in 198.18.0.0/24; the
    /// machine has to have them.
    #[arg(long, value_name = "CIDR", conflicts_with_all = ["address", "address_from"])]
    pub(crate) address_pool: Option<AddressPool>,

    /// Show in statuses where clients find the Gateways, and bind all of them to every address: `service=NAMESPACE/NAME` for
    /// the addresses of the Service in front, `node` for those in the variable HOST_IPS, separated by commas.
    #[arg(long, value_name = "SOURCE", conflicts_with = "address")]
    pub(crate) address_from: Option<AddressSource>,

    /// Make no Service for each Gateway. Otherwise each has one, NAME-CLASS in its namespace, with the labels and annotations of
    /// its spec.infrastructure and its addresses behind it, as far as these are known one by one: with --address-pool, or with
    /// --address and neither 0.0.0.0 nor ::. It takes rights to get, create and patch Services and EndpointSlices.
    #[arg(long)]
    no_services: bool,

    /// Let one replica of several write statuses: the one that holds this Lease. Without it, this one writes.
    #[arg(long, value_name = "NAMESPACE/NAME", value_parser = object_name)]
    lease: Option<ObjectName>,

    /// The name of this replica in the Lease, unlike that of any other [default: the variable POD_NAME, or else the name of
    /// the machine].
    #[arg(long, value_name = "NAME", requires = "lease")]
    identity: Option<String>,

    /// Know the clients of the mesh among the Pods of this node only [default: the variable NODE_NAME, or else those of all].
    #[arg(long, value_name = "NAME", requires = "mesh")]
    mesh_node: Option<String>,

    /// Write no statuses and no events.
    #[arg(long, conflicts_with = "lease")]
    read_only: bool,

    /// How long the gateway goes on serving after it said that it is not ready any more, so that no new connections come when
    /// it closes its sockets.
    #[arg(long, value_name = "DURATION", default_value = "5s", value_parser = duration::parse)]
    pub(crate) shutdown_delay: Duration,

    #[command(flatten)]
    pub(crate) serving: Serving,
}

/// Which cluster, and what of it.
#[derive(Debug, Args)]
pub(crate) struct Cluster {
    /// How to reach the cluster [default: the variable KUBECONFIG, ~/.kube/config, or the service account of the pod].
    #[arg(long, value_name = "FILE")]
    pub(crate) kubeconfig: Option<PathBuf>,

    /// The context of that file [default: the current one].
    #[arg(long, value_name = "NAME")]
    pub(crate) context: Option<String>,

    /// Read this namespace only; may be given several times. Rights in these are enough, beside those to read
    /// GatewayClasses [default: all].
    #[arg(long, value_name = "NAMESPACE")]
    namespace: Vec<String>,
}

/// Where the addresses that statuses show come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum AddressSource {
    /// The Service in front of the data plane.
    Service(ObjectName),
    /// The machine that this runs on.
    Node,
}

/// A cluster in the place of files.
#[derive(Debug, Args)]
#[command(mut_args(needs_kube))]
pub(crate) struct Live {
    /// Read a cluster, as it is now, in the place of files. It takes rights to list and watch, and none to write.
    #[arg(long, conflicts_with_all = ["paths", "demo"])]
    pub(crate) kube: bool,

    #[command(flatten)]
    pub(crate) cluster: Cluster,
}

/// What is taken for given where nothing is served.
#[derive(Debug, Args)]
struct Judged {
    /// Take each Gateway that has no address in spec.addresses for one with an address of its own, as in a cluster: none
    /// competes with another for a port.
    #[arg(long)]
    own_addresses: bool,

    /// Take a mesh for carried out, as `run --mesh` does: Routes may be for Services.
    #[arg(long)]
    mesh: bool,

    #[command(flatten)]
    hostnames: Hostnames,
}

#[derive(Debug, Args)]
pub(crate) struct Rule {
    /// The ids, such as VAL-HR-44.
    #[arg(value_name = "ID", required = true)]
    pub(crate) ids: Vec<String>,
}

#[derive(Debug, Args)]
#[command(mut_arg("paths", unless_kube))]
pub(crate) struct Check {
    #[command(flatten)]
    pub(crate) source: Source,

    #[command(flatten)]
    pub(crate) live: Live,

    #[command(flatten)]
    judged: Judged,

    /// Exit with 0 if there are warnings only.
    #[arg(long)]
    pub(crate) allow_warnings: bool,

    /// Print notes too: objects of kinds that routing does not look at.
    #[arg(long)]
    pub(crate) notes: bool,

    /// Print every condition of every object, as a controller would write them.
    #[arg(long)]
    pub(crate) status: bool,
}

#[derive(Debug, Args)]
#[command(allow_missing_positional = true, mut_arg("kube", in_the_place_of_old))]
pub(crate) struct Diff {
    /// What there is: a file, or a folder with files that end in .yaml, .yml or .json.
    #[arg(value_name = "OLD", required_unless_present = "kube")]
    pub(crate) old: Option<PathBuf>,

    /// What there would be: the same. With --kube, what would be applied to the cluster.
    #[arg(value_name = "NEW")]
    pub(crate) new: PathBuf,

    #[command(flatten)]
    pub(crate) live: Live,

    /// A file or folder that belongs to both, such as that with the Gateway. May be given several times.
    #[arg(long, value_name = "PATH")]
    pub(crate) with: Vec<PathBuf>,

    #[command(flatten)]
    classes: Classes,

    #[command(flatten)]
    judged: Judged,
}

#[derive(Debug, Args)]
#[command(mut_arg("paths", unless_kube))]
pub(crate) struct Explain {
    #[command(flatten)]
    pub(crate) source: Source,

    #[command(flatten)]
    pub(crate) live: Live,

    /// The request, as `GET http://shop.example.com/cart`. Its port is that of the listener; for https, its host is also
    /// the server name of the TLS handshake. Calls of gRPC are asked about with grpc://shop.example.com/shop.Cart/Add, within TLS
    /// with grpcs://, and what is passed on as it comes with tls://db.example.com, tcp://any:5432 or udp://any:53.
    #[arg(long, short, value_name = "METHOD URL")]
    pub(crate) request: String,

    /// A header of the request, as 'name: value'. May be given several times. A Host header takes the place of the host in
    /// the URL, which still is the server name.
    #[arg(long, short = 'H', value_name = "HEADER")]
    pub(crate) header: Vec<String>,

    /// The server name of the TLS handshake, where it is not the host of the URL.
    #[arg(long, value_name = "NAME")]
    pub(crate) server_name: Option<String>,

    #[command(flatten)]
    judged: Judged,

    /// The Gateway, or the Service of a mesh, as name or namespace/name, where several have the port.
    #[arg(long, value_name = "GATEWAY")]
    pub(crate) gateway: Option<String>,
}

/// Where the names of XBackends may lead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ExternalHostnames {
    /// Nowhere: such an XBackend is not accepted.
    None,
    /// Anywhere but to this machine and its neighbours, as 127.0.0.1 and 169.254.169.254 are.
    Remote,
    /// Anywhere.
    Any,
}

/// A version of the PROXY protocol.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum ProxyProtocol {
    /// A line of text.
    V1,
    /// Binary.
    V2,
}

/// What tells where a connection of a workload was addressed to.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum MeshDestination {
    /// The kernel, which redirected it by a rule of nftables or iptables.
    Redirected,
    /// A header of the PROXY protocol, of either version, that it begins with. Nothing else may be able to connect.
    ProxyProtocol,
}

/// How access logs are written.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum AccessLogFormat {
    /// Not at all.
    Off,
    /// As name=value, with texts that may have spaces in quotes.
    Text,
    /// As an object of JSON.
    Json,
}

// === impl Classes ===

impl Classes {
    /// What a translation must know, with these addresses for Gateways that ask for none.
    fn options(&self, default: DefaultAddresses) -> Options {
        Options {
            certificate_check: Some(Arc::new(tls::options())),
            addresses: AddressPolicy { default, ..AddressPolicy::default() },
            controller_name: self
                .controller_name
                .clone()
                .unwrap_or_else(|| DEFAULT_CONTROLLER_NAME.to_owned()),
            any_class: self.controller_name.is_none(),
            hostname_fall_through: !self.strict_hostnames,
            telemetry_policies: Exporting::BY_POLICY,
            ..Options::default()
        }
    }
}

// === impl Source ===

impl Source {
    /// The address that Gateways share.
    fn address(&self) -> IpAddr {
        if self.demo { Ipv4Addr::LOCALHOST.into() } else { Ipv4Addr::UNSPECIFIED.into() }
    }
}

// === impl Run ===

impl Run {
    /// What a translation must know.
    pub(crate) fn options(&self) -> Options {
        let options = self.source.classes.options(DefaultAddresses::Shared(self.addresses()));
        self.serving.hostnames.options(Options { features: self.serving.features(), ..options })
    }

    /// The addresses of Gateways that ask for none.
    fn addresses(&self) -> Vec<IpAddr> {
        match &self.address[..] {
            [] => vec![self.source.address()],
            given => given.to_vec(),
        }
    }
}

// === impl Controller ===

impl Controller {
    /// What is watched and how it is written, apart from the addresses that are not known yet.
    pub(crate) fn options(&self) -> ControllerOptions {
        let mut options = ControllerOptions::default();
        options.translate = self.serving.hostnames.options(Options {
            certificate_check: Some(Arc::new(tls::options())),
            controller_name: self.controller_name.clone(),
            features: self.serving.features(),
            hostname_fall_through: !self.strict_hostnames,
            telemetry_policies: Exporting::BY_POLICY,
            ..Options::default()
        });
        options.translate.addresses.default = DefaultAddresses::Shared(match &self.address[..] {
            // None is left where the pool has none.
            [] if self.address_pool.is_some() => Vec::new(),
            [] => vec![Ipv4Addr::UNSPECIFIED.into()],
            given => given.to_vec(),
        });
        // What stands in front of other addresses or ports than these knows of them; a Service would not.
        options.translate.infrastructure =
            !self.no_services && !self.read_only && self.address_from.is_none() && self.serving.keeps_ports();
        if let Some(admin) = self.serving.admin {
            // Gateways of a pool have other addresses.
            options
                .translate
                .addresses
                .reserved_ports
                .extend(self.address_pool.is_none().then_some(admin.port()));
        }
        options.classes = (!self.class.is_empty()).then(|| self.class.iter().cloned().collect());
        options.pool.clone_from(&self.address_pool);
        options.watch.scope = self.cluster.scope();
        options.writes = !self.read_only;
        options.lease = self.lease.as_ref().map(|lease| {
            LeaseOptions::new(&*lease.namespace, &*lease.name, self.identity.clone().unwrap_or_else(identity))
        });
        options
    }

    /// The Pods that clients of the mesh may be, where they are to be known by their addresses.
    pub(crate) fn workloads(&self, client: &Client) -> Option<WorkloadWatch> {
        if self.serving.mesh.is_empty() || self.serving.mesh_namespace.is_some() {
            return None;
        }
        let node = self.mesh_node.clone().or_else(|| env::var("NODE_NAME").ok());
        Some(WorkloadWatch::new(client.clone(), node.as_deref()))
    }

    /// Where sockets are bound. The addresses of a Service or a node are not for this to bind: it binds all that there are.
    pub(crate) fn addresses(&self) -> Addresses {
        Addresses {
            assigned: self.address_from.is_none(),
            ..self.serving.addresses(Ipv4Addr::UNSPECIFIED.into())
        }
    }
}

/// The name of this replica, where it was not told: that of the pod, which is also that of its machine.
fn identity() -> String {
    env::var("POD_NAME").unwrap_or_else(|_| uname().nodename().to_string_lossy().into_owned())
}

// === impl Cluster ===

impl Cluster {
    /// Whether anything is said of a cluster.
    pub(crate) fn is_said(&self) -> bool {
        self.kubeconfig.is_some() || self.context.is_some() || !self.namespace.is_empty()
    }

    /// The namespaces to watch.
    pub(crate) fn scope(&self) -> Scope {
        match &self.namespace[..] {
            [] => Scope::All,
            namespaces => Scope::Namespaces(namespaces.iter().cloned().collect()),
        }
    }
}

/// What says which cluster is meant, means nothing without one. Where files are named, clap takes `--kube` for excused, since it
/// conflicts with them: see [`Cluster::is_said`].
fn needs_kube(argument: Arg) -> Arg {
    match argument.get_id().as_str() {
        "kubeconfig" | "context" | "namespace" => argument.requires("kube"),
        _ => argument,
    }
}

/// Of `gateway diff`, which needs files in any case.
fn in_the_place_of_old(kube: Arg) -> Arg {
    kube.conflicts_with(Resettable::Reset)
        .conflicts_with_all(["old", "with"])
        .help("Compare with a cluster as it is now in the place of OLD: what would change if NEW were applied to it")
        .long_help(
            "Compare with a cluster as it is now in the place of OLD: what would change if NEW were applied to it, as with `kubectl \
             apply`. What is not in NEW stays as it is. It takes rights to get, list and watch, and none to write",
        )
}

fn unless_kube(argument: Arg) -> Arg {
    argument.required_unless_present_any(["demo", "kube"])
}

// === impl AddressSource ===

impl FromStr for AddressSource {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('=') {
            None if text == "node" => Ok(Self::Node),
            Some(("service", name)) => object_name(name).map(Self::Service),
            None | Some(_) => Err("write service=NAMESPACE/NAME or node".to_owned()),
        }
    }
}

// === impl Serving ===

impl Serving {
    /// Where spans go, if they are made.
    pub(crate) fn otlp(&self) -> Option<&str> {
        #[cfg(feature = "otlp")]
        return self.otlp.as_deref();
        #[cfg(not(feature = "otlp"))]
        None
    }

    /// How the names of backends are looked up, if they are.
    pub(crate) fn names(&self) -> Option<NameOptions> {
        let Hostnames { external_hostnames } = self.hostnames;
        let local_addresses = external_hostnames.may_be_local();
        external_hostnames.are_served().then(|| NameOptions { local_addresses, ..NameOptions::default() })
    }

    /// What sessions are sealed with, if that was said.
    pub(crate) fn session_key(&self) -> io::Result<Option<SessionKey>> {
        let Some(file) = &self.session_key else { return Ok(None) };
        let told = |kind, why: &dyn Display| {
            io::Error::new(kind, format!("--session-key {}: {why}", file.display()))
        };
        let secret = fs::read(file).map_err(|error| told(error.kind(), &error))?;
        match secret.trim_ascii() {
            secret if secret.len() < 16 => Err(told(
                io::ErrorKind::InvalidInput,
                &"a secret has at least 16 bytes; `openssl rand -hex 16` makes one",
            )),
            secret => Ok(Some(SessionKey::from_secret(secret))),
        }
    }

    /// What is carried out.
    fn features(&self) -> BTreeSet<Feature> {
        features(!self.mesh.is_empty())
    }

    /// What is asked about connections of workloads, which are among `workloads` or in the tables that are served. There are at most
    /// `connections` of them.
    pub(crate) fn mesh_options(
        &self,
        tables: &TableHandle,
        workloads: Option<Workloads>,
        connections: usize,
    ) -> MeshOptions {
        MeshOptions {
            max_connections_of_client: match &self.mesh_namespace {
                // It stands beside one workload.
                Some(_) => usize::MAX,
                None => (connections / 4).max(1),
            },
            destination: match self.mesh_destination {
                MeshDestination::Redirected => OriginalDestination::Redirected,
                MeshDestination::ProxyProtocol => OriginalDestination::ProxyHeader,
            },
            clients: match &self.mesh_namespace {
                Some(namespace) => Arc::new(OneNamespace(namespace.as_str().into())),
                None => Arc::new(Clients { workloads, in_table: NamespacesInTable(tables.clone()) }),
            },
        }
    }

    /// Whether each port is bound as the listeners have it.
    fn keeps_ports(&self) -> bool {
        self.port_map.is_empty() && self.port_offset == 0
    }

    /// Where the ports are bound: at the addresses in the table, or else at this one.
    pub(crate) fn addresses(&self, others: IpAddr) -> Addresses {
        let ports = self.port_map.iter().copied().collect();
        Addresses { ports, port_offset: self.port_offset, ..Addresses::all_on(others) }
    }
}

// === impl Hostnames ===

impl Hostnames {
    /// What a translation must know of them.
    fn options(&self, options: Options) -> Options {
        Options {
            external_hostnames: self.external_hostnames.are_served(),
            local_hostnames: self.external_hostnames.may_be_local(),
            ..options
        }
    }
}

// === impl ExternalHostnames ===

impl ExternalHostnames {
    fn are_served(self) -> bool {
        match self {
            Self::None => false,
            Self::Remote | Self::Any => true,
        }
    }

    fn may_be_local(self) -> bool {
        match self {
            Self::None | Self::Remote => false,
            Self::Any => true,
        }
    }
}

// === impl Judged ===

impl Judged {
    /// What a translation must know.
    ///
    /// Gateways that ask for no address have this one together, as with `run`; nothing stands for a cluster, where each has its own.
    fn options(&self, classes: &Classes, shared: Option<IpAddr>) -> Options {
        let addresses = match shared.filter(|_| !self.own_addresses) {
            Some(shared) => DefaultAddresses::Shared(vec![shared]),
            None => DefaultAddresses::Virtual,
        };
        let options = classes.options(addresses);
        self.hostnames.options(Options { features: features(self.mesh), ..options })
    }

    /// The same for what `check` and `explain` read.
    fn options_for(&self, source: &Source, live: &Live) -> Options {
        self.options(&source.classes, Some(source.address()).filter(|_| !live.kube))
    }
}

/// What is carried out: what a mesh has too, if there is to be one.
fn features(mesh: bool) -> BTreeSet<Feature> {
    let of_mesh = SUPPORTED_IN_MESHES.iter().filter(|_| mesh);
    SUPPORTED.iter().chain(of_mesh).copied().collect()
}

// === impl Check ===

impl Check {
    /// What a translation must know.
    pub(crate) fn options(&self) -> Options {
        self.judged.options_for(&self.source, &self.live)
    }
}

// === impl Diff ===

impl Diff {
    /// What a translation must know.
    pub(crate) fn options(&self) -> Options {
        let shared = Some(Ipv4Addr::UNSPECIFIED.into()).filter(|_| !self.live.kube);
        self.judged.options(&self.classes, shared)
    }
}

// === impl Explain ===

impl Explain {
    /// What a translation must know.
    pub(crate) fn options(&self) -> Options {
        self.judged.options_for(&self.source, &self.live)
    }
}

// === impl ProxyProtocol ===

impl From<ProxyProtocol> for ProxyHeaderVersion {
    fn from(version: ProxyProtocol) -> Self {
        match version {
            ProxyProtocol::V1 => Self::V1,
            ProxyProtocol::V2 => Self::V2,
        }
    }
}

fn object_name(text: &str) -> Result<ObjectName, String> {
    match text.split_once('/') {
        Some((namespace, name)) if !namespace.is_empty() && !name.is_empty() => {
            Ok(ObjectName::new(namespace, name))
        }
        Some(_) | None => Err("write NAMESPACE/NAME".to_owned()),
    }
}

fn port_pair(text: &str) -> Result<(u16, u16), String> {
    let port = |text: &str| text.parse::<u16>().map_err(|_| format!("{text:?} is not a port"));
    let (from, to) = text.split_once('=').ok_or("write PORT=PORT, as in 80=8080")?;
    Ok((port(from)?, port(to)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent_and_every_argument_has_a_help_text() {
        let mut command = Gateway::command();
        command.build();
        command.clone().debug_assert();
        for command in command.get_subcommands().filter(|command| command.get_name() != "help") {
            assert!(command.get_about().is_some(), "{}", command.get_name());
            for argument in command.get_arguments() {
                assert!(argument.get_help().is_some(), "{} {}", command.get_name(), argument.get_id());
            }
        }
    }

    #[test]
    fn ports_are_mapped_in_pairs() {
        assert_eq!(port_pair("80=8080"), Ok((80, 8080)));
        assert!(port_pair("80").is_err());
        assert!(port_pair("80=x").is_err());
        assert!(port_pair("80=99999").is_err());
    }
}
