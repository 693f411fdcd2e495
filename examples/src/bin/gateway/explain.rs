//! `gateway explain`

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::{self, Write};
use std::process::ExitCode;

use gateway_core::apply::Applied;
use gateway_core::exchange::{self, Arrival, AuthAnswer, Form, Permit, Refusal, Sought, Stopped};
use gateway_core::filter::HttpFilter;
use gateway_core::hostname::Host;
use gateway_core::manifest::Severity;
use gateway_core::matching::call::is_call;
use gateway_core::matching::{GrpcMethod, RequestHead};
use gateway_core::name::{ObjectName, RouteKind};
use gateway_core::rule::{
    BackendTarget, HttpRule, RetryBudget, RuleName, SessionCarrier, SessionPersistence, Sessions,
};
use gateway_core::table::{
    ClientValidationMode, Explanation, Frontend, FrontendId, Listener, NoStream, Opening, RouteTable, Spans,
    Tracing, Transport,
};
use http::uri::Scheme;
use http::{HeaderValue, Method, Request, Uri, header, request};

use crate::args::Explain;
use crate::explain_backend;
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
        let server_name = match (name.map(Host::from_name), &args.server_name) {
            (Some(Ok(name)), _) => Some(name),
            (Some(Err(error)), Some(_)) => return Err(invalid(error.to_string())),
            // An address is no server name: a client sends none.
            (Some(Err(_)), None) | (None, _) => None,
        };
        let is_request = explain_stream::asked(&asked.url).is_none();
        let what = if is_request {
            format!("{} {}", request.method, request.uri)
        } else {
            asked.url.to_string().trim_end_matches('/').to_owned()
        };
        writeln!(out, "{what}\n  comes to port {} of {}", port.port(), port.owner())?;
        let found = table.find_stream(id, server_name.as_ref());
        // Where connections with this server name are passed on as they come, nothing is decided about requests.
        let is_for_requests = match found {
            Err(NoStream::Requests(_)) => true,
            Err(NoStream::NoListener) => port.takes_requests(),
            Ok(_) | Err(_) => false,
        };
        if !is_request || port.opening() == Opening::Tls && !is_for_requests {
            let (text, can_take) = explain_stream::explain(&update, id, server_name.as_ref());
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
        let explained = explanation(table, id, port, request, server_name.as_ref()).map_err(invalid)?;
        out.write_all(text(&update, port, request, &explained).as_bytes())?;
        if explained.stopped.is_some() {
            served = false;
            continue;
        }
        let Explained { explanation, .. } = explained;
        let asked = Asked { update: &update, id, port, request, server_name: name };
        out.write_all(others(asked, &explanation).as_bytes())?;
        served &=
            explanation.decision.is_ok_and(|matched| failure(table, table.rule(matched.rule)).is_none());
    }
    out.write_all(problems(&update, served, args.live.kube).as_bytes())?;
    Ok(if served { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn invalid(message: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, message)
}

/// What else is wrong, which is no reason to doubt an answer that is one, and may be one for a refusal.
fn problems(update: &Applied, served: bool, in_cluster: bool) -> String {
    let problems = || update.problems.iter().filter(|problem| problem.severity != Severity::Info);
    let objects = problems().filter_map(|problem| problem.object.as_deref()).collect::<BTreeSet<_>>().len();
    let of_objects = match objects {
        0 => String::new(),
        1 => " in 1 object".to_owned(),
        objects => format!(" in {objects} objects"),
    };
    let count = match problems().count() {
        0 => return String::new(),
        1 => "1 problem".to_owned(),
        count => format!("{count} problems"),
    };
    let (place, check) = match in_cluster {
        true => ("cluster has", "gateway check --kube"),
        false => ("files have", "gateway check"),
    };
    match served {
        true => format!("\nBesides, the {place} {count}{of_objects}, which `{check}` tells\n"),
        false => format!("\nThe {place} {count}{of_objects}, which may be why; `{check}` says more\n"),
    }
}

/// How URLs are written.
const FORMS: &str =
    "write it as http://host/path, grpc://host/service/method, tls://host, or tcp://host:port";

/// The schemes that something can be asked by.
const SCHEMES: [&str; 7] = ["http", "https", "grpc", "grpcs", "tls", "tcp", "udp"];

/// What is asked about.
struct Question {
    /// The URL, which says where the request comes to.
    url: Uri,
    /// The request; its host is that of the Host header, if there is one.
    request: request::Parts,
}

fn parse(args: &Explain) -> Result<Question, String> {
    let (method, url) = match args.request.trim().split_once(' ') {
        Some((method, url)) => (Some(method), url.trim()),
        None => (None, args.request.trim()),
    };
    let url: Uri = url.parse().map_err(|error| format!("{url:?} is not a URL: {error}; {FORMS}"))?;
    let (Some(scheme), Some(authority)) = (url.scheme_str(), url.authority()) else {
        return Err(format!("{url:?} is not a whole URL; {FORMS}"));
    };
    if !SCHEMES.contains(&scheme) {
        return Err(format!("nothing is asked by {scheme}://; write one of {}", SCHEMES.join(", ")));
    }
    // What is no port is none for `Uri`, and would look as if the usual one were meant.
    if authority.port().is_none() && !authority.as_str().ends_with(authority.host()) {
        return Err(format!("{:?} ends in no port; write host, or host:1 to host:65535", authority.as_str()));
    }
    let (url, of_call) = call(url);
    let method = method.unwrap_or(if of_call.is_some() { "POST" } else { "GET" });
    let method = Method::from_bytes(method.as_bytes()).map_err(|_| format!("{method:?} is not a method"))?;
    let mut request = Request::builder().method(method).uri(url.clone());
    if let Some(content_type) = of_call {
        request = request.header(header::CONTENT_TYPE, content_type);
    }
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

/// A call is a request like others, once its scheme is that of what carries it: its content type tells it apart.
fn call(url: Uri) -> (Uri, Option<HeaderValue>) {
    let scheme = match url.scheme_str() {
        Some("grpc") => Scheme::HTTP,
        Some("grpcs") => Scheme::HTTPS,
        _ => return (url, None),
    };
    let mut parts = url.into_parts();
    parts.scheme = Some(scheme);
    // A URL with another scheme is a URL still.
    let url = Uri::from_parts(parts).expect("a scheme and an authority are there, and a path is");
    (url, Some(HeaderValue::from_static("application/grpc")))
}

/// Why a request goes where it goes.
pub(crate) struct Explained {
    /// The search; that of the request as it came, where a filter stopped it before.
    pub(crate) explanation: Explanation,
    /// The authorization services that the filters of the listener ask first, one after the other. They are taken to let the request
    /// pass.
    asks: Vec<ObjectName>,
    /// What becomes of a request that a filter of the listener stops.
    stopped: Option<String>,
}

/// Explains where a request goes, with the filters of its listener.
pub(crate) fn explanation(
    table: &RouteTable,
    id: FrontendId,
    port: &Frontend,
    request: &request::Parts,
    server_name: Option<&Host<'_>>,
) -> Result<Explained, String> {
    let mut arrived = Request::from_parts(request.clone(), ());
    let arrival = Arrival {
        server_name: server_name.map(Host::as_str),
        ..Arrival::at(port.owner().as_ref(), port.port())
    };
    let mut asks = Vec::new();
    let filtered = match exchange::prepare(table, &arrival, &mut arrived) {
        Err(Stopped::Asks(_)) => {
            arrived = Request::from_parts(request.clone(), ());
            pass(table, &arrival, &mut arrived, &mut asks)
        }
        filtered => filtered,
    };
    let stopped = match filtered {
        Ok(()) => None,
        Err(Stopped::Answered(answer)) => Some(format!("{}: by a filter of the listener", answer.status())),
        Err(Stopped::Refused(refusal @ Refusal::ListenerFilter)) => {
            Some(format!("{}: a filter of the listener cannot be carried out", answer(refusal, request)))
        }
        Err(Stopped::Refused(refusal)) => return Err(refusal.to_string()),
        // Whom it asks is known by now.
        Err(Stopped::Asks(_)) => None,
    };
    if stopped.is_some() {
        arrived = Request::from_parts(request.clone(), ());
    }
    let head = RequestHead::from_request(&arrived).map_err(|error| error.to_string())?;
    Ok(Explained { explanation: table.explain(id, server_name, &head), asks, stopped })
}

/// Runs the filters of the listener on a request that every authorization service lets pass.
fn pass(
    table: &RouteTable,
    arrival: &Arrival<'_>,
    request: &mut Request<()>,
    asks: &mut Vec<ObjectName>,
) -> Result<(), Stopped> {
    let Sought::Filters(mut search) = Sought::begin(table, arrival, request)? else { return Ok(()) };
    loop {
        match search.run(table, request) {
            Err(Stopped::Asks(auth)) => {
                asks.push(table.backend(auth.backend).service.clone());
                search.on_auth_answer(AuthAnswer::Permit(Permit::default()), request.headers_mut())?;
            }
            Err(Stopped::Refused(Refusal::ListenerFilter)) => return Err(Refusal::ListenerFilter.into()),
            Err(answered @ Stopped::Answered(_)) => return Err(answered),
            // Whether a rule serves it is for the table to say.
            Ok(_) | Err(Stopped::Refused(_)) => return Ok(()),
        }
    }
}

/// What a listener wants of clients, within TLS.
pub(crate) fn clients(listener: &Listener) -> &'static str {
    let asked = listener.protocol.tls().and_then(|tls| tls.clients.as_ref());
    match asked.map(|clients| clients.mode) {
        None => "",
        Some(ClientValidationMode::AllowValidOnly) => {
            ", to clients with a certificate of an authority that it trusts"
        }
        Some(ClientValidationMode::AllowInsecureFallback) => {
            ", and asks clients for a certificate, which they need not have"
        }
    }
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
    list("Routes of its host that are attached at other ports only", asked.elsewhere());
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
            format!("no {gateway:?} is served at this port by this scheme")
        }
        None => "nothing is served at this port by this scheme".to_owned(),
    };
    let ports: Vec<_> = table
        .frontends()
        .map(|(_, port)| {
            let scheme = explain_stream::scheme(port);
            format!("{scheme} port {} of {}", port.port(), port.owner())
        })
        .collect();
    if ports.is_empty() {
        text.push_str("; nothing is served at all: `gateway check` says why");
    } else {
        let _ = write!(text, "; there is {}", ports.join(", "));
    }
    text
}

/// The filters of a rule as they are written, which is what users know.
fn written_filters(update: &Applied, rule: &HttpRule) -> Vec<String> {
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
    match Form::from_request(&request.method, &request.headers) {
        Form::Grpc(_) => format!("grpc-status {}", refusal.grpc_code().as_str()),
        Form::Http | Form::Head => refusal.status().to_string(),
    }
}

fn text(update: &Applied, port: &Frontend, request: &request::Parts, explained: &Explained) -> String {
    let Explained { explanation, asks, stopped } = explained;
    let table = &update.table;
    let mut text = String::new();
    if let Some(listener) = explanation.listener {
        let listener = table.listener(listener);
        let hostname =
            listener.hostname.as_ref().map_or_else(|| "every host".to_owned(), ToString::to_string);
        let clients = clients(listener);
        let _ = writeln!(text, "  is taken by listener {listener}, which serves {hostname}{clients}");
    }
    let path = request.uri.path();
    if is_call(&request.headers) && GrpcMethod::from_path(path).is_none() {
        let _ = writeln!(text, "  is for no GRPCRoute: these match /Service/Method, and the path is {path}");
    }
    for service in asks {
        let _ = writeln!(text, "  passes if {service} lets it, which a filter of the listener asks");
    }
    if let Some(stopped) = stopped {
        let _ = writeln!(text, "\nAnswered with {stopped}");
        return text;
    }
    if !explanation.candidates.is_empty() {
        text.push_str("\nRules with its host and path, in order of precedence:\n");
    }
    for candidate in &explanation.candidates {
        let _ = writeln!(text, "  {}", candidate.in_table(table));
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
            text.push_str(&what_follows(update, port, request, rule));
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

/// What the share of a reference gets that leads nowhere: the same, whichever it is.
const UNRESOLVED: Refusal = Refusal::UnresolvedBackend { position: 0 };

/// The answer when the rule cannot serve any request, and why.
///
/// # Spec
/// FLT-05, HRB-02 to HRB-09.
pub(crate) fn failure(table: &RouteTable, rule: &HttpRule) -> Option<(Refusal, &'static str)> {
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
        return Some((UNRESOLVED, "none of the backends of the rule can be found"));
    }
    found()
        // What a name leads to is not known here.
        .all(|backend| backend.endpoints.is_empty() && backend.hostname.is_none())
        .then_some((Refusal::NoEndpoints, "no backend of the rule has endpoints that are ready"))
}

fn what_follows(update: &Applied, port: &Frontend, request: &request::Parts, rule: &HttpRule) -> String {
    let (failing, lost) = (answer(Refusal::Filter, request), answer(UNRESOLVED, request));
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
    let sessions = rule.sessions.as_deref();
    if let Some(Sessions::OfRule(session)) = sessions {
        let _ = writeln!(text, "  session  {}", kept_by(session));
    }
    let lost = format!("its requests get {lost}");
    text.push_str(&explain_backend::lines(update, port.owner(), &rule.id, &rule.backends, &lost));
    for (position, backend) in rule.backends.refs().iter().enumerate() {
        let BackendTarget::Backend(id) = backend.target else { continue };
        let backend = update.table.backend(id);
        if let Some(Sessions::OfBackends(_)) = sessions
            && let Some(session) = sessions.and_then(|sessions| sessions.of_backend(position))
        {
            let _ = writeln!(text, "  session  with {}: {}", backend.service, kept_by(session));
        }
        if let Some(budget) = backend.retry_budget.as_deref().filter(|_| rule.retry.is_some()) {
            let _ = writeln!(text, "  retries  to {}: {}", backend.service, budgeted(budget));
        }
    }
    if let Some(tracing) = port.owner().gateway().and_then(|gateway| update.table.tracing(gateway)) {
        let _ = writeln!(text, "  traces   {}", traced(&update.table, tracing));
    }
    text
}

/// What a policy says of the traces of the Gateway.
pub(crate) fn traced(table: &RouteTable, Tracing { policy, spans }: &Tracing) -> String {
    let Some(Spans { provider, sampling, .. }) = spans else {
        return format!("none, by XTelemetryPolicy {policy}");
    };
    let provider = table.backend(*provider);
    let parents = match sampling.of_parents {
        None => "whatever the client has decided".to_owned(),
        Some(share) => format!("{share} of those that the client has sampled"),
    };
    format!(
        "{} of new ones, {parents}, told to {}:{}, by XTelemetryPolicy {policy}",
        sampling.of_new, provider.service, provider.port
    )
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

/// How much of what a backend gets may be retries.
pub(crate) fn budgeted(budget: &RetryBudget) -> String {
    let (percent, interval, least) = (budget.percent(), budget.interval(), budget.least());
    format!(
        "{percent} % of requests in {interval:?}, and {} in {:?} in any case",
        least.count, least.interval
    )
}
