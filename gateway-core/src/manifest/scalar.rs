//! The meaning of a plain scalar (one without quotes).
//!
//! Manifests are written for `kubectl`, which reads YAML 1.1: there `yes`, `on` and `012` are no strings. They are none
//! here either, so that a file that is read here is not refused by a cluster.

/// What a plain scalar means.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Scalar {
    Null,
    Bool(bool),
    Signed(i64),
    Unsigned(u64),
    Float(f64),
    Text,
}

impl Scalar {
    pub(super) fn of(text: &str) -> Self {
        let Some(first) = text.bytes().next() else { return Self::Null };
        match first {
            b'0'..=b'9' | b'+' | b'-' | b'.' => number(text),
            b'~' | b'n' | b'N' | b't' | b'T' | b'f' | b'F' | b'y' | b'Y' | b'o' | b'O' => word(text),
            _ => Self::Text,
        }
    }

    /// The kind of value, for a message.
    pub(super) fn describe(self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Bool(_) => "true or false",
            Self::Signed(_) | Self::Unsigned(_) | Self::Float(_) => "a number",
            Self::Text => "a string",
        }
    }
}

fn word(text: &str) -> Scalar {
    match text {
        "~" | "null" | "Null" | "NULL" => Scalar::Null,
        "true" | "True" | "TRUE" | "yes" | "Yes" | "YES" | "y" | "Y" | "on" | "On" | "ON" => {
            Scalar::Bool(true)
        }
        "false" | "False" | "FALSE" | "no" | "No" | "NO" | "n" | "N" | "off" | "Off" | "OFF" => {
            Scalar::Bool(false)
        }
        _ => Scalar::Text,
    }
}

fn number(text: &str) -> Scalar {
    integer(text).or_else(|| float(text)).unwrap_or(Scalar::Text)
}

fn integer(text: &str) -> Option<Scalar> {
    let (negative, digits) = match text.as_bytes()[0] {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let (radix, digits) = match digits.as_bytes() {
        [b'0', b'x' | b'X', ..] => (16, &digits[2..]),
        [b'0', b'o' | b'O', ..] => (8, &digits[2..]),
        [b'0', b'b' | b'B', ..] => (2, &digits[2..]),
        [b'0', b'0'..=b'9', ..] => (8, &digits[1..]),
        [b'0'..=b'9', ..] => (10, digits),
        _ => return None,
    };
    // A second sign would be taken by the standard library.
    if !digits.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'_') {
        return None;
    }
    let magnitude = if digits.contains('_') {
        u64::from_str_radix(&digits.replace('_', ""), radix)
    } else {
        u64::from_str_radix(digits, radix)
    };
    let magnitude = magnitude.ok()?;
    match (negative, i64::try_from(magnitude)) {
        (false, Ok(number)) => Some(Scalar::Signed(number)),
        (false, Err(_)) => Some(Scalar::Unsigned(magnitude)),
        (true, Ok(number)) => Some(Scalar::Signed(-number)),
        (true, Err(_)) => None,
    }
}

fn float(text: &str) -> Option<Scalar> {
    match text {
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => return Some(Scalar::Float(f64::INFINITY)),
        "-.inf" | "-.Inf" | "-.INF" => return Some(Scalar::Float(f64::NEG_INFINITY)),
        ".nan" | ".NaN" | ".NAN" => return Some(Scalar::Float(f64::NAN)),
        _ => {}
    }
    // The standard library takes words too; only digits, one point and an exponent make a number here.
    let shaped =
        text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'E' | b'+' | b'-'));
    let digits = text.bytes().any(|byte| byte.is_ascii_digit());
    (shaped && digits).then(|| text.parse().ok().map(Scalar::Float)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_scalar_means_what_kubectl_reads() {
        let cases = [
            ("", Scalar::Null),
            ("~", Scalar::Null),
            ("null", Scalar::Null),
            ("nullable", Scalar::Text),
            ("true", Scalar::Bool(true)),
            ("on", Scalar::Bool(true)),
            ("N", Scalar::Bool(false)),
            ("only", Scalar::Text),
            ("0", Scalar::Signed(0)),
            ("8080", Scalar::Signed(8080)),
            ("-1", Scalar::Signed(-1)),
            ("0x1F", Scalar::Signed(31)),
            ("0o17", Scalar::Signed(15)),
            ("017", Scalar::Signed(15)),
            ("0b101", Scalar::Signed(5)),
            ("1_000", Scalar::Signed(1000)),
            ("18446744073709551615", Scalar::Unsigned(u64::MAX)),
            ("1.5", Scalar::Float(1.5)),
            ("1e3", Scalar::Float(1000.0)),
            (".5", Scalar::Float(0.5)),
            ("-.inf", Scalar::Float(f64::NEG_INFINITY)),
            ("089", Scalar::Float(89.0)),
            ("10s", Scalar::Text),
            ("1.2.3", Scalar::Text),
            ("10.0.0.1", Scalar::Text),
            ("-", Scalar::Text),
            ("--1", Scalar::Text),
            ("+-1", Scalar::Text),
            (".", Scalar::Text),
            ("..", Scalar::Text),
            ("1e", Scalar::Text),
            ("infinity", Scalar::Text),
            ("2026-01-01T00:00:00Z", Scalar::Text),
            ("2026-01-01", Scalar::Text),
            ("/path", Scalar::Text),
            ("GET", Scalar::Text),
        ];
        for (text, expected) in cases {
            assert_eq!(Scalar::of(text), expected, "{text:?}");
        }
    }
}
