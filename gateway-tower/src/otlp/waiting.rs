//! The spans that wait to be sent, shared out over the Gateways that they are of.

use std::collections::HashMap;
use std::mem;

use foldhash::fast::RandomState;
use gateway_core::name::ObjectName;
use opentelemetry_sdk::trace::SpanData;

use super::{BATCH, LEAST_PER_GATEWAY, MAX_SPANS};

/// The spans that wait.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    all: usize,
    gateways: HashMap<ObjectName, OfGateway, RandomState>,
    /// How many spans found no room since this was asked last.
    lost: u64,
}

#[derive(Debug, Default)]
struct OfGateway {
    spans: Vec<SpanData>,
    /// Whether a batch is under way.
    busy: bool,
}

// === impl Waiting ===

impl Waiting {
    /// Keeps a span, if there is room. Says whether the Gateway has enough for a batch now.
    ///
    /// A Gateway may keep as many as it leaves free, so that one whose provider hangs takes half, and the next one half of the rest;
    /// but never is it left without a few.
    pub(super) fn put(&mut self, gateway: &ObjectName, span: SpanData) -> bool {
        let free = MAX_SPANS.saturating_sub(self.all);
        let own = match self.gateways.get_mut(gateway) {
            Some(own) => own,
            None => self.gateways.entry(gateway.clone()).or_default(),
        };
        if own.spans.len() >= free.max(LEAST_PER_GATEWAY) {
            self.lost += 1;
            return false;
        }
        own.spans.push(span);
        self.all += 1;
        own.spans.len() == BATCH
    }

    /// Takes a batch of each of so many Gateways that have none under way.
    pub(super) fn take(&mut self, most: usize) -> Vec<(ObjectName, Vec<SpanData>)> {
        let ready = self.gateways.iter_mut().filter(|(_, own)| !own.busy && !own.spans.is_empty());
        let taken = ready.take(most).map(|(gateway, own)| {
            own.busy = true;
            let rest = own.spans.split_off(own.spans.len().min(BATCH));
            (gateway.clone(), mem::replace(&mut own.spans, rest))
        });
        let taken: Vec<_> = taken.collect();
        self.all -= taken.iter().map(|(_, spans)| spans.len()).sum::<usize>();
        taken
    }

    /// A batch of this Gateway is under way no more.
    pub(super) fn done(&mut self, gateway: &ObjectName) {
        if let Some(own) = self.gateways.get_mut(gateway) {
            own.busy = false;
            if own.spans.is_empty() {
                self.gateways.remove(gateway);
            }
        }
    }

    /// Whether none is left, and none under way.
    pub(super) fn is_empty(&self) -> bool {
        self.gateways.is_empty()
    }

    /// How many spans found no room since this was asked last.
    pub(super) fn take_lost(&mut self) -> u64 {
        mem::take(&mut self.lost)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::time::SystemTime;

    use opentelemetry::InstrumentationScope;
    use opentelemetry::trace::{SpanContext, SpanId, SpanKind, Status};
    use opentelemetry_sdk::trace::{SpanEvents, SpanLinks};

    use super::*;

    /// A span that says nothing.
    pub(in super::super) fn span() -> SpanData {
        SpanData {
            span_context: SpanContext::NONE,
            parent_span_id: SpanId::INVALID,
            parent_span_is_remote: false,
            span_kind: SpanKind::Internal,
            name: "GET".into(),
            start_time: SystemTime::UNIX_EPOCH,
            end_time: SystemTime::UNIX_EPOCH,
            attributes: Vec::new(),
            dropped_attributes_count: 0,
            events: SpanEvents::default(),
            links: SpanLinks::default(),
            status: Status::Unset,
            instrumentation_scope: InstrumentationScope::default(),
        }
    }

    fn gateway(name: &str) -> ObjectName {
        ObjectName::new("default", name)
    }

    /// Puts spans until there is no more room; gives how many there was room for.
    fn fill(waiting: &mut Waiting, name: &str) -> usize {
        let before = waiting.all;
        while waiting.take_lost() == 0 {
            waiting.put(&gateway(name), span());
        }
        waiting.all - before
    }

    #[test]
    fn gateways_whose_providers_hang_leave_room_for_others() {
        let mut waiting = Waiting::default();
        let kept: Vec<_> = ["a", "b", "c"].iter().map(|name| fill(&mut waiting, name)).collect();
        assert_eq!(kept, [MAX_SPANS / 2, MAX_SPANS / 4, MAX_SPANS / 8]);
        let least = (0..20).map(|name| fill(&mut waiting, &name.to_string())).min();
        assert_eq!(least, Some(LEAST_PER_GATEWAY));
    }

    #[test]
    fn a_gateway_has_one_batch_under_way() {
        let mut waiting = Waiting::default();
        let told: Vec<_> = (0..BATCH + 1).filter(|_| waiting.put(&gateway("a"), span())).collect();
        assert_eq!(told, [BATCH - 1]);
        waiting.put(&gateway("b"), span());
        let mut taken: Vec<_> = waiting.take(9).iter().map(|(_, spans)| spans.len()).collect();
        taken.sort_unstable();
        assert_eq!((taken, waiting.take(9).len(), waiting.all), (vec![1, BATCH], 0, 1));
        waiting.done(&gateway("a"));
        assert_eq!(waiting.take(0).len(), 0);
        assert_eq!(waiting.take(1)[0].1.len(), 1);
        ["a", "b"].iter().for_each(|name| waiting.done(&gateway(name)));
        assert!(waiting.is_empty());
    }
}
