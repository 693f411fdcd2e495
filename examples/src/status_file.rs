//! Statuses in a file: what a controller would write into the objects, for those who look at a gateway from outside.
//!
//! The file holds a `List` of every object that has a status, as JSON. It is replaced as a whole whenever one changes, so
//! that nobody reads half of it. As in a cluster, a condition keeps the time of its last transition, and what others have
//! written into the statuses stays.
//!
//! ```
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("status.json");
//! use gateway_core::api::{Resources, Timestamp};
//! use gateway_core::manifest;
//! use gateway_core::options::Options;
//! use gateway_core::translate::translate;
//! use gateway_examples::status_file::StatusFile;
//!
//! let yaml = "
//! apiVersion: gateway.networking.k8s.io/v1
//! kind: GatewayClass
//! metadata: {name: example}
//! spec: {controllerName: gateway-api.rs/controller}
//! ";
//! let resources: Resources = manifest::read(yaml, "class.yaml").objects.into_iter().map(|(object, _)| object).collect();
//! let options = Options::default();
//! let statuses = translate(&resources, &options).statuses;
//!
//! let mut file = StatusFile::new(path.clone(), options.controller_name);
//! file.write(&resources, &statuses, &Timestamp::from("2026-01-01T10:00:00Z"))?;
//! assert!(std::fs::read_to_string(&path)?.contains(r#""reason": "Accepted""#));
//! # Ok::<(), std::io::Error>(())
//! ```

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;
use std::{fs, io};

use gateway_core::api::{AnyObject, ObjectMeta, Resources, Timestamp};
use gateway_core::name::{ObjectName, RouteKind};
use gateway_core::status::{RouteStatus, Statuses, merge};
use serde_json::json;

/// A file that statuses are written into.
#[derive(Debug)]
pub struct StatusFile {
    path: PathBuf,
    controller_name: String,
    /// The objects with the statuses that were written last.
    written: Resources,
    /// The text of the file.
    text: String,
}

// === impl StatusFile ===

impl StatusFile {
    /// The statuses at this path. `controller_name` is the one that is written beside the parents of routes.
    pub fn new(path: PathBuf, controller_name: String) -> Self {
        Self { path, controller_name, written: Resources::default(), text: String::new() }
    }

    /// Writes the statuses of these objects, if they are others than those in the file.
    ///
    /// # Errors
    /// When the file cannot be replaced.
    pub fn write(&mut self, resources: &Resources, statuses: &Statuses, now: &Timestamp) -> io::Result<()> {
        let Statuses { gateway_classes, gateways, listener_sets, routes } = statuses;
        let mut objects = Vec::<AnyObject>::new();
        macro_rules! merge {
            ($computed:ident, |$stored:ident, $status:ident| $merged:expr) => {
                objects.extend(with_statuses(
                    &resources.$computed,
                    &self.written.$computed,
                    $computed,
                    |object| &object.metadata,
                    |object, latest, $status| {
                        let $stored = &latest.status;
                        object.status = $merged.unwrap_or_else(|| $stored.clone());
                    },
                ));
            };
        }
        let controller_name = &self.controller_name;
        merge!(gateway_classes, |stored, status| merge::gateway_class(stored, status, now));
        merge!(gateways, |stored, status| merge::gateway(stored, status, now));
        merge!(listener_sets, |stored, status| merge::listener_set(stored, status, now));
        let of_kind = |kind| -> BTreeMap<ObjectName, RouteStatus> {
            let routes = routes.iter().filter(|(key, _)| key.kind == kind);
            routes.map(|(key, status)| (key.name.clone(), status.clone())).collect()
        };
        macro_rules! merge_routes {
            ($($field:ident: $kind:ident,)+) => {
                $(
                    let $field = &of_kind(RouteKind::$kind);
                    merge!($field, |stored, status| merge::route(stored, status, controller_name, now));
                )+
            };
        }
        merge_routes! { http_routes: Http, grpc_routes: Grpc, tls_routes: Tls, tcp_routes: Tcp, udp_routes: Udp, }

        let list = json!({ "apiVersion": "v1", "kind": "List", "items": objects });
        let text = format!("{list:#}\n");
        if text != self.text {
            let mut new = OsString::from(&self.path);
            new.push(".new");
            fs::write(&new, &text)?;
            fs::rename(&new, &self.path)?;
            self.text = text;
        }
        self.written = objects.into_iter().collect();
        Ok(())
    }
}

/// The objects that have a computed status, with that status merged into the latest one that is known.
fn with_statuses<T: Clone, S>(
    objects: &BTreeMap<ObjectName, Arc<T>>,
    written: &BTreeMap<ObjectName, Arc<T>>,
    computed: &BTreeMap<ObjectName, S>,
    metadata: impl Fn(&T) -> &ObjectMeta,
    merge: impl Fn(&mut T, &T, &S),
) -> Vec<AnyObject>
where
    Arc<T>: Into<AnyObject>,
{
    let merged = computed.iter().filter_map(|(key, status)| {
        let object = objects.get(key)?;
        // An object that was deleted and made again starts anew.
        let is_same = |old: &&Arc<T>| metadata(old).uid == metadata(object).uid;
        let latest = written.get(key).filter(is_same).unwrap_or(object);
        let mut new = T::clone(object);
        merge(&mut new, latest, status);
        Some(Arc::new(new).into())
    });
    merged.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    use gateway_core::manifest;
    use gateway_core::options::Options;
    use gateway_core::translate::translate;
    use serde_json::Value;

    const GATEWAY: &str = "
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: example}
spec: {controllerName: gateway-api.rs/controller}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: gateway, uid: one, generation: 1}
spec: {gatewayClassName: example, listeners: [{name: http, port: 80, protocol: HTTP}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: shop}
spec: {parentRefs: [{name: gateway}]}
status:
  parents: [{parentRef: {name: other}, controllerName: example.com/other, conditions: []}]
---
apiVersion: v1
kind: Namespace
metadata: {name: default}
";

    fn write(file: &mut StatusFile, yaml: &str, now: &str) -> Value {
        let read = manifest::read(yaml, "test.yaml");
        let resources: Resources = read.objects.into_iter().map(|(object, _)| object).collect();
        let statuses = translate(&resources, &Options::default()).statuses;
        file.write(&resources, &statuses, &Timestamp::from(now)).unwrap();
        serde_json::from_str(&fs::read_to_string(&file.path).unwrap()).unwrap()
    }

    fn file(folder: &tempfile::TempDir) -> StatusFile {
        StatusFile::new(folder.path().join("status.json"), "gateway-api.rs/controller".to_owned())
    }

    #[test]
    fn every_object_that_has_a_status_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let list = write(&mut file(&folder), GATEWAY, "2026-01-01T10:00:00Z");
        let kinds: Vec<_> = list["items"].as_array().unwrap().iter().map(|item| &item["kind"]).collect();
        assert_eq!(kinds, ["GatewayClass", "Gateway", "HTTPRoute"]);
        let parents = list["items"][2]["status"]["parents"].as_array().unwrap();
        let controllers: Vec<_> = parents.iter().map(|parent| &parent["controllerName"]).collect();
        assert_eq!(controllers, ["example.com/other", "gateway-api.rs/controller"]);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing else is left behind");
    }

    #[test]
    fn a_transition_has_the_time_when_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let mut file = file(&folder);
        let condition = |list: &Value, key: &str| {
            list["items"][1]["status"]["conditions"][0][key].as_str().unwrap_or_default().to_owned()
        };
        let (ten, eleven) = ("2026-01-01T10:00:00Z", "2026-01-01T11:00:00Z");
        assert_eq!(condition(&write(&mut file, GATEWAY, ten), "lastTransitionTime"), ten);
        let changed = GATEWAY.replace("port: 80", "port: 81").replace("generation: 1", "generation: 2");
        let list = write(&mut file, &changed, eleven);
        assert_eq!(condition(&list, "lastTransitionTime"), ten, "it is as true as before");
        assert_eq!(list["items"][1]["status"]["conditions"][0]["observedGeneration"], 2);
        let list = write(&mut file, &changed.replace("uid: one", "uid: two"), eleven);
        assert_eq!(condition(&list, "lastTransitionTime"), eleven, "it is another object");
    }
}
