//! Files, and what they amount to.

use gateway_core::apply::{Applied, Applier};
use gateway_core::options::Options;
use gateway_core::table::Unbound;

use super::files::{FileChange, Files};

/// Files, and what they amount to.
#[derive(Debug)]
pub struct Source {
    files: Files,
    applier: Applier,
    /// Whether the files were looked at before.
    looked: bool,
    changed: Vec<FileChange>,
}

// === impl Source ===

impl Source {
    /// The source that these files are; nothing is read before the first [`update`](Self::update).
    pub fn new(files: Files, options: Options) -> Self {
        let files = files.own_types(options.own_kinds.types().clone());
        Self { files, applier: Applier::new(options), looked: false, changed: Vec::new() }
    }

    /// The files.
    pub fn files(&self) -> &Files {
        &self.files
    }

    /// The files that the last [`update`](Self::update) found changed.
    pub fn changed_files(&self) -> &[FileChange] {
        &self.changed
    }

    /// Looks at the files, and applies what they hold. The first look always gives something, any other only if a file changed, or
    /// cannot be looked at any more.
    pub fn update(&mut self) -> Option<Applied> {
        let problems = self.files.problems().to_vec();
        self.changed = self.files.rescan();
        if self.changed.is_empty() && self.files.problems() == problems && self.looked {
            return None;
        }
        Some(self.apply())
    }

    /// Looks at the files, and applies what they hold, changed or not.
    pub fn read(&mut self) -> Applied {
        self.changed = self.files.rescan();
        self.apply()
    }

    /// Takes note of what could not be bound, as `serve::Sockets::unbound` tells it. Gives something if that is other than before: the
    /// table stays as it was, statuses and problems do not.
    pub fn set_unbound(&mut self, unbound: Vec<Unbound>) -> Option<Applied> {
        self.applier.set_unbound(unbound).then(|| self.apply())
    }

    fn apply(&mut self) -> Applied {
        self.looked = true;
        let written = self.files.collection();
        self.applier.apply(written, |problems| self.files.locate(problems))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use std::fs;
    use std::path::Path;

    use gateway_core::api::OwnSpec;
    use gateway_core::name::{ObjectName, OwnKind};
    use gateway_core::own_kinds::OwnKinds;
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

    fn source(folder: &Path) -> Source {
        let options = Options { any_class: true, ..Options::default() };
        Source::new(Files::new(vec![folder.to_owned()]), options)
    }

    fn texts<T: ToString>(items: &[T]) -> Vec<String> {
        items.iter().map(T::to_string).collect()
    }

    fn paths(update: &Applied) -> Vec<String> {
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
        let mut source = source(folder.path());
        let update = source.update().unwrap();
        assert_eq!((update.table.generation(), update.table.rules().count()), (1, 2));
        assert_eq!(texts(&update.problems), [""; 0]);
        assert!(source.update().is_none(), "nothing changed");

        write(&folder.path().join("routes.yaml"), &(route("b", "/b2") + &route("c", "/c")));
        let update = source.update().unwrap();
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
        let mut source = source(folder.path());
        source.update().unwrap();
        write(&routes, &(route("a", "a") + &route("b", "/b2") + &route("c", "c")));
        let update = source.update().unwrap();
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
        assert_eq!(paths(&source.update().unwrap()), ["/a", "/b3"]);
        write(&routes, &route("b", "/b3"));
        assert_eq!(paths(&source.update().unwrap()), ["/b3"], "a deleted object is gone");
    }

    #[test]
    fn an_object_of_ones_own_kind_is_read_and_keeps_its_last_good_version() {
        #[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize)]
        struct Bucket {
            region: String,
        }

        impl OwnSpec for Bucket {
            const KIND: &'static OwnKind = &OwnKind::new("example.com", "Bucket", "buckets", &["v1"]);
        }

        let folder = tempdir().unwrap();
        let path = folder.path().join("photos.yaml");
        let bucket = |region: &str| {
            format!(
                "{{apiVersion: example.com/v1, kind: Bucket, metadata: {{name: photos}}, spec: {{region: {region}}}}}"
            )
        };
        write(&path, &bucket("north"));
        let own_kinds = OwnKinds::default().backend::<Bucket>();
        let options = Options { own_kinds, ..Options::default() };
        let mut source = Source::new(Files::new([folder.path()]), options);
        assert_eq!(texts(&source.read().changes), ["added Bucket default/photos"]);
        write(&path, &bucket("7"));
        let update = source.update().unwrap();
        assert!(
            update.problems[0].to_string().contains("photos.yaml:1:85: error: Bucket photos: spec.region"),
            "{:?}",
            update.problems
        );
        let known = &update.resources.own[Bucket::KIND][&ObjectName::new("default", "photos")];
        assert_eq!(known.spec(), Some(&Bucket { region: "north".to_owned() }));
        write(&path, &bucket("south"));
        assert_eq!(texts(&source.update().unwrap().changes), ["changed Bucket default/photos"]);
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
        let mut source = source(folder.path());
        assert_eq!(texts(&source.update().unwrap().problems), [""; 0]);
        write(&gateway, &GATEWAY.replace("protocol: HTTP", "protocol: HTTP, hostname: b.example"));
        let problems = texts(&source.update().unwrap().problems);
        assert!(problems[0].contains("Accepted=False/NoMatchingListenerHostname"), "{problems:?}");
        write(&gateway, &GATEWAY.replace("protocol: HTTP", "protocol: HTTP, hostname: '*.example'"));
        assert_eq!(texts(&source.update().unwrap().problems), [""; 0]);
    }

    #[test]
    fn a_named_file_that_goes_is_told_of_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.yaml");
        std::fs::write(&path, "{apiVersion: v1, kind: Namespace, metadata: {name: a}}").unwrap();
        let mut source = Source::new(Files::new(vec![path.clone()]), Options::default());
        assert!(source.update().unwrap().problems.is_empty());
        std::fs::remove_file(&path).unwrap();
        let update = source.update().expect("that is news");
        assert!(update.problems[0].message.contains("is gone"), "{:?}", update.problems);
        assert_eq!(update.resources.namespaces.len(), 1, "it stays in use");
        assert!(source.update().is_none(), "told once");
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
        let update = source(folder.path()).update().unwrap();
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
