//! XBackends: what each leads to, how it is spoken with, and what is wrong with it.
//!
//! One that cannot be carried out is no backend: what is sent to it fails rather than go in plain text, or to a place that was not
//! meant.
//!
//! The surprising case: a name outside the cluster has no endpoints here. Looking it up takes a network, and so it is for the embedder that
//! takes the table into use.
//!
//! # Spec
//! [XBK-01](crate::spec#XBK-01) to [XBK-08](crate::spec#XBK-08), [SES-01](crate::spec#SES-01).

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

use super::certificate_ref::{Certificates, RefError};
use super::pods::{Selector, of_namespace, ready, selects};
use super::policy::JudgedPolicy;
use super::reference_grant::Referrer;
use super::session::session;
use super::usage::Usage;
use crate::api::{
    self, AnyObject, BackendProtocol as Protocol, BackendTlsMode, BackendType, Kind, Object, Pod, XBackend,
};
use crate::condition::Reason;
use crate::feature::Feature;
use crate::finding::Finding;
use crate::name::ObjectName;
use crate::options::Options;
use crate::rule::{Backend, BackendKind, BackendProtocol, BackendTls, SessionPersistence};
use crate::table::Certificate;
use crate::validate::{Valid, Validated};

/// All XBackends, judged.
#[derive(Debug, Default)]
pub(crate) struct XBackends {
    judged: BTreeMap<ObjectName, JudgedBackend>,
}

/// An XBackend, and what is wrong with it.
#[derive(Debug, PartialEq)]
pub(crate) struct JudgedBackend {
    /// What is wrong, whichever Gateway sends something there.
    pub(crate) judged: JudgedPolicy,
    /// Whether it refers to other objects.
    pub(crate) has_references: bool,
    /// What it is to the data plane; nothing when it cannot be carried out.
    made: Option<Made>,
}

/// What an XBackend is to the data plane.
#[derive(Debug, PartialEq)]
struct Made {
    leads_to: LeadsTo,
    port: u16,
    protocol: Option<Protocol>,
    tls: Option<Arc<BackendTls>>,
    certificate: Option<Certificate>,
    session: Option<Arc<SessionPersistence>>,
}

/// Where the endpoints of an XBackend are.
#[derive(Debug, PartialEq)]
enum LeadsTo {
    /// They are the Pods with these labels.
    Pods(Selector),
    /// At the addresses of this name.
    Hostname(Arc<str>),
}

// === impl XBackends ===

impl XBackends {
    /// Judges every XBackend.
    pub(crate) fn new(valid: &Validated, certificates: &mut Certificates<'_>, options: &Options) -> Self {
        let good = valid.backends.iter().map(|(name, backend)| {
            let mut judged =
                JudgedPolicy { generation: backend.metadata.generation, ..JudgedPolicy::default() };
            let made = judged.backend(name, backend, certificates, options);
            let has_references = backend.spec.tls.mode != BackendTlsMode::None;
            (name.clone(), JudgedBackend { judged, has_references, made })
        });
        let mut judged: BTreeMap<_, _> = good.collect();
        // Left out, and known all the same.
        judged.extend(valid.rejected.of_kind(Kind::XBackend).filter_map(|(rejected, object)| {
            let AnyObject::XBackend(backend) = object else { return None };
            let problems: Vec<_> = rejected.problems.iter().map(ToString::to_string).collect();
            let message = format!("is not carried out: {}", problems.join("; "));
            let judged = JudgedPolicy {
                generation: backend.metadata.generation,
                refusals: vec![Finding::whole(Reason::Invalid, message)],
                ..JudgedPolicy::default()
            };
            Some((rejected.key.clone(), JudgedBackend { judged, has_references: false, made: None }))
        }));
        Self { judged }
    }

    /// All of them, judged.
    pub(crate) fn judged(&self) -> &BTreeMap<ObjectName, JudgedBackend> {
        &self.judged
    }

    /// Those that are something else to the data plane than by `before`.
    pub(crate) fn differences<'b>(&'b self, before: &'b Self) -> BTreeSet<&'b ObjectName> {
        let all = self.judged.keys().chain(before.judged.keys());
        all.filter(|name| self.judged.get(*name) != before.judged.get(*name)).collect()
    }

    /// The namespaces of which the Pods have to be known.
    pub(crate) fn namespaces_of_pods(&self) -> BTreeSet<&Arc<str>> {
        let selects = |made: &Made| matches!(made.leads_to, LeadsTo::Pods(_));
        let selecting = self.judged.iter().filter(|(_, judged)| judged.made.as_ref().is_some_and(selects));
        selecting.map(|(name, _)| &name.namespace).collect()
    }

    /// The certificates that are shown to them, by name.
    pub(crate) fn certificates(&self) -> BTreeMap<ObjectName, Certificate> {
        let certificate = |judged: &JudgedBackend| judged.made.as_ref()?.certificate.clone();
        let all = self.judged.iter();
        all.filter_map(|(name, judged)| Some((name.clone(), certificate(judged)?))).collect()
    }

    /// How sessions stay with the endpoints of one.
    pub(crate) fn session(&self, name: &ObjectName) -> Option<&Arc<SessionPersistence>> {
        self.judged.get(name)?.made.as_ref()?.session.as_ref()
    }

    /// The backend that one is for what is sent there, if it is there and can be used.
    ///
    /// # Errors
    /// Why it cannot.
    ///
    /// # Spec
    /// XBK-01, XBK-03, XBK-04, XBK-07.
    pub(crate) fn backend(
        &self,
        name: &ObjectName,
        usage: Usage,
        pods: &BTreeMap<ObjectName, Valid<Pod>>,
    ) -> Result<Backend, Finding> {
        let Some(JudgedBackend { made, .. }) = self.judged.get(name) else {
            let message = format!("there is no XBackend {name}; write one, or name another");
            let finding = Finding::whole(Reason::BackendNotFound, message);
            return Err(finding.because_of(Kind::XBackend.as_str(), name.clone()));
        };
        let Some(Made { leads_to, port, protocol, tls, certificate: _, session: _ }) = made else {
            let message =
                format!("XBackend {name} cannot be carried out, see its status; what is sent there fails");
            return Err(Finding::whole(Reason::BackendNotFound, message));
        };
        let protocol = spoken(usage, protocol.as_ref(), tls.is_some())
            .map_err(|why| Finding::whole(Reason::UnsupportedProtocol, format!("XBackend {name} {why}")))?;
        let (endpoints, hostname) = match leads_to {
            LeadsTo::Pods(selector) => (ready(pods, &name.namespace, selector, *port), None),
            LeadsTo::Hostname(hostname) => (Arc::default(), Some(hostname.clone())),
        };
        Ok(Backend {
            service: name.clone(),
            kind: BackendKind::XBackend,
            port: *port,
            hostname,
            protocol,
            tls: tls.clone(),
            retry_budget: None,
            endpoints,
        })
    }
}

/// The XBackends that select a Pod.
pub(crate) fn selecting(
    valid: &Validated,
    pod: &ObjectName,
    labels: &Pod,
) -> impl Iterator<Item = ObjectName> {
    let of_namespace = of_namespace(&valid.backends, &pod.namespace);
    of_namespace.filter_map(|(name, backend)| {
        let selector = &backend.spec.endpoint_selector.as_ref()?.match_labels;
        selects(selector, labels).then(|| name.clone())
    })
}

/// What the endpoints of an XBackend are spoken to.
///
/// # Errors
/// Why what is sent there cannot be, as what follows on the name.
///
/// # Spec
/// XBK-03
fn spoken(usage: Usage, protocol: Option<&Protocol>, within_tls: bool) -> Result<BackendProtocol, String> {
    let other = |what| {
        Err(format!("has protocol {}, which carries no {what}", protocol.map_or("", Protocol::as_str)))
    };
    match usage {
        Usage::Http => match protocol {
            None | Some(Protocol::Http | Protocol::Http11 | Protocol::Mcp) => Ok(BackendProtocol::Http1),
            Some(Protocol::Http2 | Protocol::H2c | Protocol::Grpc) => Ok(BackendProtocol::H2c),
            Some(Protocol::Wss) => Ok(BackendProtocol::WebSocket),
            Some(Protocol::Tcp | Protocol::Unknown(_)) => other("requests"),
        },
        Usage::Grpc => match protocol {
            None | Some(Protocol::Http | Protocol::Http2 | Protocol::H2c | Protocol::Grpc) => {
                Ok(BackendProtocol::H2c)
            }
            Some(Protocol::Http11 | Protocol::Mcp | Protocol::Wss | Protocol::Tcp | Protocol::Unknown(_)) => {
                other("calls of gRPC")
            }
        },
        // TEL-03
        Usage::Traces => match protocol {
            None | Some(Protocol::Grpc | Protocol::H2c | Protocol::Http2) => Ok(BackendProtocol::H2c),
            Some(Protocol::Http | Protocol::Http11) => Ok(BackendProtocol::Http1),
            Some(Protocol::Mcp | Protocol::Wss | Protocol::Tcp | Protocol::Unknown(_)) => other("OTLP"),
        },
        // What goes over it is for the two ends.
        Usage::Terminated => Ok(BackendProtocol::default()),
        Usage::Tcp if within_tls => {
            Err("asks for TLS, and streams are passed on as they come; set mode None there".to_owned())
        }
        Usage::Tcp => Ok(BackendProtocol::default()),
        Usage::Udp => Err("takes no datagrams; refer to a Service".to_owned()),
    }
}

// === impl JudgedPolicy ===

impl JudgedPolicy {
    /// What an XBackend is to the data plane; nothing when it cannot be carried out, and why not.
    fn backend(
        &mut self,
        name: &ObjectName,
        backend: &XBackend,
        certificates: &mut Certificates<'_>,
        options: &Options,
    ) -> Option<Made> {
        let spec = &backend.spec;
        let leads_to = self.leads_to(&spec.r#type, spec, options);
        let tls = self.backend_tls(name, &spec.tls, certificates, options);
        let session = self.backend_session(name, backend, options);
        // All are looked at in any case, to tell all that is wrong.
        let (tls, certificate) = tls?;
        let port = spec.port.number.and_then(|number| u16::try_from(number).ok())?;
        Some(Made { leads_to: leads_to?, port, protocol: spec.protocol.clone(), tls, certificate, session })
    }

    /// # Spec
    /// XBK-01, XBK-05, XBK-07. The schema has let no other types through.
    fn leads_to(
        &mut self,
        kind: &BackendType,
        spec: &api::BackendSpec,
        options: &Options,
    ) -> Option<LeadsTo> {
        let mut refuse = |field: &str, reason, message: &str| {
            self.refusals.push(Finding::new(field, reason, format!("{field} {message}")));
            None
        };
        match kind {
            BackendType::EndpointSelector => {
                let selector = spec.endpoint_selector.as_ref()?;
                Some(LeadsTo::Pods(selector.match_labels.clone()))
            }
            BackendType::ExternalHostname if !options.external_hostnames => refuse(
                "spec.type",
                Reason::UnsupportedValue,
                "ExternalHostname is not supported: names are not looked up by this data plane; write EndpointSelector",
            ),
            BackendType::ExternalHostname => {
                let hostname = &spec.external_hostname.as_ref()?.hostname;
                if is_address(hostname) {
                    let why = match hostname.parse::<IpAddr>() {
                        Ok(_) => "is an address; write a name",
                        Err(_) => {
                            "ends in a number, and what looks names up takes such a name for an address; write another name"
                        }
                    };
                    return refuse("spec.externalHostname.hostname", Reason::Invalid, why);
                }
                Some(LeadsTo::Hostname(hostname.as_str().into()))
            }
            BackendType::Unknown(_) => None,
        }
    }

    /// How TLS is spoken with it, and what is shown to it in return.
    ///
    /// # Spec
    /// XBK-04
    fn backend_tls(
        &mut self,
        name: &ObjectName,
        written: &api::BackendTls,
        certificates: &mut Certificates<'_>,
        options: &Options,
    ) -> Option<(Option<Arc<BackendTls>>, Option<Certificate>)> {
        if written.mode == BackendTlsMode::None {
            return Some((None, None));
        }
        let (group, kind) = (XBackend::GROUP, XBackend::KIND);
        let from = Referrer { group, kind, namespace: &name.namespace };
        let validation = written.validation.as_ref()?;
        if !options.supports(Feature::BackendTlsPolicy) {
            let message = "spec.tls is not supported by this data plane; set mode None".to_owned();
            self.refusals.push(Finding::new("spec.tls", Reason::UnsupportedValue, message));
            return None;
        }
        let tls = self.validated_tls((from, "spec.tls.validation"), validation, certificates, options);
        let certificate = match &written.client_certificate_ref {
            None => None,
            Some(reference) => {
                const FIELD: &str = "spec.tls.clientCertificateRef";
                if !options.supports(Feature::GatewayBackendClientCertificate) {
                    let message = format!("{FIELD} is not supported by this data plane; set mode ServerOnly");
                    self.refusals.push(Finding::new(FIELD, Reason::UnsupportedValue, message));
                    return None;
                }
                match certificates.certificate(from, reference) {
                    Ok(certificate) => Some(certificate),
                    Err(error) => {
                        let reason = match error {
                            RefError::NotPermitted { .. } => Reason::RefNotPermitted,
                            RefError::Kind { .. } | RefError::Object { .. } => {
                                Reason::InvalidClientCertificateRef
                            }
                        };
                        self.unresolved.push(error.into_finding(FIELD.to_owned(), reason));
                        let message = format!("there is no certificate to show: {FIELD} leads to none");
                        self.refusals.push(Finding::new(FIELD, Reason::Invalid, message));
                        return None;
                    }
                }
            }
        };
        Some((Some(tls?), certificate))
    }

    /// How sessions stay with its endpoints, where they do.
    ///
    /// # Spec
    /// SES-01, SES-10.
    fn backend_session(
        &mut self,
        name: &ObjectName,
        backend: &XBackend,
        options: &Options,
    ) -> Option<Arc<SessionPersistence>> {
        let written = backend.spec.session_persistence.as_ref()?;
        let mut no_effect = |field: &str, message| {
            self.without_effect.push(Finding::new(format!("spec.{field}"), Reason::Invalid, message));
        };
        if !options.session_persistence {
            no_effect("sessionPersistence", "sessions are not kept by this data plane; remove it".to_owned());
            return None;
        }
        let scope = backend.metadata.uid.clone().unwrap_or_else(|| format!("XBackend {name}"));
        let made = session(written, scope, &format!("XBackend {name}"));
        made.map_err(|field| no_effect(field, "cannot be carried out".to_owned())).ok().map(Arc::new)
    }
}

/// Whether a name would be taken for an address: what looks names up takes all that ends in a number for one.
fn is_address(hostname: &str) -> bool {
    let last = hostname.rsplit('.').next().unwrap_or_default();
    let digits = last.strip_prefix("0x").unwrap_or(last);
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    is_number(last) || digits.len() < last.len() && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    // XBK-01
    #[test]
    fn an_address_is_no_name() {
        for address in ["10.0.0.1", "127.1", "2130706433", "0x7f.0x1", "a.0x", "a.1"] {
            assert!(is_address(address), "{address}");
        }
        for name in ["a.example", "1.a", "10.0.0.1.example", "x7f.0xg", "a1"] {
            assert!(!is_address(name), "{name}");
        }
    }

    // XBK-03
    #[test]
    fn what_is_spoken_follows_the_protocol_and_what_is_sent() {
        use {BackendProtocol as Is, Protocol as P, Usage as U};
        for (usage, protocol, within_tls, expected) in [
            (U::Http, None, false, Some(Is::Http1)),
            (U::Http, Some(P::Http), false, Some(Is::Http1)),
            (U::Http, Some(P::Http11), true, Some(Is::Http1)),
            (U::Http, Some(P::Mcp), false, Some(Is::Http1)),
            (U::Http, Some(P::Http2), true, Some(Is::H2c)),
            (U::Http, Some(P::H2c), false, Some(Is::H2c)),
            (U::Http, Some(P::Grpc), false, Some(Is::H2c)),
            (U::Http, Some(P::Wss), true, Some(Is::WebSocket)),
            (U::Http, Some(P::Tcp), false, None),
            (U::Grpc, None, false, Some(Is::H2c)),
            (U::Grpc, Some(P::Http), false, Some(Is::H2c)),
            (U::Grpc, Some(P::Grpc), true, Some(Is::H2c)),
            (U::Grpc, Some(P::Http11), false, None),
            (U::Grpc, Some(P::Wss), true, None),
            (U::Tcp, Some(P::Http), false, Some(Is::Http1)),
            (U::Tcp, Some(P::Tcp), true, None),
            (U::Terminated, Some(P::Tcp), true, Some(Is::Http1)),
            (U::Udp, None, false, None),
        ] {
            let found = spoken(usage, protocol.as_ref(), within_tls).ok();
            assert_eq!(found, expected, "{usage:?} {protocol:?}");
        }
    }
}
