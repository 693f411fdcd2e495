//! Addresses of names outside the cluster, put into each table.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use foldhash::fast::RandomState;
use gateway_core::rule::{Backend, Endpoint};
use gateway_core::table::RouteTable;

/// The addresses of names, as far as they are known.
#[derive(Debug, Default)]
pub(super) struct Answers {
    by_name: HashMap<Arc<str>, Answer, RandomState>,
}

#[derive(Debug)]
struct Answer {
    addresses: Arc<[IpAddr]>,
    /// The same at each port that a backend of the table has.
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
        let port = |backend: &Backend| Some((Arc::clone(backend.hostname.as_ref()?), backend.port));
        let ports: HashSet<(Arc<str>, u16), RandomState> = table.named_backends().filter_map(port).collect();
        for (name, answer) in &mut self.by_name {
            answer.at_ports.retain(|port, _| ports.contains(&(Arc::clone(name), *port)));
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    // XBK-01
    #[test]
    fn ports_that_no_backend_has_any_more_are_forgotten() {
        let mut answers = Answers::default();
        answers.set("a.example", &[[192, 0, 2, 1].into()]);
        for port in [[80, 443], [443, 8443], [8443, 9000]] {
            let mut table = RouteTable::builder(1);
            for port in port {
                table.backend(Backend { port, hostname: Some("a.example".into()), ..Backend::default() });
            }
            assert!(answers.in_table(&table.build()).is_some());
            assert!(answers.by_name["a.example"].at_ports.keys().eq(&port));
        }
    }
}
