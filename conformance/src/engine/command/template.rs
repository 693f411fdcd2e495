//! Commands with placeholders.

use std::str::FromStr;

/// A command: a program and its arguments, with [placeholders](Placeholder) in any of them.
///
/// It is split as a shell does it, with quotes and backslashes, but nothing else is special and no shell is run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    /// The words, each in parts.
    words: Vec<Vec<Part>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Placeholder(Placeholder),
}

/// What stands for something that differs from case to case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placeholder {
    /// `{manifests}`: the folder with the manifests.
    Manifests,
    /// `{address}`: the IP address to listen on, without a port.
    Address,
    /// `{port-offset}`: what to add to the number of each port.
    PortOffset,
    /// `{status}`: the file to write statuses into.
    Status,
    /// `{mesh}`: the IP address and port at which connections of workloads are taken.
    Mesh,
}

// === impl Placeholder ===

impl Placeholder {
    /// All of them.
    pub const ALL: &[Self] = &[Self::Manifests, Self::Address, Self::PortOffset, Self::Status, Self::Mesh];

    /// The placeholder as it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Manifests => "{manifests}",
            Self::Address => "{address}",
            Self::PortOffset => "{port-offset}",
            Self::Status => "{status}",
            Self::Mesh => "{mesh}",
        }
    }
}

// === impl Template ===

impl Template {
    /// Whether the placeholder is in it.
    pub fn names(&self, placeholder: Placeholder) -> bool {
        self.words.iter().flatten().any(|part| *part == Part::Placeholder(placeholder))
    }

    /// The words, with these values in them.
    pub(super) fn words(&self, value: impl Fn(Placeholder) -> String) -> Vec<String> {
        let text = |part: &Part| match part {
            Part::Text(text) => text.clone(),
            Part::Placeholder(placeholder) => value(*placeholder),
        };
        self.words.iter().map(|word| word.iter().map(text).collect()).collect()
    }
}

impl FromStr for Template {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let words: Result<Vec<_>, String> = split(text)?.iter().map(|word| parts(word)).collect();
        let template = Self { words: words? };
        if template.words.is_empty() {
            return Err("there is no command".to_owned());
        }
        if !template.names(Placeholder::Manifests) {
            return Err("the command does not name {manifests}, the folder that it has to read".to_owned());
        }
        Ok(template)
    }
}

/// The words of a command.
fn split(text: &str) -> Result<Vec<String>, String> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match (letter, quote) {
            ('\\', None | Some('"')) => {
                let escaped = letters.next().ok_or("the command ends with a backslash")?;
                word.get_or_insert_default().push(escaped);
            }
            ('"' | '\'', None) => {
                quote = Some(letter);
                word.get_or_insert_default();
            }
            (letter, Some(open)) if letter == open => quote = None,
            (letter, None) if letter.is_whitespace() => words.extend(word.take()),
            (letter, _) => word.get_or_insert_default().push(letter),
        }
    }
    if let Some(quote) = quote {
        return Err(format!("the command has a {quote} that is not closed"));
    }
    words.extend(word);
    Ok(words)
}

/// A word in parts.
fn parts(word: &str) -> Result<Vec<Part>, String> {
    let (mut parts, mut rest) = (Vec::new(), word);
    while let Some(start) = rest.find('{') {
        let (before, from) = rest.split_at(start);
        let Some(end) = from.find('}') else { break };
        let (written, after) = from.split_at(end + 1);
        let known = Placeholder::ALL.iter().find(|known| known.as_str() == written).ok_or_else(|| {
            let known: Vec<_> = Placeholder::ALL.iter().map(|known| known.as_str()).collect();
            format!("{written}: there is no such placeholder; there are {}", known.join(", "))
        })?;
        parts.push(Part::Text(before.to_owned()));
        parts.push(Part::Placeholder(*known));
        rest = after;
    }
    parts.push(Part::Text(rest.to_owned()));
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.parse::<Template>().unwrap().words(|placeholder| format!("<{}>", placeholder.as_str()))
    }

    #[test]
    fn placeholders_stand_anywhere_in_words() {
        assert_eq!(words("run {manifests}"), ["run", "<{manifests}>"]);
        assert_eq!(
            words("run --dir={manifests}/x --at {address}:{port-offset}"),
            ["run", "--dir=<{manifests}>/x", "--at", "<{address}>:<{port-offset}>"]
        );
    }

    #[test]
    fn words_are_split_as_a_shell_splits_them() {
        assert_eq!(
            words(r#"a  "b c" 'd "e' f\ g "\"" '' {manifests}"#)[..6],
            ["a", "b c", "d \"e", "f g", "\"", ""]
        );
        for (wrong, why) in [
            ("", "no command"),
            ("run", "{manifests}"),
            ("run 'x {manifests}", "not closed"),
            ("run {manifests} \\", "backslash"),
            ("run {manifests} {port}", "{port-offset}"),
        ] {
            let error = wrong.parse::<Template>().unwrap_err();
            assert!(error.contains(why), "{wrong}: {error}");
        }
    }
}
