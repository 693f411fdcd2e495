//! Descriptions of what was sent, in words.

use std::collections::BTreeMap;

use crate::case::{
    ClientTls, GrpcCall, HttpProtocol, HttpRequest, Lines, MeshProtocol, Target, Way, text_of_bytes,
};
use crate::exchange::Exchange;

/// An exchange in a line, such as `GET http://example.org/path to Gateway same-namespace`.
pub fn sent(exchange: &Exchange) -> String {
    match exchange {
        Exchange::Http(to, request) => format!("{} to {}", http(request), target(to)),
        Exchange::Grpc(to, GrpcCall { service, method, authority, headers: metadata, tls: with }) => {
            let authority = authority.as_ref().map(|it| format!(" of {it}")).unwrap_or_default();
            let tls = with.as_ref().map(tls).unwrap_or_default();
            format!("gRPC /{service}/{method}{authority}{}{tls} to {}", headers(metadata), target(to))
        }
        Exchange::WebSocket(to, said) => {
            let host = said.host.as_deref().unwrap_or("address");
            format!(
                "WebSocket ws://{host}{} with {} messages to {}",
                said.path,
                said.messages.len(),
                target(to)
            )
        }
        Exchange::Tcp(to, None) => format!("TCP to {}", target(to)),
        Exchange::Tcp(to, Some(with)) => format!("TCP{} to {}", tls(with), target(to)),
        Exchange::Udp(to) => format!("UDP to {}", target(to)),
        Exchange::Bytes(to, with, bytes) => {
            let tls = with.as_ref().map(tls).unwrap_or_default();
            format!("{:?}{tls} to {}", text_of_bytes(bytes), target(to))
        }
        Exchange::Mesh(way, request) => mesh(way, request),
    }
}

fn http(request: &HttpRequest) -> String {
    let HttpRequest { method, path, host, without_host, headers: fields, protocol, tls: with, body } =
        request;
    let scheme = if with.is_some() { "https" } else { "http" };
    let host = if *without_host { "none" } else { host.as_deref().unwrap_or("address") };
    let protocol = match protocol {
        HttpProtocol::Http1 => "",
        HttpProtocol::Http2 => " by HTTP/2",
    };
    let tls = with.as_ref().map(tls).unwrap_or_default();
    let body = body.as_ref().map(|body| format!(", {} bytes of body", body.len())).unwrap_or_default();
    format!("{method} {scheme}://{host}{path}{protocol}{}{body}{tls}", headers(fields))
}

fn mesh(way: &Way, request: &HttpRequest) -> String {
    let protocol = match way.speak {
        MeshProtocol::Http => "",
        MeshProtocol::Grpc => " by gRPC",
    };
    let to = if way.pod { "pod of" } else { "Service" };
    format!("{}{protocol} from {} to {to} {}:{}", http(request), way.from.0, way.to.0, way.port)
}

fn headers(headers: &BTreeMap<String, Lines>) -> String {
    let line = |(name, lines): (&String, &Lines)| format!(" {name}: {}", lines.as_slice().join(", "));
    match headers.is_empty() {
        true => String::new(),
        false => format!(" with{}", headers.iter().map(line).collect::<Vec<_>>().join(",")),
    }
}

fn tls(tls: &ClientTls) -> String {
    let certificate = tls.certificate.as_ref().map(|it| format!(", showing {it}")).unwrap_or_default();
    format!(", TLS for {}, trusting {}{certificate}", tls.server_name, tls.trust)
}

fn target(target: &Target) -> String {
    match target.port {
        Some(port) => format!("Gateway {}, port {port}", target.gateway),
        None => format!("Gateway {}", target.gateway),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{from_value, json};

    use crate::case::HttpExchange;

    use super::*;

    #[test]
    fn a_request_is_a_line() {
        let to = Target { gateway: "g".into(), port: Some(8080) };
        let exchange: HttpExchange = from_value(json!({
            "path": "/a", "host": "example.org", "headers": {"X-A": ["1", "2"]}, "protocol": "HTTP/2",
            "tls": {"serverName": "example.org", "trust": "Secret s"},
        }))
        .unwrap();
        assert_eq!(
            sent(&Exchange::Http(to.clone(), exchange.request)),
            "GET https://example.org/a by HTTP/2 with X-A: 1, 2, TLS for example.org, trusting Secret s \
             to Gateway g, port 8080"
        );
        assert_eq!(sent(&Exchange::Udp(to)), "UDP to Gateway g, port 8080");
        let way = from_value(json!({"from": "echo-v1", "to": "echo", "speak": "grpc"})).unwrap();
        assert_eq!(
            sent(&Exchange::Mesh(way, HttpRequest::default())),
            "GET http://address/ by gRPC from gateway-conformance-mesh/echo-v1 \
             to Service gateway-conformance-mesh/echo:80"
        );
    }
}
