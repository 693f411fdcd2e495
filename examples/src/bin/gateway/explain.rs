//! `gateway explain`

use std::fmt::Write as _;
use std::io::{self, Write};
use std::process::ExitCode;

use gateway_core::exchange::{self, Arrival, Refusal, Stopped};
use gateway_core::filter::HttpFilter;
use gateway_core::hostname::Host;
use gateway_core::manifest::Severity;
use gateway_core::matching::RequestHead;
use gateway_core::matching::call::is_call;
use gateway_core::name::{ObjectName, RouteKind};
use gateway_core::rule::{Backend, BackendTarget, HttpRule, RuleName, SessionCarrier, SessionPersistence};
use gateway_core::table::{Explanation, Frontend, FrontendId, NoStream, Opening, RouteTable, Transport};
use gateway_examples::state::Update;
use http::{Method, Request, Uri, header, request};

use crate::args::Explain;
use crate::explain_stream;
use crate::load;
use crate::nearest::{self, Asked};

pub(crate) fn explain(args: &Explain) -> io::Result<ExitCode> {
    let asked = parse(args).map_err(invalid)?;
    let (update, _demo) = load::load(&args.source, &args.live, args.options())?;
    let table = &update.table;
    let ports = ports(table, &asked.url, args.gateway.as_deref());
    if ports.is_empty() {
        return Err(invalid(no_port(table, args.gateway.as_deref())));
    }
    let mut out = io::stdout().lock();
    let mut served = true;
    let request = &asked.request;
    for (id, port) in ports {
        let name = args.server_name.as_deref().or(asked.url.host());
        let name = name.filter(|_| port.opening() == Opening::Tls || args.server_name.is_some());
        let server_name = match (name.map(Host::of_name), &args.server_name) {
            (Some(Ok(name)), _) => Some(name),
            (Some(Err(error)), Some(_)) => return Err(invalid(error.to_string())),
            // An address is no server name: a client sends none.
            (Some(Err(_)), None) | (None, _) => None,
        };
        let is_request = explain_stream::asked(&asked.url).is_none();
        let what =
            if is_request { format!("{} {}", request.method, request.uri) } else { asked.url.to_string() };
        writeln!(out, "{what}\n  comes to port {} of {}", port.port(), port.owner())?;
        let found = table.find_stream(id, server_name.as_ref());
        // Where connections with this server name are passed on as they come, nothing is decided about requests.
        let is_for_requests = match found {
            Err(NoStream::Requests(_)) => true,
            Err(NoStream::NoListener) => port.takes_requests(),
            Ok(_) | Err(_) => false,
        };
        if !is_request || port.opening() == Opening::Tls && !is_for_requests {
            let (text, can_take) = explain_stream::explain(table, id, server_name.as_ref());
            out.write_all(text.as_bytes())?;
            served &= can_take;
            continue;
        }
        if port.opening() == Opening::Tls && table.listener_by_server_name(id, server_name.as_ref()).is_none()
        {
            writeln!(
                out,
                "\nThe TLS handshake is refused: no listener of the port serves its server name (HST-22)"
            )?;
            served = false;
            continue;
        }
        let explanation = explanation(table, id, port, request, server_name.as_ref()).map_err(invalid)?;
        out.write_all(text(&update, request, &explanation).as_bytes())?;
        let asked = Asked { update: &update, id, port, request, server_name: name };
        out.write_all(others(asked, &explanation).as_bytes())?;
        served &=
            explanation.decision.is_ok_and(|matched| failure(table, table.rule(matched.rule)).is_none());
    }
    let problems = update.problems.iter().filter(|problem| problem.severity != Severity::Info).count();
    if problems > 0 {
        let (source, check) = match args.live.kube {
            true => ("The cluster is not as it", "gateway check --kube"),
            false => ("The files are not as they", "gateway check"),
        };
        writeln!(out, "\n{source} should be, which may be why; `{check}` says more ({problems} in all)")?;
    }
    Ok(if served { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn invalid(message: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, message)
}

/// What is asked about.
struct Question {
    /// The URL, which says where the request comes to.
    url: Uri,
    /// The request; its host is that of the Host header, if there is one.
    request: request::Parts,
}

fn parse(args: &Explain) -> Result<Question, String> {
    let (method, url) = args.request.trim().split_once(' ').unwrap_or(("GET", args.request.trim()));
    let method = Method::from_bytes(method.as_bytes()).map_err(|_| format!("{method:?} is not a method"))?;
    let url: Uri = url.trim().parse().map_err(|error| format!("{url:?} is not a URL: {error}"))?;
    if url.scheme().is_none() || url.authority().is_none() {
        return Err(format!(
            "{url:?} is not a whole URL; write it as http://host/path, tls://host, or tcp://host:port"
        ));
    }
    let mut request = Request::builder().method(method).uri(url.clone());
    for header in &args.header {
        let (name, value) = header
            .split_once(':')
            .ok_or_else(|| format!("{header:?} is not a header; write 'name: value'"))?;
        request = request.header(name.trim(), value.trim());
    }
    let (mut request, ()) = request.body(()).map_err(|error| error.to_string())?.into_parts();
    if let Some(host) = request.headers.remove(header::HOST) {
        let with_host = |host: &str| {
            let mut parts = url.clone().into_parts();
            parts.authority = Some(host.parse()?);
            Ok::<_, http::Error>(Uri::from_parts(parts)?)
        };
        let host = host.to_str().unwrap_or_default();
        request.uri = with_host(host).map_err(|error| format!("Host {host:?}: {error}"))?;
    }
    Ok(Question { url, request })
}

/// Why a request goes where it goes.
pub(crate) fn explanation(
    table: &RouteTable,
    id: FrontendId,
    port: &Frontend,
    request: &request::Parts,
    server_name: Option<&Host<'_>>,
) -> Result<Explanation, String> {
    let mut arrived = Request::from_parts(request.clone(), ());
    let arrival = Arrival {
        server_name: server_name.map(Host::as_str),
        ..Arrival::new(port.owner().name(), port.port())
    };
    exchange::prepare(table, &arrival, &mut arrived).map_err(|stopped| match stopped {
        Stopped::Answered(answer) => format!("a filter of the listener answers: {}", answer.status()),
        Stopped::Refused(refusal) => refusal.to_string(),
        Stopped::Asks(auth) => {
            let service = &table.backend(auth.backend).service;
            format!("a filter of the listener asks {service} first; what it answers decides where the request goes")
        }
    })?;
    let head = RequestHead::of_request(&arrived).map_err(|error| error.to_string())?;
    Ok(table.explain(id, server_name, &head))
}

/// The rules that the request misses by least, and the routes that serve nothing.
fn others(asked: Asked<'_>, explanation: &Explanation) -> String {
    /// More are of no use to a reader.
    const MOST: usize = 5;
    let mut text = String::new();
    let mut list = |title: &str, entries: Vec<String>| {
        if !entries.is_empty() {
            let _ = writeln!(text, "\n{title}:");
        }
        for entry in entries.iter().take(MOST) {
            let _ = writeln!(text, "  {entry}");
        }
        if entries.len() > MOST {
            let _ = writeln!(text, "  and {} more", entries.len() - MOST);
        }
    };
    let misses = asked.misses(explanation).iter().map(ToString::to_string).collect();
    list("Rules with another host or path, the nearest first", misses);
    list("Routes that are not accepted", nearest::not_accepted(asked.update));
    text
}

/// The ports that the request may come to: those of its URL's port number, or the only ones of its scheme.
fn ports<'t>(table: &'t RouteTable, uri: &Uri, gateway: Option<&str>) -> Vec<(FrontendId, &'t Frontend)> {
    let secure = uri.scheme_str() == Some("https");
    let of_requests = (Transport::Tcp, if secure { Opening::Tls } else { Opening::Http });
    let stream = explain_stream::asked(uri);
    let wanted = stream.unwrap_or(of_requests);
    let candidates: Vec<_> = table
        .frontends()
        .filter(|(_, port)| (port.transport(), port.opening()) == wanted)
        .filter(|(_, port)| gateway.is_none_or(|gateway| is_named(port.owner().name(), gateway)))
        .collect();
    let usual = match (stream, secure) {
        // There is none for whatever it may be.
        (Some((_, Opening::Bytes)), _) => 0,
        (Some(_), _) | (None, true) => 443,
        (None, false) => 80,
    };
    let wanted = uri.port_u16().unwrap_or(usual);
    let exact: Vec<_> = candidates.iter().copied().filter(|(_, port)| port.port() == wanted).collect();
    if exact.is_empty() && uri.port_u16().is_none() && candidates.len() == 1 { candidates } else { exact }
}

/// Whether an object is called so, with its namespace or without.
fn is_named(object: &ObjectName, name: &str) -> bool {
    match name.split_once('/') {
        Some((namespace, name)) => *object.namespace == *namespace && *object.name == *name,
        None => *object.name == *name,
    }
}

fn no_port(table: &RouteTable, gateway: Option<&str>) -> String {
    let mut text = match gateway {
        Some(gateway) => {
            format!("no Gateway {gateway:?} has a listener for this scheme and port")
        }
        None => "no Gateway has a listener for this scheme and port".to_owned(),
    };
    let ports: Vec<_> = table
        .frontends()
        .map(|(_, port)| {
            let scheme = explain_stream::scheme(port);
            format!("{scheme} port {} of {}", port.port(), port.owner().name())
        })
        .collect();
    if ports.is_empty() {
        text.push_str("; none is served at all");
    } else {
        let _ = write!(text, "; there is {}", ports.join(", "));
    }
    text
}

/// The filters of a rule as they are written, which is what users know.
fn written_filters(update: &Update, rule: &HttpRule) -> Vec<String> {
    let RuleName { route, index, .. } = &rule.id;
    let index = usize::from(*index);
    let resources = &update.resources;
    let written = match route.kind {
        RouteKind::Http => resources.http_routes.get(&route.name).and_then(|route| {
            Some(route.spec.rules.get(index)?.filters.iter().map(serde_json::to_string).collect())
        }),
        RouteKind::Grpc => resources.grpc_routes.get(&route.name).and_then(|route| {
            Some(route.spec.rules.get(index)?.filters.iter().map(serde_json::to_string).collect())
        }),
        RouteKind::Tls | RouteKind::Tcp | RouteKind::Udp => None,
    };
    // What was read can be written.
    written.and_then(Result::ok).unwrap_or_default()
}

/// The rule; with the kind of its route, where it is none of an HTTPRoute.
pub(crate) fn name(rule: &RuleName) -> String {
    match rule.route.kind {
        RouteKind::Http => rule.to_string(),
        RouteKind::Grpc | RouteKind::Tls | RouteKind::Tcp | RouteKind::Udp => format!("{rule:#}"),
    }
}

/// How the client is told of a refusal.
fn answer(refusal: Refusal, request: &request::Parts) -> String {
    if is_call(&request.headers) {
        format!("grpc-status {}", refusal.grpc_code().as_str())
    } else {
        refusal.status().to_string()
    }
}

fn text(update: &Update, request: &request::Parts, explanation: &Explanation) -> String {
    let table = &update.table;
    let mut text = String::new();
    if let Some(listener) = explanation.listener {
        let listener = table.listener(listener);
        let hostname =
            listener.hostname.as_ref().map_or_else(|| "every host".to_owned(), ToString::to_string);
        let _ = writeln!(text, "  is taken by listener {listener}, which serves {hostname}");
    }
    if !explanation.candidates.is_empty() {
        text.push_str("\nRules with its host and path, in order of precedence:\n");
    }
    for candidate in &explanation.candidates {
        let rule = name(&table.rule(candidate.rule).id);
        let hostname = candidate.hostname.as_ref().map_or_else(|| "*".to_owned(), ToString::to_string);
        let _ = writeln!(
            text,
            "  {rule}  host {hostname}  {}  matches[{}]: {}",
            candidate.path, candidate.entry, candidate.outcome
        );
    }
    text.push('\n');
    match explanation.decision {
        Ok(matched) => {
            let rule = table.rule(matched.rule);
            let _ = writeln!(
                text,
                "Served by rule {} (rules[{}], matches[{}])",
                name(&rule.id),
                rule.id.index,
                matched.entry
            );
            text.push_str(&what_follows(update, request, rule));
            if let Some((refusal, why)) = failure(table, rule) {
                let _ = writeln!(text, "Answered with {}: {why}", answer(refusal, request));
            }
        }
        Err(no_match) => {
            let answer = answer(no_match.into(), request);
            let _ = writeln!(text, "Answered with {answer}: {}", no_match.in_table(table));
        }
    }
    text
}

/// The answer when the rule cannot serve any request, and why.
///
/// # Spec
/// FLT-05, HRB-02 to HRB-09.
fn failure(table: &RouteTable, rule: &HttpRule) -> Option<(Refusal, &'static str)> {
    if rule.filters.contains(&HttpFilter::Unresolved) {
        return Some((Refusal::Filter, "a filter of the rule cannot be carried out"));
    }
    if rule.filters.iter().any(|filter| matches!(filter, HttpFilter::RequestRedirect(_))) {
        return None;
    }
    let used = || rule.backends.refs().iter().filter(|backend| backend.weight > 0);
    if used().next().is_none() {
        return Some((Refusal::NoBackend, "the rule has no backend with a weight above 0"));
    }
    let found = || {
        used().filter_map(|backend| match backend.target {
            BackendTarget::Backend(id) => Some(table.backend(id)),
            BackendTarget::Unresolved => None,
        })
    };
    if found().next().is_none() {
        return Some((Refusal::UnresolvedBackend, "none of the backends of the rule can be found"));
    }
    found()
        .all(|backend| backend.endpoints.is_empty())
        .then_some((Refusal::NoEndpoints, "no backend of the rule has endpoints that are ready"))
}

fn what_follows(update: &Update, request: &request::Parts, rule: &HttpRule) -> String {
    let table = &update.table;
    let (failing, lost) = (answer(Refusal::Filter, request), answer(Refusal::UnresolvedBackend, request));
    let mut written = written_filters(update, rule).into_iter();
    let mut text = String::new();
    for made in &rule.filters {
        let broken = match made {
            HttpFilter::Unresolved => format!(": cannot be carried out, requests get {failing}"),
            _ => String::new(),
        };
        let _ = writeln!(text, "  filter   {}{broken}", written.next().unwrap_or_default());
    }
    let timeouts = rule.timeouts_for(&request.headers);
    if let Some(timeout) = timeouts.request() {
        let _ = writeln!(text, "  timeout  {timeout:?} for the request");
    }
    if let Some(timeout) = timeouts.backend_request() {
        let _ = writeln!(text, "  timeout  {timeout:?} for each attempt");
    }
    if let Some(retry) = &rule.retry {
        let _ = writeln!(text, "  retry    {} times", retry.attempts);
    }
    if let Some(session) = rule.session.as_deref() {
        let _ = writeln!(text, "  session  {}", kept_by(session));
    }
    for backend in rule.backends.refs() {
        let weight = backend.weight;
        let _ = match backend.target {
            BackendTarget::Backend(id) => {
                let backend = table.backend(id);
                let (service, port, endpoints) = (&backend.service, backend.port, &backend.endpoints);
                let tls = within_tls(backend);
                writeln!(text, "  backend  {service}:{port}{tls}, weight {weight}, endpoints {endpoints:?}")
            }
            BackendTarget::Unresolved => {
                writeln!(text, "  backend  invalid, weight {weight}: its requests get {lost}")
            }
        };
    }
    text
}

/// What keeps the requests of a client with one endpoint of the backend that is chosen, and for how long.
fn kept_by(session: &SessionPersistence) -> String {
    let carrier = match &session.carrier {
        SessionCarrier::Cookie(cookie) => format!("cookie {} for {}", cookie.name(), cookie.path()),
        SessionCarrier::Header(name) => format!("header {name}"),
    };
    match session.absolute_timeout {
        Some(timeout) => format!("{carrier}, {timeout:?} at most"),
        None => carrier,
    }
}

/// How TLS is spoken with a backend, where it is.
fn within_tls(backend: &Backend) -> String {
    backend.tls.as_ref().map_or_else(String::new, |tls| format!(" within TLS for {}", tls.server_name))
}
