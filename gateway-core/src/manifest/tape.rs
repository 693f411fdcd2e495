//! One YAML document as a flat list of nodes.
//!
//! The list is filled once, in the order of the text. A collection knows where it ends, so that skipping one is a jump, and
//! an alias is the index of the node that it repeats, so that it costs nothing until it is read. JSON is YAML and needs no
//! parser of its own.

use std::borrow::Cow;
use std::collections::HashMap;

use granit_parser::{ErrorKind, Event, Parser, ScalarStyle, StrInput, Tag};

use super::broken_yaml;

/// How deep collections may be nested. A Gateway API object needs about 12.
const MAX_DEPTH: usize = 64;

/// How many nodes a document may have. 10,000 HTTPRoute rules in one List have about 250,000.
const MAX_NODES: usize = 4_000_000;

/// A place in the text, counted from 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) line: u32,
    pub(super) column: u32,
}

/// The index of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct NodeId(u32);

/// A node and where it begins.
#[derive(Debug)]
pub(super) struct Node<'t> {
    pub(super) value: Value<'t>,
    pub(super) place: Place,
}

/// What a node is.
#[derive(Debug)]
pub(super) enum Value<'t> {
    /// A scalar whose text decides what it means.
    Plain(Cow<'t, str>),
    /// A scalar that is a string, because it is quoted, a block, or tagged so.
    Text(Cow<'t, str>),
    /// A list; `end` is the node behind its last one.
    Sequence { end: NodeId },
    /// An object, keys and values in turn; `end` is the node behind its last one. `merges` if a key may be `<<`.
    Mapping { end: NodeId, merges: bool },
    /// Another node once more.
    Alias(NodeId),
}

/// The nodes of one document.
#[derive(Debug, Default)]
pub(super) struct Tape<'t> {
    nodes: Vec<Node<'t>>,
}

/// The documents of a text, one after the other.
pub(super) struct Documents<'t> {
    text: &'t str,
    parser: Parser<'t, StrInput<'t>>,
    finished: bool,
}

/// Why a document could not be read.
#[derive(Debug)]
pub(super) struct Broken {
    pub(super) place: Place,
    pub(super) message: String,
}

/// The collections that are open, and the nodes that have a name, while a tape is filled.
#[derive(Default)]
struct Progress {
    open: Vec<NodeId>,
    anchors: HashMap<usize, NodeId>,
}

// === impl Documents ===

impl<'t> Documents<'t> {
    pub(super) fn of(text: &'t str) -> Self {
        let options = granit_parser::options! {
            flow_nesting_limit: MAX_DEPTH,
            block_nesting_limit: MAX_DEPTH,
            emit_comments: false,
        };
        // A byte order mark is no content.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        Self { text, parser: Parser::new_from_str_with_options(text, options), finished: false }
    }

    /// Fills the tape with the next document. A broken one does not hide those behind it.
    pub(super) fn next(&mut self, tape: &mut Tape<'t>) -> Option<Result<(), Broken>> {
        if self.finished {
            return None;
        }
        tape.nodes.clear();
        let mut progress = Progress::default();
        loop {
            let (event, span) = match self.parser.next()? {
                Ok(next) => next,
                Err(error) => {
                    let place = Place::of(error.marker());
                    let place = error.marker().byte_offset().map_or(place, |at| match error.kind() {
                        // It began in a line above.
                        ErrorKind::TabInPlainScalar => place_of_tab(self.text, at, place),
                        _ => place,
                    });
                    let mut message = format!("not valid YAML: {}", error.info());
                    let line = error.marker().byte_offset().map_or(&[][..], |at| line_around(self.text, at));
                    if let Some(way_out) = broken_yaml::way_out(error.kind(), line) {
                        message.push_str("; ");
                        message.push_str(way_out);
                    }
                    let broken = Broken { place, message };
                    self.skip_document();
                    return Some(Err(broken));
                }
            };
            let place = Place::of(&span.start);
            match event {
                Event::StreamEnd => return None,
                Event::DocumentEnd => return Some(Ok(())),
                event => {
                    if let Err(message) = tape.push(event, place, &mut progress) {
                        self.skip_document();
                        return Some(Err(Broken { place, message }));
                    }
                }
            }
        }
    }

    fn skip_document(&mut self) {
        self.finished = !matches!(self.parser.proceed_next_document(), Ok(true));
    }
}

/// The first tab that a line begins with after this byte, which is at `place`.
fn place_of_tab(text: &str, at: usize, place: Place) -> Place {
    let lines = text.get(at..).unwrap_or_default().lines().zip(place.line..).skip(1);
    let indentation = |line: &str| line.len() - line.trim_start_matches(' ').len();
    let mut tabs = lines.filter(|(line, _)| line[indentation(line)..].starts_with('\t'));
    tabs.next().map_or(place, |(line, number)| Place { line: number, column: indentation(line) as u32 + 1 })
}

/// The line of the text in which this byte is, as far as it is near.
fn line_around(text: &str, at: usize) -> &[u8] {
    /// How far is looked: a document may be one line, and may be broken in many places.
    const NEAR: usize = 256;
    let bytes = text.as_bytes();
    let at = at.min(bytes.len());
    let before = &bytes[at.saturating_sub(NEAR)..at];
    let start = at - before.iter().rev().take_while(|byte| **byte != b'\n').count();
    let behind = &bytes[at..bytes.len().min(at + NEAR)];
    let end = at + behind.iter().take_while(|byte| **byte != b'\n').count();
    &bytes[start..end]
}

// === impl Tape ===

impl<'t> Tape<'t> {
    /// The outermost node, unless the document is empty.
    pub(super) fn root(&self) -> Option<NodeId> {
        (!self.nodes.is_empty()).then_some(NodeId(0))
    }

    /// Every object, in the order of the text.
    pub(super) fn objects(&self) -> impl Iterator<Item = NodeId> {
        let numbered = (0u32..).zip(&self.nodes);
        numbered.filter(|(_, node)| matches!(node.value, Value::Mapping { .. })).map(|(id, _)| NodeId(id))
    }

    /// The node as it stands, which may be an alias.
    pub(super) fn node(&self, id: NodeId) -> &Node<'t> {
        &self.nodes[id.0 as usize]
    }

    /// The node that is meant.
    pub(super) fn resolve(&self, id: NodeId) -> (NodeId, &Node<'t>) {
        let node = self.node(id);
        match node.value {
            // The target of an alias has an anchor, which an alias cannot have: one step is enough.
            Value::Alias(target) => (target, self.node(target)),
            Value::Plain(_) | Value::Text(_) | Value::Sequence { .. } | Value::Mapping { .. } => (id, node),
        }
    }

    /// The node behind this one and everything in it.
    pub(super) fn after(&self, id: NodeId) -> NodeId {
        match self.node(id).value {
            Value::Sequence { end } | Value::Mapping { end, .. } => end,
            Value::Plain(_) | Value::Text(_) | Value::Alias(_) => NodeId(id.0 + 1),
        }
    }

    /// The first node in a collection, if it has any.
    pub(super) fn first_in(&self, id: NodeId) -> NodeId {
        NodeId(id.0 + 1)
    }

    /// The keys of an object, in the order of the text.
    pub(super) fn keys(&self, object: NodeId) -> impl Iterator<Item = NodeId> {
        let (object, node) = self.resolve(object);
        let start = self.first_in(object);
        let (mut at, end) = match node.value {
            Value::Mapping { end, .. } => (start, end),
            Value::Plain(_) | Value::Text(_) | Value::Sequence { .. } | Value::Alias(_) => (start, start),
        };
        std::iter::from_fn(move || {
            if at == end {
                return None;
            }
            let key = at;
            at = self.after(self.after(key));
            Some(key)
        })
    }

    /// The first two places at which an object has a key that it has several times.
    pub(super) fn twice(&self, object: NodeId, key: &str) -> Option<(NodeId, NodeId)> {
        let mut found = self.keys(object).filter(|at| self.text(*at) == Some(key));
        Some((found.next()?, found.next()?))
    }

    /// The value under a key of an object. For the few fields that must be known before the object is read.
    pub(super) fn value(&self, object: NodeId, key: &str) -> Option<NodeId> {
        let found = self.keys(object).find(|at| self.text(*at) == Some(key));
        found.map(|key| self.after(key))
    }

    /// The text of a scalar.
    pub(super) fn text(&self, id: NodeId) -> Option<&str> {
        match &self.resolve(id).1.value {
            Value::Plain(text) | Value::Text(text) => Some(text),
            Value::Sequence { .. } | Value::Mapping { .. } | Value::Alias(_) => None,
        }
    }

    fn push(&mut self, event: Event<'t>, place: Place, progress: &mut Progress) -> Result<(), String> {
        if self.nodes.len() >= MAX_NODES {
            return Err(format!("the document has more than {MAX_NODES} values; split it"));
        }
        let id = NodeId(u32::try_from(self.nodes.len()).expect("MAX_NODES fits"));
        let (value, anchor) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                (self.scalar(text, style, tag.as_deref(), progress)?, anchor)
            }
            Event::SequenceStart(_, anchor, tag) => {
                fits(tag.as_deref(), "seq")?;
                progress.open.push(id);
                (Value::Sequence { end: id }, anchor)
            }
            Event::MappingStart(_, anchor, tag) => {
                fits(tag.as_deref(), "map")?;
                progress.open.push(id);
                (Value::Mapping { end: id, merges: false }, anchor)
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let opened = progress.open.pop().expect("the parser closes what it opened");
                if let Value::Sequence { end } | Value::Mapping { end, .. } =
                    &mut self.nodes[opened.0 as usize].value
                {
                    *end = id;
                }
                return Ok(());
            }
            Event::Alias(anchor) => {
                let target = *progress.anchors.get(&anchor).ok_or("an alias without its anchor")?;
                if progress.open.contains(&target) {
                    return Err("an alias inside of what it stands for has no end".to_owned());
                }
                (Value::Alias(target), 0)
            }
            // Stream and document marks, and comments if another crate turns them on, are no nodes.
            _ => return Ok(()),
        };
        if anchor != 0 {
            progress.anchors.insert(anchor, id);
        }
        self.nodes.push(Node { value, place });
        Ok(())
    }

    fn scalar(
        &mut self,
        text: Cow<'t, str>,
        style: ScalarStyle,
        tag: Option<&Tag>,
        progress: &Progress,
    ) -> Result<Value<'t>, String> {
        if let Some(tag) = tag {
            return match tag.is_yaml_core_schema_tag("str") {
                true => Ok(Value::Text(text)),
                false => Err(format!("the tag `{tag}` is not supported; leave it out")),
            };
        }
        if style != ScalarStyle::Plain {
            return Ok(Value::Text(text));
        }
        if text == "<<"
            && let Some(parent) = progress.open.last()
            && let Value::Mapping { merges, .. } = &mut self.nodes[parent.0 as usize].value
        {
            *merges = true;
        }
        Ok(Value::Plain(text))
    }
}

/// Whether the tag of a collection, if it has one, says what the collection is anyway.
fn fits(tag: Option<&Tag>, suffix: &str) -> Result<(), String> {
    match tag {
        Some(tag) if !tag.is_yaml_core_schema_tag(suffix) => {
            Err(format!("the tag `{tag}` is not supported; leave it out"))
        }
        Some(_) | None => Ok(()),
    }
}

// === impl Place ===

impl Place {
    /// Where another place is, which stands before this one. Counted from here: a document may be read alone, and put below
    /// others afterwards.
    pub(super) fn back_to(self, other: Self) -> String {
        match self.line.saturating_sub(other.line) {
            0 => "in this line".to_owned(),
            1 => "in the line above".to_owned(),
            lines => format!("{lines} lines above"),
        }
    }

    fn of(marker: &granit_parser::Marker) -> Self {
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        Self { line: count(marker.line()), column: count(marker.col() + 1) }
    }
}
