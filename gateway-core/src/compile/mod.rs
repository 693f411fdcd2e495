//! What is attached, into the table.

mod http;

use crate::attach::{Attached, AttachedListener, Gateways, ListenerKey, Options, Protocol};
use crate::table::{Listener, ListenerId, ListenerProtocol, RouteTable, RouteTableBuilder};

/// Which listeners are served, by the key under which routes are attached to them.
struct Listeners(Vec<Option<ListenerId>>);

/// The table for what is attached: the listeners that are served, the routes that they let in, and their backends.
pub(crate) fn table(attached: Attached, options: &Options) -> RouteTable {
    let mut table = RouteTable::builder(options.generation);
    table.hostname_fall_through(options.hostname_fall_through);
    for backend in attached.backends {
        table.backend(backend);
    }
    let listeners = Listeners::add(&attached.gateways, &mut table);
    http::http_routes(attached.http_routes, &listeners, &mut table);
    table.build()
}

// === impl Listeners ===

impl Listeners {
    fn add(gateways: &Gateways, table: &mut RouteTableBuilder) -> Self {
        let mut ids = vec![None; gateways.listener_count()];
        for listener in gateways.listeners() {
            ids[listener.key().index()] = served(listener).map(|listener| table.listener(listener));
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
        // No listener of these is programmed yet: their features are not supported.
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
