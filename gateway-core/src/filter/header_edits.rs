//! Edits of headers that are known only when a request is there.

use http::header::{HeaderMap, HeaderName, HeaderValue, MaxSizeReached};

/// Changes of headers, in the order in which they are made.
///
/// ```
/// use gateway_core::filter::{HeaderEdits, Put};
/// use http::{HeaderMap, HeaderName, HeaderValue};
///
/// let user = HeaderName::from_static("x-user");
/// let mut edits = HeaderEdits::default();
/// edits.put(Put::Set, user.clone(), HeaderValue::from_static("ann"));
/// edits.put(Put::IfAbsent, user.clone(), HeaderValue::from_static("bob"));
/// let mut headers = HeaderMap::from_iter([(user.clone(), HeaderValue::from_static("root"))]);
/// edits.apply(&mut headers)?;
/// assert_eq!(headers[user], "ann");
/// # Ok::<(), http::header::MaxSizeReached>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HeaderEdits(Vec<Edit>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Edit {
    Remove(HeaderName),
    Put(Put, HeaderName, HeaderValue),
}

/// How a header is put beside those of its name, or in their place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Put {
    /// In their place.
    Set,
    /// Beside them.
    Append,
    /// Not at all where there is one.
    IfAbsent,
    /// In their place, and not at all where there is none.
    IfPresent,
}

// === impl HeaderEdits ===

impl HeaderEdits {
    /// Removes the headers of this name.
    pub fn remove(&mut self, name: HeaderName) {
        self.0.push(Edit::Remove(name));
    }

    /// Puts a header.
    pub fn put(&mut self, how: Put, name: HeaderName, value: HeaderValue) {
        self.0.push(Edit::Put(how, name, value));
    }

    /// Whether nothing is changed.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The names of the headers that are changed.
    pub(crate) fn names(&self) -> impl Iterator<Item = &HeaderName> {
        self.0.iter().map(|edit| match edit {
            Edit::Remove(name) | Edit::Put(_, name, _) => name,
        })
    }

    /// Makes these changes after those that are there.
    pub(crate) fn extend(&mut self, more: &Self) {
        self.0.extend_from_slice(&more.0);
    }

    /// Changes the headers.
    ///
    /// # Errors
    /// When there is no room for so many.
    pub fn apply(&self, headers: &mut HeaderMap) -> Result<(), MaxSizeReached> {
        for edit in &self.0 {
            match edit {
                Edit::Remove(name) => _ = headers.remove(name),
                Edit::Put(Put::Append, name, value) => _ = headers.try_append(name, value.clone())?,
                Edit::Put(Put::IfAbsent, name, _) if headers.contains_key(name) => {}
                Edit::Put(Put::IfPresent, name, _) if !headers.contains_key(name) => {}
                Edit::Put(Put::Set | Put::IfAbsent | Put::IfPresent, name, value) => {
                    headers.try_insert(name, value.clone())?;
                }
            }
        }
        Ok(())
    }
}
