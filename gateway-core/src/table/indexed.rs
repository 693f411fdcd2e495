//! The interface of match entries to an index, for any kind of Route.
//!
//! Most entries are found by a look-up of a text that is a part of the request's path. Those with an expression in the place
//! of one have to be asked. Everything else that is asked for stands in their [`Conditions`], whatever the kind.

use std::fmt;

use super::paths::PathKind;
use crate::matching::PathSpecificity;
use crate::matching::{
    Conditions, Expressions, GrpcMatch, GrpcMethod, GrpcMethodMatch, GrpcSpecificity, HttpMatch, Match,
    PathMatch, Pattern, Precedence, RequestHead, Specificity, ValueMatch,
};

/// The match entries of a kind of Route, as they are indexed.
pub(crate) trait Indexed: Match + Sized {
    /// The condition on the path that has to be asked.
    type Expression: Clone + fmt::Debug + PartialEq + 'static;

    /// Whether entries that are looked up stand between those that are asked, in the order of precedence.
    const INTERLEAVED: bool;

    /// The condition on the path, and the others.
    fn into_parts(self) -> (PathKey<Self::Expression>, Conditions);

    /// How specific an entry is that has this condition on the path and these others.
    fn specificity_at(step: PathStep<'_, Self::Expression>, others: Option<&Conditions>)
    -> Self::Specificity;

    /// Whether the request meets a condition that has to be asked.
    fn meets(request: &RequestHead<'_>, expression: &Self::Expression) -> bool;

    /// Collects the expressions.
    fn collect<'m>(&'m mut self, expressions: &mut Expressions<'m>);

    /// The condition on the path in the words of the API.
    fn describe(step: PathStep<'_, Self::Expression>) -> String;

    /// A path that meets the condition, where one is easily told.
    fn example(step: PathStep<'_, Self::Expression>) -> Option<String>;

    /// The place of an entry of this kind.
    fn place(precedence: Precedence<Self::Specificity>) -> Place;
}

/// The place of a match entry among those of all kinds of Routes: those for calls come first.
///
/// # Spec
/// AMB-40
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Place {
    Call(Precedence<GrpcSpecificity>),
    Request(Precedence),
}

/// The condition on the path in few bytes: hardly any is an expression.
#[derive(Debug, PartialEq)]
pub(crate) enum PathKey<E> {
    Exact(Box<str>),
    Prefix(Box<str>),
    Suffix(Box<str>),
    Expression(Box<E>),
}

/// The condition on the path that a group of candidates shares.
#[derive(Debug)]
pub(crate) enum PathStep<'t, E> {
    LookUp(PathKind, &'t str),
    Ask(&'t E),
}

// === impl Place ===

impl Place {
    /// The same with this rank of the route by age.
    pub(crate) fn with_rank(self, rank: u32) -> Self {
        match self {
            Self::Call(precedence) => Self::Call(Precedence { route: rank, ..precedence }),
            Self::Request(precedence) => Self::Request(Precedence { route: rank, ..precedence }),
        }
    }
}

// === impl PathKey ===

impl<E> PathKey<E> {
    pub(crate) fn step(&self) -> PathStep<'_, E> {
        match self {
            Self::Exact(path) => PathStep::LookUp(PathKind::Exact, path),
            Self::Prefix(prefix) => PathStep::LookUp(PathKind::Prefix, prefix),
            Self::Suffix(suffix) => PathStep::LookUp(PathKind::Suffix, suffix),
            Self::Expression(expression) => PathStep::Ask(expression),
        }
    }
}

// === impl PathStep ===

impl<E> Clone for PathStep<'_, E> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<E> Copy for PathStep<'_, E> {}

// === impl Indexed for HttpMatch ===

impl Indexed for HttpMatch {
    type Expression = Pattern;

    // Exact paths come before all expressions, and prefixes after them.
    const INTERLEAVED: bool = false;

    fn into_parts(self) -> (PathKey<Pattern>, Conditions) {
        let path = match self.path {
            PathMatch::Exact(path) => PathKey::Exact(path),
            PathMatch::Prefix(prefix) => PathKey::Prefix(prefix),
            PathMatch::Regex(pattern) => PathKey::Expression(Box::new(pattern)),
        };
        (path, self.conditions)
    }

    fn specificity_at(step: PathStep<'_, Pattern>, others: Option<&Conditions>) -> Specificity {
        Specificity {
            path: match step {
                PathStep::LookUp(PathKind::Exact, _) => PathSpecificity::Exact,
                PathStep::LookUp(PathKind::Prefix | PathKind::Suffix, text) => {
                    PathSpecificity::Prefix(text.len())
                }
                PathStep::Ask(pattern) => PathSpecificity::Regex(pattern.as_str().chars().count()),
            },
            method: others.is_some_and(|others| others.method().is_some()),
            headers: others.map_or(0, |others| others.headers().len()),
            query_params: others.map_or(0, |others| others.query_params().len()),
        }
    }

    fn meets(request: &RequestHead<'_>, pattern: &Pattern) -> bool {
        request.path_matches(pattern)
    }

    fn collect<'m>(&'m mut self, expressions: &mut Expressions<'m>) {
        Self::collect(self, expressions);
    }

    fn describe(step: PathStep<'_, Pattern>) -> String {
        match step {
            PathStep::LookUp(PathKind::Exact, path) => format!("Exact {path}"),
            PathStep::LookUp(PathKind::Prefix | PathKind::Suffix, "") => "PathPrefix /".to_owned(),
            PathStep::LookUp(PathKind::Prefix | PathKind::Suffix, prefix) => format!("PathPrefix {prefix}"),
            PathStep::Ask(pattern) => format!("RegularExpression {}", pattern.as_str()),
        }
    }

    fn example(step: PathStep<'_, Pattern>) -> Option<String> {
        match step {
            PathStep::LookUp(_, "") => Some("/".to_owned()),
            PathStep::LookUp(_, path) => Some(path.to_owned()),
            PathStep::Ask(_) => None,
        }
    }

    fn place(precedence: Precedence) -> Place {
        Place::Request(precedence)
    }
}

// === impl Indexed for GrpcMatch ===

/// A method of a service is an exact path, a service a prefix with its slash, a method a suffix with its slash. The empty
/// prefix is every call.
impl Indexed for GrpcMatch {
    type Expression = GrpcMethodMatch;

    // GRP-07 counts characters, whether they are those of an expression or not.
    const INTERLEAVED: bool = true;

    fn into_parts(self) -> (PathKey<GrpcMethodMatch>, Conditions) {
        let Self { method, conditions } = self;
        let path = match (exact(method.service()), exact(method.method())) {
            // A service with a slash would be found by a call of another one.
            (Some(service), Some(_)) if service.contains('/') => PathKey::Expression(Box::new(method)),
            (Some(""), Some("")) => PathKey::Prefix("".into()),
            (Some(service), Some("")) => PathKey::Prefix(format!("/{service}/").into()),
            (Some(""), Some(method)) => PathKey::Suffix(format!("/{method}").into()),
            (Some(service), Some(method)) => PathKey::Exact(format!("/{service}/{method}").into()),
            (None, _) | (_, None) => PathKey::Expression(Box::new(method)),
        };
        (path, conditions)
    }

    fn specificity_at(step: PathStep<'_, GrpcMethodMatch>, others: Option<&Conditions>) -> GrpcSpecificity {
        let headers = others.map_or(0, |others| others.headers().len());
        let length = |text: &str| text.chars().count();
        match step {
            PathStep::LookUp(kind, text) => {
                let (service, method) = parts(kind, text);
                GrpcSpecificity { service: length(service), method: length(method), headers }
            }
            PathStep::Ask(method) => GrpcSpecificity::new(method, headers),
        }
    }

    fn meets(request: &RequestHead<'_>, method: &GrpcMethodMatch) -> bool {
        method.matches(request)
    }

    fn collect<'m>(&'m mut self, expressions: &mut Expressions<'m>) {
        Self::collect(self, expressions);
    }

    fn describe(step: PathStep<'_, GrpcMethodMatch>) -> String {
        let or_any = |text: &str| if text.is_empty() { "*".to_owned() } else { text.to_owned() };
        match step {
            PathStep::LookUp(kind, text) => {
                let (service, method) = parts(kind, text);
                format!("Exact {}/{}", or_any(service), or_any(method))
            }
            PathStep::Ask(method) => {
                let written = |part: Option<&ValueMatch>| part.map_or("*".to_owned(), ValueMatch::to_text);
                format!("RegularExpression {}/{}", written(method.service()), written(method.method()))
            }
        }
    }

    fn example(step: PathStep<'_, GrpcMethodMatch>) -> Option<String> {
        let PathStep::LookUp(kind, text) = step else { return None };
        let or_any = |part: &str| if part.is_empty() { "any".to_owned() } else { part.to_owned() };
        let (service, method) = parts(kind, text);
        Some(format!("/{}/{}", or_any(service), or_any(method)))
    }

    fn place(precedence: Precedence<GrpcSpecificity>) -> Place {
        Place::Call(precedence)
    }
}

/// The text that is asked for exactly; empty where everything will do, and nothing for an expression.
fn exact(part: Option<&ValueMatch>) -> Option<&str> {
    match part {
        None => Some(""),
        Some(ValueMatch::Exact(exact)) => str::from_utf8(exact).ok(),
        Some(ValueMatch::Regex(_)) => None,
    }
}

/// Service and method that stand in a key; empty for every one.
fn parts(kind: PathKind, key: &str) -> (&str, &str) {
    match kind {
        PathKind::Exact => {
            GrpcMethod::from_path(key).map_or(("", ""), |called| (called.service(), called.method()))
        }
        PathKind::Prefix => (key.trim_matches('/'), ""),
        PathKind::Suffix => ("", key.strip_prefix('/').unwrap_or(key)),
    }
}
