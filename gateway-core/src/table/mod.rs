//! The compiled route table: immutable, searched without locks, swapped whole.
//!
//! A search goes from the port to the listener that serves the host best, and in that listener's routes from the most
//! specific match to the least. Only routes attached to that listener are looked at, whatever else would match.
//!
//! ```
//! use gateway_core::matching::{HttpMatch, PathMatch, RequestHead};
//! use gateway_core::name::{Age, ListenerOwnerKind, ObjectName, RouteKey, RouteKind};
//! use gateway_core::rule::{Backends, HttpRule, RuleName, Timeouts};
//! use gateway_core::table::{Listener, ListenerProtocol, RouteTable};
//!
//! let gateway = ObjectName::new("default", "gateway");
//! let mut table = RouteTable::builder(1);
//! let listener = table.listener(Listener {
//!     gateway: gateway.clone(),
//!     owner_kind: ListenerOwnerKind::Gateway,
//!     owner: gateway.clone(),
//!     name: "http".into(),
//!     port: 80,
//!     protocol: ListenerProtocol::Http,
//!     hostname: None,
//! });
//! let route = ObjectName::new("default", "shop");
//! let rule = HttpRule {
//!     id: RuleName { route: RouteKey::new(RouteKind::Http, route.clone()).into(), index: 0, name: None },
//!     filters: Box::default(),
//!     backends: Backends::default(),
//!     backend_filters: Box::default(),
//!     timeouts: Timeouts::default(),
//!     retry: None,
//! };
//! let matches = [HttpMatch { path: PathMatch::prefix("/cart"), ..HttpMatch::default() }];
//! let shop = table.http_route(Age::new(None, &route), [(matches.into(), rule)]);
//! table.attach(shop, listener, &["*.example.com".parse()?]);
//! let table = table.build();
//!
//! let request = http::Request::get("http://www.example.com/cart/1").body(())?;
//! let head = RequestHead::new(request.method(), request.uri(), request.headers())?;
//! let port = table.port(&gateway, 80).expect("the gateway listens there");
//! let matched = table.find(port, None, &head)?;
//! assert_eq!(table.rule(matched.rule).id.to_string(), "default/shop/0");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod builder;
mod candidate;
mod candidates;
mod certificate;
mod depths;
mod explain;
mod hostname_map;
mod http;
mod listener;
mod matched;
mod port;
mod paths;
mod slots;
mod value_index;

use std::fmt;

use self::http::{HttpTable, Observer};
use self::port::Ports;
use crate::hostname::Host;
use crate::matching::RequestHead;
use crate::name::{BackendId, ObjectName};
use crate::rule::{Backend, HttpRule};

pub use self::builder::{RouteId, RouteTableBuilder};
pub use self::certificate::{Certificate, CertificateError};
pub use self::explain::{CandidateOutcome, ExplainedCandidate, Explanation, TieBreaker};
pub use self::listener::{Listener, ListenerProtocol, ListenerTls};
pub use self::matched::{Matched, NoMatch};
pub use self::port::{Port, PortId, Transport};
pub(crate) use self::slots::{SlotMap, Slots};

/// Everything that decides about requests, compiled from one state of the resources.
#[derive(Clone, Debug, Default)]
pub struct RouteTable {
    generation: u64,
    fall_through: bool,
    ports: Ports,
    listeners: Box<[Listener]>,
    /// The HTTP rules of each listener, in the order of `listeners`.
    http: Box<[HttpTable]>,
    rules: Box<[HttpRule]>,
    /// The place of each rule's route in the order of age, in the order of `rules`.
    ages: Box<[u32]>,
    backends: Box<[Backend]>,
}

/// A listener of a table: its position there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ListenerId(pub u32);

/// A rule of a table: its position there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RuleId(pub u32);

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

    /// The port of a Gateway, if a listener is served there.
    pub fn port(&self, gateway: &ObjectName, number: u16) -> Option<PortId> {
        self.ports.find(gateway, number)
    }

    /// All ports with a listener that is served.
    pub fn ports(&self) -> impl ExactSizeIterator<Item = (PortId, &Port)> {
        self.ports.all().iter().enumerate().map(|(i, port)| (PortId(i as u32), port))
    }

    /// All listeners that are served.
    pub fn listeners(&self) -> &[Listener] {
        &self.listeners
    }

    /// A listener of this table.
    ///
    /// # Panics
    /// When the id is another table's and out of range here.
    pub fn listener(&self, id: ListenerId) -> &Listener {
        &self.listeners[id.0 as usize]
    }

    /// All rules.
    pub fn rules(&self) -> &[HttpRule] {
        &self.rules
    }

    /// A rule of this table.
    ///
    /// # Panics
    /// When the id is another table's and out of range here.
    pub fn rule(&self, id: RuleId) -> &HttpRule {
        &self.rules[id.0 as usize]
    }

    /// All backends that rules and mirrors refer to.
    pub fn backends(&self) -> &[Backend] {
        &self.backends
    }

    /// A backend of this table.
    ///
    /// # Panics
    /// When the id is another table's and out of range here.
    pub fn backend(&self, id: BackendId) -> &Backend {
        &self.backends[id.0 as usize]
    }

    /// The listener that takes a TLS connection with this server name.
    ///
    /// # Spec
    /// HST-08, HST-22: without a server name, or with one that no listener has, it is the listener without hostname.
    pub fn listener_by_server_name(
        &self,
        port: PortId,
        server_name: Option<&Host<'_>>,
    ) -> Option<ListenerId> {
        self.ports.get(port)?.best_listener(server_name)
    }

    /// Finds the rule that serves a request which came in on `port`; for a TLS port, `server_name` is that of the handshake.
    ///
    /// Without a server name, and where no listener is without hostname, nothing is known of the handshake and the host alone
    /// decides: whoever ends TLS refuses such handshakes ([`listener_by_server_name`](Self::listener_by_server_name)).
    ///
    /// Does not allocate and takes no lock. The cost does not depend on the number of routes.
    ///
    /// # Errors
    /// When no rule serves the request; the error says which answer it gets.
    ///
    /// # Spec
    /// HST-08 to HST-21, HRM-16 to HRM-29, AMB-41, AMB-42.
    pub fn find(
        &self,
        port: PortId,
        server_name: Option<&Host<'_>>,
        request: &RequestHead<'_>,
    ) -> Result<Matched, NoMatch> {
        let listener = self.select(port, server_name, request)?;
        self.find_in(listener, request, &mut ())
    }

    /// The listener that serves the request's host, if it is the one that took the connection.
    fn select(
        &self,
        port: PortId,
        server_name: Option<&Host<'_>>,
        request: &RequestHead<'_>,
    ) -> Result<ListenerId, NoMatch> {
        let port = self.ports.get(port).ok_or(NoMatch::NoListener)?;
        let listener = port.best_listener(Some(&request.host)).ok_or(NoMatch::NoListener)?;
        if port.is_secure() {
            let connection = port.best_listener(server_name);
            // A server name that no listener has any more was that of another listener, too.
            let is_known = connection.is_some() || server_name.is_some();
            if is_known && connection != Some(listener) {
                return Err(NoMatch::Misdirected { connection, host: listener });
            }
        }
        Ok(listener)
    }

    fn find_in<O: Observer>(
        &self,
        listener: ListenerId,
        request: &RequestHead<'_>,
        observer: &mut O,
    ) -> Result<Matched, NoMatch> {
        let http = self.http.get(listener.0 as usize).ok_or(NoMatch::NoListener)?;
        let (chosen, path) =
            http.find(request, self.fall_through, observer).ok_or(NoMatch::NoRule(listener))?;
        Ok(Matched { listener, rule: chosen.rule, entry: chosen.entry, path })
    }
}

// === impl ListenerId ===

impl fmt::Display for ListenerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
