//! GatewayClass and XMesh.

use gateway_core::api::{GatewayClass, Kind, XMesh};
use gateway_core::validate::update_problems;

use super::{check_rows, long, row};

#[test]
fn specs() {
    for kind in [Kind::GatewayClass, Kind::XMesh] {
        let controller = |name: &str| format!("controllerName: \"{name}\"");
        let parameters = |reference: &str| format!("controllerName: a.b/c, parametersRef: {{{reference}}}");
        let description = |length| format!("controllerName: a.b/c, description: {}", "ü".repeat(length));
        const CONTROLLER: &str = "spec.controllerName";
        check_rows(
            kind,
            [
                row("PAT-CONTROLLER", controller("example.com/a/b~c"), controller("example.com"), CONTROLLER),
                row("PAT-CONTROLLER", controller("a/b"), controller("a/"), CONTROLLER),
                row("PAT-CONTROLLER", controller("a/b"), controller("A/b"), CONTROLLER),
                row("PAT-CONTROLLER", controller("a/b"), controller(""), CONTROLLER),
                row(
                    "PAT-CONTROLLER",
                    controller(&format!("a/{}", long(251))),
                    controller(&format!("a/{}", long(252))),
                    CONTROLLER,
                ),
                row("LIM-21", description(64), description(65), "spec.description"),
                row(
                    "PAT-GROUP",
                    parameters("group: '', kind: ConfigMap, name: a"),
                    parameters("group: A, kind: ConfigMap, name: a"),
                    "spec.parametersRef.group",
                ),
                row(
                    "PAT-NS",
                    parameters("group: '', kind: ConfigMap, name: a, namespace: b"),
                    parameters("group: '', kind: ConfigMap, name: a, namespace: b.c"),
                    "spec.parametersRef.namespace",
                ),
                row(
                    "VAL-ST-03",
                    parameters("group: '', kind: ConfigMap, name: a"),
                    parameters("group: '', kind: ConfigMap, name: ''"),
                    "spec.parametersRef.name",
                ),
            ],
        );
    }
}

#[test]
fn the_controller_stays() {
    let mut old = GatewayClass::default();
    old.spec.controller_name = "example.com/a".to_owned();
    let mut new = old.clone();
    new.spec.description = Some("other".to_owned());
    assert_eq!(update_problems(&old, &new), []);
    new.spec.controller_name = "example.com/b".to_owned();
    let text: Vec<_> = update_problems(&old, &new).iter().map(ToString::to_string).collect();
    assert_eq!(
        text,
        [
            "spec.controllerName: is immutable, and was \"example.com/a\"; make another object for another controller (VAL-GC-01)"
        ]
    );

    let mut mesh = XMesh::default();
    mesh.spec.controller_name = "example.com/a".to_owned();
    assert_eq!(update_problems(&mesh, &mesh), []);
    assert_eq!(update_problems(&mesh, &XMesh::default())[0].rule, "VAL-GC-01");
}
