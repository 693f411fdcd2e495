//! Each pattern compared with the regular expression of the schemas.

use proptest::prelude::*;
use regex::Regex;

use super::*;

/// Each pattern as the schema has it. The docs of the patterns have the same, for readers.
fn originals() -> Vec<(&'static Pattern, Regex)> {
    const DNS: &str = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*";
    const PATH_OF_DOMAIN: &str = r"[A-Za-z0-9\/\-._~%!$&'()*+,;=:]+";
    const TOKEN: &str = r"^[A-Za-z0-9!#$%&'*+\-.^_\x60|~]+$";
    const SHORT: &str = r"([A-Za-z0-9][-A-Za-z0-9_.]{0,61})?[A-Za-z0-9]";
    let all: [(&'static Pattern, String); 26] = [
        (&HOST, format!(r"^(\*\.)?{DNS}$")),
        (&PRECISE, format!("^{DNS}$")),
        (&NAMESPACE, r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$".into()),
        (&GROUP, format!("^$|^{DNS}$")),
        (&KIND, r"^[a-zA-Z]([-a-zA-Z0-9]*[a-zA-Z0-9])?$".into()),
        (&CONTROLLER, format!(r"^{DNS}\/{PATH_OF_DOMAIN}$")),
        (&PROTOCOL, format!(r"^[a-zA-Z0-9]([-a-zA-Z0-9]*[a-zA-Z0-9])?$|{DNS}\/[A-Za-z0-9]+$")),
        (&ADDRESS_TYPE, format!(r"^Hostname|IPAddress|NamedAddress|{DNS}\/{PATH_OF_DOMAIN}$")),
        (&HEADER_NAME, TOKEN.into()),
        (&HEADER_VALUE, r"^[!-~]+([\t ]?[!-~]+)*$".into()),
        (&PATH, r"^(?:[-A-Za-z0-9/._~!$&'()*+,;=:@]|[%][0-9a-fA-F]{2})+$".into()),
        (&DURATION, r"^([0-9]{1,5}(h|m|s|ms)){1,4}$".into()),
        (
            &CORS_ORIGIN,
            r"(^\*$)|(^(http(s)?):\/\/(((\*\.)?([a-zA-Z0-9\-]+\.)*[a-zA-Z0-9-]+|\*)(:([0-9]{1,5}))?)$)"
                .into(),
        ),
        (&URI, r"^(([^:/?#]+):)(//([^/?#]*))([^?#]*)(\?([^#]*))?(#(.*))?".into()),
        (&WELL_KNOWN_CA, format!("^(System|({DNS}/{SHORT}))$")),
        (&QUALIFIED_NAME, format!("^({DNS}/)?{SHORT}$")),
        (&CONDITION_TYPE, format!("^({DNS}/)?(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])$")),
        (&REASON, "^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$".into()),
        (&LABEL_VALUE, r"^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$".into()),
        (&GRPC_SERVICE, r"^(?i)\.?[a-z_][a-z_0-9]*(\.[a-z_][a-z_0-9]*)*$".into()),
        (&GRPC_METHOD, "^[A-Za-z_][A-Za-z_0-9]*$".into()),
        // The CEL rule in one: `k8s.io` and its subdomains are left to a test of its own.
        (&ROUTABILITY, format!("^$|^Cluster$|^{DNS}/.+$")),
        (&SERVICE_NAME, "^[a-zA-Z0-9_.:/-]+$".into()),
        (&SPAN_NAME, "^[a-zA-Z0-9_.:/-]+( [a-zA-Z0-9_.:/-]+)*$".into()),
        (&ATTRIBUTE_NAME, "^[a-zA-Z0-9_.:/-]+$".into()),
        (&ATTRIBUTE_KEY, "^[a-z0-9_.-]+$".into()),
    ];
    all.into_iter().map(|(pattern, text)| (pattern, Regex::new(&text).expect(&text))).collect()
}

fn same_as_original(pattern: &Pattern, original: &Regex, text: &str) {
    assert_eq!((pattern.matches)(text), original.is_match(text), "{} {text:?}", pattern.id);
}

/// Texts of few pieces that collide: what one pattern wants another refuses.
fn texts() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "a",
        "b",
        "z",
        "A",
        "Z",
        "0",
        "9",
        "-",
        ".",
        "_",
        "/",
        "//",
        "*",
        "*.",
        "%",
        "%2f",
        "%g0",
        " ",
        "\t",
        ":",
        "?",
        "#",
        "~",
        "!",
        "\"",
        "\\",
        "`",
        "\n",
        "ü",
        "ſ",
        "\u{212a}",
        "http://",
        "https://",
        "System",
        "Cluster",
        "Hostname",
        "IPAddress",
        "NamedAddress",
        "12345",
        "h",
        "m",
        "s",
        "ms",
        "1",
        "a.b",
        "example.com",
    ]);
    prop::collection::vec(pieces, 0..8).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    // PAT-HOST, PAT-PRECISE, PAT-NS, PAT-GROUP, PAT-KIND, PAT-CONTROLLER, PAT-PROTO, PAT-ADDRTYPE, PAT-HDRNAME,
    // PAT-HDRVAL, PAT-PATH, PAT-DUR, PAT-CORSORIGIN, PAT-URI, PAT-WKCA, PAT-QNAME, PAT-LABELVAL, PAT-REASON, VAL-GR-03, VAL-GR-04
    #[test]
    fn each_is_its_regular_expression(text in texts()) {
        thread_local!(static ORIGINALS: Vec<(&'static Pattern, Regex)> = originals());
        ORIGINALS.with(|originals| {
            for (pattern, original) in originals {
                same_as_original(pattern, original, &text);
            }
        });
    }
}

/// Texts are too seldom accepted by chance: here each pattern gets texts that its own expression generates, and those
/// with one byte changed.
#[test]
fn each_accepts_what_its_regular_expression_generates() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;

    let mut runner = TestRunner::deterministic();
    for (pattern, original) in originals() {
        // A generator knows no anchors, so the unanchored ends of two patterns are generated as they are.
        let unanchored = original.as_str().replace(['^', '$'], "").replace("[/?#]", "[^/?#]");
        let generator = prop::string::string_regex(&unanchored).expect("a regular expression");
        for _ in 0..300 {
            let text = generator.new_tree(&mut runner).expect("generates").current();
            same_as_original(pattern, &original, &text);
            let at = runner.rng().next_u32() as usize;
            let mut chars: Vec<char> = text.chars().collect();
            if !chars.is_empty() {
                let at = at % chars.len();
                chars[at] = char::from(b' ' + (runner.rng().next_u32() % 95) as u8);
                same_as_original(pattern, &original, &chars.into_iter().collect::<String>());
            }
        }
    }
}

/// Every text of up to two ASCII characters, and each in the middle of a good one.
#[test]
fn each_is_its_regular_expression_for_every_byte() {
    for (pattern, original) in originals() {
        for first in 0..128 {
            for second in 0..128 {
                let [first, second] = [first, second].map(char::from);
                same_as_original(pattern, &original, &format!("{first}{second}"));
            }
            let byte = char::from(first);
            for text in ["", "a", "a.b", "http://a", "a/b", "/a", "1s", "a:/", "a://", "*"] {
                for at in 0..=text.len() {
                    let (before, behind) = text.split_at(at);
                    same_as_original(pattern, &original, &format!("{before}{byte}{behind}"));
                }
            }
        }
    }
}

// VAL-GW-18
#[test]
fn a_reserved_domain_is_no_routability() {
    for (text, accepted) in [
        ("", true),
        ("Cluster", true),
        ("cluster", false),
        ("Public", false),
        ("example.com/a", true),
        ("example.com/", false),
        ("Example.com/a", false),
        ("k8s.io/a", false),
        ("gateway.k8s.io/a", false),
        ("testing.x-k8s.io/sentinel", true),
        ("xk8s.io/a", true),
    ] {
        assert_eq!(ROUTABILITY.accepts(text), accepted, "{text}");
    }
}

#[test]
fn lengths_count_in_characters() {
    let long = |length: usize| "a".repeat(length);
    for (pattern, most) in
        [(&HOST, 253), (&NAMESPACE, 63), (&KIND, 63), (&HEADER_NAME, 256), (&HEADER_VALUE, 4096)]
    {
        assert!(pattern.accepts(&long(most)), "{} {most}", pattern.id);
        assert!(!pattern.accepts(&long(most + 1)), "{} {most}", pattern.id);
    }
    let characters = |count: usize| format!("a://{}", "ü".repeat(count));
    assert!(URI.accepts(&characters(249)) && !URI.accepts(&characters(250)));
    assert!(GROUP.accepts("") && LABEL_VALUE.accepts("") && !HOST.accepts("") && !KIND.accepts(""));
}

#[test]
fn every_id_of_a_form_stands_for_something() {
    let ids = include_str!("../pattern.rs").split("id: \"PAT-").skip(1);
    let ids: Vec<String> = ids.filter_map(|rest| Some(format!("PAT-{}", rest.split_once('"')?.0))).collect();
    assert!(ids.len() > 15, "{ids:?}");
    for id in ids {
        assert!(form(&id).is_some_and(|text| text.len() > 30), "{id}");
    }
    assert_eq!(form("PAT-NOTHING"), None);
}
