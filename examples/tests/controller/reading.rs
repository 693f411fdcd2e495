//! `gateway check --kube`, `gateway explain --kube` and `gateway diff --kube`: a cluster as it is, in the place of files.

use std::process::{Command, Stdio};

use serde_json::json;

use crate::cluster::Cluster;
use crate::control_plane::ControlPlane;

crate::tests!["reading":
    check_says_what_is_wrong_in_a_cluster,
    explain_says_which_rule_of_a_cluster_serves,
    diff_says_what_would_change_in_a_cluster,
    what_may_not_be_read_is_said_with_the_way_out,
    a_cluster_that_is_not_there_is_said_with_the_way_out,
];

/// What came of a command.
struct Came {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl std::fmt::Debug for Came {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}\n{}\n{}", self.code, self.stdout, self.stderr)
    }
}

/// Runs the program on a cluster to its end.
async fn run(kubeconfig: &str, args: &[&str]) -> Came {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kubeconfig");
    std::fs::write(&path, kubeconfig).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_gateway"));
    command.arg(args[0]).arg("--kube").arg("--kubeconfig").arg(&path).args(&args[1..]).stdin(Stdio::null());
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Came { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

async fn service(cluster: &Cluster, name: &str) {
    let namespace = &cluster.name;
    cluster
        .apply(&format!(
            "{{apiVersion: v1, kind: Service, metadata: {{name: {name}, namespace: {namespace}}}, spec: {{ports: [{{port: 80}}]}}}}"
        ))
        .await;
    cluster
        .apply(&format!(
            "{{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, addressType: IPv4, metadata: {{name: {name}-1, namespace: \
             {namespace}, labels: {{kubernetes.io/service-name: {name}}}}}, ports: [{{name: '', port: 8080}}], endpoints: \
             [{{addresses: ['192.0.2.1']}}]}}"
        ))
        .await;
}

async fn check_says_what_is_wrong_in_a_cluster(control_plane: ControlPlane, cluster: Cluster) {
    let name = &cluster.name;
    let config = control_plane.kubeconfig("admin");
    cluster.gateway().await;
    service(&cluster, "shop").await;
    cluster.route("shop", "rules: [{backendRefs: [{name: shop, port: 80}]}]").await;
    let only_ours = ["check", "--controller-name", &cluster.controller_name];
    let came = run(&config, &only_ours).await;
    assert_eq!(came.code, Some(0), "{came:?}");
    assert!(came.stdout.contains("1 rule served: 0 errors, 0 warnings"), "{came:?}");
    // Nothing was written.
    assert!(cluster.get("HTTPRoute", "shop").await.get("status").is_none());

    cluster.route("lost", "rules: [{backendRefs: [{name: absent, port: 80}]}]").await;
    let came = run(&config, &only_ours).await;
    assert_eq!(came.code, Some(1), "{came:?}");
    let line = format!(
        "cluster: warning: HTTPRoute {name}/lost: spec.rules[0].backendRefs[0]: ResolvedRefs=False/BackendNotFound"
    );
    assert!(came.stdout.contains(&line), "{came:?}");

    // What an API server takes and the specification does not, where the definitions are lax.
    cluster
        .change_definition("httproutes.gateway.networking.k8s.io", |definition| {
            for version in definition["spec"]["versions"].as_array_mut().unwrap() {
                version["schema"]["openAPIV3Schema"]["properties"]["spec"] =
                    json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
            }
        })
        .await;
    cluster.route("bad-hosts", "hostnames: 7").await;
    cluster.route("bad-path", "rules: [{matches: [{path: {type: Exact, value: /a/../b}}]}]").await;
    let came = run(&config, &only_ours).await;
    for line in [
        format!("cluster: error: HTTPRoute {name}/bad-hosts: spec.hostnames: "),
        format!("cluster: error: HTTPRoute {name}/bad-path: spec.rules[0].matches[0].path.value: "),
    ] {
        assert!(came.stdout.contains(&line), "{line}: {came:?}");
    }

    // A namespace without a Gateway has nothing that is served.
    let came = run(&config, &["check", "--namespace", "default", "--allow-warnings"]).await;
    assert!(came.stdout.contains(" 0 rules served: 0 errors"), "{came:?}");
}

async fn explain_says_which_rule_of_a_cluster_serves(control_plane: ControlPlane, cluster: Cluster) {
    cluster.gateway().await;
    service(&cluster, "shop").await;
    let path = |path: &str| {
        format!(
            "rules: [{{matches: [{{path: {{value: {path}}}}}], backendRefs: [{{name: shop, port: 80}}]}}]"
        )
    };
    cluster.route("cart", &path("/cart")).await;
    cluster.route("items", &path("/items")).await;
    let config = control_plane.kubeconfig("admin");
    let came =
        run(&config, &["explain", "--context", "test", "-r", "GET http://shop.example.com/cart/1"]).await;
    assert_eq!(came.code, Some(0), "{came:?}");
    let rule = format!("Served by rule {}/cart", cluster.name);
    assert!(came.stdout.contains(&rule) && came.stdout.contains("192.0.2.1:8080"), "{came:?}");
    let came = run(&config, &["explain", "-r", "GET http://shop.example.com/basket"]).await;
    assert_eq!(came.code, Some(1), "{came:?}");
    assert!(came.stdout.contains("404"), "{came:?}");
    let came = run(&config, &["explain", "--context", "none", "-r", "GET http://shop.example.com/"]).await;
    assert_eq!(came.code, Some(2), "{came:?}");
    assert!(came.stderr.contains("none"), "{came:?}");
}

async fn diff_says_what_would_change_in_a_cluster(control_plane: ControlPlane, cluster: Cluster) {
    let name = &cluster.name;
    let config = control_plane.kubeconfig("admin");
    cluster.gateway().await;
    for shop in ["shop", "other"] {
        service(&cluster, shop).await;
    }
    let certificate = rcgen::generate_simple_self_signed(["shop.example".to_owned()]).unwrap();
    let data = json!({"tls.crt": certificate.cert.pem(), "tls.key": certificate.signing_key.serialize_pem()});
    let metadata = json!({"name": "certificate", "namespace": name});
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": "kubernetes.io/tls", "stringData": data});
    cluster.apply(&secret.to_string()).await;
    let rule = |path: &str, to: &str| {
        format!(
            "rules: [{{matches: [{{path: {{value: {path}}}}}], backendRefs: [{{name: {to}, port: 80}}]}}]"
        )
    };
    cluster.route("cart", &rule("/cart", "shop")).await;

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("new.yaml");
    let path = file.to_str().unwrap();
    let written = |objects: &[String]| std::fs::write(&file, objects.join("\n---\n")).unwrap();
    let only_ours = ["diff", "--controller-name", &cluster.controller_name, path];

    written(&[cluster.route_text("cart", &rule("/cart", "shop"))]);
    let came = run(&config, &only_ours).await;
    assert_eq!((came.code, &*came.stdout), (Some(0), "nothing changes\n"), "{came:?}");

    // What is new is younger, whatever its name; a Secret that nothing asked for before is looked up.
    let listener = |secret: &str| {
        format!(
            "{{apiVersion: gateway.networking.k8s.io/v1, kind: Gateway, metadata: {{name: web, namespace: {name}}}, spec: \
             {{gatewayClassName: {name}, listeners: [{{name: http, port: 80, protocol: HTTP}}, {{name: https, port: 443, protocol: \
             HTTPS, tls: {{certificateRefs: [{{name: {secret}}}]}}}}]}}}}"
        )
    };
    written(&[
        cluster.route_text("a-cart", &rule("/cart", "other")),
        cluster.route_text("cart", &rule("/basket", "shop")),
        listener("certificate"),
    ]);
    let came = run(&config, &only_ours).await;
    assert_eq!(came.code, Some(1), "{came:?}");
    for part in [
        &*format!("+ PathPrefix /basket → rule {name}/cart/0"),
        &format!("~ PathPrefix /cart → rule {name}/a-cart/0, so far rule {name}/cart/0"),
        "https",
    ] {
        assert!(came.stdout.contains(part), "{part}: {came:?}");
    }
    assert!(!came.stdout.contains("InvalidCertificateRef"), "{came:?}");

    written(&[cluster.route_text("a-cart", &rule("/cart", "other"))]);
    let came = run(&config, &only_ours).await;
    assert!(came.stdout.contains("gets nothing"), "{came:?}");
    // What is wrong in the cluster is for `check`; what the files get wrong is said with its place.
    cluster.route("lost", "rules: [{backendRefs: [{name: absent, port: 80}]}]").await;
    written(&[
        "{apiVersion: gateway.networking.k8s.io/v1, kind: HTTPRoute, metadata: {name: x}, spec: {rules: 7}}"
            .to_owned(),
    ]);
    let came = run(&config, &only_ours).await;
    assert_eq!(came.code, Some(2), "{came:?}");
    assert!(came.stderr.starts_with(&format!("{path}:1:")) && !came.stderr.contains("lost"), "{came:?}");
    written(&[listener("absent")]);
    let came = run(&config, &only_ours).await;
    assert!(came.stdout.contains("InvalidCertificateRef"), "{came:?}");
    // Nothing was written.
    assert!(cluster.get("HTTPRoute", "cart").await.get("status").is_none());
}

async fn what_may_not_be_read_is_said_with_the_way_out(control_plane: ControlPlane, cluster: Cluster) {
    let name = &cluster.name;
    let config = control_plane.kubeconfig("limited");
    let came = run(&config, &["check"]).await;
    assert_eq!(came.code, Some(2), "{came:?}");
    for part in [
        "nothing of the cluster may be read",
        "cannot list resource",
        "a role with list and watch",
        "another user",
    ] {
        assert!(came.stderr.contains(part), "{part}: {came:?}");
    }

    // All but GRPCRoutes and Secrets.
    cluster
        .gateway_with(
            "listeners: [{name: https, port: 443, protocol: HTTPS, tls: {certificateRefs: [{name: web}]}}]",
        )
        .await;
    let groups = [
        ("''", "namespaces, services"),
        ("discovery.k8s.io", "endpointslices"),
        ("multicluster.x-k8s.io", "serviceimports"),
        ("apiextensions.k8s.io", "customresourcedefinitions"),
        (
            "gateway.networking.k8s.io",
            "gatewayclasses, gateways, listenersets, httproutes, tlsroutes, tcproutes, udproutes, referencegrants, \
             backendtlspolicies",
        ),
        ("gateway.networking.x-k8s.io", "xbackends, xbackendtrafficpolicies, xtelemetrypolicies"),
    ];
    let rules = groups.map(|(group, resources)| {
        format!("{{apiGroups: [{group}], resources: [{resources}], verbs: [list, watch]}}")
    });
    for text in [
        format!(
            "{{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {{name: limited}}, rules: [{}]}}",
            rules.join(", ")
        ),
        "{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: limited}, roleRef: {apiGroup: \
         rbac.authorization.k8s.io, kind: ClusterRole, name: limited}, subjects: [{kind: User, name: limited}]}"
            .to_owned(),
    ] {
        cluster.apply(&text).await;
    }
    let came = run(&config, &["check"]).await;
    assert_eq!(came.code, Some(1), "{came:?}");
    for part in [
        "cluster: error: GRPCRoute: may not be read, so that it is left out until there is a role with list and watch: ",
        "cannot list resource \"grpcroutes\" in API group \"gateway.networking.k8s.io\" at the cluster scope",
        &format!("cluster: warning: Secret {name}/web: may not be read"),
        &format!("Secret {name}/web, which may not be read"),
    ] {
        assert!(came.stdout.contains(part), "{part}: {came:?}");
    }
}

async fn a_cluster_that_is_not_there_is_said_with_the_way_out(mut control_plane: ControlPlane, _: Cluster) {
    control_plane.kill_api_server();
    let came = run(&control_plane.kubeconfig("admin"), &["check"]).await;
    assert_eq!(came.code, Some(2), "{came:?}");
    for part in ["the API server cannot be reached: ", "refused", "--kubeconfig or --context"] {
        assert!(came.stderr.contains(part), "{part}: {came:?}");
    }
    let came = run("{apiVersion: v1, kind: Config}", &["check"]).await;
    assert_eq!(came.code, Some(2), "{came:?}");
    assert!(came.stderr.contains("--kubeconfig "), "{came:?}");
}
