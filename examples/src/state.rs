//! From files to a table and statuses, again whenever the files change.
//!
//! Adds what is missing in [`crate::files`] to behave like an API server: an object that breaks a rule of the schema keeps its
//! last good version, or is not there at all if it never had one. Whatever happens, there is a table.
//!
//! ```
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("shop.yaml");
//! use gateway_core::options::Options;
//! use gateway_examples::files::FileStore;
//! use gateway_examples::state::State;
//!
//! let service = "
//! apiVersion: v1
//! kind: Service
//! metadata: {name: shop}
//! spec: {ports: [{port: 80}]}
//! ";
//! std::fs::write(&path, service)?;
//! let mut state = State::new(FileStore::new(vec![path.clone()]), Options::default());
//! assert!(state.update().expect("there is something to look at").problems.is_empty());
//!
//! std::fs::write(&path, service.replace("80", "80000"))?;
//! let update = state.update().expect("the file changed");
//! assert!(update.changes.is_empty(), "the last good version stays");
//! assert!(update.problems[0].message.ends_with("the last good version stays in use"));
//! # Ok::<(), std::io::Error>(())
//! ```

use std::fmt;
use std::sync::Arc;

use gateway_core::api::{Kind, Resources};
use gateway_core::lint;
use gateway_core::manifest::{ManifestProblem, Severity};
use gateway_core::name::ObjectName;
use gateway_core::options::Options;
use gateway_core::status::Statuses;
use gateway_core::table::{RouteTable, Unbound};
use gateway_core::translate::{Diagnostic, Translation, Translator};

use crate::files::{FileChange, FileStore};
use crate::report::{LeftOut, Places, Report};

/// Files, and what they amount to.
#[derive(Debug)]
pub struct State {
    files: FileStore,
    translator: Translator,
    /// The objects in use: those of the files, where they are good, and else their last good versions.
    used: Arc<Resources>,
    /// Whether the files were looked at before.
    looked: bool,
    unbound: Vec<Unbound>,
}

/// What came of a look at the files.
#[derive(Debug)]
pub struct Update {
    /// The files that changed.
    pub files: Vec<FileChange>,
    /// The objects that are new, changed or gone, compared with those in use before.
    pub changes: Vec<Change>,
    /// Everything that is wrong, in the order of files and lines where it is known.
    pub problems: Vec<ManifestProblem>,
    /// The objects in use.
    pub resources: Arc<Resources>,
    /// The table that decides about requests.
    pub table: RouteTable,
    /// The statuses.
    pub statuses: Statuses,
}

/// An object that is not as it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// What happened to it.
    pub verb: Verb,
    /// The kind.
    pub kind: Kind,
    /// Namespace and name.
    pub key: ObjectName,
}

/// What happened to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// It is new.
    Added,
    /// It is another than before.
    Changed,
    /// It is gone.
    Removed,
}

// === impl State ===

impl State {
    /// The state of these files; nothing is read before the first [`update`](Self::update).
    pub fn new(files: FileStore, options: Options) -> Self {
        let options = Options { generation: options.generation + 1, ..options };
        Self {
            files,
            translator: Translator::new(options),
            used: Arc::default(),
            looked: false,
            unbound: Vec::new(),
        }
    }

    /// The files.
    pub fn files(&self) -> &FileStore {
        &self.files
    }

    /// Looks at the files, and translates what they hold. The first look always gives something, any other only if a file
    /// changed, or cannot be looked at any more.
    pub fn update(&mut self) -> Option<Update> {
        let problems = self.files.problems().to_vec();
        let files = self.files.rescan();
        if files.is_empty() && self.files.problems() == problems && self.looked {
            return None;
        }
        self.looked = true;
        Some(self.look(files))
    }

    /// Takes note of what could not be bound. Gives something if that is other than before: the table stays as it was,
    /// statuses and problems do not.
    pub fn set_unbound(&mut self, unbound: Vec<Unbound>) -> Option<Update> {
        if self.unbound == unbound {
            return None;
        }
        self.unbound.clone_from(&unbound);
        self.translator.set_unbound(unbound);
        Some(self.look(Vec::new()))
    }

    /// Translates what the files hold.
    fn look(&mut self, files: Vec<FileChange>) -> Update {
        let mut written = self.files.collection();
        let mut problems = std::mem::take(&mut written.problems);
        let mut resources = std::mem::take(&mut written.resources);
        let mut of_fields = Vec::new();
        let mut left_out = LeftOut::new(&problems);
        let places = Places::Files(&written);
        self.keep_last_good(&mut resources, places, &mut of_fields, &mut left_out);
        let changes = changes(&self.used, &resources);

        // Everything is read, so nobody has to know what was looked for.
        let Translation { table, statuses, diagnostics, lookups: _, infrastructure: _ } =
            self.translator.translate().clone();
        let unserved = lint::unserved(&resources, &statuses, self.translator.options());
        let mut report = Report::new(places, &resources, left_out);
        for Diagnostic { severity, kind, key, finding } in diagnostics.into_iter().chain(unserved) {
            report.add(severity, kind, &key, finding);
        }
        report.add_statuses(&statuses);
        of_fields.extend(report.into_problems());
        self.files.locate(&mut of_fields);
        problems.extend(of_fields);
        problems.sort_by(|a, b| a.location.cmp(&b.location));
        self.used = Arc::new(resources);
        Update { files, changes, problems, resources: self.used.clone(), table, statuses }
    }

    /// Puts the last good version in the place of every object that an API server would have refused.
    fn keep_last_good(
        &mut self,
        resources: &mut Resources,
        places: Places<'_>,
        problems: &mut Vec<ManifestProblem>,
        left_out: &mut LeftOut,
    ) {
        self.translator.update(resources);
        for rejected in self.translator.rejected().to_vec() {
            let (kind, key) = (rejected.kind, &rejected.key);
            let good = self.used.get(kind, key);
            let consequence =
                if good.is_some() { "the last good version stays in use" } else { "the object is left out" };
            problems.extend(rejected.problems.iter().map(|problem| ManifestProblem {
                severity: Severity::Error,
                location: places.location(kind, key),
                object: Some(format!("{kind} {key}")),
                field: Some(problem.field.to_string()).filter(|field| !field.is_empty()),
                message: format!("{} ({}); {consequence}", problem.message, problem.rule),
            }));
            match good {
                Some(good) => {
                    self.translator.insert(good.clone());
                    resources.insert(good);
                }
                None => {
                    left_out.insert(kind, key, places.location(kind, key));
                    self.translator.remove(kind, key);
                    resources.remove(kind, key);
                }
            }
        }
    }
}

/// What differs between two sets of objects.
fn changes(before: &Resources, after: &Resources) -> Vec<Change> {
    let mut changes = Vec::new();
    for object in after.iter() {
        let (kind, key) = (object.kind(), object.key());
        match before.get(kind, &key) {
            None => changes.push(Change { verb: Verb::Added, kind, key }),
            Some(known) if known != object => changes.push(Change { verb: Verb::Changed, kind, key }),
            Some(_) => {}
        }
    }
    for object in before.iter() {
        let (kind, key) = (object.kind(), object.key());
        if after.get(kind, &key).is_none() {
            changes.push(Change { verb: Verb::Removed, kind, key });
        }
    }
    changes
}

// === impl Update ===

impl Update {
    /// This update together with one right before it.
    pub fn after(self, before: Option<Update>) -> Self {
        match before {
            Some(Update { files, changes, .. }) => Self { files, changes, ..self },
            None => self,
        }
    }
}

// === impl Change ===

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verb = match self.verb {
            Verb::Added => "added",
            Verb::Changed => "changed",
            Verb::Removed => "removed",
        };
        write!(f, "{verb} {} {}", self.kind, self.key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use std::fs;
    use std::path::Path;

    use tempfile::tempdir;

    const GATEWAY: &str = "
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: example}
spec: {controllerName: example.com/gateway}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: gateway}
spec: {gatewayClassName: example, listeners: [{name: http, port: 80, protocol: HTTP}]}
";

    fn route(name: &str, path: &str) -> String {
        format!(
            "---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {{name: {name}}}
spec:
  parentRefs: [{{name: gateway}}]
  rules:
  - matches: [{{path: {{value: {path}}}}}]
    filters: [{{type: RequestRedirect, requestRedirect: {{hostname: example.com}}}}]
"
        )
    }

    fn write(path: &Path, text: &str) {
        let new = path.with_extension("new");
        fs::write(&new, text).unwrap();
        fs::rename(new, path).unwrap();
    }

    fn state(folder: &Path) -> State {
        let options = Options { any_class: true, ..Options::default() };
        State::new(FileStore::new(vec![folder.to_owned()]), options)
    }

    fn texts<T: ToString>(items: &[T]) -> Vec<String> {
        items.iter().map(T::to_string).collect()
    }

    fn paths(update: &Update) -> Vec<String> {
        let routes = update.resources.http_routes.values();
        routes
            .flat_map(|route| &route.spec.rules)
            .map(|rule| rule.matches[0].path.value.to_string())
            .collect()
    }

    #[test]
    fn a_changed_file_gives_a_new_table_and_says_which_objects_changed() {
        let folder = tempdir().unwrap();
        write(&folder.path().join("gateway.yaml"), GATEWAY);
        write(&folder.path().join("routes.yaml"), &(route("a", "/a") + &route("b", "/b")));
        let mut state = state(folder.path());
        let update = state.update().unwrap();
        assert_eq!((update.table.generation(), update.table.rules().count()), (1, 2));
        assert_eq!(texts(&update.problems), [""; 0]);
        assert!(state.update().is_none(), "nothing changed");

        write(&folder.path().join("routes.yaml"), &(route("b", "/b2") + &route("c", "/c")));
        let update = state.update().unwrap();
        assert_eq!((update.table.generation(), paths(&update)), (2, vec!["/b2".into(), "/c".into()]));
        let expected =
            ["changed HTTPRoute default/b", "added HTTPRoute default/c", "removed HTTPRoute default/a"];
        assert_eq!(texts(&update.changes), expected);
    }

    #[test]
    fn an_object_that_breaks_a_rule_keeps_its_last_good_version_and_its_neighbours_change() {
        let folder = tempdir().unwrap();
        write(&folder.path().join("gateway.yaml"), GATEWAY);
        let routes = folder.path().join("routes.yaml");
        write(&routes, &(route("a", "/a") + &route("b", "/b")));
        let mut state = state(folder.path());
        state.update().unwrap();
        write(&routes, &(route("a", "a") + &route("b", "/b2") + &route("c", "c")));
        let update = state.update().unwrap();
        assert_eq!(paths(&update), ["/a", "/b2"]);
        let problems = texts(&update.problems);
        assert_eq!(problems.len(), 2, "{problems:?}");
        assert!(
            problems[0]
                .contains("routes.yaml:8:30: error: HTTPRoute default/a: spec.rules[0].matches[0].path")
        );
        assert!(problems[0].ends_with("; the last good version stays in use"), "{problems:?}");
        assert!(problems[1].ends_with("; the object is left out"), "{problems:?}");
        // However often it is looked at.
        write(&routes, &(route("a", "a") + &route("b", "/b3")));
        assert_eq!(paths(&state.update().unwrap()), ["/a", "/b3"]);
        write(&routes, &route("b", "/b3"));
        assert_eq!(paths(&state.update().unwrap()), ["/b3"], "a deleted object is gone");
    }

    // RTE-34
    #[test]
    fn a_changed_gateway_makes_its_routes_be_judged_again() {
        let folder = tempdir().unwrap();
        let gateway = folder.path().join("gateway.yaml");
        write(&gateway, GATEWAY);
        write(
            &folder.path().join("routes.yaml"),
            &route("a", "/a").replace("  rules", "  hostnames: [a.example]\n  rules"),
        );
        let mut state = state(folder.path());
        assert_eq!(texts(&state.update().unwrap().problems), [""; 0]);
        write(&gateway, &GATEWAY.replace("protocol: HTTP", "protocol: HTTP, hostname: b.example"));
        let problems = texts(&state.update().unwrap().problems);
        assert!(problems[0].contains("Accepted=False/NoMatchingListenerHostname"), "{problems:?}");
        write(&gateway, &GATEWAY.replace("protocol: HTTP", "protocol: HTTP, hostname: '*.example'"));
        assert_eq!(texts(&state.update().unwrap().problems), [""; 0]);
    }

    #[test]
    fn a_named_file_that_goes_is_told_of_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.yaml");
        std::fs::write(&path, "{apiVersion: v1, kind: Namespace, metadata: {name: a}}").unwrap();
        let mut state = State::new(FileStore::new(vec![path.clone()]), Options::default());
        assert!(state.update().unwrap().problems.is_empty());
        std::fs::remove_file(&path).unwrap();
        let update = state.update().expect("that is news");
        assert!(update.problems[0].message.contains("is gone"), "{:?}", update.problems);
        assert_eq!(update.resources.namespaces.len(), 1, "it stays in use");
        assert!(state.update().is_none(), "told once");
    }

    #[test]
    fn conditions_that_say_what_is_wrong_are_problems_with_a_place() {
        let folder = tempdir().unwrap();
        write(&folder.path().join("gateway.yaml"), GATEWAY);
        let backend = route("a", "/a").replace(
            "filters: [{type: RequestRedirect, requestRedirect: {hostname: example.com}}]",
            "backendRefs: [{name: nowhere, port: 80}]",
        );
        write(
            &folder.path().join("routes.yaml"),
            &(backend + &route("b", "/b").replace("gateway}", "other}")),
        );
        let update = state(folder.path()).update().unwrap();
        let problems = texts(&update.problems);
        assert_eq!(problems.len(), 2, "{problems:?}");
        assert!(problems[0].contains("routes.yaml:9:19: warning: HTTPRoute default/a: spec.rules[0].backendRefs[0]: ResolvedRefs=False/BackendNotFound"), "{problems:?}");
        assert!(
            problems[1].contains("HTTPRoute default/b: spec.parentRefs[0]: names no Gateway"),
            "{problems:?}"
        );
        assert_eq!(update.table.rules().count(), 1, "its requests get 500");
    }
}
