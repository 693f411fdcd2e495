//! Fields of v1.6 that v1.7 has under other names: read as what they say there.
//!
//! An API server with the definitions of v1.6 stores them. One with those of v1.7 leaves them out of what was stored before,
//! and what is left lacks a field that v1.7 asks for.
//!
//! Manifests are another matter: their author is told to write what v1.7 has.

use gateway_core::api::Kind;
use serde_json::{Map, Value, json};

/// The header of a session for which v1.6 asked for no name.
const SESSION_HEADER: &str = "x-session";

/// Writes former fields as v1.7 has them.
pub(crate) fn rewrite(kind: Kind, object: &mut Value) {
    if !matches!(kind, Kind::HttpRoute | Kind::GrpcRoute) {
        return;
    }
    let rules = object.pointer_mut("/spec/rules").and_then(Value::as_array_mut);
    let sessions = rules.into_iter().flatten().filter_map(|rule| rule.get_mut("sessionPersistence"));
    sessions.filter_map(Value::as_object_mut).for_each(session);
}

/// `sessionName` and `cookieConfig` became `cookie` and `header`, of which v1.7 asks for the one that `type` names.
fn session(session: &mut Map<String, Value>) {
    let name = session.remove("sessionName");
    let cookie = session.remove("cookieConfig");
    if session.contains_key("cookie") || session.contains_key("header") {
        return;
    }
    if session.get("type").is_some_and(|carrier| carrier == "Header") {
        session.insert("header".to_owned(), json!({"name": name.unwrap_or_else(|| SESSION_HEADER.into())}));
    } else {
        let mut cookie = cookie.unwrap_or_else(|| json!({}));
        if let (Some(name), Some(cookie)) = (name, cookie.as_object_mut()) {
            cookie.insert("name".to_owned(), name);
        }
        session.insert("cookie".to_owned(), cookie);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_of_v1_6_is_read_as_one_of_v1_7() {
        for (former, now) in [
            (json!({"sessionName": "cart"}), json!({"cookie": {"name": "cart"}})),
            (
                json!({"type": "Cookie", "absoluteTimeout": "1h", "cookieConfig": {"lifetimeType": "Permanent"}}),
                json!({"type": "Cookie", "absoluteTimeout": "1h", "cookie": {"lifetimeType": "Permanent"}}),
            ),
            (
                json!({"type": "Header", "sessionName": "x-cart"}),
                json!({"type": "Header", "header": {"name": "x-cart"}}),
            ),
            // What is left after the definitions of v1.7 were installed.
            (json!({"type": "Cookie"}), json!({"type": "Cookie", "cookie": {}})),
            (json!({"type": "Header"}), json!({"type": "Header", "header": {"name": "x-session"}})),
            (json!({"cookie": {"name": "cart"}}), json!({"cookie": {"name": "cart"}})),
        ] {
            let object = |session: &Value| json!({"spec": {"rules": [{}, {"sessionPersistence": session}]}});
            let mut read = object(&former);
            rewrite(Kind::HttpRoute, &mut read);
            assert_eq!(read, object(&now), "{former}");
        }
        let mut other = json!({"spec": {"rules": [7, {"sessionPersistence": 7}]}});
        let before = other.clone();
        rewrite(Kind::GrpcRoute, &mut other);
        assert_eq!(other, before, "what is no session is left to be refused");
    }
}
