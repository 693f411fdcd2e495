package main

import (
	"context"
	"fmt"
	"log"
	"os/exec"
	"slices"
	"strings"
	"time"

	core "k8s.io/api/core/v1"
	discovery "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/informers"
	corelisters "k8s.io/client-go/listers/core/v1"
	discoverylisters "k8s.io/client-go/listers/discovery/v1"
	"k8s.io/client-go/tools/cache"
)

// Services has connections to the addresses of Services go to their endpoints, as kube-proxy does, by rules of nftables; and leads
// what Pods send there to a mesh, if there is one.
//
// Without a mesh there are no rules: the suite sends nothing to Services then, and gateways send to endpoints.
type Services struct {
	bridge    string
	addresses string // all that Services may have, as CIDR
	mesh      int    // the port of the mesh at the bridge's address; 0 if there is none

	services corelisters.ServiceLister
	slices   discoverylisters.EndpointSliceLister
}

// follow watches Services and their endpoints, and makes the rules anew whenever they change.
func (s *Services) follow(ctx context.Context, factory informers.SharedInformerFactory) {
	services, endpointSlices := factory.Core().V1().Services(), factory.Discovery().V1().EndpointSlices()
	s.services, s.slices = services.Lister(), endpointSlices.Lister()
	changes := make(chan struct{}, 1)
	changed := func() {
		select {
		case changes <- struct{}{}:
		default: // one is waiting
		}
	}
	handler := cache.ResourceEventHandlerFuncs{
		AddFunc: func(any) { changed() }, UpdateFunc: func(any, any) { changed() }, DeleteFunc: func(any) { changed() },
	}
	for _, informer := range []cache.SharedIndexInformer{services.Informer(), endpointSlices.Informer()} {
		if _, err := informer.AddEventHandler(handler); err != nil {
			log.Fatal(err)
		}
	}
	if s.mesh == 0 {
		return
	}
	go func() {
		last := ""
		for {
			select {
			case <-ctx.Done():
				return
			case <-changes:
			}
			rules, err := s.rules()
			if err == nil && rules != last {
				command := exec.Command("nft", "-f", "-")
				command.Stdin = strings.NewReader(rules)
				output, failed := command.CombinedOutput()
				if err = failed; err != nil {
					err = fmt.Errorf("nft: %w: %s", err, output)
				} else {
					last = rules
				}
			}
			if err != nil {
				log.Print(err)
			}
			time.Sleep(20 * time.Millisecond) // for what comes together
		}
	}()
}

func (s *Services) all() ([]*core.Service, error) {
	return s.services.List(labels.Everything())
}

// rules is the whole table, in the place of the one that is there.
//
// Of two chains that may change the destination of a connection, the first that does is the last: so what Pods send goes to the mesh,
// and what the mesh sends, from the node itself, to endpoints.
func (s *Services) rules() (string, error) {
	services, err := s.all()
	if err != nil {
		return "", err
	}
	slices.SortFunc(services, func(a, b *core.Service) int {
		return strings.Compare(a.Namespace+"/"+a.Name, b.Namespace+"/"+b.Name)
	})
	var rules strings.Builder
	fmt.Fprint(&rules, "table ip services\ndelete table ip services\ntable ip services {\n chain endpoints {\n")
	for _, service := range services {
		for _, port := range service.Spec.Ports {
			endpoints, err := s.endpoints(service, port)
			if err != nil {
				return "", err
			}
			if service.Spec.ClusterIP == "" || service.Spec.ClusterIP == "None" || port.Protocol != core.ProtocolTCP || len(endpoints) == 0 {
				continue
			}
			numbered := make([]string, len(endpoints))
			for i, endpoint := range endpoints {
				numbered[i] = fmt.Sprintf("%d : %s", i, endpoint)
			}
			fmt.Fprintf(&rules, "  ip daddr %s tcp dport %d dnat to numgen random mod %d map { %s }\n",
				service.Spec.ClusterIP, port.Port, len(endpoints), strings.Join(numbered, ", "))
		}
	}
	fmt.Fprintf(&rules, ` }
 chain mesh { type nat hook prerouting priority -110; iifname %s ip daddr %s meta l4proto tcp redirect to :%d; }
 chain prerouting { type nat hook prerouting priority -100; jump endpoints; }
 chain output { type nat hook output priority -100; jump endpoints; }
}
`, s.bridge, s.addresses, s.mesh)
	return rules.String(), nil
}

// endpoints are those of a port that are ready, as nftables writes them.
func (s *Services) endpoints(service *core.Service, port core.ServicePort) ([]string, error) {
	of := labels.SelectorFromSet(labels.Set{discovery.LabelServiceName: service.Name})
	all, err := s.slices.EndpointSlices(service.Namespace).List(of)
	if err != nil {
		return nil, err
	}
	var found []string
	for _, slice := range all {
		for _, listed := range slice.Ports {
			if listed.Port == nil || listed.Name == nil || *listed.Name != port.Name || slice.AddressType != discovery.AddressTypeIPv4 {
				continue
			}
			for _, endpoint := range slice.Endpoints {
				if endpoint.Conditions.Ready == nil || *endpoint.Conditions.Ready {
					found = append(found, fmt.Sprintf("%s . %d", endpoint.Addresses[0], *listed.Port))
				}
			}
		}
	}
	slices.Sort(found)
	return slices.Compact(found), nil
}
