//! Tables for what is passed on as it comes, and servers with them.

use std::net::SocketAddr;
use std::sync::Arc;

use gateway_core::name::{Age, ObjectName, RouteKey, RouteKind};
use gateway_core::rule::{
    Backend, BackendProtocol, BackendRef, BackendTarget, BackendTls, Backends, RuleName, StreamRule,
};
use gateway_core::table::{Listener, ListenerId, ListenerProtocol, RouteTable, RouteTableBuilder};
use gateway_tower::serve::ServeOptions;
use gateway_tower::upstream::Upstream;
use gateway_tower::{Connection, Gateway, TableHandle};

use crate::world::{World, gateway_name};

/// A table for streams in the making.
pub(crate) struct Streams {
    pub(crate) builder: RouteTableBuilder,
}

impl Streams {
    pub(crate) fn new(generation: u64) -> Self {
        Self { builder: RouteTable::builder(generation) }
    }

    pub(crate) fn listener(&mut self, port: u16, hostname: &str, protocol: ListenerProtocol) -> ListenerId {
        self.builder.listener(Listener {
            hostname: (!hostname.is_empty()).then(|| hostname.parse().expect(hostname)),
            ..Listener::new(gateway_name(), format!("{port}-{hostname}"), port, protocol)
        })
    }

    pub(crate) fn backend(&mut self, endpoints: &[SocketAddr]) -> BackendTarget {
        self.backend_with(endpoints, None)
    }

    /// One that is spoken to within TLS.
    pub(crate) fn backend_within_tls(&mut self, endpoint: SocketAddr, tls: BackendTls) -> BackendTarget {
        self.backend_with(&[endpoint], Some(tls.into()))
    }

    fn backend_with(&mut self, endpoints: &[SocketAddr], tls: Option<Arc<BackendTls>>) -> BackendTarget {
        BackendTarget::Backend(self.builder.backend(Backend {
            service: ObjectName::new("default", "backend"),
            port: 80,
            protocol: BackendProtocol::default(),
            tls,
            endpoints: endpoints.iter().copied().map(Into::into).collect(),
            ..Backend::default()
        }))
    }

    /// A route to these, by their weights.
    pub(crate) fn route(&mut self, listener: ListenerId, hostnames: &[&str], to: &[(BackendTarget, u32)]) {
        let name = ObjectName::new("default", format!("route-{}", hostnames.concat()));
        let refs = to.iter().map(|(target, weight)| BackendRef { target: *target, weight: *weight });
        let rule = StreamRule {
            id: RuleName { route: RouteKey::new(RouteKind::Tcp, name.clone()).into(), index: 0, name: None },
            backends: Backends::new(refs),
            data: None,
        };
        let route = self.builder.stream_route(Age::new(None, &name), rule);
        let hostnames = hostnames.iter().map(|text| text.parse().expect(text)).collect();
        self.builder.attach_stream_to(route, [(listener, hostnames)]);
    }

    /// A server with this table.
    pub(crate) async fn start(self, options: ServeOptions) -> World {
        let tables = TableHandle::new(self.builder.build());
        let gateway = Gateway::new(tables.clone(), Upstream::default());
        World::serving(tables, options, move |connection: Arc<Connection>| gateway.clone().on(connection))
            .await
    }
}

/// A server that passes what comes to port 81 on to these endpoints.
pub(crate) async fn tcp(endpoints: &[SocketAddr], options: ServeOptions) -> World {
    let mut table = Streams::new(1);
    let listener = table.listener(81, "", ListenerProtocol::Tcp);
    let backend = table.backend(endpoints);
    table.route(listener, &[], &[(backend, 1)]);
    table.start(options).await
}
