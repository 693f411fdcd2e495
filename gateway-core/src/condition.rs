//! The words of a status: every condition type and reason that the engine uses, and one condition as it is computed.
//!
//! A computed condition is a decision without history: no transition time, no generation. `status::merge` adds both
//! when it is written.
//!
//! ```
//! use gateway_core::condition::{Condition, ConditionType, Reason};
//!
//! let condition = Condition::failed(ConditionType::Accepted, Reason::PortUnavailable, "port 80 is taken; use another");
//! assert_eq!(condition.to_string(), "Accepted=False/PortUnavailable: port 80 is taken; use another");
//! ```

use std::fmt;

use crate::one_line::OneLine;

/// Declares an enumeration of words with their spelling in the API.
macro_rules! words {
    ($(#[$meta:meta])* pub enum $name:ident { $($(#[$variant_meta:meta])* $variant:ident = $text:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$variant_meta])* $variant,)+
        }

        impl $name {
            /// Every word.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word as the API spells it.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)+
                }
            }

            /// The word that the API spells like this.
            pub fn parse(text: &str) -> Option<Self> {
                match text {
                    $($text => Some(Self::$variant),)+
                    _ => None,
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

words! {
    /// What a condition is about.
    ///
    /// Deprecated and reserved types (`Scheduled`, `Detached`, `Ready`) are missing on purpose: they are never set.
    ///
    /// # Spec
    /// Section "condition" of every status type.
    pub enum ConditionType {
        /// The object makes sense and produces some configuration.
        Accepted = "Accepted",
        /// The configuration is made, and is expected to serve soon.
        Programmed = "Programmed",
        /// Every reference leads somewhere, and may.
        ResolvedRefs = "ResolvedRefs",
        /// Another listener has the same place.
        Conflicted = "Conflicted",
        /// Another listener on the port ends TLS for some of the same hosts.
        OverlappingTlsConfig = "OverlappingTLSConfig",
        /// Some rules of a Route are left out.
        PartiallyInvalid = "PartiallyInvalid",
        /// The installed resource definitions are of a version that is known.
        SupportedVersion = "SupportedVersion",
        /// Clients without a valid certificate are let in somewhere.
        InsecureFrontendValidationMode = "InsecureFrontendValidationMode",
        /// The Gateway has every address that it asks for.
        AddressesAssigned = "AddressesAssigned",
        /// The Gateway is a default one (experimental).
        DefaultGateway = "DefaultGateway",
    }
}

words! {
    /// Why a condition holds or does not.
    ///
    /// # Spec
    /// The reason constants beside the condition types, [GEN-09](crate::spec#GEN-09).
    pub enum Reason {
        /// Accepted: nothing is wrong.
        Accepted = "Accepted",
        /// Programmed: nothing is wrong.
        Programmed = "Programmed",
        /// ResolvedRefs: nothing is wrong.
        ResolvedRefs = "ResolvedRefs",
        /// SupportedVersion: nothing is wrong.
        SupportedVersion = "SupportedVersion",
        /// AddressesAssigned: nothing is wrong.
        AddressesAssigned = "AddressesAssigned",
        /// Some addresses that were asked for are not assigned.
        PartiallyAssigned = "PartiallyAssigned",
        /// No address that was asked for is assigned.
        NotAssigned = "NotAssigned",
        /// Conflicted: nothing is wrong.
        NoConflicts = "NoConflicts",
        /// Not decided, or not serving yet.
        Pending = "Pending",
        /// An error without a word of its own.
        Invalid = "Invalid",
        /// Parameters are missing, malformed or of an unsupported kind.
        InvalidParameters = "InvalidParameters",
        /// Users may not define GatewayClasses.
        Unsupported = "Unsupported",
        /// Resource definitions of an unknown version.
        UnsupportedVersion = "UnsupportedVersion",
        /// A type of address that is not supported.
        UnsupportedAddress = "UnsupportedAddress",
        /// No address could be assigned.
        AddressNotAssigned = "AddressNotAssigned",
        /// An address that was asked for cannot be used.
        AddressNotUsable = "AddressNotUsable",
        /// The infrastructure has no room.
        NoResources = "NoResources",
        /// Some listeners, or all of them, are not valid.
        ListenersNotValid = "ListenersNotValid",
        /// Some listener has references that lead nowhere.
        ListenersNotResolved = "ListenersNotResolved",
        /// A reference into another namespace that nothing there permits.
        RefNotPermitted = "RefNotPermitted",
        /// The certificate for backends is missing, malformed or of an unsupported kind.
        InvalidClientCertificateRef = "InvalidClientCertificateRef",
        /// Client certificates are not insisted on any more.
        ConfigurationChanged = "ConfigurationChanged",
        /// A port that cannot be used.
        PortUnavailable = "PortUnavailable",
        /// A protocol that is not supported.
        UnsupportedProtocol = "UnsupportedProtocol",
        /// A value that is not supported.
        UnsupportedValue = "UnsupportedValue",
        /// A filter of a listener that makes no sense.
        InvalidListenerFilter = "InvalidListenerFilter",
        /// Filters of a listener in an order that cannot be kept.
        InvalidListenerFilterOrder = "InvalidListenerFilterOrder",
        /// A filter of a listener that leads nowhere.
        InvalidListenerFilterRef = "InvalidListenerFilterRef",
        /// More listeners than there may be.
        TooManyListeners = "TooManyListeners",
        /// Another listener has the same port, protocol and hostname.
        HostnameConflict = "HostnameConflict",
        /// Another listener has the same port and a protocol that does not go with this one.
        ProtocolConflict = "ProtocolConflict",
        /// Conflicts of several kinds at once.
        ListenerConflict = "ListenerConflict",
        /// Not enough TLS configuration to serve.
        InvalidTlsConfig = "InvalidTLSConfig",
        /// A certificate is missing, malformed or of an unsupported kind.
        InvalidCertificateRef = "InvalidCertificateRef",
        /// Kinds of Routes that do not exist, or not for this protocol.
        InvalidRouteKinds = "InvalidRouteKinds",
        /// A certificate authority is missing or malformed.
        InvalidCaCertificateRef = "InvalidCACertificateRef",
        /// A certificate authority is of an unsupported kind.
        InvalidCaCertificateKind = "InvalidCACertificateKind",
        /// No certificate authority is left.
        NoValidCaCertificate = "NoValidCACertificate",
        /// Hostnames overlap.
        OverlappingHostnames = "OverlappingHostnames",
        /// Names in certificates overlap.
        OverlappingCertificates = "OverlappingCertificates",
        /// The Gateway does not let the ListenerSet attach.
        NotAllowed = "NotAllowed",
        /// The Gateway of the ListenerSet is not accepted.
        ParentNotAccepted = "ParentNotAccepted",
        /// The Gateway of the ListenerSet is not programmed.
        ParentNotProgrammed = "ParentNotProgrammed",
        /// No listener admits the kind or the namespace of the Route.
        NotAllowedByListeners = "NotAllowedByListeners",
        /// No listener has a hostname in common with the Route.
        NoMatchingListenerHostname = "NoMatchingListenerHostname",
        /// The parent has no such listener.
        NoMatchingParent = "NoMatchingParent",
        /// Filters that do not go together.
        IncompatibleFilters = "IncompatibleFilters",
        /// Another object has precedence.
        Conflicted = "Conflicted",
        /// A reference to a kind that does not exist or is not supported there.
        InvalidKind = "InvalidKind",
        /// A backend that does not exist.
        BackendNotFound = "BackendNotFound",
        /// The target of a policy that does not exist.
        TargetNotFound = "TargetNotFound",
    }
}

/// Which status of a condition is the good one.
///
/// # Spec
/// [GEN-07](crate::spec#GEN-07), [GEN-08](crate::spec#GEN-08)
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Polarity {
    /// `True` is good; the condition is always there.
    Positive,
    /// `True` is bad; the condition is there only while it is true.
    Negative,
    /// Neither is good or bad, and the condition is there as its owner likes.
    Neutral,
}

/// A condition as it is computed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Condition {
    /// What it is about.
    pub kind: ConditionType,
    /// Whether it holds. There is no third state: what has been looked at is decided.
    pub status: bool,
    /// Why.
    pub reason: Reason,
    /// What is wrong and the way out, for a human; empty when nothing is wrong.
    pub message: String,
}

// === impl ConditionType ===

impl ConditionType {
    /// Which status is the good one.
    pub const fn polarity(self) -> Polarity {
        match self {
            Self::Accepted
            | Self::Programmed
            | Self::ResolvedRefs
            | Self::SupportedVersion
            | Self::AddressesAssigned => Polarity::Positive,
            Self::Conflicted
            | Self::OverlappingTlsConfig
            | Self::PartiallyInvalid
            | Self::InsecureFrontendValidationMode => Polarity::Negative,
            // Nothing here computes it, so that it is another controller's.
            Self::DefaultGateway => Polarity::Neutral,
        }
    }

    /// The status that says that something is wrong, if one does.
    pub const fn bad_status(self) -> Option<bool> {
        match self.polarity() {
            Polarity::Positive => Some(false),
            Polarity::Negative => Some(true),
            Polarity::Neutral => None,
        }
    }
}

// === impl Condition ===

impl Condition {
    /// The condition `kind` holds for this reason, and nothing is to be said about it.
    pub const fn ok(kind: ConditionType, reason: Reason) -> Self {
        Self { kind, status: true, reason, message: String::new() }
    }

    /// The condition `kind` holds, and there is something to know about it.
    pub fn noted(kind: ConditionType, reason: Reason, message: impl Into<String>) -> Self {
        Self { kind, status: true, reason, message: message.into() }
    }

    /// The condition `kind` does not hold, for this reason.
    pub fn failed(kind: ConditionType, reason: Reason, message: impl Into<String>) -> Self {
        Self { kind, status: false, reason, message: message.into() }
    }

    /// `Accepted=True/Accepted`
    pub const fn accepted() -> Self {
        Self::ok(ConditionType::Accepted, Reason::Accepted)
    }

    /// `Programmed=True/Programmed`
    pub const fn programmed() -> Self {
        Self::ok(ConditionType::Programmed, Reason::Programmed)
    }

    /// `ResolvedRefs=True/ResolvedRefs`
    pub const fn resolved_refs() -> Self {
        Self::ok(ConditionType::ResolvedRefs, Reason::ResolvedRefs)
    }

    /// Whether the condition `kind` is in `conditions` and holds.
    pub fn holds(conditions: &[Self], kind: ConditionType) -> bool {
        conditions.iter().any(|condition| condition.kind == kind && condition.status)
    }
}

impl fmt::Display for Condition {
    /// `Type=Status/Reason: message`, on one line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let status = if self.status { "True" } else { "False" };
        write!(f, "{}={status}/{}", self.kind, self.reason)?;
        if self.message.is_empty() { Ok(()) } else { write!(f, ": {}", OneLine(&self.message)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_read_as_it_is_written() {
        for word in ConditionType::ALL {
            assert_eq!(ConditionType::parse(word.as_str()), Some(*word));
        }
        for word in Reason::ALL {
            assert_eq!(Reason::parse(word.as_str()), Some(*word));
            assert!(
                word.as_str().chars().all(|c| c.is_ascii_alphanumeric()),
                "{word} is a reason that is no word"
            );
        }
    }

    // The page on which users look a condition up.
    #[test]
    fn the_manual_has_every_condition_that_is_computed() {
        let page = include_str!("manual/statuses.rs");
        for word in ConditionType::ALL {
            let is_computed = word.polarity() != Polarity::Neutral;
            assert_eq!(page.contains(&format!("//! | `{word}` |")), is_computed, "{word}");
        }
    }

    // CND-31, CND-67, GEN-13
    #[test]
    fn deprecated_and_reserved_types_cannot_be_said() {
        for never in ["Scheduled", "Ready", "Detached", "Attached"] {
            assert_eq!(ConditionType::parse(never), None);
        }
        assert_eq!(Reason::parse("NotReconciled"), None);
        assert_eq!(Reason::parse("Waiting"), None);
    }
}
