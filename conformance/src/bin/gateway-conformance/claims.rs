//! Features that an engine claims because it is told to.

use std::collections::BTreeSet;

use conformance::case::Case;
use conformance::engine::{Abilities, EngineError, Engines, StaticAddresses};
use gateway_core::feature::Feature;

use crate::args::ClaimArgs;

/// Engines with other abilities than they have by themselves.
#[derive(Debug)]
pub(crate) struct Claiming<E> {
    engines: E,
    abilities: Abilities,
}

// === impl Claiming ===

impl<E: Engines> Claiming<E> {
    /// The engines, claiming what the arguments say.
    pub(crate) fn new(engines: E, args: &ClaimArgs) -> Self {
        let mut abilities = engines.abilities();
        abilities.features = claimed(abilities.features, args);
        abilities.traffic &= !args.statuses_only;
        if let (Some(usable), Some(unusable)) = (&args.usable_address, &args.unusable_address) {
            abilities.static_addresses =
                Some(StaticAddresses { usable: usable.clone(), unusable: unusable.clone() });
        }
        Self { engines, abilities }
    }
}

impl<E: Engines> Engines for Claiming<E> {
    type Engine = E::Engine;

    fn name(&self) -> &str {
        self.engines.name()
    }

    fn abilities(&self) -> Abilities {
        self.abilities.clone()
    }

    async fn start(&self, case: &Case) -> Result<E::Engine, EngineError> {
        self.engines.start(case).await
    }
}

/// What is claimed by engines that claim these by themselves.
pub(crate) fn claimed(own: BTreeSet<Feature>, args: &ClaimArgs) -> BTreeSet<Feature> {
    let mut features = match (args.all_features, args.supported_features.as_slice()) {
        (true, _) => Feature::ALL.iter().copied().collect(),
        (false, []) => own,
        (false, features) => features.iter().copied().collect(),
    };
    features.retain(|feature| !args.exempt_features.contains(feature));
    features
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_goes_before_what_the_engine_says_of_itself() {
        let own = BTreeSet::from([Feature::Gateway, Feature::HttpRoute]);
        let claimed = |args: &ClaimArgs| claimed(own.clone(), args);
        assert_eq!(claimed(&ClaimArgs::default()), own);
        let supported = ClaimArgs { supported_features: vec![Feature::GrpcRoute], ..ClaimArgs::default() };
        assert_eq!(claimed(&supported), BTreeSet::from([Feature::GrpcRoute]));
        let exempt = ClaimArgs { exempt_features: vec![Feature::HttpRoute], ..ClaimArgs::default() };
        assert_eq!(claimed(&exempt), BTreeSet::from([Feature::Gateway]));
        let all = ClaimArgs { all_features: true, ..exempt };
        assert_eq!(claimed(&all).len(), Feature::ALL.len() - 1);
    }
}
