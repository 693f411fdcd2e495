//! The ports that Gateways have taken already, by address.

use std::collections::{HashMap, HashSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::options::Address;
use crate::table::Transport;

/// The ports that are taken by Gateways, address by address.
///
/// An unspecified address stands for every address of its family.
#[derive(Debug, Default)]
pub(super) struct TakenPorts {
    taken: HashMap<(Transport, u16), HashSet<Address>>,
}

// === impl TakenPorts ===

impl TakenPorts {
    /// Whether an earlier Gateway has this port of one of these addresses.
    pub(super) fn contains(&self, addresses: &[Address], transport: Transport, port: u16) -> bool {
        let Some(taken) = self.taken.get(&(transport, port)) else { return false };
        addresses.iter().any(|address| match address {
            Address::Ip(ip) if ip.is_unspecified() => taken.iter().any(|taken| is_of_family(taken, *ip)),
            Address::Ip(ip) => taken.contains(address) || taken.contains(&every_address(*ip)),
            Address::Hostname(_) => taken.contains(address),
        })
    }

    /// Takes this port of all these addresses.
    pub(super) fn take(&mut self, addresses: &[Address], transport: Transport, port: u16) {
        if !addresses.is_empty() {
            self.taken.entry((transport, port)).or_default().extend(addresses.iter().cloned());
        }
    }
}

fn is_of_family(address: &Address, family: IpAddr) -> bool {
    matches!(address, Address::Ip(address) if address.is_ipv4() == family.is_ipv4())
}

/// The address that stands for every address of the family of this one.
fn every_address(address: IpAddr) -> Address {
    Address::Ip(match address {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    })
}
