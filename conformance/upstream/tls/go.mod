module github.com/gateway-api-rs/gateway/conformance/upstream/tls

go 1.24.0
