//! Answers that come out wrong.

use super::{Fault, Mutant};
use crate::exchange::HttpAnswer;

pub(super) const MUTANTS: &[Mutant] = &[
    answer("a missing backend is answered with 503", |answer| replace(answer, 500, 503)),
    answer("a missing backend is answered with 404", |answer| replace(answer, 500, 404)),
    answer("no endpoints are answered with 500", |answer| replace(answer, 503, 500)),
    answer("no match is answered with 503", |answer| replace(answer, 404, 503)),
    answer("a timeout is answered with 502", |answer| replace(answer, 504, 502)),
    answer("a misdirected request is answered with 404", |answer| replace(answer, 421, 404)),
    answer("a redirect does not say where to", |answer| {
        answer.headers.retain(|(name, _)| !name.eq_ignore_ascii_case("location"));
    }),
    answer("a redirect has no port", |answer| {
        for (_, location) in
            answer.headers.iter_mut().filter(|(name, _)| name.eq_ignore_ascii_case("location"))
        {
            if let Some((scheme, rest)) = location.split_once("://") {
                let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
                let host = authority.split(':').next().unwrap_or_default();
                *location = format!("{scheme}://{host}{path}");
            }
        }
    }),
    answer("the backend gets the host without its port", |answer| {
        if let Some(echo) = &mut answer.echo {
            echo.host = echo.host.split(':').next().unwrap_or_default().to_owned();
        }
    }),
    answer("a preflight of a foreign origin is allowed", |answer| {
        let name = "access-control-allow-origin";
        if answer.header(name).is_empty() {
            answer.headers.push((name.to_owned(), "*".to_owned()));
        }
    }),
];

const fn answer(name: &'static str, change: fn(&mut HttpAnswer)) -> Mutant {
    Mutant { name, fault: Fault::Answer(change) }
}

fn replace(answer: &mut HttpAnswer, right: u16, wrong: u16) {
    if answer.status == right {
        answer.status = wrong;
    }
}
