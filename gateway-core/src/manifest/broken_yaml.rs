//! Hints for texts that are not valid YAML.

use granit_parser::ErrorKind;

/// The way out of an error, where there is one that most who meet it need. `line` is the line that the parser stopped in.
pub(super) fn way_out(error: &ErrorKind, line: &[u8]) -> Option<&'static str> {
    if line.windows(2).any(|two| two == b"{{") {
        return Some("a template has to be rendered first, as by `helm template`");
    }
    Some(match error {
        ErrorKind::UnknownAnchor | ErrorKind::MissingAnchorOrAliasName => {
            "a value that begins with `*` or `&` needs quotes, as in \"*.example.com\""
        }
        ErrorKind::TabNotAllowed
        | ErrorKind::TabInBlockIndentation
        | ErrorKind::TabInIndentation
        | ErrorKind::TabInPlainScalar
        | ErrorKind::TabAtBlockScalarStart => "indent with spaces",
        ErrorKind::UnexpectedCharacter { character } if character.is_control() => {
            "remove it, or write it as an escape in double quotes"
        }
        ErrorKind::UnexpectedCharacter { .. } | ErrorKind::PlainScalarStartsWithDashFlowIndicator => {
            "put the value in quotes"
        }
        ErrorKind::InvalidColonPlacement => {
            "a bracket above may not be closed, and a value with a colon and a space in it needs quotes"
        }
        ErrorKind::MappingValueNotAllowed => {
            "a value with a colon and a space in it needs quotes, and fields of one object are indented alike"
        }
        ErrorKind::ExpectedBlockMappingKey
        | ErrorKind::ExpectedBlockSequenceEntry
        | ErrorKind::BlockSequenceEntryNotAllowed
        | ErrorKind::InvalidIndentation
        | ErrorKind::SimpleKeyExpected => {
            "fields of one object and entries of one list are indented alike, and a field ends with `:`"
        }
        ErrorKind::ExpectedDocumentStart => "between two documents stands a line `---`",
        _ => return None,
    })
}
