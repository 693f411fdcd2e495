//! `examples/deploy`: what it installs is accepted, runs with the rights that it has, and has no others.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::time::{Duration, Instant};

use gateway_core::duration;
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::{Pod, PodSpec, Secret, Service};
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use kube::api::{ListParams, ObjectMeta, Patch, PatchParams, PostParams};
use kube::{Api, Client};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::Run;
use crate::cluster::{self, Cluster, SERVICE_IMPORTS, has, written};
use crate::control_plane::{ControlPlane, Request};
use crate::harness::{PATIENCE, get};
use crate::installation::{Grant, Installation, Tools, apply};
use crate::program::{backend, until_served};
use crate::serving::{apply_secret, until_presented};

pub(crate) fn tests() -> Vec<(&'static str, Run)> {
    vec![
        ("both_forms_are_accepted_and_their_pods_are_restricted", |control_plane, cluster| {
            Box::pin(both_forms_are_accepted_and_their_pods_are_restricted(control_plane, cluster))
        }),
        ("an_installation_has_the_rights_that_it_uses", |control_plane, cluster| {
            Box::pin(an_installation_has_the_rights_that_it_uses(control_plane, cluster))
        }),
        ("secrets_of_other_namespaces_are_not_read_and_it_is_said", |control_plane, cluster| {
            Box::pin(secrets_of_other_namespaces_are_not_read_and_it_is_said(control_plane, cluster))
        }),
    ]
}

async fn both_forms_are_accepted_and_their_pods_are_restricted(_: ControlPlane, cluster: Cluster) {
    let (tools, client) = (Tools::find().unwrap(), &cluster.client);
    for values in [
        &[][..],
        &["secrets.namespaces={shop}", "service.type=ClusterIP", "replicas=0"],
        &["mesh.address=0.0.0.0:15001"],
    ] {
        let lint = tools.helm_lint(values);
        assert!(lint.status.success(), "{}", String::from_utf8_lossy(&lint.stdout));
    }
    let misspelt = tools.helm_lint(&["replica=3"]);
    assert!(!misspelt.status.success() && String::from_utf8_lossy(&misspelt.stdout).contains("replica"));

    // Kustomize makes its namespace itself.
    let restricted = "labels: {pod-security.kubernetes.io/enforce: restricted}";
    cluster
        .apply(&format!("{{apiVersion: v1, kind: Namespace, metadata: {{name: by-helm, {restricted}}}}}"))
        .await;
    let forms = [
        ("gateway-system", tools.kustomize("mesh")),
        (
            "by-helm",
            tools.helm_template("by-helm", &["gatewayClass.name=by-helm", "mesh.address=0.0.0.0:15001"]),
        ),
    ];
    let mut rights = Vec::new();
    for (namespace, manifests) in forms {
        apply(client, &manifests).await;
        let installation = Installation::find(client, namespace).await;

        let template = installation.deployment.spec.template.clone();
        stays_available(client, &installation).await;
        let labels = template.metadata.and_then(|metadata| metadata.labels);
        let metadata = ObjectMeta { name: Some("gateway-1".to_owned()), labels, ..ObjectMeta::default() };
        let mut pod = Pod { metadata, spec: template.spec, ..Pod::default() };
        let pods: Api<Pod> = Api::namespaced(client.clone(), namespace);
        let dry_run = PostParams { dry_run: true, ..PostParams::default() };
        pods.create(&dry_run, &pod).await.unwrap();
        let spec = pod.spec.as_mut().unwrap();
        let grace = spec.termination_grace_period_seconds.unwrap();
        spec.containers[0].security_context = None;
        let error = pods.create(&dry_run, &pod).await.unwrap_err().to_string();
        assert!(error.contains("violates PodSecurity"), "what is not restricted is refused: {error}");

        let arguments = installation.arguments();
        let given = |option: &str| {
            let value = arguments.iter().find_map(|argument| argument.strip_prefix(option)).unwrap();
            duration::parse(value).unwrap()
        };
        let ends_after = given("--shutdown-delay=") + given("--drain-timeout=");
        assert!(Duration::from_secs(grace.try_into().unwrap()) > ends_after, "{grace} s, {ends_after:?}");

        // What is called otherwise in the two.
        let grants = installation.grants().await.into_iter().map(|grant| Grant {
            namespace: grant.namespace.map(|own| own.replace(namespace, "own")),
            name: grant.name.map(|name| name.replace("by-helm", "gateway")),
            ..grant
        });
        rights.push(grants.collect::<BTreeSet<_>>());
    }
    assert!(!rights[0].is_empty());
    assert_eq!(rights[0], rights[1], "both forms give the same rights");
}

/// Sees to it that neither a node that is drained, nor a zone that fails, nor a new version takes all of its pods, and that those
/// that are not ready get no connections.
async fn stays_available(client: &Client, installation: &Installation) {
    let spec = &installation.deployment.spec;
    let selector = spec.selector.match_labels.as_ref();
    assert!(spec.replicas.unwrap() > 1);
    let update = spec.strategy.as_ref().unwrap().rolling_update.as_ref().unwrap();
    assert_eq!(update.max_unavailable, Some(IntOrString::Int(0)));

    let namespace = installation.deployment.metadata.namespace.as_deref().unwrap();
    let budgets: Api<PodDisruptionBudget> = Api::namespaced(client.clone(), namespace);
    let budget = budgets.get("gateway").await.unwrap().spec.unwrap();
    assert_eq!(budget.selector.unwrap().match_labels.as_ref(), selector);
    assert_eq!(budget.max_unavailable, Some(IntOrString::Int(1)));
    assert_eq!(budget.unhealthy_pod_eviction_policy.as_deref(), Some("AlwaysAllow"));

    let pod: &PodSpec = spec.template.spec.as_ref().unwrap();
    let spread = pod.topology_spread_constraints.as_deref().unwrap();
    let over: BTreeSet<_> = spread.iter().map(|constraint| &*constraint.topology_key).collect();
    assert_eq!(over, ["kubernetes.io/hostname", "topology.kubernetes.io/zone"].into());
    for constraint in spread {
        let labels = constraint.label_selector.as_ref().unwrap().match_labels.as_ref();
        assert_eq!((labels, constraint.max_skew), (selector, 1), "{}", constraint.topology_key);
        // One pod more while there is but one node is better than none.
        assert_eq!(constraint.when_unsatisfiable, "ScheduleAnyway", "{}", constraint.topology_key);
        assert_eq!(constraint.match_label_keys, Some(vec!["pod-template-hash".to_owned()]));
    }

    let container = &pod.containers[0];
    let admin = container.ports.iter().flatten().find(|port| port.name.as_deref() == Some("admin")).unwrap();
    let listens = format!("--admin=0.0.0.0:{}", admin.container_port);
    assert!(installation.arguments().contains(&listens), "nothing listens where the probes go");
    for (probe, path) in [(&container.readiness_probe, "/readyz"), (&container.liveness_probe, "/livez")] {
        let action = probe.as_ref().unwrap().http_get.as_ref().unwrap();
        assert_eq!(action.path.as_deref(), Some(path));
        assert_eq!(action.port, IntOrString::String("admin".to_owned()), "{path}");
    }
}

async fn an_installation_has_the_rights_that_it_uses(control_plane: ControlPlane, cluster: Cluster) {
    // With a mesh, which takes rights of its own.
    cluster::install(&cluster.client, &[SERVICE_IMPORTS.to_owned()]).await;
    Tools::find().unwrap().helm_install(&control_plane, "gateway-system", &["mesh.address=127.0.0.1:0"]);
    let installation = Installation::find(&cluster.client, "gateway-system").await;
    balance(&cluster.client, "gateway-system").await;
    let certificate = rcgen::generate_simple_self_signed(["shop.example".to_owned()]).unwrap();
    apply_secret(&cluster, &certificate).await;
    let [http, https, checked, more] = free_ports();
    let namespace = &cluster.name;
    let apply = async |kind: &str, name: &str, rest: Value| {
        let api_version = if kind == "ConfigMap" { "v1" } else { "gateway.networking.k8s.io/v1" };
        let metadata = json!({"name": name, "namespace": namespace});
        let mut object = json!({"apiVersion": api_version, "kind": kind, "metadata": metadata});
        object.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        cluster.apply(&object.to_string()).await;
    };
    let tls = json!({"certificateRefs": [{"name": "web"}]});
    let listeners = json!([{"name": "http", "port": http, "protocol": "HTTP"}, {"name": "https", "port": https, "protocol": "HTTPS", "tls": tls}]);
    let allowed = json!({"namespaces": {"from": "Same"}});
    apply(
        "Gateway",
        "web",
        json!({"spec": {"gatewayClassName": "gateway", "listeners": listeners, "allowedListeners": allowed}}),
    )
    .await;
    let listener = json!({"name": "more", "port": more, "protocol": "HTTP"});
    apply("ListenerSet", "busy", json!({"spec": {"parentRef": {"name": "web"}, "listeners": [listener]}}))
        .await;
    // One that checks its clients against a ConfigMap, or a bundle that is not there.
    apply("ConfigMap", "authority", json!({"data": {"ca.crt": certificate.cert.pem()}})).await;
    let bundle = json!({"group": "certificates.k8s.io", "kind": "ClusterTrustBundle", "name": "authority"});
    let map = json!({"group": "", "kind": "ConfigMap", "name": "authority"});
    let authority = json!({"caCertificateRefs": [map, bundle]});
    let frontend = json!({"frontend": {"default": {"validation": authority}}});
    let listeners = json!([{"name": "https", "port": checked, "protocol": "HTTPS", "tls": tls}]);
    apply(
        "Gateway",
        "busy",
        json!({"spec": {"gatewayClassName": "gateway", "tls": frontend, "listeners": listeners}}),
    )
    .await;
    let _backend = backend(&cluster, "shop").await;
    let parents = json!([{"name": "web"}]);
    let rules = json!([{"backendRefs": [{"name": "shop", "port": 80}]}]);
    for (kind, name) in [
        ("HTTPRoute", "shop"),
        ("HTTPRoute", "busy"),
        ("GRPCRoute", "busy"),
        ("TCPRoute", "busy"),
        ("UDPRoute", "busy"),
    ] {
        apply(kind, name, json!({"spec": {"parentRefs": parents, "rules": rules}})).await;
    }
    let hostnames = json!(["shop.example"]);
    apply(
        "TLSRoute",
        "busy",
        json!({"spec": {"parentRefs": parents, "hostnames": hostnames, "rules": rules}}),
    )
    .await;

    // A backend with a policy, which no other Route leads to.
    cluster
        .apply(&format!(
            "{{apiVersion: v1, kind: Service, metadata: {{name: secure, namespace: {namespace}}}, spec: {{ports: [{{port: 443}}]}}}}"
        ))
        .await;
    let target = json!({"group": "", "kind": "Service", "name": "secure"});
    let validation = json!({"hostname": "secure.example", "wellKnownCACertificates": "System"});
    apply("BackendTLSPolicy", "secure", json!({"spec": {"targetRefs": [target], "validation": validation}}))
        .await;
    let budget =
        json!({"targetRefs": [target], "retryConstraint": {"budget": {"percent": 20, "interval": "10s"}}});
    let gateway = json!({"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "web"});
    let provider = json!({"backendRef": {"name": "secure", "port": 443}});
    let traces = json!({"targetRefs": [gateway], "tracing": {"mode": "Enabled", "provider": provider}});
    let selector = json!({"type": "EndpointSelector", "endpointSelector": {"matchLabels": {"app": "shop"}}, "port": {"number": 80}});
    for (kind, spec) in
        [("XBackendTrafficPolicy", budget), ("XTelemetryPolicy", traces), ("XBackend", selector)]
    {
        let metadata = json!({"name": "secure", "namespace": namespace});
        let api_version = "gateway.networking.x-k8s.io/v1alpha1";
        let object = json!({"apiVersion": api_version, "kind": kind, "metadata": metadata, "spec": spec});
        cluster.apply(&object.to_string()).await;
    }
    let pods = json!({"group": "gateway.networking.x-k8s.io", "kind": "XBackend", "name": "secure"});
    let rules = json!([{"matches": [{"path": {"value": "/secure"}}], "backendRefs": [{"name": "secure", "port": 443}, pods]}]);
    apply("HTTPRoute", "secure", json!({"spec": {"parentRefs": parents, "rules": rules}})).await;

    // With the rights of its ServiceAccount, it serves, writes, and holds the Lease.
    let running = installation.start(&control_plane).await;
    let local = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    assert_eq!(until_served(local(http), "/cart").await.backend(), "shop");
    until_presented(local(https), &certificate).await;
    let programmed = |gateway: &Value| {
        has(&written(&gateway["status"]), "Programmed=True/Programmed")
            && gateway["status"]["addresses"][0]["value"] == "127.0.0.1"
    };
    cluster.until("Gateway", "web", programmed).await;
    let leases: Api<Lease> = Api::namespaced(cluster.client.clone(), "gateway-system");
    let holder = leases.get("gateway").await.unwrap().spec.unwrap().holder_identity;
    assert_eq!(holder.as_deref(), Some("gateway-1"));
    for path in installation.probes() {
        assert_eq!(get(running.gateway.admin(), &path).await.status, 200, "{path}");
    }

    // Every right is used, once statuses are written while others change the same objects.
    let mut others = JoinSet::new();
    let busy = |kind: &'static str, spec: Value| (kind, "busy", spec);
    for (kind, name, spec) in [
        ("GatewayClass", "gateway", json!({"description": "#"})),
        busy("Gateway", json!({"infrastructure": {"labels": {"n": "#"}}})),
        busy(
            "ListenerSet",
            json!({"listeners": [{"name": "more", "port": more, "protocol": "HTTP", "hostname": "a#.example"}]}),
        ),
        // Now there is no such backend and now there is: the same event again.
        busy(
            "HTTPRoute",
            json!({"hostnames": ["a#.example"], "rules": [{"backendRefs": [{"name": "shop@", "port": 80}]}]}),
        ),
        busy("GRPCRoute", json!({"hostnames": ["a#.example"]})),
        ("BackendTLSPolicy", "secure", json!({"validation": {"hostname": "a#.example"}})),
        ("XBackendTrafficPolicy", "secure", json!({"retryConstraint": {"budget": {"interval": "#s"}}})),
        ("XTelemetryPolicy", "secure", json!({"tracing": {"spanName": "a#"}})),
        ("XBackend", "secure", json!({"endpointSelector": {"matchLabels": {"app": "shop#"}}})),
        busy("TLSRoute", json!({"hostnames": ["a#.example"]})),
        busy("TCPRoute", json!({"rules": [{"backendRefs": [{"name": "shop", "port": 80, "weight": "#"}]}]})),
        busy("UDPRoute", json!({"rules": [{"backendRefs": [{"name": "shop", "port": 80, "weight": "#"}]}]})),
    ] {
        others.spawn(change(cluster.clone(), kind, name, spec.to_string()));
    }
    let grants = installation.grants().await;
    let start = Instant::now();
    let requests = loop {
        let requests = control_plane.requests(&installation.user());
        let unused = |grant: &&Grant| !requests.iter().any(|request| grant.covers(request));
        let unused: Vec<_> = grants.iter().filter(unused).map(ToString::to_string).collect();
        if unused.is_empty() {
            break requests;
        }
        assert!(start.elapsed() < 2 * PATIENCE, "granted, and not used: {unused:#?}");
        sleep(Duration::from_millis(500)).await;
    };
    let uncovered = requests.iter().filter(|request| !grants.iter().any(|grant| grant.covers(request)));
    let uncovered: BTreeSet<_> = uncovered.map(ToString::to_string).collect();
    assert!(uncovered.is_empty(), "asked for, and not granted: {uncovered:#?}");
    assert_eq!(refused(&requests), BTreeSet::new());
    let said = running.gateway.lines();
    assert!(!said.iter().any(|line| line.contains("forbidden") || line.contains(" 403")), "{said:#?}");
}

async fn secrets_of_other_namespaces_are_not_read_and_it_is_said(
    control_plane: ControlPlane,
    cluster: Cluster,
) {
    let client = &cluster.client;
    let [shop, other] = ["shop", "other"].map(|name| Cluster {
        name: name.to_owned(),
        controller_name: "gateway-api.rs/controller".to_owned(),
        ..cluster.clone()
    });
    let certificate = rcgen::generate_simple_self_signed(["shop.example".to_owned()]).unwrap();
    let [shop_http, shop_https, other_http, other_https] = free_ports();
    for (namespace, http, https) in [(&shop, shop_http, shop_https), (&other, other_http, other_https)] {
        let name = &namespace.name;
        namespace.apply(&format!("{{apiVersion: v1, kind: Namespace, metadata: {{name: {name}}}}}")).await;
        apply_secret(namespace, &certificate).await;
        namespace
            .apply(&format!(
                "{{apiVersion: gateway.networking.k8s.io/v1, kind: Gateway, metadata: {{name: web, namespace: {name}}}, spec: \
                 {{gatewayClassName: gateway, listeners: [{{name: http, port: {http}, protocol: HTTP}}, {{name: https, port: \
                 {https}, protocol: HTTPS, tls: {{certificateRefs: [{{name: web}}]}}}}]}}}}"
            ))
            .await;
    }
    let manifests = Tools::find().unwrap().kustomize("secrets-by-namespace");
    apply(client, &manifests).await;
    balance(client, "gateway-system").await;
    let installation = Installation::find(client, "gateway-system").await;
    let running = installation.start(&control_plane).await;
    let local = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    until_presented(local(shop_https), &certificate).await;

    // What cannot be served says why, with the way out; the rest of the same Gateway is served.
    let is_said =
        |gateway: &Value| https_refs(gateway).is_some_and(|condition| condition["status"] == "False");
    let gateway = other.until("Gateway", "web", is_said).await;
    let condition = https_refs(&gateway).unwrap();
    assert_eq!(condition["reason"], "InvalidCertificateRef");
    let message = condition["message"].as_str().unwrap();
    for part in [
        "refers to Secret other/web, which may not be read",
        "until there is a role with list and watch",
        "\"system:serviceaccount:gateway-system:gateway\" cannot list resource \"secrets\"",
        "in the namespace \"other\"",
    ] {
        assert!(message.contains(part), "{message}");
    }
    running.gateway.wait_for_line("Secret other/web: may not be read");
    assert_eq!(get(local(other_http), "/").await.status, 404);

    // It is the API server that sees to it.
    let mut config = control_plane.config("admin");
    config.auth_info.token = Some(installation.token().await.into());
    let limited = Client::try_from(config).unwrap();
    for namespace in ["other", "gateway-system", "kube-system"] {
        let secrets: Api<Secret> = Api::namespaced(limited.clone(), namespace);
        let error = secrets.list(&ListParams::default()).await.unwrap_err();
        assert!(matches!(error, kube::Error::Api(status) if status.code == 403), "{namespace}");
    }
    let refused = refused(&control_plane.requests(&installation.user()));
    let expected = ["gateway-system/", "kube-system/", "other/", "other/web"];
    assert_eq!(refused, expected.map(|key| format!("list secrets. {key}: 403")).into());

    // The way out.
    let binding = manifests
        .into_iter()
        .find(|manifest| manifest["kind"] == "RoleBinding" && manifest["metadata"]["namespace"] == "shop");
    let mut binding = binding.unwrap();
    binding["metadata"]["namespace"] = json!("other");
    apply(client, &[binding]).await;
    until_presented(local(other_https), &certificate).await;
}

/// The requests that were refused for want of a right.
fn refused(requests: &[Request]) -> BTreeSet<String> {
    requests.iter().filter(|request| request.code == 403).map(ToString::to_string).collect()
}

/// The condition ResolvedRefs of the listener `https`.
fn https_refs(gateway: &Value) -> Option<&Value> {
    let mut listeners = gateway["status"]["listeners"].as_array()?.iter();
    let listener = listeners.find(|listener| listener["name"] == "https")?;
    listener["conditions"].as_array()?.iter().find(|condition| condition["type"] == "ResolvedRefs")
}

/// Gives the Service an address, as the cloud's controller does.
async fn balance(client: &Client, namespace: &str) {
    let services: Api<Service> = Api::namespaced(client.clone(), namespace);
    let status = json!({"status": {"loadBalancer": {"ingress": [{"ip": "127.0.0.1"}]}}});
    services.patch_status("gateway", &PatchParams::default(), &Patch::Merge(status)).await.unwrap();
}

/// Ports that nothing is bound to at the moment, at any address.
fn free_ports<const N: usize>() -> [u16; N] {
    let listeners = [(); N].map(|()| TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)).unwrap());
    listeners.map(|listener| listener.local_addr().unwrap().port())
}

/// Changes an object for ever: what is asked of it now and then, with a number in the place of `#`, and its labels all the
/// time. A name that ends with `@` is, every other time, that of nothing.
async fn change(cluster: Cluster, kind: &'static str, name: &'static str, spec: String) {
    let api = cluster.api(kind);
    let patch = async |patch: Value| {
        let patched = api.patch(name, &PatchParams::default(), &Patch::Merge(patch)).await;
        patched.unwrap_or_else(|error| panic!("{kind} {name}: {error}"));
    };
    for round in 1_u32.. {
        let spec = spec.replace("\"weight\":\"#\"", &format!("\"weight\":{round}"));
        let spec =
            spec.replace('#', &round.to_string()).replace('@', if round % 2 == 0 { "" } else { "-absent" });
        patch(json!({"spec": serde_json::from_str::<Value>(&spec).unwrap()})).await;
        for again in 0..50 {
            sleep(Duration::from_millis(2)).await;
            patch(json!({"metadata": {"labels": {"again": again.to_string()}}})).await;
        }
    }
}
