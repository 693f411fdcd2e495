//! A reader of HTTP/1.1 that takes nothing but what RFC 9112 lets a sender write.

/// A message.
#[derive(Clone, Debug)]
pub struct Message {
    /// The method of a request, the version of an answer.
    pub method: String,
    /// The target of a request, the status of an answer.
    pub target: String,
    /// The headers, each byte a character.
    pub headers: Vec<(String, String)>,
    /// The body, whatever its framing.
    pub body: Vec<u8>,
    /// What followed the body.
    pub trailers: Vec<(String, String)>,
}

/// How a body ends.
enum Framing {
    None,
    Length(usize),
    Chunked,
    Close,
}

// === impl Message ===

impl Message {
    /// The value of the first header of this name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(given, _)| given.eq_ignore_ascii_case(name)).map(|(_, value)| &**value)
    }

    fn all(&self, name: &str) -> Vec<&str> {
        let of_name = self.headers.iter().filter(|(given, _)| given.eq_ignore_ascii_case(name));
        of_name.map(|(_, value)| &**value).collect()
    }

    /// Whether a `Connection` header of this message names that header.
    pub(super) fn names_for_one_hop(&self, name: &str) -> bool {
        let mut given = self.all("connection").into_iter().flat_map(|value| value.split(','));
        given.any(|given| given.trim().eq_ignore_ascii_case(name))
    }

    fn framing(&self) -> Result<Option<Framing>, String> {
        match (&self.all("content-length")[..], &self.all("transfer-encoding")[..]) {
            ([], []) => Ok(None),
            ([length], []) if length.bytes().all(|byte| byte.is_ascii_digit()) => {
                length.parse().map(|length| Some(Framing::Length(length))).map_err(|_| "no length".to_owned())
            }
            ([], ["chunked"]) => Ok(Some(Framing::Chunked)),
            (lengths, codings) => Err(format!("framed by {lengths:?} and {codings:?}")),
        }
    }
}

/// The first request in `bytes` and its length; nothing when it is not whole.
///
/// # Errors
/// When no sender may write that.
pub(super) fn next_request(bytes: &[u8]) -> Result<Option<(Message, usize)>, String> {
    let Some((mut message, version, head)) = head(bytes)? else { return Ok(None) };
    if version != "HTTP/1.1" {
        return Err(format!("the version is {version:?}"));
    }
    if message.method.is_empty() || !message.method.bytes().all(is_token) {
        return Err(format!("{:?} is no method", message.method));
    }
    let target = message.target.split_once('?').map_or(&*message.target, |(path, _)| path);
    let is_path = target.starts_with('/') && target.bytes().all(|b| b == b'%' || b == b'/' || is_pchar(b));
    if !(is_path || message.target == "*" && message.method == "OPTIONS") {
        return Err(format!("{:?} is no target", message.target));
    }
    if message.all("host").len() != 1 {
        return Err("not one host".to_owned());
    }
    let framing = message.framing()?.unwrap_or(Framing::None);
    Ok(body(&bytes[head..], framing, &mut message)?.map(|length| (message, head + length)))
}

/// The requests at the beginning of `bytes` that are whole and that a sender may write.
pub(super) fn requests(mut bytes: &[u8]) -> Vec<Message> {
    let mut requests = Vec::new();
    while let Ok(Some((message, length))) = next_request(bytes) {
        bytes = &bytes[length..];
        requests.push(message);
    }
    requests
}

/// The answers in `bytes`, which hold nothing else; the last may be cut off. `to_head` says by its number whether an answer is to
/// a request of HEAD; where that is not known, nothing can be told of them all.
///
/// # Errors
/// When no sender may write that.
pub(super) fn answers(
    mut bytes: &[u8],
    to_head: impl Fn(usize) -> Option<bool>,
) -> Result<Option<Vec<Message>>, String> {
    let mut answers = Vec::new();
    while !bytes.is_empty() {
        // A client that was told to go on, and closed.
        if bytes == b"HTTP/1.1 100 Continue\r\n\r\n" {
            break;
        }
        let Some(to_head) = to_head(answers.len()) else { return Ok(None) };
        let (message, length) = next_answer(bytes, to_head)?;
        // Cut off, and the client can tell.
        bytes = length.map_or(&[], |length| &bytes[length..]);
        answers.push(message);
    }
    Ok(Some(answers))
}

/// The one answer in `bytes`, if they are one that is whole, and in which nothing is left to its reader. `closed` says that
/// nothing follows.
pub(super) fn whole_answer(bytes: &[u8], to_head: bool, closed: bool) -> Option<Message> {
    let (message, length) = next_answer(bytes, to_head).ok()?;
    let is_framed = message.header("content-length").or(message.header("transfer-encoding")).is_some();
    let ends = is_framed || closed || to_head || matches!(&*message.target, "204" | "304");
    (message.method == "HTTP/1.1" && length == Some(bytes.len()) && ends).then_some(message)
}

/// The first answer in `bytes` and where it ends, if a sender may write it.
pub(super) fn first_answer(bytes: &[u8], to_head: bool) -> Option<(Message, Option<usize>)> {
    next_answer(bytes, to_head).ok()
}

/// The first final answer in `bytes`, and where it ends; it may be cut off in its body.
fn next_answer(bytes: &[u8], to_head: bool) -> Result<(Message, Option<usize>), String> {
    let mut start = 0;
    loop {
        let Some((mut message, _, head)) = head(&bytes[start..])? else {
            return Err("half a head".to_owned());
        };
        if !["HTTP/1.1", "HTTP/1.0"].contains(&&*message.method) {
            return Err(format!("the version is {:?}", message.method));
        }
        let is_code = message.target.len() == 3 && message.target.bytes().all(|byte| byte.is_ascii_digit());
        let code: u16 = message.target.parse().map_err(|_| format!("{:?} is no status", message.target))?;
        if !is_code || code < 100 {
            return Err(format!("{:?} is no status", message.target));
        }
        let framing = message.framing()?;
        start += head;
        if code == 100 {
            continue;
        }
        let framing = match code {
            101 => return Err("switched".to_owned()),
            102..200 => return Err("not final".to_owned()),
            204 if framing.is_some() => return Err("204 with a body".to_owned()),
            204 | 304 => Framing::None,
            _ if to_head => Framing::None,
            _ => framing.unwrap_or(Framing::Close),
        };
        let length = body(&bytes[start..], framing, &mut message)?;
        if code == 205 && !message.body.is_empty() {
            return Err("205 with a body".to_owned());
        }
        return Ok((message, length.map(|length| start + length)));
    }
}

/// The start line and the headers; the third part of the start line, and the length of it all.
fn head(bytes: &[u8]) -> Result<Option<(Message, String, usize)>, String> {
    let Some(end) = bytes.windows(4).position(|end| end == b"\r\n\r\n") else { return Ok(None) };
    let text: String = bytes[..end].iter().map(|byte| char::from(*byte)).collect();
    let mut lines = text.split("\r\n");
    let start = lines.next().unwrap_or_default();
    let parts: Vec<&str> = start.splitn(3, ' ').collect();
    let is_text = start.chars().all(|c| c == '\t' || c >= ' ' && c != '\u{7f}');
    let ([first, second, third], true) = (&parts[..], is_text) else {
        return Err(format!("{start:?} is no start line"));
    };
    let headers = lines.map(field).collect::<Result<_, _>>()?;
    // As bytes, so that what is not ASCII stays what it is.
    let second: Vec<u8> = second.chars().map(|c| c as u8).collect();
    let target = String::from_utf8(second).map_err(|_| "the target is no text".to_owned())?;
    let message =
        Message { method: (*first).to_owned(), target, headers, body: Vec::new(), trailers: Vec::new() };
    Ok(Some((message, (*third).to_owned(), end + 4)))
}

fn field(line: &str) -> Result<(String, String), String> {
    let (name, value) = line.split_once(':').ok_or_else(|| format!("{line:?} is no field"))?;
    let is_value = value.chars().all(|c| c == '\t' || c >= ' ' && c != '\u{7f}');
    if name.is_empty() || !name.bytes().all(is_token) || !is_value {
        return Err(format!("{line:?} is no field"));
    }
    Ok((name.to_owned(), value.trim_matches([' ', '\t']).to_owned()))
}

/// Reads a body; its length on the wire.
fn body(bytes: &[u8], framing: Framing, message: &mut Message) -> Result<Option<usize>, String> {
    match framing {
        Framing::None => Ok(Some(0)),
        Framing::Length(length) => {
            let Some(body) = bytes.get(..length) else { return Ok(None) };
            message.body = body.to_vec();
            Ok(Some(length))
        }
        Framing::Close => {
            message.body = bytes.to_vec();
            Ok(Some(bytes.len()))
        }
        Framing::Chunked => chunks(bytes, message),
    }
}

fn chunks(bytes: &[u8], message: &mut Message) -> Result<Option<usize>, String> {
    let mut at = 0;
    loop {
        let Some(line) = bytes[at..].windows(2).position(|end| end == b"\r\n") else { return Ok(None) };
        let digits = std::str::from_utf8(&bytes[at..at + line]).map_err(|_| "no chunk size".to_owned())?;
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(format!("{digits:?} is no chunk size"));
        }
        let size = usize::from_str_radix(digits, 16).map_err(|_| format!("{digits:?} is no chunk size"))?;
        at += line + 2;
        if size == 0 {
            loop {
                let Some(line) = bytes[at..].windows(2).position(|end| end == b"\r\n") else {
                    return Ok(None);
                };
                let text: String = bytes[at..at + line].iter().map(|byte| char::from(*byte)).collect();
                at += line + 2;
                if text.is_empty() {
                    return Ok(Some(at));
                }
                message.trailers.push(field(&text)?);
            }
        }
        let Some(chunk) = bytes[at..].get(..size) else { return Ok(None) };
        let Some(end) = bytes[at + size..].get(..2) else { return Ok(None) };
        if end != b"\r\n" {
            return Err("a chunk is longer than its size".to_owned());
        }
        message.body.extend_from_slice(chunk);
        at += size + 2;
    }
}

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

fn is_pchar(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@".contains(&byte)
}
