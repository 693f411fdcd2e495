//! PostgreSQL: a client that asks for TLS in plain text, one that begins with it, and much in both directions.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use rustix::process::geteuid;

use crate::harness::{Gateway, gateway};
use crate::programs::{Server, free_port, program, route, run, said, script, secret, service};

pub(crate) const PROGRAMS: &[&str] = &["initdb", "postgres", "psql"];

/// The same, with a client that begins with TLS: psql does from version 17 on.
pub(crate) const DIRECT_PROGRAMS: &[&str] = &["initdb", "postgres", "python3:psycopg"];

/// The file with the certificate of the server.
const CERTIFICATE: &str = "server.crt";

/// A command line of one of the server's programs, which refuse to run as root: then as the user that their package made.
fn as_postgres(name: &str) -> Command {
    let server = program(name);
    let mut command = if geteuid().is_root() {
        let mut command = program("setpriv");
        command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]).arg(server.get_program());
        command
    } else {
        server
    };
    // They want to know where they are, and this folder may be another user's.
    command.current_dir("/");
    command
}

/// A server that takes connections in plain text, and within TLS with a certificate for `db.example`. Gives its port, too.
fn server(folder: &Path) -> (Server, u16) {
    let (data, certificate) = (folder.join("data"), folder.join(CERTIFICATE));
    let key = folder.join("server.key");
    secret("unused", "db.example", &certificate, &key);
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    if geteuid().is_root() {
        let mut owned = program("chown");
        owned.args(["-R", "postgres"]).arg(folder);
        said(owned, b"");
    }
    let mut initdb = as_postgres("initdb");
    initdb.args(["--username=shop", "--auth=trust", "--no-sync", "--encoding=UTF8", "--no-locale", "-D"]);
    initdb.arg(&data);
    said(initdb, b"");
    let port = free_port();
    let mut postgres = as_postgres("postgres");
    postgres.arg("-D").arg(&data).args(["-p", &port.to_string(), "-h", "127.0.0.1", "-k", "", "-F"]);
    let files = [("ssl_cert_file", &certificate), ("ssl_key_file", &key)];
    postgres.args(["-c", "ssl=on"]);
    for (name, path) in files {
        postgres.args(["-c", &format!("{name}={}", path.display())]);
    }
    (Server::start(postgres, port), port)
}

pub(crate) fn psql_through_a_tcp_route() {
    let folder = tempfile::tempdir().unwrap();
    let (_server, port) = server(folder.path());
    let certificate = folder.path().join(CERTIFICATE);
    let manifests = gateway("{name: db, port: 5432, protocol: TCP}")
        + &route("TCPRoute", "db", "", "postgresql")
        + &service("postgresql", "TCP", port);
    let gateway = Gateway::start(&[("all.yaml", &manifests)], &["--port-map", "5432=0"]);
    let address = gateway.address("db");
    // In plain text, and within TLS with the server's own certificate.
    for (table, mode, is_within_tls) in [("plain", "disable", "f\n"), ("secure", "verify-full", "t\n")] {
        let psql = |script: &str, input: &[u8]| {
            let mut psql = program("psql");
            psql.env("PGSSLMODE", mode).env("PGSSLROOTCERT", &certificate);
            psql.env("PGHOST", "db.example").env("PGHOSTADDR", address.ip().to_string());
            psql.args(["-p", &address.port().to_string(), "-U", "shop", "-d", "postgres"]);
            psql.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", script]);
            said(psql, input)
        };
        let asked = psql("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()", b"");
        assert_eq!(asked, is_within_tls, "{mode}");
        let rows: String = (0..100_000).map(|row| format!("{row}\t{}\n", row * 7)).collect();
        psql(&format!("CREATE TABLE {table} (number integer, name text)"), b"");
        psql(&format!("COPY {table} FROM STDIN"), rows.as_bytes());
        let all = psql(&format!("COPY (SELECT * FROM {table} ORDER BY number) TO STDOUT"), b"");
        assert!(all == rows, "{mode}: {} bytes for {}", all.len(), rows.len());
        // The server ends it while the client waits.
        let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'psql' AND pid <> pg_backend_pid()";
        assert_eq!(psql(end, b""), "", "{mode}: no connection of an earlier client is left");
    }
}

/// To a server that knows nothing of it: the gateway terminates TLS. What passes it on as it is leads there, too.
pub(crate) fn libpq_through_tls_routes() {
    let folder = tempfile::tempdir().unwrap();
    let (_server, port) = server(folder.path());
    let [certificate, key] = ["gateway.crt", "gateway.key"].map(|name| folder.path().join(name));
    let of_gateway = secret("db", "db.example", &certificate, &key);
    let within_tls = free_port();
    let listeners = "{name: through, port: 5433, protocol: TLS, tls: {mode: Passthrough}}, \
                     {name: ends, port: 5434, protocol: TLS, tls: {mode: Terminate, certificateRefs: [{name: db}]}}";
    let hostnames = "hostnames: [db.example],";
    let manifests = gateway(listeners)
        + &of_gateway
        + &route("TLSRoute", "through", hostnames, "within-tls")
        + &route("TLSRoute", "ends", hostnames, "plain")
        + &service("within-tls", "TCP", within_tls)
        + &service("plain", "TCP", port);
    let args = ["--port-map", "5433=0", "--port-map", &format!("5434={within_tls}")];
    let gateway = Gateway::start(&[("all.yaml", &manifests)], &args);
    for listener in ["ends", "through"] {
        let client = |host: &str, authority: &Path| {
            let address = gateway.address(listener);
            let mut client = script("postgresql_client.py");
            client.args([host, &address.ip().to_string(), &address.port().to_string()]).arg(authority);
            client
        };
        assert_eq!(said(client("db.example", &certificate), b""), "100000 rows\n", "{listener}");
        // The gateway has no other name, and a certificate of its own.
        let server_certificate = folder.path().join(CERTIFICATE);
        for (host, authority) in [("other.example", &certificate), ("db.example", &server_certificate)] {
            assert!(!run(&mut client(host, authority), b"").status.success(), "{listener} {host}");
        }
    }
}
