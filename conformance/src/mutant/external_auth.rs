//! Faults with authorization services.

use std::sync::Arc;

use gateway_core::api::{AnyObject, HttpExternalAuthFilter, HttpRouteFilter};

use super::kinds::of_listeners;
use super::{Fault, Mutant};

pub(super) const MUTANTS: &[Mutant] = &[
    object("no service is asked about the requests of a rule", |object| {
        lists(object, |filters| filters.retain(|filter| filter.external_auth.is_none()));
    }),
    object("no service is asked about the requests of a listener", |object| {
        of_listeners(object, |listener| {
            if let Some(filters) = &mut listener.filters {
                filters.requests.retain(|filter| filter.external_auth.is_none());
            }
        });
    }),
    object("what cannot be asked about is forwarded", |object| {
        const WITHOUT_ENDPOINTS: [&str; 2] = ["absent", "silent"];
        lists(object, |filters| {
            filters.retain(|filter| {
                let asked = filter.external_auth.as_ref().map(|auth| &*auth.backend_ref.name);
                asked.is_none_or(|name| !WITHOUT_ENDPOINTS.contains(&name))
            });
        });
    }),
    object("a service is asked before the filters that stand before it", |object| {
        lists(object, |filters| {
            filters.sort_by_key(|filter| filter.external_auth.is_none());
        });
    }),
    object("a service over HTTP sets no headers", |object| {
        filters(object, |auth| {
            if let Some(http) = &mut auth.http {
                http.allowed_response_headers.clear();
            }
        });
    }),
    object("a service over HTTP is asked about the path of the request alone", |object| {
        filters(object, |auth| {
            if let Some(http) = &mut auth.http {
                http.path = None;
            }
        });
    }),
    object("a service over HTTP is told no headers", |object| {
        filters(object, |auth| {
            if let Some(http) = &mut auth.http {
                http.allowed_headers.clear();
            }
        });
    }),
    object("a service over gRPC is told all headers", |object| {
        filters(object, |auth| {
            if let Some(grpc) = &mut auth.grpc {
                grpc.allowed_headers.clear();
            }
        });
    }),
    object("a service is asked about bodies that are too long for it", |object| {
        filters(object, |auth| auth.forward_body = None);
    }),
];

/// The lists of filters that rules of HTTPRoutes have.
fn lists(object: &mut AnyObject, change: impl Fn(&mut Vec<HttpRouteFilter>)) {
    if let AnyObject::HttpRoute(route) = object {
        Arc::make_mut(route).spec.rules.iter_mut().for_each(|rule| change(&mut rule.filters));
    }
}

/// The filters that ask, of rules and of listeners.
fn filters(object: &mut AnyObject, change: fn(&mut HttpExternalAuthFilter)) {
    lists(object, |filters| {
        filters.iter_mut().filter_map(|filter| filter.external_auth.as_deref_mut()).for_each(change);
    });
    of_listeners(object, |listener| {
        let filters = listener.filters.iter_mut().flat_map(|filters| &mut filters.requests);
        filters.filter_map(|filter| filter.external_auth.as_mut()).for_each(change);
    });
}

const fn object(name: &'static str, misread: fn(&mut AnyObject)) -> Mutant {
    Mutant { name, fault: Fault::Object(misread) }
}
