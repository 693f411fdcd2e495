//! Clients that remember what answers have told them.

use std::collections::BTreeMap;

use crate::case::{Client, Lines};
use crate::exchange::Pod;
use crate::expect::{Mismatch, set_cookie};

/// What the clients of a case remember, by their names.
#[derive(Debug, Default)]
pub(super) struct Clients(BTreeMap<String, Memory>);

/// What a client remembers.
#[derive(Clone, Debug, Default)]
pub(super) struct Memory {
    cookies: BTreeMap<String, Cookie>,
    /// The header that it keeps, by the name that it has in the case.
    kept: BTreeMap<String, String>,
    /// Who has answered last.
    pod: Option<Pod>,
}

#[derive(Clone, Debug)]
struct Cookie {
    value: String,
    path: String,
    secure: bool,
}

/// A request as its cookies see it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Going<'r> {
    pub(super) path: &'r str,
    pub(super) secure: bool,
}

// === impl Clients ===

impl Clients {
    /// What a client remembers now.
    pub(super) fn memory(&self, client: &Client) -> Memory {
        self.0.get(&client.name).cloned().unwrap_or_default()
    }

    /// Lets a client remember this and nothing else.
    pub(super) fn remember(&mut self, client: &Client, memory: Memory) {
        self.0.insert(client.name.clone(), memory);
    }
}

// === impl Memory ===

impl Memory {
    /// Adds what the client sends with a request.
    pub(super) fn send(&self, going: Going<'_>, headers: &mut BTreeMap<String, Lines>) {
        let path = going.path.split('?').next().unwrap_or_default();
        // RFC 6265, section 5.1.4
        let is_within = |of: &str| {
            path.strip_prefix(of)
                .is_some_and(|rest| rest.is_empty() || of.ends_with('/') || rest.starts_with('/'))
        };
        let fits = |cookie: &Cookie| is_within(&cookie.path) && (going.secure || !cookie.secure);
        let fitting = self.cookies.iter().filter(|(_, cookie)| fits(cookie));
        let pairs: Vec<_> = fitting.map(|(name, cookie)| format!("{name}={}", cookie.value)).collect();
        if !pairs.is_empty() {
            // A client has one line of them.
            let own = headers.remove("Cookie").into_iter().flat_map(|lines| lines.as_slice().to_vec());
            let line = own.chain(pairs).collect::<Vec<_>>().join("; ");
            headers.insert("Cookie".to_owned(), Lines::One(line));
        }
        for (name, value) in &self.kept {
            headers.insert(name.clone(), Lines::One(value.clone()));
        }
    }

    /// Takes what an answer says.
    pub(super) fn take(&mut self, client: &Client, headers: &[(String, String)], pod: Option<&Pod>) {
        for (name, line) in headers {
            if let Some(kept) = client.keeps.as_ref().filter(|kept| kept.eq_ignore_ascii_case(name)) {
                self.kept.insert(kept.clone(), line.clone());
            }
            if !name.eq_ignore_ascii_case("set-cookie") {
                continue;
            }
            if let Some(cookie) = set_cookie(line) {
                let attribute = |name: &str| {
                    let mut pairs = cookie.attributes.iter().map(|it| it.split_once('=').unwrap_or((it, "")));
                    pairs.find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value)
                };
                let path = attribute("Path").unwrap_or("/").to_owned();
                let (value, secure) = (cookie.value.to_owned(), attribute("Secure").is_some());
                self.cookies.insert(cookie.name.to_owned(), Cookie { value, path, secure });
            }
        }
        self.pod = pod.cloned();
    }

    /// What is wrong when `pod` answers and the last one should.
    pub(super) fn compare(&self, pod: Option<&Pod>) -> Option<Mismatch> {
        let name = |pod: Option<&Pod>| pod.map_or_else(|| "none".to_owned(), |pod| pod.name.clone());
        let is_last = pod.is_some() && pod == self.pod.as_ref();
        (!is_last).then(|| Mismatch::new("pod", name(self.pod.as_ref()), name(pod)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_sends_what_it_was_told_where_that_belongs() {
        let client = Client { name: "ann".to_owned(), keeps: Some("X-Session".to_owned()) };
        let mut memory = Memory::default();
        let headers = [
            ("set-cookie", "a=1; Path=/shop; HttpOnly"),
            ("set-cookie", "b=2; Secure"),
            ("set-cookie", "a=3; Path=/shop"),
            ("x-session", "4"),
        ];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
        memory.take(&client, &headers, None);
        for (path, secure, expected) in [
            ("/shop", false, "own; a=3"),
            ("/shop/cart?x", true, "own; a=3; b=2"),
            ("/shopping", false, "own"),
            ("/", true, "own; b=2"),
        ] {
            let mut sent = BTreeMap::from([("Cookie".to_owned(), Lines::One("own".to_owned()))]);
            memory.send(Going { path, secure }, &mut sent);
            assert_eq!(sent["Cookie"].as_slice(), [expected], "{path}");
            assert_eq!(sent["X-Session"].as_slice(), ["4"]);
        }
    }
}
