//! Gateway API resources watched in Kubernetes.
