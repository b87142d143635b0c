package machines

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.yaml.in/yaml/v3"

	"github.com/kizuna-cx/kizuna/internal/bus/natsbus/natstest"
	"github.com/kizuna-cx/kizuna/test/harness"
)

// Three is how many machines a stack has.
const Three = 3

// service is what is read of a service of the Compose file.
type service struct {
	Image       string            `yaml:"image"`
	Hostname    string            `yaml:"hostname"`
	Command     []string          `yaml:"command"`
	Environment map[string]string `yaml:"environment"`
	Volumes     []string          `yaml:"volumes"`
}

// Stack is what the Compose file starts.
type Stack struct {
	t        testing.TB
	Net      *Net
	Machines [Three]*Machine        // machine i has node-(i+1) and nats-(i+1)
	Nodes    [Three]*harness.Server // in the order of their names
	Postgres *Process
	Log      [Three]*Process // the NATS servers

	dir      string
	file     string
	services map[string]service
	secrets  map[string]string

	awaitDatabase func() bool
}

// Prepare reads the Compose file and starts everything but the nodes.
func Prepare(t testing.TB, file string) *Stack {
	t.Helper()
	s := &Stack{t: t, Net: New(t), dir: t.TempDir(), file: file}
	key := make([]byte, 32)
	_, _ = rand.Read(key)
	s.secrets = map[string]string{"KIZUNA_MASTER_KEY": base64.StdEncoding.EncodeToString(key), "POSTGRES_PASSWORD": rand.Text(), "FILES_SECRET": rand.Text()}
	s.read()
	names := map[string]string{"objects": s.Net.This()}
	for i := range s.Machines {
		s.Machines[i] = s.Net.Machine()
		names[fmt.Sprint("node-", i+1)], names[fmt.Sprint("nats-", i+1)] = s.Machines[i].Address, s.Machines[i].Address
	}
	database := s.Net.Machine()
	names["postgres"] = database.Address
	s.Net.Names(names)
	s.startDatabase(database)
	s.startObjects()
	s.startLog()
	for i := range s.Nodes {
		s.Nodes[i] = s.node(i)
	}
	return s
}

// read reads the file, with the secrets that its head tells one to make.
func (s *Stack) read() {
	s.t.Helper()
	raw, err := os.ReadFile(s.file)
	if err != nil {
		s.t.Fatal(err)
	}
	for name, value := range s.secrets {
		raw = bytes.ReplaceAll(raw, []byte("${"+name+":?}"), []byte(value))
	}
	var doc struct {
		Services map[string]yaml.Node `yaml:"services"`
	}
	if err := yaml.Unmarshal(raw, &doc); err != nil {
		s.t.Fatal(err)
	}
	s.services = map[string]service{}
	for name, node := range doc.Services {
		var one service
		if err := node.Decode(&one); err != nil {
			s.t.Fatalf("%s: %v", name, err)
		}
		s.services[name] = one
	}
}

func (s *Stack) service(name, image string) service {
	s.t.Helper()
	one, ok := s.services[name]
	if !ok || !strings.HasPrefix(one.Image, image) {
		s.t.Fatalf("%s has no service %s of an image %s", s.file, name, image)
	}
	return one
}

// Process is a program that can be killed and started again.
type Process struct {
	t       testing.TB
	name    string
	command func() *exec.Cmd
	cmd     *exec.Cmd
	ended   chan struct{}
	log     string
}

func (s *Stack) process(name string, command func() *exec.Cmd) *Process {
	p := &Process{t: s.t, name: name, command: command, log: filepath.Join(s.dir, name+".log")}
	s.t.Cleanup(func() {
		p.Kill()
		if raw, err := os.ReadFile(p.log); err == nil && s.t.Failed() {
			s.t.Logf("%s:\n%s", name, raw[max(0, len(raw)-2000):])
		}
	})
	return p
}

// Start starts it.
func (p *Process) Start() {
	p.t.Helper()
	log, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		p.t.Fatal(err)
	}
	defer log.Close()
	p.cmd = p.command()
	p.cmd.Stdout, p.cmd.Stderr = log, log
	if err := p.cmd.Start(); err != nil {
		p.t.Fatalf("%s: %v", p.name, err)
	}
	cmd, ended := p.cmd, make(chan struct{})
	p.ended = ended
	go func() {
		_ = cmd.Wait() // how it ended shows in its log
		close(ended)
	}()
}

// PID is the number of the running process.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Supervise starts it again if it has ended by itself.
func (p *Process) Supervise() {
	p.t.Helper()
	select {
	case <-p.ended:
		p.Start()
	default:
	}
}

// Kill ends it as a power cut would.
func (p *Process) Kill() {
	if p.cmd == nil {
		return
	}
	_ = p.cmd.Process.Kill() // it may be over
	<-p.ended
	p.cmd = nil
}

func (s *Stack) folder(name string) string {
	s.t.Helper()
	dir := filepath.Join(s.dir, name)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		s.t.Fatal(err)
	}
	return dir
}

// startDatabase starts the PostgreSQL of this system as the image would: with the user, the password and the database that the file says.
func (s *Stack) startDatabase(m *Machine) {
	s.t.Helper()
	env := s.service("postgres", "postgres").Environment
	all, err := filepath.Glob("/usr/lib/postgresql/*/bin")
	if err != nil || len(all) == 0 {
		skip(s.t, "PostgreSQL is not installed (Debian: apt install postgresql)")
	}
	bin, dir := slices.Max(all), s.folder("postgres")
	for d := dir; len(d) > len(os.TempDir()); d = filepath.Dir(d) { // for the user that PostgreSQL runs as
		if err := os.Chmod(d, 0o755); err != nil {
			s.t.Fatal(err)
		}
	}
	password := filepath.Join(dir, "password")
	if err := os.WriteFile(password, []byte(env["POSTGRES_PASSWORD"]+"\n"), 0o644); err != nil {
		s.t.Fatal(err)
	}
	data := filepath.Join(dir, "data")
	if out, err := exec.Command("install", "-d", "-o", "postgres", "-g", "postgres", "-m", "700", data).CombinedOutput(); err != nil {
		s.t.Skipf("there is no user postgres: %v %s", err, out)
	}
	as := []string{"setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"}
	run := func(args ...string) {
		s.t.Helper()
		cmd := exec.Command(as[0], append(as[1:], args...)...)
		cmd.Dir = data
		if out, err := cmd.CombinedOutput(); err != nil {
			s.t.Fatalf("%s: %v %s", args[0], err, out)
		}
	}
	run(filepath.Join(bin, "initdb"), "-D", data, "-U", env["POSTGRES_USER"], "-A", "scram-sha-256", "--pwfile", password, "-E", "UTF8", "--no-locale")
	access, err := os.OpenFile(filepath.Join(data, "pg_hba.conf"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		s.t.Fatal(err)
	}
	if _, err := access.WriteString("host all all all scram-sha-256\n"); err != nil {
		s.t.Fatal(err)
	}
	access.Close()
	s.Postgres = s.process("postgres", func() *exec.Cmd {
		return m.Run("", "", append(as, filepath.Join(bin, "postgres"), "-D", data, "-c", "listen_addresses=*", "-c", "unix_socket_directories=")...)
	})
	s.Postgres.Start()
	s.awaitDatabase = func() bool {
		s.Postgres.Supervise() // it does not start while processes of a killed one are ending
		cmd := exec.Command(filepath.Join(bin, "createdb"), "-h", m.Address, "-U", env["POSTGRES_USER"], env["POSTGRES_DB"])
		cmd.Env = append(os.Environ(), "PGPASSWORD="+env["POSTGRES_PASSWORD"])
		out, err := cmd.CombinedOutput()
		return err == nil || bytes.Contains(out, []byte("already exists"))
	}
	s.eventually("the database is there", s.awaitDatabase)
}

// StartDatabase starts the database again after it was killed.
func (s *Stack) StartDatabase() {
	s.t.Helper()
	s.Postgres.Start()
	s.eventually("the database is there again", s.awaitDatabase)
}

func (s *Stack) startObjects() {
	s.t.Helper()
	store := s3mem.New()
	if err := store.CreateBucket("kizuna"); err != nil {
		s.t.Fatal(err)
	}
	server := &http.Server{Handler: gofakes3.New(store).Server(), ReadHeaderTimeout: 10 * time.Second}
	ln := s.Net.Listen(8333)
	go func() { _ = server.Serve(ln) }() // ends with Close
	s.t.Cleanup(func() { server.Close() })
}

func (s *Stack) startLog() {
	s.t.Helper()
	binary, err := natstest.Build(s.t.Context(), s.dir)
	if err != nil {
		s.t.Fatal(err)
	}
	for i, m := range s.Machines {
		name := fmt.Sprint("nats-", i+1)
		one := s.service(name, "nats:")
		args := []string{binary}
		for _, a := range one.Command {
			args = append(args, s.mounted(one, a))
		}
		s.Log[i] = s.process(name, func() *exec.Cmd {
			cmd := m.Run(one.Hostname, s.folder(name), args...)
			cmd.Env = append(os.Environ(), "HOSTNAME="+one.Hostname)
			return cmd
		})
		s.Log[i].Start()
	}
}

// mounted is the path of a file of the repository that the service mounts, or the argument as it is.
func (s *Stack) mounted(one service, arg string) string {
	for _, v := range one.Volumes {
		if parts := strings.Split(v, ":"); len(parts) > 1 && parts[1] == arg {
			path, err := filepath.Abs(filepath.Join(filepath.Dir(s.file), parts[0]))
			if err != nil {
				s.t.Fatal(err)
			}
			return path
		}
	}
	return arg
}

func (s *Stack) node(i int) *harness.Server {
	s.t.Helper()
	name := fmt.Sprint("node-", i+1)
	one := s.service(name, "kizuna")
	var env []string
	for _, k := range slices.Sorted(maps.Keys(one.Environment)) {
		env = append(env, k+"="+one.Environment[k])
	}
	data := s.folder(name)
	return harness.Elsewhere(s.t, "http://"+s.Machines[i].Address+":8480", data, func() *exec.Cmd {
		// As the image of deploy/Dockerfile starts it.
		cmd := s.Machines[i].Run(one.Hostname, data, harness.Binary(s.t), "serve")
		cmd.Env = []string{"KIZUNA_DATA=/data"}
		return cmd
	}, env...)
}

// Leader returns the machine whose server leads the log.
func (s *Stack) Leader() int {
	s.t.Helper()
	found := -1
	s.eventually("the log has a leader", func() bool {
		nc, err := nats.Connect(s.natsURL(), nats.Timeout(time.Second))
		if err != nil {
			return false
		}
		defer nc.Close()
		js, err := jetstream.New(nc, jetstream.WithDefaultTimeout(2*time.Second))
		if err != nil {
			return false
		}
		ctx, cancel := context.WithTimeout(s.t.Context(), 5*time.Second)
		defer cancel()
		stream, err := js.Stream(ctx, "KIZUNA")
		if err != nil || stream.CachedInfo().Cluster == nil {
			return false
		}
		_, err = fmt.Sscanf(stream.CachedInfo().Cluster.Leader, "nats-%d", &found)
		return err == nil
	})
	return found - 1
}

func (s *Stack) natsURL() string {
	var all []string
	for _, m := range s.Machines {
		all = append(all, "nats://"+m.Address+":4222")
	}
	return strings.Join(all, ",")
}

func (s *Stack) eventually(what string, holds func() bool) {
	s.t.Helper()
	deadline := time.Now().Add(time.Minute)
	for !holds() {
		if time.Now().After(deadline) {
			s.t.Fatalf("after a minute still not: %s", what)
		}
		time.Sleep(50 * time.Millisecond)
	}
}
