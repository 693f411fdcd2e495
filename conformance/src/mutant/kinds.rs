//! Faults with GRPCRoutes, TLSRoutes, TCPRoutes and UDPRoutes: objects that are misread, and statuses that come out wrong.
//!
//! Only engines that claim such kinds can have them.

use std::sync::Arc;

use gateway_core::api::{AnyObject, BackendRef, Listener, RouteStatus, Timestamp, TlsModeType};
use gateway_core::name::RouteKind;

use super::statuses::{always_true, listeners};
use super::{Fault, Mutant};

pub(super) const MUTANTS: &[Mutant] = &[
    object("the hostnames of a TLSRoute are not looked at", |object| {
        if let AnyObject::TlsRoute(route) = object {
            Arc::make_mut(route).spec.hostnames = vec!["*.com".to_owned(), "*.example".to_owned()];
        }
    }),
    object("the weights of streams are not looked at", |object| {
        backends_of_streams(object, |backends| backends.iter_mut().for_each(|backend| backend.weight = 1));
    }),
    object("all streams go to the first backend", |object| {
        backends_of_streams(object, |backends| backends.truncate(1));
    }),
    object("streams know no grants, and only backends of their namespace", |object| {
        backends_of_streams(object, |backends| {
            backends.iter_mut().for_each(|backend| backend.namespace = None)
        });
    }),
    object("of several streams the youngest has the traffic", |object| {
        if is_stream(object) {
            let created = &mut object.metadata_mut().creation_timestamp;
            let seconds = created.as_ref().and_then(Timestamp::unix_seconds);
            *created = seconds.map(|seconds| Timestamp::from_unix_seconds(i64::from(u32::MAX) - seconds));
        }
    }),
    object("TLS that should be terminated is passed through", |object| {
        tls_modes(object, TlsModeType::Passthrough);
    }),
    object("the hostnames of listeners for TLS are not looked at", |object| {
        of_listeners(object, |listener| {
            if listener.protocol == "TLS" {
                listener.hostname = None;
            }
        });
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
        if is_stream(object) {
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
            object.status_mut::<RouteStatus>().into_iter().flat_map(|status| &mut status.parents).for_each(
                |parent| {
                    parent.conditions.clear();
                },
            );
        }
    }),
];

/// Whether it is a Route for what is passed on as it comes.
fn is_stream(object: &AnyObject) -> bool {
    object.as_route().is_some_and(|route| match route.kind {
        RouteKind::Http | RouteKind::Grpc => false,
        RouteKind::Tls | RouteKind::Tcp | RouteKind::Udp => true,
    })
}

fn backends_of_streams(object: &mut AnyObject, change: fn(&mut Vec<BackendRef>)) {
    match object {
        AnyObject::TlsRoute(route) => {
            Arc::make_mut(route).spec.rules.iter_mut().for_each(|rule| change(&mut rule.backend_refs));
        }
        AnyObject::TcpRoute(route) => {
            Arc::make_mut(route).spec.rules.iter_mut().for_each(|rule| change(&mut rule.backend_refs));
        }
        AnyObject::UdpRoute(route) => {
            Arc::make_mut(route).spec.rules.iter_mut().for_each(|rule| change(&mut rule.backend_refs));
        }
        _ => {}
    }
}

pub(super) fn of_listeners(object: &mut AnyObject, change: impl FnMut(&mut Listener)) {
    match object {
        AnyObject::Gateway(gateway) => Arc::make_mut(gateway).spec.listeners.iter_mut().for_each(change),
        AnyObject::ListenerSet(set) => Arc::make_mut(set).spec.listeners.iter_mut().for_each(change),
        _ => {}
    }
}

fn tls_modes(object: &mut AnyObject, mode: TlsModeType) {
    of_listeners(object, |listener| {
        if listener.protocol == "TLS"
            && let Some(tls) = &mut listener.tls
        {
            tls.mode = mode.clone();
        }
    });
}

const fn object(name: &'static str, misread: fn(&mut AnyObject)) -> Mutant {
    Mutant { name, fault: Fault::Object(misread) }
}

const fn status(name: &'static str, change: fn(&mut AnyObject)) -> Mutant {
    Mutant { name, fault: Fault::Status(change) }
}
