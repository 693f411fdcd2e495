//! GRPCRoutes.

use ::http::Method;

use super::*;

fn grpc_route(name: &str, rules: &str) -> String {
    route("GRPCRoute", name, &format!("parentRefs: [{{name: gw}}], rules: [{rules}]"))
}

const ONE: &str = "backendRefs: [{name: one, port: 80}]";

#[test]
fn the_most_specific_method_serves_a_call() {
    let rule = |entry: &str| format!("{{matches: [{entry}], {ONE}}}");
    let objects = [
        grpc_route("any", &format!("{{{ONE}}}")),
        grpc_route("service", &rule("{method: {service: shop.Cart}}")),
        grpc_route("method", &rule("{method: {method: Add}}")),
        grpc_route("both", &rule("{method: {service: shop.Cart, method: Add}}")),
        grpc_route(
            "header",
            &rule("{method: {service: shop.Cart, method: Add}, headers: [{name: x, value: one}]}"),
        ),
        grpc_route("expression", &rule("{method: {type: RegularExpression, service: \"bank[.].*\"}}")),
        grpc_route(
            "unknown",
            &rule("{method: {service: shop.Cart}, headers: [{type: Odd, name: x, value: one}]}"),
        ),
    ];
    let resources = resources(HTTP, &objects.each_ref().map(String::as_str));
    let rows: [(&str, &str, &str); 7] = [
        // GRP-07: (3) service, (4) method, (5) headers.
        ("/shop.Cart/Add", "two", "both"),
        ("/shop.Cart/Add", "one", "header"),
        ("/shop.Cart/Remove", "two", "service"),
        ("/shop.Order/Add", "two", "method"),
        // GRP-02
        ("/shop.Order/Remove", "two", "any"),
        ("/bank.Money/Move", "two", "expression"),
        // GRP-03: case matters.
        ("/shop.cart/add", "two", "any"),
    ];
    for (path, x, expected) in rows {
        assert_eq!(served(&resources, "any.test", path, &[GRPC, ("x", x)]), expected, "{path} {x}");
    }
    // GRP-13: what is no call is not for GRPCRoutes. GRP-16: `unknown` has served nothing above.
    assert_eq!(served(&resources, "any.test", "/shop.Cart/Add", &[]), "404");
}

#[test]
fn calls_that_nobody_serves_get_a_status_of_grpc() {
    let method = |method: &str| format!("matches: [{{method: {{method: {method}}}}}]");
    let rules = [
        format!("{{{}, backendRefs: [{{name: missing, port: 80}}]}}", method("Invalid")),
        format!("{{{}}}", method("None")),
    ];
    let http = "parentRefs: [{name: gw}], rules: [{matches: [{path: {value: /shop.Cart/Http}}], \
        backendRefs: [{name: one, port: 80}]}]";
    let objects = [grpc_route("calls", &rules.join(", ")), route("HTTPRoute", "web", http)];
    let resources = resources(HTTP, &objects.each_ref().map(String::as_str));
    let status = |path: &str| {
        let mut call = arrival("any.test", path, &[GRPC]);
        *call.request.method_mut() = Method::POST;
        match reference(&resources).answer(&call).effect {
            Effect::Answered(reply) => (reply.status.as_u16(), reply.headers["grpc-status"].concat()),
            Effect::Forwarded(forwarded) => (0, forwarded.to.service.name.to_string()),
            Effect::Asks(asked) => panic!("{asked:?}"),
        }
    };
    // GRP-11, GRP-12, GRP-10 with AMB-64, AMB-40.
    assert_eq!(status("/shop.Cart/Invalid"), (200, "14".to_owned()));
    assert_eq!(status("/shop.Cart/None"), (200, "12".to_owned()));
    assert_eq!(status("/shop.Cart/Other"), (200, "12".to_owned()));
    assert_eq!(status("/shop.Cart/Http"), (0, "one".to_owned()));
}
