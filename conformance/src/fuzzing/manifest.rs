//! Manifests: the one place where whole texts of strangers are read.

use gateway_core::api::Resources;
use gateway_core::manifest;
use gateway_core::matching::RequestHead;
use gateway_core::options::Options;
use gateway_core::translate::translate;
use http::Request;

use super::text;

/// Any text as a manifest: it is read without panic; each object is written and read again as it was; and all of them
/// are translated, whatever they say.
///
/// # Panics
/// When that does not hold.
pub fn manifest(bytes: &[u8]) {
    let read = manifest::read(&text(bytes), "fuzzed.yaml");
    let mut resources = Resources::default();
    for (object, _) in read.objects {
        let written = serde_json::to_string(&object).expect("every object can be written");
        let again = manifest::read(&written, "written.json");
        let again: Vec<_> = again.objects.into_iter().map(|(object, _)| object).collect();
        assert_eq!(again, std::slice::from_ref(&object), "{written}");
        resources.insert(object);
    }
    let options = Options { any_class: true, ..Options::default() };
    let translation = translate(&resources, &options);
    let request = Request::get("http://a.example.com/a/b?p=1").header("x", "1").body(()).expect("a request");
    let head = RequestHead::new(request.method(), request.uri(), request.headers()).expect("a host");
    for (port, _) in translation.table.frontends() {
        let found = translation.table.find(port, Some(&head.host), &head);
        assert_eq!(found, translation.table.explain(port, Some(&head.host), &head).decision);
    }
}
