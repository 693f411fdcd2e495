//! XTelemetryPolicy.

use super::header_modifier::header;
use super::http_filter::{fraction, member};
use super::pattern;
use super::problem::Problems;
use super::reference;
use super::status;
use super::valid::Validate;
use crate::api::{
    AttributeSourceType as Source, ParentBasedSampling, TelemetryAttribute, TelemetryMode as Mode,
    TracingConfig, TracingProvider, XTelemetryPolicy,
};

/// # Spec
/// VAL-TP-01 to VAL-TP-11, LIM-25, VAL-ST-01, VAL-ST-04.
impl Validate for XTelemetryPolicy {
    fn problems(&self, problems: &mut Problems) {
        let spec = &self.spec;
        let at = &mut *problems.field("spec");
        at.list("targetRefs", &spec.target_refs, 1..=16, "LIM-25", reference::local);
        match &spec.tracing {
            Some(tracing) => self::tracing(tracing, &mut at.field("tracing")),
            None => at.report("VAL-TP-01", "asks for nothing; write tracing"),
        }
    }

    fn status_problems(&self, at: &mut Problems) {
        status::policy(&self.status, at);
    }
}

fn tracing(tracing: &TracingConfig, at: &mut Problems) {
    let TracingConfig {
        mode,
        provider,
        sampling_rate,
        parent_based_sampling,
        service_name,
        span_name,
        attributes,
    } = tracing;
    self::mode(mode, at);
    let enabled = *mode == Mode::Enabled;
    // An unknown mode has been reported.
    if !matches!(mode, Mode::Unknown(_)) {
        match (enabled, provider) {
            (true, None) => at.field("provider").report("VAL-TP-02", "is absent, but mode Enabled needs it"),
            (false, Some(_)) => only_enabled("provider", "VAL-TP-02", at),
            (true, Some(_)) | (false, None) => {}
        }
        for (name, present) in [
            ("samplingRate", sampling_rate.is_some()),
            ("parentBasedSampling", parent_based_sampling.is_some()),
            ("serviceName", service_name.is_some()),
            ("spanName", span_name.is_some()),
            ("attributes", !attributes.is_empty()),
        ] {
            if present && !enabled {
                only_enabled(name, "VAL-TP-03", at);
            }
        }
    }
    if let Some(provider) = provider {
        self::provider(provider, &mut at.field("provider"));
    }
    if let Some(rate) = sampling_rate {
        fraction(rate, &mut at.field("samplingRate"));
    }
    if let Some(parent_based) = parent_based_sampling {
        self::parent_based(parent_based, &mut at.field("parentBasedSampling"));
    }
    at.optional_text("serviceName", service_name.as_deref(), &pattern::SERVICE_NAME);
    at.optional_text("spanName", span_name.as_deref(), &pattern::SPAN_NAME);
    at.each("attributes", attributes, attribute);
    at.unique("attributes", attributes, Some("name"), "VAL-ST-01", |attribute| attribute.name.as_str());
}

fn mode(mode: &Mode, at: &mut Problems) {
    if let Mode::Unknown(value) = mode {
        at.field("mode").unknown_value(value, Mode::KNOWN);
    }
}

fn only_enabled(name: &'static str, rule: &'static str, at: &mut Problems) {
    at.field(name).report(rule, "is for mode Enabled only; drop it, or change the mode");
}

/// # Spec
/// LIM-25, VAL-ST-01.
fn provider(provider: &TracingProvider, at: &mut Problems) {
    let TracingProvider { backend_ref, headers } = provider;
    reference::backend(backend_ref.into(), &mut at.field("backendRef"));
    let headers = at.list("headers", headers, 0..=16, "LIM-25", header);
    at.unique("headers", headers, Some("name"), "VAL-ST-01", |header| header.name.as_str());
}

/// # Spec
/// VAL-TP-04
fn parent_based(parent_based: &ParentBasedSampling, at: &mut Problems) {
    let ParentBasedSampling { mode, sampling_rate } = parent_based;
    self::mode(mode, at);
    if let Some(rate) = sampling_rate {
        if matches!(mode, Mode::Disabled | Mode::ImplementationDefault) {
            only_enabled("samplingRate", "VAL-TP-04", at);
        }
        fraction(rate, &mut at.field("samplingRate"));
    }
}

/// # Spec
/// VAL-TP-07 to VAL-TP-11.
fn attribute(attribute: &TelemetryAttribute, at: &mut Problems) {
    let TelemetryAttribute { name, source_type, header_name, literal_value, attribute_key } = attribute;
    at.text("name", name, &pattern::ATTRIBUTE_NAME);
    if let Source::Unknown(value) = source_type {
        at.field("sourceType").unknown_value(value, Source::KNOWN);
    }
    let mut union = |name, of: Source, present: bool, rule| {
        member(name, of.as_str(), *source_type == of, present, rule, rule, at);
    };
    union("headerName", Source::Header, header_name.is_some(), "VAL-TP-08");
    union("literalValue", Source::Literal, literal_value.is_some(), "VAL-TP-09");
    union("attributeKey", Source::Attribute, attribute_key.is_some(), "VAL-TP-10");
    at.optional_text("headerName", header_name.as_deref(), &pattern::HEADER_NAME);
    if let Some(value) = literal_value {
        at.length("literalValue", value, 1..=1024, "LIM-25");
    }
    at.optional_text("attributeKey", attribute_key.as_deref(), &pattern::ATTRIBUTE_KEY);
}
