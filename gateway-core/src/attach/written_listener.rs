//! A listener as it is written: what can be told from it alone, and from what it refers to.
//!
//! Whether it has its place, its port and a Gateway that works comes later, from the others.

use std::sync::Arc;

use super::allowed_routes::AllowedNamespaces;
use super::client_validation::ClientValidations;
use super::listener::{AttachedListener, ListenerKey, ListenerState};
use super::listener_filters::{self, FindServices, Judged};
use super::protocol::Protocol;
use crate::api::{self, GATEWAY_GROUP, TlsModeType};
use crate::condition::Reason;
use crate::filter::{ExternalAuth, ListenerFilter};
use crate::finding::Finding;
use crate::hostname::HostnameError;
use crate::name::{ListenerOwnerKind, ObjectName, RouteKind};
use crate::options::Options;
use crate::resolve::{Certificates, RefError, Referrer, external_auth};
use crate::table::ListenerTls;

/// The object that holds a listener.
#[derive(Clone, Copy, Debug)]
pub(super) struct Owner<'a> {
    pub(super) gateway: &'a ObjectName,
    pub(super) kind: ListenerOwnerKind,
    pub(super) name: &'a ObjectName,
}

// === impl AttachedListener ===

impl AttachedListener {
    /// Looks at what is written about a listener, and at what it refers to.
    pub(super) fn judge(
        written: &api::Listener,
        owner: Owner<'_>,
        key: ListenerKey,
        certificates: &mut Certificates<'_>,
        options: &Options,
    ) -> Self {
        let api::Listener { name, hostname, port, protocol, tls, allowed_routes, filters } = written;
        let namespaces = &allowed_routes.namespaces;
        let mut listener = Self {
            gateway: owner.gateway.clone(),
            owner_kind: owner.kind,
            owner: owner.name.clone(),
            name: name.as_str().into(),
            port: u16::try_from(*port).unwrap_or(0),
            protocol: Protocol::new(protocol, tls.as_ref().map(|tls| &tls.mode)),
            hostname: None,
            kinds: Vec::new(),
            tls: None,
            filters: Arc::default(),
            judged_filters: Vec::new(),
            key,
            allowed_namespaces: AllowedNamespaces::new(
                &namespaces.from,
                namespaces.selector.as_ref(),
                &owner.name.namespace,
            ),
            state: ListenerState::default(),
        };
        match listener.protocol.route_kinds(options) {
            Ok(fitting) => {
                listener.admit_kinds(fitting, &allowed_routes.kinds);
                if listener.protocol.terminates_tls() {
                    listener.terminate_tls(tls.as_ref(), owner, certificates);
                }
            }
            Err(finding) => listener.state.refuse(finding),
        }
        match hostname.as_deref().filter(|hostname| !hostname.is_empty()).map(str::parse).transpose() {
            Ok(hostname) => listener.hostname = hostname,
            // AMB-49: an IP address has the form of a hostname, but is none.
            Err(error) => {
                let error: HostnameError = error;
                listener.state.refuse(Finding::new(
                    "hostname",
                    Reason::UnsupportedValue,
                    format!("hostname: {error}"),
                ));
            }
        }
        if let Some(filters) = filters {
            listener.take_filters(filters, protocol, options);
        }
        if listener.port == 0 {
            let message = format!("port {port} is not a port; use one from 1 to 65535");
            listener.state.refuse(Finding::new("port", Reason::PortUnavailable, message));
        } else if options.addresses.reserved_ports.contains(&listener.port) {
            let message = format!("port {port} is reserved on this Gateway; use another");
            listener.state.refuse(Finding::new("port", Reason::PortUnavailable, message));
        }
        listener
    }

    /// # Spec
    /// GWK-02 to GWK-05, AMB-59.
    fn admit_kinds(&mut self, fitting: Vec<RouteKind>, allowed: &[api::RouteGroupKind]) {
        if allowed.is_empty() {
            self.kinds = fitting;
            return;
        }
        let mut bad = Vec::new();
        for api::RouteGroupKind { group, kind } in allowed {
            let known = RouteKind::parse(kind).filter(|_| group == GATEWAY_GROUP);
            match known.filter(|kind| fitting.contains(kind)) {
                Some(kind) if self.kinds.contains(&kind) => {}
                Some(kind) => self.kinds.push(kind),
                None if group == GATEWAY_GROUP => bad.push(kind.clone()),
                None => bad.push(format!("{kind} in {group:?}")),
            }
        }
        if !bad.is_empty() {
            let fitting: Vec<_> = fitting.iter().map(|kind| kind.as_str()).collect();
            let message = format!(
                "allowedRoutes.kinds names {}, which protocol {} does not serve here; it serves {}",
                bad.join(", "),
                self.protocol,
                fitting.join(", ")
            );
            if self.kinds.is_empty() {
                let message = "no Route can attach: allowedRoutes.kinds names no kind that is served here";
                self.state.obstacle.get_or_insert(Finding::new(
                    "allowedRoutes.kinds",
                    Reason::Invalid,
                    message,
                ));
            }
            self.state.unresolved.push(Finding::new(
                "allowedRoutes.kinds",
                Reason::InvalidRouteKinds,
                message,
            ));
        }
    }

    /// # Spec
    /// PRF-06, PRF-07, PRF-09.
    fn take_filters(&mut self, filters: &api::ListenerFilters, protocol: &str, options: &Options) {
        match listener_filters::judge(filters, protocol, &self.owner.namespace, options) {
            Ok((filters, unresolved)) => {
                self.judged_filters = filters;
                self.state.unresolved.extend(unresolved);
            }
            Err(refusal) => self.state.refuse(refusal),
        }
    }

    /// Finds the authorization services of the filters, and makes these ready.
    ///
    /// # Spec
    /// PRF-07, FEA-09.
    pub(super) fn find_services(&mut self, services: &mut impl FindServices) {
        let from = Referrer {
            group: GATEWAY_GROUP,
            kind: self.owner_kind.as_str(),
            namespace: &self.owner.namespace,
        };
        let mut unresolved = Vec::new();
        let mut ready = |(index, judged): (usize, &Judged)| match judged {
            Judged::Ready(filter) => filter.clone(),
            Judged::Asks(reference, terms) => {
                match services.find(from, reference, external_auth::usage(terms)) {
                    Ok(backend) => {
                        ListenerFilter::ExternalAuth(Arc::new(ExternalAuth { backend, terms: terms.clone() }))
                    }
                    Err(Finding { reason, message, because_of, .. }) => {
                        let field = format!("filters.requests[{index}]");
                        let message = format!("{field}: externalAuth.backendRef: {message}");
                        let reason = match reason {
                            Reason::RefNotPermitted => reason,
                            _ => Reason::InvalidListenerFilterRef,
                        };
                        unresolved.push(Finding { because_of, ..Finding::new(field, reason, message) });
                        ListenerFilter::Unresolved
                    }
                }
            }
        };
        self.filters = self.judged_filters.iter().enumerate().map(&mut ready).collect();
        self.state.unresolved.extend(unresolved);
    }

    /// # Spec
    /// GWT-04 to GWT-09. One certificate that is missing does not take the others away.
    fn terminate_tls(
        &mut self,
        tls: Option<&api::ListenerTlsConfig>,
        owner: Owner<'_>,
        certificates: &mut Certificates<'_>,
    ) {
        if let Some(mode @ (TlsModeType::Passthrough | TlsModeType::Unknown(_))) = tls.map(|tls| &tls.mode) {
            let message = format!("tls.mode {mode} is not possible with protocol HTTPS; use Terminate");
            self.state.refuse(Finding::new("tls.mode", Reason::UnsupportedValue, message));
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
                    let field = format!("tls.certificateRefs[{index}]");
                    self.state.unresolved.push(error.into_finding(field, reason));
                }
            }
        }
        if !found.is_empty() {
            self.tls = Some(ListenerTls { certificates: found.into(), clients: None });
        } else if references.is_empty() {
            let message = "there is no certificate; name a Secret in tls.certificateRefs";
            self.state.obstacle.get_or_insert(Finding::new(
                "tls.certificateRefs",
                Reason::InvalidTlsConfig,
                message,
            ));
        } else {
            let message = "there is no usable certificate; see ResolvedRefs";
            self.state.obstacle.get_or_insert(Finding::new("tls.certificateRefs", Reason::Invalid, message));
        }
    }

    /// Looks at how the clients are to be checked. The listener keeps its place if they cannot: it must not go to
    /// another tenant while the Gateway's owner mends a certificate.
    ///
    /// # Spec
    /// GWF-02, GWF-04 to GWF-08, GWF-12. What is wrong there is for the Gateway's owner to see (GEN-17).
    pub(super) fn check_clients(&mut self, validations: &ClientValidations) {
        if self.protocol != Protocol::Https {
            return;
        }
        let Some(validation) = validations.of_port(self.port) else { return };
        let visible = |finding: &Finding| match self.owner_kind {
            ListenerOwnerKind::Gateway => finding.clone(),
            ListenerOwnerKind::ListenerSet | ListenerOwnerKind::Service => Finding::whole(
                finding.reason,
                "the client certificates that the Gateway asks for on this port cannot be checked; ask its owner",
            ),
        };
        let refusal = validation.refusal.as_ref().map(visible);
        let unresolved: Vec<_> = match self.owner_kind {
            ListenerOwnerKind::Gateway => validation.unresolved.clone(),
            ListenerOwnerKind::ListenerSet | ListenerOwnerKind::Service => {
                validation.unresolved.iter().take(1).map(visible).collect()
            }
        };
        self.state.unresolved.extend(unresolved);
        if let Some(tls) = &mut self.tls {
            tls.clients.clone_from(&validation.served);
        }
        if let Some(refusal) = refusal {
            self.state.refuse(refusal);
        }
    }
}
