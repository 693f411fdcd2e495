package main

import (
	"context"
	"encoding/json"
	"net/netip"
	"sync"

	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
)

// Node is this process as the cluster sees it.
type Node struct {
	name     string
	address  netip.Addr
	client   kubernetes.Interface
	images   Images
	network  *Network
	services *Services
	state    string

	mutex   sync.Mutex
	running map[string]*Pod // by namespace/name
}

// register creates the Node object and marks it as ready, once: without a node lifecycle controller, none waits for more.
func (n *Node) register(ctx context.Context) error {
	nodes := n.client.CoreV1().Nodes()
	object := &core.Node{ObjectMeta: meta.ObjectMeta{Name: n.name, Labels: map[string]string{"kubernetes.io/hostname": n.name, "kubernetes.io/os": "linux"}}}
	if _, err := nodes.Create(ctx, object, meta.CreateOptions{}); err != nil {
		return err
	}
	capacity := core.ResourceList{"cpu": resource.MustParse("64"), "memory": resource.MustParse("256Gi"), "pods": resource.MustParse("1000")}
	status, err := json.Marshal(map[string]any{"status": core.NodeStatus{
		Capacity:        capacity,
		Allocatable:     capacity,
		Addresses:       []core.NodeAddress{{Type: core.NodeInternalIP, Address: n.address.String()}},
		DaemonEndpoints: core.NodeDaemonEndpoints{KubeletEndpoint: core.DaemonEndpoint{Port: kubeletPort}},
		Conditions: []core.NodeCondition{{
			Type: core.NodeReady, Status: core.ConditionTrue, Reason: "KubeletReady",
			LastHeartbeatTime: meta.Now(), LastTransitionTime: meta.Now(),
		}},
	}})
	if err != nil {
		return err
	}
	if _, err = nodes.Patch(ctx, n.name, types.StrategicMergePatchType, status, meta.PatchOptions{}, "status"); err != nil {
		return err
	}
	// Admission taints every new Node as not ready, and the controller that would take that back does not run.
	_, err = nodes.Patch(ctx, n.name, types.MergePatchType, []byte(`{"spec":{"taints":null}}`), meta.PatchOptions{})
	return err
}
