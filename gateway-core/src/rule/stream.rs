//! Rules for what is passed on as it comes: TLS, TCP and UDP.

use super::{Backends, RuleData, RuleName};

/// The rule of a TLSRoute, TCPRoute or UDPRoute: it has no conditions of its own and no filters, only backends.
///
/// # Spec
/// [TLR-02](crate::spec#TLR-02), [TCR-01](crate::spec#TCR-01), [UDR-01](crate::spec#UDR-01). Of a Route of an older version,
/// which may have several, it is the first.
#[derive(Clone, Debug, PartialEq)]
pub struct StreamRule {
    /// The route, and which of its rules this is.
    pub id: RuleName,
    /// Where connections and datagrams go.
    pub backends: Backends,
    /// What the embedder wants to know about the rule.
    pub data: Option<RuleData>,
}
