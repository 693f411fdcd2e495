// A node whose Pods are plain processes: the least that the conformance suite needs in place of a scheduler, a kubelet and
// a container runtime.
//
// It binds every Pod to itself, runs the program that stands for the image in a network namespace of its own, reports the
// Pod as ready, serves its log, and runs commands there. It ends nothing on its way out: it is started in a PID namespace, which takes all with it.
package main

import (
	"context"
	"flag"
	"log"
	"net/netip"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
)

func main() {
	log.SetFlags(log.Ltime | log.Lmicroseconds)
	kubeconfig := flag.String("kubeconfig", "", "how to reach the API server")
	programs := flag.String("programs", "", "folders of static programs, named like the images that they stand for, with : between")
	state := flag.String("state", "", "folder for the file systems of the containers")
	address := flag.String("address", "10.244.0.1", "address of the bridge that Pods are reached by")
	bridge := flag.String("bridge", "br0", "the bridge; Pods get addresses of the /16 network that its address is in")
	addresses := flag.String("service-addresses", "10.96.0.0/16", "the addresses that Services may have")
	mesh := flag.Int("mesh-port", 0, "lead what Pods send to Services to this port of the bridge's address, and have Services carried out by nftables; 0 for neither")
	flag.Parse()

	config, err := clientcmd.BuildConfigFromFlags("", *kubeconfig)
	if err != nil {
		log.Fatal(err)
	}
	config.QPS, config.Burst = 200, 400
	node := &Node{
		name:     "node",
		address:  netip.MustParseAddr(*address),
		client:   kubernetes.NewForConfigOrDie(config),
		images:   imagesIn(*programs),
		network:  &Network{bridge: *bridge, gateway: netip.MustParseAddr(*address)},
		services: &Services{bridge: *bridge, addresses: *addresses, mesh: *mesh},
		state:    *state,
		running:  map[string]*Pod{},
	}
	ctx := context.Background()
	if err := node.register(ctx); err != nil {
		log.Fatal(err)
	}
	go node.serveKubelet()
	node.follow(ctx)
}
