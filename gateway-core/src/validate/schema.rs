//! The rules that schemas state field by field: lengths, ranges, forms, enumerations, uniqueness.

use std::fmt::Display;
use std::ops::RangeInclusive;

use super::pattern::{self, Pattern};
use super::problem::{Channel, Problems, clipped};

/// What a port may be.
pub(super) const PORT: RangeInclusive<i32> = 1..=65535;

impl Problems {
    /// A list that must have a certain number of entries, each of which is checked.
    ///
    /// Of a list that is too long only the first entries are looked at, here and by the caller, who gets them back.
    pub(super) fn list<'a, T>(
        &mut self,
        name: &'static str,
        entries: &'a [T],
        lengths: RangeInclusive<usize>,
        limit: &'static str,
        check: impl FnMut(&T, &mut Self),
    ) -> &'a [T] {
        if !lengths.contains(&entries.len()) {
            self.field(name).wrong_length(entries.len(), &lengths, limit);
        }
        let entries = &entries[..entries.len().min(*lengths.end())];
        self.each(name, entries, check);
        entries
    }

    #[cold]
    fn wrong_length(&mut self, length: usize, lengths: &RangeInclusive<usize>, limit: &'static str) {
        let (least, most) = (lengths.start(), lengths.end());
        self.report(
            limit,
            match least {
                0 => format!("has {length} entries; at most {most} are allowed"),
                _ if least == most => format!("has {length} entries; exactly {most} is allowed"),
                _ => format!("has {length} entries; {least} to {most} are allowed"),
            },
        );
    }

    /// Entries no two of which may have the same key; `key_field` is where in the entry the key is.
    pub(super) fn unique<'a, T, K: PartialEq + Display>(
        &mut self,
        name: &'static str,
        entries: &'a [T],
        key_field: Option<&'static str>,
        rule: &'static str,
        key: impl Fn(&'a T) -> K,
    ) {
        for (second, entry) in entries.iter().enumerate().skip(1) {
            let wanted = key(entry);
            if let Some(first) = entries[..second].iter().position(|earlier| key(earlier) == wanted) {
                let mut list = self.field(name);
                let mut at = list.index(second);
                let message = format!(
                    "{:?} is in {name}[{first}] already; each may be there once",
                    clipped(&wanted.to_string())
                );
                match key_field {
                    Some(field) => at.field(field).report(rule, message),
                    None => at.report(rule, message),
                }
            }
        }
    }

    /// A text that must have a form.
    #[inline]
    pub(super) fn text(&mut self, name: &'static str, text: &str, pattern: &Pattern) {
        if !pattern.accepts(text) {
            self.field(name).wrong_text(text, pattern);
        }
    }

    /// A text that may be absent, and must have a form otherwise.
    #[inline]
    pub(super) fn optional_text(&mut self, name: &'static str, text: Option<&str>, pattern: &Pattern) {
        if let Some(text) = text {
            self.text(name, text, pattern);
        }
    }

    /// The value of a header, whose form the experimental channel alone knows.
    ///
    /// # Spec
    /// PAT-HDRVAL
    #[inline]
    pub(super) fn header_value(&mut self, value: &str) {
        const PATTERN: &Pattern = &pattern::HEADER_VALUE;
        if !PATTERN.accepts(value) {
            let mut at = self.field("value");
            match (1..=PATTERN.max_length).contains(&value.chars().count()) {
                true => at.report_in(Channel::Experimental, PATTERN.id, PATTERN.refusal(value)),
                false => at.wrong_text(value, PATTERN),
            }
        }
    }

    /// The present field is a text without the form that it must have.
    #[cold]
    pub(super) fn wrong_text(&mut self, text: &str, pattern: &Pattern) {
        self.report(pattern.id, pattern.refusal(text));
    }

    /// A text of which only the number of characters counts.
    #[inline]
    pub(super) fn length(
        &mut self,
        name: &'static str,
        text: &str,
        lengths: RangeInclusive<usize>,
        limit: &'static str,
    ) {
        let fits = text.len() >= *lengths.start()
            // Counting is needed for long texts only: a character has at least one byte.
            && (text.len() <= *lengths.end() || text.chars().count() <= *lengths.end());
        if !fits {
            let (least, most) = (lengths.start(), lengths.end());
            self.field(name).report(
                limit,
                format!("has {} characters; {least} to {most} are allowed", text.chars().count()),
            );
        }
    }

    /// A value of the present map, of which only the number of characters counts.
    pub(super) fn map_value(&mut self, key: &str, value: &str, most: usize, limit: &'static str) {
        if value.len() > most && value.chars().count() > most {
            let message = format!("has {} characters; at most {most} are allowed", value.chars().count());
            self.report_key(key, limit, message);
        }
    }

    /// The name of another object: the schemas ask only for its length.
    #[inline]
    pub(super) fn object_name(&mut self, name: &str) {
        if name.is_empty() {
            self.field("name").report("VAL-ST-03", "is empty; write the name of the object");
        } else {
            self.length("name", name, 1..=253, "VAL-ST-08");
        }
    }

    /// A group and a kind.
    #[inline]
    pub(super) fn group_kind(&mut self, group: &str, kind: &str) {
        self.text("group", group, &pattern::GROUP);
        self.text("kind", kind, &pattern::KIND);
    }

    /// A number that must be in a range.
    #[inline]
    pub(super) fn number(&mut self, name: &'static str, number: i32, range: RangeInclusive<i32>) {
        if !range.contains(&number) {
            let (least, most) = (range.start(), range.end());
            let message = match *most {
                i32::MAX => format!("is {number}; the least allowed is {least}"),
                most => format!("is {number}; {least} to {most} are allowed"),
            };
            self.field(name).report("VAL-ST-06", message);
        }
    }

    /// A number that may be absent, and must be in a range otherwise.
    #[inline]
    pub(super) fn optional_number(
        &mut self,
        name: &'static str,
        number: Option<i32>,
        range: RangeInclusive<i32>,
    ) {
        if let Some(number) = number {
            self.number(name, number, range);
        }
    }

    /// The present field has a value that its enumeration does not list.
    #[cold]
    pub(super) fn unknown_value(&mut self, value: &str, known: &[&str]) {
        self.report("VAL-ST-04", format!("{:?} is not known; write {}", clipped(value), known.join(", ")));
    }
}
