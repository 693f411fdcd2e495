//! Faults with calls of gRPC: GRPCRoutes that are misread, requests that are taken for calls, and answers that come out wrong.

use std::sync::Arc;

use gateway_core::api::{AnyObject, GrpcMethodMatchType, GrpcRoute, GrpcRouteMatch, GrpcRouteRule};

use super::{Fault, Mutant};
use crate::case::{GrpcCode, Lines};
use crate::exchange::HttpAnswer;

pub(super) const MUTANTS: &[Mutant] = &[
    misread("the hostnames of a GRPCRoute are not looked at", |object| {
        on_route(object, |route| route.spec.hostnames.clear());
    }),
    misread("the service of a call is not looked at", |object| {
        on_matches(object, |entry| {
            if let Some(method) = &mut entry.method {
                method.service = None;
            }
        });
    }),
    misread("the method of a call is not looked at", |object| {
        on_matches(object, |entry| {
            if let Some(method) = &mut entry.method {
                method.method = None;
            }
        });
    }),
    misread("the headers of a call are not looked at", |object| {
        on_matches(object, |entry| entry.headers.clear());
    }),
    misread("expressions match a part of the method of a call", |object| {
        on_matches(object, |entry| {
            if let Some(method) = &mut entry.method
                && method.r#type == GrpcMethodMatchType::RegularExpression
            {
                method.method = method.method.as_ref().map(|pattern| format!(".*({pattern}).*"));
            }
        });
    }),
    misread("expressions for methods of calls are taken for names", |object| {
        on_matches(object, |entry| {
            if let Some(method) = &mut entry.method {
                method.r#type = GrpcMethodMatchType::Exact;
            }
        });
    }),
    misread("of the matches of a call only the first counts", |object| {
        on_rules(object, |rule| rule.matches.truncate(1));
    }),
    misread("the weights of the backends of a GRPCRoute are not looked at", |object| {
        on_rules(object, |rule| rule.backend_refs.iter_mut().for_each(|backend| backend.weight = 1));
    }),
    misread("the filters of a GRPCRoute are skipped", |object| {
        on_rules(object, |rule| rule.filters.clear());
    }),
    misread("the filters of the backends of a GRPCRoute are skipped", |object| {
        on_rules(object, |rule| rule.backend_refs.iter_mut().for_each(|backend| backend.filters.clear()));
    }),
    Mutant {
        name: "every request is taken for a call",
        fault: Fault::Request(|_, request| {
            let grpc = Lines::One("application/grpc".to_owned());
            request.headers.insert("content-type".to_owned(), grpc);
        }),
    },
    Mutant {
        name: "no request is taken for a call",
        fault: Fault::Request(|_, request| _ = request.headers.remove("content-type")),
    },
    Mutant {
        name: "a call that no rule serves is unavailable",
        fault: Fault::Code(GrpcCode::Unimplemented, GrpcCode::Unavailable),
    },
    Mutant {
        name: "a call whose backend is not there is unimplemented",
        fault: Fault::Code(GrpcCode::Unavailable, GrpcCode::Unimplemented),
    },
    Mutant {
        name: "the answer to a call has no code",
        fault: Fault::Answer(|answer| remove(answer, "grpc-status")),
    },
    Mutant {
        name: "the answer to a call has the content type of a text",
        fault: Fault::Answer(|answer| {
            if !answer.header("grpc-status").is_empty() {
                remove(answer, "content-type");
                answer.headers.push(("content-type".to_owned(), "text/plain".to_owned()));
            }
        }),
    },
];

const fn misread(name: &'static str, misread: fn(&mut AnyObject)) -> Mutant {
    Mutant { name, fault: Fault::Object(misread) }
}

fn on_route(object: &mut AnyObject, change: impl FnOnce(&mut GrpcRoute)) {
    if let AnyObject::GrpcRoute(route) = object {
        change(Arc::make_mut(route));
    }
}

fn on_rules(object: &mut AnyObject, change: impl Fn(&mut GrpcRouteRule)) {
    on_route(object, |route| route.spec.rules.iter_mut().for_each(change));
}

fn on_matches(object: &mut AnyObject, change: impl Fn(&mut GrpcRouteMatch)) {
    on_rules(object, |rule| rule.matches.iter_mut().for_each(&change));
}

fn remove(answer: &mut HttpAnswer, header: &str) {
    answer.headers.retain(|(name, _)| !name.eq_ignore_ascii_case(header));
}
