//! Statuses in a file: what a controller would write into the objects, for those who look at a gateway from outside.
//!
//! The file holds a `List` of every object that was given a status, as JSON. It is replaced as a whole whenever one
//! changes, so that no reader gets half of it. As in a cluster, a condition keeps the time of its last transition, and what others have
//! written into the statuses stays.
//!
//! ```
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("status.json");
//! use gateway_core::api::{Resources, Timestamp};
//! use gateway_core::manifest;
//! use gateway_core::options::Options;
//! use gateway_core::translate::translate;
//! use gateway_tower::source::StatusFile;
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

use std::ffi::OsString;
use std::path::PathBuf;
use std::{fs, io};

use gateway_core::api::{AnyObject, Resources, Timestamp};
use gateway_core::status::{Statuses, merge};
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
    pub fn new(path: impl Into<PathBuf>, controller_name: impl Into<String>) -> Self {
        let (path, controller_name) = (path.into(), controller_name.into());
        Self { path, controller_name, written: Resources::default(), text: String::new() }
    }

    /// Writes the statuses of these objects, if they are others than those in the file.
    ///
    /// # Errors
    /// When the file cannot be replaced.
    pub fn write(&mut self, resources: &Resources, statuses: &Statuses, now: &Timestamp) -> io::Result<()> {
        let mut latest = resources.clone();
        let mut written = Resources::default();
        for known in self.written.iter() {
            // An object that was deleted and made again starts anew.
            let is_same = |object: &AnyObject| object.metadata().uid == known.metadata().uid;
            if let Some(mut object) = resources.get(known.kind(), &known.key()).filter(is_same) {
                object.take_status(&known);
                latest.insert(object.clone());
                written.insert(object);
            }
        }
        let changed: Vec<AnyObject> = merge::all(&latest, statuses, &self.controller_name, now).collect();
        // What is said already is in the file too.
        written.extend(statuses.keys().filter_map(|(kind, key)| latest.get(kind, key)));
        written.extend(changed);

        let list = json!({ "apiVersion": "v1", "kind": "List", "items": written.iter().collect::<Vec<_>>() });
        let text = format!("{list:#}\n");
        if text != self.text {
            let mut new = OsString::from(&self.path);
            new.push(".new");
            fs::write(&new, &text)?;
            fs::rename(&new, &self.path)?;
            self.text = text;
        }
        self.written = written;
        Ok(())
    }
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

    // RTE-10, GEN-11, GEN-12
    #[test]
    fn a_route_that_left_all_our_parents_loses_what_we_said_and_keeps_the_rest() {
        let folder = tempfile::tempdir().unwrap();
        let mut file = file(&folder);
        let controllers = |list: &Value| -> Vec<String> {
            let parents = list["items"][2]["status"]["parents"].as_array().unwrap();
            parents.iter().map(|parent| parent["controllerName"].as_str().unwrap().to_owned()).collect()
        };
        let both = ["example.com/other", "gateway-api.rs/controller"];
        assert_eq!(controllers(&write(&mut file, GATEWAY, "2026-01-01T10:00:00Z")), both);
        let left = GATEWAY.replace("parentRefs: [{name: gateway}]", "parentRefs: [{name: elsewhere}]");
        assert_eq!(controllers(&write(&mut file, &left, "2026-01-01T11:00:00Z")), both[..1]);
        assert_eq!(
            controllers(&write(&mut file, &left, "2026-01-01T12:00:00Z")),
            both[..1],
            "and so it stays"
        );
    }
}
