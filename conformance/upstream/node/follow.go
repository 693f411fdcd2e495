package main

import (
	"context"
	"log"
	"path/filepath"
	"time"

	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/informers"
	listers "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/util/workqueue"
)

// follow makes what runs here what the API server says should run, for as long as the process lives.
func (n *Node) follow(ctx context.Context) {
	queue := workqueue.NewTypedRateLimitingQueue(workqueue.NewTypedItemExponentialFailureRateLimiter[string](50*time.Millisecond, 500*time.Millisecond))
	factory := informers.NewSharedInformerFactory(n.client, 0)
	pods := factory.Core().V1().Pods()
	changed := func(object any) {
		if key, err := cache.DeletionHandlingMetaNamespaceKeyFunc(object); err == nil {
			queue.Add(key)
		}
	}
	_, err := pods.Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc: changed, UpdateFunc: func(_, object any) { changed(object) }, DeleteFunc: changed,
	})
	if err != nil {
		log.Fatal(err)
	}
	n.services.follow(ctx, factory)
	factory.Start(ctx.Done())
	factory.WaitForCacheSync(ctx.Done())
	for range 8 {
		go func() {
			for key, stop := queue.Get(); !stop; key, stop = queue.Get() {
				if err := n.sync(ctx, pods.Lister(), key); err != nil {
					log.Printf("%s: %v", key, err)
					queue.AddRateLimited(key)
				} else {
					queue.Forget(key)
				}
				queue.Done(key)
			}
		}()
	}
	<-ctx.Done()
}

// sync takes one Pod one step further. The queue never hands out one key twice at a time.
func (n *Node) sync(ctx context.Context, pods listers.PodLister, key string) error {
	namespace, name, err := cache.SplitMetaNamespaceKey(key)
	if err != nil {
		return err
	}
	object, err := pods.Pods(namespace).Get(name)
	gone := errors.IsNotFound(err)
	if err != nil && !gone {
		return err
	}
	pod := n.find(namespace, name)
	if pod != nil && (gone || object.UID != pod.object.UID || object.DeletionTimestamp != nil) {
		n.stop(key, pod)
		pod = nil
	}
	switch {
	case gone:
		return nil
	case object.Spec.NodeName == "":
		return n.bind(ctx, object)
	case object.DeletionTimestamp != nil:
		return n.confirmDeletion(ctx, object)
	case pod == nil:
		n.start(ctx, key, object)
	}
	return nil
}

// bind is all of the scheduling.
func (n *Node) bind(ctx context.Context, object *core.Pod) error {
	err := n.client.CoreV1().Pods(object.Namespace).Bind(ctx, &core.Binding{
		ObjectMeta: meta.ObjectMeta{Namespace: object.Namespace, Name: object.Name, UID: object.UID},
		Target:     core.ObjectReference{Kind: "Node", Name: n.name},
	}, meta.CreateOptions{})
	return unlessOvertaken(err)
}

// confirmDeletion lets the object of a stopped Pod go, as a kubelet does: without it, the object stays.
func (n *Node) confirmDeletion(ctx context.Context, object *core.Pod) error {
	now := int64(0)
	err := n.client.CoreV1().Pods(object.Namespace).Delete(ctx, object.Name, meta.DeleteOptions{
		GracePeriodSeconds: &now,
		Preconditions:      &meta.Preconditions{UID: &object.UID},
	})
	return unlessOvertaken(err)
}

// unlessOvertaken drops an error that a later change of the same object explains; the watch tells of that change.
func unlessOvertaken(err error) error {
	if errors.IsNotFound(err) || errors.IsConflict(err) {
		return nil
	}
	return err
}

func (n *Node) find(namespace, name string) *Pod {
	n.mutex.Lock()
	defer n.mutex.Unlock()
	return n.running[namespace+"/"+name]
}

func (n *Node) start(ctx context.Context, key string, object *core.Pod) {
	ctx, cancel := context.WithCancel(ctx)
	pod := &Pod{node: n, object: object, cancel: cancel, address: n.network.next(), started: time.Now(), logs: map[string]*Log{}, root: filepath.Join(n.state, string(object.UID))}
	for _, container := range object.Spec.Containers {
		pod.logs[container.Name] = &Log{}
	}
	n.mutex.Lock()
	n.running[key] = pod
	n.mutex.Unlock()
	go pod.run(ctx)
}

func (n *Node) stop(key string, pod *Pod) {
	pod.cancel()
	n.mutex.Lock()
	delete(n.running, key)
	n.mutex.Unlock()
}
