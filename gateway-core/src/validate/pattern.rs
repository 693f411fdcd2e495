//! The patterns of the schemas, written out by hand.
//!
//! An API server runs a regular expression for each. Translation checks every text of every object again each time, so
//! here each is a loop over bytes; a property test compares each with its regular expression.

use super::problem::clipped;
use crate::hostname::{MAX_LENGTH, is_dns_name};

/// A form that a text must have.
#[derive(Debug)]
pub(super) struct Pattern {
    /// The id of the pattern.
    pub(super) id: &'static str,
    /// The most characters that a text may have.
    pub(super) max_length: usize,
    /// The form in words, to stand behind "is not".
    pub(super) wanted: &'static str,
    /// Whether a text has the form, whatever its length.
    pub(super) matches: fn(&str) -> bool,
}

/// Those with ids of their own. The others are known by the rule of the field that has them.
const NAMED: &[Pattern] = &[
    HOST,
    PRECISE,
    NAMESPACE,
    GROUP,
    KIND,
    CONTROLLER,
    PROTOCOL,
    ADDRESS_TYPE,
    HEADER_NAME,
    HEADER_VALUE,
    PATH,
    DURATION,
    CORS_ORIGIN,
    URI,
    WELL_KNOWN_CA,
    QUALIFIED_NAME,
    LABEL_VALUE,
    REASON,
];

/// What the id of a form, such as `PAT-HOST`, stands for: the form in words. Nothing if there is no such id.
///
/// ```
/// let wanted = gateway_core::validate::form("PAT-NS").expect("there is one");
/// assert_eq!(wanted, "a single lower-case DNS label: letters, digits and inner hyphens; at most 63 characters");
/// ```
pub fn form(id: &str) -> Option<String> {
    let Pattern { wanted, max_length, .. } = NAMED.iter().find(|pattern| pattern.id == id)?;
    Some(format!("{wanted}; at most {max_length} characters"))
}

/// `^(\*\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`
///
/// IP addresses pass, as they do in an API server (AMB-49).
pub(super) const HOST: Pattern = Pattern {
    id: "PAT-HOST",
    max_length: MAX_LENGTH,
    wanted: "a lower-case DNS name, in which only the whole first label may be a wildcard, as in *.example.com",
    matches: |text| is_dns_name(text.strip_prefix("*.").unwrap_or(text)),
};

/// `^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`
pub(super) const PRECISE: Pattern = Pattern {
    id: "PAT-PRECISE",
    max_length: MAX_LENGTH,
    wanted: "a lower-case DNS name: letters, digits, inner hyphens and dots",
    matches: is_dns_name,
};

/// `^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`
pub(super) const NAMESPACE: Pattern = Pattern {
    id: "PAT-NS",
    max_length: 63,
    wanted: "a single lower-case DNS label: letters, digits and inner hyphens",
    matches: |text| is_dns_name(text) && !text.contains('.'),
};

/// `^$|^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`
pub(super) const GROUP: Pattern = Pattern {
    id: "PAT-GROUP",
    max_length: MAX_LENGTH,
    wanted: "an API group: a lower-case DNS name, or nothing for the core group; the version does not belong to it",
    matches: |text| text.is_empty() || is_dns_name(text),
};

/// `^[a-zA-Z]([-a-zA-Z0-9]*[a-zA-Z0-9])?$`
pub(super) const KIND: Pattern = Pattern {
    id: "PAT-KIND",
    max_length: 63,
    wanted: "a kind: a letter, then letters, digits and inner hyphens",
    matches: |text| {
        enclosed(text.as_bytes(), u8::is_ascii_alphabetic, |b| b.is_ascii_alphanumeric() || *b == b'-')
    },
};

/// `^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\/[A-Za-z0-9\/\-._~%!$&'()*+,;=:]+$`
pub(super) const CONTROLLER: Pattern = Pattern {
    id: "PAT-CONTROLLER",
    max_length: 253,
    wanted: "a domain and a path, as in example.com/gateway-controller",
    matches: |text| {
        text.split_once('/').is_some_and(|(domain, path)| {
            is_dns_name(domain) && !path.is_empty() && path.bytes().all(is_domain_path)
        })
    },
};

/// `^[a-zA-Z0-9]([-a-zA-Z0-9]*[a-zA-Z0-9])?$|[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\/[A-Za-z0-9]+$`
///
/// The second branch is not anchored at the start, so only the byte before the last `/` counts.
pub(super) const PROTOCOL: Pattern = Pattern {
    id: "PAT-PROTO",
    max_length: 255,
    wanted: "a protocol: HTTP, HTTPS, TLS, TCP, UDP, or a domain and a name, as in example.com/protocol",
    matches: |text| {
        let simple =
            enclosed(text.as_bytes(), u8::is_ascii_alphanumeric, |b| b.is_ascii_alphanumeric() || *b == b'-');
        simple
            || text.rsplit_once('/').is_some_and(|(domain, name)| {
                domain.bytes().last().is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
                    && !name.is_empty()
                    && name.bytes().all(|b| b.is_ascii_alphanumeric())
            })
    },
};

/// ```text
/// ^Hostname|IPAddress|NamedAddress|[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\/[A-Za-z0-9\/\-._~%!$&'()*+,;=:]+$
/// ```
///
/// The alternatives are not grouped: the first is anchored at the start only, the last at the end only, the others not
/// at all.
pub(super) const ADDRESS_TYPE: Pattern = Pattern {
    id: "PAT-ADDRTYPE",
    max_length: 253,
    wanted: "a type of address: IPAddress, Hostname, NamedAddress, or a domain and a path, as in example.com/type",
    matches: |text| {
        let bytes = text.as_bytes();
        text.starts_with("Hostname")
            || text.contains("IPAddress")
            || text.contains("NamedAddress")
            // A slash with the end of a domain before it, and only path characters, at least one, behind it.
            || (1..bytes.len().saturating_sub(1))
                .rev()
                .take_while(|at| is_domain_path(bytes[at + 1]))
                .any(|at| bytes[at] == b'/' && (bytes[at - 1].is_ascii_lowercase() || bytes[at - 1].is_ascii_digit()))
    },
};

/// Empty, `Cluster`, or `^.*/.+$` with a DNS name before the first `/` that is not of `k8s.io`. A line break is no `.`.
pub(super) const ROUTABILITY: Pattern = Pattern {
    id: "VAL-GW-18",
    max_length: 253,
    wanted: "empty, Cluster, or a domain and a path, as in example.com/scope; k8s.io and its subdomains are reserved",
    matches: |text| {
        let prefixed = |(domain, path): (&str, &str)| {
            is_dns_name(domain)
                && domain != "k8s.io"
                && !domain.ends_with(".k8s.io")
                && !path.is_empty()
                && !path.contains('\n')
        };
        matches!(text, "" | "Cluster") || text.split_once('/').is_some_and(prefixed)
    },
};

/// `^[A-Za-z0-9!#$%&'*+\-.^_\x60|~]+$`
pub(super) const HEADER_NAME: Pattern = Pattern {
    id: "PAT-HDRNAME",
    max_length: 256,
    wanted: "a name of letters, digits and !#$%&'*+-.^_`|~ only",
    matches: |text| !text.is_empty() && text.bytes().all(|b| TOKEN[b as usize]),
};

/// `^[!-~]+([\t ]?[!-~]+)*$`, which only the experimental channel demands.
pub(super) const HEADER_VALUE: Pattern = Pattern {
    id: "PAT-HDRVAL",
    max_length: 4096,
    wanted: "a header value of visible ASCII characters, with single spaces or tabs only between them",
    matches: |text| {
        let mut after_visible = false;
        let spaced = text.bytes().all(|b| {
            let fits = b.is_ascii_graphic() || (after_visible && matches!(b, b'\t' | b' '));
            after_visible = b.is_ascii_graphic();
            fits
        });
        spaced && after_visible
    },
};

/// `^(?:[-A-Za-z0-9/._~!$&'()*+,;=:@]|[%][0-9a-fA-F]{2})+$`
pub(super) const PATH: Pattern = Pattern {
    id: "PAT-PATH",
    max_length: 1024,
    wanted: "a path of letters, digits, -/._~!$&'()*+,;=:@ and %XX escapes only",
    matches: is_path,
};

/// `^([0-9]{1,5}(h|m|s|ms)){1,4}$`
pub(super) const DURATION: Pattern = Pattern {
    id: "PAT-DUR",
    // Four times five digits and a unit: the pattern itself leaves no room for more.
    max_length: 28,
    wanted: "a duration: one to four numbers of at most five digits, each followed by h, m, s or ms, as in 1m30s",
    matches: |text| crate::duration::parse(text).is_ok(),
};

/// `(^\*$)|(^(http(s)?):\/\/(((\*\.)?([a-zA-Z0-9\-]+\.)*[a-zA-Z0-9-]+|\*)(:([0-9]{1,5}))?)$)`
pub(super) const CORS_ORIGIN: Pattern = Pattern {
    id: "PAT-CORSORIGIN",
    max_length: 253,
    wanted: "an origin: *, or http or https, ://, a host that may start with *., and a port if need be",
    matches: |text| {
        let Some(authority) = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://")) else {
            return text == "*";
        };
        let (host, port) = match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        };
        let label =
            |label: &str| !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        (host == "*" || host.strip_prefix("*.").unwrap_or(host).split('.').all(label))
            && port
                .is_none_or(|port| (1..=5).contains(&port.len()) && port.bytes().all(|b| b.is_ascii_digit()))
    },
};

/// `^(([^:/?#]+):)(//([^/?#]*))([^?#]*)(\?([^#]*))?(#(.*))?`
///
/// Everything behind `//` may be absent, and the end is not anchored.
pub(super) const URI: Pattern = Pattern {
    id: "PAT-URI",
    max_length: 253,
    wanted: "an absolute URI with an authority, as in spiffe://example.com/workload",
    matches: |text| {
        text.split_once(':').is_some_and(|(scheme, rest)| {
            !scheme.is_empty() && !scheme.contains(['/', '?', '#']) && rest.starts_with("//")
        })
    },
};

/// `^(System|([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/([A-Za-z0-9][-A-Za-z0-9_.]{0,61})?[A-Za-z0-9]))$`
pub(super) const WELL_KNOWN_CA: Pattern = Pattern {
    id: "PAT-WKCA",
    max_length: 253,
    wanted: "a set of certificate authorities: System, or a domain and a name, as in example.com/authorities",
    matches: |text| {
        text == "System"
            || text
                .split_once('/')
                .is_some_and(|(domain, name)| is_dns_name(domain) && is_short_label_name(name))
    },
};

/// `^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?([A-Za-z0-9][-A-Za-z0-9_.]{0,61})?[A-Za-z0-9]$`
pub(super) const QUALIFIED_NAME: Pattern = Pattern {
    id: "PAT-QNAME",
    max_length: 316,
    wanted: "a label name: at most 63 letters, digits and inner -_. characters, with a domain and a / before them if need be",
    matches: |text| match text.split_once('/') {
        Some((domain, name)) => is_dns_name(domain) && is_short_label_name(name),
        None => is_short_label_name(text),
    },
};

/// `^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$`
pub(super) const LABEL_VALUE: Pattern = Pattern {
    id: "PAT-LABELVAL",
    max_length: 63,
    wanted: "a label value: letters, digits and inner -_. characters, or nothing",
    matches: |text| text.is_empty() || is_label_name(text),
};

/// `^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])$`
pub(super) const CONDITION_TYPE: Pattern = Pattern {
    id: "LIM-08",
    max_length: 316,
    wanted: "the type of a condition: letters, digits and inner -_. characters, with a domain and a / before them if need be",
    matches: |text| match text.split_once('/') {
        Some((domain, name)) => is_dns_name(domain) && is_label_name(name),
        None => is_label_name(text),
    },
};

/// `^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$`
pub(super) const REASON: Pattern = Pattern {
    id: "PAT-REASON",
    max_length: 1024,
    wanted: "a reason: one word of letters, digits, _ and inner ,: characters that starts with a letter",
    matches: |text| {
        let word = |b: &u8| b.is_ascii_alphanumeric() || *b == b'_';
        let bytes = text.as_bytes();
        bytes.first().is_some_and(u8::is_ascii_alphabetic)
            && bytes.last().is_some_and(word)
            && bytes.iter().all(|b| word(b) || matches!(b, b',' | b':'))
    },
};

/// `^(?i)\.?[a-z_][a-z_0-9]*(\.[a-z_][a-z_0-9]*)*$`
///
/// Ignoring case, `ſ` is an `s` and the Kelvin sign a `k`.
pub(super) const GRPC_SERVICE: Pattern = Pattern {
    id: "VAL-GR-03",
    max_length: 1024,
    wanted: "the full name of a gRPC service, as in package.Service",
    matches: |text| {
        let start = |c: char| c.is_ascii_alphabetic() || matches!(c, '_' | 'ſ' | '\u{212a}');
        text.strip_prefix('.')
            .unwrap_or(text)
            .split('.')
            .all(|part| part.starts_with(start) && part.chars().all(|c| start(c) || c.is_ascii_digit()))
    },
};

/// `^[a-zA-Z0-9_.:/-]+$`
pub(super) const SERVICE_NAME: Pattern = Pattern {
    id: "VAL-TP-05",
    max_length: 253,
    wanted: "a name of letters, digits and _.:/- only",
    matches: is_telemetry_name,
};

/// `^[a-zA-Z0-9_.:/-]+( [a-zA-Z0-9_.:/-]+)*$`
pub(super) const SPAN_NAME: Pattern = Pattern {
    id: "VAL-TP-06",
    max_length: 256,
    wanted: "a name of letters, digits, _.:/- and single spaces between them",
    matches: |text| text.split(' ').all(is_telemetry_name),
};

/// `^[a-zA-Z0-9_.:/-]+$`
pub(super) const ATTRIBUTE_NAME: Pattern = Pattern {
    id: "VAL-TP-07",
    max_length: 256,
    wanted: "a name of letters, digits and _.:/- only",
    matches: is_telemetry_name,
};

/// `^[a-z0-9_.-]+$`
pub(super) const ATTRIBUTE_KEY: Pattern = Pattern {
    id: "VAL-TP-11",
    max_length: 256,
    wanted: "a key of OpenTelemetry, as in http.request.method",
    matches: |text| {
        let key = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'_' | b'.' | b'-');
        !text.is_empty() && text.bytes().all(key)
    },
};

/// `^[A-Za-z_][A-Za-z_0-9]*$`
pub(super) const GRPC_METHOD: Pattern = Pattern {
    id: "VAL-GR-04",
    max_length: 1024,
    wanted: "the name of a gRPC method: letters, digits and underscores, not a digit first",
    matches: |text| {
        text.bytes().next().is_some_and(|b| !b.is_ascii_digit())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    },
};

// === impl Pattern ===

impl Pattern {
    /// Whether the text has the form, and no more characters than it may have.
    #[inline]
    pub(super) fn accepts(&self, text: &str) -> bool {
        (self.matches)(text) && (text.len() <= self.max_length || text.chars().count() <= self.max_length)
    }

    /// Why a text is not accepted, and what would be.
    pub(super) fn refusal(&self, text: &str) -> String {
        let length = text.chars().count();
        if text.is_empty() {
            format!("is empty; write {}", self.wanted)
        } else if length > self.max_length {
            format!("has {length} characters; at most {} are allowed", self.max_length)
        } else {
            format!("{:?} is not {}", clipped(text), self.wanted)
        }
    }
}

/// Starts with one of `first`, goes on with `inner`, and does not end with a hyphen.
fn enclosed(text: &[u8], first: impl Fn(&u8) -> bool, inner: impl Fn(&u8) -> bool) -> bool {
    text.first().is_some_and(first) && text.iter().all(inner) && text.last() != Some(&b'-')
}

/// `[a-zA-Z0-9_.:/-]+`
fn is_telemetry_name(text: &str) -> bool {
    let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b':' | b'/' | b'-');
    !text.is_empty() && text.bytes().all(fits)
}

/// `[A-Za-z0-9\/\-._~%!$&'()*+,;=:]`
fn is_domain_path(b: u8) -> bool {
    DOMAIN_PATH[b as usize]
}

/// `([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]`
fn is_label_name(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.first().is_some_and(u8::is_ascii_alphanumeric)
        && bytes.last().is_some_and(u8::is_ascii_alphanumeric)
        && bytes.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
}

/// `([A-Za-z0-9][-A-Za-z0-9_.]{0,61})?[A-Za-z0-9]`
fn is_short_label_name(text: &str) -> bool {
    text.len() <= 63 && is_label_name(text)
}

/// Whether a byte may stand in a path as it is; `%` may not, it starts an escape.
pub(super) fn is_plain_in_path(b: u8) -> bool {
    PATH_BYTE[b as usize]
}

fn is_path(text: &str) -> bool {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(&b) = bytes.get(at) {
        at += match bytes.get(at + 1..at + 3) {
            _ if is_plain_in_path(b) => 1,
            Some([high, low]) if b == b'%' && high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => 3,
            Some(_) | None => return false,
        };
    }
    !bytes.is_empty()
}

static TOKEN: [bool; 256] = alphanumeric_and(b"!#$%&'*+-.^_`|~");
static DOMAIN_PATH: [bool; 256] = alphanumeric_and(b"/-._~%!$&'()*+,;=:");
static PATH_BYTE: [bool; 256] = alphanumeric_and(b"-/._~!$&'()*+,;=:@");

const fn alphanumeric_and(others: &[u8]) -> [bool; 256] {
    let mut table = [false; 256];
    let mut b = 0;
    while b < 128 {
        table[b] = (b as u8).is_ascii_alphanumeric();
        b += 1;
    }
    let mut i = 0;
    while i < others.len() {
        table[others[i] as usize] = true;
        i += 1;
    }
    table
}

#[cfg(test)]
mod tests;
