//! The methods that are told apart.

use http::Method;

/// A method, or any other: clients make methods up, and a label must not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct MethodLabel(u8);

// === impl MethodLabel ===

impl MethodLabel {
    pub(super) const GET: Self = Self(0);

    pub(super) const COUNT: usize = Self::NAMES.len();

    /// In the order of their names.
    pub(super) const ALL: [Self; Self::COUNT] = {
        let mut all = [Self(0); Self::COUNT];
        let mut index = 0;
        while index < Self::COUNT {
            all[index] = Self(index as u8);
            index += 1;
        }
        all
    };

    /// The methods that the convention of OpenTelemetry knows, and its word for all others.
    const NAMES: [&str; 10] =
        ["GET", "POST", "PUT", "DELETE", "HEAD", "PATCH", "OPTIONS", "CONNECT", "TRACE", "_OTHER"];

    pub(super) fn all() -> impl Iterator<Item = (usize, &'static str)> {
        Self::NAMES.into_iter().enumerate()
    }

    pub(super) fn index(self) -> usize {
        usize::from(self.0)
    }
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
