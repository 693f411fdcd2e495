//! All Gateways of this controller: who comes first, and what that leaves for the others.

use std::collections::BTreeMap;

use super::address::{Addresses, TakenPorts};
use super::allowed_routes::{AllowedNamespaces, Namespaces};
use super::certificate_ref::Certificates;
use super::client_validation::ClientValidations;
use super::distinct::{Places, mark_overlapping};
use super::finding::Finding;
use super::gateway::{self, AttachedGateway, GatewayDraft};
use super::gateway_class::{self, AttachedGatewayClass};
use super::listener::{AttachedListener, ListenerKey};
use super::listener_draft::{Draft, Owner};
use super::listener_set::{self, AttachedListenerSet, SetDraft};
use super::lookups::Lookups;
use super::options::{Address, Options};
use super::reference_grant::Grants;
use crate::api::{self, Gateway, ListenerNamespaces, ListenerSet, ObjectMeta};
use crate::condition::Reason;
use crate::feature::Feature;
use crate::name::{Age, ListenerOwnerKind, ObjectName};
use crate::validate::{Valid, Validated};

/// Everything of ours that holds listeners.
#[derive(Clone, Debug, Default)]
pub struct Gateways {
    /// The GatewayClasses of this controller.
    pub classes: BTreeMap<ObjectName, AttachedGatewayClass>,
    /// The Gateways of these classes.
    pub gateways: BTreeMap<ObjectName, AttachedGateway>,
    /// The ListenerSets of these Gateways.
    pub listener_sets: BTreeMap<ObjectName, AttachedListenerSet>,
    /// What was asked for on the way: Secrets and ConfigMaps.
    pub lookups: Lookups,
    listener_count: usize,
}

/// Attaches classes, Gateways and ListenerSets, and judges every listener.
///
/// The cost grows with the number of listeners; how many share a port or a hostname makes no difference.
///
/// # Spec
/// GEN-10: what does not lead to a class of ours is left out. LST-06, LST-07, GC-14.
pub fn gateways(valid: &Validated, grants: &Grants<'_>, options: &Options) -> Gateways {
    let namespaces = Namespaces::new(&valid.namespaces);
    let mut sets = match options.supports(Feature::ListenerSet) {
        true => listener_set::by_gateway(&valid.listener_sets),
        false => Default::default(),
    };
    let mut attaching = Attaching {
        options,
        namespaces,
        certificates: Certificates::new(&valid.secrets, &valid.config_maps, grants),
        taken: TakenPorts::default(),
        found: Gateways {
            classes: gateway_class::attach(&valid.gateway_classes, options),
            ..Gateways::default()
        },
    };
    let mut oldest_first: Vec<_> = valid
        .gateways
        .iter()
        .filter(|(_, gateway)| attaching.found.classes.contains_key(&class_of(gateway)))
        .map(|(key, gateway)| (age(&gateway.metadata, key), key, gateway))
        .collect();
    oldest_first.sort_by(|(a, ..), (b, ..)| a.cmp(b));
    for (_, key, gateway) in oldest_first {
        attaching.gateway(key, gateway, sets.remove(key).unwrap_or_default());
    }
    let Attaching { certificates, mut found, .. } = attaching;
    found.lookups = certificates.lookups;
    found
}

/// What is at hand while Gateways are attached, oldest first.
struct Attaching<'a> {
    options: &'a Options,
    namespaces: Namespaces<'a>,
    certificates: Certificates<'a>,
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

pub(super) fn age(metadata: &ObjectMeta, name: &ObjectName) -> Age {
    let created = metadata.creation_timestamp.as_ref().and_then(|created| created.unix_seconds());
    Age::new(created, name)
}

fn class_of(gateway: &Gateway) -> ObjectName {
    ObjectName::cluster(gateway.spec.gateway_class_name.as_str())
}

/// In one sentence, which listeners are not valid and which are; nothing if all are.
///
/// # Spec
/// GWL-10
pub(super) fn summary(drafts: &[Draft]) -> Option<String> {
    let mut bad = Vec::new();
    let mut good = Vec::new();
    for draft in drafts {
        let name = &draft.listener.name;
        match draft.defect() {
            Some(reason) => bad.push(format!("{name} ({reason})")),
            None => good.push(&**name),
        }
    }
    if drafts.is_empty() {
        return Some("there is no listener".to_owned());
    }
    if bad.is_empty() {
        return None;
    }
    let good = if good.is_empty() { "none".to_owned() } else { good.join(", ") };
    Some(format!("listeners that are not valid: {}; valid: {good}", bad.join(", ")))
}

// === impl Attaching ===

impl<'a> Attaching<'a> {
    fn gateway(
        &mut self,
        key: &ObjectName,
        object: &Valid<Gateway>,
        sets: Vec<(&'a ObjectName, &'a Valid<ListenerSet>)>,
    ) {
        let spec = &object.spec;
        let name = key.clone();
        let addresses = Addresses::new(key, &spec.addresses, &self.options.addresses);
        let frontend = spec.tls.as_ref().and_then(|tls| tls.frontend.as_ref());
        let validations =
            ClientValidations::new(frontend, gateway::referrer(&name), &mut self.certificates, self.options);
        let insecure = validations.is_insecure();
        let mut site = Site {
            addresses: addresses.addresses.clone(),
            validations,
            places: Places::new(self.options.supports(Feature::TlsRouteModeMixed)),
            listeners: 0,
        };
        let owner = Owner { gateway: &name, kind: ListenerOwnerKind::Gateway, name: &name };
        let drafts = self.listeners(&spec.listeners, owner, &mut site, None);

        let refusal = self.class_refusal(object).or_else(|| gateway::parameters(object));
        let mut draft = GatewayDraft {
            object: object.arc().clone(),
            refusal: refusal.or_else(|| addresses.refusal.clone()),
            unresolved: gateway::client_certificate(object, &name, &mut self.certificates),
            name,
            addresses,
            insecure,
            drafts,
        };
        let mut set_drafts = Vec::with_capacity(sets.len());
        for (set_key, set) in sets {
            let refusal = self.set_refusal(&draft, set_key);
            let set_name = set_key.clone();
            let owner = Owner { gateway: &draft.name, kind: ListenerOwnerKind::ListenerSet, name: &set_name };
            let drafts = self.listeners(&set.spec.listeners, owner, &mut site, refusal.as_ref());
            set_drafts.push(SetDraft { key: set_key, object: set, name: set_name, refusal, drafts });
        }
        let of_sets = set_drafts.iter_mut().flat_map(|set| &mut set.drafts);
        mark_overlapping(&mut draft.drafts.iter_mut().chain(of_sets).collect::<Vec<_>>());
        self.finish(key, draft, set_drafts);
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
    ) -> Vec<Draft> {
        let mut drafts = Vec::with_capacity(written.len());
        for listener in written {
            let key = ListenerKey(self.found.listener_count as u32);
            self.found.listener_count += 1;
            drafts.push(Draft::new(listener, owner, key, &mut self.certificates, self.options));
        }
        if let Some(Finding { message, .. }) = refusal {
            drafts.iter_mut().for_each(|draft| draft.refuse(Finding::new(Reason::Invalid, message.as_str())));
            return drafts;
        }
        for draft in &mut drafts {
            site.listeners += 1;
            if site.listeners > self.options.max_listeners {
                let message = format!(
                    "the Gateway has {} listeners already, with those of its ListenerSets; remove some",
                    self.options.max_listeners
                );
                draft.refuse(Finding::new(Reason::TooManyListeners, message));
            }
        }
        site.places.admit(&mut drafts);
        for draft in &mut drafts {
            draft.check_clients(&site.validations);
            let listener = &draft.listener;
            if self.taken.contains(&site.addresses, listener.protocol.transport(), listener.port) {
                let message = format!(
                    "port {} is taken on an address of this Gateway, by another one; use another port or another address",
                    listener.port
                );
                draft.refuse(Finding::new(Reason::PortUnavailable, message));
            }
        }
        drafts
    }

    /// # Spec
    /// GC-14
    fn class_refusal(&self, gateway: &Gateway) -> Option<Finding> {
        let class = &self.found.classes[&class_of(gateway)];
        (!class.is_accepted()).then(|| {
            let message =
                format!("GatewayClass {} is not accepted; see its status", gateway.spec.gateway_class_name);
            Finding::new(Reason::Invalid, message)
        })
    }

    /// Why a ListenerSet contributes nothing to its Gateway.
    ///
    /// # Spec
    /// LST-01 to LST-05.
    fn set_refusal(&self, gateway: &GatewayDraft, set: &ObjectName) -> Option<Finding> {
        let allowed = gateway.object.spec.allowed_listeners.as_ref().is_some_and(|allowed| {
            let ListenerNamespaces { from, selector } = &allowed.namespaces;
            AllowedNamespaces::new(from, selector.as_ref(), &gateway.name.namespace)
                .admits(&set.namespace, &self.namespaces)
        });
        if !allowed {
            let message = "the Gateway does not let ListenerSets of this namespace attach; ask its owner to allow the \
                           namespace in spec.allowedListeners";
            Some(Finding::new(Reason::NotAllowed, message))
        } else if !gateway.is_accepted() {
            let message = "the Gateway is not accepted; nothing is served until it is";
            Some(Finding::new(Reason::ParentNotAccepted, message))
        } else {
            None
        }
    }

    fn finish(&mut self, key: &ObjectName, gateway: GatewayDraft, sets: Vec<SetDraft<'_>>) {
        let waiting = gateway.waiting();
        let attached = sets.iter().filter(|set| set.is_accepted()).count();
        let name = gateway.name.clone();
        let gateway = gateway.finish(attached > 0, attached);
        let own = gateway.listeners.iter();
        let sets: Vec<_> =
            sets.into_iter().map(|set| (set.key.clone(), set.finish(&name, waiting))).collect();
        let of_sets = sets.iter().flat_map(|(_, set)| &set.listeners);
        // A listener that lacks a certificate keeps its port, one whose Gateway is not served does not.
        if waiting.is_none() {
            for listener in own.chain(of_sets).filter(|listener| listener.is_accepted()) {
                self.taken.take(&gateway.addresses, listener.protocol.transport(), listener.port);
            }
        }
        self.found.gateways.insert(key.clone(), gateway);
        self.found.listener_sets.extend(sets);
    }
}

// === impl Gateways ===

impl Gateways {
    /// How many listeners there are; every [`ListenerKey`] is below.
    pub fn listener_count(&self) -> usize {
        self.listener_count
    }

    /// Every listener: of each Gateway its own ones, then those of the ListenerSets.
    pub fn listeners(&self) -> impl Iterator<Item = &AttachedListener> {
        let own = self.gateways.values().flat_map(|gateway| &gateway.listeners);
        own.chain(self.listener_sets.values().flat_map(|set| &set.listeners))
    }
}
