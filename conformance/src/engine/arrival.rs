//! A request as the gateway gets it, and the answer as the client gets it.

use std::net::IpAddr;

use gateway_core::api::{AnyObject, Kind};
use gateway_core::name::ObjectName;
use http::header::{self, HeaderName, HeaderValue};
use http::{Method, Request, Response, Uri, Version};

use super::{Addresses, EngineError};
use crate::case::{GrpcCall, HttpProtocol, HttpRequest, Target, WebSocketConversation};
use crate::decision::{Arrival, Entrance, Reply};
use crate::exchange::{Echo, Exchange, Failure, HttpAnswer};
use crate::store::Store;

/// A port of a Gateway.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) gateway: ObjectName,
    pub(super) port: u16,
    pub(super) address: IpAddr,
}

// === impl Place ===

impl Place {
    /// The port that is meant.
    pub(super) fn find(target: &Target, store: &Store, addresses: &Addresses) -> Result<Self, EngineError> {
        let key = &target.gateway.0;
        let Some(AnyObject::Gateway(gateway)) = store.get(Kind::Gateway, key) else {
            return Err(EngineError::failed(format!("there is no Gateway {key}")));
        };
        let first = gateway.spec.listeners.first().and_then(|listener| u16::try_from(listener.port).ok());
        let port = target.port.or(first);
        let port = port.ok_or_else(|| EngineError::failed(format!("Gateway {key} has no listeners")))?;
        let address = addresses.get(key);
        let address = address.ok_or_else(|| EngineError::failed(format!("Gateway {key} has no address")))?;
        Ok(Self { gateway: key.clone(), port, address })
    }

    fn arrival(&self, server_name: Option<String>, request: Request<()>, randoms: Vec<u64>) -> Arrival {
        let Self { gateway, port, .. } = self.clone();
        Arrival {
            gateway,
            port,
            server_name,
            request,
            body_length: 0,
            auth: Vec::new(),
            randoms,
            answer: Response::new(()),
            now: Arrival::some_time(),
        }
    }

    /// The host of a request that names none: the address of the Gateway.
    fn host(&self, secure: bool) -> String {
        match (self.port, secure) {
            (80, false) | (443, true) => self.address.to_string(),
            (port, _) => format!("{}:{port}", self.address),
        }
    }
}

/// The request of an exchange, if it is one of HTTP.
pub(super) fn of_exchange(exchange: &Exchange, store: &Store, addresses: &Addresses) -> Option<Arrival> {
    let place = |target| Place::find(target, store, addresses).ok();
    match exchange {
        Exchange::Http(target, request) => of_request(&place(target)?, request, Vec::new()).ok(),
        Exchange::WebSocket(target, conversation) => {
            of_web_socket(&place(target)?, conversation, Vec::new()).ok()
        }
        Exchange::Grpc(target, call) => of_call(&place(target)?, call, Vec::new()).ok(),
        Exchange::Tcp(..) | Exchange::Udp(_) | Exchange::Bytes(..) | Exchange::Mesh(..) => None,
    }
}

/// The request of a client.
pub(super) fn of_request(
    at: &Place,
    request: &HttpRequest,
    randoms: Vec<u64>,
) -> Result<Arrival, EngineError> {
    let host = request.host.clone().unwrap_or_else(|| at.host(request.tls.is_some()));
    let server_name = request.tls.as_ref().map(|tls| tls.server_name.clone());
    let body_length = request.body.as_ref().map_or(0, String::len) as u64;
    Ok(Arrival { body_length, ..at.arrival(server_name, head(request, &host)?, randoms) })
}

/// The request that a gRPC call is.
pub(super) fn of_call(at: &Place, call: &GrpcCall, randoms: Vec<u64>) -> Result<Arrival, EngineError> {
    let authority = call.authority.clone().unwrap_or_else(|| at.host(call.tls.is_some()));
    let server_name = call.tls.as_ref().map(|tls| tls.server_name.clone());
    Ok(at.arrival(server_name, head_of_call(call, &authority)?, randoms))
}

/// The head of a request to this host.
pub(super) fn head(request: &HttpRequest, host: &str) -> Result<Request<()>, EngineError> {
    let wrong = |error: &dyn std::fmt::Display| {
        EngineError::failed(format!("{} {} cannot be sent: {error}", request.method, request.path))
    };
    let mut made = Request::new(());
    *made.method_mut() = Method::from_bytes(request.method.as_bytes()).map_err(|error| wrong(&error))?;
    match request.protocol {
        HttpProtocol::Http1 => {
            *made.uri_mut() = request.path.parse().map_err(|error| wrong(&error))?;
            if !request.without_host {
                let host = HeaderValue::from_str(host).map_err(|error| wrong(&error))?;
                made.headers_mut().insert(header::HOST, host);
            }
        }
        HttpProtocol::Http2 => {
            *made.version_mut() = Version::HTTP_2;
            *made.uri_mut() = Uri::builder()
                .scheme(if request.tls.is_some() { "https" } else { "http" })
                .authority(host)
                .path_and_query(request.path.as_str())
                .build()
                .map_err(|error| wrong(&error))?;
        }
    }
    for (name, lines) in &request.headers {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|error| wrong(&error))?;
        for line in lines.as_slice() {
            let value = HeaderValue::from_str(line).map_err(|error| wrong(&error))?;
            made.headers_mut().append(&name, value);
        }
    }
    Ok(made)
}

/// The head of the request that a gRPC call is.
pub(super) fn head_of_call(call: &GrpcCall, authority: &str) -> Result<Request<()>, EngineError> {
    let request = HttpRequest {
        method: "POST".to_owned(),
        path: format!("/{}/{}", call.service, call.method),
        headers: call.headers.clone(),
        protocol: HttpProtocol::Http2,
        tls: call.tls.clone(),
        ..HttpRequest::default()
    };
    let mut made = head(&request, authority)?;
    let fields = [(header::CONTENT_TYPE, "application/grpc"), (header::TE, "trailers")];
    made.headers_mut().extend(fields.map(|(name, value)| (name, HeaderValue::from_static(value))));
    Ok(made)
}

/// The handshake of a WebSocket.
pub(super) fn of_web_socket(
    at: &Place,
    conversation: &WebSocketConversation,
    randoms: Vec<u64>,
) -> Result<Arrival, EngineError> {
    let request = HttpRequest {
        path: conversation.path.clone(),
        host: conversation.host.clone(),
        ..HttpRequest::default()
    };
    let mut arrival = of_request(at, &request, randoms)?;
    let handshake = [
        (header::CONNECTION, "Upgrade"),
        (header::UPGRADE, "websocket"),
        (header::SEC_WEBSOCKET_VERSION, "13"),
        (header::SEC_WEBSOCKET_KEY, "dGhlIHNhbXBsZSBub25jZQ=="),
    ];
    let headers = arrival.request.headers_mut();
    headers.extend(handshake.map(|(name, value)| (name, HeaderValue::from_static(value))));
    Ok(arrival)
}

/// Whether a client gets in that sends this server name, or speaks no TLS without one.
///
/// # Errors
/// What the client sees instead.
pub(super) fn admit(entrance: &Entrance, server_name: Option<&str>) -> Result<(), Failure> {
    let refused = match (entrance, server_name) {
        (Entrance::Http, None) | (Entrance::Https(Some(_)), Some(_)) => return Ok(()),
        (Entrance::Closed, _) => Failure::Connect("nobody listens there".to_owned()),
        (Entrance::Http, Some(_)) => Failure::Malformed("the port does not speak TLS".to_owned()),
        (Entrance::Https(_), None) => Failure::Closed("the port speaks TLS".to_owned()),
        (Entrance::Stream, _) => Failure::Malformed("the port does not speak HTTP".to_owned()),
        (Entrance::Https(None), Some(_)) => Failure::Tls("no listener has the server name".to_owned()),
    };
    Err(refused)
}

/// What the client gets.
pub(super) fn http_answer(reply: &Reply, echo: Option<Echo>) -> HttpAnswer {
    let lines = reply.headers.iter().flat_map(|(name, lines)| lines.iter().map(move |line| (name, line)));
    HttpAnswer {
        status: reply.status.as_u16(),
        headers: lines.map(|(name, line)| (name.clone(), line.clone())).collect(),
        echo,
        certificate_requested: false,
    }
}
