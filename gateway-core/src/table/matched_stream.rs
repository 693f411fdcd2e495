//! The search for connections and datagrams that are passed on as they come, without I/O.
//!
//! A data plane that has the first bytes of a connection asks for its rule, and then, with a random number, for a backend.
//!
//! ```
//! use gateway_core::hostname::Host;
//! use gateway_core::name::{Age, ObjectName, RouteKey, RouteKind};
//! use gateway_core::rule::{Backend, BackendProtocol, BackendRef, BackendTarget, Backends, RuleName, StreamRule};
//! use gateway_core::table::{FrontendOwner, Listener, ListenerProtocol, NoStream, RouteTable, Transport};
//!
//! let gateway = ObjectName::new("default", "gateway");
//! let mut table = RouteTable::builder(1);
//! let listener = table.listener(Listener {
//!     hostname: Some("*.example.com".parse()?),
//!     ..Listener::new(gateway.clone(), "tls", 443, ListenerProtocol::TlsPassthrough)
//! });
//! let database = table.backend(Backend {
//!     service: ObjectName::new("default", "database"),
//!     port: 5432,
//!     protocol: BackendProtocol::default(),
//!     endpoints: [std::net::SocketAddr::from(([10, 0, 0, 7], 5432)).into()].into(),
//!     ..Backend::default()
//! });
//! let name = ObjectName::new("default", "database");
//! let rule = StreamRule {
//!     id: RuleName { route: RouteKey::new(RouteKind::Tls, name.clone()).into(), index: 0, name: None },
//!     backends: Backends::new([BackendRef { target: BackendTarget::Backend(database), weight: 1 }]),
//!     data: None,
//! };
//! let route = table.stream_route(Age::new(None, &name), rule);
//! table.attach_stream_to(route, [(listener, vec!["db.example.com".parse()?])]);
//! let table = table.build();
//!
//! let frontend = table.frontend(FrontendOwner::Gateway(&gateway), Transport::Tcp, 443).expect("it listens there");
//! // The server name of the ClientHello.
//! let matched = table.find_stream(frontend, Some(&Host::from_name("db.example.com")?))?;
//! let backend = table.stream_backend(matched, 17)?;
//! assert_eq!(table.backend(backend).endpoints[0].address().port(), 5432);
//! assert_eq!(table.find_stream(frontend, None), Err(NoStream::NoListener));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use super::listener::ListenerProtocol;
use super::{FrontendId, ListenerId, Part, RouteTable, Served, StreamRuleId};
use crate::hostname::Host;
use crate::name::BackendId;
use crate::rule::BackendTarget;

/// The decision for a connection, or for the first datagram of a flow: which rule takes it.
///
/// Holds positions in the table that made it; ask that table for the [listener](RouteTable::listener) and the
/// [rule](RouteTable::stream_rule).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MatchedStream {
    /// The listener that took it. Its protocol says whether TLS is terminated.
    pub listener: ListenerId,
    /// The rule.
    pub rule: StreamRuleId,
}

/// Why a connection or a datagram goes nowhere: a connection is to be closed or reset, a datagram dropped.
///
/// Displayed without the listeners, which are positions here; [`in_table`](Self::in_table) names them.
///
/// # Spec
/// [TLR-06](crate::spec#TLR-06), [TLR-07](crate::spec#TLR-07), [TCR-06](crate::spec#TCR-06), [UDR-04](crate::spec#UDR-04).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoStream {
    /// No listener of the port has the server name.
    #[error("no listener of this port has the server name")]
    NoListener,
    /// The listener takes requests: the connection is not passed on, but each of its requests is decided about.
    #[error("the listener takes requests")]
    Requests(ListenerId),
    /// The listener needs a server name to tell where a connection goes.
    #[error("the client has sent no server name")]
    NoServerName(ListenerId),
    /// No route that is attached to the listener takes it.
    #[error("no route that is attached to the listener takes it")]
    NoRule(ListenerId),
    /// All backends of the rule have the weight 0.
    #[error("the rule has no backend with a weight")]
    NoBackend,
    /// It fell to a reference that leads nowhere: its share is rejected.
    #[error("the reference to the backend that it fell to is invalid")]
    Unresolved {
        /// The rule.
        rule: StreamRuleId,
        /// The position of the reference in the rule, whose [`Backends`](crate::rule::Backends::unresolved) name it.
        position: u16,
    },
    /// The backend has no endpoint that is ready.
    #[error("the backend has no endpoints")]
    NoEndpoints(BackendId),
}

// === impl RouteTable ===

impl RouteTable {
    /// Finds the rule that takes a connection, or a flow of datagrams, which came in at `frontend`. Where that opens with TLS,
    /// `server_name` is that of the ClientHello; elsewhere nothing is looked at.
    ///
    /// Does not allocate and takes no lock; the cost does not depend on the number of routes.
    ///
    /// # Errors
    /// When none does.
    ///
    /// # Spec
    /// [HST-08](crate::spec#HST-08), [TLR-05](crate::spec#TLR-05), [TLR-06](crate::spec#TLR-06), [TLR-13](crate::spec#TLR-13),
    /// [TCR-03](crate::spec#TCR-03), [UDR-03](crate::spec#UDR-03).
    pub fn find_stream(
        &self,
        frontend: FrontendId,
        server_name: Option<&Host<'_>>,
    ) -> Result<MatchedStream, NoStream> {
        let frontend = self.frontends.get(frontend).ok_or(NoStream::NoListener)?;
        let id = frontend.best_listener(server_name).ok_or(NoStream::NoListener)?;
        let Served { listener, part, .. } = self.listeners.get(id.0).ok_or(NoStream::NoListener)?;
        let Part::Stream(part) = part else { return Err(NoStream::Requests(id)) };
        let server_name = match (&listener.protocol, server_name) {
            (ListenerProtocol::TlsTerminate(_) | ListenerProtocol::TlsPassthrough, None) => {
                return Err(NoStream::NoServerName(id));
            }
            (_, Some(server_name)) => server_name.as_str(),
            (_, None) => "",
        };
        // Some rule stands behind every hostname that is there.
        let rule = part.matching(server_name).next().and_then(|(_, rules)| rules.first().copied());
        Ok(MatchedStream { listener: id, rule: rule.ok_or(NoStream::NoRule(id))? })
    }

    /// The backend for a connection or a flow of datagrams; `random` is uniform over all of `u64`.
    ///
    /// # Errors
    /// When it fell to none that can take it.
    ///
    /// # Panics
    /// When `matched` is not of this table.
    ///
    /// # Spec
    /// [TLR-07](crate::spec#TLR-07), [TCR-06](crate::spec#TCR-06), [TCR-07](crate::spec#TCR-07), [UDR-04](crate::spec#UDR-04),
    /// [UDR-06](crate::spec#UDR-06), [HRB-20](crate::spec#HRB-20).
    pub fn stream_backend(&self, matched: MatchedStream, random: u64) -> Result<BackendId, NoStream> {
        match self.stream_rule(matched.rule).backends.pick(random) {
            Some((_, BackendTarget::Backend(id))) if self.backend(id).endpoints.is_empty() => {
                Err(NoStream::NoEndpoints(id))
            }
            Some((_, BackendTarget::Backend(id))) => Ok(id),
            Some((position, BackendTarget::Unresolved)) => {
                Err(NoStream::Unresolved { rule: matched.rule, position: position as u16 })
            }
            None => Err(NoStream::NoBackend),
        }
    }
}

// === impl NoStream ===

impl NoStream {
    /// Why, with the names of what it is about. `table` is the one that decided.
    pub fn in_table(self, table: &RouteTable) -> String {
        match self {
            Self::NoListener | Self::NoBackend => self.to_string(),
            Self::Unresolved { rule, position } => {
                match table.stream_rule(rule).backends.unresolved(position.into()) {
                    Some(name) => format!("the reference to {name} is invalid"),
                    None => self.to_string(),
                }
            }
            Self::Requests(id) => format!("listener {} takes requests", table.listener(id)),
            Self::NoServerName(id) => {
                format!("the client has sent no server name, and listener {} needs one", table.listener(id))
            }
            Self::NoRule(id) => {
                format!("no route that is attached to listener {} takes it", table.listener(id))
            }
            Self::NoEndpoints(id) => {
                let backend = table.backend(id);
                match &backend.hostname {
                    Some(hostname) => format!("{hostname} of {} has no address that is known", backend),
                    None => format!(
                        "port {} of {} {} has no endpoints",
                        backend.port, backend.kind, backend.service
                    ),
                }
            }
        }
    }
}
