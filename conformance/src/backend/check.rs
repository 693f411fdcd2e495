//! The authorization service that gRPC backends have: what it says of a request.

use crate::decision::CheckReply;

/// Says what becomes of a request with this target, of which these headers are told.
///
/// A request whose target begins with `/deny` does not pass: it gets 401 with `x-denied` and a body. Every other passes, and gets
/// `x-checked`, which has the names of the headers that were told.
pub fn check<'h>(target: &str, headers: impl Iterator<Item = (&'h str, String)>) -> CheckReply {
    if target.starts_with("/deny") {
        let headers = vec![("x-denied".to_owned(), "1".to_owned())];
        return CheckReply::Deny(401, headers, "denied by the service".to_owned());
    }
    // What each engine adds by itself is left out.
    let mut names: Vec<&str> =
        headers.map(|(name, _)| name).filter(|name| name.starts_with("x-") && !is_added(name)).collect();
    names.sort_unstable();
    CheckReply::Permit(vec![("x-checked".to_owned(), format!("told {}", names.join(" ")))])
}

fn is_added(name: &str) -> bool {
    name.starts_with("x-forwarded-") || matches!(name, "x-request-id" | "x-echo-set-header")
}
