package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"k8s.io/cri-streaming/pkg/streaming/remotecommand"
	utilexec "k8s.io/utils/exec"
)

// serveExec runs a command in a Pod, as the tests of meshes do: they send their requests from there.
func (n *Node) serveExec(w http.ResponseWriter, r *http.Request) {
	pod := n.find(r.PathValue("namespace"), r.PathValue("pod"))
	if pod == nil || pod.process.Load() == 0 {
		http.Error(w, "no such Pod runs on this node", http.StatusNotFound)
		return
	}
	options, err := remotecommand.NewOptions(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	remotecommand.ServeExec(w, r, command{pod}, pod.object.Name, string(pod.object.UID), r.PathValue("container"),
		r.URL.Query()["command"], options, time.Minute, 10*time.Second, remotecommand.SupportedStreamingProtocols)
}

// command is run in the network namespace and the file system of a Pod's container. Its first word is a program of the container, or
// one that is put there, of the folders in which images are.
type command struct{ pod *Pod }

func (c command) ExecInContainer(ctx context.Context, _, _, _ string, words []string, _ io.Reader, out, failed io.WriteCloser, _ bool, _ <-chan remotecommand.TerminalSize, _ time.Duration) error {
	if len(words) == 0 {
		return errors.New("there is no command")
	}
	program, err := c.pod.node.images.place(words[0], c.pod.root)
	if err != nil {
		return err
	}
	if err := c.pod.nameServices(); err != nil {
		return err
	}
	arguments := []string{fmt.Sprintf("--net=/proc/%d/ns/net", c.pod.process.Load()), "--root=" + c.pod.root, "--", program}
	process := exec.CommandContext(ctx, "nsenter", append(arguments, words[1:]...)...)
	process.Env = []string{"PATH=/"}
	process.Stdout, process.Stderr = out, failed
	err = process.Run()
	if exit := (&exec.ExitError{}); errors.As(err, &exit) {
		return &utilexec.ExitErrorWrapper{ExitError: exit}
	}
	return err
}

// nameServices writes the names of all Services, as they are called in the Pod's namespace and elsewhere: there is no DNS here.
func (p *Pod) nameServices() error {
	services, err := p.node.services.all()
	if err != nil {
		return err
	}
	var hosts strings.Builder
	hosts.WriteString("127.0.0.1 localhost\n")
	for _, service := range services {
		if service.Spec.ClusterIP == "" || service.Spec.ClusterIP == "None" {
			continue
		}
		qualified := service.Name + "." + service.Namespace
		names := []string{qualified, qualified + ".svc", qualified + ".svc.cluster.local"}
		if service.Namespace == p.object.Namespace {
			names = append(names, service.Name)
		}
		fmt.Fprintln(&hosts, service.Spec.ClusterIP, strings.Join(names, " "))
	}
	folder := filepath.Join(p.root, "etc")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder, "hosts"), []byte(hosts.String()), 0o644)
}
