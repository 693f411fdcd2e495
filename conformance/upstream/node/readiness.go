package main

import (
	"context"
	"encoding/json"
	"net"
	"strconv"
	"time"

	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// reportReady waits for the ports that the Pod declares, and reports it as ready.
//
// No Pod of the suite has a readiness probe, so a kubelet would report each as soon as its process runs. The wait spares the
// first requests; it is short, because one Pod listens on another port than it declares, on purpose.
func (p *Pod) reportReady(ctx context.Context) {
	for end := time.Now().Add(2 * time.Second); ctx.Err() == nil && !p.listens() && time.Now().Before(end); {
		time.Sleep(20 * time.Millisecond)
	}
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"uid": p.object.UID}, "status": p.status()})
	if err != nil {
		p.log("%v", err)
		return
	}
	retry(ctx, 500*time.Millisecond, func() error {
		_, err := p.node.client.CoreV1().Pods(p.object.Namespace).Patch(ctx, p.object.Name, types.StrategicMergePatchType, patch, meta.PatchOptions{}, "status")
		if unlessOvertaken(err) != nil {
			return err
		}
		p.log("is ready at %s, %v after its start", p.address, time.Since(p.started).Round(time.Millisecond))
		return nil
	}, p.log)
}

// listens tells whether all declared TCP ports answer; of a UDP port it cannot be told.
func (p *Pod) listens() bool {
	for _, container := range p.object.Spec.Containers {
		for _, port := range container.Ports {
			if port.Protocol != "" && port.Protocol != core.ProtocolTCP {
				continue
			}
			connection, err := net.DialTimeout("tcp", net.JoinHostPort(p.address.String(), strconv.Itoa(int(port.ContainerPort))), time.Second)
			if err != nil {
				return false
			}
			connection.Close()
		}
	}
	return true
}

func (p *Pod) status() core.PodStatus {
	now, yes := meta.Now(), true
	status := core.PodStatus{
		Phase:     core.PodRunning,
		PodIP:     p.address.String(),
		PodIPs:    []core.PodIP{{IP: p.address.String()}},
		HostIP:    p.node.address.String(),
		HostIPs:   []core.HostIP{{IP: p.node.address.String()}},
		StartTime: &meta.Time{Time: p.started},
	}
	for _, kind := range []core.PodConditionType{core.PodScheduled, core.PodInitialized, core.ContainersReady, core.PodReady} {
		status.Conditions = append(status.Conditions, core.PodCondition{Type: kind, Status: core.ConditionTrue, LastTransitionTime: now})
	}
	for _, container := range p.object.Spec.Containers {
		status.ContainerStatuses = append(status.ContainerStatuses, core.ContainerStatus{
			Name: container.Name, Image: container.Image, ImageID: container.Image, Ready: true, Started: &yes,
			ContainerID: "process://" + string(p.object.UID) + "/" + container.Name,
			State:       core.ContainerState{Running: &core.ContainerStateRunning{StartedAt: now}},
		})
	}
	return status
}
