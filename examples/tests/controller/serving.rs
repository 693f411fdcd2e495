//! From objects of a cluster to answers, and what goes wrong on the way.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::cluster::{Cluster, has, written};
use crate::control_plane::ControlPlane;
use crate::harness::{PATIENCE, get};
use crate::program::{Controller, address, backend, free_port, until_served};

crate::tests!["serving":
    a_cluster_is_served_with_and_without_its_api_server,
    gateways_of_a_pool_have_addresses_of_their_own,
    the_controller_in_thirty_lines_serves_a_cluster_and_writes_statuses,
];

async fn a_cluster_is_served_with_and_without_its_api_server(
    mut control_plane: ControlPlane,
    cluster: Cluster,
) {
    let [first, second] =
        [(); 2].map(|()| rcgen::generate_simple_self_signed(["shop.example".to_owned()]).unwrap());
    apply_secret(&cluster, &first).await;
    cluster
        .gateway_with(
            "listeners: [{name: http, port: 8080, protocol: HTTP}, \
             {name: https, port: 8443, protocol: HTTPS, tls: {certificateRefs: [{name: web}]}}]",
        )
        .await;
    let _backend = backend(&cluster, "shop").await;
    cluster.route("shop", "rules: [{backendRefs: [{name: shop, port: 80}]}]").await;
    let controller = Controller::start(
        &control_plane,
        &cluster,
        &["--address-pool", "127.77.0.0/24", "--shutdown-delay", "2s"],
    );
    controller.until_ready(200).await;
    let http = address(&cluster, "web", 8080).await;
    assert_eq!(until_served(http, "/cart").await.backend(), "shop");

    let admin = controller.gateway.admin();
    let counted = [
        format!(r#"gateway="{0}/web",listener="https",secret="{0}/web""#, cluster.name),
        "\ngateway_leader 1\n".to_owned(),
        r#"gateway_status_writes_total{kind="Gateway",result="written"}"#.to_owned(),
        format!(
            r#"route="{}/shop",rule="0",http_request_method="GET",http_response_status_class="2xx""#,
            cluster.name
        ),
    ];
    controller
        .gateway
        .until(admin, "/metrics", |answer| counted.iter().all(|text| answer.body.contains(text)))
        .await;
    let shown = get(admin, "/status").await.body;
    let listener = format!("{}/web/http ", cluster.name);
    assert!(shown.lines().any(|line| line.starts_with(&listener) && line.ends_with("serving")), "{shown}");

    // Another certificate.
    let https = SocketAddr::new(http.ip(), 8443);
    until_presented(https, &first).await;
    apply_secret(&cluster, &second).await;
    until_presented(https, &second).await;

    // Without the API server it goes on as it was, and takes up what has changed when that is back.
    control_plane.kill_api_server();
    for _ in 0..20 {
        assert_eq!(get(http, "/cart").await.backend(), "shop");
        controller.until_ready(200).await;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    control_plane.start_api_server().await;
    cluster
        .route("more", "hostnames: [more.example], rules: [{backendRefs: [{name: shop, port: 80}]}]")
        .await;
    cluster.route_until("more", "Accepted=True/Accepted").await;

    // The end: not ready, still served, and only then gone.
    controller.gateway.terminate();
    let answer = controller.until_ready(503).await;
    assert_eq!(answer.body, "not ready: ending\n");
    assert_eq!(get(http, "/cart").await.backend(), "shop");
    assert!(controller.gateway.ended().success());
    assert!(TcpStream::connect(http).await.is_err());
}

// GWA-01, GWA-03
async fn gateways_of_a_pool_have_addresses_of_their_own(control_plane: ControlPlane, cluster: Cluster) {
    let name = &cluster.name;
    let _backend = backend(&cluster, "shop").await;
    let gateway = |gateway: &str, addresses: &str| {
        format!(
            "{{apiVersion: gateway.networking.k8s.io/v1, kind: Gateway, metadata: {{name: {gateway}, namespace: {name}}}, \
             spec: {{gatewayClassName: {name}, {addresses} listeners: [{{name: http, port: 8080, protocol: HTTP}}]}}}}"
        )
    };
    for one in ["web", "other"] {
        cluster.apply(&gateway(one, "")).await;
    }
    // An address for documentation, which no machine has, and one that it has.
    cluster.apply(&gateway("away", "addresses: [{value: 203.0.113.1}],")).await;
    cluster.apply(&gateway("asked", "addresses: [{value: 127.77.1.1}],")).await;
    cluster.route("shop", "rules: [{backendRefs: [{name: shop, port: 80}]}]").await;
    let start = || {
        Controller::start(
            &control_plane,
            &cluster,
            &["--address-pool", "127.77.1.0/29", "--shutdown-delay", "0s"],
        )
    };
    let controller = start();
    let (web, other) = (address(&cluster, "web", 8080).await, address(&cluster, "other", 8080).await);
    assert_ne!(web, other);
    assert_eq!(address(&cluster, "asked", 8080).await.ip().to_string(), "127.77.1.1");
    assert_eq!(until_served(web, "/").await.backend(), "shop");
    assert_eq!(get(other, "/").await.status, 404);
    let unusable =
        |gateway: &serde_json::Value| has(&written(&gateway["status"]), "Programmed=False/AddressNotUsable");
    cluster.until("Gateway", "away", unusable).await;
    // One Gateway that cannot be served does not keep the others from it.
    controller.until_ready(200).await;

    // Another process, after another Gateway has gone: each keeps what it has.
    controller.gateway.terminate();
    assert!(controller.gateway.ended().success());
    cluster.delete("Gateway", "asked").await;
    cluster.apply(&gateway("anew", "")).await;
    let controller = start();
    controller.until_ready(200).await;
    let anew = address(&cluster, "anew", 8080).await;
    assert_eq!(address(&cluster, "web", 8080).await, web);
    assert_eq!(address(&cluster, "other", 8080).await, other);
    assert!(anew != web && anew != other);
}

pub(crate) async fn apply_secret(cluster: &Cluster, certificate: &rcgen::CertifiedKey<rcgen::KeyPair>) {
    let data = json!({"tls.crt": certificate.cert.pem(), "tls.key": certificate.signing_key.serialize_pem()});
    let metadata = json!({"name": "web", "namespace": cluster.name});
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": "kubernetes.io/tls", "stringData": data});
    cluster.apply(&secret.to_string()).await;
}

/// Waits until new handshakes bring this certificate.
pub(crate) async fn until_presented(address: SocketAddr, certificate: &rcgen::CertifiedKey<rcgen::KeyPair>) {
    let start = Instant::now();
    let wanted = certificate.cert.der();
    while presented(address, wanted).await.as_ref() != Some(wanted) {
        assert!(start.elapsed() < PATIENCE, "the certificate is not presented");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// The certificate of a handshake, if a client that trusts `trusted` ends it well.
async fn presented(address: SocketAddr, trusted: &CertificateDer<'_>) -> Option<CertificateDer<'static>> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.clone().into_owned()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let connector = TlsConnector::from(Arc::new(config.with_root_certificates(roots).with_no_client_auth()));
    let stream = TcpStream::connect(address).await.ok()?;
    let stream = connector.connect(ServerName::try_from("shop.example").unwrap(), stream).await.ok()?;
    stream.get_ref().1.peer_certificates()?.first().map(|certificate| certificate.clone().into_owned())
}

async fn the_controller_in_thirty_lines_serves_a_cluster_and_writes_statuses(
    control_plane: ControlPlane,
    cluster: Cluster,
) {
    let port = free_port();
    cluster.gateway_with(&format!("listeners: [{{name: http, port: {port}, protocol: HTTP}}]")).await;
    let _backend = backend(&cluster, "shop").await;
    cluster.route("shop", "rules: [{backendRefs: [{name: shop, port: 80}]}]").await;
    let _controller = Controller::start_small(&control_plane, &cluster, "127.0.0.1");
    let address = address(&cluster, "web", port).await;
    assert_eq!(address.ip().to_string(), "127.0.0.1");
    assert_eq!(until_served(address, "/cart").await.backend(), "shop");
}
