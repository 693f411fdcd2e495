//! The addresses of a Gateway.
//!
//! # Spec
//! [GWA-01](crate::spec#GWA-01) to [GWA-07](crate::spec#GWA-07), [GWL-13](crate::spec#GWL-13), [GWL-16](crate::spec#GWL-16),
//! [ADR-01](crate::spec#ADR-01) to [ADR-05](crate::spec#ADR-05).

use std::collections::BTreeSet;
use std::net::IpAddr;

use crate::api::{AddressType, GatewaySpecAddress};
use crate::condition::Reason;
use crate::feature::Feature;
use crate::finding::Finding;
use crate::name::ObjectName;
use crate::options::{Address, AddressPolicy, CLUSTER, Options, SENTINEL};
use crate::table::{Unbound, UnboundCause};

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
    /// Whether it is said of each address from where it can be reached.
    says_reach: bool,
    /// The addresses that were asked for with a routability that promises nothing.
    sentinels: Vec<Address>,
    /// The cluster IPs that were asked for, with the entries; what stands behind them is bound.
    cluster: Vec<(usize, IpAddr)>,
    /// The addresses that are bound and not shown, because nothing but a cluster IP was asked for.
    hidden: Vec<Address>,
}

/// From where an address is to be reached.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// No matter from where.
    Any,
    /// What this says promises nothing.
    Sentinel,
    /// From within the cluster.
    Cluster,
}

// === impl Addresses ===

impl Addresses {
    /// The addresses of the Gateway with this key, which asks for those in `wanted`.
    ///
    /// One address that cannot be used does not take the others away: the condition says what is wrong, and the Gateway
    /// goes on at those that can. Each entry has an address of its own, which is reached from where the entry asks for; one that
    /// asks for what is not known here has none, and no other takes its place.
    pub(super) fn new(key: &ObjectName, wanted: &[GatewaySpecAddress], options: &Options) -> Self {
        let policy = &options.addresses;
        let mut found =
            Self { says_reach: options.supports(Feature::GatewayAddressRoutability), ..Self::default() };
        let candidates = policy.candidates(key);
        if wanted.is_empty() {
            found.assign_all(candidates);
            return found;
        }
        let of_cluster =
            policy.cluster.as_ref().filter(|_| options.supports(Feature::GatewayAddressRoutabilityCluster));
        let of_cluster = of_cluster.map(|all| all.get(key).map_or(&[][..], Vec::as_slice));
        // Who names an address goes before those who leave the choice, whatever the order of the list.
        for named in [true, false] {
            for (index, entry) in wanted.iter().enumerate() {
                let value = entry.value.as_deref().filter(|value| !value.is_empty());
                if value.is_some() != named {
                    continue;
                }
                match (found.reach(entry), &entry.r#type) {
                    (Some(Reach::Cluster), AddressType::IpAddress) if of_cluster.is_some() => {
                        found.in_cluster(index, value, of_cluster.unwrap_or_default());
                    }
                    (Some(reach @ (Reach::Any | Reach::Sentinel)), r#type) => {
                        let before = found.addresses.len();
                        found.take(index, r#type, value, candidates, policy);
                        if reach == Reach::Sentinel && found.addresses.len() > before {
                            found.sentinels.extend(found.addresses.last().cloned());
                        }
                    }
                    (_, _) => found.unroutable(index, entry.routability.as_deref().unwrap_or_default()),
                }
            }
        }
        if !found.cluster.is_empty() && found.to_bind().next().is_none() {
            found.stand_behind(candidates);
        }
        found
    }

    /// From where an entry has to be reached, as far as that is known here.
    fn reach(&self, entry: &GatewaySpecAddress) -> Option<Reach> {
        match entry.routability.as_deref().unwrap_or_default() {
            "" => Some(Reach::Any),
            SENTINEL if self.says_reach => Some(Reach::Sentinel),
            CLUSTER if self.says_reach => Some(Reach::Cluster),
            _ => None,
        }
    }

    /// Takes the address of an entry that may be reached from anywhere.
    fn take(
        &mut self,
        index: usize,
        r#type: &AddressType,
        value: Option<&str>,
        candidates: Option<&[IpAddr]>,
        policy: &AddressPolicy,
    ) {
        match (r#type, value) {
            (AddressType::IpAddress, None) => {
                if !self.assign_one(candidates) {
                    self.unsatisfied.insert(index);
                }
            }
            (AddressType::IpAddress, Some(value)) => match value.parse::<IpAddr>() {
                Ok(address) if policy.usable.contains(address) => self.add(Address::Ip(address)),
                Ok(_) => self.unusable(index, value, "cannot be used here; ask for another, or for none"),
                Err(_) => self.unusable(index, value, "is not an IP address"),
            },
            (AddressType::Hostname, _) if policy.hostnames.is_empty() => self.unsupported(index, r#type),
            (AddressType::Hostname, None) => {
                self.unsatisfied.insert(index);
                self.unassigned("no host name is assigned to this Gateway; name one")
            }
            (AddressType::Hostname, Some(value)) if policy.hostnames.contains(value) => {
                self.add(Address::Hostname(value.to_owned()))
            }
            (AddressType::Hostname, Some(value)) => {
                self.unusable(index, value, "cannot be used here; ask for another, or for none")
            }
            (AddressType::NamedAddress | AddressType::Unknown(_), _) => self.unsupported(index, r#type),
        }
    }

    /// Takes the cluster IP that an entry asks for.
    ///
    /// # Spec
    /// ADR-02, ADR-05.
    fn in_cluster(&mut self, index: usize, value: Option<&str>, known: &[IpAddr]) {
        let free = known.iter().find(|address| {
            let is_it = value.is_none_or(|value| value.parse() == Ok(**address));
            is_it && !self.cluster.iter().any(|(_, taken)| taken == *address)
        });
        if let Some(free) = free {
            self.cluster.push((index, *free));
            return;
        }
        self.unsatisfied.insert(index);
        let known: Vec<_> = known.iter().map(ToString::to_string).collect();
        let message = match (value, &known[..]) {
            (_, []) => format!(
                "spec.addresses[{index}]: the Service of this Gateway has no cluster IP yet; if it stays so, the log of the controller says why"
            ),
            (Some(value), _) => format!(
                "spec.addresses[{index}].value {value:?} is not the cluster IP of this Gateway's Service, which is {}; name \
                 that one, or a free one of the cluster's range and delete the Service",
                known.join(", ")
            ),
            (None, _) => format!(
                "spec.addresses[{index}]: the Service of this Gateway has no other cluster IP than {}; remove the entry",
                known.join(", ")
            ),
        };
        let field = format!("spec.addresses[{index}]");
        self.obstacle.get_or_insert_with(|| Finding::new(field, Reason::AddressNotAssigned, message));
    }

    /// Binds it to an address that it does not show, since its cluster IP leads there.
    fn stand_behind(&mut self, candidates: Option<&[IpAddr]>) {
        let before = self.addresses.len();
        if self.assign_one(candidates) {
            self.hidden = self.addresses[before..].to_vec();
        } else {
            self.unsatisfied.extend(self.cluster.drain(..).map(|(index, _)| index));
        }
    }

    /// The addresses to bind, as far as they are IP addresses.
    pub(crate) fn to_bind(&self) -> impl Iterator<Item = IpAddr> {
        self.addresses.iter().filter_map(|address| match address {
            Address::Ip(address) => Some(*address),
            Address::Hostname(_) => None,
        })
    }

    /// The addresses at which it can be reached, as far as they are known one by one, each with from where: an empty text where
    /// there is nothing to say, nothing where the embedder is not to say it. What answers where others hold all of its ports is not this
    /// Gateway.
    ///
    /// # Spec
    /// GWA-01, GWL-13, ADR-02, ADR-03.
    pub(crate) fn shown(&self) -> Vec<(Address, Option<&'static str>)> {
        let is_shown = |address: &&Address| match address {
            Address::Ip(ip) => self.is_its_own(*ip) && !self.hidden.contains(address),
            Address::Hostname(_) => true,
        };
        let reach = |address: &Address| match self.sentinels.contains(address) {
            true => SENTINEL,
            false => "",
        };
        let bound = self.addresses.iter().filter(is_shown);
        let bound = bound.map(|address| (address.clone(), self.says_reach.then(|| reach(address))));
        let leads_somewhere = !self.behind().is_empty();
        let cluster = self.cluster.iter().filter(|_| leads_somewhere);
        bound.chain(cluster.map(|(_, address)| (Address::Ip(*address), Some(CLUSTER)))).collect()
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

    /// Adds all addresses that the embedding chose.
    fn assign_all(&mut self, candidates: Option<&[IpAddr]>) {
        match candidates {
            None => self.reachable = true,
            Some([]) => self.none_left(),
            Some(candidates) => candidates.iter().for_each(|address| self.add(Address::Ip(*address))),
        }
    }

    /// Adds an address that the embedding chose, and that the Gateway has not yet; whether there is one. Where one stands for
    /// every address of its family, how many there are is not known.
    fn assign_one(&mut self, candidates: Option<&[IpAddr]>) -> bool {
        let Some(candidates) = candidates else {
            self.reachable = true;
            return true;
        };
        if candidates.iter().any(IpAddr::is_unspecified) {
            self.assign_all(Some(candidates));
            return true;
        }
        let free = candidates.iter().find(|address| !self.addresses.contains(&Address::Ip(**address)));
        match free {
            Some(free) => self.add(Address::Ip(*free)),
            None => self.none_left(),
        }
        free.is_some()
    }

    fn none_left(&mut self) {
        self.unassigned("no address is left for this Gateway; ask for one in spec.addresses, or free one");
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
