//! References of Routes to backends of which a part has no effect, or all of which get nothing.

use super::Lint;
use crate::api::Kind;
use crate::condition::Reason;
use crate::name::ObjectName;

/// What is looked at of a reference.
struct Written {
    to: Option<Kind>,
    has_port: bool,
    weight: i32,
}

pub(super) fn look(lint: &mut Lint<'_>) {
    /// Looks at the rules of all Routes of a kind, in the types of the kind.
    macro_rules! of_kind {
        ($kind:ident, $routes:ident) => {
            for (name, route) in &lint.resources.$routes {
                for (index, rule) in route.spec.rules.iter().enumerate() {
                    let references = rule.backend_refs.iter().map(|to| Written {
                        to: Kind::find(&to.group, &to.kind),
                        has_port: to.port.is_some(),
                        weight: to.weight,
                    });
                    of_rule(Kind::$kind, name, index, references, lint);
                }
            }
        };
    }
    of_kind!(HttpRoute, http_routes);
    of_kind!(GrpcRoute, grpc_routes);
    of_kind!(TlsRoute, tls_routes);
    of_kind!(TcpRoute, tcp_routes);
    of_kind!(UdpRoute, udp_routes);
}

/// # Spec
/// HRB-03, XBK-08.
fn of_rule(
    kind: Kind,
    name: &ObjectName,
    rule: usize,
    references: impl ExactSizeIterator<Item = Written>,
    lint: &mut Lint<'_>,
) {
    let field = format!("spec.rules[{rule}].backendRefs");
    let mut gets_nothing = references.len() > 0;
    for (index, Written { to, has_port, weight }) in references.enumerate() {
        gets_nothing &= weight == 0;
        if to == Some(Kind::XBackend) && has_port {
            let message = "has no effect: an XBackend has a port of its own; remove it";
            lint.say(kind, name, Reason::Unsupported, format!("{field}[{index}].port"), message);
        }
    }
    if gets_nothing {
        let what = match kind {
            Kind::HttpRoute | Kind::GrpcRoute => "requests of the rule are answered with 500",
            _ => "nothing is passed on",
        };
        let message = format!("all weights are 0, so that {what}; give one of them a weight");
        lint.say(kind, name, Reason::BackendNotFound, field, message);
    }
}
