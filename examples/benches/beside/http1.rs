//! Heads of HTTP/1.1, as far as a load and a backend have to know them.

/// Behind the empty line that ends a head.
pub(crate) fn end_of_head(read: &[u8]) -> Option<usize> {
    read.windows(4).position(|bytes| bytes == b"\r\n\r\n").map(|at| at + 4)
}

/// The length of the body of a good answer, as its head says.
pub(crate) fn length(head: &[u8]) -> Result<usize, String> {
    let head = String::from_utf8_lossy(head);
    let mut lines = head.lines();
    let status = lines.next().unwrap_or_default();
    if !status.starts_with("HTTP/1.1 200 ") {
        return Err(format!("{status:?}"));
    }
    let lengths = lines.filter_map(|line| line.split_once(": "));
    let mut lengths = lengths.filter(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    let length = lengths.next().and_then(|(_, length)| length.parse().ok());
    length.ok_or_else(|| "an answer without content-length".to_owned())
}
