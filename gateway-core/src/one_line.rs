//! Text that stays on its line, whatever stands in it.
//!
//! Messages repeat what others wrote: names of objects, references, kinds. A line break in one of them would make two messages of one,
//! the second of which says what its writer likes, and a terminal obeys other control characters.

use std::fmt::{self, Display, Write};

/// Displays something with control characters and line separators as their escapes, such as `\n`.
pub(crate) struct OneLine<T>(pub(crate) T);

/// Escapes what is written through it.
struct Escaping<'a, 'f>(&'a mut fmt::Formatter<'f>);

/// Whether a character does not stay on its line, or does something other than to be seen.
fn is_escaped(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

// === impl OneLine ===

impl<T: Display> Display for OneLine<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(Escaping(f), "{}", self.0)
    }
}

// === impl Escaping ===

impl Write for Escaping<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut rest = text;
        while let Some((at, c)) = rest.char_indices().find(|(_, c)| is_escaped(*c)) {
            self.0.write_str(&rest[..at])?;
            write!(self.0, "{}", c.escape_default())?;
            rest = &rest[at + c.len_utf8()..];
        }
        self.0.write_str(rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_stays_on_its_line_and_is_left_as_it_is_otherwise() {
        for (text, shown) in [
            ("HTTPRoute default/shop", "HTTPRoute default/shop"),
            ("\"ü\\n\" … '", "\"ü\\n\" … '"),
            ("a\nb\r\nc\td", "a\\nb\\r\\nc\\td"),
            ("\u{1b}[2J\u{7f}\u{85}\0", "\\u{1b}[2J\\u{7f}\\u{85}\\u{0}"),
            ("a\u{2028}b\u{202e}c", "a\\u{2028}b\\u{202e}c"),
            ("", ""),
        ] {
            assert_eq!(OneLine(text).to_string(), shown);
            assert_eq!(OneLine(OneLine(text)).to_string(), shown, "once is enough");
        }
    }
}
