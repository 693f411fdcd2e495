//! Every rule of the schemas, with an object that keeps it and one that breaks it.
//!
//! A row is the id of the rule, a spec that keeps it, a spec that breaks it, and where. The spec that breaks it breaks
//! nothing else: each row fails if another rule says something too. Specs are YAML in one line; they are read strictly, so
//! that a misspelt field in a row is seen.
#![cfg(feature = "resources")]

mod backend;
mod backend_tls_policy;
mod backend_traffic_policy;
mod gateway;
mod gateway_class;
mod grpc_route;
mod http_filters;
mod http_route;
mod objects;
mod reference_grant;
mod references;
mod statuses;
mod stream_routes;
mod telemetry_policy;

use gateway_core::api::{AnyObject, Kind};
use gateway_core::manifest;
use gateway_core::validate::problems;

/// A rule, a spec that keeps it, a spec that breaks it, and the path to what breaks it.
struct Row {
    rule: &'static str,
    good: String,
    bad: String,
    field: String,
}

fn row(rule: &'static str, good: impl Into<String>, bad: impl Into<String>, field: impl Into<String>) -> Row {
    Row { rule, good: good.into(), bad: bad.into(), field: field.into() }
}

/// Checks rows for objects of a kind.
fn check_rows(kind: Kind, rows: impl IntoIterator<Item = Row>) {
    check_rows_of(kind, &kind.api_version(), rows);
}

/// Checks rows for objects of a kind and version.
fn check_rows_of(kind: Kind, api_version: &str, rows: impl IntoIterator<Item = Row>) {
    for Row { rule, good, bad, field } in rows {
        assert_eq!(found(kind, api_version, &good), Vec::<String>::new(), "{rule} good: {}", shown(&good));
        assert_eq!(
            found(kind, api_version, &bad),
            [format!("{rule} {field}")],
            "{rule} bad: {}",
            shown(&bad)
        );
    }
}

/// Which rules an object with this spec breaks, and where.
fn found(kind: Kind, api_version: &str, spec: &str) -> Vec<String> {
    let text =
        format!("{{apiVersion: {api_version}, kind: {kind}, metadata: {{name: test}}, spec: {{{spec}}}}}");
    problems(&read(&text)).iter().map(|problem| format!("{} {}", problem.rule, problem.field)).collect()
}

/// Reads the one object of a text, without a word of complaint.
fn read(text: &str) -> AnyObject {
    let manifest = manifest::read(text, "test.yaml");
    let problems: Vec<String> = manifest.problems.iter().map(ToString::to_string).collect();
    assert_eq!(problems, Vec::<String>::new(), "{}", shown(text));
    let [(object, _)] = <[_; 1]>::try_from(manifest.objects).expect("one object");
    object
}

/// Several entries of a list.
fn many(count: usize, entry: impl Fn(usize) -> String) -> String {
    (0..count).map(entry).collect::<Vec<_>>().join(", ")
}

/// A text of so many characters.
fn long(length: usize) -> String {
    "a".repeat(length)
}

/// The beginning of a text, for messages.
fn shown(text: &str) -> String {
    text.chars().take(300).collect()
}
