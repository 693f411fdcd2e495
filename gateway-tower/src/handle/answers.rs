//! What names outside the cluster lead to, put into each table.

use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use foldhash::fast::RandomState;
use gateway_core::rule::Endpoint;
use gateway_core::table::RouteTable;

/// The addresses of names, as far as they are known.
#[derive(Debug, Default)]
pub(super) struct Answers {
    by_name: HashMap<Arc<str>, Answer, RandomState>,
}

#[derive(Debug)]
struct Answer {
    addresses: Arc<[IpAddr]>,
    /// The same at each port that a backend has had.
    at_ports: BTreeMap<u16, Arc<[Endpoint]>>,
}

// === impl Answers ===

impl Answers {
    /// Takes note of what a name leads to now. Says whether that is something else than before.
    pub(super) fn set(&mut self, name: &str, addresses: &[IpAddr]) -> bool {
        let known = self.by_name.get(name).map_or(&[][..], |answer| &answer.addresses);
        if known == addresses {
            return false;
        }
        if addresses.is_empty() {
            self.by_name.remove(name);
        } else {
            let answer = Answer { addresses: addresses.into(), at_ports: BTreeMap::new() };
            self.by_name.insert(name.into(), answer);
        }
        true
    }

    /// The table with endpoints for its names, as far as they are known; nothing where it has those already.
    pub(super) fn in_table(&mut self, table: &RouteTable) -> Option<RouteTable> {
        for backend in table.named_backends() {
            let Some(name) = &backend.hostname else { continue };
            if let Some(Answer { addresses, at_ports }) = self.by_name.get_mut(name) {
                at_ports.entry(backend.port).or_insert_with(|| {
                    let at = |ip: &IpAddr| Endpoint::new(SocketAddr::new(*ip, backend.port));
                    addresses.iter().map(at).collect()
                });
            }
        }
        table.with_endpoints(|backend, name| {
            let known = self.by_name.get(name).and_then(|answer| answer.at_ports.get(&backend.port));
            known.cloned().unwrap_or_default()
        })
    }
}
