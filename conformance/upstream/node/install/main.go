// Applies manifests: waits for the API server to be ready, applies every object of the given files and folders on the server's
// side, and waits for each that something else has to take into use first.
//
// Applied by a client, the definitions would not fit into the annotation that a client keeps what it applied last in.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"
	"slices"
	"time"

	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/restmapper"
	"k8s.io/client-go/tools/clientcmd"
)

// taken are the conditions that say that an object is in use.
var taken = map[string]string{"CustomResourceDefinition": "Established", "GatewayClass": "Accepted"}

func main() {
	log.SetFlags(0)
	kubeconfig := flag.String("kubeconfig", "", "how to reach the API server")
	timeout := flag.Duration("timeout", time.Minute, "how long all of it may take")
	flag.Parse()
	ctx, cancel := context.WithTimeout(context.Background(), *timeout)
	defer cancel()
	if err := install(ctx, *kubeconfig, flag.Args()); err != nil {
		log.Fatal(err)
	}
}

func install(ctx context.Context, kubeconfig string, paths []string) error {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return err
	}
	config.QPS, config.Burst = 200, 400
	found, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		return err
	}
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		return err
	}
	ready := func() error { return found.RESTClient().Get().AbsPath("/readyz").Do(ctx).Error() }
	if err := until(ctx, ready); err != nil {
		return fmt.Errorf("the API server is not ready: %w", err)
	}
	objects, err := read(paths)
	if err != nil {
		return err
	}
	kinds := restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(found))
	for _, object := range objects {
		if err := apply(ctx, client, kinds, object); err != nil {
			return fmt.Errorf("%s %s: %w", object.GetKind(), object.GetName(), err)
		}
	}
	return nil
}

// read takes a folder's own files, not those below it.
func read(paths []string) ([]*unstructured.Unstructured, error) {
	var objects []*unstructured.Unstructured
	for _, path := range paths {
		files := []string{path}
		if info, err := os.Stat(path); err != nil {
			return nil, err
		} else if info.IsDir() {
			if files, err = filepath.Glob(filepath.Join(path, "*.yaml")); err != nil {
				return nil, err
			}
			slices.Sort(files)
		}
		for _, name := range files {
			file, err := os.Open(name)
			if err != nil {
				return nil, err
			}
			defer file.Close()
			for documents := yaml.NewYAMLOrJSONDecoder(file, 4096); ; {
				object := &unstructured.Unstructured{}
				if err := documents.Decode(object); errors.Is(err, io.EOF) {
					break
				} else if err != nil {
					return nil, fmt.Errorf("%s: %w", name, err)
				}
				if object.GetKind() != "" {
					objects = append(objects, object)
				}
			}
		}
	}
	return objects, nil
}

func apply(ctx context.Context, client dynamic.Interface, kinds *restmapper.DeferredDiscoveryRESTMapper, object *unstructured.Unstructured) error {
	kind := object.GroupVersionKind()
	mapping, err := kinds.RESTMapping(schema.GroupKind{Group: kind.Group, Kind: kind.Kind}, kind.Version)
	if err != nil {
		return err
	}
	var resources dynamic.ResourceInterface = client.Resource(mapping.Resource)
	if namespace := object.GetNamespace(); namespace != "" {
		resources = client.Resource(mapping.Resource).Namespace(namespace)
	}
	if _, err := resources.Apply(ctx, object.GetName(), object, meta.ApplyOptions{FieldManager: "conformance", Force: true}); err != nil {
		return err
	}
	awaited := taken[kind.Kind]
	if awaited == "" {
		return nil
	}
	return until(ctx, func() error {
		stored, err := resources.Get(ctx, object.GetName(), meta.GetOptions{})
		if err != nil {
			return err
		}
		conditions, _, _ := unstructured.NestedSlice(stored.Object, "status", "conditions")
		for _, condition := range conditions {
			if fields, ok := condition.(map[string]any); ok && fields["type"] == awaited && fields["status"] == "True" {
				return nil
			}
		}
		return fmt.Errorf("it is not %s", awaited)
	})
}

// until calls attempt until it succeeds, and returns its last error if ctx ends first.
func until(ctx context.Context, attempt func() error) error {
	for {
		err := attempt()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(50 * time.Millisecond):
		}
	}
}
