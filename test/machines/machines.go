package machines

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// Net is a network of machines.
type Net struct {
	t      testing.TB
	name   string // of the bridge; the namespaces' names begin with it
	subnet string // the first three numbers of all addresses
	all    []*Machine
}

// Machine is a namespace on the network.
type Machine struct {
	Address string
	net     *Net
	name    string // of the namespace
	cable   string // its end at the bridge
}

// This is the address at which the test's own process is reached.
func (n *Net) This() string { return n.subnet + ".1" }

// required makes a missing right or program a failure, as it is where everything was installed on purpose.
const required = "KIZUNA_TEST_REQUIRE_PEERS"

func skip(t testing.TB, reason string) {
	t.Helper()
	if os.Getenv(required) != "" {
		t.Fatal(reason)
	}
	t.Skip(reason)
}

// New makes a network without machines, or skips the test if that cannot be done here.
func New(t testing.TB) *Net {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("network namespaces need root")
	}
	if _, err := exec.LookPath("ip"); err != nil {
		skip(t, "there is no ip command (Debian: apt install iproute2)")
	}
	sweep()
	n := &Net{t: t, name: "kz" + strconv.Itoa(os.Getpid()), subnet: fmt.Sprintf("10.213.%d", 1+os.Getpid()%250)}
	if out, err := exec.Command("ip", "link", "add", n.name, "type", "bridge").CombinedOutput(); err != nil {
		t.Skipf("network namespaces are not allowed here: %v %s", err, out)
	}
	t.Cleanup(n.remove)
	probe := n.name + "-0"
	out, err := exec.Command("ip", "netns", "add", probe).CombinedOutput()
	if err == nil {
		out, err = exec.Command("ip", "netns", "exec", probe, "unshare", "--uts", "sh", "-c", "hostname probe && mount --bind /etc /etc").CombinedOutput()
		_ = exec.Command("ip", "netns", "del", probe).Run()
	}
	if err != nil {
		t.Skipf("name spaces are not allowed here: %v %s", err, out)
	}
	n.ip("addr", "add", n.This()+"/24", "dev", n.name)
	n.ip("link", "set", n.name, "up")
	return n
}

// sweep removes what processes have left behind that were killed.
func sweep() {
	out, _ := exec.Command("ip", "netns", "list").Output()
	for name := range strings.FieldsSeq(string(out)) {
		pid, _, ok := strings.Cut(strings.TrimPrefix(name, "kz"), "-")
		if _, err := os.Stat("/proc/" + pid); ok && strings.HasPrefix(name, "kz") && err != nil {
			_ = exec.Command("ip", "netns", "del", name).Run()
			_ = exec.Command("ip", "link", "del", "kz"+pid).Run()
			_ = os.RemoveAll(filepath.Join("/etc/netns", name))
		}
	}
}

func (n *Net) ip(args ...string) {
	n.t.Helper()
	if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
		n.t.Fatalf("ip %s: %v %s", strings.Join(args, " "), err, out)
	}
}

func (n *Net) remove() {
	for _, m := range n.all {
		_ = exec.Command("ip", "netns", "del", m.name).Run() // takes the cable with it
		_ = os.RemoveAll(filepath.Join("/etc/netns", m.name))
	}
	_ = exec.Command("ip", "link", "del", n.name).Run()
}

// Machine adds a machine.
func (n *Net) Machine() *Machine {
	n.t.Helper()
	i := len(n.all) + 1
	m := &Machine{net: n, name: fmt.Sprintf("%s-%d", n.name, i), cable: fmt.Sprintf("%sv%d", n.name, i), Address: fmt.Sprintf("%s.%d", n.subnet, i+1)}
	n.all = append(n.all, m)
	n.ip("netns", "add", m.name)
	n.ip("link", "add", m.cable, "type", "veth", "peer", "name", "eth0", "netns", m.name)
	n.ip("link", "set", m.cable, "master", n.name, "up")
	n.ip("-n", m.name, "addr", "add", m.Address+"/24", "dev", "eth0")
	n.ip("-n", m.name, "link", "set", "eth0", "up")
	n.ip("-n", m.name, "link", "set", "lo", "up")
	return m
}

// Names makes every machine know addresses by names.
func (n *Net) Names(names map[string]string) {
	n.t.Helper()
	text := "127.0.0.1 localhost\n"
	for name, address := range names {
		text += address + " " + name + "\n"
	}
	for _, m := range n.all {
		dir := filepath.Join("/etc/netns", m.name) // what is there stands in the place of the same in /etc; see ip-netns(8)
		if err := os.MkdirAll(dir, 0o755); err != nil {
			n.t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "hosts"), []byte(text), 0o644); err != nil {
			n.t.Fatal(err)
		}
	}
}

// Listen listens in the test's own process, for the machines to reach.
func (n *Net) Listen(port int) net.Listener {
	n.t.Helper()
	ln, err := net.Listen("tcp", net.JoinHostPort(n.This(), strconv.Itoa(port)))
	if err != nil {
		n.t.Fatal(err)
	}
	n.t.Cleanup(func() { ln.Close() })
	return ln
}

// Run returns a command that runs on the machine; its process is that of the program itself. With data, that folder is /data there, and the machine is
// called by the name.
func (m *Machine) Run(name, data string, args ...string) *exec.Cmd {
	within := []string{"netns", "exec", m.name}
	if data != "" {
		m.net.mountPoint("/data")
		// ip gives a name space of mounts of its own.
		within = append(within, "unshare", "--uts", "sh", "-c", `hostname "$0" && mount --bind "$1" /data && shift && exec "$@"`, name, data)
	}
	return exec.Command("ip", append(within, args...)...)
}

// mountPoint makes a folder to mount on, which images have and this machine may not. It stays: to remove it would take away what other tests have mounted there.
func (n *Net) mountPoint(path string) {
	n.t.Helper()
	if err := os.Mkdir(path, 0o700); err != nil && !os.IsExist(err) {
		n.t.Skipf("%s cannot be made here: %v", path, err)
	}
}

// Pull pulls the machine's cable: nothing comes and goes, and nobody is told.
func (m *Machine) Pull() { m.net.ip("link", "set", m.cable, "down") }

// Plug plugs it in again.
func (m *Machine) Plug() { m.net.ip("link", "set", m.cable, "up") }

// nowhere is an address of the link layer that nobody has.
const nowhere = "02:00:00:00:00:01"

// Part lets two machines not reach each other any more, while both reach all others; Join ends that.
func (m *Machine) Part(other *Machine) {
	m.net.ip("-n", m.name, "neigh", "replace", other.Address, "lladdr", nowhere, "dev", "eth0", "nud", "permanent")
	m.net.ip("-n", other.name, "neigh", "replace", m.Address, "lladdr", nowhere, "dev", "eth0", "nud", "permanent")
}

// Join lets two machines reach each other again.
func (m *Machine) Join(other *Machine) {
	m.net.ip("-n", m.name, "neigh", "del", other.Address, "dev", "eth0")
	m.net.ip("-n", other.name, "neigh", "del", m.Address, "dev", "eth0")
}
