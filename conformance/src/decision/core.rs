//! The core: translate, and take each request through an exchange.
//!
//! What the specification leaves open about headers, hop-by-hop ones and those about the client, is left out: the answers are
//! compared with those of a reference that knows nothing of them.

use std::mem;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::SystemTime;

use gateway_core::api::Resources;
use gateway_core::exchange::{self, AuthAnswer, Denial, Exchange, Form, Permit, Refusal, Sought, Stopped};
use gateway_core::filter::{AuthProtocol, ExternalAuth, Put};
use gateway_core::hostname::Host;
use gateway_core::matching::RequestHead;
use gateway_core::name::{BackendId, ObjectName};
use gateway_core::options::Options;
use gateway_core::rule::{self, SessionHeader, SessionKey};
use gateway_core::table::{
    Certificate, ClientValidationMode, Explanation, FrontendId, FrontendOwner, ListenerProtocol, NoMatch,
    NoStream, Opening, RouteTable, Transport,
};
use gateway_core::translate::translate;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, header, request, response};

use super::{
    Arrival, Asked, AuthReply, Authorities, BackendTls, CheckReply, ClientValidation, Decision, Effect,
    Entrance, Forwarded, Handshake, Identity, MeshArrival, Mirrored, Outcome, Question, Reply, Retry,
    RetryBudget, Sent, Session, StreamArrival, StreamOutcome, Target, Timeouts, headers,
};

/// The core with the table of one set of resources.
#[derive(Debug, Default)]
pub struct Core {
    table: Arc<RouteTable>,
}

// === impl Core ===

impl Core {
    /// Translates the resources.
    pub fn new(resources: &Resources, options: &Options) -> Self {
        Self::with_table(translate(resources, options).table)
    }

    /// A core with this table.
    pub fn with_table(table: RouteTable) -> Self {
        Self { table: Arc::new(table) }
    }

    /// What it decides by.
    pub fn table(&self) -> &RouteTable {
        &self.table
    }

    /// Who serves the request.
    pub fn decide(&self, arrival: &Arrival) -> Decision {
        match self.begin(&at(arrival), arrival, &mut arrival.auth.iter()) {
            Ok((exchange, _)) => served(&exchange),
            Err(Halt::Stopped(stopped)) => Decision::Refused(status(&stopped)),
            Err(Halt::Asks(_)) => Decision::Refused(StatusCode::CONTINUE),
        }
    }

    /// What becomes of the request.
    pub fn answer(&self, arrival: &Arrival) -> Outcome {
        self.answer_at(&at(arrival), arrival)
    }

    /// What becomes of a request within a mesh; nothing where no Route is for it, so that it goes on as if there were no mesh.
    pub fn answer_in_mesh(&self, arrival: &MeshArrival) -> Option<Effect> {
        let MeshArrival { client_namespace, service, port, request, randoms, answer } = arrival;
        let at = exchange::Arrival::in_mesh(service, client_namespace, *port);
        self.table.frontend_for(at.owner, Transport::Tcp, *port)?;
        let arrival = Arrival {
            gateway: service.clone(),
            port: *port,
            server_name: None,
            request: request.clone(),
            randoms: randoms.clone(),
            answer: answer.clone(),
            body_length: 0,
            auth: Vec::new(),
            now: Arrival::some_time(),
        };
        Some(self.answer_at(&at, &arrival).effect)
    }

    /// What becomes of the request of an arrival that came in here.
    fn answer_at(&self, at: &exchange::Arrival<'_>, arrival: &Arrival) -> Outcome {
        let mut replies = arrival.auth.iter();
        match self.begin(at, arrival, &mut replies) {
            Ok((mut exchange, request)) => {
                let effect = carry_out(&mut exchange, request, arrival, &mut replies);
                Outcome { decision: served(&exchange), effect }
            }
            // Who serves it is not known yet.
            Err(Halt::Asks(asked)) => {
                let decision = Decision::Refused(StatusCode::CONTINUE);
                Outcome { decision, effect: Effect::Asks(asked) }
            }
            Err(Halt::Stopped(stopped)) => {
                let decision = Decision::Refused(status(&stopped));
                let reply = match stopped {
                    Stopped::Answered(answer) => reply(&without_text(answer.into_parts().0)),
                    Stopped::Refused(refusal) => reply(&by_gateway(refusal, form(arrival))),
                    Stopped::Asks(_) => unreachable!("there are replies, or it is halted"),
                };
                Outcome { decision, effect: Effect::Answered(reply) }
            }
        }
    }

    /// What a connection to the port meets.
    pub fn entrance(&self, gateway: &ObjectName, port: u16, server_name: Option<&str>) -> Entrance {
        let Some(port) = self.table.frontend(FrontendOwner::Gateway(gateway), Transport::Tcp, port) else {
            return Entrance::Closed;
        };
        let frontend = self.table.frontend_of(port);
        let name = server_name.and_then(|name| Host::from_name(name).ok());
        match (frontend.opening(), self.table.find_stream(port, name.as_ref())) {
            (Opening::Http, _) => Entrance::Http,
            (Opening::Tls, Err(NoStream::Requests(id))) => {
                Entrance::Https(Some(self.table.listener(id).name.to_string()))
            }
            // Clients of requests get an alert that says so.
            (Opening::Tls, Err(NoStream::NoListener)) if frontend.takes_requests() => Entrance::Https(None),
            (_, _) => Entrance::Stream,
        }
    }

    /// What a TLS connection to the port meets; nothing if no listener of the server name terminates TLS there.
    pub fn handshake(&self, gateway: &ObjectName, port: u16, server_name: Option<&str>) -> Option<Handshake> {
        let port = self.table.frontend(FrontendOwner::Gateway(gateway), Transport::Tcp, port)?;
        let name = server_name.and_then(|name| Host::from_name(name).ok());
        let listener = match self.table.find_stream(port, name.as_ref()) {
            Err(NoStream::Requests(listener)) => listener,
            Ok(matched) => matched.listener,
            Err(_) => return None,
        };
        let tls = self.table.listener(listener).protocol.tls()?;
        let secrets = tls.certificates.iter().filter_map(Certificate::secret);
        let clients = tls.clients.as_ref().map(|clients| ClientValidation {
            authorities: clients.authorities.iter().map(|certificate| certificate.to_vec()).collect(),
            any_client: clients.mode == ClientValidationMode::AllowInsecureFallback,
        });
        Some(Handshake { certificates: secrets.cloned().collect(), clients })
    }

    /// What becomes of a connection or a datagram.
    ///
    /// # Panics
    /// When `explain_stream` decides otherwise than `find_stream`.
    pub fn stream(&self, arrival: &StreamArrival) -> StreamOutcome {
        let Some((frontend, server_name)) = self.stream_at(arrival) else { return StreamOutcome::Rejected };
        let found = self.table.find_stream(frontend, server_name.as_ref());
        let explained = self.table.explain_stream(frontend, server_name.as_ref()).decision;
        assert_eq!(found, explained, "explain decides as find does");
        let backend = found.and_then(|found| Ok((found, self.table.stream_backend(found, arrival.random)?)));
        let Ok((found, id)) = backend else { return StreamOutcome::Rejected };
        let listener = self.table.listener(found.listener);
        let terminated = matches!(listener.protocol, ListenerProtocol::TlsTerminate(_));
        let to = target(&self.table, listener.frontend.gateway(), id);
        StreamOutcome::Forwarded {
            listener: listener.name.to_string(),
            route: self.table.stream_rule(found.rule).id.route.name.clone(),
            // What is passed through within the client's TLS gets none of the gateway's.
            to: Target { tls: to.tls.filter(|_| terminated), ..to },
            endpoints: endpoints(&self.table, id),
            terminated,
        }
    }

    fn stream_at<'a>(&self, arrival: &'a StreamArrival) -> Option<(FrontendId, Option<Host<'a>>)> {
        let transport = match arrival.transport {
            super::Transport::Tcp => Transport::Tcp,
            super::Transport::Udp => Transport::Udp,
        };
        let owner = FrontendOwner::Gateway(&arrival.gateway);
        let frontend = self.table.frontend(owner, transport, arrival.port)?;
        Some((frontend, arrival.server_name.as_deref().and_then(|name| Host::from_name(name).ok())))
    }

    /// Why the request goes where it goes, candidate by candidate.
    pub fn explain(&self, arrival: &Arrival) -> String {
        let explanation = match self.explanation(&at(arrival), arrival) {
            Ok(explanation) => explanation,
            Err(Stopped::Refused(refusal)) => return refusal.to_string(),
            Err(Stopped::Answered(answer)) => {
                return format!("a filter of the listener answers: {}", answer.status());
            }
            Err(Stopped::Asks(auth)) => {
                let service = &self.table.backend(auth.backend).service;
                return format!("a filter of the listener asks {service} before a rule is looked for");
            }
        };
        let mut lines = Vec::new();
        if let Some(listener) = explanation.listener {
            lines.push(format!("listener {}", self.table.listener(listener)));
        }
        for candidate in &explanation.candidates {
            let hostname = candidate.hostname.as_ref().map_or("*".to_owned(), ToString::to_string);
            let rule = &self.table.rule(candidate.rule).id;
            let (entry, path, outcome) = (candidate.entry, &candidate.path, &candidate.outcome);
            lines.push(format!("{rule:#} matches[{entry}], {hostname} {path}: {outcome}"));
        }
        // By name: the numbers of listeners say nothing to readers.
        let listener = |id| self.table.listener(id).to_string();
        match explanation.decision {
            Ok(_) => {}
            Err(NoMatch::NoListener) => lines.push(NoMatch::NoListener.to_string()),
            Err(NoMatch::TargetTooLong(_) | NoMatch::HeadersTooLong(_)) => {
                lines.push("the request is too long for the regular expressions of it".to_owned())
            }
            Err(NoMatch::NoRule(_)) => lines.push("no rule of the routes attached to it matches".to_owned()),
            Err(NoMatch::Misdirected { connection, host }) => {
                let connection = connection.map_or("none".to_owned(), listener);
                let host = listener(host);
                lines.push(format!(
                    "the connection was made for listener {connection}, the host is that of {host}"
                ));
            }
        }
        lines.join("\n")
    }

    /// The exchange of a request that a rule serves, and the request in the form that was matched.
    fn begin(
        &self,
        at: &exchange::Arrival<'_>,
        arrival: &Arrival,
        replies: &mut Replies<'_>,
    ) -> Result<(Exchange, Request<()>), Halt> {
        /// What can be compared.
        fn told(stopped: &Stopped) -> Result<StatusCode, Refusal> {
            match stopped {
                Stopped::Answered(answer) => Ok(answer.status()),
                Stopped::Refused(refusal) => Err(*refusal),
                Stopped::Asks(_) => Ok(StatusCode::CONTINUE),
            }
        }
        let mut request = arrival.request.clone();
        let mut search = match Sought::begin(&self.table, at, &mut request) {
            Ok(Sought::Filters(search)) => search,
            sought => {
                let found = sought.map(|sought| match sought {
                    Sought::Found(matched) => matched,
                    Sought::Filters(_) => unreachable!("seen above"),
                });
                let explained =
                    self.explanation(at, arrival).and_then(|explanation| Ok(explanation.decision?));
                assert_eq!(
                    found.as_ref().map_err(told),
                    explained.as_ref().map_err(told),
                    "explain decides as find does"
                );
                return Ok((Exchange::new(self.table.clone(), found?), request));
            }
        };
        let mut has_asked = false;
        loop {
            match search.run(&self.table, &mut request) {
                Err(Stopped::Asks(auth)) => {
                    has_asked = true;
                    let (parts, ()) = mem::take(&mut request).into_parts();
                    let asker = (&*self.table, at.owner.gateway().copied());
                    let answer = ask(asker, &auth, &parts, arrival, replies)?;
                    request = Request::from_parts(parts, ());
                    search.on_auth_answer(answer, request.headers_mut())?;
                }
                found => {
                    if !has_asked {
                        let explained =
                            self.explanation(at, arrival).and_then(|explanation| Ok(explanation.decision?));
                        assert_eq!(
                            found.as_ref().map_err(told),
                            explained.as_ref().map_err(told),
                            "explain decides as find does"
                        );
                    }
                    return Ok((Exchange::new(self.table.clone(), found?).after(search), request));
                }
            }
        }
    }

    /// The search for the rule, written down.
    fn explanation(&self, at: &exchange::Arrival<'_>, arrival: &Arrival) -> Result<Explanation, Stopped> {
        let mut request = arrival.request.clone();
        exchange::prepare(&self.table, at, &mut request)?;
        let head = RequestHead::from_request(&request)?;
        let server_name = at.server_name.and_then(|name| Host::from_name(name).ok());
        let port = self.table.frontend_for(at.owner, Transport::Tcp, at.port).ok_or(NoMatch::NoListener)?;
        Ok(self.table.explain(port, server_name.as_ref(), &head))
    }
}

/// The replies that have not been used.
type Replies<'a> = std::slice::Iter<'a, AuthReply>;

/// Why a request does not go on.
enum Halt {
    Stopped(Stopped),
    /// There is no reply to this yet.
    Asks(Box<Asked>),
}

// === impl Halt ===

impl From<Stopped> for Halt {
    fn from(stopped: Stopped) -> Self {
        Self::Stopped(stopped)
    }
}

impl From<NoMatch> for Halt {
    fn from(no_match: NoMatch) -> Self {
        Self::Stopped(no_match.into())
    }
}

/// What comes of asking, with the next reply.
///
/// # Errors
/// When there is none yet.
fn ask(
    (table, gateway): (&RouteTable, Option<&ObjectName>),
    auth: &ExternalAuth,
    parts: &request::Parts,
    arrival: &Arrival,
    replies: &mut Replies<'_>,
) -> Result<AuthAnswer, Halt> {
    let limit = u64::from(auth.terms.max_body);
    if limit > 0 && arrival.body_length > limit {
        return Ok(AuthAnswer::BodyTooLong);
    }
    let length = if limit > 0 { arrival.body_length } else { 0 };
    let question = match &auth.terms.protocol {
        AuthProtocol::Http(http) => match http.question(parts, length) {
            Ok(question) => Question::Http(sent(&question)),
            Err(_) => return Ok(AuthAnswer::Failed),
        },
        AuthProtocol::Grpc(grpc) => {
            let host = parts.headers.get(header::HOST);
            let told = grpc.headers(&parts.headers).map(|(name, value)| (name.to_owned(), vec![value]));
            Question::Check(Sent {
                authority: host.map(|host| String::from_utf8_lossy(host.as_bytes()).into_owned()),
                headers: told.collect(),
                target: grpc.target(parts),
                ..sent(parts)
            })
        }
    };
    let endpoints = endpoints(table, auth.backend);
    if endpoints.is_empty() {
        return Ok(AuthAnswer::Failed);
    }
    match (replies.next(), &auth.terms.protocol) {
        (None, _) => {
            Err(Halt::Asks(Box::new(Asked { to: target(table, gateway, auth.backend), endpoints, question })))
        }
        (Some(AuthReply::Http(response)), AuthProtocol::Http(http)) => Ok(http.answer(response.clone())),
        (Some(AuthReply::Check(reply)), AuthProtocol::Grpc(_)) => {
            Ok(of_check(reply).unwrap_or(AuthAnswer::Failed))
        }
        (Some(_), _) => Ok(AuthAnswer::Failed),
    }
}

/// What the answer to a call means; nothing if its headers are none.
fn of_check(reply: &CheckReply) -> Option<AuthAnswer> {
    let parsed = |(name, value): &(String, String)| -> Option<(HeaderName, HeaderValue)> {
        Some((name.parse().ok()?, value.parse().ok()?))
    };
    match reply {
        CheckReply::Permit(set) => {
            let mut permit = Permit::default();
            for header in set {
                let (name, value) = parsed(header)?;
                permit.put(Put::Set, name, value);
            }
            Some(AuthAnswer::Permit(permit))
        }
        CheckReply::Deny(status, headers, body) => {
            let mut map = HeaderMap::new();
            for header in headers {
                let (name, value) = parsed(header)?;
                map.append(name, value);
            }
            let status = StatusCode::from_u16(*status).ok()?;
            Some(AuthAnswer::Deny(Denial::new(status, map, body.clone().into())))
        }
    }
}

/// Where a request came in, as the core knows it.
fn at(arrival: &Arrival) -> exchange::Arrival<'_> {
    exchange::Arrival {
        server_name: arrival.server_name.as_deref(),
        ..exchange::Arrival::new(&arrival.gateway, arrival.port)
    }
}

fn status(stopped: &Stopped) -> StatusCode {
    match stopped {
        Stopped::Answered(answer) => answer.status(),
        Stopped::Refused(refusal) => refusal.status(),
        Stopped::Asks(_) => StatusCode::CONTINUE,
    }
}

/// Who serves a request.
fn served(exchange: &Exchange) -> Decision {
    let id = &exchange.rule().id;
    Decision::Served {
        listener: exchange.listener().to_string(),
        kind: id.route.kind.as_str(),
        route: id.route.name.clone(),
        rule: usize::from(id.index),
        entry: usize::from(exchange.matched().entry),
    }
}

/// Runs the filters, and chooses a backend.
fn carry_out(
    exchange: &mut Exchange,
    request: Request<()>,
    arrival: &Arrival,
    replies: &mut Replies<'_>,
) -> Effect {
    let limits = exchange.rule().timeouts_for(request.headers());
    exchange.note_sessions(request.headers());
    let (mut parts, ()) = request.into_parts();
    let mut drawn = arrival.randoms.iter().copied();
    let mut last = 0;
    let mut random = move || {
        last = drawn.next().unwrap_or(last);
        last
    };
    let ran = loop {
        match exchange.run(&mut parts, &mut random) {
            Err(Stopped::Asks(auth)) => {
                let asker = (exchange.table(), exchange.listener().frontend.gateway());
                let answer = match ask(asker, &auth, &parts, arrival, replies) {
                    Ok(answer) => answer,
                    Err(Halt::Asks(asked)) => return Effect::Asks(asked),
                    Err(Halt::Stopped(stopped)) => break Err(stopped),
                };
                if let Err(stopped) = exchange.on_auth_answer(answer, &mut parts.headers, form(arrival)) {
                    break Err(stopped);
                }
            }
            ran => break ran,
        }
    };
    let id = match ran {
        Ok(id) => id,
        Err(Stopped::Asks(_)) => unreachable!("there are replies, or it is halted"),
        Err(Stopped::Refused(refusal)) => {
            let mut answer = by_gateway(refusal, form(arrival));
            exchange.finish_local(&mut answer);
            return Effect::Answered(reply(&answer));
        }
        Err(answered @ Stopped::Answered(_)) => {
            let (answer, _) = exchange.answer(answered, form(arrival)).into_parts();
            return Effect::Answered(reply(&without_text(answer)));
        }
    };
    let table = exchange.table();
    let (mut answer, ()) = arrival.answer.clone().into_parts();
    exchange.on_backend_response(&mut answer);
    exchange.on_response(&mut answer);
    let gateway = exchange.listener().frontend.gateway();
    let mirrors = exchange.mirrors().iter().map(|copy| Mirrored {
        to: target(table, gateway, copy.backend),
        endpoints: endpoints(table, copy.backend),
        sent: sent(&copy.parts),
    });
    let rule = exchange.rule();
    let retry = rule.retry.as_deref().map(|retry| Retry {
        codes: retry.codes.iter().map(StatusCode::as_u16).collect(),
        attempts: retry.attempts,
        backoff: retry.backoff,
    });
    Effect::Forwarded(Box::new(Forwarded {
        to: target(table, gateway, id),
        endpoints: endpoints(table, id),
        sent: sent(&parts),
        mirrors: mirrors.collect(),
        reply: reply(&answer),
        failed: failed(exchange, StatusCode::BAD_GATEWAY).headers,
        timeouts: Timeouts { request: limits.request(), backend_request: limits.backend_request() },
        retry,
        retry_budget: table.backend(id).retry_budget.as_deref().map(|budget| RetryBudget {
            percent: budget.percent(),
            interval: budget.interval(),
            least: budget.least().count,
            least_interval: budget.least().interval,
        }),
        session: session(exchange, arrival.now),
    }))
}

/// The session of a request whose backend was chosen.
fn session(exchange: &Exchange, now: SystemTime) -> Option<Session> {
    const KEY: SessionKey = SessionKey::new([7; 16]);
    let endpoints = &exchange.backend()?.endpoints;
    let begins = (0..endpoints.len()).map(|position| {
        let SessionHeader { name, value } = exchange.begin_session(&KEY, position, now)?;
        Some((name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
    });
    let kept = exchange.session_endpoint(&KEY, now);
    Some(Session {
        kept: kept.map(|position| endpoints[position].address()),
        begins: begins.collect::<Option<_>>()?,
    })
}

fn endpoints(table: &RouteTable, id: BackendId) -> Vec<SocketAddr> {
    table.backend(id).endpoints.iter().map(|endpoint| endpoint.address()).collect()
}

fn target(table: &RouteTable, gateway: Option<&ObjectName>, id: BackendId) -> Target {
    let backend = table.backend(id);
    let certificate = table.certificate_for(backend, gateway);
    let tls = backend.tls.as_ref().map(|tls| Box::new(backend_tls(tls, certificate)));
    Target { kind: backend.kind, service: backend.service.clone(), port: backend.port, tls }
}

/// How TLS is spoken with a backend, as decisions say it.
pub(crate) fn backend_tls(tls: &rule::BackendTls, certificate: Option<&Certificate>) -> BackendTls {
    let identity = |identity: &rule::Identity| match identity {
        rule::Identity::Hostname(name) => Identity::Hostname(name.to_string()),
        rule::Identity::Uri(name) => Identity::Uri(name.to_string()),
    };
    BackendTls {
        server_name: tls.server_name.to_string(),
        identities: tls.identities.iter().map(identity).collect(),
        authorities: match &tls.authorities {
            rule::Authorities::System => Authorities::System,
            rule::Authorities::Certificates(all) => {
                Authorities::Certificates(all.iter().map(|certificate| certificate.to_vec()).collect())
            }
        },
        client_certificate: certificate.map(|certificate| certificate.chain()[0].to_vec()),
    }
}

/// How the client wants to be told that its request was refused.
fn form(arrival: &Arrival) -> Form {
    Form::from_request(arrival.request.method(), arrival.request.headers())
}

/// The answer to a request that is refused, without what is text in it.
fn by_gateway(refusal: Refusal, form: Form) -> response::Parts {
    let is_call = matches!(form, Form::Grpc(_));
    let (mut answer, _) = refusal.into_response(form).into_parts();
    if is_call {
        answer.headers.remove("grpc-message");
    } else {
        answer.headers.clear();
    }
    answer
}

/// The answer of a filter, without what is text in it.
fn without_text(mut answer: response::Parts) -> response::Parts {
    answer.headers.remove("grpc-message");
    answer
}

/// The answer that the gateway makes by itself, without its text.
fn failed(exchange: &Exchange, status: StatusCode) -> Reply {
    let (mut answer, ()) = Response::new(()).into_parts();
    answer.status = status;
    exchange.finish_local(&mut answer);
    reply(&answer)
}

fn reply(answer: &response::Parts) -> Reply {
    Reply { status: answer.status, headers: headers(&answer.headers) }
}

fn sent(request: &request::Parts) -> Sent {
    Sent {
        method: request.method.to_string(),
        authority: request.uri.authority().map(ToString::to_string),
        target: request.uri.path_and_query().map(ToString::to_string).unwrap_or_default(),
        headers: headers(&request.headers),
    }
}
