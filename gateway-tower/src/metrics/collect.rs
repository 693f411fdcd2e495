//! The collected metrics, as text for Prometheus.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use gateway_core::table::{Certificate, ListenerProtocol, RouteTable};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Unit;
use x509_parser::parse_x509_certificate;

use super::attempt_end::AttemptEnd;
use super::cells::{AttemptCounts, PlaceCells, RequestCounts};
use super::class::Class;
use super::histogram::Counted;
use super::labels::{Labels, Place, To, With};
use super::method::MethodLabel;
use super::metrics::Metrics;
use super::series::Series;
use crate::names::LookupFailure;
use crate::outcome::Reason;

/// The label of an answer's class of status.
const CLASS: &str = "http_response_status_class";

impl Collector for Metrics {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let table = self.tables().load();
        let series = self.places().all();
        encode_requests(&mut encoder, &series)?;
        encode_attempts(&mut encoder, &series)?;
        self.encode_streams(&mut encoder)?;
        self.encode_sockets(&mut encoder, &table)?;
        encode_certificates(&mut encoder, &table)?;
        self.encode_names(&mut encoder, &table)?;

        let (name, help) = ("gateway_config_generation", "The number of the table in use");
        let mut metric = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
        metric.encode_gauge(&table.generation())?;

        let (name, help) =
            ("gateway_config_served_duration", "From the notice of a change until it was served");
        let mut metric =
            encoder.encode_descriptor(name, help, Some(&Unit::Seconds), MetricType::Histogram)?;
        let mut served = Counted::default();
        served.add(self.served_durations());
        histogram(&mut metric, &served)
    }
}

impl Metrics {
    fn encode_streams(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let all = self.streams().all();
        let all = || all.iter().map(|series| (series.labels(), &series.cells));

        let (name, help) = ("gateway_streams", "Connections passed on and flows of datagrams, at their end");
        let mut metric = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
        for (labels, cells) in all() {
            for (result, number) in cells.ends() {
                counter(&mut metric, &With(labels, [("result", result)]), number)?;
            }
        }

        let (name, help) = ("gateway_stream_duration", "From accepting a stream to its end");
        let mut metric =
            encoder.encode_descriptor(name, help, Some(&Unit::Seconds), MetricType::Histogram)?;
        for (labels, cells) in all().filter(|(_, cells)| !cells.durations().is_empty()) {
            let mut durations = Counted::default();
            durations.add(cells.durations());
            histogram(&mut metric.encode_family(labels)?, &durations)?;
        }

        let (name, help) = ("gateway_stream_bytes", "Bytes of streams that have ended, by direction");
        let mut metric = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
        for (labels, cells) in all() {
            for (direction, number) in cells.bytes() {
                counter(&mut metric, &With(labels, [("direction", direction)]), number)?;
            }
        }
        Ok(())
    }

    fn encode_sockets(&self, encoder: &mut DescriptorEncoder<'_>, table: &RouteTable) -> fmt::Result {
        let all = self.sockets().all(table);
        let (name, help) =
            ("gateway_connections_open", "Connections of clients that are open, tunnels included");
        let mut metric = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
        for (labels, cells) in &all {
            metric.encode_family(labels)?.encode_gauge(&cells.open())?;
        }

        let (name, help) = ("gateway_connections_accepted", "Connections of clients that were taken in");
        let mut metric = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
        for (labels, cells) in &all {
            metric.encode_family(labels)?.encode_counter::<NoLabelSet, _, u64>(&cells.accepted(), None)?;
        }

        let (name, help) =
            ("gateway_connections_refused", "Connections of clients that were not served, by reason");
        let mut metric = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
        for (labels, cells) in &all {
            for (reason, number) in cells.refused() {
                counter(&mut metric, &With(labels, [("reason", reason)]), number)?;
            }
        }

        let (name, help) = ("gateway_tls_handshakes", "TLS handshakes of clients, by how they ended");
        let mut metric = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
        for (labels, cells) in &all {
            for (result, number) in cells.handshakes() {
                counter(&mut metric, &With(labels, [("result", result)]), number)?;
            }
        }
        Ok(())
    }

    /// The look-ups of the names of backends, each backend by itself.
    fn encode_names(&self, encoder: &mut DescriptorEncoder<'_>, table: &RouteTable) -> fmt::Result {
        let Some(names) = self.names() else { return Ok(()) };
        let (name, help) =
            ("gateway_name_lookups", "Look-ups of the names of backends, by what they came to");
        let mut metric = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
        // A table has a backend twice that is spoken to in two ways.
        let backends: BTreeMap<_, _> = table
            .named_backends()
            .filter_map(|backend| Some((backend.to_string(), backend.hostname.as_deref()?)))
            .collect();
        let names = names.borrow();
        for (backend, name) in backends {
            let Some(state) = names.get(name) else { continue };
            let failed = LookupFailure::WORDS.into_iter().zip(state.failed);
            for (result, number) in [("found", state.found)].into_iter().chain(failed) {
                counter(&mut metric, &[("backend", &*backend), ("result", result)], number)?;
            }
        }
        Ok(())
    }
}

fn encode_requests(encoder: &mut DescriptorEncoder<'_>, series: &[Arc<Series<PlaceCells>>]) -> fmt::Result {
    let by_rule = || series.chunk_by(|one, other| one.labels().share_requests(other.labels()));
    let all: Vec<(Labels, RequestCounts)> =
        by_rule().map(|of_rule| (of_rule[0].labels().of_request(), counted(of_rule))).collect();

    let (name, help) =
        ("http_server_request_duration", "From the head of a request to the end of its answer");
    let mut metric = encoder.encode_descriptor(name, help, Some(&Unit::Seconds), MetricType::Histogram)?;
    for (labels, counts) in &all {
        for (index, class) in Class::all() {
            if let Some((durations, _)) = &counts.classes[index] {
                let labels = With(labels, [(CLASS, class)]);
                histogram(&mut metric.encode_family(&labels)?, durations)?;
            }
        }
    }

    let (name, help) = ("http_server_requests", "Requests whose answer has begun, or that were given up");
    let mut metric = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
    for (labels, counts) in &all {
        for (index, class) in Class::all() {
            let Some((_, methods)) = &counts.classes[index] else { continue };
            for (method, name) in MethodLabel::all() {
                let labels = With(labels, [("http_request_method", name), (CLASS, class)]);
                counter(&mut metric, &labels, methods[method])?;
            }
        }
    }

    let (name, help) =
        ("gateway_refused_requests", "Requests that the gateway answered by itself, by reason");
    let mut metric = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
    for of_rule in by_rule() {
        // Each reference that leads nowhere is counted by itself, with its name.
        let (unresolved, others): (Vec<_>, Vec<_>) =
            of_rule.iter().partition(|series| series.labels().are_unresolved());
        let unresolved = unresolved.into_iter().map(|series| (series.labels().clone(), counted([series])));
        let others = (of_rule[0].labels().of_request(), counted(others));
        for (labels, counts) in unresolved.chain([others]) {
            for (reason, number) in Reason::ALL.into_iter().zip(counts.refusals) {
                counter(&mut metric, &With(&labels, [("reason", reason.as_str())]), number)?;
            }
        }
    }

    let (name, help) = ("gateway_retries", "Attempts after the first of a request");
    let mut metric = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
    for (labels, counts) in &all {
        counter(&mut metric, labels, counts.retries)?;
    }
    Ok(())
}

/// What was counted of requests in these series.
fn counted<'s>(series: impl IntoIterator<Item = &'s Arc<Series<PlaceCells>>>) -> RequestCounts {
    series.into_iter().flat_map(|series| series.all()).map(|series| &series.cells.requests).collect()
}

fn encode_attempts(encoder: &mut DescriptorEncoder<'_>, series: &[Arc<Series<PlaceCells>>]) -> fmt::Result {
    let cells =
        |series: &Arc<Series<PlaceCells>>| series.all().map(|series| &series.cells.attempts).collect();
    let at_backends =
        series.iter().filter(|series| series.labels().have_backend() && !series.labels().are_unresolved());
    let all: Vec<(&Labels, AttemptCounts)> =
        at_backends.map(|series| (series.labels(), cells(series))).collect();

    let (name, help) = (
        "http_client_request_duration",
        "From an attempt at a backend to the head of its answer, or its failure",
    );
    let mut metric = encoder.encode_descriptor(name, help, Some(&Unit::Seconds), MetricType::Histogram)?;
    for (labels, counts) in &all {
        for (index, class, error) in AttemptEnd::all() {
            if let Some(durations) = &counts.ends[index] {
                let labels = With(*labels, [(CLASS, class), ("error_type", error)]);
                histogram(&mut metric.encode_family(&labels)?, durations)?;
            }
        }
    }

    let (name, help) = ("gateway_mirrored_requests", "Copies of requests, sent or dropped");
    let mut metric = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
    for (labels, counts) in &all {
        for (result, number) in [("sent", counts.sent), ("dropped", counts.dropped)] {
            counter(&mut metric, &With(*labels, [("result", result)]), number)?;
        }
    }
    Ok(())
}

/// When the first certificate of each chain expires. One that cannot be read, the listener says elsewhere.
fn encode_certificates(encoder: &mut DescriptorEncoder<'_>, table: &RouteTable) -> fmt::Result {
    let (name, help) =
        ("gateway_certificate_expiry_timestamp", "When a certificate of a listener expires, in Unix time");
    let mut metric = encoder.encode_descriptor(name, help, Some(&Unit::Seconds), MetricType::Gauge)?;
    for (id, listener) in table.listeners() {
        let ListenerProtocol::Https(tls) = &listener.protocol else { continue };
        let labels = Labels::new(table, Place { listener: id, rule: None, to: To::None });
        let mut told = Vec::new();
        for certificate in tls.certificates.iter() {
            // A listener may name a Secret twice.
            let (Some(secret), Some(expiry)) = (certificate.secret(), expiry(certificate)) else { continue };
            if !told.contains(&secret) {
                told.push(secret);
                let secret = secret.to_string();
                let labels = With(&labels, [("secret", &*secret)]);
                metric.encode_family(&labels)?.encode_gauge(&expiry)?;
            }
        }
    }
    Ok(())
}

fn expiry(certificate: &Certificate) -> Option<i64> {
    let (_, certificate) = parse_x509_certificate(certificate.chain().first()?).ok()?;
    Some(certificate.validity().not_after.timestamp())
}

fn histogram(metric: &mut MetricEncoder<'_>, counted: &Counted) -> fmt::Result {
    metric.encode_histogram::<NoLabelSet>(counted.sum(), counted.count(), &counted.buckets, None)
}

/// A counter, unless there is nothing to count yet: most of what might happen never does.
fn counter(metric: &mut MetricEncoder<'_>, labels: &impl EncodeLabelSet, number: u64) -> fmt::Result {
    match number {
        0 => Ok(()),
        _ => metric.encode_family(labels)?.encode_counter::<NoLabelSet, _, u64>(&number, None),
    }
}
