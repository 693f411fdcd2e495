package main

import (
	"context"
	"os/exec"
	"syscall"

	core "k8s.io/api/core/v1"
)

// startContainer starts the program of an image in a network namespace of its own, under the Pod's name, with root as its file system.
func (p *Pod) startContainer(ctx context.Context, container core.Container, root string) (*exec.Cmd, error) {
	program, err := p.node.images.place(container.Image, root)
	if err != nil {
		return nil, err
	}
	process := exec.CommandContext(ctx, program, container.Args...)
	process.Dir = "/"
	process.Env = p.environment(container)
	process.Stdout, process.Stderr = p.logs[container.Name], p.logs[container.Name]
	process.SysProcAttr = &syscall.SysProcAttr{Chroot: root, Cloneflags: syscall.CLONE_NEWNET | syscall.CLONE_NEWUTS}
	if err := process.Start(); err != nil {
		return nil, err
	}
	if err := p.node.network.connect(process.Process.Pid, p.object.Name, p.address); err != nil {
		_ = process.Process.Kill()
		_ = process.Wait()
		return nil, err
	}
	p.process.Store(int64(process.Process.Pid))
	return process, nil
}

func (p *Pod) environment(container core.Container) []string {
	environment := []string{"PATH=/", "HOSTNAME=" + p.object.Name}
	for _, variable := range container.Env {
		value := variable.Value
		if variable.ValueFrom != nil && variable.ValueFrom.FieldRef != nil {
			value = p.field(variable.ValueFrom.FieldRef.FieldPath)
		}
		environment = append(environment, variable.Name+"="+value)
	}
	return environment
}

// field is the value that the downward API gives for a path, for the paths that the suite's Pods use.
func (p *Pod) field(path string) string {
	switch path {
	case "metadata.name":
		return p.object.Name
	case "metadata.namespace":
		return p.object.Namespace
	case "status.podIP":
		return p.address.String()
	default:
		p.log("this node knows no field %s", path)
		return ""
	}
}
