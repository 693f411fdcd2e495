//! The profiles that the cases count for.
//!
//! A case belongs to a profile if the profile has all the features of the case. It is a core case if all of them are core
//! features there, and an extended one otherwise. Cases of ours, which upstream does not have, belong to none.

use gateway_core::feature::{Profile, SupportLevel};

use super::Case;

// === impl Case ===

impl Case {
    /// What the case is in the profile; nothing if it does not belong to it.
    pub fn level(&self, profile: Profile) -> Option<SupportLevel> {
        if self.is_beyond() {
            return None;
        }
        let mut levels = self.features.iter().map(|feature| feature.level(profile));
        // One extended feature makes the case an extended one; a case without features asks for the core only.
        levels.try_fold(SupportLevel::Core, |most, level| Some(most.max(level?)))
    }

    /// The profiles that the case belongs to, and what it is in each.
    pub fn profiles(&self) -> impl Iterator<Item = (Profile, SupportLevel)> + '_ {
        Profile::ALL.iter().filter_map(|profile| Some((*profile, self.level(*profile)?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case;

    fn case(source: &str, features: &str) -> Case {
        let text = format!(
            "{{apiVersion: {}, kind: Case, name: One, {source} summary: One., features: [{features}], steps: [{{ready: [Gateway same-namespace]}}]}}",
            case::API_VERSION
        );
        case::read(&text, "one.yaml").unwrap()
    }

    #[test]
    fn a_case_belongs_where_all_its_features_are_known() {
        let of = |features: &str| case("source: one.go,", features).profiles().collect::<Vec<_>>();
        assert_eq!(of("Gateway, HTTPRoute"), [(Profile::GatewayHttp, SupportLevel::Core)]);
        assert_eq!(of("Gateway, HTTPRoute, HTTPRouteCORS"), [(Profile::GatewayHttp, SupportLevel::Extended)]);
        assert_eq!(of("Gateway, HTTPRoute, TLSRoute"), []);
        assert_eq!(of("Gateway").len(), 5);
        assert_eq!(case("", "Gateway").profiles().count(), 0, "upstream does not have it");
    }
}
