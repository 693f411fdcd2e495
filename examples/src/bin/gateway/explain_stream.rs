//! `gateway explain` for what is passed on as it comes: `tls://name`, `tcp://any:port`, `udp://any:port`.

use std::fmt::Write as _;

use gateway_core::apply::Applied;
use gateway_core::hostname::Host;
use gateway_core::rule::{BackendTarget, StreamRule};
use gateway_core::table::{
    Frontend, FrontendId, ListenerProtocol, NoStream, Opening, RouteTable, StreamExplanation, Transport,
};
use http::Uri;

use crate::explain::clients;
use crate::explain_backend;

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
pub(crate) fn explain(update: &Applied, id: FrontendId, server_name: Option<&Host<'_>>) -> (String, bool) {
    let table = &update.table;
    // What does not begin with TLS names no server.
    let has_name = table.frontend_of(id).opening() == Opening::Tls;
    let StreamExplanation { decision, listener, candidates } = table.explain_stream(id, server_name);
    let mut text = String::new();
    if let Some(listener) = listener.map(|id| table.listener(id)) {
        let _ = write!(text, "  is taken by listener {listener}");
        if has_name {
            let hostname =
                listener.hostname.as_ref().map_or_else(|| "every name".to_owned(), ToString::to_string);
            let tls = match listener.protocol {
                ListenerProtocol::TlsTerminate(_) => ", and terminates TLS",
                ListenerProtocol::TlsPassthrough => ", and passes TLS through",
                _ => "",
            };
            let _ = write!(text, ", which serves {hostname}{}{tls}", clients(listener));
        }
        text.push('\n');
    }
    if !candidates.is_empty() {
        let with_name = if has_name { " with its server name" } else { "" };
        let _ = writeln!(text, "\nRoutes{with_name}, in order of precedence:");
    }
    for candidate in &candidates {
        let hostname = candidate.hostname.as_ref().map_or_else(|| "*".to_owned(), ToString::to_string);
        let rule = &table.stream_rule(candidate.rule).id;
        let host = if has_name { format!("  host {hostname}") } else { String::new() };
        let _ = writeln!(text, "  {rule:#}{host}: {}", candidate.outcome);
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
    let owner = table.frontend_of(id).owner();
    text.push_str(&explain_backend::lines(update, owner, &rule.id, &rule.backends, "its share is rejected"));
    let can_take = can_take(table, rule);
    if !can_take {
        text.push_str("Rejected: no backend of the rule can take it\n");
    }
    (text, can_take)
}

/// Whether a backend of the rule gets anything, and has where to take it.
fn can_take(table: &RouteTable, rule: &StreamRule) -> bool {
    rule.backends.refs().iter().any(|backend| match backend.target {
        BackendTarget::Backend(id) => backend.weight > 0 && !table.backend(id).endpoints.is_empty(),
        BackendTarget::Unresolved => false,
    })
}
