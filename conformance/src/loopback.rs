//! Addresses of the loopback interface.

use std::net::{IpAddr, Ipv4Addr, TcpListener};
use std::sync::atomic::{AtomicU32, Ordering};

/// An address that no other socket in this process has, on Linux; 127.0.0.1 elsewhere, where no other is bound by default.
pub(crate) fn address() -> IpAddr {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    if !cfg!(target_os = "linux") {
        return Ipv4Addr::LOCALHOST.into();
    }
    // Another process has most likely another start. The first and the last address of a block are left to others.
    let process = std::process::id().wrapping_mul(251);
    let number = process.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)) % (100 * 256 * 254);
    let (low, rest) = (number % 254 + 1, number / 254);
    let (middle, high) = (rest % 256, rest / 256 + 100);
    let octet = |number: u32| u8::try_from(number).expect("each part is below 256");
    Ipv4Addr::new(127, octet(high), octet(middle), octet(low)).into()
}

/// Whether this process may bind ports below 1024.
pub(crate) fn low_ports() -> bool {
    // A port that is taken says nothing, so some are tried.
    (1000..1024).any(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_of_the_loopback_interface_and_differ() {
        let (first, second) = (address(), address());
        assert!(first.is_loopback() && second.is_loopback());
        assert_eq!(first == second, !cfg!(target_os = "linux"));
        TcpListener::bind((first, 0)).expect("it can be bound");
    }
}
