//! Addresses for Gateways that ask for none, each its own, from a block of addresses.
//!
//! Replicas agree without talking to each other: what a Gateway's status shows is kept, and a Gateway that has nothing yet gets
//! the address that its name leads to, or the next one that is free. A Gateway that comes, goes or changes moves no other that is
//! older, whatever it asks for: an address that is given away already is not to be had by naming it.
//!
//! ```
//! use gateway_core::name::ObjectName;
//! use gateway_kube::address_pool::{AddressPool, Claim};
//!
//! let pool: AddressPool = "198.18.0.0/30".parse()?;
//! let claim = |name: &str, held: &[&str]| Claim {
//!     gateway: ObjectName::new("default", name),
//!     count: 1,
//!     held: held.iter().map(|address| address.parse().unwrap()).collect(),
//!     asked: Vec::new(),
//! };
//! let assigned = pool.assign(&[claim("a", &[]), claim("b", &["198.18.0.1"]), claim("c", &[])]);
//! let of = |name| assigned[&ObjectName::new("default", name)].clone();
//! assert_eq!(of("a"), ["198.18.0.2".parse::<std::net::IpAddr>()?]);
//! assert_eq!(of("b"), ["198.18.0.1".parse::<std::net::IpAddr>()?], "what it has it keeps");
//! assert!(of("c").is_empty(), "a network of four has two addresses for hosts");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Spec
//! [GWA-01](gateway_core::spec#GWA-01): an implementation chooses the address of a Gateway that asks for none.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::str::FromStr;

use gateway_core::name::ObjectName;

/// A block of addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddressPool {
    /// The first address that is given away, as a number.
    first: u128,
    /// How many there are.
    count: u128,
    is_v4: bool,
}

/// A Gateway that is to have addresses, or asks for some. Of several that hold the same one, the first in the list keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The Gateway.
    pub gateway: ObjectName,
    /// How many addresses of the pool's choice it is to have.
    pub count: usize,
    /// The addresses that it had before; those outside of the pool do not count.
    pub held: Vec<IpAddr>,
    /// The addresses that it asks for by name. They are given to no other that has them not yet, and kept by those alone that are
    /// before this one in the list.
    pub asked: Vec<IpAddr>,
}

/// Why a text is no block of addresses.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a block of addresses; write one as in 198.18.0.0/24")]
pub struct InvalidPool(String);

// === impl AddressPool ===

impl AddressPool {
    /// As many addresses for each Gateway as it is to have, the oldest first; fewer where none is left.
    pub fn assign(&self, claims: &[Claim]) -> BTreeMap<ObjectName, Vec<IpAddr>> {
        let mut assigned: BTreeMap<_, Vec<_>> = BTreeMap::new();
        // What those before ask for or have.
        let mut taken = BTreeSet::new();
        for Claim { gateway, count, held, asked } in claims {
            let held = held.iter().copied().filter(|address| self.contains(*address));
            let kept: Vec<_> = held.filter(|address| taken.insert(*address)).take(*count).collect();
            if *count > 0 {
                assigned.insert(gateway.clone(), kept);
            }
            taken.extend(asked);
        }
        for Claim { gateway, count, .. } in claims.iter().filter(|claim| claim.count > 0) {
            let own = assigned.entry(gateway.clone()).or_default();
            while own.len() < *count
                && let Some(free) = self.free(gateway, &taken)
            {
                taken.insert(free);
                own.push(free);
            }
        }
        assigned
    }

    /// Whether an address is one of the pool.
    pub fn contains(&self, address: IpAddr) -> bool {
        let number = match address {
            IpAddr::V4(address) => u32::from(address).into(),
            IpAddr::V6(address) => u128::from(address),
        };
        address.is_ipv4() == self.is_v4 && number.checked_sub(self.first).is_some_and(|at| at < self.count)
    }

    /// The address that the name leads to, or the first one after it that is free.
    fn free(&self, gateway: &ObjectName, taken: &BTreeSet<IpAddr>) -> Option<IpAddr> {
        let start = u128::from(hash(&gateway.to_string())) % self.count;
        // One more than are taken is enough to find one that is not.
        let tries = self.count.min(taken.len() as u128 + 1);
        let address = |offset| self.address((start + offset) % self.count);
        (0..tries).map(address).find(|address| !taken.contains(address))
    }

    fn address(&self, at: u128) -> IpAddr {
        let number = self.first + at;
        match u32::try_from(number) {
            Ok(number) if self.is_v4 => IpAddr::V4(number.into()),
            Ok(_) | Err(_) => IpAddr::V6(number.into()),
        }
    }
}

impl FromStr for AddressPool {
    type Err = InvalidPool;

    fn from_str(text: &str) -> Result<Self, InvalidPool> {
        let invalid = || InvalidPool(text.to_owned());
        let (address, length) = text.split_once('/').ok_or_else(invalid)?;
        let address: IpAddr = address.parse().map_err(|_| invalid())?;
        let length: u32 = length.parse().map_err(|_| invalid())?;
        let (number, bits): (u128, u32) = match address {
            IpAddr::V4(address) => (u128::from(u32::from(address)), 32),
            IpAddr::V6(address) => (u128::from(address), 128),
        };
        let host_bits = bits.checked_sub(length).ok_or_else(invalid)?;
        let size = 1_u128.checked_shl(host_bits).ok_or_else(invalid)?;
        let network = number & !(size - 1);
        // The first and the last address of a network are not those of a host, unless it has no others.
        let (first, count) = if host_bits > 1 { (network + 1, size - 2) } else { (network, size) };
        Ok(Self { first, count, is_v4: address.is_ipv4() })
    }
}

/// FNV-1a, which is the same in every replica and every version.
fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claims(names: &[&str]) -> Vec<Claim> {
        let claim = |name: &&str| Claim {
            gateway: ObjectName::new("default", *name),
            count: 1,
            held: Vec::new(),
            asked: Vec::new(),
        };
        names.iter().map(claim).collect()
    }

    #[test]
    fn a_gateway_that_comes_or_goes_moves_no_other() {
        let pool: AddressPool = "198.18.0.0/29".parse().unwrap();
        let names = ["a", "b", "c", "d", "e", "f"];
        let before = pool.assign(&claims(&names));
        let distinct: BTreeSet<_> = before.values().flatten().collect();
        assert_eq!(distinct.len(), 6, "{before:?}");
        for gone in names {
            let mut left = claims(&names);
            left.retain(|claim| *claim.gateway.name != *gone);
            left.iter_mut().for_each(|claim| claim.held.clone_from(&before[&claim.gateway]));
            let mut expected = before.clone();
            let free = expected.remove(&ObjectName::new("default", gone)).unwrap();
            assert_eq!(pool.assign(&left), expected);
            // The one place that is free goes to the one that comes, in whatever place of the list it stands.
            left.insert(0, claims(&["new"]).remove(0));
            let after = pool.assign(&left);
            assert_eq!(after[&ObjectName::new("default", "new")], free);
            expected.insert(ObjectName::new("default", "new"), free);
            assert_eq!(after, expected);
        }
    }

    #[test]
    fn a_gateway_has_as_many_as_it_is_to_have_and_keeps_those() {
        let pool: AddressPool = "198.18.0.0/29".parse().unwrap();
        let mut all = claims(&["a", "b"]);
        (all[0].count, all[1].count) = (2, 0);
        let two = pool.assign(&all)[&all[0].gateway].clone();
        assert!(two.len() == 2 && two[0] != two[1]);
        (all[0].held, all[0].count) = (vec![two[1], two[1], two[0]], 3);
        let three = pool.assign(&all);
        assert_eq!(three[&all[0].gateway][..2], [two[1], two[0]]);
        assert!(three[&all[0].gateway].len() == 3 && !three.contains_key(&all[1].gateway));
        (all[0].count, all[1].count) = (5, 2);
        assert_eq!(pool.assign(&all).values().map(Vec::len).collect::<Vec<_>>(), [5, 1]);
    }

    #[test]
    fn what_others_ask_for_is_not_given_away_and_the_first_of_two_keeps_an_address() {
        let pool: AddressPool = "198.18.0.0/30".parse().unwrap();
        let [first, second] = ["198.18.0.1", "198.18.0.2"].map(|address| address.parse::<IpAddr>().unwrap());
        let mut three = claims(&["a", "b", "c"]);
        (three[2].asked, three[2].count) = (vec![first], 0);
        let all: Vec<_> = pool.assign(&three).into_values().collect();
        assert_eq!(all, [vec![second], vec![]]);

        let mut both = claims(&["a", "b"]);
        both.iter_mut().for_each(|claim| claim.held = vec![second]);
        let all: Vec<_> = pool.assign(&both).into_values().collect();
        assert_eq!(all, [vec![second], vec![first]]);
    }

    #[test]
    fn nobody_gets_the_address_of_an_older_gateway_by_asking_for_it() {
        let pool: AddressPool = "198.18.0.0/30".parse().unwrap();
        let [first, second] = ["198.18.0.1", "198.18.0.2"].map(|address| address.parse::<IpAddr>().unwrap());
        let [mut a, mut b]: [Claim; 2] = claims(&["a", "b"]).try_into().unwrap();
        a.held = vec![first];
        (b.asked, b.count) = (vec![first, second], 0);
        let of_a = |claims: &[Claim]| pool.assign(claims)[&ObjectName::new("default", "a")].clone();
        assert_eq!(of_a(&[a.clone(), b.clone()]), [first]);
        // The older one may.
        b.asked = vec![first];
        assert_eq!(of_a(&[b, a]), [second]);
    }

    #[test]
    fn blocks_have_the_addresses_of_hosts() {
        for (text, inside, outside) in [
            (
                "198.18.0.0/24",
                &["198.18.0.1", "198.18.0.254"][..],
                &["198.18.0.0", "198.18.0.255", "::1"][..],
            ),
            ("198.18.0.7/24", &["198.18.0.1"], &["198.18.1.1"]),
            ("192.0.2.8/31", &["192.0.2.8", "192.0.2.9"], &["192.0.2.10"]),
            ("192.0.2.8/32", &["192.0.2.8"], &["192.0.2.9"]),
            ("2001:db8::/64", &["2001:db8::1"], &["2001:db8::", "2001:db8:0:1::1", "192.0.2.1"]),
            ("255.255.255.0/24", &["255.255.255.254"], &["255.255.255.255"]),
        ] {
            let pool: AddressPool = text.parse().unwrap();
            for address in inside {
                assert!(pool.contains(address.parse().unwrap()), "{text} {address}");
            }
            for address in outside {
                assert!(!pool.contains(address.parse().unwrap()), "{text} {address}");
            }
            let assigned = pool.assign(&claims(&["a"]));
            assert!(
                assigned.values().flatten().all(|address| pool.contains(*address)),
                "{text} {assigned:?}"
            );
        }
        for text in ["198.18.0.0", "198.18.0.0/33", "x/24", "198.18.0.0/x", "::/0"] {
            assert!(text.parse::<AddressPool>().is_err(), "{text}");
        }
    }
}
