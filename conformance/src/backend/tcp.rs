//! TCP backends: a dialogue in lines, which the backend begins.

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use super::echo::Tls;
use super::tls;
use crate::exchange::Pod;

/// The first line of a backend.
pub(crate) const GREETING: &str = "Gateway API Test TCP Server";

/// The longest line that is read.
const LONGEST_LINE: u64 = 4096;

/// The answer to `TEST`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct TestAnswer {
    pub(crate) namespace: String,
    pub(crate) ingress: String,
    pub(crate) service: String,
    pub(crate) pod: String,
    #[serde(rename = "tcpport")]
    pub(crate) tcp_port: String,
    #[serde(rename = "tlsport")]
    pub(crate) tls_port: String,
    #[serde(rename = "isTLS")]
    pub(crate) is_tls: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tls: Option<Tls>,
}

/// Without TLS.
pub(super) async fn serve(stream: TcpStream, pod: Pod) {
    talk(stream, &pod, None).await;
}

/// With TLS.
pub(super) async fn serve_tls(stream: TcpStream, acceptor: TlsAcceptor, pod: Pod) {
    let Ok(stream) = acceptor.accept(stream).await else { return };
    let seen = tls::seen(stream.get_ref().1);
    talk(stream, &pod, Some(seen)).await;
}

/// Greets, and answers lines until the client goes. How it goes is for the client to judge.
async fn talk(stream: impl AsyncRead + AsyncWrite + Unpin, pod: &Pod, tls: Option<Tls>) {
    let mut stream = BufReader::new(stream);
    let mut answer = GREETING.to_owned();
    loop {
        answer.push('\n');
        if stream.write_all(answer.as_bytes()).await.is_err() || stream.flush().await.is_err() {
            return;
        }
        let mut line = String::new();
        match (&mut stream).take(LONGEST_LINE).read_line(&mut line).await {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
        answer = match line.trim_end() {
            "PING" => "PONG".to_owned(),
            "IS_TLS" => tls.is_some().to_string(),
            "TEST" => {
                let test = TestAnswer {
                    namespace: pod.namespace.clone(),
                    pod: pod.name.clone(),
                    tcp_port: "3000".to_owned(),
                    tls_port: "8443".to_owned(),
                    is_tls: tls.is_some(),
                    tls: tls.clone(),
                    ..TestAnswer::default()
                };
                serde_json::to_string(&test).expect("texts can be written as JSON")
            }
            other => format!("{other:?} is not understood"),
        };
    }
}
