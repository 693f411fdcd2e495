//! Faults with GRPCRoutes, TLSRoutes, TCPRoutes and UDPRoutes: objects that are misread, and statuses that come out wrong.
//!
//! Only engines that claim such kinds can have them.

use std::sync::Arc;

use gateway_core::api::{AnyObject, RouteStatus};

use super::statuses::{always_true, listeners};
use super::{Fault, Mutant};

pub(super) const MUTANTS: &[Mutant] = &[
    object("the hostnames of a TLSRoute are not looked at", |object| {
        if let AnyObject::TlsRoute(route) = object {
            Arc::make_mut(route).spec.hostnames = vec!["*.com".to_owned(), "*.example".to_owned()];
        }
    }),
    status("every listener accepts streams", |object| {
        if let AnyObject::TcpRoute(_) | AnyObject::UdpRoute(_) = object {
            always_true(object, "Accepted");
        }
    }),
    status("every listener accepts TLSRoutes", |object| {
        if let AnyObject::TlsRoute(_) = object {
            always_true(object, "Accepted");
        }
    }),
    status("every reference of a stream resolves", |object| {
        if let AnyObject::TlsRoute(_) | AnyObject::TcpRoute(_) | AnyObject::UdpRoute(_) = object {
            always_true(object, "ResolvedRefs");
        }
    }),
    status("of several streams on one listener only the one with the traffic is counted", |object| {
        listeners(object, |listener| {
            if listener.supported_kinds.iter().any(|it| ["TCPRoute", "UDPRoute"].contains(&it.kind.as_str()))
            {
                listener.attached_routes = listener.attached_routes.min(1);
            }
        });
    }),
    status("TLSRoutes are not counted", |object| {
        listeners(object, |listener| {
            if listener.supported_kinds.iter().any(|it| it.kind == "TLSRoute") {
                listener.attached_routes = 0;
            }
        });
    }),
    status("the entries of GRPCRoutes say nothing", |object| {
        if let AnyObject::GrpcRoute(_) = object {
            route_status(object).into_iter().flat_map(|status| &mut status.parents).for_each(|parent| {
                parent.conditions.clear();
            });
        }
    }),
];

const fn object(name: &'static str, misread: fn(&mut AnyObject)) -> Mutant {
    Mutant { name, fault: Fault::Object(misread) }
}

const fn status(name: &'static str, change: fn(&mut AnyObject)) -> Mutant {
    Mutant { name, fault: Fault::Status(change) }
}

/// The status of a route of any kind.
pub(super) fn route_status(object: &mut AnyObject) -> Option<&mut RouteStatus> {
    match object {
        AnyObject::HttpRoute(route) => Some(&mut Arc::make_mut(route).status),
        AnyObject::GrpcRoute(route) => Some(&mut Arc::make_mut(route).status),
        AnyObject::TlsRoute(route) => Some(&mut Arc::make_mut(route).status),
        AnyObject::TcpRoute(route) => Some(&mut Arc::make_mut(route).status),
        AnyObject::UdpRoute(route) => Some(&mut Arc::make_mut(route).status),
        _ => None,
    }
}
