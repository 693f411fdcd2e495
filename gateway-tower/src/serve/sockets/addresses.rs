//! Which addresses the listeners of a Gateway are bound to.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use gateway_core::name::ObjectName;

/// Where the ports of each Gateway are bound. Every listener of a Gateway is bound on every address of it.
///
/// ```
/// use gateway_core::name::ObjectName;
/// use gateway_tower::serve::Addresses;
///
/// let mut addresses = Addresses::default();
/// addresses.gateways.insert(ObjectName::new("default", "inner"), vec!["10.0.0.5".parse()?]);
/// addresses.port_offset = 8000;
/// let bound = |name| addresses.sockets(&ObjectName::new("default", name), 80).collect::<Vec<_>>();
/// assert_eq!(bound("inner"), ["10.0.0.5:8080".parse()?]);
/// assert_eq!(bound("any"), ["0.0.0.0:8080".parse()?]);
/// # Ok::<(), std::net::AddrParseError>(())
/// ```
///
/// # Spec
/// GWL-16.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Addresses {
    /// The addresses of Gateways that have their own.
    pub gateways: HashMap<ObjectName, Vec<IpAddr>>,
    /// The addresses of all others. An IPv6 address takes no IPv4 connections: name `0.0.0.0` beside `::`.
    pub others: Vec<IpAddr>,
    /// Ports that are bound to another number than that of the listeners; 0 lets the kernel choose one.
    pub ports: HashMap<u16, u16>,
    /// What is added to the number of every other port, to get by without privileges.
    pub port_offset: u16,
}

// === impl Addresses ===

impl Addresses {
    /// All Gateways on this address.
    pub fn all_on(address: IpAddr) -> Self {
        Self { gateways: HashMap::new(), others: vec![address], ports: HashMap::new(), port_offset: 0 }
    }

    /// Where this port of this Gateway is bound.
    pub fn sockets(&self, gateway: &ObjectName, port: u16) -> impl Iterator<Item = SocketAddr> {
        let addresses = self.gateways.get(gateway).unwrap_or(&self.others);
        let port = match self.ports.get(&port) {
            Some(port) => *port,
            None => port.saturating_add(self.port_offset),
        };
        addresses.iter().map(move |address| SocketAddr::new(*address, port))
    }
}

impl Default for Addresses {
    /// All Gateways on all IPv4 addresses of the machine, each port under its own number.
    fn default() -> Self {
        Self::all_on(Ipv4Addr::UNSPECIFIED.into())
    }
}
