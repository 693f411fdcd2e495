//! Faults with sessions, and with what else policies say of traffic to backends.

use std::sync::Arc;

use gateway_core::api::{
    AnyObject, BackendTrafficPolicySpec, CookieConfig, ServiceAffinity, SessionPersistence,
    SessionPersistenceType, Timestamp,
};

use super::statuses::always_true;
use super::{Fault, Mutant};
use crate::exchange::HttpAnswer;

pub(super) const MUTANTS: &[Mutant] = &[
    object("no sessions are kept", |object| {
        if let AnyObject::HttpRoute(route) = object {
            let rules = &mut Arc::make_mut(route).spec.rules;
            rules.iter_mut().for_each(|rule| rule.session_persistence = None);
        }
    }),
    object("no sessions of calls are kept", |object| {
        if let AnyObject::GrpcRoute(route) = object {
            let rules = &mut Arc::make_mut(route).spec.rules;
            rules.iter_mut().for_each(|rule| rule.session_persistence = None);
        }
    }),
    object("sessions are never over", |object| sessions(object, |session| session.absolute_timeout = None)),
    object("the cookies of sessions are for all paths", |object| {
        sessions(object, |session| {
            if let Some(cookie) = &mut session.cookie {
                cookie.path = "/".to_owned();
            }
        });
    }),
    object("the headers of sessions are taken for cookies", |object| {
        sessions(object, |session| {
            if let Some(header) = session.header.take() {
                session.r#type = SessionPersistenceType::Cookie;
                session.cookie = Some(CookieConfig { name: Some(header.name), ..CookieConfig::default() });
            }
        });
    }),
    object("the sessions of policies are not kept", |object| {
        traffic_policy(object, |spec| spec.session_persistence = None);
    }),
    object("retry budgets are not looked at", |object| {
        traffic_policy(object, |spec| spec.retry_constraint = None);
    }),
    object("what is allowed in any case is not looked at", |object| {
        traffic_policy(object, |spec| {
            if let Some(constraint) = &mut spec.retry_constraint {
                constraint.min_retry_rate.count = Some(1_000_000);
            }
        });
    }),
    object("of several policies for one Service the youngest holds", |object| {
        if let AnyObject::XBackendTrafficPolicy(policy) = object {
            let created = &mut Arc::make_mut(policy).metadata.creation_timestamp;
            let seconds = created.as_ref().and_then(Timestamp::unix_seconds);
            *created = seconds.map(|seconds| Timestamp::from_unix_seconds(i64::from(u32::MAX) - seconds));
        }
    }),
    Mutant {
        name: "every policy for traffic is accepted",
        fault: Fault::Status(|object| {
            if let AnyObject::XBackendTrafficPolicy(_) = object {
                always_true(object, "Accepted");
            }
        }),
    },
    object("the affinity of Services is not looked at", |object| {
        if let AnyObject::Service(service) = object {
            Arc::make_mut(service).spec.session_affinity = ServiceAffinity::None;
        }
    }),
    Mutant {
        name: "the cookies of clients are not looked at",
        fault: Fault::Request(|_, request| drop(request.headers.remove("Cookie"))),
    },
    answer("the cookies of sessions may be sent anywhere", |answer| {
        set_cookies(answer, |line| line.replace("; SameSite=Strict", ""));
    }),
    answer("the cookies of sessions that begin over HTTPS are sent without", |answer| {
        set_cookies(answer, |line| line.replace("; Secure", ""));
    }),
    answer("a session begins with every answer", |answer| {
        if answer.status == 200 {
            let cookies = ["cart=1; Path=/; HttpOnly; SameSite=Strict", "long=1; Path=/long; HttpOnly"];
            let lines = cookies.map(|cookie| ("set-cookie".to_owned(), cookie.to_owned()));
            answer.headers.extend(lines);
        }
    }),
];

fn sessions(object: &mut AnyObject, change: impl Fn(&mut SessionPersistence)) {
    let change = |session: &mut Option<Box<SessionPersistence>>| session.iter_mut().for_each(|it| change(it));
    match object {
        AnyObject::HttpRoute(route) => {
            let rules = &mut Arc::make_mut(route).spec.rules;
            rules.iter_mut().for_each(|rule| change(&mut rule.session_persistence));
        }
        AnyObject::GrpcRoute(route) => {
            let rules = &mut Arc::make_mut(route).spec.rules;
            rules.iter_mut().for_each(|rule| change(&mut rule.session_persistence));
        }
        _ => {}
    }
}

fn traffic_policy(object: &mut AnyObject, change: impl FnOnce(&mut BackendTrafficPolicySpec)) {
    if let AnyObject::XBackendTrafficPolicy(policy) = object {
        change(&mut Arc::make_mut(policy).spec);
    }
}

fn set_cookies(answer: &mut HttpAnswer, change: fn(&str) -> String) {
    for (_, line) in answer.headers.iter_mut().filter(|(name, _)| name == "set-cookie") {
        *line = change(line);
    }
}

const fn object(name: &'static str, misread: fn(&mut AnyObject)) -> Mutant {
    Mutant { name, fault: Fault::Object(misread) }
}

const fn answer(name: &'static str, change: fn(&mut HttpAnswer)) -> Mutant {
    Mutant { name, fault: Fault::Answer(change) }
}
