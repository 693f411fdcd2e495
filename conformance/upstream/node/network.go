package main

import (
	"fmt"
	"net/netip"
	"os/exec"
	"sync/atomic"
)

// Network gives each Pod an address of the bridge's network.
//
// The programs of the suite listen on all addresses at fixed ports, so each needs a network namespace of its own. It has no
// name: with the last process in it, it and the pair of interfaces that leads into it are gone.
type Network struct {
	bridge  string
	gateway netip.Addr
	last    atomic.Uint32
}

// next is an address that no Pod had before, so that a late request for one Pod cannot reach another.
func (n *Network) next() netip.Addr {
	count := n.last.Add(1) + 1
	bytes := n.gateway.As4()
	bytes[2], bytes[3] = byte(1+count/250), byte(count%250+2)
	return netip.AddrFrom4(bytes)
}

// connect gives a process the name of its machine, and its network namespace that address.
func (n *Network) connect(pid int, name string, address netip.Addr) error {
	bytes := address.As4()
	host := fmt.Sprintf("pod%d-%d", bytes[2], bytes[3])
	script := fmt.Sprintf(`
ip link delete %[1]s 2>/dev/null || true
ip link add %[1]s type veth peer name eth0 netns %[2]d
ip link set %[1]s master %[3]s up
nsenter --uts=/proc/%[2]d/ns/uts hostname %[6]s
nsenter --net=/proc/%[2]d/ns/net sh -ec '
  ip link set lo up
  ip address add %[4]s/16 dev eth0
  ip link set eth0 up
  ip route add default via %[5]s
'`, host, pid, n.bridge, address, n.gateway, name)
	if output, err := exec.Command("sh", "-ec", script).CombinedOutput(); err != nil {
		return fmt.Errorf("connecting process %d to %s: %w: %s", pid, n.bridge, err, output)
	}
	return nil
}
