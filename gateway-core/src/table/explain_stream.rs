//! Explanations of connections: the same search as [`RouteTable::find_stream`], written down.

use super::explain::{CandidateOutcome, TieBreaker, in_lines};
use super::matched_stream::{MatchedStream, NoStream};
use super::{FrontendId, ListenerId, Part, RouteTable, Served, StreamRuleId};
use crate::hostname::{Host, Hostname};

/// The decision about a connection or a flow of datagrams, and the routes that were considered for it.
#[derive(Clone, Debug)]
pub struct StreamExplanation {
    /// The decision: what [`RouteTable::find_stream`] returns for the same.
    pub decision: Result<MatchedStream, NoStream>,
    /// The listener that has the server name.
    pub listener: Option<ListenerId>,
    /// The routes with a hostname that matches: the one that takes it first, then those of the same hostname by age, then
    /// those of less specific ones. Of many with one hostname the youngest are left out.
    pub candidates: Vec<ExplainedStream>,
}

/// A route that was considered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExplainedStream {
    /// Its rule.
    pub rule: StreamRuleId,
    /// The hostname by which it takes connections; `None` for a route without hostnames.
    pub hostname: Option<Hostname>,
    /// What became of it.
    pub outcome: CandidateOutcome,
}

// === impl StreamExplanation ===

impl StreamExplanation {
    /// All of it as text, with the names of what it is about: the listener, a line for each candidate, and the decision. `table` is the one
    /// that explains.
    pub fn in_table(&self, table: &RouteTable) -> String {
        let candidates = self.candidates.iter().map(|candidate| {
            let ExplainedStream { rule, hostname, outcome } = candidate;
            let hostname = hostname.as_ref().map_or("*".to_owned(), ToString::to_string);
            format!("  {:#}  host {hostname}: {outcome}", table.stream_rule(*rule).id)
        });
        let decision = match self.decision {
            Ok(matched) => format!("passed on by rule {:#}", table.stream_rule(matched.rule).id),
            Err(no_stream) => format!("rejected: {}", no_stream.in_table(table)),
        };
        in_lines(table, (self.listener, "every name"), candidates, decision)
    }
}

// === impl RouteTable ===

impl RouteTable {
    /// Decides about a connection or a flow of datagrams as [`find_stream`](Self::find_stream) does, and says why.
    pub fn explain_stream(&self, frontend: FrontendId, server_name: Option<&Host<'_>>) -> StreamExplanation {
        let decision = self.find_stream(frontend, server_name);
        let listener = self.listener_by_server_name(frontend, server_name);
        let mut candidates = Vec::new();
        if let Ok(chosen) = decision
            && let Some(Served { part: Part::Stream(part), .. }) = self.listeners.get(chosen.listener.0)
        {
            for (depth, (found_by, rules)) in part.matching(server_name.map_or("", Host::as_str)).enumerate()
            {
                let hostname = found_by.hostname();
                candidates.extend(rules.iter().map(|rule| ExplainedStream {
                    rule: *rule,
                    hostname: hostname.clone(),
                    outcome: match (depth, *rule == chosen.rule) {
                        (0, true) => CandidateOutcome::Chosen,
                        (0, false) => CandidateOutcome::Outranked(TieBreaker::Age),
                        (_, _) => CandidateOutcome::Outranked(TieBreaker::Hostname),
                    },
                }));
            }
        }
        StreamExplanation { decision, listener, candidates }
    }
}
