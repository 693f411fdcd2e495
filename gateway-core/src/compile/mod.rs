//! What is attached, compiled: rules that work, and the table that finds them.
//!
//! A rule that cannot be carried out as written says so in its [findings](RuleFindings) and serves what is left of it, so that
//! its requests fail rather than go to another rule.

mod filters;
mod grpc_rule;
mod http_match;
mod http_rule;
mod patterns;
mod route;
mod scope;
mod stream_rule;

use crate::attach::{AttachedListener, Gateways, ListenerKey, Protocol};
use crate::options::Options;
use crate::resolve::Backends;
use crate::table::{Listener, ListenerId, ListenerProtocol, RouteTable, RouteTableBuilder};

pub(crate) use self::patterns::Patterns;
pub(crate) use self::route::{CompileRoute, CompiledRoute, route};
pub(crate) use self::scope::Compiler;

/// Which listeners are served, by the key under which routes are attached to them.
struct Listeners(Vec<Option<ListenerId>>);

/// The table for what is attached: the listeners that are served, the routes that they let in, and their backends.
pub(crate) fn table(
    gateways: &Gateways,
    routes: Vec<CompiledRoute>,
    backends: &Backends,
    options: &Options,
) -> RouteTable {
    let mut table = RouteTable::builder(options.generation);
    table.hostname_fall_through(options.hostname_fall_through);
    for (_, backend) in backends.slots().iter() {
        table.backend(backend.clone());
    }
    let listeners = Listeners::add(gateways, &mut table);
    for route in routes {
        add(route, &listeners, &mut table);
    }
    table.build()
}

/// Adds a route to the table.
///
/// A route of which no rule is valid is not accepted, and yet those of its rules are added that fail their requests:
/// leaving them out would hand the requests to a route without the filter that could not be made.
///
/// # Spec
/// RTE-22, FLT-05, AMB-38, AMB-62.
fn add(route: CompiledRoute, listeners: &Listeners, table: &mut RouteTableBuilder) {
    let served: Vec<_> = route
        .parents
        .iter()
        .flat_map(|parent| parent.listeners.iter().flatten())
        .filter_map(|attached| Some((listeners.get(attached.listener)?, &attached.hostnames)))
        .collect();
    if served.is_empty() {
        return;
    }
    let id = table.http_route(route.age, route.rules);
    for (listener, hostnames) in served {
        table.attach(id, listener, hostnames);
    }
}

// === impl Listeners ===

impl Listeners {
    fn add(gateways: &Gateways, table: &mut RouteTableBuilder) -> Self {
        let mut ids = vec![None; gateways.listener_count()];
        for listener in gateways.listeners() {
            ids[listener.key.index()] = served(listener).map(|listener| table.listener(listener));
        }
        Self(ids)
    }

    fn get(&self, key: ListenerKey) -> Option<ListenerId> {
        self.0[key.index()]
    }
}

/// The listener as it is served, if it is.
fn served(listener: &AttachedListener) -> Option<Listener> {
    if !listener.is_served() {
        return None;
    }
    let protocol = match &listener.protocol {
        Protocol::Http => ListenerProtocol::Http,
        Protocol::Https => ListenerProtocol::Https(listener.tls.clone()?),
        // No data plane has these yet: their features are not supported.
        Protocol::Tls(_) | Protocol::Tcp | Protocol::Udp | Protocol::Other(_) => return None,
    };
    Some(Listener {
        gateway: listener.gateway.clone(),
        owner_kind: listener.owner_kind,
        owner: listener.owner.clone(),
        name: listener.name.clone(),
        port: listener.port,
        protocol,
        hostname: listener.hostname.clone(),
    })
}
