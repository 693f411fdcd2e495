//! The timeout that a caller of gRPC sends along.

use std::time::Duration;

use http::HeaderMap;

/// The most digits that a time has.
const DIGITS: usize = 8;

/// The time in the header `grpc-timeout`, if it is there and says one.
///
/// ```
/// use std::time::Duration;
///
/// use gateway_core::rule::grpc_timeout;
///
/// let call = http::Request::post("/shop.Cart/Add").header("grpc-timeout", "250m").body(())?;
/// assert_eq!(grpc_timeout(call.headers()), Some(Duration::from_millis(250)));
/// # Ok::<(), http::Error>(())
/// ```
///
/// # Spec
/// gRPC, `doc/PROTOCOL-HTTP2.md`: at most eight digits, and a unit.
pub fn grpc_timeout(headers: &HeaderMap) -> Option<Duration> {
    let (unit, digits) = headers.get("grpc-timeout")?.as_bytes().split_last()?;
    if !(1..=DIGITS).contains(&digits.len()) || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let number = digits.iter().fold(0, |number, digit| number * 10 + u64::from(digit - b'0'));
    match unit {
        b'H' => Some(Duration::from_secs(number * 3_600)),
        b'M' => Some(Duration::from_secs(number * 60)),
        b'S' => Some(Duration::from_secs(number)),
        b'm' => Some(Duration::from_millis(number)),
        b'u' => Some(Duration::from_micros(number)),
        b'n' => Some(Duration::from_nanos(number)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_has_digits_and_a_unit() {
        for (written, expected) in [
            ("1H", Some(Duration::from_secs(3_600))),
            ("2M", Some(Duration::from_secs(120))),
            ("3S", Some(Duration::from_secs(3))),
            ("99999999m", Some(Duration::from_millis(99_999_999))),
            ("5u", Some(Duration::from_micros(5))),
            ("0n", Some(Duration::ZERO)),
            ("99999999H", Some(Duration::from_secs(99_999_999 * 3_600))),
            ("100000000n", None),
            ("S", None),
            ("", None),
            ("1", None),
            ("1s", None),
            ("-1S", None),
            ("1.5S", None),
        ] {
            let headers = HeaderMap::from_iter([("grpc-timeout".parse().unwrap(), written.parse().unwrap())]);
            assert_eq!(grpc_timeout(&headers), expected, "{written}");
        }
        assert_eq!(grpc_timeout(&HeaderMap::new()), None);
    }
}
