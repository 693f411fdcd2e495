//! Which references into another namespace are permitted there.
//!
//! A permitted reference is a [`Granted`], and this file is the only one that makes it: what reads a Secret or a Service
//! asks for a `Granted<Target>`, and so cannot forget to check.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Deref;

use crate::api::{ObjectKey, ReferenceGrant};

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
/// use gateway_core::attach::{Grants, Referrer, Target};
///
/// let grants = Grants::default();
/// let route = Referrer { group: "gateway.networking.k8s.io", kind: "HTTPRoute", namespace: "shop" };
/// let service = Target { group: "", kind: "Service", namespace: "shop", name: "cart" };
/// assert!(grants.check(route, service).is_some(), "one namespace needs no grant");
/// assert!(grants.check(route, Target { namespace: "bank", ..service }).is_none());
/// ```
///
/// # Spec
/// RGR-01 to RGR-11.
#[derive(Debug, Default)]
pub struct Grants<'a> {
    by_namespaces: HashMap<FromEntry<'a>, HashMap<ToEntry<'a>, Names<'a>>>,
}

/// The namespace of the target, and one entry of `from`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct FromEntry<'a> {
    target_namespace: &'a str,
    group: &'a str,
    kind: &'a str,
    namespace: &'a str,
}

/// One entry of `to`, without the name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct ToEntry<'a> {
    group: &'a str,
    kind: &'a str,
}

#[derive(Debug, Default)]
struct Names<'a> {
    every: bool,
    some: HashSet<&'a str>,
}

// === impl Grants ===

impl<'a> Grants<'a> {
    /// Arranges these grants.
    pub fn new<G: Deref<Target = ReferenceGrant>>(grants: &'a BTreeMap<ObjectKey, G>) -> Self {
        let mut by_namespaces: HashMap<FromEntry<'a>, HashMap<ToEntry<'a>, Names<'a>>> = HashMap::new();
        for (key, grant) in grants {
            for from in &grant.spec.from {
                let from = FromEntry {
                    target_namespace: &key.namespace,
                    group: &from.group,
                    kind: &from.kind,
                    namespace: &from.namespace,
                };
                let targets = by_namespaces.entry(from).or_default();
                for to in &grant.spec.to {
                    let names = targets.entry(ToEntry { group: &to.group, kind: &to.kind }).or_default();
                    match to.name.as_deref() {
                        // An empty name is an absent one: the API server stores it so for some clients.
                        None | Some("") => names.every = true,
                        Some(name) => {
                            names.some.insert(name);
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
    /// RGR-01, RGR-02, RGR-03, RGR-08.
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
