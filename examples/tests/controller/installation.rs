//! The installation of `examples/deploy`, and the program with its Deployment's arguments and its ServiceAccount's rights.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use gateway_core::api::Kind;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::authentication::v1::{TokenRequest, TokenRequestSpec};
use k8s_openapi::api::core::v1::{Container, ServiceAccount};
use k8s_openapi::api::rbac::v1::{
    ClusterRole, ClusterRoleBinding, PolicyRule, Role, RoleBinding, RoleRef, Subject,
};
use kube::api::{Patch, PatchParams, PostParams};
use kube::{Api, Client};
use serde_json::Value;
use tempfile::TempDir;

use crate::cluster;
use crate::control_plane::{ControlPlane, Request};
use crate::harness::Gateway;

/// Helm and Kustomize.
#[derive(Clone)]
pub(crate) struct Tools(PathBuf);

/// A Deployment that is installed.
pub(crate) struct Installation {
    client: Client,
    namespace: String,
    pub(crate) deployment: Deployment,
}

/// The program, killed when dropped.
pub(crate) struct Running {
    pub(crate) gateway: Gateway,
    _folder: TempDir,
}

/// A right of a role that is bound: one verb of one resource.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Grant {
    pub(crate) verb: String,
    pub(crate) group: String,
    pub(crate) resource: String,
    /// The only namespace.
    pub(crate) namespace: Option<String>,
    /// The only name.
    pub(crate) name: Option<String>,
}

/// The folder of this.
pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy")
}

// === impl Tools ===

impl Tools {
    /// Those that were built.
    ///
    /// # Errors
    /// There are none; how to get them.
    pub(crate) fn find() -> Result<Self, String> {
        let build = folder().join("tools/build");
        let output = Command::new(&build).arg("--find").output();
        let output = output.map_err(|error| format!("{}: {error}", build.display()))?;
        if output.status.success() {
            Ok(Self(PathBuf::from(String::from_utf8_lossy(&output.stdout).trim_end().to_owned())))
        } else {
            Err(String::from_utf8_lossy(&output.stderr).trim_end().to_owned())
        }
    }

    /// The manifests of a folder below `kustomize`.
    pub(crate) fn kustomize(&self, name: &str) -> Vec<Value> {
        let mut command = Command::new(self.0.join("kustomize"));
        manifests(command.arg("build").arg(folder().join("kustomize").join(name)))
    }

    /// The manifests of the chart, as release `gateway` of a namespace.
    pub(crate) fn helm_template(&self, namespace: &str, values: &[&str]) -> Vec<Value> {
        manifests(self.helm(&["template", "gateway"]).args(["--namespace", namespace]).args(set(values)))
    }

    /// Installs the chart as release `gateway` of a namespace.
    pub(crate) fn helm_install(&self, control_plane: &ControlPlane, namespace: &str, values: &[&str]) {
        let folder = tempfile::tempdir().unwrap();
        let kubeconfig = folder.path().join("kubeconfig");
        fs::write(&kubeconfig, control_plane.kubeconfig("admin")).unwrap();
        let mut command = self.helm(&["install", "gateway"]);
        command.args(["--namespace", namespace, "--create-namespace"]).args(set(values));
        succeed(command.arg("--kubeconfig").arg(kubeconfig));
    }

    /// What the chart is said of.
    pub(crate) fn helm_lint(&self, values: &[&str]) -> Output {
        self.helm(&["lint", "--strict"]).args(set(values)).output().unwrap()
    }

    fn helm(&self, command: &[&str]) -> Command {
        let mut helm = Command::new(self.0.join("helm"));
        helm.args(command).arg(folder().join("helm")).stdin(Stdio::null());
        // It reads neither plugins nor repositories of the user, and the cluster is on this machine.
        for variable in ["HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME"] {
            helm.env(variable, std::env::temp_dir().join("gateway-helm"));
        }
        for variable in ["HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "KUBECONFIG"] {
            helm.env_remove(variable);
        }
        helm
    }
}

fn set(values: &[&str]) -> Vec<String> {
    values.iter().flat_map(|value| ["--set".to_owned(), (*value).to_owned()]).collect()
}

fn succeed(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn manifests(command: &mut Command) -> Vec<Value> {
    let text = succeed(command);
    let documents = text.split("\n---\n").map(|text| serde_saphyr::from_str(text).unwrap());
    documents.filter(|document: &Value| !document.is_null()).collect()
}

/// Applies manifests as they are written: a field that the API server does not know is an error.
pub(crate) async fn apply(client: &Client, manifests: &[Value]) {
    for manifest in manifests {
        let text = |pointer: &str| manifest.pointer(pointer).and_then(Value::as_str);
        let (api_version, kind) = (text("/apiVersion").unwrap(), text("/kind").unwrap());
        let plural = match Kind::ALL.iter().find(|known| known.as_str() == kind) {
            Some(known) => known.plural().to_owned(),
            None => format!("{}s", kind.to_lowercase()),
        };
        let api = cluster::api(client.clone(), api_version, kind, &plural, text("/metadata/namespace"));
        let params = PatchParams::apply("user").validation_strict();
        let applied = api.patch(text("/metadata/name").unwrap(), &params, &Patch::Apply(manifest)).await;
        applied.unwrap_or_else(|error| panic!("{error}: {manifest:#}"));
    }
}

// === impl Installation ===

impl Installation {
    /// The Deployment `gateway` of a namespace.
    pub(crate) async fn find(client: &Client, namespace: &str) -> Self {
        let deployments: Api<Deployment> = Api::namespaced(client.clone(), namespace);
        let deployment = deployments.get("gateway").await.unwrap();
        Self { client: client.clone(), namespace: namespace.to_owned(), deployment }
    }

    fn account(&self) -> &str {
        let pod = self.deployment.spec.template.spec.as_ref().unwrap();
        pod.service_account_name.as_deref().unwrap()
    }

    /// The name that the API server has for it.
    pub(crate) fn user(&self) -> String {
        format!("system:serviceaccount:{}:{}", self.namespace, self.account())
    }

    fn container(&self) -> &Container {
        &self.deployment.spec.template.spec.as_ref().unwrap().containers[0]
    }

    /// The arguments, as the kubelet would pass them to the first pod.
    pub(crate) fn arguments(&self) -> Vec<String> {
        let variables = self.variables();
        let expand = |argument: &String| {
            let expanded = variables.iter().fold(argument.clone(), |argument, (name, value)| {
                argument.replace(&format!("$({name})"), value)
            });
            assert!(!expanded.contains("$("), "{argument}: no such variable");
            expanded
        };
        self.container().args.iter().flatten().map(expand).collect()
    }

    fn variables(&self) -> BTreeMap<String, String> {
        let fields = self.container().env.iter().flatten().map(|variable| {
            let source = variable.value_from.as_ref().and_then(|source| source.field_ref.as_ref());
            let value = match source.expect("a field").field_path.as_str() {
                "metadata.name" => "gateway-1",
                "metadata.namespace" => &self.namespace,
                "spec.nodeName" => "node-1",
                other => panic!("{other}: say what it is"),
            };
            (variable.name.clone(), value.to_owned())
        });
        fields.collect()
    }

    /// A token of the ServiceAccount, as a pod gets it.
    pub(crate) async fn token(&self) -> String {
        let accounts: Api<ServiceAccount> = Api::namespaced(self.client.clone(), &self.namespace);
        let spec = TokenRequestSpec {
            audiences: Some(vec!["https://kubernetes.default.svc".to_owned()]),
            ..TokenRequestSpec::default()
        };
        let request = TokenRequest { spec: Some(spec), ..TokenRequest::default() };
        let created = accounts.create_token_request(self.account(), &PostParams::default(), &request).await;
        created.unwrap().status.unwrap().token.unwrap()
    }

    /// Starts the program as a pod would. Only its admin port is another one: several may run on this machine.
    pub(crate) async fn start(&self, control_plane: &ControlPlane) -> Running {
        let folder = tempfile::tempdir().unwrap();
        let kubeconfig = folder.path().join("kubeconfig");
        fs::write(&kubeconfig, control_plane.kubeconfig(&self.token().await)).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_gateway"));
        command.env_clear().envs(self.variables()).env("KUBECONFIG", kubeconfig);
        let mut is_there = false;
        for argument in self.arguments() {
            is_there |= argument.starts_with("--admin=");
            command.arg(if argument.starts_with("--admin=") { "--admin=127.0.0.1:0" } else { &argument });
        }
        assert!(is_there, "the probes need an admin port");
        Running { gateway: Gateway::spawn(command), _folder: folder }
    }

    /// The paths of the probes.
    pub(crate) fn probes(&self) -> [String; 2] {
        let container = self.container();
        [&container.readiness_probe, &container.liveness_probe].map(|probe| {
            let action = probe.as_ref().unwrap().http_get.as_ref().unwrap();
            action.path.clone().unwrap()
        })
    }

    /// All that the ServiceAccount may do, by what is bound.
    pub(crate) async fn grants(&self) -> Vec<Grant> {
        let client = &self.client;
        let clusterwide: Api<ClusterRoleBinding> = Api::all(client.clone());
        let namespaced: Api<RoleBinding> = Api::all(client.clone());
        let mut grants = Vec::new();
        for binding in clusterwide.list(&Default::default()).await.unwrap() {
            if self.is_bound(binding.subjects.as_deref()) {
                grants.extend(self.rules(&binding.role_ref, None).await);
            }
        }
        for binding in namespaced.list(&Default::default()).await.unwrap() {
            if self.is_bound(binding.subjects.as_deref()) {
                grants.extend(self.rules(&binding.role_ref, binding.metadata.namespace.as_deref()).await);
            }
        }
        grants
    }

    fn is_bound(&self, subjects: Option<&[Subject]>) -> bool {
        subjects.unwrap_or_default().iter().any(|subject| {
            subject.kind == "ServiceAccount"
                && subject.name == self.account()
                && subject.namespace.as_deref() == Some(&self.namespace)
        })
    }

    async fn rules(&self, role: &RoleRef, namespace: Option<&str>) -> Vec<Grant> {
        let rules = if role.kind == "Role" {
            let roles: Api<Role> = Api::namespaced(self.client.clone(), namespace.unwrap());
            roles.get(&role.name).await.unwrap().rules
        } else {
            let roles: Api<ClusterRole> = Api::all(self.client.clone());
            roles.get(&role.name).await.unwrap().rules
        };
        rules.iter().flatten().flat_map(|rule| grants(rule, namespace)).collect()
    }
}

/// Each right of a rule.
fn grants(rule: &PolicyRule, namespace: Option<&str>) -> Vec<Grant> {
    let names = match rule.resource_names.as_deref() {
        None | Some([]) => vec![None],
        Some(names) => names.iter().cloned().map(Some).collect(),
    };
    let mut grants = Vec::new();
    for group in rule.api_groups.iter().flatten() {
        for resource in rule.resources.iter().flatten() {
            for verb in &rule.verbs {
                let grant = |name: &Option<String>| Grant {
                    verb: verb.clone(),
                    group: group.clone(),
                    resource: resource.clone(),
                    namespace: namespace.map(str::to_owned),
                    name: name.clone(),
                };
                grants.extend(names.iter().map(grant));
            }
        }
    }
    grants
}

// === impl Grant ===

impl Grant {
    /// Whether a request makes use of it.
    pub(crate) fn covers(&self, request: &Request) -> bool {
        let is_in = self.namespace.as_ref().is_none_or(|namespace| *namespace == request.namespace);
        let is_named = self.name.as_ref().is_none_or(|name| *name == request.name);
        let is_about = self.group == request.group && self.resource == request.resource;
        is_about && self.verb == request.verb && is_in && is_named
    }
}

impl fmt::Display for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { verb, group, resource, namespace, name } = self;
        let any = |text: &Option<String>| text.clone().unwrap_or_else(|| "*".to_owned());
        write!(f, "{verb} {resource}.{group} {}/{}", any(namespace), any(name))
    }
}
