//! The tables and requests that all benchmarks measure.
//!
//! A shape is `hosts` × `paths`: route (i, j) serves host `hIIIII.bench.example` and, by its kind, the prefix
//! `/svc-JJJJJ/api` or the header `x-tenant: t-JJJJJ` under the prefix `/svc/api`. As in real clusters, up to 16 rules
//! make one HTTPRoute. Requests visit the whole table in random order; what belongs to one request stands together in
//! memory in visiting order, as it does when it was just parsed, so cache misses come from the table alone.

// Each benchmark is a crate of its own that uses its part of this module.
#![allow(dead_code, unreachable_pub)]

use std::borrow::Cow;

use gateway_core::hostname::{Host, Hostname};
use gateway_core::matching::{Conditions, HeaderMatch, HttpMatch, PathMatch, RequestHead, ValueMatch};
use gateway_core::name::{Age, ObjectName, RouteKey, RouteKind};
use gateway_core::rule::{HttpRule, RuleName};
use gateway_core::table::{
    FrontendId, Listener, ListenerId, ListenerProtocol, RouteTable, RouteTableBuilder,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method};

/// How many routes there are on how many hosts, and what distinguishes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    pub hosts: usize,
    pub paths: usize,
    pub kind: Kind,
}

/// What the routes of one host differ in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Prefix,
    Header,
}

/// One request, its texts cut from one arena.
#[derive(Clone, Copy, Debug)]
pub struct Request {
    pub host: &'static str,
    /// The whole path: `/svc-JJJJJ/api/v1/items/K`.
    pub path: &'static str,
    /// The prefix in it, for the yardsticks that look up whole keys.
    pub prefix: &'static str,
    /// The value of `x-tenant`.
    pub tenant: &'static str,
    /// The rule that must be found.
    pub rule: u32,
}

pub const TENANT: HeaderName = HeaderName::from_static("x-tenant");
const RULES_PER_ROUTE: usize = 16;

/// The one frontend of a table.
pub fn frontend(table: &RouteTable) -> FrontendId {
    table.frontends().next().expect("there is a listener").0
}

/// A builder with one listener, for every host.
pub fn listening() -> (RouteTableBuilder, ListenerId) {
    let gateway = ObjectName::new("bench", "gateway");
    let mut table = RouteTable::builder(1);
    let listener = table.listener(Listener::new(gateway, "http", 80, ListenerProtocol::Http));
    (table, listener)
}

// === impl Shape ===

impl Shape {
    /// Whether this is the rule with this number, counted over all hosts.
    pub fn is_rule(self, rule: &HttpRule, number: u32) -> bool {
        let (host, path) = (number as usize / self.paths, number as usize % self.paths);
        let first = path - path % RULES_PER_ROUTE;
        *rule.id.route.name.name == *format!("route-{host:05}-{first:06}")
            && usize::from(rule.id.index) == path - first
    }

    pub const fn prefixes(hosts: usize, paths: usize) -> Self {
        Self { hosts, paths, kind: Kind::Prefix }
    }

    pub const fn headers(hosts: usize, paths: usize) -> Self {
        Self { hosts, paths, kind: Kind::Header }
    }

    pub fn routes(self) -> usize {
        self.hosts * self.paths
    }

    pub fn host(i: usize) -> String {
        format!("h{i:05}.bench.example")
    }

    pub fn prefix(self, j: usize) -> String {
        match self.kind {
            Kind::Prefix => format!("/svc-{j:05}/api"),
            Kind::Header => "/svc/api".to_owned(),
        }
    }

    pub fn tenant(j: usize) -> String {
        format!("t-{j:05}")
    }

    fn entry(self, j: usize) -> HttpMatch {
        let headers = match self.kind {
            Kind::Prefix => None,
            Kind::Header => Some(HeaderMatch { name: TENANT, value: ValueMatch::exact(&Self::tenant(j)) }),
        };
        HttpMatch { path: PathMatch::prefix(&self.prefix(j)), conditions: Conditions::new(None, headers, []) }
    }

    /// The builder with all routes in it; rule `i * paths + j` is that of route (i, j).
    pub fn builder(self) -> RouteTableBuilder {
        let (mut table, listener) = listening();
        for i in 0..self.hosts {
            let hostname: Hostname = Self::host(i).parse().expect("a hostname");
            for first in (0..self.paths).step_by(RULES_PER_ROUTE) {
                let name = ObjectName::new("bench", format!("route-{i:05}-{first:06}"));
                let age = Age::new(Some(1), &name);
                let key = std::sync::Arc::new(RouteKey::new(RouteKind::Http, name));
                let rules = (first..self.paths.min(first + RULES_PER_ROUTE)).map(|j| {
                    let id = RuleName { route: key.clone(), index: (j - first) as u16, name: None };
                    (Box::from([self.entry(j)]), HttpRule::new(id))
                });
                let route = table.http_route(age, rules);
                table.attach(route, listener, std::slice::from_ref(&hostname));
            }
        }
        table
    }

    /// Requests to at most `most` routes, each once; at least 1,024, so that small tables are visited in turn.
    pub fn requests(self, most: usize) -> Vec<Request> {
        let routes = self.routes();
        let mut order: Vec<usize> = (0..routes).collect();
        let mut random = 0x9e37_79b9_7f4a_7c15_u64;
        for i in (1..routes).rev() {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            order.swap(i, (random % (i as u64 + 1)) as usize);
        }
        let mut arena = String::new();
        let mut cuts = Vec::new();
        for k in 0..routes.min(most).max(1024) {
            let rule = order[k % routes];
            let (i, j) = (rule / self.paths, rule % self.paths);
            let mut put = |text: &str| {
                let start = arena.len();
                arena.push_str(text);
                start
            };
            let host = put(&Self::host(i));
            let path = put(&self.prefix(j));
            let rest = put(&format!("/v1/items/{}", k % 97));
            let tenant = put(&Self::tenant(j));
            cuts.push((host, path, rest, tenant, arena.len(), rule));
        }
        let arena: &'static str = arena.leak();
        cuts.into_iter()
            .map(|(host, path, rest, tenant, end, rule)| Request {
                host: &arena[host..path],
                path: &arena[path..tenant],
                prefix: &arena[path..rest],
                tenant: &arena[tenant..end],
                rule: rule as u32,
            })
            .collect()
    }
}

impl std::fmt::Display for Shape {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let kind = match self.kind {
            Kind::Prefix => "prefixes",
            Kind::Header => "headers",
        };
        write!(f, "{}x{} {kind}", self.hosts, self.paths)
    }
}

// === impl Request ===

impl Request {
    /// The head, made of what a parser already has: checks host and path as `RequestHead::new` does.
    pub fn head<'a>(&self, headers: &'a HeaderMap) -> RequestHead<'a> {
        let host = Host::from_authority(self.host).expect("a host");
        let path = gateway_core::matching::normalize_path(self.path);
        RequestHead::from_parts(&Method::GET, host, path, None, headers)
    }

    /// The headers of the request.
    pub fn headers(&self) -> HeaderMap {
        let value = |text: &'static str| HeaderValue::from_static(text);
        [
            (http::header::HOST, value(self.host)),
            (http::header::ACCEPT, value("*/*")),
            (http::header::USER_AGENT, value("bench")),
            (TENANT, value(self.tenant)),
        ]
        .into_iter()
        .collect()
    }

    /// A request as a server hands it over.
    pub fn http(&self) -> http::Request<()> {
        let mut request = http::Request::new(());
        *request.uri_mut() = self.path.parse().expect("a path");
        *request.headers_mut() = self.headers();
        request
    }
}

/// Whether the path of a head is borrowed: a benchmark must not measure a copy.
pub fn is_borrowed(head: &RequestHead<'_>) -> bool {
    matches!(head.path, Cow::Borrowed(_))
}
