//! The filters of the rule that serves a request, and what is sent where in the end.

use gateway_core::api::{
    HttpExternalAuthFilter, HttpHeaderFilter, HttpRequestMirrorFilter, HttpRoute, HttpRouteFilter,
    HttpRouteFilterType, HttpRouteMatch, HttpUrlRewriteFilter, Resources, TransportProtocol,
};
use http::{HeaderMap, HeaderValue, StatusCode, header};

use super::super::{Arrival, Asked, Effect, Forwarded, Mirrored, Reply, Sent, headers};
use super::backend::Referrer;
use super::external_auth::{Answered, Replies};
use super::gateway::Frontend;
use super::grpc::Failure;
use super::request::Seen;
use super::route::{Candidate, RequestRoute as _};
use super::{
    backend, cors, external_auth, grpc, header_modifier, limits, path_modifier, redirect, request, session,
    traffic_policy,
};

/// Where a list of filters stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Level {
    Rule,
    Backend,
}

/// FLT-05: a filter that cannot be carried out is never skipped.
fn can_be_carried_out(filter: &HttpRouteFilter, level: Level, entries: &[HttpRouteMatch]) -> bool {
    use HttpRouteFilterType as Type;
    match &filter.r#type {
        Type::RequestHeaderModifier => {
            filter.request_header_modifier.as_deref().is_some_and(header_modifier::is_valid)
        }
        Type::ResponseHeaderModifier => {
            filter.response_header_modifier.as_deref().is_some_and(header_modifier::is_valid)
        }
        Type::UrlRewrite => filter.url_rewrite.as_deref().is_some_and(|rewrite| {
            rewrite.hostname.as_deref().is_none_or(request::is_precise_hostname)
                && rewrite.path.as_ref().is_none_or(|path| path_modifier::is_valid(path, entries))
        }),
        Type::RequestMirror => true,
        // AMB-53: a backend cannot have these.
        Type::RequestRedirect => {
            level == Level::Rule
                && filter.request_redirect.as_deref().is_some_and(|it| redirect::is_valid(it, entries))
        }
        Type::Cors => level == Level::Rule && filter.cors.as_deref().is_some_and(cors::is_valid),
        // FEA-10
        Type::ExternalAuth => {
            level == Level::Rule && filter.external_auth.as_deref().is_some_and(external_auth::is_valid)
        }
        // The kind is not known: FEX-02.
        Type::ExtensionRef | Type::Unknown(_) => false,
    }
}

/// A request on its way.
struct Passing<'a> {
    resources: &'a Resources,
    frontend: &'a Frontend<'a>,
    candidate: &'a Candidate<'a>,
    seen: &'a Seen,
    randoms: Vec<u64>,
    /// What is sent, as the filters so far have left it.
    authority: Option<String>,
    target: Option<String>,
    headers: HeaderMap,
    mirrors: Vec<Mirrored>,
    replies: Replies<'a>,
    body_length: u64,
}

/// A list of filters, run.
enum Run {
    Continue,
    /// A filter answers, which is a preflight's answer or not.
    Answer {
        status: StatusCode,
        headers: HeaderMap,
        preflight: bool,
    },
    Fail,
    /// An authorization service is to be asked.
    Asks(Box<Asked>),
    /// One that was asked does not let it pass, and says what the client gets.
    Denied(StatusCode, HeaderMap),
    /// None can be asked that would let it pass.
    NotAuthorized(Failure),
}

/// Carries out the rule.
pub(super) fn carry_out(
    resources: &Resources,
    frontend: &Frontend<'_>,
    candidate: &Candidate<'_>,
    seen: &Seen,
    arrival: &Arrival,
    replies: Replies<'_>,
) -> Effect {
    let rule = &*candidate.rule;
    let uri = arrival.request.uri();
    // AMB-01: what was matched is what is forwarded. The target of a CONNECT is an authority, without path.
    let target =
        (uri.path_and_query().is_some() || uri.scheme().is_some()).then(|| with_query(&seen.path, seen));
    let mut passing = Passing {
        resources,
        frontend,
        candidate,
        seen,
        randoms: arrival.randoms.iter().rev().copied().collect(),
        authority: uri.authority().map(ToString::to_string),
        target,
        headers: seen.headers.clone(),
        mirrors: Vec::new(),
        replies,
        body_length: arrival.body_length,
    };
    // FHM-11: an error of our own gets CORS headers and nothing else.
    let failed_headers = || {
        let mut headers = HeaderMap::new();
        if let Some(cors) = rule.filters.iter().find_map(|filter| filter.cors.as_deref()) {
            cors::edit_answer(cors, seen, &mut headers);
        }
        headers
    };
    let failed = |failure| {
        let (status, mut headers) = grpc::failed(failure, &arrival.request);
        headers.extend(failed_headers());
        answered(status, &headers)
    };

    match passing.run(&rule.filters, Level::Rule) {
        Run::Continue => {}
        Run::Answer { status, headers, preflight: true } => return answered(status, &headers),
        Run::Answer { status, mut headers, preflight: false } => {
            edit_answer(&rule.filters, seen, &mut headers);
            return answered(status, &headers);
        }
        Run::Denied(status, headers) => {
            let (status, mut headers) = grpc::denied(status, headers, &arrival.request);
            edit_answer(&rule.filters, seen, &mut headers);
            return answered(status, &headers);
        }
        Run::Fail => return failed(Failure::Filter),
        Run::Asks(asked) => return Effect::Asks(asked),
        Run::NotAuthorized(failure) => return failed(failure),
    }
    let random = passing.draw();
    let Some(chosen) = backend::pick(&rule.backend_refs, |reference| reference.weight, random) else {
        return failed(Failure::NoBackend);
    };
    let Some(to) = backend::resolve_ref(resources, &passing.referrer(), chosen) else {
        return failed(Failure::InvalidBackend);
    };
    let endpoints = backend::endpoints(resources, &to, &TransportProtocol::Tcp);
    if endpoints.is_empty() {
        return failed(Failure::NoEndpoints);
    }
    let retry_budget = traffic_policy::retry_budget(resources, &to);
    let session =
        session::of_request(resources, candidate, seen, (&to, &endpoints), frontend.https, arrival.now);
    // HRB-18, FLT-11: the filters of the backend, now that it is chosen.
    match passing.run(&chosen.filters, Level::Backend) {
        Run::Continue => {}
        Run::Answer { .. } | Run::Asks(_) | Run::Denied(..) | Run::NotAuthorized(_) => {
            unreachable!("no filter of a backend answers or asks")
        }
        Run::Fail => return failed(Failure::Filter),
    }
    let mut answer = arrival.answer.headers().clone();
    edit_answer(&chosen.filters, seen, &mut answer);
    edit_answer(&rule.filters, seen, &mut answer);
    Effect::Forwarded(Box::new(Forwarded {
        to,
        endpoints,
        sent: passing.sent(),
        // AMB-51: only what is attempted itself is mirrored.
        mirrors: passing.mirrors,
        reply: Reply { status: arrival.answer.status(), headers: headers(&answer) },
        failed: headers(&failed_headers()),
        timeouts: match candidate.kind {
            "GRPCRoute" => limits::of_call(&seen.headers),
            _ => limits::timeouts(rule),
        },
        retry: limits::retry(rule),
        retry_budget,
        session,
    }))
}

/// AMB-61, FEA-01: what a preflight is answered before, or by.
fn answers_preflight(filter: &HttpRouteFilter) -> bool {
    filter.cors.is_some() || filter.request_redirect.is_some() || filter.external_auth.is_some()
}

fn answered(status: StatusCode, map: &HeaderMap) -> Effect {
    Effect::Answered(Reply { status, headers: headers(map) })
}

fn with_query(path: &str, seen: &Seen) -> String {
    match &seen.query {
        Some(query) => format!("{path}?{query}"),
        None => path.to_owned(),
    }
}

/// FHM-08, FCO-02: what the filters of one list do to an answer.
fn edit_answer(filters: &[HttpRouteFilter], seen: &Seen, answer: &mut HeaderMap) {
    for filter in filters {
        if let Some(modifier) = &filter.response_header_modifier {
            header_modifier::apply(modifier, answer);
        }
        if let Some(cors) = &filter.cors {
            cors::edit_answer(cors, seen, answer);
        }
    }
}

impl Passing<'_> {
    fn draw(&mut self) -> u64 {
        if self.randoms.len() > 1 {
            self.randoms.pop().expect("there are some")
        } else {
            self.randoms.first().copied().unwrap_or(0)
        }
    }

    fn referrer(&self) -> Referrer<'_> {
        let Candidate { kind, route, .. } = *self.candidate;
        Referrer { kind, route, gets: kind, gateway: self.frontend.gateway, may_speak_tls: true }
    }

    fn sent(&self) -> Sent {
        Sent {
            method: self.seen.method.to_string(),
            authority: self.authority.clone(),
            target: self.target.clone().unwrap_or_default(),
            headers: headers(&self.headers),
        }
    }

    /// FLT-01: the filters of one list, in order, until one answers.
    fn run(&mut self, filters: &[HttpRouteFilter], level: Level) -> Run {
        let entries = HttpRoute::entries(&self.candidate.rule);
        let of_list = filters.iter().find_map(|filter| filter.cors.as_deref());
        let preflight = of_list.filter(|_| level == Level::Rule && cors::is_preflight(self.seen));
        // FEA-09: one that asks no service cannot be carried out.
        let leads_somewhere = |filter: &HttpRouteFilter| {
            let auth = filter.external_auth.as_deref();
            auth.is_none_or(|auth| {
                let referrer = Referrer { gets: external_auth::gets(auth), ..self.referrer() };
                backend::resolve(self.resources, &referrer, &auth.backend_ref).is_some()
            })
        };
        if !filters
            .iter()
            .all(|filter| can_be_carried_out(filter, level, &entries) && leads_somewhere(filter))
        {
            return Run::Fail;
        }
        for filter in filters {
            // AMB-61: a preflight is answered by the CORS filter, also where a redirect stands before it.
            if let (Some(cors), true) = (preflight, answers_preflight(filter)) {
                let (status, headers) = cors::answer_preflight(cors, self.seen);
                return Run::Answer { status, headers, preflight: true };
            }
            if let Some(modifier) = &filter.request_header_modifier {
                self.modify_headers(modifier);
            }
            if let Some(rewrite) = &filter.url_rewrite {
                self.rewrite(rewrite);
            }
            if let Some(mirror) = &filter.request_mirror {
                self.mirror(mirror);
            }
            if let Some(auth) = &filter.external_auth
                && let Some(stopped) = self.ask(auth)
            {
                return stopped;
            }
            if let Some(to) = &filter.request_redirect {
                let location = redirect::location(to, self.frontend, &self.candidate.entry, self.seen);
                let status = StatusCode::from_u16(to.status_code).expect("a status of redirects");
                let headers = HeaderMap::from_iter([(header::LOCATION, location.parse().expect("a URL"))]);
                return Run::Answer { status, headers, preflight: false };
            }
        }
        Run::Continue
    }

    /// FEA-01: what stops the request, if anything does.
    fn ask(&mut self, auth: &HttpExternalAuthFilter) -> Option<Run> {
        let Candidate { kind, route, .. } = *self.candidate;
        let (gateway, gets) = (self.frontend.gateway, external_auth::gets(auth));
        let referrer = Referrer { kind, route, gets, gateway, may_speak_tls: true };
        let request = (&self.seen.method, self.target.as_deref(), self.body_length);
        let asked = external_auth::ask(
            self.resources,
            &referrer,
            auth,
            &mut self.replies,
            request,
            &mut self.headers,
        );
        match asked {
            Answered::Passes => None,
            Answered::Denied(status, headers) => Some(Run::Denied(status, headers)),
            Answered::Unknown => Some(Run::NotAuthorized(Failure::NotAuthorized)),
            Answered::TooLong => Some(Run::NotAuthorized(Failure::BodyTooLong)),
            Answered::Asks(asked) => Some(Run::Asks(asked)),
        }
    }

    fn modify_headers(&mut self, modifier: &HttpHeaderFilter) {
        if let Some(host) = header_modifier::new_host(modifier) {
            self.set_host(host);
        }
        header_modifier::apply(modifier, &mut self.headers);
    }

    /// FRW-01 to FRW-03. FLT-10: the path that is replaced is the one that was matched.
    fn rewrite(&mut self, rewrite: &HttpUrlRewriteFilter) {
        if let Some(hostname) = &rewrite.hostname {
            self.set_host(hostname);
        }
        if let (Some(modifier), Some(target)) = (&rewrite.path, &self.target) {
            let query = target.split_once('?').map(|(_, query)| query);
            let entry = &self.candidate.entry;
            self.target = Some(path_modifier::target(modifier, entry, &self.seen.path, query));
        }
    }

    /// The host is in the Host header and, in HTTP/2 and in absolute form, in the target.
    fn set_host(&mut self, host: &str) {
        self.headers.insert(header::HOST, HeaderValue::from_str(host).expect("a host"));
        if self.authority.is_some() {
            self.authority = Some(host.to_owned());
        }
    }

    /// FMR-03 to FMR-06.
    fn mirror(&mut self, mirror: &HttpRequestMirrorFilter) {
        let Some(to) = backend::resolve(self.resources, &self.referrer(), &mirror.backend_ref) else {
            return;
        };
        let (numerator, denominator) = match (mirror.percent, &mirror.fraction) {
            (Some(percent), _) => (percent, 100),
            (None, Some(fraction)) => (fraction.numerator, fraction.denominator),
            (None, None) => (1, 1),
        };
        if self.draw() % (denominator as u64) < numerator as u64 {
            let endpoints = backend::endpoints(self.resources, &to, &TransportProtocol::Tcp);
            self.mirrors.push(Mirrored { to, endpoints, sent: self.sent() });
        }
    }
}
