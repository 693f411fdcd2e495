//! Tables and requests written in short: what a test says about a route stands in one line.
//!
//! A match entry is words: `/cart` a prefix, `=/cart` an exact path, `~/c.*` a regular expression; `GET` a method;
//! `version:one` a header and `version:~o.*` its expression; `animal=whale` and `animal=~w.*` a query parameter.
//! A request is words too: a method unless it is GET, the URL, and headers: `POST http://a.example/cart version:one`.

// Each test file is a crate of its own that uses its part of this module.
#![allow(dead_code, unreachable_pub)]

use gateway_core::hostname::{Host, Hostname};
use gateway_core::matching::{
    Conditions, HeaderMatch, HttpMatch, PathMatch, QueryParamMatch, RequestHead, ValueMatch,
};
use gateway_core::name::{Age, ObjectName, RouteKey, RouteKind};
use gateway_core::rule::{BackendRef, Backends, HttpRule, RuleName, StreamRule};
use gateway_core::table::{
    Explanation, FrontendId, FrontendOwner, Listener, ListenerId, ListenerProtocol, ListenerTls, RouteId,
    RouteTable, RouteTableBuilder, StreamRuleId, Transport,
};
use http::{HeaderName, HeaderValue, Method, Request};

/// A table that is being written.
#[derive(Debug)]
pub struct ByHand {
    pub builder: RouteTableBuilder,
    gateway: &'static str,
}

/// A rule: its name and its match entries.
pub type RuleByHand<'a> = (&'a str, &'a [&'a str]);

// === impl ByHand ===

impl ByHand {
    pub fn new() -> Self {
        Self { builder: RouteTable::builder(1), gateway: "gateway" }
    }

    /// A table with one listener for every host on port 80.
    pub fn with_listener() -> (Self, ListenerId) {
        let mut table = Self::new();
        let listener = table.http("http", 80, "");
        (table, listener)
    }

    /// Listeners that follow belong to this Gateway.
    pub fn gateway(&mut self, name: &'static str) {
        self.gateway = name;
    }

    /// An HTTP listener; without hostname when that is empty.
    pub fn http(&mut self, name: &str, port: u16, hostname: &str) -> ListenerId {
        self.listener(name, port, hostname, ListenerProtocol::Http)
    }

    /// An HTTPS listener; without hostname when that is empty.
    pub fn https(&mut self, name: &str, port: u16, hostname: &str) -> ListenerId {
        let tls = ListenerTls { certificates: [].into(), clients: None };
        self.listener(name, port, hostname, ListenerProtocol::Https(tls))
    }

    pub fn listener(
        &mut self,
        name: &str,
        port: u16,
        hostname: &str,
        protocol: ListenerProtocol,
    ) -> ListenerId {
        let gateway = ObjectName::new("default", self.gateway);
        self.builder.listener(Listener {
            hostname: (!hostname.is_empty()).then(|| hostname.parse().expect(hostname)),
            ..Listener::new(gateway, name, port, protocol)
        })
    }

    /// A route `namespace/name`, created at `created`, that is attached nowhere yet.
    pub fn route(&mut self, name: &str, created: Option<i64>, rules: &[RuleByHand<'_>]) -> RouteId {
        let (namespace, name) = name.split_once('/').unwrap_or(("default", name));
        let name = ObjectName::new(namespace, name);
        let rules = rules.iter().enumerate().map(|(index, (rule, entries))| {
            let rule = HttpRule::new(RuleName {
                route: RouteKey::new(RouteKind::Http, name.clone()).into(),
                index: index as u16,
                name: Some((*rule).into()),
            });
            (entries.iter().map(|words| entry(words)).collect(), rule)
        });
        self.builder.http_route(Age::new(created, &name), rules)
    }

    pub fn attach(&mut self, route: RouteId, listener: ListenerId, hostnames: &[&str]) {
        let hostnames: Vec<Hostname> = hostnames.iter().map(|text| text.parse().expect(text)).collect();
        self.builder.attach(route, listener, &hostnames);
    }

    /// A route of the default age, attached.
    pub fn serve(
        &mut self,
        listener: ListenerId,
        name: &str,
        hostnames: &[&str],
        rules: &[RuleByHand<'_>],
    ) -> RouteId {
        let route = self.route(name, Some(1), rules);
        self.attach(route, listener, hostnames);
        route
    }

    /// A route for streams of this kind, with these backends, attached for these hostnames.
    pub fn stream(
        &mut self,
        listener: ListenerId,
        (kind, name, created): (RouteKind, &str, Option<i64>),
        hostnames: &[&str],
        backends: impl IntoIterator<Item = BackendRef>,
    ) -> StreamRuleId {
        let name = ObjectName::new("default", name);
        let id = RuleName { route: RouteKey::new(kind, name.clone()).into(), index: 0, name: None };
        let rule = StreamRule { id, backends: Backends::new(backends), data: None };
        let route = self.builder.stream_route(Age::new(created, &name), rule);
        let hostnames = hostnames.iter().map(|text| text.parse().expect(text)).collect();
        self.builder.attach_stream_to(route, [(listener, hostnames)]);
        route
    }

    pub fn build(self) -> RouteTable {
        self.builder.build()
    }
}

/// The match entry that the words give.
pub fn entry(words: &str) -> HttpMatch {
    let mut path = PathMatch::default();
    let (mut method, mut headers, mut params) = (None, Vec::new(), Vec::new());
    let value = |text: &str| match text.strip_prefix('~') {
        Some(pattern) => ValueMatch::Regex(pattern.parse().expect(pattern)),
        None => ValueMatch::exact(text),
    };
    for word in words.split_whitespace() {
        if word.starts_with('/') {
            path = PathMatch::prefix(word);
        } else if let Some(exact) = word.strip_prefix('=') {
            path = PathMatch::exact(exact);
        } else if let Some(pattern) = word.strip_prefix('~') {
            path = PathMatch::Regex(pattern.parse().expect(pattern));
        } else if let Some((name, text)) = word.split_once(':') {
            headers.push(HeaderMatch { name: name.parse().expect(name), value: value(text) });
        } else if let Some((name, text)) = word.split_once('=') {
            params.push(QueryParamMatch { name: name.into(), value: value(text) });
        } else {
            method = Some(Method::from_bytes(word.as_bytes()).expect(word));
        }
    }
    HttpMatch { path, conditions: Conditions::new(method, headers, params) }
}

/// The request that the words give.
pub fn request(words: &str) -> Request<()> {
    let mut request = Request::new(());
    for word in words.split_whitespace() {
        if word.starts_with("http://") || word.starts_with("https://") {
            *request.uri_mut() = word.parse().expect(word);
        } else if let Some((name, value)) = word.split_once(':') {
            let value = HeaderValue::from_str(value).expect(word);
            request.headers_mut().append(name.parse::<HeaderName>().expect(name), value);
        } else {
            *request.method_mut() = Method::from_bytes(word.as_bytes()).expect(word);
        }
    }
    request
}

pub fn head(request: &Request<()>) -> RequestHead<'_> {
    RequestHead::new(request.method(), request.uri(), request.headers()).expect("the request names a host")
}

/// The port of the default Gateway.
pub fn port(table: &RouteTable, number: u16) -> FrontendId {
    table
        .frontend(FrontendOwner::Gateway(&ObjectName::new("default", "gateway")), Transport::Tcp, number)
        .expect("a listener is there")
}

/// The name of the rule that serves the request on port 80, or the status of its refusal.
pub fn ask(table: &RouteTable, words: &str) -> String {
    ask_on(table, 80, None, words)
}

/// The same on any port, over a TLS connection with a server name.
pub fn ask_on(table: &RouteTable, number: u16, server_name: Option<&str>, words: &str) -> String {
    let server_name = server_name.map(|name| Host::from_name(name).expect(name));
    let request = request(words);
    let (port, head) = (port(table, number), head(&request));
    let decision = table.find(port, server_name.as_ref(), &head);
    let explained = table.explain(port, server_name.as_ref(), &head).decision;
    assert_eq!(decision, explained, "explain decides as find does: {words}");
    match decision {
        Ok(matched) => table.rule(matched.rule).id.name.as_deref().unwrap_or_default().to_owned(),
        Err(no_match) => no_match.status().as_u16().to_string(),
    }
}

/// Asserts who answers each request on port 80.
#[track_caller]
pub fn assert_answers(table: &RouteTable, rows: &[(&str, &str)]) {
    for (words, expected) in rows {
        assert_eq!(ask(table, words), *expected, "{words}");
    }
}

pub fn explain(table: &RouteTable, words: &str) -> Explanation {
    let request = request(words);
    table.explain(port(table, 80), None, &head(&request))
}
