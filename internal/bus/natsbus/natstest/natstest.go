// Package natstest runs a cluster of NATS servers for tests: three processes of the real server, each with its own folder, joined by routes.
package natstest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Nodes is how many servers a cluster has: one may die.
const Nodes = 3

// patience is how long the cluster may take to come up; it only runs out when something is wrong.
const patience = time.Minute

// Cluster is a running cluster.
type Cluster struct {
	binary string
	nodes  [Nodes]*node
}

type node struct {
	config, log, address string
	process              *exec.Cmd
}

// Build builds the server of the module's own version in dir and returns its path.
func Build(ctx context.Context, dir string) (string, error) {
	binary := filepath.Join(dir, "nats-server")
	if out, err := exec.CommandContext(ctx, "go", "build", "-o", binary, "github.com/nats-io/nats-server/v2").CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the NATS server: %w\n%s", err, out)
	}
	return binary, nil
}

// Start builds the server, starts a cluster in dir and waits until it takes streams of three replicas.
func Start(ctx context.Context, dir string) (*Cluster, error) {
	binary, err := Build(ctx, dir)
	if err != nil {
		return nil, err
	}
	c := &Cluster{binary: binary}
	ports, err := freePorts(2 * Nodes)
	if err != nil {
		return nil, err
	}
	var routes []string
	for _, p := range ports[Nodes:] {
		routes = append(routes, fmt.Sprintf("nats://127.0.0.1:%d", p))
	}
	for i := range c.nodes {
		n := &node{
			config: filepath.Join(dir, fmt.Sprintf("n%d.conf", i)), log: filepath.Join(dir, fmt.Sprintf("n%d.log", i)),
			address: fmt.Sprintf("nats://127.0.0.1:%d", ports[i]),
		}
		text := fmt.Sprintf("server_name: n%d\nlisten: 127.0.0.1:%d\nmax_payload: 8MB\njetstream { store_dir: %q, sync_interval: always, max_mem: 64MB, max_file: 100GB }\ncluster { name: test, listen: 127.0.0.1:%d, routes: [%s] }\n",
			i, ports[i], filepath.Join(dir, fmt.Sprintf("n%d", i)), ports[Nodes+i], strings.Join(routes, ", "))
		if err := os.WriteFile(n.config, []byte(text), 0o600); err != nil {
			return nil, err
		}
		c.nodes[i] = n
		if err := c.Start(i); err != nil {
			c.Stop()
			return nil, err
		}
	}
	if err := c.ready(ctx); err != nil {
		c.Stop()
		return nil, err
	}
	return c, nil
}

// URL returns the addresses of all servers, as a client takes them.
func (c *Cluster) URL() string {
	var all []string
	for _, n := range c.nodes {
		all = append(all, n.address)
	}
	return strings.Join(all, ",")
}

// Start starts a server that does not run.
func (c *Cluster) Start(i int) error {
	n := c.nodes[i]
	log, err := os.OpenFile(n.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	n.process = exec.Command(c.binary, "-c", n.config)
	n.process.Stdout, n.process.Stderr = log, log
	return n.process.Start()
}

// Kill ends a server with SIGKILL.
func (c *Cluster) Kill(i int) error {
	p := c.nodes[i].process
	if p == nil {
		return nil
	}
	c.nodes[i].process = nil
	if err := p.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	_ = p.Wait() // killed
	return nil
}

// Leader returns the number of the server that leads a stream, -1 if none does at the moment.
func (c *Cluster) Leader(ctx context.Context, stream string) (int, error) {
	found := -1
	err := c.with(func(js jetstream.JetStream) error {
		ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
		defer cancel()
		s, err := js.Stream(ctx, stream)
		if err != nil {
			return err
		}
		if at := s.CachedInfo().Cluster; at != nil && at.Leader != "" {
			_, err = fmt.Sscanf(at.Leader, "n%d", &found)
		}
		return err
	})
	return found, err
}

// Whole waits until every server holds all of a stream. Two of three are enough to go on, but one that has just come back counts among them only once it has caught
// up: whoever takes another away before has taken two.
func (c *Cluster) Whole(ctx context.Context, stream string) error {
	ctx, cancel := context.WithTimeout(ctx, 4*patience) // a busy machine has taken most of one to elect a leader
	defer cancel()
	for {
		err := c.with(func(js jetstream.JetStream) error {
			ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
			defer cancel()
			s, err := js.Stream(ctx, stream)
			if err != nil {
				return err
			}
			at := s.CachedInfo().Cluster
			if at == nil || at.Leader == "" || len(at.Replicas) < Nodes-1 {
				return errors.New("no leader knows all of them")
			}
			for _, r := range at.Replicas {
				if r.Offline || !r.Current {
					return fmt.Errorf("%s is away or %d records behind", r.Name, r.Lag)
				}
			}
			return nil
		})
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("not every server holds %s: %w\n%s", stream, err, c.Logs())
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// Logs returns the end of what each server has said.
func (c *Cluster) Logs() string {
	const tail = 6000 // bytes of each
	var all strings.Builder
	for _, n := range c.nodes {
		text, err := os.ReadFile(n.log)
		fmt.Fprintf(&all, "== %s %v\n%s\n", filepath.Base(n.log), err, text[max(0, len(text)-tail):])
	}
	return all.String()
}

// Stop ends all servers.
func (c *Cluster) Stop() {
	for i, n := range c.nodes {
		if n != nil {
			_ = c.Kill(i)
		}
	}
}

func (c *Cluster) with(do func(jetstream.JetStream) error) error {
	nc, err := nats.Connect(c.URL(), nats.Timeout(time.Second))
	if err != nil {
		return err
	}
	defer nc.Close()
	js, err := jetstream.New(nc, jetstream.WithDefaultTimeout(2*time.Second))
	if err != nil {
		return err
	}
	return do(js)
}

// ready waits until a stream can be made that every server holds.
func (c *Cluster) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		err := c.with(func(js jetstream.JetStream) error {
			ctx, cancel := context.WithTimeout(ctx, 2*time.Second) // what is asked before there is a leader gets no answer
			defer cancel()
			if _, err := js.CreateStream(ctx, jetstream.StreamConfig{Name: "READY", Subjects: []string{"ready"}, Replicas: Nodes}); err != nil {
				return err
			}
			return js.DeleteStream(ctx, "READY")
		})
		if err == nil || errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the NATS cluster does not come up: %w\n%s", err, c.Logs())
		case <-time.After(50 * time.Millisecond): // the servers tell nobody when they have found each other
		}
	}
}

func freePorts(n int) ([]int, error) {
	var ports []int
	for range n {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer ln.Close() // all are held until the last is found, so that they differ
		ports = append(ports, ln.Addr().(*net.TCPAddr).Port)
	}
	return ports, nil
}
