//! Durations as the Gateway API writes them.
//!
//! ```
//! use gateway_core::duration;
//!
//! let parsed = duration::parse("1h30m10s")?;
//! assert_eq!(parsed.as_secs(), 5410);
//! assert_eq!(duration::format(parsed)?, "1h30m10s");
//! # Ok::<(), duration::DurationError>(())
//! ```

use std::time::Duration;

/// A text or a value that the API's duration format cannot express.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DurationError {
    /// Not one to four numbers of up to five digits, each followed by `h`, `m`, `s` or `ms`.
    #[error(
        "{0:?} is not a duration: write one to four numbers of at most five digits, each followed by h, m, s or ms, as in 1m30s"
    )]
    Syntax(String),
    /// Not a whole number of milliseconds, or more than 99999 hours.
    #[error("{0:?} cannot be written as a duration: it must be whole milliseconds and at most 99999 hours")]
    NotRepresentable(Duration),
}

/// The duration that `text` gives: the sum of its components.
///
/// # Errors
/// When the text does not follow the grammar; sign, fraction, days and bare numbers are not part of it.
///
/// # Spec
/// GEP-2257, [TMO-07](crate::spec#TMO-07).
pub fn parse(text: &str) -> Result<Duration, DurationError> {
    let refused = || DurationError::Syntax(text.to_owned());
    let mut rest = text;
    let mut total = Duration::ZERO;
    for _ in 0..4 {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        if digits == 0 || digits > 5 {
            return Err(refused());
        }
        let (number, unit_on) = rest.split_at(digits);
        let number: u64 = number.parse().map_err(|_| refused())?;
        let (unit_length, milliseconds) = match unit_on.as_bytes() {
            [b'm', b's', ..] => (2, 1),
            [b'h', ..] => (1, 3_600_000),
            [b'm', ..] => (1, 60_000),
            [b's', ..] => (1, 1_000),
            [..] => return Err(refused()),
        };
        total += Duration::from_millis(number * milliseconds);
        rest = &unit_on[unit_length..];
        if rest.is_empty() {
            return Ok(total);
        }
    }
    Err(refused())
}

/// The canonical text of a duration: largest unit first, no unit twice, zero as `0s`.
///
/// # Errors
/// When the duration is not a whole number of milliseconds or exceeds 99999 hours.
///
/// # Spec
/// GEP-2257, [TMO-08](crate::spec#TMO-08).
pub fn format(duration: Duration) -> Result<String, DurationError> {
    let hours = duration.as_secs() / 3600;
    if !duration.subsec_nanos().is_multiple_of(1_000_000) || hours > 99_999 {
        return Err(DurationError::NotRepresentable(duration));
    }
    if duration.is_zero() {
        return Ok("0s".to_owned());
    }
    let minutes = duration.as_secs() / 60 % 60;
    let seconds = duration.as_secs() % 60;
    let milliseconds = u64::from(duration.subsec_millis());
    let parts = [(hours, "h"), (minutes, "m"), (seconds, "s"), (milliseconds, "ms")];
    Ok(parts.iter().filter(|(n, _)| *n > 0).map(|(n, unit)| format!("{n}{unit}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    // TMO-07, TMO-08
    #[test]
    fn the_vectors_of_gep_2257() {
        for (text, canonical) in [
            ("0h", "0s"),
            ("0s", "0s"),
            ("0h0m0s", "0s"),
            ("1h", "1h"),
            ("30m", "30m"),
            ("10s", "10s"),
            ("500ms", "500ms"),
            ("2h30m", "2h30m"),
            ("150m", "2h30m"),
            ("7230s", "2h30s"),
            ("1h30m10s", "1h30m10s"),
            ("10s30m1h", "1h30m10s"),
            ("100ms200ms300ms", "600ms"),
            ("01h", "1h"),
            ("00060m", "1h"),
        ] {
            assert_eq!(format(parse(text).expect(text)).expect(text), canonical, "{text}");
        }
        for text in ["1", "1m1", "1d", "1h30m10s20ms50h", "999999h", "1.5h", "-15m", "", "0", "1 h", "h"] {
            assert_eq!(parse(text), Err(DurationError::Syntax(text.into())), "{text:?}");
        }
    }

    // TMO-05, TMO-08
    #[test]
    fn what_the_format_cannot_express_is_an_error() {
        for duration in
            [Duration::from_micros(100), Duration::from_micros(500), Duration::from_secs(100_000 * 3600)]
        {
            assert_eq!(format(duration), Err(DurationError::NotRepresentable(duration)));
        }
    }
}
