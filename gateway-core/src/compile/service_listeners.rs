//! The listeners of Services in the table: one for each port and clients that some Route is for.
//!
//! A Service without Routes has none, and what is sent to it goes on as if there were no mesh. Nor is it the serving that counts:
//! where a Route has no rule that could be carried out, requests are refused.

use std::collections::BTreeMap;
use std::net::IpAddr;

use foldhash::fast::RandomState;
use hashbrown::HashMap;

use crate::api::Service;
use crate::attach::MeshPlace;
use crate::name::{ListenerOwnerKind, ObjectName};
use crate::table::{Listener, ListenerId, ListenerProtocol, RouteTableBuilder};
use crate::validate::Valid;

/// The listeners of Services, each with how many Routes are for it.
#[derive(Debug, Default)]
pub(crate) struct ServiceListeners {
    by_place: HashMap<MeshPlace, Held, RandomState>,
}

#[derive(Debug)]
struct Held {
    id: ListenerId,
    routes: usize,
}

// === impl ServiceListeners ===

impl ServiceListeners {
    /// One more Route is for these places: each has a listener for as long as some is.
    ///
    /// # Spec
    /// MSH-08
    pub(crate) fn hold(&mut self, places: &[MeshPlace], table: &mut RouteTableBuilder) {
        for place in places {
            let new = || Held { id: table.listener(listener(place)), routes: 0 };
            self.by_place.entry_ref(place).or_insert_with(new).routes += 1;
        }
    }

    /// One Route less is.
    pub(crate) fn release(&mut self, places: &[MeshPlace], table: &mut RouteTableBuilder) {
        for place in places {
            let Some(held) = self.by_place.get_mut(place) else { continue };
            held.routes -= 1;
            if held.routes == 0 {
                table.remove_listener(held.id);
                self.by_place.remove(place);
            }
        }
    }

    /// The listener of a place, while it is held.
    pub(crate) fn get(&self, place: &MeshPlace) -> Option<ListenerId> {
        self.by_place.get(place).map(|held| held.id)
    }

    /// The addresses of all these Services. If two claim one, which no API server lets happen, the first by name has it.
    ///
    /// # Spec
    /// MSH-02
    pub(crate) fn addresses(
        &self,
        services: &BTreeMap<ObjectName, Valid<Service>>,
    ) -> BTreeMap<IpAddr, ObjectName> {
        let mut names: Vec<_> = self.by_place.keys().map(|place| &place.service).collect();
        names.sort_unstable();
        names.dedup();
        let mut addresses = BTreeMap::new();
        for name in names {
            let Some(service) = services.get(name) else { continue };
            let written = service.spec.cluster_ips.iter().chain(&service.spec.cluster_ip);
            for address in written.filter_map(|written| written.parse().ok()) {
                addresses.entry(address).or_insert_with(|| name.clone());
            }
        }
        addresses
    }
}

/// # Spec
/// MSH-16: redirects have the port of the Service and the scheme of the request, which is within no TLS here.
fn listener(place: &MeshPlace) -> Listener {
    Listener {
        frontend: place.owner(),
        owner_kind: ListenerOwnerKind::Service,
        owner: place.service.clone(),
        name: place.name.clone(),
        port: place.port,
        protocol: ListenerProtocol::Http,
        hostname: None,
    }
}
