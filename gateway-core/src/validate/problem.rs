//! Problems of an object: what is wrong, where, and how to put it right.

use std::borrow::Cow;
use std::fmt;

use smallvec::SmallVec;

use crate::api::EXPERIMENTAL_GROUP;

/// Something in an object that an API server would have refused.
///
/// # Spec
/// Sections 24 and 25 of the rules name what is refused; [`rule`](Self::rule) is the id there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where it is.
    pub field: FieldPath,
    /// The rule that is broken, such as `VAL-HR-44`.
    pub rule: &'static str,
    /// What is wrong, and the way out.
    pub message: String,
}

/// Where a field is in an object, from the root; displayed as `spec.rules[0].matches[1].path.value`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FieldPath(Vec<Segment>);

/// A step on the way to a field.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Segment {
    /// A field of an object, as it is written.
    Field(&'static str),
    /// An entry of a list.
    Index(usize),
    /// An entry of a map.
    Key(Box<str>),
}

/// A release channel of the resource definitions. Most rules are in both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Channel {
    Standard,
    Experimental,
}

/// Collects the problems of one object, and knows which field is being looked at.
///
/// An object that the definitions of either channel take is one that an API server may have stored, so it has a problem
/// only if both channels refuse it; one of a kind that a single channel has, if that one does.
///
/// A path is built when there is a problem, and only then: an object without problems costs no allocation. Only the
/// checks of this module report anything.
#[derive(Debug, Default)]
pub struct Problems {
    /// The way to the field that is being looked at.
    path: SmallVec<[Step; 16]>,
    /// Each with the channel that alone has the rule, if one has.
    found: Vec<(Problem, Option<Channel>)>,
    /// The channel that alone has the kind of object, if one has.
    channel: Option<Channel>,
    /// How many there are beyond the limit.
    omitted: usize,
}

/// Looks at one field or entry; what is reported is about that. Dropped, it goes back to the object around it.
#[derive(Debug)]
pub(super) struct At<'a>(&'a mut Problems);

#[derive(Clone, Copy, Debug)]
enum Step {
    Field(&'static str),
    Index(usize),
}

/// How many problems of one object are kept: a tenant cannot fill the memory with what is wrong in it.
pub(super) const MAX_PROBLEMS: usize = 100;

/// How much of a wrong value a message repeats, in characters.
const MAX_QUOTED: usize = 80;

// === impl Problem ===

impl Problem {
    /// Stands as the [`rule`](Self::rule) of a last entry that says how many problems are not listed.
    pub const OMITTED: &'static str = "omitted";
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.field.is_root() {
            write!(f, "{}: ", self.field)?;
        }
        write!(f, "{} ({})", self.message, self.rule)
    }
}

// === impl FieldPath ===

impl FieldPath {
    /// The steps from the root to the field.
    pub fn segments(&self) -> &[Segment] {
        &self.0
    }

    /// Whether this is the object as a whole.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, segment) in self.0.iter().enumerate() {
            match segment {
                Segment::Field(name) if position == 0 => f.write_str(name)?,
                Segment::Field(name) => write!(f, ".{name}")?,
                Segment::Index(index) => write!(f, "[{index}]")?,
                Segment::Key(key) => write!(f, "[{key:?}]")?,
            }
        }
        Ok(())
    }
}

// === impl Problems ===

impl Problems {
    /// The problems of an object of this group: that of the experimental kinds is in one channel only.
    pub(super) fn of_group(group: &str) -> Self {
        let channel = (group == EXPERIMENTAL_GROUP).then_some(Channel::Experimental);
        Self { channel, ..Self::default() }
    }

    /// Looks at a field of the present object.
    pub(super) fn field(&mut self, name: &'static str) -> At<'_> {
        self.path.push(Step::Field(name));
        At(self)
    }

    /// Looks at an entry of the present list.
    pub(super) fn index(&mut self, index: usize) -> At<'_> {
        self.path.push(Step::Index(index));
        At(self)
    }

    /// Looks at each entry of a list field, up to its limit.
    pub(super) fn each<T>(
        &mut self,
        name: &'static str,
        entries: &[T],
        mut check: impl FnMut(&T, &mut Self),
    ) {
        if entries.is_empty() {
            return;
        }
        let list = self.field(name);
        for (index, entry) in entries.iter().enumerate() {
            check(entry, list.0.index(index).0);
        }
    }

    /// Reports a problem of the present field.
    #[cold]
    pub(super) fn report(&mut self, rule: &'static str, message: impl Into<String>) {
        self.push(None, rule, message.into(), None);
    }

    /// Reports a problem of the present field that the definitions of one channel only know.
    #[cold]
    pub(super) fn report_in(&mut self, channel: Channel, rule: &'static str, message: impl Into<String>) {
        self.push(None, rule, message.into(), Some(channel));
    }

    /// Reports a problem of an entry of the present map.
    #[cold]
    pub(super) fn report_key(&mut self, key: &str, rule: &'static str, message: impl Into<String>) {
        self.push(Some(Segment::Key(clipped(key).into())), rule, message.into(), None);
    }

    fn push(&mut self, last: Option<Segment>, rule: &'static str, message: String, only: Option<Channel>) {
        if self.found.len() == MAX_PROBLEMS {
            self.omitted += usize::from(only.is_none());
            return;
        }
        let steps = self.path.iter().map(|step| match *step {
            Step::Field(name) => Segment::Field(name),
            Step::Index(index) => Segment::Index(index),
        });
        let field = FieldPath(steps.chain(last).collect());
        let same = |(known, channel): &&mut (Problem, Option<Channel>)| {
            channel.is_some() && *channel != only && known.rule == rule && known.field == field
        };
        match self.found.iter_mut().find(same) {
            // Each channel says it in its own way.
            Some((_, channel)) if only.is_some() => *channel = None,
            Some(_) | None => self.found.push((Problem { field, rule, message }, only)),
        }
    }

    /// The problems, in the order of the fields.
    pub(super) fn into_result(self) -> Result<(), Vec<Problem>> {
        let of = |wanted: Channel| self.found.iter().any(|(_, only)| *only == Some(wanted));
        let each = of(Channel::Standard) && of(Channel::Experimental);
        let counts = |only: Option<Channel>| match (only, self.channel) {
            (None, _) => true,
            (Some(_), None) => each,
            (Some(only), Some(channel)) => only == channel,
        };
        let found = self.found.into_iter().filter(|(_, only)| counts(*only));
        let mut found: Vec<Problem> = found.map(|(problem, _)| problem).collect();
        if self.omitted > 0 {
            let message = format!("{} more problems are not listed", self.omitted);
            found.push(Problem { field: FieldPath::default(), rule: Problem::OMITTED, message });
        }
        if found.is_empty() { Ok(()) } else { Err(found) }
    }
}

// === impl At ===

impl std::ops::Deref for At<'_> {
    type Target = Problems;

    fn deref(&self) -> &Problems {
        self.0
    }
}

impl std::ops::DerefMut for At<'_> {
    fn deref_mut(&mut self) -> &mut Problems {
        self.0
    }
}

impl Drop for At<'_> {
    fn drop(&mut self) {
        self.0.path.pop();
    }
}

/// A value to be repeated in a message: its first characters, if it is long.
pub(super) fn clipped(value: &str) -> Cow<'_, str> {
    match value.char_indices().nth(MAX_QUOTED) {
        Some((end, _)) => Cow::Owned(format!("{}…", &value[..end])),
        None => Cow::Borrowed(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_names_the_field_the_rule_and_the_way_out() {
        let mut problems = Problems::default();
        {
            let mut spec = problems.field("spec");
            spec.each("rules", &["good", "bad"], |rule, at| {
                if *rule == "bad" {
                    at.field("name").report("PAT-PRECISE", "write it in lower case");
                }
            });
            spec.field("options").report_key("a.b/c", "LIM-04", "is too long");
        }
        problems.report("VAL-ST-08", "has no name");
        let text: Vec<_> = problems.into_result().unwrap_err().iter().map(ToString::to_string).collect();
        assert_eq!(
            text,
            [
                "spec.rules[1].name: write it in lower case (PAT-PRECISE)",
                "spec.options[\"a.b/c\"]: is too long (LIM-04)",
                "has no name (VAL-ST-08)",
            ]
        );
    }

    #[test]
    fn an_object_that_either_channel_takes_has_no_problem() {
        use Channel::{Experimental, Standard};
        let found = |reported: &[(Option<Channel>, &'static str)]| {
            let mut problems = Problems::default();
            for (channel, rule) in reported {
                match channel {
                    Some(channel) => problems.report_in(*channel, rule, "is wrong"),
                    None => problems.report(rule, "is wrong"),
                }
            }
            let found = problems.into_result().err().unwrap_or_default();
            found.iter().map(|problem| problem.rule).collect::<Vec<_>>()
        };
        assert_eq!(found(&[(Some(Standard), "A"), (Some(Standard), "B")]), [""; 0]);
        assert_eq!(found(&[(Some(Experimental), "A")]), [""; 0]);
        assert_eq!(found(&[(Some(Standard), "A"), (Some(Experimental), "B")]), ["A", "B"]);
        assert_eq!(found(&[(Some(Standard), "A"), (Some(Experimental), "A")]), ["A"], "said once");
        assert_eq!(found(&[(Some(Experimental), "A"), (None, "B")]), ["B"], "A alone would be taken");
        let mut problems = Problems::of_group(EXPERIMENTAL_GROUP);
        problems.report_in(Standard, "A", "is wrong");
        problems.report_in(Experimental, "B", "is wrong");
        assert_eq!(problems.into_result().unwrap_err()[0].rule, "B", "there is no other channel");
    }

    #[test]
    fn what_is_wrong_takes_no_more_room_than_its_bound() {
        let mut problems = Problems::default();
        for _ in 0..MAX_PROBLEMS + 7 {
            problems.report("LIM-14", "x");
        }
        let found = problems.into_result().unwrap_err();
        assert_eq!(found.len(), MAX_PROBLEMS + 1);
        assert_eq!(found[MAX_PROBLEMS].to_string(), "7 more problems are not listed (omitted)");
        assert_eq!(clipped(&"ü".repeat(5000)).chars().count(), MAX_QUOTED + 1);
        assert_eq!(clipped("short"), "short");
    }
}
