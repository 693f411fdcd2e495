//! Server, gateway and client together, over real sockets of the loopback interface.

#[path = "../lines/mod.rs"]
mod lines;
mod world;
mod frames;
mod protocols;
mod tls;
mod malformed;
mod streaming;
mod slow_clients;
mod upgrades;
mod lifecycle;
mod pools;
mod hostile;
mod http2_backends;
mod own_client;
mod messages;
mod http2_clients;
#[cfg(feature = "metrics")]
mod metrics;
mod grpc;
mod stream_table;
mod streams;
mod extremes;
mod datagrams;
mod stream_outcomes;
#[cfg(target_os = "linux")]
mod loops;
mod proxy_header;
mod authority;
mod backend_tls;
mod client_certificates;
mod mesh;
mod service_imports;
mod names;
