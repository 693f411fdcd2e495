//! ReferenceGrant.

use gateway_core::api::Kind;

use super::{check_rows, long, many, row};

#[test]
fn specs() {
    const FROM: &str = "{group: '', kind: A, namespace: b}";
    const TO: &str = "{group: '', kind: A}";
    let from = |from: &str| format!("from: [{from}], to: [{TO}]");
    let to = |to: &str| format!("from: [{FROM}], to: [{to}]");
    let froms = |count| from(&many(count, |_| FROM.into()));
    let tos = |count| to(&many(count, |_| TO.into()));
    check_rows(
        Kind::ReferenceGrant,
        [
            row("LIM-18", froms(1), froms(0), "spec.from"),
            row("LIM-18", froms(16), froms(17), "spec.from"),
            row("LIM-18", tos(1), tos(0), "spec.to"),
            row("LIM-18", tos(16), tos(17), "spec.to"),
            row(
                "PAT-GROUP",
                from("{group: a.b, kind: A, namespace: b}"),
                from("{group: '*', kind: A, namespace: b}"),
                "spec.from[0].group",
            ),
            row("PAT-KIND", from(FROM), from("{group: '', kind: '*', namespace: b}"), "spec.from[0].kind"),
            row("PAT-NS", from(FROM), from("{group: '', kind: A, namespace: '*'}"), "spec.from[0].namespace"),
            row("PAT-NS", from(FROM), from("{group: '', kind: A, namespace: ''}"), "spec.from[0].namespace"),
            row("PAT-GROUP", to(TO), to("{group: -a, kind: A}"), "spec.to[0].group"),
            row("PAT-KIND", to(TO), to("{group: '', kind: ''}"), "spec.to[0].kind"),
            row(
                "VAL-ST-03",
                to("{group: '', kind: A, name: '*'}"),
                to("{group: '', kind: A, name: ''}"),
                "spec.to[0].name",
            ),
            row(
                "VAL-ST-08",
                to(&format!("{{group: '', kind: A, name: {}}}", long(253))),
                to(&format!("{{group: '', kind: A, name: {}}}", long(254))),
                "spec.to[0].name",
            ),
        ],
    );
}
