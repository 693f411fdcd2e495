//! The settings of one XTelemetryPolicy, as far as they can be carried out.
//!
//! # Spec
//! [TEL-03](crate::spec#TEL-03) to [TEL-05](crate::spec#TEL-05).

use http::{HeaderName, HeaderValue, header};

use super::listener_filters::FindServices;
use crate::api::{
    AttributeSourceType, Fraction, Kind, ParentBasedSampling, TelemetryAttribute, TelemetryMode,
    TracingConfig, TracingProvider, XTelemetryPolicy,
};
use crate::condition::Reason;
use crate::filter::Share;
use crate::finding::Finding;
use crate::name::{BackendId, ObjectName};
use crate::resolve::{BackendReference, JudgedPolicy, Referrer, Usage};
use crate::table::{AttributeSource, KnownAttribute, Sampling, SpanAttribute, Spans, Tracing};

// === impl JudgedPolicy ===

impl JudgedPolicy {
    /// What a policy wants, as far as it can be had; nothing where it leaves all to the program.
    pub(super) fn tracing(
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
