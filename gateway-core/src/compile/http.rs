//! HTTPRoutes into the table: each with its rules, attached to the listeners that are served and let it in.

use super::Listeners;
use crate::attach::AttachedHttpRoute;
use crate::table::RouteTableBuilder;

/// Adds the routes to the table.
///
/// A route of which no rule is valid is not accepted, and yet those of its rules are added that fail their requests:
/// leaving them out would hand the requests to a route without the filter that could not be made.
///
/// # Spec
/// RTE-22, FLT-05, AMB-38, AMB-62.
pub(crate) fn http_routes(
    routes: Vec<AttachedHttpRoute>,
    listeners: &Listeners,
    table: &mut RouteTableBuilder,
) {
    for route in routes {
        let served: Vec<_> = route
            .parents
            .iter()
            .flat_map(|parent| parent.listeners.iter().flatten())
            .filter_map(|attached| Some((listeners.get(attached.listener)?, &attached.hostnames)))
            .collect();
        if served.is_empty() {
            continue;
        }
        let rules = route.rules.into_iter().map(|rule| (rule.matches, rule.rule));
        let id = table.http_route(route.age, rules);
        for (listener, hostnames) in served {
            table.attach(id, listener, hostnames);
        }
    }
}
