//! A span that is kept until its end.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::SystemTime;

use gateway_core::name::ObjectName;
use opentelemetry::trace::{Event, Link, Span, SpanBuilder, SpanContext, SpanKind, Status};
use opentelemetry::{InstrumentationScope, KeyValue, Value};
use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanLinks};

use super::shared::Shared;
use crate::trace::{PolicySpan, cut};

/// A span of a Gateway with a policy.
#[derive(Debug)]
pub(super) struct Recorded {
    outbox: Arc<Shared>,
    gateway: ObjectName,
    context: SpanContext,
    /// Nothing once it has ended.
    data: Option<SpanData>,
}

// === impl Recorded ===

impl Recorded {
    pub(super) fn new(span: PolicySpan<'_>, scope: InstrumentationScope, outbox: Arc<Shared>) -> Self {
        let PolicySpan { gateway, builder, context, parent, .. } = span;
        let SpanBuilder { span_kind, name, start_time, attributes, .. } = builder;
        let start_time = start_time.unwrap_or_else(SystemTime::now);
        let mut recorded = SpanData {
            span_context: context.clone(),
            parent_span_id: parent.span_id(),
            parent_span_is_remote: parent.is_remote(),
            span_kind: span_kind.unwrap_or(SpanKind::Internal),
            name,
            start_time,
            end_time: start_time,
            attributes: attributes.unwrap_or_default(),
            dropped_attributes_count: 0,
            events: SpanEvents::default(),
            links: SpanLinks::default(),
            status: Status::Unset,
            instrumentation_scope: scope,
        };
        recorded.attributes.iter_mut().for_each(bound);
        Self { outbox, gateway: gateway.clone(), context, data: Some(recorded) }
    }
}

/// Cuts a text that is too long to be kept.
fn bound(KeyValue { value, .. }: &mut KeyValue) {
    if let Value::String(text) = value {
        let end = cut(text.as_str()).len();
        if end < text.as_str().len() {
            *value = Value::from(text.as_str()[..end].to_owned());
        }
    }
}

impl Span for Recorded {
    fn add_event_with_timestamp<T>(&mut self, name: T, timestamp: SystemTime, attributes: Vec<KeyValue>)
    where
        T: Into<Cow<'static, str>>,
    {
        if let Some(data) = &mut self.data {
            data.events.events.push(Event::new(name, timestamp, attributes, 0));
        }
    }

    fn span_context(&self) -> &SpanContext {
        &self.context
    }

    fn is_recording(&self) -> bool {
        self.data.is_some()
    }

    /// Says something; what was said by this name before is forgotten.
    fn set_attribute(&mut self, mut attribute: KeyValue) {
        let Some(data) = &mut self.data else { return };
        bound(&mut attribute);
        match data.attributes.iter_mut().find(|known| known.key == attribute.key) {
            Some(known) => *known = attribute,
            None => data.attributes.push(attribute),
        }
    }

    fn set_status(&mut self, status: Status) {
        if let Some(data) = &mut self.data
            && status > data.status
        {
            data.status = status;
        }
    }

    fn update_name<T>(&mut self, name: T)
    where
        T: Into<Cow<'static, str>>,
    {
        if let Some(data) = &mut self.data {
            data.name = name.into();
        }
    }

    fn add_link(&mut self, context: SpanContext, attributes: Vec<KeyValue>) {
        if let Some(data) = &mut self.data {
            data.links.links.push(Link::new(context, attributes, 0));
        }
    }

    fn end_with_timestamp(&mut self, timestamp: SystemTime) {
        if let Some(mut data) = self.data.take() {
            data.end_time = timestamp;
            self.outbox.put(&self.gateway, data);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::waiting::tests::span;
    use super::*;

    #[test]
    fn the_last_word_counts_and_texts_are_bounded() {
        let mut recorded = Recorded {
            outbox: Arc::default(),
            gateway: ObjectName::new("default", "gateway"),
            context: SpanContext::NONE,
            data: Some(span()),
        };
        recorded.set_attribute(KeyValue::new("a", 1));
        recorded.set_attribute(KeyValue::new("a", "é".repeat(1_000)));
        let [attribute] = &recorded.data.as_ref().unwrap().attributes[..] else { panic!("one") };
        assert_eq!(attribute.value.as_str(), "é".repeat(512));
        recorded.set_status(Status::error(""));
        recorded.set_status(Status::Unset);
        assert_eq!(recorded.data.as_ref().unwrap().status, Status::error(""));
        recorded.end();
        assert!(!recorded.is_recording());
    }
}
