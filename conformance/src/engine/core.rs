//! The core as an engine: translate, find, run the filters, pick a backend.
//!
//! The order of the steps is that of the layers of `gateway-tower`, without any network.

use std::net::SocketAddr;

use gateway_core::api::Resources;
use gateway_core::attach::Options;
use gateway_core::filter::{self, FilterContext, HttpFilter, RequestEdits, Verdict};
use gateway_core::hostname::Host;
use gateway_core::matching::RequestHead;
use gateway_core::name::{BackendId, ObjectName};
use gateway_core::rule::BackendTarget;
use gateway_core::table::{Matched, NoMatch, RouteTable};
use gateway_core::translate::translate;
use http::uri::PathAndQuery;
use http::{Request, Response, StatusCode, Uri, request, response};

use super::{
    Arrival, Decision, Effect, Entrance, Forwarded, Headers, Mirrored, Outcome, Reply, Retry, Sent, Target,
    Timeouts, headers,
};

/// The core with the table of one set of resources.
#[derive(Debug, Default)]
pub struct Core {
    table: RouteTable,
}

/// The answer to a request that no rule serves.
struct Refusal(StatusCode);

// === impl Core ===

impl Core {
    /// Translates the resources.
    pub fn new(resources: &Resources, options: &Options) -> Self {
        Self { table: translate(resources, options).table }
    }

    /// A core with this table.
    pub fn with_table(table: RouteTable) -> Self {
        Self { table }
    }

    /// Who serves the request.
    pub fn decide(&self, arrival: &Arrival) -> Decision {
        match self.find(arrival) {
            Ok((matched, _)) => self.served(matched),
            Err(Refusal(status)) => Decision::Refused(status),
        }
    }

    /// What becomes of the request.
    pub fn answer(&self, arrival: &Arrival) -> Outcome {
        match self.find(arrival) {
            Ok((matched, request)) => {
                Outcome { decision: self.served(matched), effect: self.carry_out(matched, request, arrival) }
            }
            Err(Refusal(status)) => {
                let reply = Reply { status, headers: headers(&http::HeaderMap::new()) };
                Outcome { decision: Decision::Refused(status), effect: Effect::Answered(reply) }
            }
        }
    }

    /// What a connection to the port meets.
    pub fn entrance(&self, gateway: &ObjectName, port: u16, server_name: Option<&str>) -> Entrance {
        let Some(port) = self.table.port(gateway, port) else { return Entrance::Closed };
        if self.table.ports().any(|(id, found)| id == port && !found.is_secure()) {
            return Entrance::Http;
        }
        let server_name = server_name.and_then(|name| Host::of_name(name).ok());
        let listener = self.table.listener_by_server_name(port, server_name.as_ref());
        Entrance::Https(listener.map(|id| self.table.listener(id).name.to_string()))
    }

    /// Why the request goes where it goes, candidate by candidate.
    pub fn explain(&self, arrival: &Arrival) -> String {
        let request = &arrival.request;
        let head = match RequestHead::new(request.method(), request.uri(), request.headers()) {
            Ok(head) => head,
            Err(error) => return error.to_string(),
        };
        let server_name = arrival.server_name.as_deref().and_then(|name| Host::of_name(name).ok());
        let Some(port) = self.table.port(&arrival.gateway, arrival.port) else {
            return NoMatch::NoListener.to_string();
        };
        let explanation = self.table.explain(port, server_name.as_ref(), &head);
        let mut lines = Vec::new();
        if let Some(listener) = explanation.listener {
            lines.push(format!("listener {}", self.table.listener(listener)));
        }
        for candidate in &explanation.candidates {
            let hostname = candidate.hostname.as_ref().map_or("*".to_owned(), ToString::to_string);
            let rule = &self.table.rule(candidate.rule).id;
            let (entry, path, outcome) = (candidate.entry, &candidate.path, &candidate.outcome);
            lines.push(format!("{rule} matches[{entry}], {hostname} {path}: {outcome}"));
        }
        if let Err(no_match) = explanation.decision {
            lines.push(no_match.to_string());
        }
        lines.join("\n")
    }

    /// The rule that serves the request, and the request with its path in normal form.
    fn find(&self, arrival: &Arrival) -> Result<(Matched, Request<()>), Refusal> {
        let no_match = |no_match: NoMatch| Refusal(no_match.status());
        let mut request = arrival.request.clone();
        let head = RequestHead::new(request.method(), request.uri(), request.headers())
            .map_err(|_| Refusal(StatusCode::BAD_REQUEST))?;
        let server_name = arrival.server_name.as_deref().and_then(|name| Host::of_name(name).ok());
        let port =
            self.table.port(&arrival.gateway, arrival.port).ok_or(NoMatch::NoListener).map_err(no_match)?;
        let found = self.table.find(port, server_name.as_ref(), &head);
        let explained = self.table.explain(port, server_name.as_ref(), &head).decision;
        assert_eq!(found, explained, "explain decides as find does");
        let matched = found.map_err(no_match)?;
        let path = head.path.into_owned();
        *request.uri_mut() = with_path(request.uri(), &path);
        Ok((matched, request))
    }

    fn served(&self, matched: Matched) -> Decision {
        let id = &self.table.rule(matched.rule).id;
        Decision::Served {
            listener: self.table.listener(matched.listener).to_string(),
            route: (*id.route).clone(),
            rule: usize::from(id.index),
            entry: usize::from(matched.entry),
        }
    }

    fn carry_out(&self, matched: Matched, request: Request<()>, arrival: &Arrival) -> Effect {
        let rule = self.table.rule(matched.rule);
        let listener = self.table.listener(matched.listener);
        let context = FilterContext { scheme: listener.scheme(), port: listener.port, path: matched.path };
        let (mut parts, ()) = request.into_parts();
        let mut edits = RequestEdits::default();
        let mut drawn = arrival.randoms.iter().copied();
        let mut last = 0;
        let mut random = move || {
            last = drawn.next().unwrap_or(last);
            last
        };

        match filter::on_request(&rule.filters, &context, &mut parts, &mut edits, &mut random) {
            Verdict::Continue => {}
            Verdict::Respond(answer) => {
                let (mut answer, _) = answer.into_parts();
                filter::on_response(&rule.filters, &edits, &mut answer);
                return Effect::Answered(reply(&answer));
            }
            Verdict::Fail => return failed(&rule.filters, &edits, StatusCode::INTERNAL_SERVER_ERROR),
        }
        let Some((position, target)) = rule.backends.pick(random()) else {
            return failed(&rule.filters, &edits, StatusCode::INTERNAL_SERVER_ERROR);
        };
        let BackendTarget::Backend(id) = target else {
            return failed(&rule.filters, &edits, StatusCode::INTERNAL_SERVER_ERROR);
        };
        let of_backend = rule.filters_of(position);
        let backend = self.table.backend(id);
        if backend.endpoints.is_empty() {
            return failed(&rule.filters, &edits, StatusCode::SERVICE_UNAVAILABLE);
        }
        match filter::on_request(of_backend, &context, &mut parts, &mut edits, &mut random) {
            Verdict::Continue => {}
            Verdict::Respond(answer) => {
                let (mut answer, _) = answer.into_parts();
                filter::on_response(of_backend, &edits, &mut answer);
                filter::on_response(&rule.filters, &edits, &mut answer);
                return Effect::Answered(reply(&answer));
            }
            Verdict::Fail => return failed(&rule.filters, &edits, StatusCode::INTERNAL_SERVER_ERROR),
        }
        let (mut answer, ()) = arrival.answer.clone().into_parts();
        filter::on_response(of_backend, &edits, &mut answer);
        filter::on_response(&rule.filters, &edits, &mut answer);
        let mirrors = edits.mirrors.iter().map(|copy| Mirrored {
            to: self.target(copy.backend),
            endpoints: self.endpoints(copy.backend),
            sent: sent(&copy.parts),
        });
        let retry = rule.retry.as_deref().map(|retry| Retry {
            codes: retry.codes.iter().map(StatusCode::as_u16).collect(),
            attempts: retry.attempts,
            backoff: retry.backoff,
        });
        Effect::Forwarded(Box::new(Forwarded {
            to: self.target(id),
            endpoints: self.endpoints(id),
            sent: sent(&parts),
            mirrors: mirrors.collect(),
            reply: reply(&answer),
            failed: failed_headers(&rule.filters, &edits),
            timeouts: Timeouts {
                request: rule.timeouts.request,
                backend_request: rule.timeouts.backend_request,
            },
            retry,
        }))
    }

    fn endpoints(&self, id: BackendId) -> Vec<SocketAddr> {
        self.table.backend(id).endpoints.iter().map(|endpoint| endpoint.address()).collect()
    }

    fn target(&self, id: BackendId) -> Target {
        let backend = self.table.backend(id);
        Target { service: backend.service.clone(), port: backend.port, tls: None }
    }
}

/// The answer that the gateway makes by itself.
fn failed(filters: &[HttpFilter], edits: &RequestEdits, status: StatusCode) -> Effect {
    Effect::Answered(Reply { status, headers: failed_headers(filters, edits) })
}

fn failed_headers(filters: &[HttpFilter], edits: &RequestEdits) -> Headers {
    let (mut answer, ()) = Response::new(()).into_parts();
    filter::on_local_response(filters, edits, &mut answer);
    headers(&answer.headers)
}

fn with_path(uri: &Uri, path: &str) -> Uri {
    let mut parts = uri.clone().into_parts();
    if parts.path_and_query.is_none() && parts.scheme.is_none() {
        // The target of a CONNECT stays what it is.
        return uri.clone();
    }
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    let target: PathAndQuery = format!("{path}{query}").parse().expect("a normalised path is a path");
    parts.path_and_query = Some(target);
    Uri::from_parts(parts).expect("the components that made a URI before still make one")
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
