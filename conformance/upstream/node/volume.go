package main

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"

	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// mount writes a container's Secrets and ConfigMaps to where it expects them. One that does not exist yet is an error: the
// suite applies some after the Pods that need them.
func (p *Pod) mount(ctx context.Context, container core.Container, root string) error {
	volumes := map[string]core.Volume{}
	for _, volume := range p.object.Spec.Volumes {
		volumes[volume.Name] = volume
	}
	if err := os.MkdirAll(filepath.Join(root, "tmp"), 0o755); err != nil {
		return err
	}
	for _, mount := range container.VolumeMounts {
		files, err := p.files(ctx, volumes[mount.Name])
		if err != nil {
			return fmt.Errorf("volume %s: %w", mount.Name, err)
		}
		for name, content := range files {
			path := filepath.Join(root, mount.MountPath, name)
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				return err
			}
			if err := os.WriteFile(path, content, 0o644); err != nil {
				return err
			}
		}
	}
	return nil
}

// files are those of a volume from a Secret or a ConfigMap. Any other volume is empty: the suite's Pods read none.
func (p *Pod) files(ctx context.Context, volume core.Volume) (map[string][]byte, error) {
	all, items := map[string][]byte{}, []core.KeyToPath(nil)
	switch {
	case volume.Secret != nil:
		secret, err := p.node.client.CoreV1().Secrets(p.object.Namespace).Get(ctx, volume.Secret.SecretName, meta.GetOptions{})
		if err != nil {
			return nil, err
		}
		maps.Copy(all, secret.Data)
		items = volume.Secret.Items
	case volume.ConfigMap != nil:
		config, err := p.node.client.CoreV1().ConfigMaps(p.object.Namespace).Get(ctx, volume.ConfigMap.Name, meta.GetOptions{})
		if err != nil {
			return nil, err
		}
		for key, content := range config.Data {
			all[key] = []byte(content)
		}
		items = volume.ConfigMap.Items
	}
	if len(items) == 0 {
		return all, nil
	}
	chosen := map[string][]byte{}
	for _, item := range items {
		content, exists := all[item.Key]
		if !exists {
			return nil, fmt.Errorf("no key %s", item.Key)
		}
		chosen[item.Path] = content
	}
	return chosen, nil
}
