//! Requests that hit often, and odd ones.

use bytes::Bytes;
use gateway_core::api::Listener;
use gateway_core::name::ObjectName;
use http::{HeaderName, HeaderValue, Method, Request, Response, Uri, header};

use super::World;
use super::source::Source;
use super::words::{
    BAD_HOSTS, CALL_PATHS, CALL_TYPES, GRPC_METHODS, GRPC_SERVICES, HEADER_NAMES, HEADER_VALUES, HOSTS,
    MANY_VALUES, METHODS, QUERIES, REQUEST_PATHS,
};
use crate::decision::{Arrival, AuthReply, CheckReply};

/// Makes a request to one of the Gateways.
pub fn arrival(source: &mut Source<'_>, world: &World) -> Arrival {
    let gateways: Vec<&ObjectName> = world.resources.gateways.keys().collect();
    let gateway = source.one(&gateways).clone();
    let own: Vec<&Listener> = world.resources.gateways[&gateway].spec.listeners.iter().collect();
    let sets = world.resources.listener_sets.values();
    let its = sets.filter(|set| *set.spec.parent_ref.name == *gateway.name);
    let of_sets: Vec<&Listener> = its.flat_map(|set| &set.spec.listeners).collect();
    let from = if of_sets.is_empty() || source.chance(90) { own } else { of_sets };
    let listener = source.one(&from);
    let port = if source.chance(3) { 9 } else { listener.port as u16 };
    let of_requests = world.resources.http_routes.values().map(|route| &route.spec.hostnames);
    let of_calls = world.resources.grpc_routes.values().map(|route| &route.spec.hostnames);
    let hostnames: Vec<_> = of_requests.chain(of_calls).collect();
    let hostnames = if hostnames.is_empty() { &Vec::new() } else { source.one(&hostnames) };
    let host = host(source, listener.hostname.as_deref(), hostnames);
    // Mostly the host of the request, as browsers do.
    let server_name = match source.below(6) {
        0..4 => Some(host.clone()),
        4 => Some(source.one(&HOSTS[..6]).to_owned()),
        _ => None,
    };
    Arrival {
        gateway,
        port,
        server_name: server_name.map(|name| name.split(':').next().unwrap_or_default().to_owned()),
        request: match source.chance(35) {
            true => call(source, host),
            false => request(source, host),
        },
        body_length: source.one(&[0, 0, 4, 5]),
        auth: source.list(0, 4, auth_reply),
        randoms: source.list(1, 4, |source| match source.below(4) {
            0 => 0,
            1 => u64::MAX,
            _ => source.number(),
        }),
        answer: answer(source),
        now: Arrival::some_time(),
    }
}

/// The answer of an authorization service, whichever was asked.
fn auth_reply(source: &mut Source<'_>) -> AuthReply {
    const NAMES: [&str; 6] = ["x", "y", "version", "host", "vary", "te"];
    let headers = source.list(0, 3, |source| (source.one(&NAMES), source.one(&["1", "2", "a, b"])));
    match source.below(8) {
        0 => AuthReply::Nothing,
        1 => AuthReply::Check(CheckReply::Deny(401, owned(&headers), "no".to_owned())),
        2..4 => AuthReply::Check(CheckReply::Permit(owned(&headers))),
        number => {
            let status = if number == 4 { source.one(&[201_u16, 302, 401, 403, 503]) } else { 200 };
            let answer = headers
                .iter()
                .fold(Response::builder().status(status), |it, (name, value)| it.header(*name, *value));
            AuthReply::Http(answer.body(Bytes::new()).expect("names and values are valid"))
        }
    }
}

fn owned(headers: &[(&str, &str)]) -> Vec<(String, String)> {
    headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// A host that the listener or a route names, or any other.
fn host(source: &mut Source<'_>, of_listener: Option<&str>, of_route: &[String]) -> String {
    let choice = source.below(6);
    let named = if choice < 3 && !of_route.is_empty() {
        Some(source.one(of_route))
    } else {
        of_listener.filter(|_| choice < 5).map(str::to_owned)
    };
    match named {
        Some(hostname) => hostname.replace('*', source.one(&["x", "a", "x.a", "b", ""])),
        None => source.one(&HOSTS).to_owned(),
    }
}

fn request(source: &mut Source<'_>, host: String) -> Request<()> {
    let method = match source.below(3) {
        0 | 1 => Method::GET,
        _ => Method::from_bytes(source.one(&METHODS).as_bytes()).expect("a method"),
    };
    let mut request = Request::new(());
    *request.uri_mut() = uri(source, &host, &method);
    *request.method_mut() = method;
    let headers = request.headers_mut();
    let mut append = |name: HeaderName, value: &str| {
        headers.append(name, HeaderValue::from_bytes(value.as_bytes()).expect("a header value"));
    };
    match source.below(40) {
        0..36 => append(header::HOST, &host),
        36 => {}
        37 => {
            append(header::HOST, &host);
            append(header::HOST, source.one(&HOSTS));
        }
        38 => append(header::HOST, source.one(&BAD_HOSTS)),
        _ => append(header::HOST, source.one(&HOSTS)),
    }
    for _ in 0..source.below(4) {
        let name = HeaderName::from_bytes(source.one(&HEADER_NAMES[..4]).as_bytes()).expect("a name");
        let value = if source.chance(25) { source.one(&MANY_VALUES) } else { source.one(&HEADER_VALUES) };
        append(name, value);
    }
    if source.chance(10) {
        append(header::CONNECTION, source.one(&["x", "close, Y", "version,,x", "keep-alive"]));
    }
    if source.chance(30) {
        append(header::ORIGIN, source.one(&ORIGINS));
        if source.chance(70) {
            append(header::ACCESS_CONTROL_REQUEST_METHOD, source.one(&["POST", "GET", "PURGE"]));
        }
        for _ in 0..source.below(3) {
            append(header::ACCESS_CONTROL_REQUEST_HEADERS, source.one(&["x", "x, y", "z"]));
        }
    }
    request
}

/// A request that is a call of gRPC, or nearly.
fn call(source: &mut Source<'_>, host: String) -> Request<()> {
    let mut request = request(source, host);
    let path = match source.chance(8) {
        true => source.one(&CALL_PATHS).to_owned(),
        false => format!("/{}/{}", source.one(&GRPC_SERVICES), source.one(&GRPC_METHODS)),
    };
    if source.chance(90) {
        *request.method_mut() = Method::POST;
        *request.uri_mut() = path.parse().expect("a path");
    }
    let types = if source.chance(15) { &CALL_TYPES[..] } else { &CALL_TYPES[..2] };
    request.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(source.one(types)));
    if source.chance(25) {
        let time = source.one(&["1S", "250m", "0n", "1500u", "99999999H", "123456789m", "1s", "S"]);
        request.headers_mut().insert("grpc-timeout", HeaderValue::from_static(time));
    }
    request
}

const ORIGINS: [&str; 13] = [
    "https://a.test",
    "http://a.test",
    "https://b.a.test",
    "http://b.test:8080",
    "https://a.test:443",
    "https://A.test",
    "null",
    "https://c.b.a.test:444",
    "https://a.test.",
    "https://.test",
    "https://a.test:99999",
    "ftp://a.test",
    "https://a.test/",
];

fn uri(source: &mut Source<'_>, host: &str, method: &Method) -> Uri {
    let path = match source.below(4) {
        0 => source.one(&REQUEST_PATHS),
        _ => source.one(&REQUEST_PATHS[..8]),
    };
    let query = source.some(35, |source| match source.chance(20) {
        true => format!("?p={}", source.one(&MANY_VALUES)),
        false => format!("?{}", source.one(&QUERIES)),
    });
    let query = query.unwrap_or_default();
    let text = match source.below(20) {
        0..16 => format!("{path}{query}"),
        16 | 17 => format!("http://{host}{path}{query}"),
        18 => format!("http://{host}{query}"),
        _ if *method == Method::OPTIONS => "*".to_owned(),
        _ if *method == Method::CONNECT => format!("{}:443", host.split(':').next().unwrap_or_default()),
        _ => path.to_owned(),
    };
    // Some of the hosts cannot stand in a URI.
    text.parse().unwrap_or_else(|_| Uri::from_static("/"))
}

fn answer(source: &mut Source<'_>) -> Response<()> {
    let mut answer = Response::new(());
    for _ in 0..source.below(3) {
        let (name, value) = source.one(&[
            ("x", "1"),
            ("y", "2"),
            ("vary", "accept"),
            ("vary", "Origin, x"),
            ("vary", "*"),
            ("access-control-allow-origin", "https://backend.test"),
            ("access-control-max-age", "7"),
            ("version", "one"),
        ]);
        answer.headers_mut().append(name, HeaderValue::from_static(value));
    }
    answer
}
