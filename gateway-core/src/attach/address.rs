//! Which addresses a Gateway has, and who has a port of them.
//!
//! # Spec
//! GWA-01 to GWA-07, GWL-13, GWL-16, ADR-01, ADR-04.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::api::{AddressType, GatewaySpecAddress};
use crate::condition::Reason;
use crate::finding::Finding;
use crate::name::ObjectName;
use crate::options::{Address, AddressPolicy, DefaultAddresses};
use crate::table::{Transport, Unbound, UnboundCause};

/// The addresses of a Gateway, and what is wrong with those that it asks for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Addresses {
    /// The addresses, each once.
    pub(crate) addresses: Vec<Address>,
    /// Whether it can be reached: at these addresses, or at some that are known elsewhere.
    pub(crate) reachable: bool,
    /// Why the Gateway is not accepted.
    pub(crate) refusal: Option<Finding>,
    /// Why it is not programmed.
    pub(crate) obstacle: Option<Finding>,
    /// Why the data plane has not programmed it at all addresses.
    pub(crate) unbound: Option<Finding>,
    /// The addresses that the machine turned out not to have.
    pub(crate) missing: Vec<IpAddr>,
    /// The addresses at which others hold all of its ports.
    pub(super) lost: Vec<IpAddr>,
    /// The entries of `spec.addresses` that led to no address.
    unsatisfied: BTreeSet<usize>,
}

/// The ports that are taken by Gateways, address by address.
///
/// An unspecified address stands for every address of its family.
#[derive(Debug, Default)]
pub(super) struct TakenPorts {
    taken: HashMap<(Transport, u16), HashSet<Address>>,
}

// === impl Addresses ===

impl Addresses {
    /// The addresses of the Gateway with this key, which asks for those in `wanted`.
    ///
    /// One address that cannot be used does not take the others away: the condition says what is wrong, and the Gateway
    /// goes on at those that can. An address that must be reachable from somewhere in particular is none that is known
    /// here, and no other takes its place.
    pub(super) fn new(key: &ObjectName, wanted: &[GatewaySpecAddress], policy: &AddressPolicy) -> Self {
        let mut found = Self::default();
        if wanted.is_empty() {
            found.assign(key, policy);
        }
        for (index, GatewaySpecAddress { r#type, value, routability }) in wanted.iter().enumerate() {
            if let Some(scope) = routability.as_deref().filter(|scope| !scope.is_empty()) {
                found.unroutable(index, scope);
                continue;
            }
            let value = value.as_deref().filter(|value| !value.is_empty());
            match (r#type, value) {
                (AddressType::IpAddress, None) => {
                    if !found.assign(key, policy) {
                        found.unsatisfied.insert(index);
                    }
                }
                (AddressType::IpAddress, Some(value)) => match value.parse::<IpAddr>() {
                    Ok(address) if policy.usable.contains(address) => found.add(Address::Ip(address)),
                    Ok(_) => {
                        found.unusable(index, value, "cannot be used here; ask for another, or for none")
                    }
                    Err(_) => found.unusable(index, value, "is not an IP address"),
                },
                (AddressType::Hostname, _) if policy.hostnames.is_empty() => found.unsupported(index, r#type),
                (AddressType::Hostname, None) => {
                    found.unsatisfied.insert(index);
                    found.unassigned("no host name is assigned to this Gateway; name one")
                }
                (AddressType::Hostname, Some(value)) if policy.hostnames.contains(value) => {
                    found.add(Address::Hostname(value.to_owned()))
                }
                (AddressType::Hostname, Some(value)) => {
                    found.unusable(index, value, "cannot be used here; ask for another, or for none")
                }
                (AddressType::NamedAddress | AddressType::Unknown(_), _) => found.unsupported(index, r#type),
            }
        }
        found
    }

    /// The addresses to bind, as far as they are IP addresses.
    pub(crate) fn to_bind(&self) -> impl Iterator<Item = IpAddr> {
        self.addresses.iter().filter_map(|address| match address {
            Address::Ip(address) => Some(*address),
            Address::Hostname(_) => None,
        })
    }

    /// The addresses at which it can be reached, as far as they are known one by one. What answers where others hold all of
    /// its ports is not this Gateway.
    ///
    /// # Spec
    /// GWA-01, GWL-13.
    pub(crate) fn shown(&self) -> Vec<Address> {
        let is_shown = |address: &&Address| match address {
            Address::Ip(address) => self.is_its_own(*address),
            Address::Hostname(_) => true,
        };
        self.addresses.iter().filter(is_shown).cloned().collect()
    }

    /// The addresses at which it is bound, as far as they are its own: what stands in front of it can lead there.
    ///
    /// # Spec
    /// GWA-09
    pub(crate) fn behind(&self) -> Vec<IpAddr> {
        self.to_bind().filter(|address| self.is_its_own(*address)).collect()
    }

    fn is_its_own(&self, address: IpAddr) -> bool {
        !address.is_unspecified() && !self.missing.contains(&address) && !self.lost.contains(&address)
    }

    /// Notes what could not be bound for want of the address.
    ///
    /// # Spec
    /// GWA-03
    pub(super) fn note_missing(&mut self, wanted: &[GatewaySpecAddress], unbound: &[&Unbound]) {
        let missing = unbound.iter().filter(|unbound| unbound.cause == UnboundCause::Address);
        self.missing = missing.clone().map(|unbound| unbound.address).collect();
        self.missing.dedup();
        self.unbound = missing.clone().next().map(|unbound| {
            let is_this = |wanted: &GatewaySpecAddress| {
                wanted.value.as_deref().and_then(|value| value.parse().ok()) == Some(unbound.address)
            };
            let field = match wanted.iter().position(is_this) {
                Some(index) => format!("spec.addresses[{index}].value"),
                None => "spec.addresses".to_owned(),
            };
            let missing: Vec<_> = self.missing.iter().map(ToString::to_string).collect();
            let message = format!(
                "{field}: cannot be bound at {}: {}; ask for an address of this machine, or for none",
                missing.join(", "),
                unbound.message
            );
            Finding::new(field, Reason::AddressNotUsable, message)
        });
    }

    /// The entries of `spec.addresses` that led to no address, or to one that could not be bound.
    ///
    /// # Spec
    /// ADR-04
    pub(crate) fn unsatisfied(&self, wanted: &[GatewaySpecAddress]) -> Vec<usize> {
        let is_missing = |address: &GatewaySpecAddress| {
            let value = address.value.as_deref().and_then(|value| value.parse().ok());
            value.is_some_and(|value| self.missing.contains(&value))
        };
        let entries = wanted.iter().enumerate();
        let unsatisfied =
            entries.filter(|(index, address)| self.unsatisfied.contains(index) || is_missing(address));
        unsatisfied.map(|(index, _)| index).collect()
    }

    /// Adds an address that the embedding chose; whether there is one.
    fn assign(&mut self, key: &ObjectName, policy: &AddressPolicy) -> bool {
        let addresses = match (policy.assigned.get(key), &policy.default) {
            (Some(assigned), _) => assigned,
            (None, DefaultAddresses::Shared(addresses)) => addresses,
            (None, DefaultAddresses::Virtual) => {
                self.reachable = true;
                return true;
            }
        };
        if addresses.is_empty() {
            self.unassigned(
                "no address is left for this Gateway; ask for one in spec.addresses, or free one",
            );
        }
        for address in addresses {
            self.add(Address::Ip(*address));
        }
        !addresses.is_empty()
    }

    fn add(&mut self, address: Address) {
        self.reachable = true;
        if !self.addresses.contains(&address) {
            self.addresses.push(address);
        }
    }

    /// # Spec
    /// ADR-01: a value that is not known is one that cannot be met.
    fn unroutable(&mut self, index: usize, scope: &str) {
        self.unsatisfied.insert(index);
        let field = format!("spec.addresses[{index}].routability");
        let message =
            format!("{field} {scope:?} cannot be met here; leave it out for an address of any reach");
        self.obstacle.get_or_insert_with(|| Finding::new(field, Reason::AddressNotAssigned, message));
    }

    fn unsupported(&mut self, index: usize, r#type: &AddressType) {
        self.unsatisfied.insert(index);
        let message = format!("spec.addresses[{index}].type {:?} is not supported", r#type.as_str());
        self.refusal.get_or_insert_with(|| {
            Finding::new(format!("spec.addresses[{index}].type"), Reason::UnsupportedAddress, message)
        });
    }

    fn unusable(&mut self, index: usize, value: &str, why: &str) {
        self.unsatisfied.insert(index);
        let message = format!("spec.addresses[{index}].value {value:?} {why}");
        match &mut self.obstacle {
            Some(finding) if finding.reason == Reason::AddressNotUsable => {
                finding.message = format!("{}; {message}", finding.message);
            }
            Some(_) | None => {
                self.obstacle = Some(Finding::new(
                    format!("spec.addresses[{index}].value"),
                    Reason::AddressNotUsable,
                    message,
                ))
            }
        }
    }

    fn unassigned(&mut self, message: &str) {
        self.obstacle
            .get_or_insert_with(|| Finding::new("spec.addresses", Reason::AddressNotAssigned, message));
    }
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
