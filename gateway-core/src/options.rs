//! The options of a translation: who the embedding is, what its data plane can do, which addresses it has.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use crate::api::{AddressType, GatewaySpecAddress, Kind};
use crate::feature::{Feature, SUPPORTED};
use crate::filter::Extensions;
use crate::name::ObjectName;
use crate::own_kinds::OwnKinds;
use crate::rule::RuleDataSource;
use crate::table::{CertificateCheck, Unbound};

/// The name under which this controller answers for GatewayClasses unless told otherwise.
pub const DEFAULT_CONTROLLER_NAME: &str = "gateway-api.rs/controller";

/// How many listeners one Gateway may have together with its ListenerSets, unless told otherwise.
pub const DEFAULT_MAX_LISTENERS: usize = 16_384;

/// How many places in the indexes the Routes of one namespace may ask for: about 200 MiB if none are shared. A Route asks for one
/// for each match at each of its hostnames at each listener; the oldest come first, and the others say that there was no room.
///
/// # Spec
/// [AMB-38](crate::choices#AMB-38)
pub const MAX_NAMESPACE_PLACES: usize = 1 << 22;

/// What a translation depends on besides the resources.
///
/// ```
/// use gateway_core::options::Options;
///
/// let options = Options { controller_name: "example.com/gateway".to_owned(), ..Options::default() };
/// assert!(options.hostname_fall_through);
/// ```
#[derive(Clone, Debug)]
pub struct Options {
    /// The controller name that GatewayClasses must have to be ours, as `domain/path`.
    pub controller_name: String,
    /// Whether every GatewayClass is ours, whatever its controller name. Only where no other controller reads the same
    /// objects: a gateway that runs from files.
    pub any_class: bool,
    /// What the data plane does: [`SUPPORTED`] or less. It is published in every GatewayClass, and a listener that needs
    /// more is not accepted. One that carries out a mesh adds [`SUPPORTED_IN_MESHES`](crate::feature::SUPPORTED_IN_MESHES), which no
    /// GatewayClass publishes; without [`Feature::Mesh`] no Route is for a Service.
    pub features: BTreeSet<Feature>,
    /// Which addresses Gateways have.
    pub addresses: AddressPolicy,
    /// How many listeners one Gateway may have together with its ListenerSets.
    pub max_listeners: usize,
    /// Installed resource definitions whose version is not known, by name; always empty where there are none.
    pub unknown_definitions: Vec<String>,
    /// Secrets and ConfigMaps that may be there and cannot be read, and why, as what follows on the name of the object:
    /// `may not be read; bind the role`. Statuses say so of a listener that refers to one, in the place of that it does not exist.
    pub unreadable: BTreeMap<(Kind, ObjectName), String>,
    /// The number of the table that is made; a `Translator` counts on from it. The data plane counts the tables that it takes
    /// into use by itself.
    pub generation: u64,
    /// Whether a request that no rule of the most specific hostname matches is tried with less specific hostnames of the
    /// same listener.
    ///
    /// # Spec
    /// [HRM-29](crate::spec#HRM-29); the choice is [AMB-12](crate::choices#AMB-12).
    pub hostname_fall_through: bool,
    /// Whether the data plane asks the services that filters of type `ExternalAuth` name. Without it such a filter fails the
    /// requests of its rule, and a listener that has one is not accepted.
    ///
    /// # Spec
    /// [FEA-01](crate::spec#FEA-01), [FLT-05](crate::spec#FLT-05), [PRF-06](crate::spec#PRF-06). No feature stands for it.
    pub external_auth: bool,
    /// Whether the data plane keeps the requests of a session with one endpoint. Without it `sessionPersistence` has no effect,
    /// and statuses say so.
    ///
    /// # Spec
    /// [SES-01](crate::spec#SES-01); [AMB-54](crate::choices#AMB-54). No feature stands for it.
    pub session_persistence: bool,
    /// Whether the embedding makes what [`Translation::infrastructure`](crate::translate::Translation::infrastructure) says: a
    /// Service for each Gateway. Without it, or where the addresses of Gateways [are not known](AddressPolicy::are_known), labels
    /// and annotations in `spec.infrastructure` have no effect, and the feature is not published.
    ///
    /// # Spec
    /// [GWA-08](crate::spec#GWA-08), [GWA-09](crate::spec#GWA-09).
    pub infrastructure: bool,
    /// Whether the data plane keeps to the retry budgets of XBackendTrafficPolicies; where it keeps
    /// [sessions](Self::session_persistence) too, to theirs as well. Without it such policies have no effect, and no status.
    ///
    /// # Spec
    /// [RTB-01](crate::spec#RTB-01), [SES-01](crate::spec#SES-01). No feature stands for it.
    pub backend_traffic_policies: bool,
    /// Whether the data plane makes the spans that XTelemetryPolicies ask for, and tells their providers. Without it no such policy is
    /// accepted, and statuses say so.
    ///
    /// # Spec
    /// [TEL-01](crate::spec#TEL-01) to [TEL-05](crate::spec#TEL-05). The features that stand for it are in no list.
    pub telemetry_policies: bool,
    /// Whether the data plane looks up the names of XBackends of type `ExternalHostname`, and
    /// [gives them endpoints](crate::table::RouteTable::with_endpoints). Without it, as by default, such an XBackend is not accepted.
    ///
    /// # Spec
    /// [XBK-01](crate::spec#XBK-01). No feature stands for it.
    pub external_hostnames: bool,
    /// Whether those names may lead to the machine of the data plane itself. Without it, as by default, a name that always does is
    /// [told of](crate::lint::unserved).
    ///
    /// # Spec
    /// [XBK-05](crate::spec#XBK-05)
    pub local_hostnames: bool,
    /// Finds the filters that `ExtensionRef` names; without it every such reference is of an unknown kind, and listeners with
    /// such filters are not accepted.
    pub extensions: Option<Arc<dyn Extensions>>,
    /// The embedder's own kinds of objects, as manifests have them, and what they are to Routes.
    pub own_kinds: OwnKinds,
    /// Says which certificates the data plane can serve with. Without it only their form is looked at, and a certificate
    /// with the key of another one is found out in the first handshake.
    ///
    /// # Spec
    /// [GWT-05](crate::spec#GWT-05)
    pub certificate_check: Option<Arc<dyn CertificateCheck>>,
    /// Makes the embedder's own data of rules.
    pub rule_data: Option<Arc<dyn RuleDataSource>>,
}

/// The routability of an address that is reached from within the cluster: the cluster IP of a Service.
///
/// # Spec
/// `GatewayAddressRoutabilityCluster` in `gateway_types.go`.
pub const CLUSTER: &str = "Cluster";

/// The routability that promises nothing, and is there to be asked for by tests.
///
/// # Spec
/// [ADR-05](crate::spec#ADR-05)
pub const SENTINEL: &str = "testing.x-k8s.io/sentinel";

/// Which addresses Gateways have, and which they may ask for.
///
/// # Spec
/// `Gateway.spec.addresses`, [GWA-01](crate::spec#GWA-01) to [GWA-06](crate::spec#GWA-06).
#[derive(Clone, Debug, Default)]
pub struct AddressPolicy {
    /// The addresses of single Gateways that ask for none; what an allocator found. An empty list means that it found
    /// none.
    pub assigned: BTreeMap<ObjectName, Vec<IpAddr>>,
    /// The addresses of all other Gateways that ask for none.
    pub default: DefaultAddresses,
    /// The cluster IPs of the Services that are made for Gateways, as far as they are known. Without it, no Gateway can ask for an
    /// address that is reached from within the cluster.
    ///
    /// # Spec
    /// [ADR-02](crate::spec#ADR-02), [ADR-05](crate::spec#ADR-05).
    pub cluster: Option<BTreeMap<ObjectName, Vec<IpAddr>>>,
    /// The IP addresses that a Gateway may ask for.
    pub usable: UsableAddresses,
    /// The host names that a Gateway may ask for with type `Hostname`; while empty, the type is not supported.
    pub hostnames: BTreeSet<String>,
    /// Ports that no listener may have, because something else is bound to them.
    pub reserved_ports: BTreeSet<u16>,
    /// What the data plane could not bind of the last table. It is said in statuses, and changes no table: the data plane
    /// goes on trying.
    pub unbound: Vec<Unbound>,
}

/// The addresses of a Gateway that asks for none and has none assigned.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum DefaultAddresses {
    /// Addresses of its own that are known elsewhere: two Gateways never compete for a port, and the status shows none.
    #[default]
    Virtual,
    /// These, together with all other such Gateways: of several that want the same port, the oldest gets it.
    ///
    /// `0.0.0.0` and `::` are every address of their family. They compete with Gateways that ask for one of these
    /// addresses too, and are not shown in statuses.
    Shared(Vec<IpAddr>),
}

/// The IP addresses that a Gateway may ask for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum UsableAddresses {
    /// Every one.
    #[default]
    Any,
    /// These.
    Only(BTreeSet<IpAddr>),
}

/// An address of a Gateway.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Address {
    /// Type `IPAddress`
    Ip(IpAddr),
    /// Type `Hostname`
    Hostname(String),
}

/// How many addresses of a pool a Gateway takes that asks for these: one for each entry that leaves the choice, and one where it
/// is to be reached from within the cluster only, behind the cluster IP.
///
/// # Spec
/// [ADR-03](crate::spec#ADR-03)
pub fn addresses_to_assign(wanted: &[GatewaySpecAddress]) -> usize {
    let of_type = wanted.iter().filter(|wanted| wanted.r#type == AddressType::IpAddress);
    let (in_cluster, bound): (Vec<_>, Vec<_>) =
        of_type.partition(|wanted| wanted.routability.as_deref() == Some(CLUSTER));
    let is_open = |wanted: &&GatewaySpecAddress| wanted.value.as_deref().unwrap_or_default().is_empty();
    let open = bound.iter().copied().filter(is_open).count();
    usize::from(wanted.is_empty() || bound.is_empty() && !in_cluster.is_empty()).max(open)
}

/// Whether this version of the resource definitions is one that is understood: what their annotation
/// `gateway.networking.k8s.io/bundle-version` says, if they have it.
///
/// Every `v1` up to 1.7 is: later versions added to the earlier ones, and changed nothing.
///
/// ```
/// use gateway_core::options::is_known_bundle_version;
///
/// assert!(is_known_bundle_version(Some("v1.7.0")) && is_known_bundle_version(Some("v1.6.1")));
/// assert!(!is_known_bundle_version(Some("v2.0.0")) && !is_known_bundle_version(None));
/// ```
///
/// # Spec
/// [GC-08](crate::spec#GC-08)
pub fn is_known_bundle_version(version: Option<&str>) -> bool {
    const NEWEST_MINOR: u32 = 7;
    let minor = version.and_then(|version| version.strip_prefix("v1.")).and_then(|rest| rest.split_once('.'));
    minor.is_some_and(|(minor, _)| minor.parse().is_ok_and(|minor: u32| minor <= NEWEST_MINOR))
}

// === impl Options ===

impl Default for Options {
    fn default() -> Self {
        Self {
            controller_name: DEFAULT_CONTROLLER_NAME.to_owned(),
            any_class: false,
            features: SUPPORTED.iter().copied().collect(),
            addresses: AddressPolicy::default(),
            max_listeners: DEFAULT_MAX_LISTENERS,
            unknown_definitions: Vec::new(),
            unreadable: BTreeMap::new(),
            generation: 0,
            hostname_fall_through: true,
            external_auth: true,
            session_persistence: true,
            infrastructure: false,
            backend_traffic_policies: true,
            telemetry_policies: false,
            external_hostnames: false,
            local_hostnames: false,
            extensions: None,
            own_kinds: OwnKinds::default(),
            certificate_check: None,
            rule_data: None,
        }
    }
}

impl Options {
    /// The options of a gateway that stands alone on a machine, and reads objects that no other controller does: every GatewayClass is
    /// ours, there or not, and Gateways that ask for no address share all of IPv4 of this machine. Of two that want a port, the older one
    /// gets it, and the status of the other says so.
    ///
    /// ```
    /// use gateway_core::options::{AddressPolicy, DefaultAddresses, Options};
    ///
    /// assert!(Options::standalone().any_class);
    /// // On one address only:
    /// let default = DefaultAddresses::Shared(vec![[127, 0, 0, 1].into()]);
    /// let addresses = AddressPolicy { default, ..AddressPolicy::default() };
    /// let options = Options { addresses, ..Options::standalone() };
    /// assert!(options.addresses.are_known());
    /// ```
    pub fn standalone() -> Self {
        let default = DefaultAddresses::Shared(vec![Ipv4Addr::UNSPECIFIED.into()]);
        let addresses = AddressPolicy { default, ..AddressPolicy::default() };
        Self { any_class: true, addresses, ..Self::default() }
    }

    /// Whether the data plane has this feature.
    ///
    /// Without [`hostname_fall_through`](Self::hostname_fall_through), a Route with a more specific hostname takes what it
    /// does not match away from the others, so that the precedence by hostnames is not the one of the feature. Without
    /// [`external_auth`](Self::external_auth) and [`extensions`](Self::extensions) there is no filter that a listener could
    /// have. Nothing is made for Gateways without [`infrastructure`](Self::infrastructure), and nothing is said of where addresses
    /// can be reached from that [are not known](AddressPolicy::are_known).
    pub fn supports(&self, feature: Feature) -> bool {
        let possible = match feature {
            Feature::GatewayRouteHostnameIntersectionPrecedence => self.hostname_fall_through,
            Feature::GatewayListenerFilters => self.external_auth || self.extensions.is_some(),
            Feature::GatewayInfrastructure => self.infrastructure && self.addresses.are_known(),
            Feature::GatewayAddressRoutability => self.addresses.are_known(),
            Feature::GatewayAddressRoutabilityCluster => {
                let is_made = self.infrastructure && self.features.contains(&Feature::GatewayInfrastructure);
                let known =
                    self.addresses.are_known() && self.features.contains(&Feature::GatewayAddressRoutability);
                is_made && known && self.addresses.cluster.is_some()
            }
            _ => true,
        };
        possible && self.features.contains(&feature)
    }

    /// The features that the GatewayClasses publish, sorted by name.
    ///
    /// # Spec
    /// GC-11, GC-12
    pub(crate) fn published_features(&self) -> Vec<Feature> {
        let published = |feature: &Feature| !feature.is_mesh() && self.supports(*feature);
        self.features.iter().copied().filter(published).collect()
    }
}

// === impl AddressPolicy ===

impl AddressPolicy {
    /// The addresses of a Gateway that leaves the choice; nothing where they are known elsewhere only.
    pub(crate) fn candidates(&self, gateway: &ObjectName) -> Option<&[IpAddr]> {
        match (self.assigned.get(gateway), &self.default) {
            (Some(assigned), _) => Some(assigned),
            (None, DefaultAddresses::Shared(addresses)) => Some(addresses),
            (None, DefaultAddresses::Virtual) => None,
        }
    }

    /// Whether the addresses of all Gateways are known one by one: none is known elsewhere only, and none is that of every
    /// address of its family.
    pub fn are_known(&self) -> bool {
        match &self.default {
            DefaultAddresses::Virtual => false,
            DefaultAddresses::Shared(addresses) => !addresses.iter().any(IpAddr::is_unspecified),
        }
    }
}

// === impl UsableAddresses ===

impl UsableAddresses {
    /// Whether a Gateway may ask for this address.
    pub fn contains(&self, address: IpAddr) -> bool {
        match self {
            Self::Any => true,
            Self::Only(addresses) => addresses.contains(&address),
        }
    }
}

// === impl Address ===

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(address) => address.fmt(f),
            Self::Hostname(name) => f.write_str(name),
        }
    }
}
