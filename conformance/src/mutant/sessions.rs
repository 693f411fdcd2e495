//! Faults with sessions.

use std::sync::Arc;

use gateway_core::api::{
    AnyObject, CookieConfig, ServiceAffinity, SessionPersistence, SessionPersistenceType,
};

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
