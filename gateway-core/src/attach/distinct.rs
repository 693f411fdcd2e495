//! Distinct listeners: those that can stand side by side on the ports of one Gateway.
//!
//! Two rules meet here. Between objects the earlier one has the place. Within one object no listener has: every listener that
//! is in conflict is out. What loses against an earlier object is out first, and no longer in the way of its siblings.
//!
//! # Spec
//! [GWL-02](crate::spec#GWL-02) to [GWL-08](crate::spec#GWL-08), [LST-09](crate::spec#LST-09), [LST-28](crate::spec#LST-28); the
//! choice between HTTP and HTTPS is [AMB-44](crate::choices#AMB-44).

use std::collections::{BTreeMap, HashMap};

use super::conflict::Conflict;
use super::hostnames::Hostnames;
use super::listener::AttachedListener;
use super::protocol::Protocol;
use crate::api::TlsModeType;
use crate::condition::Reason;
use crate::hostname::Hostname;
use crate::table::Transport;

/// The places of a Gateway that are taken.
#[derive(Debug)]
pub(super) struct Places {
    ports: HashMap<(Transport, u16), Port>,
    /// Whether some listeners of a port may terminate TLS and others pass it through.
    mixed_modes: bool,
}

/// Who is on a port.
type Port = BTreeMap<Family, Hostnames>;

/// Protocols within which only the hostname tells listeners apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Family {
    Http,
    Https,
    TlsTerminate,
    TlsPassthrough,
    Tcp,
    Udp,
}

/// What must differ between two listeners of a port.
enum Apart {
    /// The hostname.
    Hostname,
    /// The hostname, and no host may be served by both.
    Hosts,
    /// Nothing helps: there is room for one only.
    Never,
    /// Nothing helps: the protocols do not go together.
    Protocol,
    /// Nothing helps: both have to terminate TLS, or neither.
    TlsMode,
}

// === impl Places ===

impl Places {
    pub(super) fn new(mixed_modes: bool) -> Self {
        Self { ports: HashMap::new(), mixed_modes }
    }

    /// Gives the listeners of one object their places, or tells them who is in the way.
    ///
    /// A listener that is refused for what it is takes no place. One whose protocol is not supported is nevertheless told
    /// that it would be in conflict with an earlier object.
    pub(super) fn admit(&mut self, listeners: &mut [AttachedListener]) {
        let earlier = &self.ports;
        for listener in listeners.iter_mut() {
            let candidate = match &listener.state.refusal {
                None => true,
                Some(finding) => finding.reason == Reason::UnsupportedProtocol,
            };
            if let (true, Some((place, family))) = (candidate, place(listener))
                && let Some(port) = earlier.get(&place)
            {
                listener.state.conflict = self.conflict(port, family, listener.hostname.as_ref(), false);
            }
        }

        let survives = |listener: &AttachedListener| {
            listener.state.refusal.is_none() && listener.state.conflict.is_none()
        };
        let mut siblings: HashMap<(Transport, u16), Port> = HashMap::new();
        for listener in listeners.iter().filter(|listener| survives(listener)) {
            if let Some((place, family)) = place(listener) {
                let hostnames = siblings.entry(place).or_default().entry(family).or_default();
                hostnames.insert(listener.hostname.as_ref());
            }
        }
        for listener in listeners.iter_mut().filter(|listener| survives(listener)) {
            let Some((place, family)) = place(listener) else { continue };
            let hostname = listener.hostname.clone();
            listener.state.conflict = self.conflict(&siblings[&place], family, hostname.as_ref(), true);
        }

        for listener in listeners.iter().filter(|listener| survives(listener)) {
            if let Some((place, family)) = place(listener) {
                let hostnames = self.ports.entry(place).or_default().entry(family).or_default();
                hostnames.insert(listener.hostname.as_ref());
            }
        }
    }

    /// The conflict of a listener with those on a port; `known` says that it is among them itself.
    fn conflict(
        &self,
        port: &Port,
        family: Family,
        hostname: Option<&Hostname>,
        known: bool,
    ) -> Option<Conflict> {
        let mut found = None;
        for (other, hostnames) in port {
            let known = known && *other == family;
            match apart(family, *other, self.mixed_modes) {
                Apart::Hostname if hostnames.count(hostname) > usize::from(known) => {
                    found = Some(Conflict::Hostname)
                }
                Apart::Never if hostnames.len() > usize::from(known) => found = Some(Conflict::Hostname),
                Apart::Hosts if hostnames.overlap(hostname, false) => found = Some(Conflict::Hostname),
                // No hostname would help, so this is what has to be said first.
                Apart::Protocol => return Some(Conflict::Protocol),
                Apart::TlsMode => return Some(Conflict::TlsMode),
                Apart::Hostname | Apart::Never | Apart::Hosts => {}
            }
        }
        found
    }
}

/// Marks the listeners that terminate TLS for hosts for which another listener on the port does too.
///
/// # Spec
/// GWT-12
pub(super) fn mark_overlapping(listeners: &mut [&mut AttachedListener]) {
    let terminates_tls = |listener: &AttachedListener| {
        listener.state.refusal.is_none()
            && listener.state.conflict.is_none()
            && listener.protocol.terminates_tls()
    };
    let mut ports: HashMap<u16, Hostnames> = HashMap::new();
    for listener in listeners.iter().filter(|listener| terminates_tls(listener)) {
        ports.entry(listener.port).or_default().insert(listener.hostname.as_ref());
    }
    for listener in listeners.iter_mut().filter(|listener| terminates_tls(listener)) {
        listener.state.overlapping = ports[&listener.port].overlap(listener.hostname.as_ref(), true);
    }
}

fn apart(one: Family, other: Family, mixed_modes: bool) -> Apart {
    use Family::*;
    match (one, other) {
        (Http, Http) | (Https, Https) => Apart::Hostname,
        (TlsTerminate, TlsTerminate) | (TlsPassthrough, TlsPassthrough) => Apart::Hostname,
        (TlsTerminate, TlsPassthrough) | (TlsPassthrough, TlsTerminate) if mixed_modes => Apart::Hostname,
        (TlsTerminate, TlsPassthrough) | (TlsPassthrough, TlsTerminate) => Apart::TlsMode,
        (Https, TlsTerminate | TlsPassthrough) | (TlsTerminate | TlsPassthrough, Https) => Apart::Hosts,
        (Tcp, Tcp) | (Udp, Udp) => Apart::Never,
        (Http, Https | TlsTerminate | TlsPassthrough) | (Https | TlsTerminate | TlsPassthrough, Http) => {
            Apart::Protocol
        }
        (Tcp, Http | Https | TlsTerminate | TlsPassthrough) => Apart::Protocol,
        (Http | Https | TlsTerminate | TlsPassthrough, Tcp) => Apart::Protocol,
        // Another transport is another port, so that these never meet.
        (Udp, Http | Https | TlsTerminate | TlsPassthrough | Tcp) => Apart::Protocol,
        (Http | Https | TlsTerminate | TlsPassthrough | Tcp, Udp) => Apart::Protocol,
    }
}

/// Where a listener would stand; nowhere if it has no port or its protocol is not known.
fn place(listener: &AttachedListener) -> Option<((Transport, u16), Family)> {
    let family = match &listener.protocol {
        Protocol::Http => Family::Http,
        Protocol::Https => Family::Https,
        Protocol::Tls(TlsModeType::Terminate) => Family::TlsTerminate,
        Protocol::Tls(TlsModeType::Passthrough) => Family::TlsPassthrough,
        Protocol::Tcp => Family::Tcp,
        Protocol::Udp => Family::Udp,
        Protocol::Tls(TlsModeType::Unknown(_)) | Protocol::Other(_) => return None,
    };
    let port = listener.port;
    (port != 0).then_some(((listener.protocol.transport(), port), family))
}
