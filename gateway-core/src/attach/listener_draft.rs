//! A listener while it is judged: what is wrong with it so far, and in the end its conditions.
//!
//! What a listener is can be told from the listener alone. Whether it has its place, its port and a Gateway that works
//! comes later, from the others.

use super::allowed_routes::AllowedNamespaces;
use super::certificate_ref::{Certificates, RefError};
use super::client_validation::ClientValidations;
use super::distinct::Conflict;
use super::finding::Finding;
use super::listener::{AttachedListener, ListenerKey, Protocol};
use super::options::Options;
use super::reference_grant::Referrer;
use crate::api::{self, GATEWAY_GROUP, TlsModeType};
use crate::condition::{Condition, ConditionType, Reason};
use crate::name::{ListenerOwnerKind, ObjectName, RouteKind};
use crate::table::ListenerTls;

/// A listener and what was found so far.
#[derive(Debug)]
pub(super) struct Draft {
    /// The listener, without conditions.
    pub(super) listener: AttachedListener,
    /// Why it is not accepted.
    pub(super) refusal: Option<Finding>,
    /// Why it cannot stand beside the others; says more than `refusal`.
    pub(super) conflict: Option<Conflict>,
    /// Why it cannot be programmed although it is accepted.
    pub(super) obstacle: Option<Finding>,
    /// References that lead nowhere.
    pub(super) unresolved: Vec<Finding>,
    /// Whether another listener ends TLS for some of its hosts.
    pub(super) overlapping: bool,
}

/// The object that holds a listener.
#[derive(Clone, Copy, Debug)]
pub(super) struct Owner<'a> {
    pub(super) gateway: &'a ObjectName,
    pub(super) kind: ListenerOwnerKind,
    pub(super) name: &'a ObjectName,
}

/// The reasons for which references are not resolved, the one first that is given if several apply.
///
/// # Spec
/// Section 23.3; permission stands before everything else (RGR-08).
const UNRESOLVED: [Reason; 5] = [
    Reason::RefNotPermitted,
    Reason::InvalidCertificateRef,
    Reason::InvalidCaCertificateRef,
    Reason::InvalidCaCertificateKind,
    Reason::InvalidRouteKinds,
];

// === impl Draft ===

impl Draft {
    /// Looks at what is written about a listener, and at what it refers to.
    pub(super) fn new(
        written: &api::Listener,
        owner: Owner<'_>,
        key: ListenerKey,
        certificates: &mut Certificates<'_>,
        options: &Options,
    ) -> Self {
        let api::Listener { name, hostname, port, protocol, tls, allowed_routes } = written;
        let namespaces = &allowed_routes.namespaces;
        let listener = AttachedListener {
            gateway: owner.gateway.clone(),
            owner_kind: owner.kind,
            owner: owner.name.clone(),
            name: name.as_str().into(),
            port: u16::try_from(*port).unwrap_or(0),
            protocol: Protocol::new(protocol, tls.as_ref().map(|tls| &tls.mode)),
            hostname: None,
            kinds: Vec::new(),
            tls: None,
            conditions: Vec::new(),
            key,
            allowed_namespaces: AllowedNamespaces::new(
                &namespaces.from,
                namespaces.selector.as_ref(),
                &owner.name.namespace,
            ),
        };
        let mut draft = Self {
            listener,
            refusal: None,
            conflict: None,
            obstacle: None,
            unresolved: Vec::new(),
            overlapping: false,
        };
        match draft.listener.protocol.route_kinds(options) {
            Ok(fitting) => {
                draft.admit_kinds(fitting, &allowed_routes.kinds);
                if draft.listener.protocol.ends_tls() {
                    draft.end_tls(tls.as_ref(), owner, certificates);
                }
            }
            Err(finding) => draft.refuse(finding),
        }
        match hostname.as_deref().filter(|hostname| !hostname.is_empty()).map(str::parse).transpose() {
            Ok(hostname) => draft.listener.hostname = hostname,
            // AMB-49: an IP address has the form of a hostname, but is none.
            Err(error) => {
                let error: crate::hostname::HostnameError = error;
                draft.refuse(Finding::new(Reason::UnsupportedValue, format!("hostname: {error}")));
            }
        }
        if draft.listener.port == 0 {
            let message = format!("port {port} is not a port; use one from 1 to 65535");
            draft.refuse(Finding::new(Reason::PortUnavailable, message));
        } else if options.addresses.reserved_ports.contains(&draft.listener.port) {
            let message = format!("port {port} is reserved on this Gateway; use another");
            draft.refuse(Finding::new(Reason::PortUnavailable, message));
        }
        draft
    }

    /// Not accepted, for this reason if there is none yet.
    pub(super) fn refuse(&mut self, finding: Finding) {
        self.refusal.get_or_insert(finding);
    }

    /// Whether the listener is accepted, as far as is known.
    pub(super) fn is_accepted(&self) -> bool {
        self.refusal.is_none() && self.conflict.is_none()
    }

    /// Whether it could be served, as far as is known.
    pub(super) fn is_valid(&self) -> bool {
        self.is_accepted() && self.obstacle.is_none()
    }

    /// In one word, what keeps the listener from being served.
    pub(super) fn defect(&self) -> Option<Reason> {
        let finding = || self.refusal.as_ref().or(self.obstacle.as_ref());
        self.conflict.map(Conflict::reason).or_else(|| finding().map(|finding| finding.reason))
    }

    /// # Spec
    /// GWK-02 to GWK-05, AMB-59.
    fn admit_kinds(&mut self, fitting: Vec<RouteKind>, allowed: &[api::RouteGroupKind]) {
        if allowed.is_empty() {
            self.listener.kinds = fitting;
            return;
        }
        let mut bad = Vec::new();
        for api::RouteGroupKind { group, kind } in allowed {
            let known = RouteKind::parse(kind).filter(|_| group == GATEWAY_GROUP);
            match known.filter(|kind| fitting.contains(kind)) {
                Some(kind) if self.listener.kinds.contains(&kind) => {}
                Some(kind) => self.listener.kinds.push(kind),
                None if group == GATEWAY_GROUP => bad.push(kind.clone()),
                None => bad.push(format!("{kind} in {group:?}")),
            }
        }
        if !bad.is_empty() {
            let fitting: Vec<_> = fitting.iter().map(|kind| kind.as_str()).collect();
            let message = format!(
                "allowedRoutes.kinds names {}, which protocol {} does not serve here; it serves {}",
                bad.join(", "),
                self.listener.protocol,
                fitting.join(", ")
            );
            if self.listener.kinds.is_empty() {
                let message = "no Route can attach: allowedRoutes.kinds names no kind that is served here";
                self.obstacle.get_or_insert(Finding::new(Reason::Invalid, message));
            }
            self.unresolved.push(Finding::new(Reason::InvalidRouteKinds, message));
        }
    }

    /// # Spec
    /// GWT-04 to GWT-09. One certificate that is missing does not take the others away.
    fn end_tls(
        &mut self,
        tls: Option<&api::ListenerTlsConfig>,
        owner: Owner<'_>,
        certificates: &mut Certificates<'_>,
    ) {
        if let Some(mode @ (TlsModeType::Passthrough | TlsModeType::Unknown(_))) = tls.map(|tls| &tls.mode) {
            let message = format!(
                "tls.mode {mode} is not possible with protocol HTTPS; use Terminate, or protocol TLS"
            );
            self.refuse(Finding::new(Reason::UnsupportedValue, message));
        }
        let references = tls.map_or(&[][..], |tls| &tls.certificate_refs);
        let from =
            Referrer { group: GATEWAY_GROUP, kind: owner.kind.as_str(), namespace: &owner.name.namespace };
        let mut found = Vec::with_capacity(references.len());
        for (index, reference) in references.iter().enumerate() {
            match certificates.certificate(from, reference) {
                Ok(certificate) if found.contains(&certificate) => {}
                Ok(certificate) => found.push(certificate),
                Err(error) => {
                    let reason = match error {
                        RefError::NotPermitted { .. } => Reason::RefNotPermitted,
                        RefError::Kind { .. } | RefError::Object { .. } => Reason::InvalidCertificateRef,
                    };
                    let message = format!("tls.certificateRefs[{index}] {error}");
                    self.unresolved.push(Finding::new(reason, message));
                }
            }
        }
        if !found.is_empty() {
            self.listener.tls = Some(ListenerTls { certificates: found.into() });
        } else if references.is_empty() {
            let message = "there is no certificate; name a Secret in tls.certificateRefs";
            self.obstacle.get_or_insert(Finding::new(Reason::InvalidTlsConfig, message));
        } else {
            let message = "there is no usable certificate; see ResolvedRefs";
            self.obstacle.get_or_insert(Finding::new(Reason::Invalid, message));
        }
    }

    /// Looks at how the clients are to be checked. The listener keeps its place if they cannot: it must not go to
    /// somebody else while the Gateway's owner mends a certificate.
    ///
    /// # Spec
    /// GWF-02, GWF-04 to GWF-08, GWF-12. What is wrong there is for the Gateway's owner to see (GEN-17).
    pub(super) fn check_clients(&mut self, validations: &ClientValidations) {
        if self.listener.protocol != Protocol::Https {
            return;
        }
        let Some(validation) = validations.of_port(self.listener.port) else { return };
        let visible = |finding: &Finding| match self.listener.owner_kind {
            ListenerOwnerKind::Gateway => finding.clone(),
            ListenerOwnerKind::ListenerSet => Finding::new(
                finding.reason,
                "the client certificates that the Gateway asks for on this port cannot be checked; ask its owner",
            ),
        };
        let refusal = validation.refusal.as_ref().map(visible);
        let unresolved: Vec<_> = match self.listener.owner_kind {
            ListenerOwnerKind::Gateway => validation.unresolved.clone(),
            ListenerOwnerKind::ListenerSet => validation.unresolved.iter().take(1).map(visible).collect(),
        };
        self.unresolved.extend(unresolved);
        if let Some(refusal) = refusal {
            self.refuse(refusal);
        }
    }

    /// The listener with its conditions. `waiting` says why nothing of its Gateway is served, if so.
    ///
    /// # Spec
    /// GWS-04, GWS-05, LST-10, GEN-07, GEN-08.
    pub(super) fn finish(self, waiting: Option<&str>) -> AttachedListener {
        let Self { mut listener, refusal, conflict, obstacle, unresolved, overlapping } = self;
        let mut conditions = Vec::with_capacity(3);
        if let Some(conflict) = conflict {
            let finding = Finding::new(conflict.reason(), conflict.message(&listener));
            conditions.push(finding.denies(ConditionType::Accepted));
            conditions.push(finding.denies(ConditionType::Programmed));
            if conflict == Conflict::TlsMode {
                listener.kinds.clear();
            }
        } else if let Some(refusal) = refusal {
            conditions.push(refusal.denies(ConditionType::Accepted));
            // Of the reasons for not being accepted, Programmed has this one only, and on ListenerSets only.
            let repeated = refusal.reason == Reason::PortUnavailable
                && listener.owner_kind == ListenerOwnerKind::ListenerSet;
            let reason = if repeated { Reason::PortUnavailable } else { Reason::Invalid };
            conditions.push(Condition::is_false(ConditionType::Programmed, reason, refusal.message));
        } else {
            conditions.push(Condition::accepted());
            conditions.push(match (obstacle, waiting) {
                (Some(obstacle), _) => obstacle.denies(ConditionType::Programmed),
                (None, Some(waiting)) => {
                    Condition::is_false(ConditionType::Programmed, Reason::Pending, waiting)
                }
                (None, None) => Condition::programmed(),
            });
        }
        conditions.push(resolved_refs(unresolved));
        if let Some(conflict) = conflict {
            conditions.push(Condition::is_true_because(
                ConditionType::Conflicted,
                conflict.reason(),
                conflict.message(&listener),
            ));
        }
        if overlapping {
            let message = format!(
                "another listener on port {} ends TLS for some of the same hosts; a client that reuses a connection \
                 for them is told to make a new one (421)",
                listener.port
            );
            conditions.push(Condition::is_true_because(
                ConditionType::OverlappingTlsConfig,
                Reason::OverlappingHostnames,
                message,
            ));
        }
        listener.conditions = conditions;
        listener
    }
}

fn resolved_refs(unresolved: Vec<Finding>) -> Condition {
    let rank = |finding: &Finding| UNRESOLVED.iter().position(|reason| *reason == finding.reason);
    let Some(worst) = unresolved.iter().min_by_key(|finding| rank(finding).unwrap_or(UNRESOLVED.len()))
    else {
        return Condition::resolved_refs();
    };
    let messages: Vec<_> = unresolved.iter().map(|finding| finding.message.as_str()).collect();
    Condition::is_false(ConditionType::ResolvedRefs, worst.reason, messages.join("; "))
}

// === impl Conflict ===

impl Conflict {
    pub(super) fn reason(self) -> Reason {
        match self {
            Self::Hostname => Reason::HostnameConflict,
            Self::Protocol | Self::TlsMode => Reason::ProtocolConflict,
        }
    }

    /// Names nobody: the other listener may be somebody else's (GEN-17).
    fn message(self, listener: &AttachedListener) -> String {
        let AttachedListener { port, protocol, hostname, .. } = listener;
        match (self, hostname) {
            (Self::Hostname, Some(hostname)) => format!(
                "another listener has port {port}, protocol {protocol} and hostname {hostname}, or hosts in common that \
                 cannot be told apart; use another hostname or port"
            ),
            (Self::Hostname, None) => format!(
                "another listener has port {port} and protocol {protocol} without hostname; use a hostname or another \
                 port"
            ),
            (Self::Protocol, _) => format!(
                "another listener has port {port} with a protocol that {protocol} cannot share it with; use another port"
            ),
            (Self::TlsMode, _) => format!(
                "another listener has port {port} with another TLS mode; use the same mode or another port"
            ),
        }
    }
}
