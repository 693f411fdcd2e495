//! The server under h2spec, which sends what RFC 9113 and RFC 7541 speak of, mostly what they forbid.
//!
//! `H2SPEC` names the program; `.ci/run h2spec` builds it, of the version in `conformance/upstream/h2/go.mod`.

#[path = "sockets/world.rs"]
#[allow(dead_code, reason = "this test needs little of it")]
mod world;

use std::process::Stdio;

use tokio::process::Command;

use crate::world::{Table, World, certificate, echo};

/// How many cases there are.
const CASES: usize = 146;

/// What does not apply, by the listener and the section, with the reason.
const NOT_APPLICABLE: [(&str, &str, &str, &str); 1] = [(
    "http",
    "http2/3.5",
    "Sends invalid connection preface",
    "without TLS the port serves HTTP/1.1 too, and what is no preface is a request of that, which gets 400",
)];

/// A case, and how it failed.
#[derive(Debug)]
struct Case {
    section: String,
    name: String,
    failure: Option<String>,
}

#[tokio::test(flavor = "multi_thread")]
async fn h2spec_finds_nothing_wrong() {
    let Some(program) = std::env::var_os("H2SPEC") else {
        return eprintln!("left out: H2SPEC names no program; `.ci/run h2spec` builds it");
    };
    let table = Table::new(1, echo().await).https(443, None, &certificate(&["localhost"]));
    let world = World::start(&table).await;
    for (listener, port, tls) in [("http", 80, &[][..]), ("https", 443, &["--tls", "--insecure"])] {
        let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"));
        let report = folder.join(format!("h2spec-{listener}.xml"));
        let address = world.address(port);
        let mut command = Command::new(&program);
        command.args(["--host", &address.ip().to_string(), "--port", &address.port().to_string()]);
        command.args(["--strict", "--timeout", "5", "--junit-report"]).arg(&report).args(tls);
        let output = command.stdin(Stdio::null()).output().await.expect("h2spec starts");
        let text = std::fs::read_to_string(&report).unwrap_or_else(|error| panic!("{error}: {output:?}"));
        let cases = cases(&text);
        assert_eq!(cases.len(), CASES, "{listener}");

        let is_known = |case: &Case| {
            let known = |(of, section, name, _): &(&str, &str, &str, &str)| {
                (*of, *section, *name) == (listener, &case.section, &case.name)
            };
            NOT_APPLICABLE.iter().any(known)
        };
        let (known, new): (Vec<_>, Vec<_>) =
            cases.iter().filter(|case| case.failure.is_some()).partition(|case| is_known(case));
        assert!(new.is_empty(), "{listener}: {new:#?}");
        let expected = NOT_APPLICABLE.iter().filter(|(of, ..)| *of == listener).count();
        assert_eq!(known.len(), expected, "{listener}: what passes now applies after all");
        eprintln!("{listener}: {} of {CASES} cases pass, {expected} does not apply", CASES - known.len());
    }
}

/// The cases of a report, in which each begins with a line of its own.
fn cases(report: &str) -> Vec<Case> {
    let mut cases = Vec::new();
    for part in report.split("<testcase ").skip(1) {
        let attribute = |name: &str| {
            let (_, rest) = part.split_once(&format!("{name}=\"")).expect("the attribute is there");
            rest.split_once('"').expect("it ends").0.to_owned()
        };
        let failure = ["<error>", "<failure>"].iter().find_map(|tag| part.split_once(tag));
        cases.push(Case {
            section: attribute("package"),
            name: attribute("classname"),
            failure: failure.map(|(_, text)| text.split("</").next().unwrap_or_default().to_owned()),
        });
    }
    cases
}
