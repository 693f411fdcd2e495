//! XTelemetryPolicies: which holds for a Gateway, what becomes of it, and what is wrong with each.
//!
//! A policy that cannot be carried out has no effect, and holds its Gateways all the same: of two for one Gateway, the older
//! one decides, or none. What is wrong with one Gateway is said of that one only.
//!
//! # Spec
//! [TEL-01](crate::spec#TEL-01) to [TEL-05](crate::spec#TEL-05), [POL-03](crate::spec#POL-03), [POL-04](crate::spec#POL-04).

use std::collections::BTreeMap;
use std::sync::Arc;

use http::{HeaderName, HeaderValue, header};

use super::gateways::Gateways;
use super::listener_filters::FindServices;
use crate::api::{
    AnyObject, AttributeSourceType, Fraction, GATEWAY_GROUP, Kind, LocalObjectReference, ParentBasedSampling,
    TelemetryAttribute, TelemetryMode, TracingConfig, TracingProvider, XTelemetryPolicy,
};
use crate::condition::Reason;
use crate::filter::Share;
use crate::finding::Finding;
use crate::name::{BackendId, ObjectName};
use crate::options::Options;
use crate::resolve::{BackendName, BackendReference, JudgedPolicy, Referrer, Usage, WrittenPolicy};
use crate::table::{AttributeSource, KnownAttribute, Sampling, SpanAttribute, Spans, Tracing};
use crate::validate::Validated;

/// All XTelemetryPolicies, judged.
#[derive(Debug, Default)]
pub(crate) struct TelemetryPolicies {
    /// The policy that holds for each Gateway that some policy names, there or not.
    by_gateway: BTreeMap<ObjectName, ObjectName>,
    judged: BTreeMap<ObjectName, JudgedTelemetryPolicy>,
    tracing: BTreeMap<ObjectName, Arc<Tracing>>,
}

/// What is wrong with a policy, and with each of its targets.
#[derive(Debug, Default)]
pub(crate) struct JudgedTelemetryPolicy {
    /// What is so for all of its Gateways.
    pub(crate) policy: JudgedPolicy,
    /// The Gateways that it names: those of ours, and those that are not there.
    pub(crate) targets: BTreeMap<ObjectName, TargetGateway>,
}

/// A Gateway that a policy names.
#[derive(Debug)]
pub(crate) struct TargetGateway {
    /// The controller that speaks for it.
    pub(crate) controller: Arc<str>,
    /// Why the policy is not accepted there.
    pub(crate) refusal: Option<Finding>,
}

// === impl TelemetryPolicies ===

impl TelemetryPolicies {
    /// Judges every policy, the oldest first: it has the Gateways that several name.
    ///
    /// # Spec
    /// TEL-01
    pub(crate) fn new(
        valid: &Validated,
        gateways: &Gateways,
        options: &Options,
        services: &mut impl FindServices,
    ) -> Self {
        let policies = WrittenPolicy::oldest_first(valid, &valid.telemetry_policies, |object| {
            let AnyObject::XTelemetryPolicy(policy) = object else { return None };
            Some(&**policy)
        });
        let mut all = Self::default();
        for written in policies {
            let (name, policy) = (written.name, written.object);
            let mut judged = JudgedTelemetryPolicy { policy: written.judged(), ..Default::default() };
            let mode = policy.spec.tracing.as_ref().map(|tracing| &tracing.mode);
            let wants_spans = matches!(mode, Some(TelemetryMode::Enabled | TelemetryMode::Unknown(_)));
            // Where none are made, none are wanted.
            if !options.telemetry_policies && wants_spans {
                let message = "no spans are made by this data plane as policies want them; remove it, or use a program that makes \
                               them, as `gateway` does that is built with `--features otlp`";
                judged.policy.refusals.push(Finding::whole(Reason::Invalid, message));
            }
            for (index, target) in policy.spec.target_refs.iter().enumerate() {
                let field = format!("spec.targetRefs[{index}]");
                match all.claim(name, target, valid) {
                    Ok((gateway, refusal)) => {
                        let ours = gateways.gateways.get(&gateway);
                        let controller = match ours {
                            Some(gateway) => gateway.controller.clone(),
                            // It is for its own controller to say something.
                            None if is_there(valid, &gateway) => continue,
                            None => options.controller_name.as_str().into(),
                        };
                        let refusal = refusal.map(|finding| finding.under(field));
                        judged.targets.insert(gateway, TargetGateway { controller, refusal });
                    }
                    Err(finding) => judged.policy.without_effect.push(finding.under(field)),
                }
            }
            let is_ours = !judged.targets.is_empty();
            if is_ours && written.is_whole() {
                let tracing = judged.policy.tracing(name, policy, services).map(Arc::new);
                let accepted = judged.targets.iter().filter(|(_, target)| target.refusal.is_none());
                let traced = accepted.filter_map(|(gateway, _)| Some((gateway.clone(), tracing.clone()?)));
                all.tracing.extend(traced.filter(|_| options.telemetry_policies));
            }
            all.judged.insert(name.clone(), judged);
        }
        all
    }

    /// Gives the policy its target, a Gateway; with why it is not accepted there, as where another has it.
    ///
    /// # Errors
    /// When it is nothing that a policy of this kind can be for.
    fn claim(
        &mut self,
        policy: &ObjectName,
        target: &LocalObjectReference,
        valid: &Validated,
    ) -> Result<(ObjectName, Option<Finding>), Finding> {
        let LocalObjectReference { group, kind, name } = target;
        if group != GATEWAY_GROUP || kind != Kind::Gateway.as_str() {
            let message = format!("{kind} of group {group:?} is not supported as a target; name a Gateway");
            return Err(Finding::new("kind", Reason::Invalid, message));
        }
        let gateway = ObjectName::new(&*policy.namespace, &**name);
        let holder = self.by_gateway.entry(gateway.clone()).or_insert_with(|| policy.clone());
        let refusal = if *holder != *policy {
            let message = format!(
                "XTelemetryPolicy {holder} has Gateway {gateway} already, and came first; remove one of the two"
            );
            Some(Finding::new("", Reason::Conflicted, message))
        } else if !is_there(valid, &gateway) {
            let message = format!("there is no Gateway {gateway}; write one, or name another");
            let finding = Finding::new("name", Reason::TargetNotFound, message);
            Some(finding.missing(Kind::Gateway.as_str(), gateway.clone()))
        } else {
            None
        };
        Ok((gateway, refusal))
    }

    /// All policies, judged.
    pub(crate) fn judged(&self) -> &BTreeMap<ObjectName, JudgedTelemetryPolicy> {
        &self.judged
    }

    /// What becomes of them, by Gateway.
    pub(crate) fn tracing(&self) -> BTreeMap<ObjectName, Arc<Tracing>> {
        self.tracing.clone()
    }

    /// The Gateways whose traces a Service or ServiceImport is told of.
    pub(crate) fn gateways_of(&self, service: &BackendName) -> impl Iterator<Item = &ObjectName> {
        let told = self.judged.values().filter(|judged| judged.policy.services.contains(service));
        told.flat_map(|judged| judged.targets.iter())
            .filter(|(_, target)| target.refusal.is_none())
            .map(|(gateway, _)| gateway)
    }
}

// === impl JudgedPolicy ===

impl JudgedPolicy {
    /// What a policy wants, as far as it can be had; nothing where it leaves all to the program.
    fn tracing(
        &mut self,
        name: &ObjectName,
        policy: &XTelemetryPolicy,
        services: &mut impl FindServices,
    ) -> Option<Tracing> {
        let written = policy.spec.tracing.as_ref()?;
        let spans = match &written.mode {
            TelemetryMode::Enabled => self.spans(name, written, services),
            TelemetryMode::Disabled => None,
            TelemetryMode::ImplementationDefault | TelemetryMode::Unknown(_) => return None,
        };
        Some(Tracing { policy: name.clone(), spans })
    }

    /// The spans; none where the provider cannot be told.
    fn spans(
        &mut self,
        name: &ObjectName,
        written: &TracingConfig,
        services: &mut impl FindServices,
    ) -> Option<Spans> {
        let TracingConfig {
            mode: _,
            provider,
            sampling_rate,
            parent_based_sampling,
            service_name,
            span_name,
            attributes,
        } = written;
        let attributes = self.attributes(attributes);
        let provider = provider.as_ref()?;
        let headers = self.headers(provider);
        Some(Spans {
            provider: self.provider(name, provider, services)?,
            headers,
            sampling: Sampling {
                of_new: share(sampling_rate.as_ref()),
                of_parents: parents(parent_based_sampling.as_ref()),
            },
            service_name: service_name.as_deref().map(Box::from),
            name: span_name.as_deref().map(Box::from),
            attributes,
        })
    }

    /// # Spec
    /// TEL-03
    fn provider(
        &mut self,
        name: &ObjectName,
        written: &TracingProvider,
        services: &mut impl FindServices,
    ) -> Option<BackendId> {
        let reference = &written.backend_ref;
        let namespace = &*name.namespace;
        let from = Referrer {
            group: Kind::XTelemetryPolicy.group(),
            kind: Kind::XTelemetryPolicy.as_str(),
            namespace,
        };
        self.services.extend(BackendReference::from(reference).service(namespace));
        let found = services.find(from, reference, Usage::Traces);
        found
            .map_err(|finding| {
                let finding = Finding {
                    message: format!("{}; until then no spans are made", finding.message),
                    ..finding
                };
                self.unresolved.push(finding.under("spec.tracing.provider.backendRef"));
            })
            .ok()
    }

    /// The headers that go with what the provider is sent.
    fn headers(&mut self, written: &TracingProvider) -> Box<[(HeaderName, HeaderValue)]> {
        let mut headers = Vec::with_capacity(written.headers.len());
        for (index, header) in written.headers.iter().enumerate() {
            let name = HeaderName::from_bytes(header.name.as_bytes()).ok();
            match name.zip(header.value.parse::<HeaderValue>().ok()) {
                Some((name, mut value)) if !is_of_the_message(&name) => {
                    // Who a program is to its provider is in no log.
                    value.set_sensitive(true);
                    headers.push((name, value));
                }
                Some(_) | None => {
                    let field = format!("spec.tracing.provider.headers[{index}]");
                    let message = format!("{} cannot be sent along, and is left out; remove it", header.name);
                    self.without_effect.push(Finding::new(field, Reason::UnsupportedValue, message));
                }
            }
        }
        headers.into()
    }

    /// # Spec
    /// TEL-05: what is not in the dictionary is left out, and said.
    fn attributes(&mut self, written: &[TelemetryAttribute]) -> Box<[SpanAttribute]> {
        let mut attributes = Vec::with_capacity(written.len().min(Tracing::MAX_ATTRIBUTES));
        for (index, attribute) in written.iter().enumerate() {
            let source = if attributes.len() < Tracing::MAX_ATTRIBUTES {
                source(attribute)
            } else {
                let message = format!("{} attributes are the most; remove some", Tracing::MAX_ATTRIBUTES);
                Err(Finding::whole(Reason::UnsupportedValue, message))
            };
            match source {
                Ok(source) => {
                    attributes.push(SpanAttribute { name: attribute.name.as_str().into(), source });
                }
                Err(finding) => {
                    let field = format_args!("spec.tracing.attributes[{index}]");
                    self.without_effect.push(finding.under(field));
                }
            }
        }
        attributes.into()
    }
}

/// Whether there is such a Gateway, whoever has it and whatever is wrong with it.
fn is_there(valid: &Validated, gateway: &ObjectName) -> bool {
    let mut rejected = valid.rejected.of_kind(Kind::Gateway);
    valid.gateways.contains_key(gateway) || rejected.any(|(rejected, _)| rejected.key == *gateway)
}

/// Where the value of an attribute comes from.
fn source(attribute: &TelemetryAttribute) -> Result<AttributeSource, Finding> {
    let TelemetryAttribute { name, source_type, header_name, literal_value, attribute_key } = attribute;
    let wrong = |field, message| Err(Finding::new(field, Reason::UnsupportedValue, message));
    match (source_type, header_name, literal_value, attribute_key) {
        (AttributeSourceType::Header, Some(header), ..) => match HeaderName::from_bytes(header.as_bytes()) {
            Ok(header) => Ok(AttributeSource::Header(header)),
            Err(_) => wrong("headerName", format!("{header:?} is no name of a header; write one")),
        },
        (AttributeSourceType::Literal, _, Some(text), _) => {
            Ok(AttributeSource::Literal(text.as_str().into()))
        }
        (AttributeSourceType::Attribute, .., Some(key)) => match KnownAttribute::parse(key) {
            Some(KnownAttribute::UrlFragment) => {
                let message = "no client sends what stands after # in an URL, so that there is never a value; remove it";
                wrong("attributeKey", message.to_owned())
            }
            Some(known) => Ok(AttributeSource::Known(known)),
            None => wrong(
                "attributeKey",
                format!(
                    "{key} is not known, and left out; write http.request.header.NAME, http.response.header.NAME or one of {}",
                    KnownAttribute::KEYS.join(", ")
                ),
            ),
        },
        // The schema has let no other through.
        _ => wrong("sourceType", format!("{name} has no value")),
    }
}

/// # Spec
/// TEL-04: all where nothing is said.
fn share(written: Option<&Fraction>) -> Share {
    // The schema has let no other shares through.
    let share = written.map(|Fraction { numerator, denominator }| Share::fraction(*numerator, *denominator));
    share.and_then(Result::ok).unwrap_or_default()
}

/// The share of sampled parents that count, if any does.
///
/// # Spec
/// TEL-04: where it is left to us they do, as in OpenTelemetry.
fn parents(written: Option<&ParentBasedSampling>) -> Option<Share> {
    match written.map(|written| (&written.mode, &written.sampling_rate)) {
        Some((TelemetryMode::Disabled, _)) => None,
        Some((TelemetryMode::Enabled, rate)) => Some(share(rate.as_ref())),
        Some((TelemetryMode::ImplementationDefault | TelemetryMode::Unknown(_), _)) | None => {
            Some(Share::all())
        }
    }
}

/// Whether a header says how the message itself is sent, which is not for a policy to say.
fn is_of_the_message(name: &HeaderName) -> bool {
    const OF_THE_MESSAGE: [HeaderName; 8] = [
        header::CONNECTION,
        header::CONTENT_ENCODING,
        header::CONTENT_LENGTH,
        header::CONTENT_TYPE,
        header::TE,
        header::TRAILER,
        header::TRANSFER_ENCODING,
        header::UPGRADE,
    ];
    OF_THE_MESSAGE.contains(name)
        || matches!(name.as_str(), "grpc-timeout" | "keep-alive" | "proxy-connection")
}
