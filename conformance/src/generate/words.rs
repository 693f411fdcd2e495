//! The few words that everything is made of.

pub(super) const NAMESPACES: [&str; 3] = ["app", "infra", "app-b"];

/// Hostnames of listeners and routes; each falls under another, or nearly.
pub(super) const HOSTNAMES: [&str; 10] = [
    "a.example.com",
    "*.example.com",
    "b.example.com",
    "*.a.example.com",
    "x.a.example.com",
    "*.com",
    "example.com",
    "*.x.a.example.com",
    "aa.example.com",
    "other.test",
];

/// Hosts that requests name, as they may be written.
pub const HOSTS: [&str; 22] = [
    "a.example.com",
    "b.example.com",
    "x.a.example.com",
    "y.x.a.example.com",
    "example.com",
    "other.test",
    "A.Example.COM",
    "a.example.com:8080",
    "a.example.com.",
    "B.example.com.:80",
    "aa.example.com",
    "c.example.com",
    ".example.com",
    "com",
    "unknown.test",
    "[::1]",
    "[::1]:8080",
    "10.0.0.1",
    "a.example.com:",
    "a.example.com..",
    "a_b.example.com",
    "xn--bcher-kva.example.com",
];

/// Host headers that name no host.
pub(super) const BAD_HOSTS: [&str; 8] =
    ["", "a b", "a.example.com:x", ".", "a/b", "a.example.com:80:80", "[::1", "a]b"];

/// Paths that are written in routes.
pub(super) const PATHS: [&str; 14] = [
    "/",
    "/a",
    "/a/b",
    "/b",
    "/a/",
    "/a/b/c",
    "/A",
    "/%61",
    "/a%20b",
    "/caf%c3%a9",
    "/a;v=1",
    "/aa",
    "/a.b/..c",
    "/a/b/",
];

/// Paths of requests.
pub(super) const REQUEST_PATHS: [&str; 38] = [
    "/",
    "/a",
    "/a/b",
    "/a/b/c",
    "/b",
    "/a/",
    "/a/b/",
    "/aa",
    "/A",
    "/%61",
    "/%61/b",
    "/a%2Fb",
    "/a%2fb",
    "/a//b",
    "//a",
    "/a/./b",
    "/a/../b",
    "/b/../a/b",
    "/a/%2e%2E/b",
    "/a/..",
    "/a/.",
    "/..",
    "/a%20b",
    "/caf%C3%A9",
    "/caf%c3%a9/x",
    "/a;v=1",
    "/a/b;v=2",
    "/%",
    "/%zz%41",
    "/a.b/..c",
    "/a/...",
    "/a/b/c/d/e",
    "/a//../b",
    "/%2561",
    "/caf\u{e9}",
    "/caf\u{e9}/x|y",
    "/a\\b",
    "/a^/%61",
];

pub(super) const PATH_PATTERNS: [&str; 12] = [
    "/a.*",
    "/[a-b]",
    ".*",
    "/a/b",
    "/.*/b",
    "/a|/b",
    "(",
    "",
    "(?i)/A",
    "/(a|b)/?.*",
    "/a)|(/b",
    "/caf%C3%A9",
];

/// Services and methods of gRPC, of which one is as long as another.
pub(super) const GRPC_SERVICES: [&str; 6] = ["a", "a.B", "a.b", "b.B", "shop.Cart", "b"];
pub(super) const GRPC_METHODS: [&str; 5] = ["B", "b", "Add", "C", "BB"];

/// Expressions for either, as long as some of them.
pub(super) const GRPC_PATTERNS: [&str; 12] =
    ["a.*", ".*", "[ab]", "B+", "a[.].", "(?i)add", "a|b", "(", "", "a.B", "B", "[^.]*[.](B|Cart)"];

/// Paths of calls that are no service and method, or odd ones.
pub(super) const CALL_PATHS: [&str; 10] =
    ["/a", "/", "/a/", "//B", "/a/B/C", "/a.B/B/", "/%61/B", "/a/../b/B", "/a.B//B", "/a/B;v=1"];

/// Content types of calls, or nearly.
pub(super) const CALL_TYPES: [&str; 8] = [
    "application/grpc",
    "application/grpc+proto",
    "application/grpc;v=1",
    "application/GRPC",
    "application/grpc-web",
    "application/grpcx",
    "application/json",
    "application/grpc , a",
];

pub(super) const HEADER_NAMES: [&str; 5] = ["x", "y", "X", "version", "host"];
pub(super) const HEADER_VALUES: [&str; 5] = ["1", "2", "one", "1,2", "a.example.com"];

/// Enough values that looking at all of them one by one would take long.
pub(super) const MANY_VALUES: [&str; 16] =
    ["v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10", "v11", "v12", "v13", "v14", "v15"];

pub(super) const PARAM_NAMES: [&str; 4] = ["p", "q", "P", "p+"];
pub(super) const PARAM_VALUES: [&str; 6] = ["1", "2", "a b", "1+2", "%31", "é"];
pub(super) const VALUE_PATTERNS: [&str; 8] = ["[0-9]", ".*", "1|2", "o.e", "(", "1", "", "(?s-u:.)+"];

/// Query strings of requests.
pub(super) const QUERIES: [&str; 20] = [
    "p=1", "q=1", "p=2", "p=1&q=1", "q=2&p=1", "p=1&p=2", "p=2&p=1", "", "p", "p=", "P=1", "p=a+b",
    "p=a%20b", "%70=%31", "p=1%2B2", "p%2B=1", "p=%C3%A9", "p=%2531", "&&p=1&", "p=1=2",
];

pub(super) const METHODS: [&str; 7] = ["GET", "POST", "OPTIONS", "HEAD", "PUT", "CONNECT", "get"];
pub(super) const SERVICES: [&str; 4] = ["s1", "s2", "s3", "missing"];
