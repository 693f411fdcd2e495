// Package suite has no code: its go.mod and go.sum say which modules the conformance suite of v1.7.0 is built from.
package suite

import _ "sigs.k8s.io/gateway-api/conformance"
