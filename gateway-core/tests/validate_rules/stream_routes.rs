//! TLSRoute, TCPRoute and UDPRoute.

use gateway_core::api::Kind;

use super::{check_rows, check_rows_of, long, many, row};

const ALPHA2: &str = "gateway.networking.k8s.io/v1alpha2";
const ALPHA3: &str = "gateway.networking.k8s.io/v1alpha3";

#[test]
fn rules() {
    for (kind, hostnames) in
        [(Kind::TlsRoute, "hostnames: [a.b], "), (Kind::TcpRoute, ""), (Kind::UdpRoute, "")]
    {
        let rules = |rules: &str| format!("{hostnames}rules: [{rules}]");
        let backends = |count| many(count, |_| "{name: a, port: 80}".into());
        let rule = |name: &str| format!("{{{name}backendRefs: [{}]}}", backends(1));
        let of = |count| rules(&format!("{{backendRefs: [{}]}}", backends(count)));
        let count = |count| rules(&many(count, |_| rule("")));
        check_rows(
            kind,
            [
                row("LIM-11", count(1), count(0), "spec.rules"),
                row("LIM-11", count(1), count(2), "spec.rules"),
                row("LIM-14", of(1), of(0), "spec.rules[0].backendRefs"),
                row("LIM-14", of(16), of(17), "spec.rules[0].backendRefs"),
                row(
                    "PAT-PRECISE",
                    rules(&rule("name: a, ")),
                    rules(&rule("name: A, ")),
                    "spec.rules[0].name",
                ),
            ],
        );
        let names = |a: &str, b: &str| rules(&format!("{}, {}", rule(a), rule(b)));
        check_rows_of(
            kind,
            ALPHA2,
            [
                row("LIM-11", count(1), count(0), "spec.rules"),
                row("LIM-11", count(16), count(17), "spec.rules"),
                row(
                    "VAL-HR-02",
                    names("name: a, ", "name: b, "),
                    names("name: a, ", "name: a, "),
                    "spec.rules[1].name",
                ),
            ],
        );
    }
}

#[test]
fn server_names() {
    let names =
        |names: &str| format!("rules: [{{backendRefs: [{{name: a, port: 80}}]}}], hostnames: [{names}]");
    let numbered = |count| names(&many(count, |i| format!("a{i}")));
    const FIRST: &str = "spec.hostnames[0]";
    for version in ["gateway.networking.k8s.io/v1", ALPHA3] {
        check_rows_of(
            Kind::TlsRoute,
            version,
            [
                row("LIM-10", numbered(1), numbered(0), "spec.hostnames"),
                row("LIM-10", numbered(1024), numbered(1025), "spec.hostnames"),
                row("VAL-TL-01", names("a.1"), names("'10.0.0.1'"), FIRST),
                row("VAL-TL-01", names("10.0.0.256"), names("'::1'"), FIRST),
                row("VAL-TL-02", names("a.b"), names("a_b"), FIRST),
                row("VAL-TL-02", names("a.b"), names("A.b"), FIRST),
                row("VAL-TL-02", names(&long(253)), names(&long(254)), FIRST),
                row("VAL-TL-03", names("'*.a.b'"), names("'a.*.b'"), FIRST),
                row("VAL-TL-03", names("'*.b'"), names("'*'"), FIRST),
            ],
        );
    }
    // The oldest version neither needs a name nor knows what an address is.
    check_rows_of(
        Kind::TlsRoute,
        ALPHA2,
        [
            row("LIM-10", numbered(0), numbered(1025), "spec.hostnames"),
            row("PAT-HOST", names("'10.0.0.1'"), names("'::1'"), FIRST),
            row("PAT-HOST", names("'*.a'"), names("'*a'"), FIRST),
        ],
    );
}
