//! The framing of a message: where its body ends.
//!
//! What is forwarded says it in one way, and as it was understood here: two parties that find the end in different places see
//! different messages. Equal lengths that are said several times are said once; lengths that differ, or are no numbers, are
//! refused, and so is the answer of a backend whose transfer coding is another than `chunked`, since its content would be
//! passed on in that coding without a word. Codings of requests are refused by those that read them: 501.
//!
//! # Spec
//! RFC 9110 section 8.6, RFC 9112 sections 6.1 and 6.3.

use http::StatusCode;
use http::header::{self, HeaderMap, HeaderValue};

use super::header_set::HeaderSet;

/// A message whose end cannot be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FramingError {
    /// Lengths that differ, or that are no numbers.
    #[error("the message has no valid Content-Length")]
    Length,
    /// A transfer coding that is not `chunked`.
    #[error("the message has a transfer coding that is not chunked")]
    Coding,
}

/// Makes sure that an answer, whose headers are those of `present`, says its length once, and takes the coding `chunked` out,
/// which overrides a length: the client that has read the answer has taken it off, and the server puts on its own.
///
/// # Errors
/// When lengths differ, a length is no number, or there is another coding.
pub fn check_answer(
    status: StatusCode,
    headers: &mut HeaderMap,
    present: HeaderSet,
) -> Result<(), FramingError> {
    // Neither may be said of an answer that never has a body: RFC 9110 section 8.6, RFC 9112 section 6.1.
    if status.is_informational() || status == StatusCode::NO_CONTENT {
        headers.remove(header::TRANSFER_ENCODING);
        headers.remove(header::CONTENT_LENGTH);
        return Ok(());
    }
    if !present.has(HeaderSet::TRANSFER_ENCODING) {
        return check_length(headers, present);
    }
    if !is_chunked(headers) {
        return Err(FramingError::Coding);
    }
    headers.remove(header::TRANSFER_ENCODING);
    headers.remove(header::CONTENT_LENGTH);
    Ok(())
}

/// Makes sure that a request says its length once. The coding `chunked` overrides it, and is written in the one way in which
/// every reader finds it; others are left to those that refuse them.
pub(super) fn check_request(headers: &mut HeaderMap, present: HeaderSet) -> Result<(), FramingError> {
    if !present.has(HeaderSet::TRANSFER_ENCODING) {
        return check_length(headers, present);
    }
    headers.remove(header::CONTENT_LENGTH);
    if is_chunked(headers) {
        headers.insert(header::TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
    }
    Ok(())
}

/// Whether `chunked` is the only coding.
fn is_chunked(headers: &HeaderMap) -> bool {
    let mut codings = headers.get_all(header::TRANSFER_ENCODING).iter();
    let first = codings.next().map_or(&b""[..], HeaderValue::as_bytes);
    first.trim_ascii().eq_ignore_ascii_case(b"chunked") && codings.next().is_none()
}

/// Makes one of the lengths that are said.
fn check_length(headers: &mut HeaderMap, present: HeaderSet) -> Result<(), FramingError> {
    // Nearly always it is one number.
    if !present.has(HeaderSet::CONTENT_LENGTH) || present.has(HeaderSet::PLAIN_LENGTH) {
        return Ok(());
    }
    let mut lines = headers.get_all(header::CONTENT_LENGTH).iter();
    let first = lines.next().map_or(&b""[..], HeaderValue::as_bytes);
    if lines.next().is_none() && length(first).is_some() {
        return Ok(());
    }
    let lines = headers.get_all(header::CONTENT_LENGTH).iter();
    let mut lengths = lines.flat_map(|line| line.as_bytes().split(|byte| *byte == b',')).map(length);
    let one = lengths.next().flatten().ok_or(FramingError::Length)?;
    if lengths.any(|other| other != Some(one)) {
        return Err(FramingError::Length);
    }
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(one));
    Ok(())
}

/// The number that the text is: digits only.
fn length(text: &[u8]) -> Option<u64> {
    let digits = std::str::from_utf8(text.trim_ascii()).ok()?;
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(lines: &[(&'static str, &'static str)]) -> Result<Option<String>, FramingError> {
        checked_with(200, lines)
    }

    fn checked_with(
        status: u16,
        lines: &[(&'static str, &'static str)],
    ) -> Result<Option<String>, FramingError> {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, HeaderValue::from_static(value));
        }
        let present = HeaderSet::from_received(&headers);
        check_answer(StatusCode::from_u16(status).unwrap(), &mut headers, present)?;
        let lengths: Vec<_> = headers.get_all("content-length").iter().collect();
        assert!(lengths.len() <= 1, "{lines:?}");
        Ok(lengths.first().map(|length| length.to_str().unwrap().to_owned()))
    }

    // MSG-03
    #[test]
    fn a_length_is_said_once() {
        let said = |value| checked(&[("content-length", value)]);
        assert_eq!(checked(&[]), Ok(None));
        assert_eq!(said("2"), Ok(Some("2".to_owned())));
        assert_eq!(said("2, 2"), Ok(Some("2".to_owned())));
        assert_eq!(said("02, 2"), Ok(Some("2".to_owned())));
        assert_eq!(checked(&[("content-length", "7"), ("content-length", "7")]), Ok(Some("7".to_owned())));
        assert_eq!(checked(&[("content-length", "7"), ("content-length", "8")]), Err(FramingError::Length));
        for wrong in ["", "-1", "+1", "0x5", "1, 2", "1,", ",1", "1 1", "99999999999999999999", "1.0"] {
            assert_eq!(said(wrong), Err(FramingError::Length), "{wrong:?}");
        }
    }

    // MSG-03
    #[test]
    fn an_answer_is_chunked_or_in_no_coding() {
        assert_eq!(checked(&[("transfer-encoding", "Chunked"), ("content-length", "3")]), Ok(None));
        for codings in
            [&["gzip"][..], &["gzip, chunked"], &["gzip", "chunked"], &["chunked", "chunked"], &[""]]
        {
            let lines: Vec<_> = codings.iter().map(|coding| ("transfer-encoding", *coding)).collect();
            assert_eq!(checked(&lines), Err(FramingError::Coding), "{codings:?}");
        }
    }

    // MSG-03
    #[test]
    fn a_request_is_chunked_as_every_reader_finds_it() {
        for (coding, expected) in
            [("CHUNKED", "chunked"), (" chunked", "chunked"), ("gzip, chunked", "gzip, chunked")]
        {
            let mut headers = HeaderMap::new();
            headers.insert("transfer-encoding", HeaderValue::from_static(coding));
            headers.insert("content-length", HeaderValue::from_static("3"));
            let present = HeaderSet::from_received(&headers);
            assert_eq!(check_request(&mut headers, present), Ok(()));
            assert_eq!(
                (&headers["transfer-encoding"], headers.len()),
                (&HeaderValue::from_static(expected), 1)
            );
        }
    }

    // MSG-03
    #[test]
    fn an_answer_that_never_has_a_body_says_nothing_of_one() {
        let length = [("content-length", "3")];
        for (status, expected) in [(204, None), (101, None), (304, Some("3")), (200, Some("3"))] {
            assert_eq!(checked_with(status, &length), Ok(expected.map(str::to_owned)), "{status}");
        }
        assert_eq!(checked_with(204, &[("transfer-encoding", "chunked")]), Ok(None));
    }
}
