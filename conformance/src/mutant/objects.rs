//! Objects that are misread.

use std::sync::Arc;

use gateway_core::api::{
    AnyObject, FromNamespaces, HeaderMatchType, HttpHeaderFilter, HttpPathMatch, HttpPathModifierType,
    HttpRoute, HttpRouteFilter, HttpRouteRule, PathMatchType, QueryParamMatchType,
};

use super::{Fault, Mutant};

pub(super) const MUTANTS: &[Mutant] = &[
    object("a regular expression for a path need not match the whole path", |object| {
        patterns(object, |value| format!(".*(?:{value}).*"));
    }),
    object("only the ends of a path expression's alternatives are anchored", |object| {
        patterns(object, |value| match value.split_once('|') {
            Some((first, rest)) if !value.contains('(') => format!("{first}.*|.*{rest}"),
            Some(_) | None => value.to_owned(),
        });
    }),
    object("a regular expression for a path is compared as text", |object| {
        entries(object, |path| {
            if path.r#type == PathMatchType::RegularExpression {
                path.r#type = PathMatchType::Exact;
            }
        });
    }),
    object("a regular expression for a header need not match the whole value", |object| {
        rules(object, |rule| {
            for header in rule.matches.iter_mut().flat_map(|entry| &mut entry.headers) {
                if header.r#type == HeaderMatchType::RegularExpression {
                    header.value = format!(".*(?:{}).*", header.value);
                }
            }
        });
    }),
    object("a query parameter need only begin with the value", |object| {
        rules(object, |rule| {
            for param in rule.matches.iter_mut().flat_map(|entry| &mut entry.query_params) {
                if param.r#type == QueryParamMatchType::Exact {
                    param.r#type = QueryParamMatchType::RegularExpression;
                    param.value = format!("{}.*", param.value);
                }
            }
        });
    }),
    object("an exact path is taken for a prefix", |object| {
        entries(object, |path| {
            if path.r#type == PathMatchType::Exact {
                path.r#type = PathMatchType::PathPrefix;
            }
        });
    }),
    object("of several headers in a match only the first counts", |object| {
        rules(object, |rule| rule.matches.iter_mut().for_each(|entry| entry.headers.truncate(1)));
    }),
    object("of several query parameters in a match only the first counts", |object| {
        rules(object, |rule| rule.matches.iter_mut().for_each(|entry| entry.query_params.truncate(1)));
    }),
    object("of several matches in a rule only the first counts", |object| {
        rules(object, |rule| rule.matches.truncate(1));
    }),
    object("methods are not looked at", |object| {
        rules(object, |rule| rule.matches.iter_mut().for_each(|entry| entry.method = None));
    }),
    object("the age of Gateways does not matter, their names do", |object| {
        if let AnyObject::Gateway(gateway) = object {
            Arc::make_mut(gateway).metadata.creation_timestamp = Some("2020-01-01T00:00:00Z".into());
        }
    }),
    object("the hostnames of a route are not looked at", |object| {
        route(object, |route| route.spec.hostnames.clear());
    }),
    object("of several hostnames of a route only the first counts", |object| {
        route(object, |route| route.spec.hostnames.truncate(1));
    }),
    object("a route attaches to all listeners, whatever section it names", |object| {
        route(object, |route| {
            route.spec.parent_refs.iter_mut().for_each(|parent| parent.section_name = None)
        });
    }),
    object("a route attaches to all listeners, whatever port it names", |object| {
        route(object, |route| route.spec.parent_refs.iter_mut().for_each(|parent| parent.port = None));
    }),
    object("of several parents of a route only the first counts", |object| {
        route(object, |route| route.spec.parent_refs.truncate(1));
    }),
    object("listeners take routes from all namespaces", |object| {
        if let AnyObject::Gateway(gateway) = object {
            for listener in &mut Arc::make_mut(gateway).spec.listeners {
                listener.allowed_routes.namespaces.from = FromNamespaces::All;
            }
        }
    }),
    object("listeners take ListenerSets from all namespaces", |object| {
        if let AnyObject::Gateway(gateway) = object
            && let Some(allowed) = &mut Arc::make_mut(gateway).spec.allowed_listeners
        {
            allowed.namespaces.from = FromNamespaces::All;
        }
    }),
    object("labels and annotations of a Gateway's infrastructure go nowhere", |object| {
        if let AnyObject::Gateway(gateway) = object
            && let Some(infrastructure) = &mut Arc::make_mut(gateway).spec.infrastructure
        {
            infrastructure.labels.clear();
            infrastructure.annotations.clear();
        }
    }),
    object("the parameters of a Gateway are not looked at", |object| {
        if let AnyObject::Gateway(gateway) = object
            && let Some(infrastructure) = &mut Arc::make_mut(gateway).spec.infrastructure
        {
            infrastructure.parameters_ref = None;
        }
    }),
    object("an address that is asked for is reached from wherever it may be", |object| {
        if let AnyObject::Gateway(gateway) = object {
            Arc::make_mut(gateway).spec.addresses.iter_mut().for_each(|wanted| wanted.routability = None);
        }
    }),
    object("a grant for one name holds for all", |object| {
        if let AnyObject::ReferenceGrant(grant) = object {
            Arc::make_mut(grant).spec.to.iter_mut().for_each(|to| to.name = None);
        }
    }),
    object("a grant holds for every kind of route and Gateway", |object| {
        if let AnyObject::ReferenceGrant(grant) = object {
            let grant = Arc::make_mut(grant);
            let kinds = ["HTTPRoute", "Gateway", "ListenerSet"];
            let from = std::mem::take(&mut grant.spec.from);
            grant.spec.from = from
                .iter()
                .flat_map(|from| {
                    kinds.map(|kind| {
                        let mut from = from.clone();
                        from.kind = kind.to_owned();
                        from
                    })
                })
                .collect();
        }
    }),
    object("weights are not looked at", |object| backends(object, |weight| *weight = 1)),
    object("a weight of zero counts as one", |object| backends(object, |weight| *weight = (*weight).max(1))),
    object("a rule without backends goes to the backends of the next one", |object| {
        route(object, |route| {
            let fallback = route.spec.rules.iter().find(|rule| !rule.backend_refs.is_empty()).cloned();
            if let Some(fallback) = fallback {
                for rule in route.spec.rules.iter_mut().filter(|rule| rule.backend_refs.is_empty()) {
                    rule.backend_refs.clone_from(&fallback.backend_refs);
                }
            }
        });
    }),
    object("of several mirrors only the first gets a copy", |object| {
        rules(object, |rule| {
            let mut seen = false;
            rule.filters
                .retain(|filter| filter.request_mirror.is_none() || !std::mem::replace(&mut seen, true));
        });
    }),
    object("every request is mirrored, whatever share is asked for", |object| {
        filters(object, |filter| {
            if let Some(mirror) = &mut filter.request_mirror {
                mirror.percent = None;
                mirror.fraction = None;
            }
        });
    }),
    object("a request header that is added takes the place of those that are there", |object| {
        request_modifiers(object, |modifier| {
            let add = std::mem::take(&mut modifier.add);
            modifier.set.extend(add);
        });
    }),
    object("a request header that is set is added", |object| {
        request_modifiers(object, |modifier| {
            let set = std::mem::take(&mut modifier.set);
            modifier.add.extend(set);
        });
    }),
    object("request headers are not removed", |object| {
        request_modifiers(object, |modifier| modifier.remove.clear())
    }),
    object("response headers are not modified", |object| {
        rules(object, |rule| rule.filters.retain(|filter| filter.response_header_modifier.is_none()));
    }),
    object("filters of backends are passed over", |object| {
        rules(object, |rule| {
            rule.backend_refs.iter_mut().for_each(|backend| backend.filters = Box::default())
        });
    }),
    object("hosts are not rewritten", |object| {
        filters(object, |filter| {
            if let Some(rewrite) = &mut filter.url_rewrite {
                rewrite.hostname = None;
            }
        });
    }),
    object("paths are not rewritten", |object| {
        filters(object, |filter| {
            if let Some(rewrite) = &mut filter.url_rewrite {
                rewrite.path = None;
            }
        });
    }),
    object("a prefix that is replaced takes the rest of the path with it", |object| {
        filters(object, |filter| {
            let rewrite = filter.url_rewrite.as_mut().and_then(|rewrite| rewrite.path.as_mut());
            let redirect = filter.request_redirect.as_mut().and_then(|redirect| redirect.path.as_mut());
            for path in rewrite.into_iter().chain(redirect) {
                if let Some(prefix) = path.replace_prefix_match.take() {
                    path.r#type = HttpPathModifierType::ReplaceFullPath;
                    path.replace_full_path = Some(prefix);
                }
            }
        });
    }),
    object("a redirect keeps the path", |object| {
        filters(object, |filter| {
            if let Some(redirect) = &mut filter.request_redirect {
                redirect.path = None;
            }
        });
    }),
    object("a redirect keeps the port of the listener, whatever its scheme", |object| {
        filters(object, |filter| {
            if let Some(redirect) = &mut filter.request_redirect {
                redirect.port = redirect.port.or(Some(8080));
            }
        });
    }),
    object("every redirect is permanent", |object| {
        filters(object, |filter| {
            if let Some(redirect) = &mut filter.request_redirect {
                redirect.status_code = 301;
            }
        });
    }),
    object("timeouts are not looked at", |object| rules(object, |rule| rule.timeouts = None)),
    object("nothing is tried again", |object| rules(object, |rule| rule.retry = None)),
    object("a rule that turns retries off is tried again once", |object| {
        rules(object, |rule| {
            if let Some(retry) = &mut rule.retry {
                retry.attempts = retry.attempts.max(1);
            }
        });
    }),
    object("without codes nothing is tried again", |object| {
        rules(object, |rule| rule.retry = rule.retry.take().filter(|retry| !retry.codes.is_empty()));
    }),
    object("a request is tried once more than it may be", |object| {
        rules(object, |rule| {
            if let Some(retry) = &mut rule.retry {
                retry.attempts += 1;
            }
        });
    }),
    object("a backend has no path of its own", |object| {
        rules(object, |rule| {
            for backend in &mut rule.backend_refs {
                let filters = backend.filters.iter().filter(|filter| filter.url_rewrite.is_none());
                backend.filters = filters.cloned().collect();
            }
        });
    }),
    object("CORS allows every origin", |object| {
        filters(object, |filter| {
            if let Some(cors) = &mut filter.cors {
                cors.allow_origins = vec!["*".to_owned()];
            }
        });
    }),
    object("CORS allows credentials always", |object| {
        filters(object, |filter| {
            if let Some(cors) = &mut filter.cors {
                cors.allow_credentials = Some(true);
            }
        });
    }),
    object("CORS filters are passed over", |object| {
        rules(object, |rule| rule.filters.retain(|filter| filter.cors.is_none()));
    }),
];

const fn object(name: &'static str, misread: fn(&mut AnyObject)) -> Mutant {
    Mutant { name, fault: Fault::Object(misread) }
}

fn route(object: &mut AnyObject, change: impl FnOnce(&mut HttpRoute)) {
    if let AnyObject::HttpRoute(route) = object {
        change(Arc::make_mut(route));
    }
}

fn rules(object: &mut AnyObject, change: impl FnMut(&mut HttpRouteRule)) {
    route(object, |route| route.spec.rules.iter_mut().for_each(change));
}

fn entries(object: &mut AnyObject, mut change: impl FnMut(&mut HttpPathMatch)) {
    rules(object, |rule| rule.matches.iter_mut().for_each(|entry| change(&mut entry.path)));
}

fn patterns(object: &mut AnyObject, change: impl Fn(&str) -> String) {
    entries(object, |path| {
        if path.r#type == PathMatchType::RegularExpression {
            path.value = change(&path.value).into();
        }
    });
}

fn backends(object: &mut AnyObject, mut change: impl FnMut(&mut i32)) {
    rules(object, |rule| rule.backend_refs.iter_mut().for_each(|backend| change(&mut backend.weight)));
}

fn filters(object: &mut AnyObject, mut change: impl FnMut(&mut HttpRouteFilter)) {
    rules(object, |rule| rule.filters.iter_mut().for_each(&mut change));
}

fn request_modifiers(object: &mut AnyObject, mut change: impl FnMut(&mut HttpHeaderFilter)) {
    filters(object, |filter| {
        if let Some(modifier) = &mut filter.request_header_modifier {
            change(modifier);
        }
    });
}
