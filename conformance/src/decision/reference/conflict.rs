//! Conflicts between the listeners of a Gateway.

use super::gateway::{Listener, Protocol};
use super::hostname;

/// The listeners that stand, of those of several objects, the first of which goes first.
///
/// LST-28: what is in conflict with an earlier object is out, and then what is in conflict within the object.
pub(super) fn without_conflicts<'r>(objects: Vec<Vec<Listener<'r>>>) -> Vec<Listener<'r>> {
    let mut standing: Vec<Listener<'r>> = Vec::new();
    for listeners in objects {
        // LST-09: across objects the earlier one has the place.
        let own: Vec<Listener<'r>> = listeners
            .into_iter()
            .filter(|listener| !standing.iter().any(|earlier| conflict(earlier, listener)))
            .collect();
        // GWL-08: within one object none has.
        let stands = |at: usize| {
            let mut others = own.iter().enumerate().filter(|(other, _)| *other != at);
            !others.any(|(_, other)| conflict(other, &own[at]))
        };
        standing.extend((0..own.len()).filter(|at| stands(*at)).map(|at| own[at]));
    }
    standing
}

/// Whether two listeners cannot both be served.
fn conflict(one: &Listener<'_>, other: &Listener<'_>) -> bool {
    use Protocol::{Http, Https, Tcp, TlsPassthrough, TlsTerminate, Udp};
    if one.port != other.port {
        return false;
    }
    match (one.protocol, other.protocol) {
        // GWL-05: UDP has ports of its own.
        (Udp, protocol) | (protocol, Udp) if protocol != Udp => false,
        // GWL-02: only the port tells these apart.
        (Tcp, Tcp) | (Udp, Udp) => true,
        // GWL-02, GWL-03: these are told apart by the hostname. TLR-11: TLS may end at some of them only.
        (Http, Http) | (Https, Https) | (TlsTerminate | TlsPassthrough, TlsTerminate | TlsPassthrough) => {
            one.hostname == other.hostname
        }
        // AMB-44: the server name tells who gets the connection, if no name could be for both.
        (Https, TlsTerminate | TlsPassthrough) | (TlsTerminate | TlsPassthrough, Https) => {
            hostname::overlap(one.hostname, other.hostname)
        }
        // GWL-04, AMB-44: these protocols cannot share a port.
        _ => true,
    }
}
