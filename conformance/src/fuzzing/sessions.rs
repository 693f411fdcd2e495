//! Clients that come again: what the core and the reference say of their sessions, each in texts of its own.

use std::fmt::Debug;
use std::time::Duration;

use http::HeaderName;

use crate::decision::{Arrival, Effect, Session};
use crate::generate::Source;

/// A request that comes again, from a client that has got a session.
#[derive(Debug)]
pub(super) struct Again {
    arrival: Arrival,
    name: HeaderName,
    /// What the header says, by the reference and by the core.
    lines: [String; 2],
    texts: [String; 2],
}

/// Whether two say the same but for the texts of sessions: those that begin with these, and those that were shown.
pub(super) fn agree<T: Debug + PartialEq>(
    [reference, core]: [&T; 2],
    sessions: [Option<&Session>; 2],
    again: Option<&Again>,
) -> bool {
    let told = |said: &T, which: usize| {
        let begun = sessions[which].into_iter().flat_map(texts);
        let shown = again.map(|again| again.texts[which].as_str());
        let mut texts: Vec<&str> = begun.chain(shown).collect();
        // One may be a part of another.
        texts.sort_by_key(|text| std::cmp::Reverse(text.len()));
        texts.iter().fold(format!("{said:?}"), |told, text| told.replace(text, "…"))
    };
    reference == core || told(reference, 0) == told(core, 1)
}

fn texts(session: &Session) -> impl Iterator<Item = &str> {
    (0..session.begins.len()).filter_map(|position| session.text(position))
}

/// The session of a request that is forwarded.
pub(super) fn session(effect: &Effect) -> Option<&Session> {
    match effect {
        Effect::Forwarded(forwarded) => forwarded.session.as_ref(),
        Effect::Answered(_) | Effect::Asks(_) => None,
    }
}

// === impl Again ===

impl Again {
    /// The client comes again after an answer of some endpoint, at any time and with other random numbers.
    pub(super) fn new(arrival: &Arrival, effects: [&Effect; 2], source: &mut Source<'_>) -> Option<Self> {
        let [reference, core] = [session(effects[0])?, session(effects[1])?];
        let position = source.below(core.begins.len());
        let texts = [reference.text(position)?, core.text(position)?].map(str::to_owned);
        let (name, line) = &core.begins[position];
        let (name, lines) = match name.as_str() {
            "set-cookie" => {
                let cookie = line.split('=').next()?;
                let before = source.one(&["", "a=1; ", "s=1; ", "; "]);
                ("cookie", texts.each_ref().map(|text| format!("{before}{cookie}={text}")))
            }
            name => (name, texts.clone()),
        };
        let mut arrival = arrival.clone();
        arrival.now += Duration::from_millis(source.one(&[0, 0, 499, 500, 9_999, 10_000]));
        if source.chance(50) {
            arrival.randoms = vec![source.number()];
        }
        Some(Self { arrival, name: name.parse().ok()?, lines, texts })
    }

    /// The request as the reference gets it, and as the core does.
    pub(super) fn arrivals(&self) -> [Arrival; 2] {
        self.lines.each_ref().map(|line| {
            let mut arrival = self.arrival.clone();
            let value = line.parse().expect("it is the value of a header");
            arrival.request.headers_mut().append(&self.name, value);
            arrival
        })
    }
}
