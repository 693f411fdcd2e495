//! ReferenceGrants: the references into another namespace that are permitted there.
//!
//! A permitted reference is a [`Granted`], and this file is the only one that makes it: what reads a Secret or a Service
//! asks for a `Granted<Target>`, and so cannot forget to check.

use std::collections::BTreeMap;
use std::ops::Deref;

use foldhash::fast::RandomState;
use hashbrown::Equivalent;

use crate::api::ReferenceGrant;
use crate::name::ObjectName;

type HashMap<K, V> = hashbrown::HashMap<K, V, RandomState>;
type HashSet<T> = hashbrown::HashSet<T, RandomState>;

/// Who refers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Referrer<'a> {
    /// The group of the referring object; empty for the core group.
    pub group: &'a str,
    /// Its kind.
    pub kind: &'a str,
    /// Its namespace.
    pub namespace: &'a str,
}

/// What is referred to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Target<'a> {
    /// The group of the object; empty for the core group.
    pub group: &'a str,
    /// Its kind.
    pub kind: &'a str,
    /// Its namespace.
    pub namespace: &'a str,
    /// Its name.
    pub name: &'a str,
}

/// Proof that a reference may be followed: within one namespace, or permitted by a ReferenceGrant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Granted<R>(R);

/// All ReferenceGrants, arranged so that a check costs the same however many there are.
///
/// ```
/// use gateway_core::resolve::{Grants, Referrer, Target};
///
/// let grants = Grants::default();
/// let route = Referrer { group: "gateway.networking.k8s.io", kind: "HTTPRoute", namespace: "shop" };
/// let service = Target { group: "", kind: "Service", namespace: "shop", name: "cart" };
/// assert!(grants.check(route, service).is_some(), "one namespace needs no grant");
/// assert!(grants.check(route, Target { namespace: "bank", ..service }).is_none());
/// ```
///
/// # Spec
/// [RGR-01](crate::spec#RGR-01) to [RGR-11](crate::spec#RGR-11).
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Grants {
    by_namespaces: HashMap<FromEntry<Box<str>>, Targets>,
}

/// What one entry of `from` may refer to.
type Targets = HashMap<ToEntry<Box<str>>, Names>;

/// The namespace of the target, and one entry of `from`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct FromEntry<S> {
    target_namespace: S,
    group: S,
    kind: S,
    namespace: S,
}

/// One entry of `to`, without the name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct ToEntry<S> {
    group: S,
    kind: S,
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Names {
    every: bool,
    some: HashSet<Box<str>>,
}

// === impl Grants ===

impl Grants {
    /// Arranges these grants.
    pub fn new<G: Deref<Target = ReferenceGrant>>(grants: &BTreeMap<ObjectName, G>) -> Self {
        let mut by_namespaces: HashMap<_, Targets> = HashMap::default();
        for (key, grant) in grants {
            for from in &grant.spec.from {
                let from = FromEntry {
                    target_namespace: Box::from(&*key.namespace),
                    group: from.group.as_str().into(),
                    kind: from.kind.as_str().into(),
                    namespace: from.namespace.as_str().into(),
                };
                let targets = by_namespaces.entry(from).or_default();
                for to in &grant.spec.to {
                    let entry = ToEntry { group: to.group.as_str().into(), kind: to.kind.as_str().into() };
                    let names = targets.entry(entry).or_default();
                    match to.name.as_deref() {
                        // An empty name is an absent one: the API server stores it so for some clients.
                        None | Some("") => names.every = true,
                        Some(name) => {
                            names.some.insert(name.into());
                        }
                    }
                }
            }
        }
        Self { by_namespaces }
    }

    /// The proof that `from` may refer to `to`, if it may.
    ///
    /// Says nothing about whether `to` exists: without permission that must not be found out.
    ///
    /// # Spec
    /// [RGR-01](crate::spec#RGR-01), [RGR-02](crate::spec#RGR-02), [RGR-03](crate::spec#RGR-03), [RGR-08](crate::spec#RGR-08).
    pub fn check<'t>(&self, from: Referrer<'_>, to: Target<'t>) -> Option<Granted<Target<'t>>> {
        if from.namespace == to.namespace {
            return Some(Granted(to));
        }
        let from = FromEntry {
            target_namespace: to.namespace,
            group: from.group,
            kind: from.kind,
            namespace: from.namespace,
        };
        let names = self.by_namespaces.get(&from)?.get(&ToEntry { group: to.group, kind: to.kind })?;
        (names.every || names.some.contains(to.name)).then_some(Granted(to))
    }
}

// === impl FromEntry ===

impl Equivalent<FromEntry<Box<str>>> for FromEntry<&str> {
    fn equivalent(&self, key: &FromEntry<Box<str>>) -> bool {
        let FromEntry { target_namespace, group, kind, namespace } = key;
        (self.target_namespace, self.group, self.kind, self.namespace)
            == (&**target_namespace, &**group, &**kind, &**namespace)
    }
}

// === impl ToEntry ===

impl Equivalent<ToEntry<Box<str>>> for ToEntry<&str> {
    fn equivalent(&self, key: &ToEntry<Box<str>>) -> bool {
        (self.group, self.kind) == (&*key.group, &*key.kind)
    }
}

// === impl Granted ===

impl<R> Granted<R> {
    /// What may be referred to.
    pub fn into_inner(self) -> R {
        self.0
    }
}

impl<R> Deref for Granted<R> {
    type Target = R;

    fn deref(&self) -> &R {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{ReferenceGrantFrom, ReferenceGrantTo};

    const ROUTE: Referrer<'_> = Referrer { group: "g", kind: "HTTPRoute", namespace: "shop" };
    const SERVICE: Target<'_> = Target { group: "", kind: "Service", namespace: "bank", name: "cart" };

    fn grant(from: &[Referrer<'_>], to: &[(&str, &str, Option<&str>)]) -> std::sync::Arc<ReferenceGrant> {
        let mut grant = ReferenceGrant::default();
        grant.spec.from = from
            .iter()
            .map(|from| ReferenceGrantFrom {
                group: from.group.to_owned(),
                kind: from.kind.to_owned(),
                namespace: from.namespace.to_owned(),
            })
            .collect();
        grant.spec.to = to
            .iter()
            .map(|(group, kind, name)| ReferenceGrantTo {
                group: (*group).to_owned(),
                kind: (*kind).to_owned(),
                name: name.map(str::to_owned),
            })
            .collect();
        grant.into()
    }

    fn permits(
        grants: &[(&str, std::sync::Arc<ReferenceGrant>)],
        from: Referrer<'_>,
        to: Target<'_>,
    ) -> bool {
        let keys = grants.iter().enumerate();
        let grants: BTreeMap<_, _> = keys
            .map(|(i, (namespace, grant))| (ObjectName::new(*namespace, format!("grant-{i}")), grant.clone()))
            .collect();
        let granted = Grants::new(&grants).check(from, to);
        assert!(granted.is_none_or(|granted| granted.into_inner() == to));
        granted.is_some()
    }

    // RGR-01, RGR-02, RGR-11
    #[test]
    fn some_entry_of_each_side_of_one_grant_has_to_fit() {
        let other = Referrer { kind: "GRPCRoute", ..ROUTE };
        let every = [("", "Service", None)];
        let one = [("", "Service", Some("cart"))];
        for (name, from, to, expected) in [
            ("every name", &[ROUTE][..], &every[..], true),
            ("this name", &[ROUTE], &one, true),
            ("a name of no letters is no name", &[ROUTE], &[("", "Service", Some(""))], true),
            ("another name", &[ROUTE], &[("", "Service", Some("carts"))], false),
            (
                "one entry of several",
                &[other, ROUTE],
                &[("", "Secret", None), ("", "Service", Some("cart"))],
                true,
            ),
            ("only one side", &[other], &every, false),
            ("only the other side", &[ROUTE], &[("", "Secret", None)], false),
            ("the core group is not a word", &[ROUTE], &[("core", "Service", None)], false),
            ("letters matter", &[Referrer { kind: "httproute", ..ROUTE }], &every, false),
            ("no wildcards", &[Referrer { namespace: "*", ..ROUTE }], &[("*", "*", None)], false),
            ("nothing", &[], &[], false),
        ] {
            assert_eq!(permits(&[("bank", grant(from, to))], ROUTE, SERVICE), expected, "{name}");
        }
        let crossed = [("bank", grant(&[ROUTE], &[("", "Secret", None)])), ("bank", grant(&[other], &every))];
        assert!(!permits(&crossed, ROUTE, SERVICE), "two halves of two grants do not make one");
        let both = [("bank", grant(&[other], &every)), ("bank", grant(&[ROUTE], &one))];
        assert!(permits(&both, ROUTE, SERVICE), "several grants add up");
    }

    // RGR-01, RGR-03, RGR-07
    #[test]
    fn only_grants_in_the_namespace_of_the_target_count() {
        let given = grant(&[ROUTE], &[("", "Service", None)]);
        assert!(!permits(&[("shop", given.clone())], ROUTE, SERVICE));
        assert!(!permits(&[("elsewhere", given)], ROUTE, SERVICE));
        assert!(!permits(&[], ROUTE, SERVICE), "and it is over when the grant is");
        assert!(permits(&[], ROUTE, Target { namespace: "shop", ..SERVICE }), "one namespace needs none");
    }
}
