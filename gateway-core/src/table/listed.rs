//! Everything behind a listener, written down in the order in which one thing goes before another.
//!
//! [Explanations](super::Explanation) show it for one request; this is for those who compare two tables, or look for what no request
//! comes to. What is listed stands in the index that requests are decided by.

use std::cmp::Reverse;
use std::fmt;
use std::sync::Arc;

use super::candidate::Candidate;
use super::explain::place;
use super::host_routes::{Observer, hostname_specificity};
use super::hostname_map::FoundBy;
use super::indexed::{Indexed, PathStep, Place};
use super::{ListenerId, Part, RouteTable, RuleId, Served, StreamRuleId};
use crate::hostname::Hostname;
use crate::matching::{Conditions, Unmet};

/// A match entry behind a hostname of a listener.
///
/// Displayed as what it asks for besides the host, as in `PathPrefix /cart, method is GET`. Two of one kind of Route that are displayed
/// alike ask for the same.
#[derive(Clone, Debug)]
pub struct ListedMatch {
    /// The hostname by which its route serves requests; `None` for a route without hostnames.
    pub hostname: Option<Hostname>,
    /// Its condition on the path, as in `PathPrefix /cart`; that on service and method of a call, as in `Exact shop.Cart/*`.
    pub path: String,
    /// A path that meets that condition; nothing, where an expression is asked for.
    pub example: Option<String>,
    /// What it asks for besides; nothing, for most.
    pub conditions: Option<Arc<Conditions>>,
    /// Its rule.
    pub rule: RuleId,
    /// Which of the rule's `matches` it is, from 0.
    pub entry: u16,
}

/// The rule for streams or datagrams behind a hostname of a listener.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedStream {
    /// The hostname by which its route takes connections; `None` for a route without hostnames.
    pub hostname: Option<Hostname>,
    /// The rule that takes them.
    pub rule: StreamRuleId,
}

/// Writes down everything that it is shown.
#[derive(Default)]
struct Lister {
    hostname: Option<Hostname>,
    listed: Vec<(Place, ListedMatch)>,
}

// === impl RouteTable ===

impl RouteTable {
    /// The match entries behind a listener: those of GRPCRoutes first, each hostname's together, in the order of precedence. Of those
    /// with the same hostname that are displayed alike only the first is ever chosen.
    ///
    /// # Panics
    /// When nothing here has this number: an id is good for its own table, and those that share what it names.
    ///
    /// # Spec
    /// [HST-14](crate::spec#HST-14), [HRM-20](crate::spec#HRM-20) to [HRM-23](crate::spec#HRM-23), [GRP-07](crate::spec#GRP-07),
    /// [AMB-40](crate::choices#AMB-40).
    pub fn matches(&self, listener: ListenerId) -> Vec<ListedMatch> {
        let mut lister = Lister::default();
        match self.part(listener) {
            Part::Http(part) => part.show(&mut lister),
            Part::Stream(_) => {}
        }
        let Lister { mut listed, hostname: _ } = lister;
        self.sort(&mut listed, |listed| listed.rule);
        // Hostnames that are equally specific are told apart here only.
        listed.sort_by_cached_key(|(place, listed)| {
            let hostname = listed.hostname.as_ref();
            let specificity = Reverse(hostname_specificity(hostname));
            (matches!(place, Place::Request(_)), specificity, hostname.map(ToString::to_string))
        });
        listed.into_iter().map(|(_, listed)| listed).collect()
    }

    /// The rules for streams and datagrams behind a listener, one for each hostname, in no order.
    ///
    /// # Panics
    /// When nothing here has this number: an id is good for its own table, and those that share what it names.
    ///
    /// # Spec
    /// [TLR-05](crate::spec#TLR-05), [TCR-03](crate::spec#TCR-03), [UDR-03](crate::spec#UDR-03).
    pub fn streams(&self, listener: ListenerId) -> Vec<ListedStream> {
        match self.part(listener) {
            Part::Http(_) => Vec::new(),
            Part::Stream(part) => {
                let listed = part.iter().filter_map(|(hostname, rules)| {
                    Some(ListedStream { hostname: hostname.hostname(), rule: *rules.first()? })
                });
                listed.collect()
            }
        }
    }

    fn part(&self, listener: ListenerId) -> &Part {
        let Served { part, .. } = self.listeners.get(listener.0).expect("the listener is of this table");
        part
    }
}

// === impl Lister ===

impl Observer for Lister {
    fn hostname(&mut self, found_by: FoundBy<'_>) {
        self.hostname = found_by.hostname();
    }

    fn group<M: Indexed>(&mut self, path: PathStep<'_, M::Expression>, candidates: &[Candidate]) {
        for candidate in candidates {
            let listed = ListedMatch {
                hostname: self.hostname.clone(),
                path: M::describe(path),
                example: M::example(path),
                conditions: candidate.conditions.clone(),
                rule: candidate.rule,
                entry: candidate.entry,
            };
            self.listed.push((place::<M>(self.hostname.as_ref(), path, candidate), listed));
        }
    }
}

// === impl ListedMatch ===

impl fmt::Display for ListedMatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path)?;
        let Some(conditions) = self.conditions.as_deref() else { return Ok(()) };
        let method = conditions.method().map(Unmet::Method);
        let headers = conditions.headers().iter().map(Unmet::Header);
        let params = conditions.query_params().iter().map(Unmet::QueryParam);
        let mut all: Vec<String> =
            method.into_iter().chain(headers).chain(params).map(|condition| condition.to_string()).collect();
        // In whichever order they are written.
        all.sort();
        all.iter().try_for_each(|condition| write!(f, ", {condition}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hostname::Host;
    use crate::matching::{HeaderMatch, HttpMatch, PathMatch, RequestHead, ValueMatch};
    use crate::name::{Age, ObjectName, RouteKey, RouteKind};
    use crate::rule::{HttpRule, RuleName};
    use crate::table::{FrontendOwner, Listener, ListenerProtocol, Transport};
    use http::{HeaderMap, Method, header};

    fn rule(route: &ObjectName, index: u16) -> HttpRule {
        let route = RouteKey::new(RouteKind::Http, route.clone()).into();
        HttpRule::new(RuleName { route, index, name: None })
    }

    fn entry(path: PathMatch, method: Option<Method>, headers: &[(&str, &str)]) -> HttpMatch {
        let headers = headers.iter().map(|(name, value)| HeaderMatch {
            name: name.parse().unwrap(),
            value: ValueMatch::exact(value),
        });
        HttpMatch { path, conditions: Conditions::new(method, headers, []) }
    }

    // HST-14, HRM-20, HRM-22, HRM-23
    #[test]
    fn a_listener_is_listed_in_the_order_of_precedence_and_the_first_of_those_alike_is_chosen() {
        let gateway = ObjectName::new("default", "web");
        let mut table = RouteTable::builder(1);
        let listener = table.listener(Listener::new(gateway.clone(), "http", 80, ListenerProtocol::Http));
        let regex = PathMatch::Regex("/[a-z]+".parse().unwrap());
        let (shop, late) = (ObjectName::new("default", "a"), ObjectName::new("default", "b"));
        let of_shop: [Box<[HttpMatch]>; 3] = [
            [entry(PathMatch::prefix("/"), None, &[])].into(),
            [entry(regex, None, &[]), entry(PathMatch::Exact("/cart".into()), None, &[])].into(),
            [entry(PathMatch::prefix("/"), Some(Method::GET), &[("y", "2"), ("accept", "1")])].into(),
        ];
        let rules = of_shop.into_iter().zip(0..).map(|(matches, index)| (matches, rule(&shop, index)));
        let first = table.http_route(Age::new(None, &shop), rules);
        table.attach(first, listener, &["b.example".parse().unwrap(), "a.example".parse().unwrap()]);
        let alike = [entry(PathMatch::prefix("/"), Some(Method::GET), &[("accept", "1"), ("y", "2")])];
        let second = table.http_route(Age::new(None, &late), [(alike.into(), rule(&late, 0))]);
        table.attach(second, listener, &["a.example".parse().unwrap(), "*.example".parse().unwrap()]);
        let table = table.build();

        let listed = table.matches(listener);
        let lines: Vec<_> = listed
            .iter()
            .map(|listed| {
                let hostname = listed.hostname.as_ref().expect("each has one");
                format!("{hostname} {listed} → {} {}", table.rule(listed.rule).id, listed.entry)
            })
            .collect();
        let with_conditions = "PathPrefix /, header accept is \"1\", header y is \"2\", method is GET";
        let of_host = |host: &str, late: &[&str]| {
            let mut lines = vec![
                format!("{host} Exact /cart → default/a/1 1"),
                format!("{host} RegularExpression /[a-z]+ → default/a/1 0"),
                format!("{host} {with_conditions} → default/a/2 0"),
            ];
            lines.extend(late.iter().map(|rule| format!("{host} {with_conditions} → {rule}")));
            lines.push(format!("{host} PathPrefix / → default/a/0 0"));
            lines
        };
        let expected = [
            of_host("a.example", &["default/b/0 0"]),
            of_host("b.example", &[]),
            vec![format!("*.example {with_conditions} → default/b/0 0")],
        ];
        assert_eq!(lines, expected.concat());

        // Each but the second of those alike is what its own example comes to.
        let frontend = table.frontend(FrontendOwner::Gateway(&gateway), Transport::Tcp, 80).unwrap();
        for (position, listed) in listed.iter().enumerate() {
            let Some(path) = &listed.example else { continue };
            let hostname = listed.hostname.as_ref().unwrap().to_string().replace('*', "any");
            let mut headers = HeaderMap::new();
            if listed.conditions.is_some() {
                headers.insert(header::ACCEPT, "1".parse().unwrap());
                headers.insert("y", "2".parse().unwrap());
            }
            let host = Host::from_name(&hostname).unwrap();
            let head = RequestHead::from_parts(&Method::GET, host, path.into(), None, &headers);
            let found = table.find(frontend, None, &head).unwrap();
            assert_eq!((found.rule, found.entry) == (listed.rule, listed.entry), position != 3, "{listed}");
        }
    }
}
