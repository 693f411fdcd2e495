//! Our types against the schema: every field of `crd_fields.txt` is read, kept and written back, and every default is applied.
#![cfg(feature = "resources")]

use std::collections::BTreeMap;
use std::iter::Peekable;

use gateway_core::api::{AnyObject, GATEWAY_GROUP, Kind};
use gateway_core::manifest::{self, Manifest};
use serde_json::{Map, Value, json};

/// A field of the schema.
#[derive(Default)]
struct Field {
    kind: String,
    path: String,
    r#type: String,
    required: bool,
    default: Option<Value>,
}

/// A field and those in it.
struct Node<'f> {
    field: &'f Field,
    name: String,
    children: Vec<Node<'f>>,
}

fn facts() -> Vec<Field> {
    let lines = include_str!("crd_fields.txt").lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| {
            let mut words = line.splitn(6, ' ');
            let mut word = || words.next().unwrap_or_else(|| panic!("six words: {line}"));
            let (kind, channel, path, r#type) = (word(), word(), word(), word());
            assert!(["standard", "experimental"].contains(&channel), "{line}");
            let required = word() == "required";
            let default = word();
            let default = (default != "-").then(|| serde_json::from_str(default).expect("a default is JSON"));
            Field {
                kind: kind.to_owned(),
                path: path.to_owned(),
                r#type: r#type.to_owned(),
                required,
                default,
            }
        })
        .collect()
}

/// The fields of one kind as a tree. In the list a field stands right before those in it.
fn tree<'f>(root: &'f Field, fields: &'f [Field], kind: &str) -> Node<'f> {
    let mut rest = fields.iter().filter(|field| field.kind == kind).peekable();
    Node { field: root, name: String::new(), children: children(&mut rest, "") }
}

fn children<'f, I: Iterator<Item = &'f Field>>(rest: &mut Peekable<I>, parent: &str) -> Vec<Node<'f>> {
    let mut found = Vec::new();
    while let Some(next) = rest.peek() {
        let below = next.path.strip_prefix(parent);
        if !below.is_some_and(|below| parent.is_empty() || below.starts_with(['.', '[', '{'])) {
            break;
        }
        let field = rest.next().expect("peeked");
        let name = field.path[parent.len()..].trim_start_matches('.').to_owned();
        found.push(Node { field, name, children: children(rest, &field.path) });
    }
    found
}

const MAP_KEY: &str = "example.com/key";

/// A value of the field's type with what the schema requires in it, and at least something in every collection.
fn sample(node: &Node<'_>) -> Value {
    match node.field.r#type.as_str() {
        "string" => json!("sample"),
        "integer" => json!(7),
        "boolean" => json!(true),
        "array" => json!([sample(&node.children[0])]),
        "object" if node.children.first().is_some_and(|child| child.name == "{}") => {
            json!({ MAP_KEY: sample(&node.children[0]) })
        }
        "object" => {
            let mut object = required(node);
            if object.is_empty()
                && let Some(first) = node.children.first()
            {
                object.insert(first.name.clone(), sample(first));
            }
            Value::Object(object)
        }
        other => panic!("{}: unknown type {other}", node.field.path),
    }
}

fn required(node: &Node<'_>) -> Map<String, Value> {
    let required = node.children.iter().filter(|child| child.field.required);
    required.map(|child| (child.name.clone(), sample(child))).collect()
}

/// The value of the outermost node in which the path ends with `last`, or with nothing.
fn with_field(node: &Node<'_>, path: &[String], last: Option<&Value>) -> Value {
    let [step, rest @ ..] = path else { unreachable!("a path has a step") };
    let child = node.children.iter().find(|child| child.name == *step).expect("the path is in the tree");
    let value = if rest.is_empty() { last.cloned() } else { Some(with_field(child, rest, last)) };
    match (step.as_str(), value) {
        ("[]", value) => Value::Array(value.into_iter().collect()),
        ("{}", value) => value.into_iter().map(|value| (MAP_KEY.to_owned(), value)).collect(),
        (name, value) => {
            let mut object = required(node);
            object.remove(name);
            object.extend(value.map(|value| (name.to_owned(), value)));
            Value::Object(object)
        }
    }
}

/// `spec.rules[].name` as `spec`, `rules`, `[]`, `name`.
fn steps(path: &str) -> Vec<String> {
    let path = path.replace("[]", ".[]").replace("{}", ".{}");
    path.split('.').map(str::to_owned).collect()
}

fn at<'v>(value: &'v Value, path: &[String]) -> Option<&'v Value> {
    path.iter().try_fold(value, |value, step| match step.as_str() {
        "[]" => value.get(0),
        "{}" => value.get(MAP_KEY),
        name => value.get(name),
    })
}

/// The document of an object of this kind, whose other fields are `body`.
fn document(kind: Kind, body: Value) -> Value {
    let mut document =
        json!({ "apiVersion": kind.api_version(), "kind": kind.as_str(), "metadata": { "name": "sample" } });
    if let (Value::Object(document), Value::Object(body)) = (&mut document, body) {
        document.extend(body);
    }
    document
}

fn read_back(document: &Value) -> Value {
    let Manifest { objects, problems } = manifest::read(&document.to_string(), "fields");
    assert!(problems.is_empty(), "{document}\n{}", problems[0]);
    let (object, _): &(AnyObject, _) = &objects[0];
    serde_json::to_value(object).expect("an object is JSON")
}

fn each_field(mut check: impl FnMut(Kind, &Node<'_>, &Field)) -> usize {
    let fields = facts();
    let root = Field::default();
    let mut trees = BTreeMap::new();
    for field in &fields {
        let tree = trees.entry(field.kind.as_str()).or_insert_with(|| tree(&root, &fields, &field.kind));
        let kind = Kind::ALL.iter().copied().find(|kind| kind.as_str() == field.kind).expect("a known kind");
        check(kind, tree, field);
    }
    fields.len()
}

fn find<'n, 'f>(node: &'n Node<'f>, path: &[String]) -> &'n Node<'f> {
    path.iter().fold(node, |node, step| {
        node.children.iter().find(|child| child.name == *step).expect("the path is in the tree")
    })
}

#[test]
fn every_field_of_the_schema_is_read_and_written_back() {
    let checked = each_field(|kind, tree, field| {
        let path = steps(&field.path);
        let value = sample(find(tree, &path));
        let written = read_back(&document(kind, with_field(tree, &path, Some(&value))));
        let found = at(&written, &path).unwrap_or_else(|| panic!("{kind} {}: lost\n{written}", field.path));
        // What is in it may have got defaults.
        if !matches!(value, Value::Object(_) | Value::Array(_)) {
            assert_eq!(found, &value, "{kind} {}", field.path);
        }
    });
    assert!(checked > 800, "{checked}");
}

// DEF-01 DEF-02 DEF-03 DEF-04 DEF-05 DEF-06 DEF-07 DEF-08 DEF-09 DEF-10 DEF-11 DEF-12 DEF-13 DEF-14 DEF-15 DEF-16 DEF-17
// DEF-18 DEF-19 DEF-20: an absent field has the schema's default, and a field without a default stays absent.
#[test]
fn an_absent_field_has_exactly_the_default_of_the_schema() {
    let mut defaults = 0;
    each_field(|kind, tree, field| {
        let path = steps(&field.path);
        if field.required || path.last().is_some_and(|step| step == "[]" || step == "{}") {
            return;
        }
        let absent = document(kind, with_field(tree, &path, None));
        let null = document(kind, with_field(tree, &path, Some(&Value::Null)));
        let written = read_back(&absent);
        assert_eq!(read_back(&null), written, "{kind} {}: `null` is absent", field.path);
        let found = at(&written, &path);
        match &field.default {
            Some(default) => {
                defaults += 1;
                assert_eq!(found, Some(default), "{kind} {}", field.path);
            }
            // A list that is written even though it is empty says the same.
            None => {
                assert!(found.is_none_or(|found| *found == json!([])), "{kind} {}: {found:?}", field.path)
            }
        }
    });
    assert!(defaults > 100, "{defaults}");
}

#[test]
fn a_field_that_the_schema_requires_is_named_when_it_is_missing() {
    /// The API server fills these in for objects that it stores, and an empty list of them means the same.
    const LISTS_OF_A_STATUS: &[&str] = &["conditions", "parents", "ancestors", "attachedRoutes"];
    let mut required = 0;
    each_field(|kind, tree, field| {
        let path = steps(&field.path);
        let name = path.last().expect("a path has a step");
        let tolerated = path[0] == "status" && LISTS_OF_A_STATUS.contains(&name.as_str());
        // A TLSRoute of v1alpha2 has no hostnames, which is validated, not parsed.
        let tolerated = tolerated || (kind == Kind::TlsRoute && field.path == "spec.hostnames");
        if !field.required || tolerated {
            return;
        }
        required += 1;
        let document = document(kind, with_field(tree, &path, None));
        let Manifest { objects, problems } = manifest::read(&document.to_string(), "fields");
        assert!(objects.is_empty(), "{kind} {}: read\n{document}", field.path);
        let expected = field.path.replace("[]", "[0]").replace("{}", "");
        assert_eq!(problems[0].field.as_deref(), Some(expected.as_str()), "{}", problems[0]);
        assert_eq!(problems[0].message, "required, but missing; write it");
        assert_eq!(problems[0].object, Some(format!("{kind} sample")));
    });
    assert!(required > 100, "{required}");
}

#[test]
fn the_list_of_fields_has_every_kind_of_the_gateway_groups() {
    let fields = facts();
    for kind in Kind::ALL.iter().filter(|kind| kind.group().starts_with("gateway.")) {
        assert!(fields.iter().any(|field| field.kind == kind.as_str()), "{kind}");
    }
    assert!(Kind::ALL.iter().filter(|kind| kind.group() == GATEWAY_GROUP).count() == 10);
}
