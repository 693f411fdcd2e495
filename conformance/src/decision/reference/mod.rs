//! The specification read aloud: the plain reference.
//!
//! It works on the resources as written, has no index and no state, and looks at everything for every request. It shares
//! the types of the resources with the core and not one line of code: its own paths, hostnames, regular expressions,
//! filters and weights. Where the core and this differ, one of the two is wrong, and the specification says which.
//!
//! It decides about every kind of route, on Gateways and within a mesh. It expects resources that an API server would have
//! accepted.
//!
//! | step | files |
//! | --- | --- |
//! | which listeners are served | `gateway`, with `listener_set`, `conflict`, `allowed_namespaces` |
//! | what TLS meets there | `frontend_tls` |
//! | what the request says | `request` |
//! | what the filters of the listener make of it | `listener_filters` |
//! | which routes a listener has, and which match entry goes first | `parent_ref`, then `route` with `http` or `grpc`, and `matching`, `hostname`, `age` |
//! | what the filters of the first make of it | `filters`, with a file for each filter |
//! | where it goes | `backend`, with `x_backend`, `backend_tls_policy`, `traffic_policy` and `session` |
//!
//! Connections and datagrams go through `stream` instead, requests within a mesh through `mesh`.

mod age;
mod allowed_namespaces;
mod backend;
mod backend_tls_policy;
mod conflict;
mod cors;
mod external_auth;
mod filters;
mod frontend_tls;
mod gateway;
mod grpc;
mod header_modifier;
mod hostname;
mod http;
mod limits;
mod listener_filters;
mod listener_set;
mod matching;
mod mesh;
mod parent_ref;
mod path_modifier;
mod redirect;
mod request;
mod route;
mod session;
mod stream;
mod traffic_policy;
mod x_backend;
#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::sync::LazyLock;

use ::http::{HeaderMap, StatusCode};
use gateway_core::api::{GrpcRoute, HttpRoute, Resources};
use gateway_core::feature::Feature;
use gateway_core::name::ObjectName;

pub use self::hostname::matches as hostname_matches;
pub use self::path_modifier::target as replaced_path;
pub use self::redirect::reference;
pub use self::request::{host_of_authority, normal_form};

use self::external_auth::Replies;
use self::gateway::{Listener, Protocol};
use self::listener_filters::Filtered;
use self::request::Seen;
use self::route::Candidate;
use super::{
    Arrival, Asked, Decision, Effect, Entrance, Handshake, MeshArrival, Outcome, Reply, StreamArrival,
    StreamOutcome,
};

/// The features that show in statuses only: of all others the reference decides about the requests.
const WITHOUT_REQUESTS: [Feature; 5] = [
    Feature::GatewayAddressEmpty,
    Feature::GatewayAddressRoutability,
    Feature::GatewayAddressRoutabilityCluster,
    Feature::GatewayInfrastructure,
    Feature::GatewayStaticAddresses,
];

/// The features whose requests it decides about.
pub fn features() -> impl Iterator<Item = Feature> {
    Feature::ALL.iter().copied().filter(|feature| !WITHOUT_REQUESTS.contains(feature))
}

/// The reference with one set of resources.
#[derive(Clone, Copy, Debug)]
pub struct Reference<'r> {
    /// The resources.
    pub resources: &'r Resources,
    /// The controller whose GatewayClasses count.
    pub controller_name: &'r str,
    /// Whether less specific hostnames are tried when no rule of the most specific one matches
    /// ([AMB-12](gateway_core::choices#AMB-12)).
    pub hostname_fall_through: bool,
}

/// A request that is served, and by what.
struct Served<'r, 'a> {
    listener: Listener<'r>,
    candidate: Candidate<'r>,
    seen: Seen,
    /// The replies of authorization services that the filters of the listener have left.
    replies: Replies<'a>,
}

/// Why no rule serves a request.
enum Unserved {
    /// The gateway answers by itself.
    Refused(StatusCode),
    /// A filter of the listener answers.
    Answered(StatusCode, HeaderMap),
    /// A filter of the listener asks.
    Asks(Box<Asked>),
    /// A filter of the listener does not let it pass, since nothing is known, or since its body is too long.
    NotAuthorized(grpc::Failure),
}

// === impl Unserved ===

impl From<StatusCode> for Unserved {
    fn from(status: StatusCode) -> Self {
        Self::Refused(status)
    }
}

// === impl Reference ===

impl<'r> Reference<'r> {
    /// Who serves the request.
    pub fn decide(&self, arrival: &Arrival) -> Decision {
        self.outcome(arrival, false).decision
    }

    /// What becomes of the request.
    pub fn answer(&self, arrival: &Arrival) -> Outcome {
        self.outcome(arrival, true)
    }

    /// What a connection to the port meets.
    pub fn entrance(&self, gateway: &ObjectName, port: u16, server_name: Option<&str>) -> Entrance {
        let listeners = self.listeners(gateway, port);
        match listeners.first().map(|listener| listener.protocol) {
            None => Entrance::Closed,
            Some(Protocol::Http) => Entrance::Http,
            // TCP is not asked who it is for.
            Some(Protocol::Tcp | Protocol::Udp) => Entrance::Stream,
            Some(Protocol::Https | Protocol::TlsPassthrough | Protocol::TlsTerminate) => {
                // HST-08, HST-22
                let server_name = server_name.and_then(request::host_of_name).unwrap_or_default();
                let is_https = |listener: &Listener<'_>| listener.protocol == Protocol::Https;
                match gateway::most_specific(&listeners, &server_name) {
                    Some(listener) if is_https(listener) => Entrance::Https(Some(listener.name.to_owned())),
                    None if listeners.iter().any(is_https) => Entrance::Https(None),
                    Some(_) | None => Entrance::Stream,
                }
            }
        }
    }

    /// What becomes of a connection or a datagram.
    pub fn decide_stream(&self, arrival: &StreamArrival) -> StreamOutcome {
        let listeners = gateway::listeners(self.resources, self.controller_name, &arrival.gateway);
        stream::decide(self.resources, &listeners, arrival).unwrap_or(StreamOutcome::Rejected)
    }

    /// What a TLS connection to a port meets; nothing if no listener of the server name ends TLS there.
    pub fn handshake(&self, gateway: &ObjectName, port: u16, server_name: Option<&str>) -> Option<Handshake> {
        let server_name = server_name.and_then(request::host_of_name);
        frontend_tls::handshake(self.resources, &self.listeners(gateway, port), server_name.as_deref())
    }

    /// What becomes of a request within a mesh; nothing if there is no such Service or port.
    pub fn answer_in_mesh(&self, arrival: &MeshArrival) -> Option<Effect> {
        mesh::answer(self.resources, arrival)
    }

    /// The ready endpoints of a port of a Service for TCP, sorted; none if there is no such port.
    pub fn endpoints(&self, service: &ObjectName, port: u16) -> Vec<SocketAddr> {
        mesh::endpoints(self.resources, service, port).unwrap_or_default()
    }

    /// What becomes of a request to a Service where there is no mesh; nothing if there is no such Service or port.
    pub fn answer_without_mesh(&self, arrival: &MeshArrival) -> Option<Effect> {
        mesh::without(self.resources, arrival)
    }

    fn outcome(&self, arrival: &Arrival, carry_out: bool) -> Outcome {
        let refused = |status| Outcome {
            decision: Decision::Refused(status),
            effect: grpc::refused(status, &arrival.request),
        };
        let Served { listener, candidate, seen, replies } = match self.serve(arrival) {
            Ok(served) => served,
            Err(Unserved::Refused(status)) => return refused(status),
            Err(Unserved::Answered(status, headers)) => {
                let reply = Reply { status, headers: super::headers(&headers) };
                return Outcome { decision: Decision::Refused(status), effect: Effect::Answered(reply) };
            }
            // Who serves it is not known yet.
            Err(Unserved::Asks(asked)) => {
                let decision = Decision::Refused(StatusCode::CONTINUE);
                return Outcome { decision, effect: Effect::Asks(asked) };
            }
            Err(Unserved::NotAuthorized(failure)) => {
                let (status, headers) = grpc::failed(failure, &arrival.request);
                let reply = Reply { status, headers: super::headers(&headers) };
                let decision = Decision::Refused(failure.status());
                return Outcome { decision, effect: Effect::Answered(reply) };
            }
        };
        let decision = Decision::Served {
            listener: format!("{}/{}", listener.object().1, listener.name),
            kind: candidate.kind,
            route: candidate.route.clone(),
            rule: candidate.rule_index,
            entry: candidate.entry_index,
        };
        let effect = if carry_out {
            filters::carry_out(self.resources, &listener.frontend(), &candidate, &seen, arrival, replies)
        } else {
            refused(StatusCode::OK).effect
        };
        Outcome { decision, effect }
    }

    /// The listeners of a port that are served, but for those of UDP.
    fn listeners(&self, gateway: &ObjectName, port: u16) -> Vec<Listener<'r>> {
        let mut listeners = gateway::listeners(self.resources, self.controller_name, gateway);
        listeners.retain(|listener| listener.port == port && listener.protocol != Protocol::Udp);
        listeners
    }

    fn serve<'a>(&self, arrival: &'a Arrival) -> Result<Served<'r, 'a>, Unserved> {
        // AMB-16: a request that does not name one valid host is answered with 400.
        let seen = request::read(&arrival.request).ok_or(StatusCode::BAD_REQUEST)?;
        let listeners = self.listeners(&arrival.gateway, arrival.port);
        let http: Vec<Listener<'r>> = listeners
            .iter()
            .filter(|listener| matches!(listener.protocol, Protocol::Http | Protocol::Https))
            .copied()
            .collect();

        // HST-08, HST-10: of the listeners of the port the one with the most specific hostname; without any, 404.
        let best = gateway::most_specific(&http, &seen.host).ok_or(StatusCode::NOT_FOUND)?;
        // HST-20, HST-22: if the TLS connection was made to another one, 421.
        if best.protocol == Protocol::Https {
            let server_name = arrival.server_name.as_deref().and_then(request::host_of_name);
            let connection = gateway::most_specific(&listeners, server_name.as_deref().unwrap_or(""));
            // A server name that no listener has is not this listener's either; without one nothing is known.
            let other = connection.map_or(server_name.is_some(), |connection| !connection.is(best));
            if other {
                return Err(StatusCode::MISDIRECTED_REQUEST.into());
            }
        }
        // PRF-01, PRF-02, PRF-04: the filters of this listener, before a route is looked for, and only here.
        let mut replies = arrival.auth.iter();
        let seen = match listener_filters::run(self.resources, best, arrival, seen, &mut replies) {
            Filtered::Continue(seen) => seen,
            Filtered::Asks(asked) => return Err(Unserved::Asks(asked)),
            Filtered::NotAuthorized(failure) => return Err(Unserved::NotAuthorized(failure)),
            Filtered::Answer(status, headers) => return Err(Unserved::Answered(status, headers)),
            Filtered::Fail => return Err(StatusCode::INTERNAL_SERVER_ERROR.into()),
        };
        // HST-11: only routes attached to this listener are considered. HRM-16: without a match, 404.
        let fall_through = self.hostname_fall_through;
        // AMB-39, AMB-40, GRP-08: a call goes to GRPCRoutes first; nothing else goes there.
        let calls =
            seen.is_grpc().then(|| route::candidates::<GrpcRoute>(self.resources, best, &seen, fall_through));
        let requests = || route::candidates::<HttpRoute>(self.resources, best, &seen, fall_through);
        let candidate = calls.into_iter().flatten().next().or_else(|| requests().into_iter().next());
        let candidate = candidate.ok_or(StatusCode::NOT_FOUND)?;
        Ok(Served { listener: *best, candidate, seen, replies })
    }
}

/// A regular expression of our own.
type Pattern = LazyLock<regex::Regex>;

macro_rules! pattern {
    ($text:literal) => {
        std::sync::LazyLock::new(|| regex::Regex::new($text).expect("a regular expression"))
    };
}
use pattern;

/// The namespace that a reference leads to: the one it names, or that of the referrer.
fn namespace<'a>(named: Option<&'a str>, referrer: &'a ObjectName) -> &'a str {
    named.unwrap_or(&referrer.namespace)
}
