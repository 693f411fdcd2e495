//! Choices made of bytes.

use arbitrary::Unstructured;

/// Makes choices of bytes; when they are used up, always the first.
#[derive(Debug)]
pub struct Source<'b>(Unstructured<'b>);

// === impl Source ===

impl<'b> Source<'b> {
    /// A source of these bytes.
    pub fn new(bytes: &'b [u8]) -> Self {
        Self(Unstructured::new(bytes))
    }

    /// Whether the bytes are used up.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Any number.
    pub fn number(&mut self) -> u64 {
        self.0.arbitrary().unwrap_or(0)
    }

    /// A number below `end`, which is at least 1.
    pub fn below(&mut self, end: usize) -> usize {
        self.0.int_in_range(0..=end - 1).unwrap_or(0)
    }

    /// True in about `percent` of a hundred cases; false without bytes.
    pub fn chance(&mut self, percent: u8) -> bool {
        // The byte 0 is no, so that what may be left out is left out when bytes run out.
        self.0.arbitrary::<u8>().unwrap_or(0) > u8::MAX - (u16::from(percent) * 255 / 100) as u8
    }

    /// One of several values.
    pub fn one<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())].clone()
    }

    /// Something in about `percent` of a hundred cases.
    pub fn some<T>(&mut self, percent: u8, make: impl FnOnce(&mut Self) -> T) -> Option<T> {
        self.chance(percent).then(|| make(self))
    }

    /// From `least` to `most` things.
    pub fn list<T>(&mut self, least: usize, most: usize, mut make: impl FnMut(&mut Self) -> T) -> Vec<T> {
        let length = least + self.below(most - least + 1);
        (0..length).map(|_| make(self)).collect()
    }
}
