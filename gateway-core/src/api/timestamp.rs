//! A point in time as Kubernetes writes it: RFC 3339, to the second.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::time::SystemTime;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An RFC 3339 time, kept as written and compared as an instant.
///
/// Text that is no RFC 3339 time is kept too. It sorts after every real time, so that an object with a broken
/// timestamp never wins a tie against one with a good timestamp.
///
/// ```
/// use gateway_core::api::Timestamp;
///
/// let noon = Timestamp::from("2026-01-01T12:00:00Z");
/// assert_eq!(noon, Timestamp::from("2026-01-01T13:00:00+01:00"));
/// assert!(noon < Timestamp::from("yesterday"));
/// ```
#[derive(Clone)]
pub struct Timestamp {
    text: Box<str>,
    instant: Option<Instant>,
}

/// Seconds since 1970-01-01T00:00:00Z, and nanoseconds of that second.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Instant {
    seconds: i64,
    nanoseconds: u32,
}

// === impl Timestamp ===

impl Timestamp {
    /// The time that is this many seconds after 1970-01-01T00:00:00Z, written with a `Z`.
    pub fn from_unix_seconds(seconds: i64) -> Self {
        let (year, month, day) = date_of(seconds.div_euclid(86_400));
        let second = seconds.rem_euclid(86_400);
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        Self {
            text: format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z").into(),
            instant: Some(Instant { seconds, nanoseconds: 0 }),
        }
    }

    /// The text as written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Seconds since 1970-01-01T00:00:00Z, or nothing if the text is no RFC 3339 time.
    pub fn unix_seconds(&self) -> Option<i64> {
        self.instant.map(|instant| instant.seconds)
    }

    /// What is compared: a real time before a broken one, broken ones by their text.
    fn order(&self) -> (bool, Option<Instant>, &str) {
        match self.instant {
            Some(instant) => (false, Some(instant), ""),
            None => (true, None, &self.text),
        }
    }
}

impl Default for Timestamp {
    /// 1970-01-01T00:00:00Z, the transition time of the conditions that the schema puts on new objects.
    fn default() -> Self {
        Self::from_unix_seconds(0)
    }
}

impl From<SystemTime> for Timestamp {
    /// The second that a clock shows; the first of all for one that stands before it.
    fn from(time: SystemTime) -> Self {
        let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Self::from_unix_seconds(i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
    }
}

impl From<&str> for Timestamp {
    fn from(text: &str) -> Self {
        Self { text: text.into(), instant: parse(text.as_bytes()) }
    }
}

impl PartialEq for Timestamp {
    fn eq(&self, other: &Self) -> bool {
        self.order() == other.order()
    }
}

impl Eq for Timestamp {}

impl PartialOrd for Timestamp {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Timestamp {
    fn cmp(&self, other: &Self) -> Ordering {
        self.order().cmp(&other.order())
    }
}

impl Hash for Timestamp {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.order().hash(state);
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl serde::de::Visitor<'_> for Visitor {
            type Value = Timestamp;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an RFC 3339 time")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Timestamp, E> {
                Ok(Timestamp::from(text))
            }
        }

        deserializer.deserialize_str(Visitor)
    }
}

// === parsing ===

/// `2026-01-31T12:00:00Z`, with an optional fraction of a second, and `+01:00` instead of `Z`.
fn parse(text: &[u8]) -> Option<Instant> {
    let (date_time, rest) = text.split_at_checked(19)?;
    let number = |from: usize, to: usize| digits(date_time.get(from..to)?);
    let separated =
        [(4, b'-'), (7, b'-'), (13, b':'), (16, b':')].iter().all(|&(at, byte)| date_time[at] == byte);
    if !separated || !matches!(date_time[10], b'T' | b't' | b' ') {
        return None;
    }
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    // 60 is a leap second.
    let in_range = (1..=12).contains(&month)
        && (1..=days_in(year, month)).contains(&day)
        && hour < 24
        && minute < 60
        && second <= 60;
    if !in_range {
        return None;
    }

    let (nanoseconds, zone) = fraction(rest)?;
    let offset = match zone {
        b"Z" | b"z" => 0,
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
            let (hours, minutes) = (digits(&[*h1, *h2])?, digits(&[*m1, *m2])?);
            if hours > 23 || minutes > 59 {
                return None;
            }
            let seconds = hours * 3600 + minutes * 60;
            if *sign == b'-' { -seconds } else { seconds }
        }
        _ => return None,
    };
    let seconds = days_to(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second - offset;
    Some(Instant { seconds, nanoseconds })
}

/// The nanoseconds of an optional `.123`, and what stands behind it.
fn fraction(text: &[u8]) -> Option<(u32, &[u8])> {
    let Some(text) = text.strip_prefix(b".") else { return Some((0, text)) };
    let length = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if length == 0 {
        return None;
    }
    let (fraction, rest) = text.split_at(length);
    let nanoseconds =
        (0..9).fold(0, |sum, at| sum * 10 + fraction.get(at).map_or(0, |digit| u32::from(digit - b'0')));
    Some((nanoseconds, rest))
}

fn digits(text: &[u8]) -> Option<i64> {
    text.iter().try_fold(0, |sum, byte| byte.is_ascii_digit().then(|| sum * 10 + i64::from(byte - b'0')))
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

/// Days from 1970-01-01 to a date of the Gregorian calendar.
///
/// Years are counted from March, so that the leap day is the last day of a year.
fn days_to(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let month = (month + 9) % 12;
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    // 719468 days lie between 0000-03-01 and 1970-01-01.
    year * 365 + leap_days + (month * 153 + 2) / 5 + day - 1 - 719_468
}

/// The date that is this many days after 1970-01-01; the reverse of [`days_to`].
fn date_of(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let calendar_month = if month < 10 { month + 3 } else { month - 9 };
    let year = era * 400 + year_of_era + i64::from(calendar_month <= 2);
    (year, calendar_month, day)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn an_instant_is_written_and_read_alike() {
        let cases = [
            ("1970-01-01T00:00:00Z", 0),
            ("1969-12-31T23:59:59Z", -1),
            ("2000-02-29T00:00:00Z", 951_782_400),
            ("2026-11-21T09:45:00Z", 1_795_254_300),
            ("9999-12-31T23:59:59Z", 253_402_300_799),
        ];
        for (text, seconds) in cases {
            assert_eq!(Timestamp::from(text).unix_seconds(), Some(seconds), "{text}");
            assert_eq!(Timestamp::from_unix_seconds(seconds).as_str(), text);
        }
        let clock = SystemTime::UNIX_EPOCH + Duration::from_millis(1_795_254_300_999);
        assert_eq!(Timestamp::from(clock).as_str(), "2026-11-21T09:45:00Z");
    }

    #[test]
    fn every_day_of_four_centuries_is_the_day_after_the_one_before() {
        for days in -1000..146_097 {
            let (year, month, day) = date_of(days);
            assert_eq!(days_to(year, month, day), days);
            assert!((1..=days_in(year, month)).contains(&day), "{year}-{month}-{day}");
        }
    }

    #[test]
    fn zones_and_fractions_are_compared_as_instants() {
        assert_eq!(Timestamp::from("2026-01-01T01:30:00+01:30"), Timestamp::from("2026-01-01T00:00:00Z"));
        assert_eq!(Timestamp::from("2025-12-31T19:00:00-05:00"), Timestamp::from("2026-01-01T00:00:00.000Z"));
        assert!(Timestamp::from("2026-01-01T00:00:00.1Z") > Timestamp::from("2026-01-01T00:00:00.09Z"));
    }

    #[test]
    fn broken_text_is_kept_and_sorts_last() {
        let broken = [
            "",
            "now",
            "2026-01-01",
            "2026-01-01T00:00:00",
            "2026-13-01T00:00:00Z",
            "2025-02-29T00:00:00Z",
            "2026-01-01T24:00:00Z",
            "2026-01-01T00:00:00.Z",
            "2026-01-01T00:00:00+1:00",
            "2026-01-01T00:00:00Z ",
            "２026-01-01T00:00:00Z",
        ];
        let last = Timestamp::from("9999-12-31T23:59:59Z");
        for text in broken {
            let time = Timestamp::from(text);
            assert_eq!(time.unix_seconds(), None, "{text}");
            assert_eq!(time.as_str(), text);
            assert!(time > last, "{text}");
        }
    }
}
