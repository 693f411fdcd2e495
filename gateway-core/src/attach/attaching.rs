//! Gateways attached one after the other: who comes first, and what that leaves for the others.

use std::sync::Arc;

use super::address::Addresses;
use super::allowed_routes::{AllowedNamespaces, Namespaces};
use super::client_validation::ClientValidations;
use super::conflict::Conflict;
use super::distinct::{Places, mark_overlapping};
use super::gateway::{self, AttachedGateway};
use super::gateway_class::{self};
use super::gateways::Gateways;
use super::listener::{AttachedListener, ListenerKey};
use super::listener_set::{self, AttachedListenerSet};
use super::protocol::Protocol;
use super::taken_ports::TakenPorts;
use super::written_listener::Owner;
use crate::api::{self, Gateway, ListenerNamespaces, ListenerSet};
use crate::condition::Reason;
use crate::feature::Feature;
use crate::finding::Finding;
use crate::name::{ListenerOwnerKind, ObjectName};
use crate::options::{Address, Options};
use crate::resolve::Certificates;
use crate::validate::{Valid, Validated};

/// Attaches classes, Gateways and ListenerSets, and judges every listener.
///
/// The cost grows with the number of listeners; how many share a port or a hostname makes no difference.
///
/// # Spec
/// GEN-10: what does not lead to a class of ours is left out. LST-06, LST-07, GC-14.
pub(crate) fn gateways(
    valid: &Validated,
    namespaces: &Namespaces,
    certificates: &mut Certificates<'_>,
    options: &Options,
) -> Gateways {
    let mut sets = match options.supports(Feature::ListenerSet) {
        true => listener_set::by_gateway(&valid.listener_sets),
        false => Default::default(),
    };
    let mut attaching = Attaching {
        options,
        namespaces,
        certificates,
        taken: TakenPorts::default(),
        found: Gateways {
            classes: gateway_class::attach(&valid.gateway_classes, options),
            route_kinds: Protocol::all_route_kinds(options),
            ..Gateways::default()
        },
    };
    let mut oldest_first = Vec::with_capacity(valid.gateways.len());
    for (key, gateway) in &valid.gateways {
        let class = class_of(gateway);
        let is_there = valid.gateway_classes.contains_key(&class);
        // Where every class is ours, so is one that is not written.
        if attaching.found.classes.contains_key(&class) || options.any_class && !is_there {
            oldest_first.push((gateway.metadata.age(key), key, gateway));
        } else if !is_there {
            attaching.found.without_class.push((key.clone(), gateway.spec.gateway_class_name.clone()));
        }
    }
    oldest_first.sort_by(|(a, ..), (b, ..)| a.cmp(b));
    for (_, key, gateway) in oldest_first {
        attaching.gateway(key, gateway, sets.remove(key).unwrap_or_default());
    }
    let mut found = attaching.found;
    found.note_lost_addresses();
    found
}

/// What is at hand while Gateways are attached, oldest first.
struct Attaching<'a, 'c> {
    options: &'a Options,
    namespaces: &'a Namespaces,
    certificates: &'a mut Certificates<'c>,
    taken: TakenPorts,
    found: Gateways,
}

/// What the listeners of one Gateway share.
struct Site {
    addresses: Vec<Address>,
    validations: ClientValidations,
    places: Places,
    /// How many listeners there are so far.
    listeners: usize,
}

fn class_of(gateway: &Gateway) -> ObjectName {
    ObjectName::cluster(gateway.spec.gateway_class_name.as_str())
}

// === impl Attaching ===

impl<'a> Attaching<'a, '_> {
    fn gateway(
        &mut self,
        key: &ObjectName,
        object: &Valid<Gateway>,
        sets: Vec<(&'a ObjectName, &'a Valid<ListenerSet>)>,
    ) {
        let spec = &object.spec;
        let name = key.clone();
        let addresses = Addresses::new(key, &spec.addresses, self.options);
        let frontend = spec.tls.as_ref().and_then(|tls| tls.frontend.as_ref());
        let validations =
            ClientValidations::new(frontend, gateway::referrer(&name), self.certificates, self.options);
        let insecure = validations.is_insecure();
        let mut site = Site {
            addresses: addresses.addresses.clone(),
            validations,
            places: Places::new(self.options.supports(Feature::TlsRouteModeMixed)),
            listeners: 0,
        };
        let owner = Owner { gateway: &name, kind: ListenerOwnerKind::Gateway, name: &name };
        let listeners = self.listeners(&spec.listeners, owner, &mut site, None);

        let refusal = self.class_refusal(object).or_else(|| gateway::parameters(object));
        let mut gateway = AttachedGateway {
            object: object.arc().clone(),
            controller: self.controller(object),
            refusal: refusal.or_else(|| addresses.refusal.clone()),
            client_certificate: gateway::client_certificate(object, &name, self.certificates),
            addresses,
            insecure,
            listeners,
            attached_listener_sets: 0,
        };
        let waiting = gateway.waiting();
        let mut attached_sets = Vec::with_capacity(sets.len());
        for (set_key, set) in sets {
            let refusal = self.set_refusal(&gateway, &name, set_key);
            let owner = Owner { gateway: &name, kind: ListenerOwnerKind::ListenerSet, name: set_key };
            let listeners = self.listeners(&set.spec.listeners, owner, &mut site, refusal.as_ref());
            let controller = gateway.controller.clone();
            let (object, gateway) = (set.arc().clone(), name.clone());
            let set = AttachedListenerSet { object, gateway, controller, refusal, waiting, listeners };
            attached_sets.push((set_key.clone(), set));
        }
        gateway.attached_listener_sets = attached_sets.iter().filter(|(_, set)| set.is_accepted()).count();
        let of_sets = attached_sets.iter_mut().flat_map(|(_, set)| &mut set.listeners);
        let mut all: Vec<_> = gateway.listeners.iter_mut().chain(of_sets).collect();
        mark_overlapping(&mut all);
        for listener in all {
            listener.state.waiting = waiting;
            // A listener that lacks a certificate keeps its port, one whose Gateway is not served does not.
            if waiting.is_none() && listener.state.is_accepted() {
                self.taken.take(&gateway.addresses.addresses, listener.protocol.transport(), listener.port);
            }
        }
        self.found.gateways.insert(key.clone(), gateway);
        self.found.listener_sets.extend(attached_sets);
    }

    /// Judges the listeners of one object, and gives them their places, unless the object is refused.
    ///
    /// What the Gateway is like is no business of an object that it does not let attach (GEN-17).
    fn listeners(
        &mut self,
        written: &[api::Listener],
        owner: Owner<'_>,
        site: &mut Site,
        refusal: Option<&Finding>,
    ) -> Vec<AttachedListener> {
        let mut listeners = Vec::with_capacity(written.len());
        for listener in written {
            let key = ListenerKey(self.found.listener_count as u32);
            self.found.listener_count += 1;
            listeners.push(AttachedListener::judge(listener, owner, key, self.certificates, self.options));
        }
        if let Some(Finding { message, .. }) = refusal {
            let refused = Finding::whole(Reason::Invalid, message.as_str());
            listeners.iter_mut().for_each(|listener| listener.state.refuse(refused.clone()));
            return listeners;
        }
        for listener in &mut listeners {
            site.listeners += 1;
            if site.listeners > self.options.max_listeners {
                let message = format!(
                    "the Gateway has {} listeners already, with those of its ListenerSets; remove some",
                    self.options.max_listeners
                );
                listener.state.refuse(Finding::whole(Reason::TooManyListeners, message));
            }
        }
        site.places.admit(&mut listeners);
        for listener in &mut listeners {
            // Nothing could attach that would be served the moment the mode changes.
            if listener.state.conflict == Some(Conflict::TlsMode) {
                listener.kinds.clear();
            }
            listener.check_clients(&site.validations);
            if self.taken.contains(&site.addresses, listener.protocol.transport(), listener.port) {
                let message = format!(
                    "port {} is taken on an address of this Gateway, by another one; use another port or another address",
                    listener.port
                );
                listener.state.refuse(Finding::new("port", Reason::PortUnavailable, message));
            }
        }
        listeners
    }

    /// The controller that the class asks for, which is ours under whatever name; our own without a class.
    fn controller(&self, gateway: &Gateway) -> Arc<str> {
        let class = self.found.classes.get(&class_of(gateway));
        class
            .map_or(&self.options.controller_name, |class| &class.object.spec.controller_name)
            .as_str()
            .into()
    }

    /// # Spec
    /// GC-14
    fn class_refusal(&self, gateway: &Gateway) -> Option<Finding> {
        let class = self.found.classes.get(&class_of(gateway))?;
        class.refusal.is_some().then(|| {
            let message =
                format!("GatewayClass {} is not accepted; see its status", gateway.spec.gateway_class_name);
            Finding::new("spec.gatewayClassName", Reason::Invalid, message)
        })
    }

    /// Why a ListenerSet contributes nothing to its Gateway.
    ///
    /// # Spec
    /// LST-01 to LST-05.
    fn set_refusal(&self, gateway: &AttachedGateway, name: &ObjectName, set: &ObjectName) -> Option<Finding> {
        let allowed = gateway.object.spec.allowed_listeners.as_ref().is_some_and(|allowed| {
            let ListenerNamespaces { from, selector } = &allowed.namespaces;
            AllowedNamespaces::new(from, selector.as_ref(), &name.namespace)
                .admits(&set.namespace, self.namespaces)
        });
        if !allowed {
            let message = "the Gateway does not let ListenerSets of this namespace attach; ask its owner to allow the \
                           namespace in spec.allowedListeners";
            Some(Finding::new("spec.parentRef", Reason::NotAllowed, message))
        } else if !gateway.is_accepted() {
            let message = "the Gateway is not accepted; nothing is served until it is";
            Some(Finding::new("spec.parentRef", Reason::ParentNotAccepted, message))
        } else {
            None
        }
    }
}
