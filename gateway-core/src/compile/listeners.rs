//! The listeners that are served, in the table.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::api::TlsModeType;
use crate::attach::{AttachedListener, Gateways, ListenerKey, Protocol};
use crate::name::{ListenerOwnerKind, ObjectName};
use crate::table::{FrontendOwner, Listener, ListenerId, ListenerProtocol, RouteTableBuilder};

/// Which listeners are served, by the key under which Routes are attached to them.
///
/// A listener keeps its place in the table as long as it is served, whatever others come and go.
#[derive(Debug, Default)]
pub(crate) struct Listeners {
    by_key: Vec<Option<ListenerId>>,
    /// With whether it takes requests: no other can stand in its place.
    by_name: BTreeMap<Name, (ListenerId, bool)>,
}

/// The object that holds a listener, and the name of the listener there.
type Name = (ListenerOwnerKind, ObjectName, Arc<str>);

// === impl Listeners ===

impl Listeners {
    /// Brings the listeners of the table in line with those that are attached.
    pub(crate) fn update(&mut self, gateways: &Gateways, table: &mut RouteTableBuilder) {
        self.by_key = vec![None; gateways.listener_count()];
        let mut before = std::mem::take(&mut self.by_name);
        let mut gone = Vec::new();
        for attached in gateways.listeners() {
            let Some(listener) = served(attached) else { continue };
            let name = (listener.owner_kind, listener.owner.clone(), listener.name.clone());
            let takes_requests = listener.protocol.takes_requests();
            let id = match before.remove(&name) {
                Some((id, same)) if same == takes_requests => {
                    table.replace_listener(id, listener);
                    id
                }
                other => {
                    gone.extend(other);
                    table.listener(listener)
                }
            };
            table.listener_filters(id, attached.filters.clone());
            self.by_key[attached.key.index()] = Some(id);
            self.by_name.insert(name, (id, takes_requests));
        }
        gone.into_iter().chain(before.into_values()).for_each(|(id, _)| table.remove_listener(id));
    }

    /// The listener in the table, if it is served.
    pub(crate) fn get(&self, key: ListenerKey) -> Option<ListenerId> {
        self.by_key[key.index()]
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
        Protocol::Tls(TlsModeType::Terminate) => ListenerProtocol::TlsTerminate(listener.tls.clone()?),
        Protocol::Tls(TlsModeType::Passthrough) => ListenerProtocol::TlsPassthrough,
        Protocol::Tcp => ListenerProtocol::Tcp,
        Protocol::Udp => ListenerProtocol::Udp,
        // These are refused.
        Protocol::Tls(TlsModeType::Unknown(_)) | Protocol::Other(_) => return None,
    };
    Some(Listener {
        frontend: FrontendOwner::Gateway(listener.gateway.clone()),
        owner_kind: listener.owner_kind,
        owner: listener.owner.clone(),
        name: listener.name.clone(),
        port: listener.port,
        protocol,
        hostname: listener.hostname.clone(),
    })
}
