//! The methods that are told apart.

use http::Method;

use super::closed_label::closed_label;

closed_label! {
    /// A method, or any other: clients make methods up, and a label must not. The words are those of OpenTelemetry's convention.
    MethodLabel: "GET", "POST", "PUT", "DELETE", "HEAD", "PATCH", "OPTIONS", "CONNECT", "TRACE", "_OTHER"
}

// === impl MethodLabel ===

impl MethodLabel {
    pub(super) const GET: Self = Self(0);
}

impl From<&Method> for MethodLabel {
    fn from(method: &Method) -> Self {
        Self(match *method {
            Method::GET => 0,
            Method::POST => 1,
            Method::PUT => 2,
            Method::DELETE => 3,
            Method::HEAD => 4,
            Method::PATCH => 5,
            Method::OPTIONS => 6,
            Method::CONNECT => 7,
            Method::TRACE => 8,
            _ => 9,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_method_has_its_own_name() {
        let known = &MethodLabel::NAMES[..MethodLabel::COUNT - 1];
        for name in known {
            let method = Method::from_bytes(name.as_bytes()).unwrap();
            assert_eq!(MethodLabel::NAMES[MethodLabel::from(&method).index()], *name);
        }
        for name in ["get", "BREW", "_OTHER"] {
            let method = Method::from_bytes(name.as_bytes()).unwrap();
            assert_eq!(MethodLabel::from(&method).index(), MethodLabel::COUNT - 1, "{name}");
        }
    }
}
