//! The log of the program: messages to standard error, a line for each request and each stream to standard output.
//!
//! The level that `--log` asks for must be the level of the whole subscriber. The libraries underneath open spans for each
//! frame and each stream of HTTP/2 at the level TRACE; where no layer says up to which level it listens, all of them are
//! made and thrown away, at more cost than the requests themselves. A filter that is a function cannot say so; an
//! [`EnvFilter`] and [`Targets`] do.

use std::io::{self, IsTerminal as _};

use gateway_tower::access_log;
use tracing::level_filters::LevelFilter;
use tracing::{Dispatch, dispatcher};
use tracing_subscriber::filter::{EnvFilter, ParseError, Targets};
use tracing_subscriber::layer::{Layer, SubscriberExt};

use crate::args::AccessLogFormat;

/// Logs from now on, messages as `filter` says.
pub(crate) fn start(filter: &str, access: AccessLogFormat) -> io::Result<()> {
    let invalid = |error| io::Error::new(io::ErrorKind::InvalidInput, format!("--log {filter}: {error}"));
    let subscriber = subscriber(filter, access).map_err(invalid)?;
    dispatcher::set_global_default(subscriber).map_err(io::Error::other)
}

fn subscriber(filter: &str, access: AccessLogFormat) -> Result<Dispatch, ParseError> {
    let off = format!("{}=off", access_log::TARGET).parse()?;
    let filter = EnvFilter::builder().parse(filter)?.add_directive(off);
    let messages = tracing_subscriber::fmt::layer().with_writer(io::stderr);
    // Colours are for a terminal, and there for those who have not asked for none by NO_COLOR; a file has no use for them.
    let messages = if io::stderr().is_terminal() { messages } else { messages.with_ansi(false) };
    let registry = tracing_subscriber::registry().with(messages.with_filter(filter));
    let requests = Targets::new().with_target(access_log::TARGET, LevelFilter::INFO);
    let lines = tracing_subscriber::fmt::layer().with_writer(io::stdout).with_target(false);
    Ok(match access {
        AccessLogFormat::Off => registry.into(),
        AccessLogFormat::Text => {
            registry.with(lines.with_ansi(false).with_level(false).with_filter(requests)).into()
        }
        AccessLogFormat::Json => {
            let json = lines
                .json()
                .flatten_event(true)
                .with_level(false)
                .with_current_span(false)
                .with_span_list(false);
            registry.with(json.with_filter(requests)).into()
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The level up to which anything at all is made.
    fn level(filter: &str, access: AccessLogFormat) -> LevelFilter {
        dispatcher::with_default(&subscriber(filter, access).unwrap(), LevelFilter::current)
    }

    // One test: the level is that of all subscribers of a process together.
    #[test]
    fn nothing_is_made_above_the_level_that_was_asked_for() {
        for (filter, expected) in [
            ("off", LevelFilter::OFF),
            ("error", LevelFilter::ERROR),
            ("warn", LevelFilter::WARN),
            ("info", LevelFilter::INFO),
            ("warn,gateway_tower=debug", LevelFilter::DEBUG),
            ("trace", LevelFilter::TRACE),
        ] {
            assert_eq!(level(filter, AccessLogFormat::Off), expected, "{filter}");
            // The lines for requests are events of their own, at INFO.
            for access in [AccessLogFormat::Text, AccessLogFormat::Json] {
                assert_eq!(level(filter, access), expected.max(LevelFilter::INFO), "{filter}, {access:?}");
            }
        }
        assert!(subscriber("gateway_tower=loud", AccessLogFormat::Off).is_err());
    }
}
