//! Resources from text: YAML or JSON, one document or many, lists or single objects.
//!
//! Nothing is lost without a word. A broken document does not hide those behind it, an object that cannot be read does not
//! hide its neighbours, an unknown field is a warning, and an object of another kind is a note.
//!
//! No file is opened here: [`read`] takes text and the name to use in messages.
//!
//! ```
//! use gateway_core::manifest::{self, Collection};
//!
//! let text = "
//! apiVersion: gateway.networking.k8s.io/v1
//! kind: HTTPRoute
//! metadata:
//!   name: cart
//! spec:
//!   parentRefs:
//!   - name: gateway
//!   rules:
//!   - backendRef:
//!     - name: cart
//! ";
//! let Collection { resources, problems, .. } = [manifest::read(text, "shop.yaml")].into_iter().collect();
//! assert_eq!(resources.http_routes.len(), 1);
//! assert_eq!(
//!     problems[0].to_string(),
//!     "shop.yaml:10:5: warning: HTTPRoute cart: spec.rules[0].backendRef: \
//!      there is no such field; did you mean `backendRefs`?"
//! );
//! ```

mod broken_yaml;
mod collection;
mod deserialize;
mod document;
mod field_error;
mod field_path;
mod former_field;
mod misplaced_field;
mod last_good;
mod locate;
mod merge;
mod own_types;
mod problem;
mod reading;
mod rereader;
mod scalar;
mod tape;
mod unknown_field;
mod unread;
mod verdict;

use std::cell::Cell;
use std::cmp::Ordering;
use std::sync::Arc;

pub use collection::Collection;
pub use document::{Document, document};
pub use last_good::LastGood;
pub use locate::locate;
pub use own_types::OwnTypes;
pub use problem::{Location, ManifestProblem, Severity};
pub use rereader::Rereader;
pub use unknown_field::closest;

use field_error::MISSING;
use field_path::FieldPath;
use reading::Reading;
use scalar::Scalar;
use tape::{Documents, NodeId, Place, Tape, Value};
use unknown_field::is_near;
use verdict::{Verdict, judge};

use crate::api::{AnyObject, Kind};

/// How long the text of a manifest may be, in bytes: 32 MiB.
pub const MAX_BYTES: usize = 32 * 1024 * 1024;

/// How many problems of each severity are kept of a manifest; the last one then says that there are more.
pub const MAX_PROBLEMS: usize = 1000;

/// What a manifest has.
#[derive(Clone, Debug, Default)]
pub struct Manifest {
    /// The objects in the order of the text, and where each begins.
    pub objects: Vec<(AnyObject, Location)>,
    /// What is wrong, in the order of the text.
    pub problems: Vec<ManifestProblem>,
}

/// Reads a manifest. `source` is the name of the file, for messages.
pub fn read(text: &str, source: &str) -> Manifest {
    read_with(text, source, &OwnTypes::default())
}

/// Reads a manifest that may have objects of the embedder's own kinds, too.
pub fn read_with(text: &str, source: &str, own: &OwnTypes) -> Manifest {
    let mut reader = Reader { source: source.into(), own, manifest: Manifest::default(), counts: [0; 3] };
    if text.len() > MAX_BYTES {
        let message =
            format!("the file has {} bytes, more than the {MAX_BYTES} that are read; split it", text.len());
        reader.problem(Severity::Error, Place { line: 1, column: 1 }, None, None, message);
        return reader.manifest;
    }
    let mut documents = Documents::of(text);
    let mut tape = Tape::default();
    while let Some(document) = documents.next(&mut tape) {
        match document {
            Ok(()) => reader.document(&tape),
            Err(broken) => reader.problem(Severity::Error, broken.place, None, None, broken.message),
        }
    }
    reader.manifest
}

struct Reader<'o> {
    source: Arc<str>,
    own: &'o OwnTypes,
    manifest: Manifest,
    /// How many problems there are of each severity.
    counts: [usize; 3],
}

/// What an object in a list is, if it does not say.
#[derive(Clone, Copy)]
enum Within {
    Document,
    List(Option<Kind>),
}

// === impl Reader ===

impl Reader<'_> {
    fn document(&mut self, tape: &Tape<'_>) {
        let Some(root) = tape.root() else { return };
        let node = tape.node(root);
        match &node.value {
            Value::Mapping { .. } => {
                self.object(tape, root, &FieldPath::Root, Within::Document, &Cell::new(0))
            }
            // `---` with nothing but comments behind it.
            Value::Plain(text) if Scalar::of(text) == Scalar::Null => {}
            Value::Plain(_) | Value::Text(_) | Value::Sequence { .. } | Value::Alias(_) => {
                let way_out = match node.value {
                    Value::Sequence { .. } => "; put a list into the `items` of an object of kind List",
                    _ => "",
                };
                let message =
                    format!("a document has to be an object, with `apiVersion` and `kind`{way_out}");
                self.problem(Severity::Error, node.place, None, None, message);
            }
        }
    }

    fn object(
        &mut self,
        tape: &Tape<'_>,
        node: NodeId,
        path: &FieldPath<'_>,
        within: Within,
        repeated: &Cell<usize>,
    ) {
        let place = tape.node(node).place;
        for key in ["apiVersion", "kind"] {
            if let Some((first, again)) = tape.twice(node, key) {
                let place = tape.node(again).place;
                let message = format!(
                    "written twice, the first time {}; if another object begins here, put a line `---` before it",
                    place.back_to(tape.node(first).place)
                );
                let field = FieldPath::Key(path, key).to_string();
                return self.problem(Severity::Error, place, None, Some(field), message);
            }
        }
        let text = |key| tape.value(node, key).and_then(|value| tape.text(value));
        let (api_version, kind) = match (text("apiVersion"), text("kind"), within) {
            (Some(api_version), Some(kind), _) => (api_version.to_owned(), kind.to_owned()),
            (None, None, Within::List(Some(kind))) => (kind.api_version(), kind.as_str().to_owned()),
            (api_version, _, Within::Document | Within::List(_)) => {
                let missing = if api_version.is_none() { "apiVersion" } else { "kind" };
                if let Some((key, written)) = misspelt(tape, node, missing) {
                    let field = FieldPath::Key(path, written).to_string();
                    let message = format!("there is no such field; did you mean `{missing}`?");
                    return self.problem(Severity::Error, tape.node(key).place, None, Some(field), message);
                }
                let field = FieldPath::Key(path, missing).to_string();
                let message = "required, but missing: it says what the object is".to_owned();
                return self.problem(Severity::Error, place, None, Some(field), message);
            }
        };
        match (judge(&api_version, &kind, self.own), within) {
            (Verdict::Read(kind), _) => self.read(tape, node, path, kind, repeated),
            (Verdict::List(kind), Within::Document) => self.list(tape, node, path, kind, repeated),
            (Verdict::List(_), Within::List(_)) => {
                let message = "a list in a list is not read; put its entries into the outer one".to_owned();
                self.problem(Severity::Error, place, Some(kind), Some(path.to_string()), message);
            }
            (Verdict::Pass { severity, field, message }, _) => {
                let place = tape.value(node, field).map_or(place, |value| tape.node(value).place);
                let field = FieldPath::Key(path, field).to_string();
                self.problem(severity, place, Some(name(tape, node, &kind)), Some(field), message);
            }
        }
    }

    fn list(
        &mut self,
        tape: &Tape<'_>,
        node: NodeId,
        path: &FieldPath<'_>,
        kind: Option<Kind>,
        repeated: &Cell<usize>,
    ) {
        let Some(items) = tape.value(node, "items") else {
            // There are lists without any.
            if let Some((key, written)) = misspelt(tape, node, "items") {
                let field = FieldPath::Key(path, written).to_string();
                let message = "there is no such field; did you mean `items`?".to_owned();
                self.problem(Severity::Error, tape.node(key).place, None, Some(field), message);
            }
            return;
        };
        let path = FieldPath::Key(path, "items");
        let (items, list) = tape.resolve(items);
        let Value::Sequence { end } = list.value else {
            let message = "expected a list; write `- ` before each object".to_owned();
            return self.problem(Severity::Error, list.place, None, Some(path.to_string()), message);
        };
        let mut item = tape.first_in(items);
        let mut index = 0;
        while item != end {
            self.object(tape, item, &FieldPath::Index(&path, index), Within::List(kind), repeated);
            item = tape.after(item);
            index += 1;
        }
    }

    fn read(
        &mut self,
        tape: &Tape<'_>,
        node: NodeId,
        path: &FieldPath<'_>,
        kind: Kind,
        repeated: &Cell<usize>,
    ) {
        let most_unknown = MAX_PROBLEMS.saturating_sub(self.counts[Severity::Warning as usize]);
        let reading = Reading::of(tape, repeated, Some(kind), most_unknown);
        let own = match kind {
            Kind::Own(own) => self.own.read(own, reading, node),
            kind => Some(reading.object(node, kind)),
        };
        let (object, unknown) = own.expect("an own kind is found only among these types");
        // Looked up once: a hostile object may have many fields and many problems.
        let name =
            if unknown.is_empty() && object.is_ok() { None } else { Some(name(tape, node, kind.as_str())) };
        for field in unknown {
            let message = match (field.way_out, field.place_for_it, field.meant) {
                (Some(way_out), ..) => {
                    format!("there is no such field any more, and it is ignored; {way_out}")
                }
                (None, _, Some(meant)) => format!("there is no such field; did you mean `{meant}`?"),
                (None, Some(place), None) => {
                    format!("there is no such field here, and it is ignored; {place}")
                }
                (None, None, None) if field.known.is_empty() => {
                    "there is no such field; it is ignored".to_owned()
                }
                (None, None, None) => {
                    format!("there is no such field, and it is ignored; there are {}", field.known.join(", "))
                }
            };
            self.problem(Severity::Warning, field.place, name.clone(), Some(field.path), message);
        }
        match object {
            Ok(object) => {
                let location = self.location(tape.node(node).place);
                self.manifest.objects.push((object, location));
            }
            Err(error) => {
                let (mut message, field, place) = error.into_parts();
                // What was read before the error has not come to it.
                if let Some(key) = field.strip_prefix("spec.").filter(|_| message == MISSING)
                    && tape.value(node, key).is_some()
                {
                    message = "required, but missing; it stands beside `spec`: put it below".to_owned();
                }
                let field = if field.is_empty() { path.to_string() } else { field };
                self.problem(Severity::Error, place, name, Some(field), message);
            }
        }
    }

    fn problem(
        &mut self,
        severity: Severity,
        place: Place,
        object: Option<String>,
        field: Option<String>,
        message: String,
    ) {
        let count = &mut self.counts[severity as usize];
        *count += 1;
        let (object, field, message) = match (*count).cmp(&MAX_PROBLEMS) {
            Ordering::Less => (object, field, message),
            Ordering::Equal => {
                (None, None, format!("there are {MAX_PROBLEMS} or more of these; no more are shown"))
            }
            Ordering::Greater => return,
        };
        let location = self.location(place);
        self.manifest.problems.push(ManifestProblem { severity, location, object, field, message });
    }

    fn location(&self, place: Place) -> Location {
        Location { source: self.source.clone(), line: place.line, column: place.column }
    }
}

/// The key of an object that was meant to be this one.
fn misspelt<'t>(tape: &'t Tape<'_>, object: NodeId, meant: &'static str) -> Option<(NodeId, &'t str)> {
    let keys = tape.keys(object).filter_map(|key| Some((key, tape.text(key)?)));
    let mut others = keys.filter(|(_, key)| !matches!(*key, "apiVersion" | "kind"));
    others.find(|(_, key)| is_near(key, meant))
}

/// An object as a message names it: `HTTPRoute shop/cart`.
fn name(tape: &Tape<'_>, object: NodeId, kind: &str) -> String {
    let metadata = tape.value(object, "metadata");
    let text =
        |key| metadata.and_then(|metadata| tape.value(metadata, key)).and_then(|value| tape.text(value));
    match (text("namespace"), text("name")) {
        (Some(namespace), Some(name)) => format!("{kind} {namespace}/{name}"),
        (None, Some(name)) => format!("{kind} {name}"),
        (_, None) => format!("{kind} without a name"),
    }
}
