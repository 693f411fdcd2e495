//! The addresses that the listeners of a Gateway are bound to.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use gateway_core::name::ObjectName;

/// Where the ports of each Gateway are bound. Every listener of a Gateway is bound on every address of it.
///
/// A Gateway that has addresses in the [table](gateway_core::table::RouteTable::addresses) is bound there.
///
/// ```
/// use gateway_core::name::ObjectName;
/// use gateway_tower::serve::Addresses;
///
/// let mut addresses = Addresses::default();
/// addresses.gateways.insert(ObjectName::new("default", "inner"), vec!["10.0.0.5".parse()?]);
/// addresses.port_offset = 8000;
/// let bound = |name, assigned| {
///     addresses.sockets(&ObjectName::new("default", name), assigned, 80).collect::<Result<Vec<_>, _>>()
/// };
/// let assigned = ["10.0.0.6".parse()?];
/// assert_eq!(bound("inner", Some(&assigned))?, ["10.0.0.5:8080".parse()?]);
/// assert_eq!(bound("any", Some(&assigned))?, ["10.0.0.6:8080".parse()?]);
/// assert_eq!(bound("any", None)?, ["0.0.0.0:8080".parse()?]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Spec
/// [GWL-16](gateway_core::spec#GWL-16).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Addresses {
    /// The addresses of single Gateways, whatever the table says.
    pub gateways: HashMap<ObjectName, Vec<IpAddr>>,
    /// Whether Gateways that have addresses in the table are bound there. Where they are addresses of something else,
    /// which passes connections on, they are not.
    pub assigned: bool,
    /// The addresses of all others. An IPv6 address takes no IPv4 connections: name `0.0.0.0` beside `::`.
    pub others: Vec<IpAddr>,
    /// Ports that are bound to another number than that of the listeners; 0 lets the kernel choose one.
    pub ports: HashMap<u16, u16>,
    /// What is added to the number of every other port, to get by without privileges.
    pub port_offset: u16,
}

/// A port that the [offset](Addresses::port_offset) leads beyond the last one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("port {port} with offset {offset} is above 65535; map the port, or take a smaller offset")]
pub struct PortOverflow {
    /// The address.
    pub address: IpAddr,
    /// The port of the listener.
    pub port: u16,
    /// The offset.
    pub offset: u16,
}

// === impl Addresses ===

impl Addresses {
    /// All Gateways on this address, other than those that have addresses in the table.
    pub fn all_on(address: IpAddr) -> Self {
        Self {
            gateways: HashMap::new(),
            assigned: true,
            others: vec![address],
            ports: HashMap::new(),
            port_offset: 0,
        }
    }

    /// Where this port of this Gateway is bound. `assigned` are the addresses that it has in the table.
    ///
    /// # Errors
    /// For each address, when the offset leads beyond the last port: the address with the port of the listener.
    pub fn sockets<'a>(
        &'a self,
        gateway: &ObjectName,
        assigned: Option<&'a [IpAddr]>,
        port: u16,
    ) -> impl Iterator<Item = Result<SocketAddr, PortOverflow>> + use<'a> {
        let own = self.gateways.get(gateway).map(Vec::as_slice);
        let addresses = own.or(assigned.filter(|_| self.assigned)).unwrap_or(&self.others);
        let offset = self.port_offset;
        let bound = match self.ports.get(&port) {
            Some(port) => Some(*port),
            None => port.checked_add(offset),
        };
        addresses.iter().map(move |&address| match bound {
            Some(bound) => Ok(SocketAddr::new(address, bound)),
            None => Err(PortOverflow { address, port, offset }),
        })
    }
}

impl Default for Addresses {
    /// All Gateways that have no addresses in the table on all IPv4 addresses of the machine, each port under its own number.
    fn default() -> Self {
        Self::all_on(Ipv4Addr::UNSPECIFIED.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offset_beyond_the_last_port_names_the_port() {
        let addresses = Addresses { port_offset: 65_000, ports: [(600, 80)].into(), ..Addresses::default() };
        let gateway = ObjectName::new("default", "web");
        let bound = |port| addresses.sockets(&gateway, None, port).next().unwrap();
        assert_eq!(bound(535).unwrap().port(), u16::MAX);
        assert_eq!(bound(600).unwrap().port(), 80, "what is mapped has no offset");
        let error = bound(536).unwrap_err();
        assert_eq!((error.port, error.offset), (536, 65_000));
        assert!(error.to_string().starts_with("port 536 with offset 65000 is above 65535"), "{error}");
    }
}
