package main

import (
	"context"
	"log"
	"net/netip"
	"os"
	"sync/atomic"
	"time"

	core "k8s.io/api/core/v1"
)

// Pod is one that is bound to this node and not deleted.
type Pod struct {
	node    *Node
	object  *core.Pod
	cancel  context.CancelFunc
	address netip.Addr
	started time.Time
	logs    map[string]*Log // by container
	root    string          // the container's file system
	process atomic.Int64    // the number of its process; 0 before it runs
}

// run keeps the Pod's container running until ctx ends.
//
// Containers of one Pod share a network namespace. No Pod of the suite has two, so that is not done here: such a Pod stays
// pending, and the log says why.
func (p *Pod) run(ctx context.Context) {
	if len(p.object.Spec.Containers) != 1 {
		p.log("has %d containers: this node runs Pods of one", len(p.object.Spec.Containers))
		return
	}
	container := p.object.Spec.Containers[0]
	root := p.root
	defer os.RemoveAll(root)
	if !retry(ctx, 100*time.Millisecond, func() error { return p.mount(ctx, container, root) }, p.log) {
		return
	}
	first := true
	retry(ctx, time.Second, func() error {
		process, err := p.startContainer(ctx, container, root)
		if err != nil {
			return err
		}
		if first {
			first = false
			go p.reportReady(ctx)
		}
		return process.Wait()
	}, p.log)
}

// retry calls attempt until it succeeds, or until ctx ends: then it returns false. What was said last is not said again.
func retry(ctx context.Context, pause time.Duration, attempt func() error, say func(string, ...any)) bool {
	for last := ""; ctx.Err() == nil; {
		err := attempt()
		if err == nil {
			return true
		}
		if err.Error() != last && ctx.Err() == nil {
			last = err.Error()
			say("%v", err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
	return false
}

func (p *Pod) log(format string, values ...any) {
	log.Printf("%s/%s "+format, append([]any{p.object.Namespace, p.object.Name}, values...)...)
}
