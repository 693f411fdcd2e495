//! The flows of one socket: who has one, and who has to go for another.
//!
//! Datagrams may come under any address, so that a client proves nothing by sending. What it proves is that it gets what is sent
//! to it: by sending again after an answer. Until then its flow is on probation, and goes first when there is no room.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};

use foldhash::fast::RandomState;

use crate::serve::stream_options::DatagramOptions;

type HashMap<K, V> = std::collections::HashMap<K, V, RandomState>;

/// The flows of one socket, each with a value.
#[derive(Debug)]
pub(super) struct Flows<F> {
    flows: HashMap<SocketAddr, Entry<F>>,
    /// How many flows each client has.
    clients: HashMap<IpAddr, usize>,
    /// The flows that were on probation when they came, the oldest first. What is not there any more, or is another now, is
    /// passed over.
    probation: VecDeque<(SocketAddr, u64)>,
    next: u64,
    options: DatagramOptions,
}

#[derive(Debug)]
struct Entry<F> {
    flow: F,
    number: u64,
    on_probation: bool,
}

/// Why there is no room for a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum NoRoom {
    #[error("there are as many flows as there may be")]
    Flows,
    #[error("the client has as many flows as it may have")]
    Client,
}

// === impl Flows ===

impl<F> Flows<F> {
    pub(super) fn new(options: DatagramOptions) -> Self {
        Self {
            flows: HashMap::default(),
            clients: HashMap::default(),
            probation: VecDeque::new(),
            next: 0,
            options,
        }
    }

    pub(super) fn get(&mut self, client: SocketAddr) -> Option<&mut F> {
        self.flows.get_mut(&client).map(|entry| &mut entry.flow)
    }

    /// The client of this flow is there: it has answered an answer.
    pub(super) fn confirm(&mut self, client: SocketAddr) {
        if let Some(entry) = self.flows.get_mut(&client) {
            entry.on_probation = false;
        }
    }

    /// Makes room for a flow of this client; the flow that has to go for it is given to `gone`.
    pub(super) fn make_room(&mut self, client: SocketAddr, gone: impl FnOnce(F)) -> Result<(), NoRoom> {
        if self
            .clients
            .get(&of_client(client))
            .is_some_and(|flows| *flows >= self.options.max_flows_per_client)
        {
            return Err(NoRoom::Client);
        }
        if self.flows.len() < self.options.max_flows {
            return Ok(());
        }
        gone(self.remove_on_probation().ok_or(NoRoom::Flows)?);
        Ok(())
    }

    /// Takes away the oldest flow that is on probation.
    pub(super) fn remove_on_probation(&mut self) -> Option<F> {
        while let Some((oldest, number)) = self.probation.pop_front() {
            let is_it = |entry: &Entry<F>| entry.number == number && entry.on_probation;
            if self.flows.get(&oldest).is_some_and(is_it) {
                return self.remove(oldest);
            }
        }
        None
    }

    /// Adds a flow, for which there is [room](Self::make_room).
    pub(super) fn insert(&mut self, client: SocketAddr, flow: F) {
        self.remove(client);
        *self.clients.entry(of_client(client)).or_default() += 1;
        self.next += 1;
        self.probation.push_back((client, self.next));
        self.flows.insert(client, Entry { flow, number: self.next, on_probation: true });
    }

    pub(super) fn remove(&mut self, client: SocketAddr) -> Option<F> {
        let entry = self.flows.remove(&client)?;
        let key = of_client(client);
        if let Some(flows) = self.clients.get_mut(&key) {
            *flows -= 1;
            if *flows == 0 {
                self.clients.remove(&key);
            }
        }
        Some(entry.flow)
    }

    /// Takes away the flows of which `keep` says no.
    pub(super) fn retain(&mut self, mut keep: impl FnMut(&mut F) -> bool) {
        let gone: Vec<_> = self
            .flows
            .iter_mut()
            .filter_map(|(client, entry)| (!keep(&mut entry.flow)).then_some(*client))
            .collect();
        for client in gone {
            self.remove(client);
        }
        let Self { flows, probation, clients, .. } = self;
        let waits = |(client, number): &(SocketAddr, u64)| {
            flows.get(client).is_some_and(|entry| entry.number == *number && entry.on_probation)
        };
        probation.retain(waits);
        // What a crowd needed is given back.
        if flows.len() * 8 < flows.capacity() {
            flows.shrink_to(flows.len() * 2);
            clients.shrink_to(clients.len() * 2);
            probation.shrink_to(probation.len() * 2);
        }
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        assert_eq!(self.clients.values().sum::<usize>(), self.flows.len());
        self.flows.len()
    }
}

/// What counts as one client: with IPv6, a client that has one address mostly has all of its /64.
fn of_client(client: SocketAddr) -> IpAddr {
    match client.ip() {
        IpAddr::V6(ip) if ip.to_ipv4_mapped().is_none() => {
            let [a, b, c, d, ..] = ip.segments();
            [a, b, c, d, 0, 0, 0, 0].into()
        }
        ip => ip,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flows(max_flows: usize, max_flows_per_client: usize) -> Flows<u32> {
        Flows::new(DatagramOptions { max_flows, max_flows_per_client, ..DatagramOptions::default() })
    }

    fn client(ip: u8, port: u16) -> SocketAddr {
        ([192, 0, 2, ip], port).into()
    }

    /// Adds a flow; gives the one that had to go for it.
    fn add(flows: &mut Flows<u32>, client: SocketAddr, value: u32) -> Result<Option<u32>, NoRoom> {
        let mut gone = None;
        flows.make_room(client, |flow| gone = Some(flow))?;
        flows.insert(client, value);
        Ok(gone)
    }

    #[test]
    fn who_never_answered_an_answer_goes_first_and_who_did_stays() {
        let mut flows = flows(3, 3);
        assert_eq!([1, 2, 3].map(|ip| add(&mut flows, client(ip, 1), ip.into())), [Ok(None); 3]);
        flows.confirm(client(1, 1));
        assert_eq!(add(&mut flows, client(4, 1), 4), Ok(Some(2)));
        flows.confirm(client(4, 1));
        assert_eq!(add(&mut flows, client(5, 1), 5), Ok(Some(3)));
        flows.confirm(client(5, 1));
        assert_eq!(add(&mut flows, client(6, 1), 6), Err(NoRoom::Flows), "those that are there stay");
        flows.retain(|flow| *flow != 4);
        assert_eq!(add(&mut flows, client(6, 1), 6), Ok(None));
        assert_eq!(flows.len(), 3);
    }

    #[test]
    fn a_client_has_its_share_whatever_ports_it_sends_from() {
        let mut flows = flows(100, 2);
        assert_eq!([1, 2].map(|port| add(&mut flows, client(1, port), 0)), [Ok(None); 2]);
        assert_eq!(add(&mut flows, client(1, 3), 0), Err(NoRoom::Client));
        assert_eq!(add(&mut flows, client(2, 3), 0), Ok(None));
        flows.remove(client(1, 1));
        assert_eq!(add(&mut flows, client(1, 3), 0), Ok(None));
        let neighbour = |last: u16| SocketAddr::from(([0x2001, 0xdb8, 0, 1, 0, 0, 0, last], 1));
        assert_eq!([1, 2].map(|last| add(&mut flows, neighbour(last), 0)), [Ok(None); 2]);
        assert_eq!(add(&mut flows, neighbour(3), 0), Err(NoRoom::Client));
    }

    #[test]
    fn what_is_gone_leaves_nothing_behind() {
        let mut flows = flows(10_000, 10_000);
        for port in 1..=10_000 {
            add(&mut flows, client(1, port), port.into()).unwrap();
        }
        assert_eq!(add(&mut flows, client(2, 1), 0), Ok(Some(1)));
        flows.retain(|flow| *flow < 10);
        assert_eq!((flows.len(), flows.probation.len(), flows.clients.len()), (9, 9, 2));
        assert!(flows.flows.capacity() < 100 && flows.probation.capacity() < 100);
        flows.retain(|_| false);
        assert_eq!((flows.len(), flows.probation.len(), flows.clients.len()), (0, 0, 0));
    }
}
