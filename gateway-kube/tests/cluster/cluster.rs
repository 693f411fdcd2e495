//! The cluster of a test: a client, and the few things that a user does with `kubectl`.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::future::Future;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use gateway_core::api::Kind;
use gateway_core::name::ObjectName;
use gateway_core::table::RouteTable;
use gateway_core::translate::Diagnostic;
use gateway_kube::controller::{Controller, ControllerOptions, Update};
use gateway_kube::watch::{LeftOut, Scope, WatchOptions};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{DeleteParams, DynamicObject, Patch, PatchParams, PostParams};
use kube::core::{ApiResource, GroupVersionKind, ObjectMeta};
use kube::{Api, Client};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout};

/// Long enough for a machine that does much else: what does not come at all fails, not what comes late.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// The definition of ServiceImports, as far as tests write some.
pub(crate) const SERVICE_IMPORTS: &str = include_str!("service_imports.yaml");

/// A cluster as one test sees it, with a namespace, a class and a controller name that no other test has.
#[derive(Clone)]
pub(crate) struct Cluster {
    pub(crate) client: Client,
    /// The namespace, and the name of the class.
    pub(crate) name: String,
    pub(crate) controller_name: String,
    /// What its controllers watch.
    pub(crate) scope: Scope,
}

/// A controller whose tables are in use as soon as they come.
pub(crate) struct Followed {
    controller: Controller,
    seen: mpsc::UnboundedReceiver<Seen>,
}

/// What an update said.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) table: Arc<RouteTable>,
    pub(crate) changed: Vec<(Kind, ObjectName)>,
    pub(crate) diagnostics: Arc<[Diagnostic]>,
    pub(crate) left_out: Vec<LeftOut>,
}

// === impl Followed ===

impl Followed {
    pub(crate) fn new(client: Client, options: ControllerOptions) -> Self {
        let (controller, mut updates) = Controller::new(client, options);
        let (sender, seen) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Some(update) = updates.next().await {
                let Update { table, changed, diagnostics, left_out, .. } = update;
                // A test may have seen enough.
                let _ = sender.send(Seen { table, changed, diagnostics, left_out });
            }
        });
        Self { controller, seen }
    }

    pub(crate) async fn next(&mut self) -> Seen {
        self.seen.recv().await.expect("the controller runs")
    }

    pub(crate) async fn stop(self) {
        self.controller.stop().await;
    }
}

impl Deref for Followed {
    type Target = Controller;

    fn deref(&self) -> &Controller {
        &self.controller
    }
}

// === impl Cluster ===

impl Cluster {
    /// With a namespace and a class.
    pub(crate) async fn new(client: Client, test: &str) -> Self {
        let name = test.replace('_', "-");
        let name = name[..name.len().min(50)].trim_end_matches('-').to_owned();
        let controller_name = format!("example.com/{name}");
        let cluster = Self { client, name, controller_name, scope: Scope::All };
        let Self { name, controller_name, .. } = &cluster;
        cluster.apply(&format!("{{apiVersion: v1, kind: Namespace, metadata: {{name: {name}}}}}")).await;
        cluster
            .apply(&format!(
                "{{apiVersion: gateway.networking.k8s.io/v1, kind: GatewayClass, metadata: {{name: {name}}}, \
                 spec: {{controllerName: {controller_name}}}}}"
            ))
            .await;
        cluster
    }

    /// The same cluster, where other tests are, too: controllers watch the test's namespace only. Of a policy of others whose target is
    /// not there, they would say so.
    pub(crate) fn shared(mut self) -> Self {
        self.scope = Scope::Namespaces(BTreeSet::from([self.name.clone()]));
        self
    }

    /// The options of a controller of this test's class.
    pub(crate) fn options(&self) -> ControllerOptions {
        let mut options = ControllerOptions::default();
        options.translate.controller_name = self.controller_name.clone();
        let (scope, retry) = (self.scope.clone(), Duration::from_millis(500));
        options.watch = WatchOptions { scope, retry, ..WatchOptions::default() };
        options
    }

    pub(crate) fn controller(&self) -> Followed {
        Followed::new(self.client.clone(), self.options())
    }

    /// A Gateway `web` of the test's class with an HTTP listener on port 80.
    pub(crate) async fn gateway(&self) {
        self.gateway_with("listeners: [{name: http, port: 80, protocol: HTTP}]").await;
    }

    pub(crate) async fn gateway_with(&self, spec: &str) {
        let name = &self.name;
        self.apply(&format!(
            "{{apiVersion: gateway.networking.k8s.io/v1, kind: Gateway, metadata: {{name: web, namespace: {name}}}, \
             spec: {{gatewayClassName: {name}, {spec}}}}}"
        ))
        .await;
    }

    /// An HTTPRoute of Gateway `web`.
    pub(crate) async fn route(&self, name: &str, spec: &str) {
        self.apply(&self.route_text(name, spec)).await;
    }

    pub(crate) fn route_text(&self, name: &str, spec: &str) -> String {
        format!(
            "{{apiVersion: gateway.networking.k8s.io/v1, kind: HTTPRoute, metadata: {{name: {name}, namespace: {}}}, \
             spec: {{parentRefs: [{{name: web}}], {spec}}}}}",
            self.name
        )
    }

    /// Creates or changes an object, as `kubectl apply --server-side` does.
    pub(crate) async fn apply(&self, text: &str) -> DynamicObject {
        self.try_apply(text).await.unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    pub(crate) async fn try_apply(&self, text: &str) -> Result<DynamicObject, kube::Error> {
        let object: Value = serde_saphyr::from_str(text).unwrap();
        let (api, name) = self.api_of(&object);
        api.patch(&name, &PatchParams::apply("user").force(), &Patch::Apply(&object)).await
    }

    pub(crate) async fn delete(&self, kind: &str, name: &str) {
        self.api(kind).delete(name, &DeleteParams::default()).await.unwrap();
    }

    /// Objects of a kind of Gateway API or the core group, in the test's namespace.
    pub(crate) fn api(&self, kind: &str) -> Api<DynamicObject> {
        let known = gateway_core::api::Kind::ALL.iter().find(|known| known.as_str() == kind).unwrap();
        let api_version = known.api_version();
        let namespace = known.is_namespaced().then_some(self.name.as_str());
        api(self.client.clone(), &api_version, kind, known.plural(), namespace)
    }

    fn api_of(&self, object: &Value) -> (Api<DynamicObject>, String) {
        let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str);
        let (api_version, kind) = (text("/apiVersion").unwrap(), text("/kind").unwrap());
        let plural = match gateway_core::api::Kind::ALL.iter().find(|known| known.as_str() == kind) {
            Some(known) => known.plural().to_owned(),
            None => format!("{}s", kind.to_lowercase()),
        };
        let api = api(self.client.clone(), api_version, kind, &plural, text("/metadata/namespace"));
        (api, text("/metadata/name").unwrap().to_owned())
    }

    pub(crate) async fn get(&self, kind: &str, name: &str) -> Value {
        serde_json::to_value(self.api(kind).get(name).await.unwrap()).unwrap()
    }

    /// Waits until an object is as it should be.
    pub(crate) async fn until(&self, kind: &str, name: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        let mut last = Value::Null;
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            if let Ok(Some(object)) = self.api(kind).get_opt(name).await {
                last = serde_json::to_value(object).unwrap();
                if is_so(&last) {
                    return last;
                }
            }
            sleep(Duration::from_millis(50)).await;
        }
        panic!("{kind} {name} does not become what it should be; it is {last:#}");
    }

    /// Waits until an HTTPRoute has this condition for its first parent of ours.
    pub(crate) async fn route_until(&self, name: &str, condition: &str) -> Value {
        let ours = |route: &Value| conditions(&parents(route, &self.controller_name));
        self.until("HTTPRoute", name, |route| has(&ours(route), condition)).await
    }

    /// Writes a status against a version; says whether no other write came first.
    pub(crate) async fn try_write(&self, kind: &str, name: &str, patch: &Value) -> bool {
        let patched = self.api(kind).patch_status(name, &PatchParams::default(), &Patch::Merge(patch)).await;
        match patched {
            Ok(_) => true,
            Err(kube::Error::Api(status)) if status.is_conflict() => false,
            Err(error) => panic!("{error}"),
        }
    }

    /// The resource definition of this name.
    pub(crate) async fn definition(&self, name: &str) -> CustomResourceDefinition {
        let definitions: Api<CustomResourceDefinition> = Api::all(self.client.clone());
        definitions.get(name).await.unwrap()
    }

    pub(crate) async fn delete_definition(&self, name: &str) {
        let definitions: Api<CustomResourceDefinition> = Api::all(self.client.clone());
        definitions.delete(name, &DeleteParams::default()).await.unwrap();
        within(async {
            while definitions.get_opt(name).await.unwrap().is_some() {
                sleep(Duration::from_millis(50)).await;
            }
        })
        .await;
    }

    /// Changes a resource definition, and waits until the API server goes by it.
    pub(crate) async fn change_definition(&self, name: &str, change: impl Fn(&mut Value)) {
        let definitions: Api<CustomResourceDefinition> = Api::all(self.client.clone());
        let mut definition = serde_json::to_value(definitions.get(name).await.unwrap()).unwrap();
        change(&mut definition);
        let definition: CustomResourceDefinition = serde_json::from_value(definition).unwrap();
        definitions.replace(name, &PostParams::default(), &definition).await.unwrap();
        // Requests that begin within a moment are still served by what was there before, and nothing tells when that is over.
        sleep(Duration::from_secs(2)).await;
    }

    pub(crate) async fn install_definition(&self, definition: CustomResourceDefinition) {
        let definitions: Api<CustomResourceDefinition> = Api::all(self.client.clone());
        let metadata = ObjectMeta {
            name: definition.metadata.name,
            annotations: definition.metadata.annotations,
            ..ObjectMeta::default()
        };
        let definition = CustomResourceDefinition { metadata, spec: definition.spec, status: None };
        definitions.create(&PostParams::default(), &definition).await.unwrap();
    }

    /// Writes a status as another controller does.
    pub(crate) async fn write_status(&self, kind: &str, name: &str, status: Value) {
        let patch = json!({ "status": status });
        self.api(kind).patch_status(name, &PatchParams::default(), &Patch::Merge(patch)).await.unwrap();
    }

    pub(crate) async fn merge(&self, kind: &str, name: &str, patch: Value) {
        self.api(kind).patch(name, &PatchParams::default(), &Patch::Merge(patch)).await.unwrap();
    }
}

pub(crate) fn api(
    client: Client,
    api_version: &str,
    kind: &str,
    plural: &str,
    namespace: Option<&str>,
) -> Api<DynamicObject> {
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    let resource = ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk(group, version, kind), plural);
    match namespace {
        Some(namespace) => Api::namespaced_with(client, namespace, &resource),
        None => Api::all_with(client, &resource),
    }
}

/// The entries that a controller has written.
pub(crate) fn parents(route: &Value, controller_name: &str) -> Vec<Value> {
    let parents = route.pointer("/status/parents").and_then(Value::as_array).cloned().unwrap_or_default();
    parents.into_iter().filter(|entry| entry["controllerName"] == *controller_name).collect()
}

/// The conditions of the first entry, as `Type=Status/Reason`.
pub(crate) fn conditions(entries: &[Value]) -> Vec<String> {
    entries.first().map(written).unwrap_or_default()
}

/// The conditions of a status or an entry, as `Type=Status/Reason`.
pub(crate) fn written(status: &Value) -> Vec<String> {
    let all = status["conditions"].as_array().cloned().unwrap_or_default();
    let text = |condition: &Value, field: &str| condition[field].as_str().unwrap_or_default().to_owned();
    all.iter()
        .map(|condition| {
            format!("{}={}/{}", text(condition, "type"), text(condition, "status"), text(condition, "reason"))
        })
        .collect()
}

pub(crate) fn has(conditions: &[String], wanted: &str) -> bool {
    conditions.iter().any(|condition| condition == wanted)
}

/// The next table that is as it should be.
pub(crate) async fn table(controller: &mut Followed, is_so: impl Fn(&Seen) -> bool) -> Seen {
    within(async {
        loop {
            let seen = controller.next().await;
            if is_so(&seen) {
                return seen;
            }
        }
    })
    .await
}

/// Waits until the controller has nothing to do, and stays so.
pub(crate) async fn idle(controller: &Controller) {
    within(async {
        let mut quiet = 0;
        while quiet < 3 {
            // What has happened just now has to come by the watch first.
            sleep(Duration::from_millis(400)).await;
            quiet = if controller.progress().borrow().pending == 0 { quiet + 1 } else { 0 };
        }
    })
    .await;
}

pub(crate) async fn within<T: Debug>(future: impl Future<Output = T>) -> T {
    timeout(PATIENCE, future).await.expect("it does not happen at all")
}

/// Installs resource definitions, and waits until the API server knows them.
pub(crate) async fn install(client: &Client, definitions: &[String]) {
    let api: Api<CustomResourceDefinition> = Api::all(client.clone());
    let mut names = Vec::new();
    for text in definitions {
        let definition: Value = serde_saphyr::from_str(text).unwrap();
        let name = definition["metadata"]["name"].as_str().unwrap().to_owned();
        api.patch(&name, &PatchParams::apply("user").force(), &Patch::Apply(&definition)).await.unwrap();
        names.push(name);
    }
    for name in names {
        let established = kube::runtime::conditions::is_crd_established();
        within(async {
            kube::runtime::wait::await_condition(api.clone(), &name, established).await.map(drop)
        })
        .await
        .unwrap();
    }
}
