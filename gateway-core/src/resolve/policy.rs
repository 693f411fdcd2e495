//! Findings about a policy, of whichever kind.

use std::collections::BTreeMap;

use super::service::BackendName;
use crate::api::{AnyObject, Kind, Object};
use crate::condition::Reason;
use crate::finding::Finding;
use crate::name::ObjectName;
use crate::validate::{Rejected, Valid, Validated};

/// What is wrong with a policy, whichever Gateway it is about.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct JudgedPolicy {
    /// The generation of the policy, for its conditions.
    pub(crate) generation: Option<i64>,
    /// The Services and ServiceImports that it is for, there or not.
    pub(crate) services: Vec<BackendName>,
    /// Why it is not accepted; the first counts.
    pub(crate) refusals: Vec<Finding>,
    /// References that lead nowhere.
    pub(crate) unresolved: Vec<Finding>,
    /// What has no effect although the policy is accepted.
    pub(crate) without_effect: Vec<Finding>,
}

/// What an XBackend has of its own for what policies of a kind say.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OwnField(&'static str);

/// A policy to be judged.
#[derive(Debug)]
pub(crate) struct WrittenPolicy<'v, P> {
    /// Its name.
    pub(crate) name: &'v ObjectName,
    /// The object.
    pub(crate) object: &'v P,
    /// Why it cannot be carried out; it has its targets all the same.
    broken: Option<&'v Rejected>,
}

// === impl OwnField ===

impl OwnField {
    /// For what BackendTLSPolicies say.
    pub(crate) const TLS: Self = Self("spec.tls of its own");
    /// For what XBackendTrafficPolicies say.
    pub(crate) const TRAFFIC: Self = Self("spec.sessionPersistence of its own, but no budget of retries");

    /// Why nothing of this group and kind is the target of a policy for backends, at the field `kind`.
    ///
    /// # Spec
    /// RTB-05, BTP-02, XBK-04: such policies are for Services and ServiceImports; other backends are the implementation's choice.
    pub(crate) fn no_target(self, group: &str, kind: &str, target: &ObjectName) -> Finding {
        let message = match Kind::find(group, kind) {
            Some(kind @ Kind::XBackend) => format!(
                "policies of this kind are for Services and ServiceImports, and an {kind} has {}; write it in {kind} {target}",
                self.0
            ),
            _ => format!(
                "{kind} of group {group:?} is not supported as a target; name a Service or a ServiceImport"
            ),
        };
        Finding::new("kind", Reason::Invalid, message)
    }
}

// === impl WrittenPolicy ===

impl<'v, P: Object> WrittenPolicy<'v, P> {
    /// All policies of a kind, the oldest first: of several with one target, it has the target.
    ///
    /// # Spec
    /// POL-03
    pub(crate) fn oldest_first(
        valid: &'v Validated,
        good: &'v BTreeMap<ObjectName, Valid<P>>,
        of_kind: impl Fn(&'v AnyObject) -> Option<&'v P>,
    ) -> Vec<Self> {
        let good = good.iter().map(|(name, object)| Self { name, object, broken: None });
        let broken = valid.rejected.of_kind(P::KIND_ID).filter_map(|(rejected, object)| {
            Some(Self { name: &rejected.key, object: of_kind(object)?, broken: Some(rejected) })
        });
        let mut all: Vec<_> = good.chain(broken).collect();
        all.sort_by_cached_key(|policy| policy.object.metadata().age(policy.name));
        all
    }

    /// Whether it can be carried out, as far as it alone tells.
    pub(crate) fn is_whole(&self) -> bool {
        self.broken.is_none()
    }

    /// What is wrong with it by itself.
    pub(crate) fn judged(&self) -> JudgedPolicy {
        let refusals = self.broken.map(|rejected| {
            let problems: Vec<_> = rejected.problems.iter().map(ToString::to_string).collect();
            Finding::whole(Reason::Invalid, format!("is not carried out: {}", problems.join("; ")))
        });
        JudgedPolicy {
            generation: self.object.metadata().generation,
            refusals: refusals.into_iter().collect(),
            ..JudgedPolicy::default()
        }
    }
}
