//! Two upgraded connections, joined.

use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;

use super::TunnelOptions;
use super::client_end::ClientEnd;
use super::copy::{Ended, Passed, copy};
use crate::drain::{Member, Phase};

/// Passes bytes on in both directions until both sides are done, one fails, nothing has come for too long, or the server
/// closes the client's connection.
pub(crate) async fn join(client: ClientEnd, backend: OnUpgrade, options: TunnelOptions) {
    let ClientEnd { upgrade, member } = client;
    let (client, backend) = match tokio::try_join!(upgrade, backend) {
        Ok(both) => both,
        Err(error) => return tracing::debug!(%error, "a connection broke while it was upgraded"),
    };
    if let Some(member) = &member {
        // Not before the client has been told: until then it is watched like any other.
        member.set_tunnel();
    }
    let mut passed = Passed::default();
    tokio::select! {
        ended = copy(TokioIo::new(client), TokioIo::new(backend), options, &mut passed) => match ended {
            Ended::Closed(first) => tracing::debug!(?first, passed.up, passed.down, "a tunnel ended"),
            Ended::Quiet => tracing::debug!("a tunnel was closed: nothing more was sent"),
            Ended::Reset(side, error) => tracing::debug!(?side, %error, "a tunnel broke"),
        },
        () = closed(member.as_ref()) => tracing::debug!("a tunnel was closed: the listener goes"),
    }
}

async fn closed(member: Option<&Member>) {
    match member {
        Some(member) => member.reached(Phase::Closed).await,
        None => std::future::pending().await,
    }
}
