//! Addresses that a name must not lead to.

#[cfg(any(feature = "client", feature = "server"))]
use std::net::SocketAddr;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Any port will do, since nothing is sent.
#[cfg(any(feature = "client", feature = "server"))]
const DISCARD: u16 = 9;

/// Where clouds tell a machine about itself, besides the link-local addresses.
const METADATA: [IpAddr; 3] = [
    IpAddr::V4(Ipv4Addr::new(100, 100, 100, 200)),
    IpAddr::V4(Ipv4Addr::new(168, 63, 129, 16)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)),
];

/// Whether an address is of this machine or its neighbours alone, or of no machine: one that the machine has, loopback, link-local,
/// unspecified, multicast and broadcast, and those where clouds tell a machine about itself; in IPv6 also where such an address of IPv4 stands in it.
///
/// Addresses of private networks are not among them: what is outside of the cluster may well be within the company.
pub fn is_refused(address: IpAddr) -> bool {
    is_refused_everywhere(address) || is_own(address)
}

/// The same, whichever machine this is.
fn is_refused_everywhere(address: IpAddr) -> bool {
    METADATA.contains(&address) || is_local(address)
}

/// Whether it is one of the addresses that this machine has.
#[cfg(any(feature = "client", feature = "server"))]
fn is_own(address: IpAddr) -> bool {
    crate::connect::is_of_machine(SocketAddr::new(address, DISCARD))
}

/// That is not looked at where nothing has sockets.
#[cfg(not(any(feature = "client", feature = "server")))]
fn is_own(_: IpAddr) -> bool {
    false
}

fn is_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_local_v4(address),
        IpAddr::V6(address) => match v4_within(address) {
            Some(within) => is_refused_everywhere(within.into()),
            None => {
                address.is_loopback()
                    || address.is_unspecified()
                    || address.is_multicast()
                    || address.is_unicast_link_local()
            }
        },
    }
}

fn is_local_v4(address: Ipv4Addr) -> bool {
    address.is_loopback()
        || address.is_link_local()
        || address.is_multicast()
        || address.is_broadcast()
        // All of "this network", which Linux takes for this machine.
        || address.octets()[0] == 0
}

/// The address of IPv4 that one of IPv6 stands for: mapped, compatible, translated (64:ff9b::/96, 64:ff9b:1::/48 and ::ffff:0:0:0/96)
/// or tunnelled (2002::/16).
fn v4_within(address: Ipv6Addr) -> Option<Ipv4Addr> {
    match address.segments() {
        // Those that are of IPv6 itself.
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => None,
        [0x64, 0xff9b, 0, 0, 0, 0, high, low]
        | [0x64, 0xff9b, 1, _, _, _, high, low]
        | [0, 0, 0, 0, 0xffff, 0, high, low]
        | [0, 0, 0, 0, 0, 0, high, low]
        | [0x2002, high, low, ..] => Some(Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low))),
        _ => address.to_ipv4_mapped(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // XBK-05
    #[test]
    fn what_is_of_this_machine_is_so_in_every_form() {
        for refused in [
            "127.0.0.1",
            "127.8.9.10",
            "0.0.0.0",
            "0.1.2.3",
            "169.254.169.254",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "fe80::1",
            "febf::1",
            "ff02::1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
            "::127.0.0.1",
            "::ffff:0:127.0.0.1",
            "64:ff9b:1::a9fe:a9fe",
            "64:ff9b::a83f:8110",
            "100.100.100.200",
            "168.63.129.16",
            "fd00:ec2::254",
        ] {
            assert!(is_refused_everywhere(refused.parse().unwrap()), "{refused}");
        }
        for let_pass in
            ["10.0.0.1", "192.168.1.1", "100.64.0.1", "192.0.2.7", "fd00::1", "2001:db8::1", "64:ff9b::a00:1"]
        {
            assert!(!is_refused_everywhere(let_pass.parse().unwrap()), "{let_pass}");
        }
    }
}
