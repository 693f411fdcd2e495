//! Checks of a case: whatever it refers to must be there.

use std::collections::BTreeSet;

use gateway_core::api::{AnyObject, Kind};
use gateway_core::feature::Feature;
use gateway_core::name::{ObjectName, RouteKind};

use super::{
    BytesExpectation, Case, GrpcCode, GrpcExpectation, HttpExchange, HttpExpectation, HttpProtocol, INFRA,
    Name, ObjectRef, Speaks, Step, Target, Way, base, bytes_of_text,
};

/// What is wrong with a case: the path of a field, and a message.
pub(super) fn check(case: &Case) -> Vec<(String, String)> {
    let mut checker = Checker { case, problems: Vec::new() };
    checker.case();
    checker.problems
}

const SAME_POD: &str = "say which `client` it is";

struct Checker<'c> {
    case: &'c Case,
    problems: Vec<(String, String)>,
}

// === impl Checker ===

impl Checker<'_> {
    fn case(&mut self) {
        if self.case.name.is_empty() || !self.case.name.chars().all(|it| it.is_ascii_alphanumeric()) {
            self.problem("name", "a name has letters and digits only");
        }
        if self.case.steps.is_empty() {
            self.problem("steps", "a case without steps shows nothing");
        }
        if self.case.features.is_empty() {
            self.problem("features", "every case needs at least one feature");
        }
        let mut seen = BTreeSet::new();
        for object in &self.case.objects {
            let name = ObjectRef::new(object.kind(), object.key());
            if object.kind().is_namespaced()
                && object.metadata().namespace.as_deref().unwrap_or_default().is_empty()
            {
                self.problem(
                    "steps",
                    format!("{} {} has no namespace", object.kind(), object.metadata().name),
                );
            }
            if !seen.insert(name.clone()) {
                self.problem("steps", format!("{name} is written twice"));
            }
        }
        for (index, deployment) in self.case.deployments.iter().enumerate() {
            if let Some(answer) = &deployment.answer {
                let at = format!("deployments[{index}].answer");
                if deployment.speaks != Speaks::Bytes {
                    self.problem(&at, "only a backend that speaks `bytes` has an answer of its own");
                }
                if bytes_of_text(answer).is_none() {
                    self.problem(&at, "each character is a byte: none may be beyond U+00FF");
                }
            }
        }
        for (index, step) in self.case.steps.iter().enumerate() {
            self.step(&format!("steps[{index}].{}", step.key()), step);
        }
    }

    fn step(&mut self, at: &str, step: &Step) {
        match step {
            Step::Ready(objects) => self.objects(at, objects, &[Kind::Gateway, Kind::ListenerSet]),
            Step::Accepted(objects) | Step::Resolved(objects) | Step::NotAccepted(objects) => {
                self.objects(at, objects, &RouteKind::ALL.map(Kind::from));
            }
            Step::NoRoutes(objects) => self.objects(at, objects, &[Kind::Gateway]),
            Step::Apply(objects) | Step::Delete(objects) => self.objects(at, objects, Kind::ALL),
            Step::Status(status) => {
                self.object(&format!("{at}.of"), &status.of);
                for (index, parent) in status.parents.iter().enumerate() {
                    // A parent of another controller may be nowhere.
                    if parent.controller_name.is_none() {
                        self.object(&format!("{at}.parents[{index}].parent"), &parent.parent);
                    }
                }
            }
            Step::Infrastructure(it) => {
                self.object(&format!("{at}.of"), &ObjectRef::new(Kind::Gateway, it.of.0.clone()))
            }
            Step::Patch(patch) => self.object(&format!("{at}.object"), &patch.object),
            Step::Http(http) => {
                let https = self.target(&format!("{at}.to"), &http.target);
                for (index, exchange) in http.requests.iter().enumerate() {
                    self.exchange(&format!("{at}.requests[{index}]"), exchange, https);
                    if exchange.expect.same_pod && exchange.client.is_none() {
                        self.problem(format!("{at}.requests[{index}].expect.samePod"), SAME_POD);
                    }
                }
            }
            Step::Grpc(grpc) => {
                self.target(&format!("{at}.to"), &grpc.target);
                for (index, call) in grpc.calls.iter().enumerate() {
                    let GrpcExpectation { code, backend, failure, .. } = &call.expect;
                    if *failure && (*code != GrpcCode::Ok || backend.is_some()) {
                        let at = format!("{at}.calls[{index}].expect");
                        self.problem(at, "`failure` excludes `code` and `backend`");
                    }
                    if let Some(backend) = &call.expect.backend {
                        self.backend(&format!("{at}.calls[{index}].expect.backend"), backend);
                    }
                    if call.expect.same_pod && call.client.is_none() {
                        self.problem(format!("{at}.calls[{index}].expect.samePod"), SAME_POD);
                    }
                }
            }
            Step::WebSocket(it) => drop(self.target(&format!("{at}.to"), &it.target)),
            Step::Tcp(tcp) => {
                self.target(&format!("{at}.to"), &tcp.target);
                match &tcp.expect.backend {
                    Some(backend) => self.backend(&format!("{at}.expect.backend"), backend),
                    None if tcp.expect.rejected => {}
                    None => {
                        self.problem(format!("{at}.expect"), "say which `backend`, or that it is `rejected`")
                    }
                }
            }
            Step::Udp(udp) => {
                self.target(&format!("{at}.to"), &udp.target);
                match (&udp.expect.backend, udp.expect.no_answer) {
                    (Some(backend), false) => self.backend(&format!("{at}.expect.backend"), backend),
                    (None, true) => {}
                    _ => self
                        .problem(format!("{at}.expect"), "say which `backend`, or that there is `noAnswer`"),
                }
            }
            Step::Bytes(step) => {
                self.target(&format!("{at}.to"), &step.target);
                for (index, connection) in step.connections.iter().enumerate() {
                    if bytes_of_text(&connection.send).is_none() {
                        let at = format!("{at}.connections[{index}].send");
                        self.problem(at, "each character is a byte: none may be beyond U+00FF");
                    }
                    if connection.expect == BytesExpectation::default() {
                        self.problem(format!("{at}.connections[{index}].expect"), "say what comes back");
                    }
                }
            }
            Step::Mesh(mesh) => {
                self.way(&format!("{at}.way"), &mesh.way);
                for (index, exchange) in mesh.requests.iter().enumerate() {
                    self.exchange(&format!("{at}.requests[{index}]"), exchange, false);
                    self.no_client(&format!("{at}.requests[{index}]"), exchange);
                }
            }
            Step::Distribution(it) => {
                let sum: f64 = it.shares.values().chain(it.statuses.values()).sum();
                if (sum - 1.0).abs() > 1e-6 {
                    self.problem(format!("{at}.shares"), format!("the shares add up to {sum}, not to 1"));
                }
                if !it.statuses.is_empty() && it.of.http.is_none() {
                    self.problem(format!("{at}.statuses"), "only answers of HTTP have a status");
                }
                for status in it.statuses.keys().filter(|status| status.parse::<u16>().is_err()) {
                    self.problem(format!("{at}.statuses"), format!("{status:?} is no status"));
                }
                let sample = &it.of;
                let count = [
                    sample.http.is_some(),
                    sample.grpc.is_some(),
                    sample.tcp.is_some(),
                    sample.udp.is_some(),
                    sample.mesh.is_some(),
                ];
                if count.iter().filter(|it| **it).count() != 1 {
                    self.problem(format!("{at}.of"), "say one of http, grpc, tcp, udp, mesh");
                }
                if let Some(http) = &sample.http {
                    let https = self.target(&format!("{at}.of.http.to"), &http.to);
                    self.exchange(&format!("{at}.of.http.request"), &http.request, https);
                    self.no_client(&format!("{at}.of.http.request"), &http.request);
                }
                if let Some(grpc) = &sample.grpc {
                    self.target(&format!("{at}.of.grpc.to"), &grpc.to);
                }
                for (key, target) in [("tcp", &sample.tcp), ("udp", &sample.udp)] {
                    if let Some(target) = target {
                        self.target(&format!("{at}.of.{key}"), target);
                    }
                }
                if let Some(way) = &sample.mesh {
                    self.way(&format!("{at}.of.mesh"), way);
                }
            }
            Step::MirrorShare(it) => {
                let https = self.target(&format!("{at}.to"), &it.to);
                self.exchange(&format!("{at}.request"), &it.request, https);
                self.no_client(&format!("{at}.request"), &it.request);
                self.backend(&format!("{at}.mirror"), &it.mirror);
                if !(0.0..=1.0).contains(&it.share) {
                    self.problem(format!("{at}.share"), "a share is a number from 0 to 1");
                }
            }
        }
    }

    fn exchange(&mut self, at: &str, exchange: &HttpExchange, https: bool) {
        let HttpExpectation {
            status,
            backend,
            mirrors,
            no_mirrors,
            redirect,
            not_forwarded,
            failure,
            no_answer,
            ..
        } = &exchange.expect;
        let request = &exchange.request;
        if request.without_host && (request.host.is_some() || request.protocol == HttpProtocol::Http2) {
            let message = "only a request of HTTP/1.1 can be without a host, and then it has no `host`";
            self.problem(format!("{at}.withoutHost"), message);
        }
        if https && exchange.request.tls.is_none() {
            self.problem(at, "the listener speaks TLS: add `tls`");
        }
        for (key, names) in [("mirrors", mirrors), ("noMirrors", no_mirrors)] {
            for name in names {
                self.backend(&format!("{at}.expect.{key}"), name);
            }
        }
        if let Some(backend) = backend {
            self.backend(&format!("{at}.expect.backend"), backend);
        }
        let alternatives = [status.is_some(), *failure, *no_answer];
        if alternatives.iter().filter(|it| **it).count() > 1 {
            self.problem(format!("{at}.expect"), "`status`, `failure` and `noAnswer` exclude each other");
        }
        if backend.is_some() && (*not_forwarded || redirect.is_some() || *failure || *no_answer) {
            self.problem(format!("{at}.expect.backend"), "the gateway answers this by itself");
        }
        let says_nothing = status.is_none() && !failure && !no_answer;
        let success = says_nothing || status.as_ref().is_some_and(|status| status.as_slice() == [200]);
        if success
            && backend.is_none()
            && redirect.is_none()
            && !not_forwarded
            && !self.mesh_or_named(exchange)
        {
            self.problem(format!("{at}.expect"), "say which `backend` answers");
        }
        if !exchange.request.path.starts_with('/') && exchange.request.path != "*" {
            self.problem(format!("{at}.path"), "a path begins with a slash");
        }
    }

    /// Where no client remembers anything.
    fn no_client(&mut self, at: &str, exchange: &HttpExchange) {
        if exchange.client.is_some() || exchange.expect.same_pod {
            self.problem(at, "only the requests of a step `http` have a `client`");
        }
    }

    /// Whether it does not matter, or is said elsewhere, who answers.
    fn mesh_or_named(&self, exchange: &HttpExchange) -> bool {
        exchange.expect.own_name_in.is_some()
            || self.case.features.contains(&Feature::Mesh)
            || self.case.steps.iter().any(|step| matches!(step, Step::Distribution(_) | Step::MirrorShare(_)))
            || self.case.features.contains(&Feature::HttpRouteNamedRouteRule)
    }

    fn objects(&mut self, at: &str, objects: &[ObjectRef], kinds: &[Kind]) {
        for (index, object) in objects.iter().enumerate() {
            let at = format!("{at}[{index}]");
            if !kinds.contains(&object.kind) {
                self.problem(&at, format!("a {} has no such thing", object.kind));
            }
            self.object(&at, object);
        }
    }

    fn object(&mut self, at: &str, wanted: &ObjectRef) {
        if self.case.object(wanted).is_none() && in_base(wanted).is_none() && !is_generated(wanted) {
            self.problem(at, format!("there is no {wanted} in the case or in the base"));
        }
    }

    /// Whether the listener there speaks HTTPS.
    fn target(&mut self, at: &str, target: &Target) -> bool {
        let name = ObjectRef::new(Kind::Gateway, target.gateway.0.clone());
        let found = self.case.object(&name).or_else(|| in_base(&name));
        let Some(AnyObject::Gateway(gateway)) = found else {
            self.problem(format!("{at}.gateway"), format!("there is no {name} in the case or in the base"));
            return false;
        };
        let mut ports =
            gateway.spec.listeners.iter().map(|listener| (listener.port, listener.protocol.as_str()));
        // A patch or a ListenerSet may bring the port.
        let found = match target.port {
            Some(wanted) => ports.find(|(port, _)| i32::from(wanted) == *port),
            None => ports.next(),
        };
        matches!(found, Some((_, "HTTPS")))
    }

    fn backend(&mut self, at: &str, name: &Name) {
        let mut deployments = self.case.deployments.iter().chain(&base().deployments);
        // A workload of the mesh is named without its namespace.
        let mesh = ObjectName::new(super::MESH, &*name.0.name);
        if !deployments.any(|it| it.name == *name || (*name.0.namespace == *INFRA && it.name.0 == mesh)) {
            self.problem(at, format!("there is no Deployment {name} in the case or in the base"));
        }
    }

    fn way(&mut self, at: &str, way: &Way) {
        let mut deployments = self.case.deployments.iter().chain(&base().deployments);
        if !deployments.any(|it| it.name.0 == way.from.0) {
            self.problem(
                format!("{at}.from"),
                format!("there is no Deployment {} in the case or in the base", way.from.0),
            );
        }
        let service = ObjectRef::new(Kind::Service, way.to.0.clone());
        self.object(&format!("{at}.to"), &service);
    }

    fn problem(&mut self, at: impl Into<String>, message: impl Into<String>) {
        self.problems.push((at.into(), message.into()));
    }
}

fn in_base(wanted: &ObjectRef) -> Option<&'static AnyObject> {
    base().objects.iter().find(|object| object.kind() == wanted.kind && object.key() == wanted.key)
}

/// Whether the harness makes the object when it starts.
fn is_generated(wanted: &ObjectRef) -> bool {
    crate::certificate::GENERATED.iter().any(|(kind, namespace, name)| {
        (wanted.kind, &*wanted.key.namespace, &*wanted.key.name) == (*kind, *namespace, *name)
    })
}

#[cfg(test)]
mod tests {
    use crate::case;

    /// What is wrong with a case that has this among its fields.
    fn problems(fields: &str) -> String {
        let text = format!(
            "apiVersion: {}\nkind: Case\nname: One\nsummary: One.\nfeatures: [Gateway]\n{fields}\n",
            case::API_VERSION
        );
        let problems = case::read(&text, "one.yaml").err().unwrap_or_default();
        problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
    }

    #[test]
    fn what_a_step_says_must_fit_together() {
        let http = "http: {to: {gateway: same-namespace}, requests: ";
        let bytes = "bytes: {to: {gateway: same-namespace}, connections: ";
        for (step, expected) in [
            (format!("{http}[{{withoutHost: true, expect: {{status: 400}}}}]}}"), ""),
            (
                format!("{http}[{{withoutHost: true, host: a, expect: {{status: 400}}}}]}}"),
                "only a request of HTTP/1.1",
            ),
            (
                format!("{http}[{{withoutHost: true, protocol: HTTP/2, expect: {{status: 400}}}}]}}"),
                "only a request of HTTP/1.1",
            ),
            (format!("{bytes}[{{send: \"\\xff\", expect: {{lacks: [a]}}}}]}}"), ""),
            (format!("{bytes}[{{send: \"\\u0100\", expect: {{lacks: [a]}}}}]}}"), "each character is a byte"),
            (format!("{bytes}[{{send: a, expect: {{}}}}]}}"), "say what comes back"),
            (
                format!("{http}[{{client: ann, expect: {{backend: infra-backend-v1, samePod: true}}}}]}}"),
                "",
            ),
            (
                format!("{http}[{{expect: {{backend: infra-backend-v1, samePod: true}}}}]}}"),
                "say which `client` it is",
            ),
            (
                "grpc: {to: {gateway: same-namespace}, calls: [{method: Echo, expect: {samePod: true}}]}".to_owned(),
                "say which `client` it is",
            ),
            (
                "mirrorShare: {to: {gateway: same-namespace}, request: {client: ann, expect: {status: 404}}, \
                 mirror: infra-backend-v1, share: 0.5}"
                    .to_owned(),
                "only the requests of a step `http`",
            ),
            (
                "udp: {to: {gateway: same-namespace}, expect: {}}".to_owned(),
                "say which `backend`, or that there is `noAnswer`",
            ),
            (
                "grpc: {to: {gateway: same-namespace}, calls: [{method: Echo, expect: {failure: true, code: INTERNAL}}]}"
                    .to_owned(),
                "`failure` excludes `code`",
            ),
            (
                "distribution: {of: {tcp: {gateway: same-namespace}}, statuses: {200: 1}}".to_owned(),
                "only answers of HTTP have a status",
            ),
            (
                "distribution: {of: {http: {to: {gateway: same-namespace}, request: {}}}, statuses: {ok: 1}}"
                    .to_owned(),
                "\"ok\" is no status",
            ),
        ] {
            let found = problems(&format!("steps:\n- {step}"));
            assert!(found.contains(expected) && found.is_empty() == expected.is_empty(), "{step}: {found}");
        }
    }

    #[test]
    fn only_bytes_have_an_answer_of_their_own() {
        let steps = "steps:\n- ready: [Gateway same-namespace]";
        let of = |fields: &str| problems(&format!("deployments:\n- {{name: a, {fields}}}\n{steps}"));
        assert_eq!(of("speaks: bytes, answer: \"HTTP/1.1 200 OK\\r\\n\\r\\n\""), "");
        assert!(of("speaks: http, answer: a").contains("only a backend that speaks `bytes`"));
        assert!(of("speaks: bytes, answer: \"\\u0100\"").contains("each character is a byte"));
    }
}
