//! The addresses of Gateways that no client connects to.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, LazyLock};

use gateway_core::name::ObjectName;
use gateway_core::options::{AddressPolicy, DefaultAddresses, Options, UsableAddresses};
use gateway_tower::serve::TlsOptions;
use rustls::crypto::ring;

use super::{CONTROLLER_NAME, StaticAddresses, features_of_the_core};
use crate::decision::RequestEdits;

/// What a Gateway may ask for, and what not.
pub const STATIC_ADDRESSES: (Ipv4Addr, Ipv4Addr) =
    (Ipv4Addr::new(198, 19, 0, 1), Ipv4Addr::new(192, 0, 2, 254));

/// An address of its own for each Gateway, which it keeps.
#[derive(Clone, Debug, Default)]
pub struct Addresses(BTreeMap<ObjectName, IpAddr>);

/// What a translation for cases depends on besides the resources.
pub fn options(addresses: &Addresses, generation: u64) -> Options {
    let assigned = addresses.0.iter().map(|(key, address)| (key.clone(), vec![*address]));
    let cluster = addresses.0.iter().map(|(key, address)| (key.clone(), vec![cluster_ip(*address)]));
    let (usable, _) = STATIC_ADDRESSES;
    Options {
        controller_name: CONTROLLER_NAME.to_owned(),
        features: features_of_the_core().collect(),
        certificate_check: Some(check()),
        extensions: Some(Arc::new(RequestEdits)),
        // What is to be made is shown to cases that ask for what was made.
        infrastructure: true,
        // No case looks at spans; those about statuses need to know what is said of policies.
        telemetry_policies: true,
        addresses: AddressPolicy {
            assigned: assigned.collect(),
            cluster: Some(cluster.collect()),
            // None is left where none is assigned.
            default: DefaultAddresses::Shared(Vec::new()),
            usable: UsableAddresses::Only(BTreeSet::from([usable.into()])),
            ..AddressPolicy::default()
        },
        generation,
        ..Options::default()
    }
}

/// The address that the Service of a Gateway would have in a cluster.
fn cluster_ip(gateway: IpAddr) -> IpAddr {
    match gateway {
        IpAddr::V4(address) => {
            let [_, _, high, low] = address.octets();
            Ipv4Addr::new(10, 96, high, low).into()
        }
        IpAddr::V6(address) => address.into(),
    }
}

/// How a gateway of `gateway-tower` judges certificates.
fn check() -> Arc<TlsOptions> {
    static CHECK: LazyLock<Arc<TlsOptions>> = LazyLock::new(|| {
        let tls = TlsOptions::new(Arc::new(ring::default_provider()));
        Arc::new(tls.expect("ring has all that TLS needs"))
    });
    CHECK.clone()
}

// === impl Addresses ===

impl Addresses {
    /// Gives each of these Gateways an address, unless it has one.
    pub fn assign<'k>(&mut self, gateways: impl IntoIterator<Item = &'k ObjectName>) {
        for gateway in gateways {
            let number = u16::try_from(self.0.len() + 1).expect("no case has so many Gateways");
            let [high, low] = number.to_be_bytes();
            self.0.entry(gateway.clone()).or_insert_with(|| Ipv4Addr::new(198, 18, high, low).into());
        }
    }

    /// The address of a Gateway.
    pub fn get(&self, gateway: &ObjectName) -> Option<IpAddr> {
        self.0.get(gateway).copied()
    }

    /// What cases ask for.
    pub fn to_ask_for() -> StaticAddresses {
        let (usable, unusable) = STATIC_ADDRESSES;
        StaticAddresses { usable: usable.to_string(), unusable: unusable.to_string() }
    }
}
