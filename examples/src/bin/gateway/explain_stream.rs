//! `gateway explain` for what is passed on as it comes: `tls://name`, `tcp://any:port`, `udp://any:port`.

use std::fmt::Write as _;

use gateway_core::hostname::Host;
use gateway_core::rule::{BackendTarget, StreamRule};
use gateway_core::table::{
    Frontend, FrontendId, ListenerProtocol, NoStream, Opening, RouteTable, StreamExplanation, Transport,
};
use http::Uri;

/// What comes to a port, by the scheme of a URL; nothing for requests.
pub(crate) fn asked(url: &Uri) -> Option<(Transport, Opening)> {
    match url.scheme_str()? {
        "tls" => Some((Transport::Tcp, Opening::Tls)),
        "tcp" => Some((Transport::Tcp, Opening::Bytes)),
        "udp" => Some((Transport::Udp, Opening::Bytes)),
        _ => None,
    }
}

/// The scheme that stands for what comes to a port.
pub(crate) fn scheme(port: &Frontend) -> &'static str {
    match (port.transport(), port.opening(), port.takes_requests()) {
        (Transport::Udp, _, _) => "udp",
        (Transport::Tcp, Opening::Http, _) => "http",
        (Transport::Tcp, Opening::Tls, true) => "https",
        (Transport::Tcp, Opening::Tls, false) => "tls",
        (Transport::Tcp, _, _) => "tcp",
    }
}

/// Where a connection or a datagram goes and why, and whether a backend can take it.
pub(crate) fn explain(table: &RouteTable, id: FrontendId, server_name: Option<&Host<'_>>) -> (String, bool) {
    let StreamExplanation { decision, listener, candidates } = table.explain_stream(id, server_name);
    let mut text = String::new();
    if let Some(listener) = listener.map(|id| table.listener(id)) {
        let hostname =
            listener.hostname.as_ref().map_or_else(|| "every name".to_owned(), ToString::to_string);
        let tls = match listener.protocol {
            ListenerProtocol::TlsTerminate(_) => ", and terminates TLS",
            ListenerProtocol::TlsPassthrough => ", and passes TLS through",
            _ => "",
        };
        let _ = writeln!(text, "  is taken by listener {listener}, which serves {hostname}{tls}");
    }
    if !candidates.is_empty() {
        text.push_str("\nRoutes with its server name, in order of precedence:\n");
    }
    for candidate in &candidates {
        let hostname = candidate.hostname.as_ref().map_or_else(|| "*".to_owned(), ToString::to_string);
        let rule = &table.stream_rule(candidate.rule).id;
        let _ = writeln!(text, "  {rule:#}  host {hostname}: {}", candidate.outcome);
    }
    text.push('\n');
    let rule = match decision {
        Ok(matched) => table.stream_rule(matched.rule),
        Err(NoStream::Requests(_)) => {
            text.push_str("Its requests are decided about one by one: ask with http:// or https://\n");
            return (text, true);
        }
        Err(no_stream) => {
            let _ = writeln!(text, "Rejected: {}", no_stream.in_table(table));
            return (text, false);
        }
    };
    let _ = writeln!(text, "Passed on by rule {:#}", rule.id);
    let can_take = backends(table, rule, &mut text);
    if !can_take {
        text.push_str("Rejected: no backend of the rule can take it\n");
    }
    (text, can_take)
}

fn backends(table: &RouteTable, rule: &StreamRule, text: &mut String) -> bool {
    let mut can_take = false;
    for backend in rule.backends.refs() {
        let weight = backend.weight;
        let _ = match backend.target {
            BackendTarget::Backend(id) => {
                let backend = table.backend(id);
                let (service, port, endpoints) = (&backend.service, backend.port, &backend.endpoints);
                can_take |= weight > 0 && !endpoints.is_empty();
                writeln!(text, "  backend  {service}:{port}, weight {weight}, endpoints {endpoints:?}")
            }
            BackendTarget::Unresolved => {
                writeln!(text, "  backend  invalid, weight {weight}: its share is rejected")
            }
        };
    }
    can_take
}
