//! Everything attached: the listeners, the routes at them, and the backends that the routes lead to.

use super::allowed_routes::Namespaces;
use super::backend_ref::Backends;
use super::http_route::{AttachedHttpRoute, http_routes};
use super::listener::ListenerKey;
use super::options::Options;
use super::reference_grant::Grants;
use super::{Gateways, gateways};
use crate::rule::Backend;
use crate::validate::Validated;

/// What the statuses are read from and the table is compiled from.
#[derive(Debug)]
pub struct Attached {
    /// The classes, Gateways and ListenerSets.
    pub gateways: Gateways,
    /// The HTTPRoutes with a parent of ours.
    pub http_routes: Vec<AttachedHttpRoute>,
    /// The backends that rules and mirrors lead to; a rule names them by position.
    pub backends: Vec<Backend>,
}

/// Attaches what is valid.
pub fn attach(valid: &Validated, options: &Options) -> Attached {
    let grants = Grants::new(&valid.reference_grants);
    let gateways = gateways(valid, &grants, options);
    let namespaces = Namespaces::new(&valid.namespaces);
    let mut backends =
        Backends::new(&valid.services, &valid.endpoint_slices, &valid.backend_tls_policies, &grants);
    let extensions = options.extensions.as_deref();
    let http_routes = http_routes(&valid.http_routes, &gateways, &namespaces, &mut backends, extensions);
    Attached { gateways, http_routes, backends: backends.into_backends() }
}

// === impl Attached ===

impl Attached {
    /// The number of routes that each listener counts: those that it lets in and whose parent accepts them.
    ///
    /// # Spec
    /// GWK-09 to GWK-12: a route counts once for a listener, whatever state the listener is in.
    pub fn attached_routes(&self) -> Vec<usize> {
        let mut counts = vec![0; self.gateways.listener_count()];
        for route in &self.http_routes {
            let mut listeners: Vec<ListenerKey> = route
                .accepting_parents()
                .flat_map(|parent| parent.listeners.iter().flatten())
                .map(|attached| attached.listener)
                .collect();
            listeners.sort_unstable();
            listeners.dedup();
            for listener in listeners {
                counts[listener.index()] += 1;
            }
        }
        counts
    }
}
