//go:build backends

// Package backends names the programs that the Pods of a mesh run: those of Istio's tests, of which upstream makes the image
// echo-advanced.
package backends

import (
	_ "istio.io/istio/pkg/test/echo/cmd/client"
	_ "istio.io/istio/pkg/test/echo/cmd/server"
)
