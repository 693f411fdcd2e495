// The table of the examples in the documentation: the Gateway `default/gateway` with one listener on port 80, and one rule for
// paths under `/shop`, which go to the Service `default/shop` at 10.0.0.7:8080. Each example changes the rule as it needs.

fn table(
    change: impl FnOnce(&mut gateway_core::table::RouteTableBuilder, &mut gateway_core::rule::HttpRule),
) -> gateway_core::table::RouteTable {
    use gateway_core::name::{Age, ObjectName, RouteKey, RouteKind};
    use gateway_core::rule::{BackendRef, BackendTarget, Backends, HttpRule, RuleName};
    use gateway_core::table::{Listener, ListenerProtocol, RouteTable};

    let name = |name| ObjectName::new("default", name);
    let mut table = RouteTable::builder(1);
    let listener = table.listener(Listener::new(name("gateway"), "http", 80, ListenerProtocol::Http));
    let shop = BackendTarget::Backend(table.backend(backend("shop", 7)));
    let mut rule = HttpRule {
        backends: Backends::new([BackendRef { target: shop, weight: 1 }]),
        ..HttpRule::new(RuleName {
            route: RouteKey::new(RouteKind::Http, name("shop")).into(),
            index: 0,
            name: None,
        })
    };
    change(&mut table, &mut rule);
    let path = gateway_core::matching::PathMatch::prefix("/shop");
    let matches = [gateway_core::matching::HttpMatch { path, ..Default::default() }];
    let route = table.http_route(Age::new(None, &name("shop")), [(matches.into(), rule)]);
    table.attach(route, listener, &[]);
    table.build()
}

/// A Service with one endpoint, 10.0.0.x.
fn backend(service: &str, x: u8) -> gateway_core::rule::Backend {
    let address = std::net::SocketAddr::from(([10, 0, 0, x], 8080));
    gateway_core::rule::Backend {
        service: gateway_core::name::ObjectName::new("default", service),
        port: 80,
        protocol: gateway_core::rule::BackendProtocol::Http1,
        endpoints: [address.into()].into(),
        ..gateway_core::rule::Backend::default()
    }
}
