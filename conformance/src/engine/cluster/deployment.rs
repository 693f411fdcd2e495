//! The Deployments of cases, with the images of upstream's backends.

use std::hash::{DefaultHasher, Hash, Hasher};

use gateway_core::api::Kind;
use serde_json::{Value, json};

use crate::case::{Deployment, Name, ObjectRef, Speaks};
use crate::certificate::certificates;
use crate::engine::EngineError;

/// The label of a Pod with the name of its Deployment; others may share the label `app`.
pub(super) const LABEL: &str = "conformance.gateway-api.rs/deployment";

/// Where the certificate is in a container, and where the authority of clients.
const CERTIFICATE: &str = "/etc/certificate";
const AUTHORITY: &str = "/etc/authority";

/// The Deployment as it is applied.
///
/// # Errors
/// If upstream has no such backend.
pub(super) fn manifest(deployment: &Deployment, image: &str) -> Result<Value, EngineError> {
    let key = &deployment.name.0;
    let mut environment = vec![
        json!({"name": "POD_NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}),
        json!({"name": "NAMESPACE", "valueFrom": {"fieldRef": {"fieldPath": "metadata.namespace"}}}),
    ];
    let mut set = |name: &str, value: &str| environment.push(json!({"name": name, "value": value}));
    match deployment.speaks {
        Speaks::Http => {}
        Speaks::Grpc => set("GRPC_ECHO_SERVER", "1"),
        Speaks::Tcp => set("TCP_ECHO_SERVER", "1"),
        Speaks::Udp => set("UDP_ECHO_SERVER", "1"),
        // It listens, but not where a client looks for it.
        Speaks::Nothing => {
            set("TCP_ECHO_SERVER", "1");
            set("TCP_PORT", "3333");
        }
        Speaks::Bytes => {
            let reason =
                format!("no image has a backend that answers with given bytes, as {} does", deployment.name);
            return Err(EngineError::unsupported(reason));
        }
        Speaks::Mesh => {
            return Err(EngineError::unsupported(format!(
                "the workload {} of a mesh is not run",
                deployment.name
            )));
        }
    }
    let (mut volumes, mut mounts) = (Vec::new(), Vec::new());
    if deployment.certificate.is_some() {
        set("TLS_SERVER_CERT", &format!("{CERTIFICATE}/tls.crt"));
        // Servers of other protocols than HTTP call it so.
        set("TLS_SERVER_PRIV_KEY", &format!("{CERTIFICATE}/tls.key"));
        set("TLS_SERVER_PRIVKEY", &format!("{CERTIFICATE}/tls.key"));
    }
    if deployment.client_authority.is_some() {
        set("TLS_CLIENT_CACERTS", &format!("{AUTHORITY}/ca.crt"));
    }
    if let Some(secret) = &deployment.certificate {
        volumes.push(json!({"name": "certificate", "secret": {"secretName": &*secret.0.name}}));
        mounts.push(json!({"name": "certificate", "mountPath": CERTIFICATE}));
    }
    if let Some(authority) = &deployment.client_authority {
        volumes.push(json!({"name": "authority", "configMap": {"name": &*authority.0.name}}));
        mounts.push(json!({"name": "authority", "mountPath": AUTHORITY}));
    }
    let mut labels = deployment.pod_labels();
    labels.insert(LABEL.to_owned(), key.name.to_string());
    Ok(json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": &*key.name, "namespace": &*key.namespace},
        "spec": {
            "replicas": deployment.replicas,
            "selector": {"matchLabels": {LABEL: &*key.name}},
            "template": {
                // A run has certificates of its own; Pods that have those of another are replaced.
                "metadata": {"labels": labels, "annotations": {"conformance.gateway-api.rs/certificates": fingerprint(deployment)}},
                "spec": {
                    "containers": [{
                        "name": "backend",
                        "image": image,
                        "env": environment,
                        "volumeMounts": mounts,
                        "ports": ports(deployment.speaks),
                    }],
                    "volumes": volumes,
                    "terminationGracePeriodSeconds": 0,
                },
            },
        },
    }))
}

/// The ports that a container declares; a cluster does not need them, but a reader does, and a node may wait for them.
fn ports(speaks: Speaks) -> Vec<Value> {
    match speaks {
        Speaks::Udp => vec![json!({"containerPort": 8080, "protocol": "UDP"})],
        // A node is not to wait for a port where no socket listens.
        Speaks::Nothing => Vec::new(),
        Speaks::Http | Speaks::Grpc | Speaks::Tcp | Speaks::Bytes | Speaks::Mesh => {
            vec![json!({"containerPort": 3000, "protocol": "TCP"})]
        }
    }
}

/// A short text that differs for other certificates.
fn fingerprint(deployment: &Deployment) -> String {
    let pem = |kind: Kind, name: &Option<Name>, key: &str| {
        certificates().pem(&ObjectRef::new(kind, name.as_ref()?.0.clone()), key)
    };
    let mut hasher = DefaultHasher::new();
    pem(Kind::Secret, &deployment.certificate, "tls.crt").hash(&mut hasher);
    pem(Kind::ConfigMap, &deployment.client_authority, "ca.crt").hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::case::{base, cases};

    fn made(name: &str) -> Value {
        let deployments = base().deployments.iter().chain(cases().iter().flat_map(|case| &case.deployments));
        let deployment = deployments.into_iter().find(|it| it.name == name.into()).unwrap();
        manifest(deployment, "example.com/echo:v1").unwrap()
    }

    #[test]
    fn the_labels_of_pods_are_those_that_services_select() {
        let made = made("infra-backend-connection-error-broken");
        let template = &made["spec"]["template"];
        assert_eq!(template["metadata"]["labels"]["app"], "infra-backend-connection-error");
        assert_eq!(template["metadata"]["labels"][LABEL], made["spec"]["selector"]["matchLabels"][LABEL]);
        assert_eq!(template["spec"]["containers"][0]["image"], "example.com/echo:v1");
    }

    #[test]
    fn a_backend_with_a_certificate_has_it_as_files() {
        let made = made("grpc-infra-backend-v1");
        let spec = &made["spec"]["template"]["spec"];
        assert_eq!(spec["volumes"][0]["secret"]["secretName"], "tls-checks-certificate");
        let environment = spec["containers"][0]["env"].as_array().unwrap();
        let value =
            |name: &str| environment.iter().find(|it| it["name"] == name).map(|it| it["value"].clone());
        assert_eq!(value("TLS_SERVER_CERT"), Some(json!("/etc/certificate/tls.crt")));
        assert_eq!(value("GRPC_ECHO_SERVER"), Some(json!("1")));
        assert_eq!(value("TLS_CLIENT_CACERTS"), None);
    }

    #[test]
    fn what_no_image_speaks_is_said() {
        let deployment = base().deployments.iter().find(|it| it.speaks == Speaks::Mesh).unwrap();
        assert!(matches!(manifest(deployment, "echo"), Err(EngineError::Unsupported(_))));
    }
}
