//! Cases: what is set up, what is done, and what must come of it, as data.
//!
//! A case is a YAML file. Its first document says what the case is and lists its steps; the documents behind it are the
//! objects that are set up, written as for `kubectl apply`. [`read`] reads one, and says everything that is wrong with it,
//! with file, line and column. `docs/cases.md` describes every field.
//!
//! ```
//! let text = "
//! apiVersion: conformance.gateway-api.rs/v1
//! kind: Case
//! name: HTTPRouteExactPathMatching
//! summary: Exact paths match what they say and nothing else.
//! features: [Gateway, HTTPRoute]
//! steps:
//! - accepted: [HTTPRoute exact]
//! - http:
//!     to: {gateway: same-namespace}
//!     requests:
//!     - {path: /one, expect: {backend: infra-backend-v1}}
//!     - {path: /one/two, expect: {status: 404}}
//! ---
//! apiVersion: gateway.networking.k8s.io/v1
//! kind: HTTPRoute
//! metadata: {name: exact, namespace: gateway-conformance-infra}
//! spec:
//!   parentRefs: [{name: same-namespace}]
//!   rules:
//!   - matches: [{path: {type: Exact, value: /one}}]
//!     backendRefs: [{name: infra-backend-v1, port: 8080}]
//! ";
//! let case = conformance::case::read(text, "exact.yaml").expect("nothing is wrong");
//! assert_eq!(case.steps.len(), 2);
//!
//! let wrong = text.replace("status: 404", "staus: 404");
//! let problems = conformance::case::read(&wrong, "exact.yaml").unwrap_err();
//! let expected = "steps[1].http.requests[1].expect.staus: there is no such field; did you mean `status`?";
//! assert!(problems[0].to_string().starts_with("exact.yaml:13:"));
//! assert!(problems[0].to_string().ends_with(expected), "{}", problems[0]);
//! ```

mod base;
mod bytes;
mod check;
mod distribution;
#[cfg(test)]
mod fields;
mod grpc;
mod header;
mod http;
mod library;
mod mesh;
mod names;
mod object_ref;
mod profile;
mod status;
mod step;
mod stream;
mod websocket;

use std::collections::BTreeSet;
use std::sync::Arc;

use gateway_core::api::AnyObject;
use gateway_core::feature::Feature;
use gateway_core::manifest::{self, ManifestProblem, Severity};
use gateway_core::name::ObjectName;
use serde::{Deserialize, Deserializer};

pub use self::base::{Base, Deployment, Speaks, base};
pub use self::bytes::{BytesConnection, BytesExpectation, BytesStep, bytes_of_text, text_of_bytes};
pub use self::distribution::{DistributionStep, GrpcSample, HttpSample, MirrorShareStep, Sample};
pub use self::grpc::{ECHO_SERVICE, GrpcCall, GrpcCode, GrpcExchange, GrpcExpectation, GrpcStep};
pub use self::header::{HeaderExpectation, OneOf, Set};
pub use self::http::{
    Client, ClientTls, HttpExchange, HttpExpectation, HttpProtocol, HttpRequest, HttpStep, Lines,
    RedirectExpectation, Statuses, Target,
};
pub use self::library::cases;
pub use self::mesh::{MESH, MeshName, MeshProtocol, MeshStep, Way};
pub use self::object_ref::{INFRA, Name, ObjectRef};
pub use self::status::{
    ConditionExpectation, Conditions, ListenerExpectation, ParentExpectation, StatusStep,
};
pub use self::step::{InfrastructureStep, PatchStep, Step};
pub use self::stream::{TcpExpectation, TcpStep, UdpExpectation, UdpStep};
pub use self::websocket::{WebSocketConversation, WebSocketMessage, WebSocketStep};

/// The `apiVersion` of cases.
pub const API_VERSION: &str = "conformance.gateway-api.rs/v1";

/// A case.
#[derive(Clone, Debug)]
pub struct Case {
    /// The name: for an upstream test its short name.
    pub name: String,
    /// The upstream test, as a path in its repository; none for a case beyond those.
    pub source: Option<String>,
    /// What it shows, in one sentence.
    pub summary: String,
    /// The features that it needs.
    pub features: BTreeSet<Feature>,
    /// Features with which it has nothing to show, and passes.
    pub unless: BTreeSet<Feature>,
    /// Features without which it has nothing to show, and passes.
    pub only_with: BTreeSet<Feature>,
    /// Whether upstream calls it provisional.
    pub provisional: bool,
    /// The rules of the specification that it shows, by their number here, such as `HRM-20`.
    pub rules: Vec<String>,
    /// Deployments that it needs besides those of the base.
    pub deployments: Vec<Deployment>,
    /// The objects that are set up, without those of the base.
    pub objects: Vec<AnyObject>,
    /// What is done, and what must come of it.
    pub steps: Vec<Step>,
    /// The name of its file.
    pub file: String,
    /// The file as it is written.
    pub text: Arc<str>,
}

/// The first document of a case, as it is written.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Written {
    api_version: String,
    kind: String,
    name: String,
    #[serde(default)]
    source: Option<String>,
    summary: String,
    #[serde(deserialize_with = "features")]
    features: BTreeSet<Feature>,
    #[serde(default, deserialize_with = "features")]
    unless: BTreeSet<Feature>,
    #[serde(default, deserialize_with = "features")]
    only_with: BTreeSet<Feature>,
    #[serde(default)]
    provisional: bool,
    #[serde(default)]
    rules: Vec<String>,
    #[serde(default)]
    deployments: Vec<Deployment>,
    steps: Vec<Step>,
}

/// Reads a case. `source` is the name of the file, for messages.
///
/// # Errors
/// Everything that is wrong with it, in the order of the text.
pub fn read(text: &str, source: &str) -> Result<Case, Vec<ManifestProblem>> {
    let header = manifest::document::<Written>(text, source);
    let mut problems = header.problems.clone();
    let manifest = manifest::read(text, source);
    // What the first document is not, it is neither as a case nor as an object.
    let is_new = |problem: &ManifestProblem| {
        problem.severity != Severity::Info
            && header.problems.iter().all(|known| known.location != problem.location)
    };
    problems.extend(manifest.problems.into_iter().filter(is_new));
    let Some(written) = &header.value else { return Err(problems) };
    let case = Case {
        name: written.name.clone(),
        source: written.source.clone(),
        summary: written.summary.clone(),
        features: written.features.clone(),
        unless: written.unless.clone(),
        only_with: written.only_with.clone(),
        provisional: written.provisional,
        rules: written.rules.clone(),
        deployments: written.deployments.clone(),
        objects: manifest.objects.into_iter().map(|(object, _)| object).collect(),
        steps: written.steps.clone(),
        file: source.to_owned(),
        text: text.into(),
    };
    let mut wrong = check::check(&case);
    if (written.api_version.as_str(), written.kind.as_str()) != (API_VERSION, "Case") {
        wrong.push(("kind".to_owned(), format!("the first document is of kind Case of {API_VERSION}")));
    }
    problems.extend(wrong.into_iter().map(|(field, message)| ManifestProblem {
        severity: Severity::Error,
        location: header.place(&field),
        object: None,
        field: Some(field),
        message,
    }));
    if problems.is_empty() { Ok(case) } else { Err(problems) }
}

fn features<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeSet<Feature>, D::Error> {
    let names = Vec::<String>::deserialize(deserializer)?;
    let feature = |name: String| {
        Feature::parse(&name).ok_or_else(|| serde::de::Error::custom(format!("there is no feature {name:?}")))
    };
    names.into_iter().map(feature).collect()
}

// === impl Case ===

impl Case {
    /// Whether the case is one of ours, which upstream does not have.
    pub fn is_beyond(&self) -> bool {
        self.source.is_none()
    }

    /// The objects that are set up at first: all but those that a step applies later.
    pub fn first_objects(&self) -> impl Iterator<Item = &AnyObject> {
        self.objects.iter().filter(|object| !self.is_held_back(&ObjectRef::new(object.kind(), object.key())))
    }

    /// The object of the case with this name.
    pub fn object(&self, wanted: &ObjectRef) -> Option<&AnyObject> {
        self.objects.iter().find(|object| object.kind() == wanted.kind && object.key() == wanted.key)
    }

    /// The line of a field, such as `steps[3].http.requests[1]`; that of the nearest thing around it if it is not written.
    pub fn line(&self, field: &str) -> u32 {
        manifest::document::<serde_json::Value>(&self.text, &self.file).place(field).line
    }

    /// Whether an object of the case attaches to this Gateway, or a step looks at it or sends to it.
    pub fn names_gateway(&self, gateway: &ObjectName) -> bool {
        names::objects_name(self, gateway) || self.steps.iter().any(|step| names::step_names(step, gateway))
    }

    fn is_held_back(&self, object: &ObjectRef) -> bool {
        self.steps.iter().any(|step| match step {
            Step::Apply(objects) => objects.contains(object),
            _ => false,
        })
    }
}
