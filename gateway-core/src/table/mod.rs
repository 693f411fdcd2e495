//! The compiled route table: immutable, searched without locks, swapped whole.
//!
//! A search goes from the frontend to the listener that serves the host best, and in that listener's routes from the most
//! specific match to the least. Only routes attached to that listener are looked at, whatever else would match.
//!
//! ```
//! use gateway_core::matching::{HttpMatch, PathMatch, RequestHead};
//! use gateway_core::name::{Age, ObjectName, RouteKey, RouteKind};
//! use gateway_core::rule::{HttpRule, RuleName};
//! use gateway_core::table::{FrontendOwner, Listener, ListenerProtocol, RouteTable, Transport};
//!
//! let gateway = ObjectName::new("default", "gateway");
//! let mut table = RouteTable::builder(1);
//! let listener = table.listener(Listener::new(gateway.clone(), "http", 80, ListenerProtocol::Http));
//! let route = ObjectName::new("default", "shop");
//! let rule = HttpRule::new(RuleName { route: RouteKey::new(RouteKind::Http, route.clone()).into(), index: 0, name: None });
//! let matches = [HttpMatch { path: PathMatch::prefix("/cart"), ..HttpMatch::default() }];
//! let shop = table.http_route(Age::new(None, &route), [(matches.into(), rule)]);
//! table.attach(shop, listener, &["*.example.com".parse()?]);
//! let table = table.build();
//!
//! let request = http::Request::get("http://www.example.com/cart/1").body(())?;
//! let head = RequestHead::new(request.method(), request.uri(), request.headers())?;
//! let frontend = table.frontend(FrontendOwner::Gateway(&gateway), Transport::Tcp, 80).expect("the gateway listens there");
//! let matched = table.find(frontend, None, &head)?;
//! assert_eq!(table.rule(matched.rule).id.to_string(), "default/shop/0");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod hash_slice;
mod shared_map;
mod slots;
mod depths;
mod paths;
mod hostname_map;
mod certificate;
mod span_attribute;
mod tracing;
mod frontend_owner;
mod client_validation;
mod listener;
mod matched;
mod frontend;
mod candidate;
mod value_index;
mod candidates;
mod indexed;
mod host_routes;
mod http_part;
mod route;
mod route_set;
mod stream_part;
mod stream_routes;
mod matched_stream;
mod unbound;
mod builder;
mod explain;
mod explain_stream;
mod listed;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use self::frontend::Frontends;
use self::host_routes::Observer;
use self::http_part::HttpPart;
use self::route::Route;
use self::shared_map::SharedMap;
use self::slots::Slots;
use self::stream_part::StreamPart;
use crate::filter::ListenerFilter;
use crate::hostname::Host;
use crate::matching::RequestHead;
use crate::name::{BackendId, ObjectName};
use crate::rule::{Backend, BackendKind, Endpoint, HttpRule, StreamRule};

pub use self::builder::RouteTableBuilder;
pub use self::certificate::{Certificate, CertificateCheck, CertificateError};
pub use self::client_validation::{ClientValidation, ClientValidationMode};
pub use self::explain::{CandidateOutcome, ExplainedCandidate, Explanation, TieBreaker};
pub use self::explain_stream::{ExplainedStream, StreamExplanation};
pub use self::frontend::{Frontend, FrontendId, Opening};
pub use self::frontend_owner::FrontendOwner;
pub use self::listed::{ListedMatch, ListedStream};
pub use self::listener::{Listener, ListenerProtocol, ListenerTls, Transport};
pub use self::matched::{Matched, NoMatch};
pub use self::matched_stream::{MatchedStream, NoStream};
pub use self::route::RouteId;
pub use self::span_attribute::{AttributeSource, KnownAttribute, SpanAttribute};
pub use self::tracing::{Sampling, Spans, Tracing};
pub use self::unbound::{Unbound, UnboundCause};

/// Everything that decides about requests, compiled from one state of the resources.
///
/// A copy costs a few pointers. Tables that were made one after the other share what did not change between them.
#[derive(Clone, Debug, Default)]
pub struct RouteTable {
    generation: u64,
    fall_through: bool,
    addresses: Arc<BTreeMap<ObjectName, Vec<IpAddr>>>,
    services: Arc<BTreeMap<IpAddr, ObjectName>>,
    /// Namespaces by address.
    workloads: SharedMap<Arc<str>>,
    client_certificates: Arc<BTreeMap<ObjectName, Certificate>>,
    tracing: Arc<BTreeMap<ObjectName, Arc<Tracing>>>,
    /// By XBackend.
    backend_certificates: Arc<BTreeMap<ObjectName, Certificate>>,
    frontends: Arc<Frontends>,
    listeners: Slots<Served>,
    routes: Slots<Arc<Route>>,
    streams: Slots<Arc<StreamRule>>,
    backends: Slots<Backend>,
    /// The numbers of those that are names.
    named: Arc<BTreeSet<u32>>,
}

/// A listener and what is behind it.
#[derive(Clone, Debug)]
struct Served {
    listener: Arc<Listener>,
    /// What runs on requests before a rule is looked for.
    filters: Arc<[ListenerFilter]>,
    part: Part,
}

/// What is behind a listener, by what it speaks.
#[derive(Clone, Debug)]
enum Part {
    /// Rules for requests.
    Http(Arc<HttpPart>),
    /// Rules for streams or datagrams.
    Stream(Arc<StreamPart>),
}

/// A listener of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ListenerId(pub(crate) u32);

/// A rule of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RuleId {
    /// The number of its route.
    route: u32,
    /// Its position among the rules of the route.
    rule: u16,
}

/// The rule of a Route for streams or datagrams in a table: such a Route has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StreamRuleId(u32);

// === impl RouteTable ===

impl RouteTable {
    /// A builder for the table of this generation: a number that the caller raises with each table.
    pub fn builder(generation: u64) -> RouteTableBuilder {
        RouteTableBuilder::new(generation)
    }

    /// The number of this table.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// The same table with another number.
    pub fn with_generation(self, generation: u64) -> Self {
        Self { generation, ..self }
    }

    /// The IP addresses that a Gateway is to be bound to; nothing where the data plane chooses.
    ///
    /// # Spec
    /// [GWL-16](crate::spec#GWL-16)
    pub fn addresses(&self, gateway: &ObjectName) -> Option<&[IpAddr]> {
        self.addresses.get(gateway).map(Vec::as_slice)
    }

    /// The Service with this address, if some Route is for it: what a client dials tells which Service it means.
    ///
    /// # Spec
    /// [MSH-01](crate::spec#MSH-01), [MSH-02](crate::spec#MSH-02).
    pub fn service_at(&self, cluster_ip: IpAddr) -> Option<&ObjectName> {
        self.services.get(&cluster_ip)
    }

    /// The namespace of the workload with this address: of a client in a mesh. Known are those that EndpointSlices list, all of them
    /// of one namespace; others are clients of no namespace, which only Routes in the namespace of the Service are for.
    ///
    /// # Spec
    /// [MSH-05](crate::spec#MSH-05)
    pub fn namespace_of(&self, workload: IpAddr) -> Option<&Arc<str>> {
        self.workloads.get(&workload.to_string())
    }

    /// All Services that some Route is for and that have an address, by address.
    ///
    /// # Spec
    /// [MSH-02](crate::spec#MSH-02)
    pub fn services(&self) -> impl Iterator<Item = (IpAddr, &ObjectName)> {
        self.services.iter().map(|(address, name)| (*address, name))
    }

    /// The certificate that a Gateway shows to backends which ask for one within TLS, if it has one.
    ///
    /// # Spec
    /// [GWB-01](crate::spec#GWB-01)
    pub fn client_certificate(&self, gateway: &ObjectName) -> Option<&Certificate> {
        self.client_certificates.get(gateway)
    }

    /// What a policy says of the traces of a Gateway, if one does.
    ///
    /// # Spec
    /// [TEL-01](crate::spec#TEL-01)
    #[inline]
    pub fn tracing(&self, gateway: &ObjectName) -> Option<&Arc<Tracing>> {
        self.tracing.get(gateway)
    }

    /// The Gateways of whose traces a policy says something, with what it says.
    pub fn all_tracing(&self) -> impl Iterator<Item = (&ObjectName, &Arc<Tracing>)> {
        self.tracing.iter()
    }

    /// The certificate to show to a backend that asks for one within TLS: that of the Gateway for a Service, and of an XBackend what that
    /// says itself, be it none.
    ///
    /// # Spec
    /// [GWB-01](crate::spec#GWB-01), [XBK-04](crate::spec#XBK-04)
    pub fn certificate_for(&self, backend: &Backend, gateway: Option<&ObjectName>) -> Option<&Certificate> {
        backend.tls.as_ref()?;
        match backend.kind {
            BackendKind::Service | BackendKind::ServiceImport => self.client_certificate(gateway?),
            BackendKind::XBackend => self.backend_certificates.get(&backend.service),
            BackendKind::Own(_) => None,
        }
    }

    /// The frontend of an owner at a port, if a listener is served there.
    pub fn frontend(
        &self,
        owner: FrontendOwner<&ObjectName, &str>,
        transport: Transport,
        port: u16,
    ) -> Option<FrontendId> {
        self.frontends.find(owner, transport, port)
    }

    /// The frontend that takes what comes in for an owner at a port: its own, or where the clients of a namespace have none of
    /// their own for a Service, that of the Service. In a mesh, what no frontend takes goes on as if there were none.
    ///
    /// # Spec
    /// [MSH-04](crate::spec#MSH-04) to [MSH-06](crate::spec#MSH-06), [MSH-08](crate::spec#MSH-08).
    #[inline]
    pub fn frontend_for(
        &self,
        owner: FrontendOwner<&ObjectName, &str>,
        transport: Transport,
        port: u16,
    ) -> Option<FrontendId> {
        let own = self.frontend(owner, transport, port);
        match owner {
            FrontendOwner::ServiceFor(service, _) => {
                own.or_else(|| self.frontend(FrontendOwner::Service(service), transport, port))
            }
            FrontendOwner::Gateway(_) | FrontendOwner::Service(_) => own,
        }
    }

    /// A frontend of this table.
    ///
    /// # Panics
    /// When nothing here has this number: an id is good for its own table, and those that share what it names.
    pub fn frontend_of(&self, id: FrontendId) -> &Frontend {
        self.frontends.get(id).expect("the frontend is of this table")
    }

    /// All frontends with a listener that is served.
    pub fn frontends(&self) -> impl ExactSizeIterator<Item = (FrontendId, &Frontend)> {
        self.frontends.iter()
    }

    /// All listeners that are served.
    pub fn listeners(&self) -> impl Iterator<Item = (ListenerId, &Listener)> {
        self.listeners.iter().map(|(number, served)| (ListenerId(number), &*served.listener))
    }

    /// A listener of this table; a copy of it may outlive the table.
    ///
    /// # Panics
    /// When nothing here has this number: an id is good for its own table, and those that share what it names.
    #[inline]
    pub fn listener(&self, id: ListenerId) -> &Arc<Listener> {
        &self.listeners.get(id.0).expect("the listener is of this table").listener
    }

    /// The filters that run on the requests of a listener before a rule is looked for.
    ///
    /// # Panics
    /// When nothing here has this number: an id is good for its own table, and those that share what it names.
    ///
    /// # Spec
    /// [PRF-01](crate::spec#PRF-01)
    #[inline]
    pub fn listener_filters(&self, id: ListenerId) -> &[ListenerFilter] {
        &self.listeners.get(id.0).expect("the listener is of this table").filters
    }

    /// All rules, those of one route one after the other.
    pub fn rules(&self) -> impl Iterator<Item = &HttpRule> {
        self.routes.iter().flat_map(|(_, route)| &route.rules)
    }

    /// A rule of this table.
    ///
    /// # Panics
    /// When nothing here has this number: an id is good for its own table, and those that share what it names.
    #[inline]
    pub fn rule(&self, id: RuleId) -> &HttpRule {
        let route = self.routes.get(id.route).expect("the rule is of this table");
        &route.rules[usize::from(id.rule)]
    }

    /// All rules for streams and datagrams.
    pub fn stream_rules(&self) -> impl Iterator<Item = &StreamRule> {
        self.streams.iter().map(|(_, rule)| &**rule)
    }

    /// A rule for streams or datagrams of this table; a copy of it may outlive the table, as streams do.
    ///
    /// # Panics
    /// When nothing here has this number: an id is good for its own table, and those that share what it names.
    #[inline]
    pub fn stream_rule(&self, id: StreamRuleId) -> &Arc<StreamRule> {
        self.streams.get(id.0).expect("the rule is of this table")
    }

    /// All backends that rules and mirrors refer to.
    pub fn backends(&self) -> impl Iterator<Item = &Backend> {
        self.backends.iter().map(|(_, backend)| backend)
    }

    /// A backend of this table.
    ///
    /// # Panics
    /// When nothing here has this number: an id is good for its own table, and those that share what it names.
    #[inline]
    pub fn backend(&self, id: BackendId) -> &Backend {
        self.backends.get(id.0).expect("the backend is of this table")
    }

    /// The backends that are [names](Backend::hostname), whose endpoints are to be looked up.
    pub fn named_backends(&self) -> impl Iterator<Item = &Backend> {
        self.named.iter().filter_map(|id| self.backends.get(*id))
    }

    /// The same table, in which the backends that are [names](Backend::hostname) have these endpoints: what `found` says of a backend with
    /// its name. Nothing where they have them already.
    ///
    /// ```
    /// use gateway_core::name::ObjectName;
    /// use gateway_core::rule::Backend;
    /// use gateway_core::table::RouteTable;
    ///
    /// let mut table = RouteTable::builder(1);
    /// let service = ObjectName::new("default", "payments");
    /// let named = Backend { service, port: 443, hostname: Some("pay.example".into()), ..Backend::default() };
    /// let id = table.backend(named);
    /// let table = table.build();
    /// let found = |_: &Backend, name: &str| match name {
    ///     "pay.example" => [([192, 0, 2, 7], 443)].map(std::net::SocketAddr::from).map(Into::into).into(),
    ///     _ => [].into(),
    /// };
    /// let table = table.with_endpoints(found).expect("it had none");
    /// assert_eq!(table.backend(id).endpoints[0].address().port(), 443);
    /// assert!(table.with_endpoints(found).is_none());
    /// ```
    ///
    /// # Spec
    /// [XBK-01](crate::spec#XBK-01)
    pub fn with_endpoints(&self, found: impl Fn(&Backend, &str) -> Arc<[Endpoint]>) -> Option<Self> {
        let changed = self.named.iter().filter_map(|id| {
            let backend = self.backends.get(*id)?;
            let endpoints = found(backend, backend.hostname.as_deref()?);
            (endpoints != backend.endpoints).then(|| (*id, Backend { endpoints, ..backend.clone() }))
        });
        let changed: Vec<_> = changed.collect();
        if changed.is_empty() {
            return None;
        }
        let mut table = self.clone();
        changed.into_iter().for_each(|(id, backend)| table.backends.replace(id, backend));
        Some(table)
    }

    /// The listener that takes a TLS connection with this server name.
    ///
    /// # Spec
    /// [HST-08](crate::spec#HST-08), [HST-22](crate::spec#HST-22): without a server name, or with one that no listener has, it is
    /// the listener without hostname.
    pub fn listener_by_server_name(
        &self,
        frontend: FrontendId,
        server_name: Option<&Host<'_>>,
    ) -> Option<ListenerId> {
        self.frontends.get(frontend)?.best_listener(server_name)
    }

    /// Finds the rule that serves a request which came in at `frontend`; where that opens with TLS, `server_name` is that of the
    /// handshake.
    ///
    /// Without a server name, and where no listener is without hostname, nothing is known of the handshake and the host alone
    /// decides: the data plane, which terminates TLS, refuses such handshakes ([`listener_by_server_name`](Self::listener_by_server_name)).
    ///
    /// The [filters](Self::listener_filters) of the listener are to have run before: [`exchange::find`](crate::exchange::find)
    /// sees to it.
    ///
    /// Does not allocate and takes no lock, but where regular expressions look at a long text together. The cost does not depend on the number of routes; where many entries have one
    /// path, it grows with their number and with the length of the request, not with the product of the two.
    ///
    /// # Errors
    /// When no rule serves the request; the error says which answer it gets.
    ///
    /// # Spec
    /// [HST-08](crate::spec#HST-08) to [HST-21](crate::spec#HST-21), [HRM-16](crate::spec#HRM-16) to
    /// [HRM-29](crate::spec#HRM-29), [GRP-01](crate::spec#GRP-01) to [GRP-10](crate::spec#GRP-10),
    /// [AMB-40](crate::choices#AMB-40), [AMB-41](crate::choices#AMB-41), [AMB-42](crate::choices#AMB-42).
    pub fn find(
        &self,
        frontend: FrontendId,
        server_name: Option<&Host<'_>>,
        request: &RequestHead<'_>,
    ) -> Result<Matched, NoMatch> {
        let listener = self.select(frontend, server_name, &request.host)?;
        self.find_behind(listener, request)
    }

    /// The listener that serves the host of a request, if it is the one that took the connection.
    pub(crate) fn select(
        &self,
        frontend: FrontendId,
        server_name: Option<&Host<'_>>,
        host: &Host<'_>,
    ) -> Result<ListenerId, NoMatch> {
        let frontend = self.frontends.get(frontend).ok_or(NoMatch::NoListener)?;
        let listener = frontend.best_listener(Some(host)).ok_or(NoMatch::NoListener)?;
        if frontend.opening() == Opening::Tls {
            let connection = frontend.best_listener(server_name);
            // A server name that no listener has any more was that of another listener, too.
            let is_known = connection.is_some() || server_name.is_some();
            if is_known && connection != Some(listener) {
                // Another connection would not help: what takes streams there decides about no request (HST-20).
                if !self.listener(listener).protocol.takes_requests() {
                    return Err(NoMatch::NoListener);
                }
                return Err(NoMatch::Misdirected { connection, host: listener });
            }
        }
        Ok(listener)
    }

    /// Finds the rule among those of a listener that was [selected](Self::select).
    pub(crate) fn find_behind(
        &self,
        listener: ListenerId,
        request: &RequestHead<'_>,
    ) -> Result<Matched, NoMatch> {
        self.find_in(listener, request, &mut ())
    }

    fn find_in<O: Observer>(
        &self,
        listener: ListenerId,
        request: &RequestHead<'_>,
        observer: &mut O,
    ) -> Result<Matched, NoMatch> {
        let Some(Served { part: Part::Http(part), .. }) = self.listeners.get(listener.0) else {
            return Err(NoMatch::NoListener);
        };
        request.begin_search(observer.exhaustive());
        let found = part.find(request, self.fall_through, observer);
        if request.is_target_too_long() {
            return Err(NoMatch::TargetTooLong(listener));
        }
        if request.are_headers_too_long() {
            return Err(NoMatch::HeadersTooLong(listener));
        }
        let (chosen, path) = found.ok_or(NoMatch::NoRule(listener))?;
        Ok(Matched { listener, rule: chosen.rule(), entry: chosen.entry(), path })
    }
}

/// What tests ask: whether tables share what is in them.
#[cfg(all(test, feature = "resources"))]
impl RouteTable {
    /// Whether all that is behind the listener of this name is shared with another table.
    pub(crate) fn shares_listener(&self, other: &Self, name: &str) -> bool {
        match (&self.served(name).part, &other.served(name).part) {
            (Part::Http(one), Part::Http(other)) => Arc::ptr_eq(one, other),
            (Part::Stream(one), Part::Stream(other)) => Arc::ptr_eq(one, other),
            (Part::Http(_), Part::Stream(_)) | (Part::Stream(_), Part::Http(_)) => false,
        }
    }

    /// Whether the routes that the listener of this name has for a host are shared with another table.
    pub(crate) fn shares_host(&self, other: &Self, name: &str, host: &str) -> bool {
        let part = |table: &Self| match table.served(name) {
            Served { part: Part::Http(part), .. } => part.routes_for(host),
            Served { part: Part::Stream(_), .. } => Vec::new(),
        };
        let (one, other) = (part(self), part(other));
        !one.is_empty()
            && one.len() == other.len()
            && one.iter().zip(&other).all(|(a, b)| a.is_shared_with(b))
    }

    fn served(&self, name: &str) -> &Served {
        let mut all = self.listeners.iter().map(|(_, served)| served);
        all.find(|served| *served.listener.name == *name).expect("the listener is served")
    }
}

// === impl ListenerId ===

impl fmt::Display for ListenerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
