//! UDP backends: they say who they are.

use serde::{Deserialize, Serialize};
use tokio::net::UdpSocket;

use crate::exchange::Pod;

/// The longest datagram that is read.
pub(crate) const LONGEST: usize = 65_535;

/// The answer to a datagram.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct DatagramAnswer {
    pub(crate) request: String,
    pub(crate) namespace: String,
    pub(crate) ingress: String,
    pub(crate) service: String,
    pub(crate) pod: String,
}

/// Answers every datagram with who got it.
pub(super) async fn serve(socket: UdpSocket, pod: Pod) {
    let mut buffer = vec![0; LONGEST];
    loop {
        // An error is about an earlier answer that could not be delivered.
        let Ok((length, client)) = socket.recv_from(&mut buffer).await else { continue };
        let answer = DatagramAnswer {
            request: String::from_utf8_lossy(&buffer[..length]).into_owned(),
            namespace: pod.namespace.clone(),
            pod: pod.name.clone(),
            ..DatagramAnswer::default()
        };
        let answer = serde_json::to_vec(&answer).expect("texts can be written as JSON");
        let _ = socket.send_to(&answer, client).await;
    }
}
