package deploy_test

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/nats-io/nats-server/v2/server"
	"go.yaml.in/yaml/v3"

	"github.com/kizuna-cx/kizuna/internal/app"
)

const root = "../../deploy/"

// node is a value of a YAML document.
type node = map[string]any

func read(t *testing.T, file string) []node {
	t.Helper()
	raw, err := os.ReadFile(root + file)
	if err != nil {
		t.Fatal(err)
	}
	var all []node
	for in := yaml.NewDecoder(bytes.NewReader(raw)); ; {
		var doc node
		err := in.Decode(&doc)
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		all = append(all, doc)
	}
}

// at follows a path of keys and returns nil where it leads nowhere.
func at(v any, path ...string) any {
	for _, key := range path {
		m, ok := v.(node)
		if !ok {
			return nil
		}
		v = m[key]
	}
	return v
}

func text(v any, path ...string) string {
	s, _ := at(v, path...).(string)
	return s
}

func list(v any, path ...string) []any {
	l, _ := at(v, path...).([]any)
	return l
}

// works reports an environment and arguments that the program would not start with. Arguments stand for variables: --peer-listen for KIZUNA_PEER_LISTEN.
func works(t *testing.T, what string, env map[string]string, args []any) {
	t.Helper()
	known := map[string]bool{}
	for _, v := range app.Variables {
		known[v.Name] = true
	}
	for _, a := range args {
		if arg := fmt.Sprint(a); strings.HasPrefix(arg, "--") {
			name, value, ok := strings.Cut(strings.TrimPrefix(arg, "--"), "=")
			if !ok {
				t.Errorf("%s: %s: write --flag=value", what, arg)
			}
			env["KIZUNA_"+strings.ToUpper(strings.ReplaceAll(name, "-", "_"))] = value
		}
	}
	for name := range env {
		if strings.HasPrefix(name, "KIZUNA_") && !known[name] {
			t.Errorf("%s sets %s, which the program does not know", what, name)
		}
	}
	t.Setenv("KIZUNA_MASTER_KEY", env["KIZUNA_MASTER_KEY"])
	c := app.Default()
	err := c.FromEnvironment(func(name string) (string, bool) { v, ok := env[name]; return v, ok })
	if err := errors.Join(err, c.Validate()); err != nil {
		t.Errorf("%s does not start: %v", what, err)
	}
}

var masterKey = strings.Repeat("A", 43) + "="

func TestComposeStartsWhatThereIs(t *testing.T) {
	doc := read(t, "compose.yml")[0]
	services, _ := at(doc, "services").(node)
	volumes, _ := at(doc, "volumes").(node)
	roles := map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(services)) {
		s := services[name]
		if text(s, "image") == "" {
			t.Errorf("%s has no image", name)
		}
		for _, v := range list(s, "volumes") {
			from, _, _ := strings.Cut(v.(string), ":")
			if path, here := strings.CutPrefix(from, "./"); here {
				if _, err := os.Stat(root + path); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			} else if _, ok := volumes[from]; !ok {
				t.Errorf("%s mounts the volume %s, which is not declared", name, from)
			}
		}
		needs, _ := at(s, "depends_on").(node)
		for other := range needs {
			if services[other] == nil {
				t.Errorf("%s depends on %s, which is not there", name, other)
			}
		}
		for _, p := range list(s, "ports") {
			if !strings.HasPrefix(p.(string), "127.0.0.1:") {
				t.Errorf("%s is open to the network at %s", name, p)
			}
		}
		if text(s, "image") != "kizuna" {
			continue
		}
		if at(s, "read_only") != true || len(list(s, "cap_drop")) != 1 {
			t.Errorf("%s may write its own image or has capabilities", name)
		}
		env := map[string]string{}
		set, _ := at(s, "environment").(node)
		for k, v := range set {
			env[k] = fmt.Sprint(v)
			for _, secret := range []string{"${POSTGRES_PASSWORD:?}", "${FILES_SECRET:?}"} {
				env[k] = strings.ReplaceAll(env[k], secret, "secret")
			}
			env[k] = strings.ReplaceAll(env[k], "${KIZUNA_MASTER_KEY:?}", masterKey)
			if strings.Contains(env[k], "${") {
				t.Errorf("%s: %s holds a variable that the head of the file does not name: %s", name, k, env[k])
			}
		}
		works(t, name, env, nil)
		for r := range strings.SplitSeq(env["KIZUNA_ROLES"], ",") {
			roles[r] = true
		}
		for _, host := range []string{"postgres", "nats-1", "nats-2", "nats-3", "objects"} {
			if services[host] == nil {
				t.Errorf("%s is told of %s, which is not there", name, host)
			}
		}
	}
	for _, r := range []string{"collect", "api", "worker", "send", "all"} {
		if !roles[r] {
			t.Errorf("no node has the role %s", r)
		}
	}
}

// What is laid over compose.yml names services of it, and gives the nodes an address that they take.
func TestComposeWithClickHouse(t *testing.T) {
	base, over := read(t, "compose.yml")[0], read(t, "compose.clickhouse.yml")[0]
	services, _ := at(over, "services").(node)
	nodes := 0
	for name, s := range services {
		if name == "clickhouse" {
			continue
		}
		nodes++
		if text(base, "services", name, "image") != "kizuna" {
			t.Errorf("%s is no node of compose.yml", name)
		}
		c := app.Default()
		url := strings.ReplaceAll(text(s, "environment", "KIZUNA_EVENTS_URL"), "${CLICKHOUSE_PASSWORD:?}", "secret")
		if err := errors.Join(c.FromEnvironment(func(key string) (string, bool) { return url, key == "KIZUNA_EVENTS_URL" }), c.Validate()); err != nil || c.EventsURL == "" {
			t.Errorf("%s: %q: %v", name, url, err)
		}
		if needs, _ := at(s, "depends_on").(node); needs["clickhouse"] == nil {
			t.Errorf("%s does not wait for the server", name)
		}
	}
	if nodes != 3 || services["clickhouse"] == nil {
		t.Errorf("%d nodes and %v", nodes, services["clickhouse"])
	}
}

func TestTheServersOfTheLogAcknowledgeWhatIsOnTheDisk(t *testing.T) {
	check := func(name, config string, variables ...string) {
		t.Helper()
		for i := 0; i+1 < len(variables); i += 2 {
			t.Setenv(variables[i], variables[i+1])
		}
		file := filepath.Join(t.TempDir(), "nats.conf")
		if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
			t.Fatal(err)
		}
		o, err := server.ProcessConfigFile(file)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			return
		}
		if !o.SyncAlways || !o.JetStream || o.MaxPayload < 1<<20 || len(o.Routes) != 3 || o.StoreDir == "" || o.ServerName == "" {
			t.Errorf("%s: sync always %v, JetStream %v, payload %d, %d routes, store %q, name %q", name, o.SyncAlways, o.JetStream, o.MaxPayload, len(o.Routes), o.StoreDir, o.ServerName)
		}
	}
	raw, err := os.ReadFile(root + "compose/nats.conf")
	if err != nil {
		t.Fatal(err)
	}
	check("compose", string(raw), "HOSTNAME", "nats-1")
	for _, doc := range read(t, "kubernetes/nats.yaml") {
		if text(doc, "kind") == "ConfigMap" {
			check("kubernetes", text(doc, "data", "nats.conf"), "POD", "nats-0")
		}
	}
}

// TestKubernetesRunsWhatThereIs reads the manifests as the cluster would.
func TestKubernetesRunsWhatThereIs(t *testing.T) {
	docs := slices.Concat(read(t, "kubernetes/kizuna.yaml"), read(t, "kubernetes/nats.yaml"), read(t, "kubernetes/clickhouse.yaml"))
	named := map[string]node{}
	var pods []node // labels of those that there will be
	for _, d := range docs {
		kind, name := text(d, "kind"), text(d, "metadata", "name")
		if named[kind+"/"+name] != nil {
			t.Errorf("%s %s is there twice", kind, name)
		}
		if text(d, "apiVersion") == "" || text(d, "metadata", "namespace") != "kizuna" {
			t.Errorf("%s %s has no version or is in another namespace", kind, name)
		}
		named[kind+"/"+name] = d
		if labels, ok := at(d, "spec", "template", "metadata", "labels").(node); ok {
			pods = append(pods, labels)
			if !covers(at(d, "spec", "selector", "matchLabels"), labels) {
				t.Errorf("%s %s does not select its own pods", kind, name)
			}
		}
	}
	selects := func(what string, selector any) {
		t.Helper()
		if !slices.ContainsFunc(pods, func(labels node) bool { return covers(selector, labels) }) {
			t.Errorf("%s selects no pod: %v", what, selector)
		}
	}
	budgets, policies := 0, 0
	for key, d := range named {
		switch text(d, "kind") {
		case "Service":
			selects(key, at(d, "spec", "selector"))
		case "PodDisruptionBudget":
			budgets++
			selects(key, at(d, "spec", "selector", "matchLabels"))
		case "NetworkPolicy":
			policies++
			selects(key, at(d, "spec", "podSelector", "matchLabels"))
			for _, rule := range list(d, "spec", "ingress") {
				for _, from := range list(rule, "from") {
					if s := at(from, "podSelector", "matchLabels"); s != nil {
						selects(key+" lets in who", s)
					}
				}
			}
		case "StatefulSet":
			if s := named["Service/"+text(d, "spec", "serviceName")]; s == nil || text(s, "spec", "clusterIP") != "None" {
				t.Errorf("%s: there is no headless service %q", key, text(d, "spec", "serviceName"))
			}
			workload(t, key, d, named)
		case "Deployment":
			workload(t, key, d, named)
		}
	}
	if budgets != len(pods) || policies != len(pods) {
		t.Errorf("%d budgets and %d policies for %d kinds of pods", budgets, policies, len(pods))
	}
}

// covers reports whether labels have everything that the selector asks for.
func covers(selector any, labels node) bool {
	want, ok := selector.(node)
	if !ok || len(want) == 0 {
		return false
	}
	for k, v := range want {
		if labels[k] != v {
			return false
		}
	}
	return true
}

func workload(t *testing.T, key string, d node, named map[string]node) {
	t.Helper()
	pod := at(d, "spec", "template", "spec")
	if at(pod, "securityContext", "runAsNonRoot") != true || at(pod, "automountServiceAccountToken") != false || text(pod, "securityContext", "seccompProfile", "type") != "RuntimeDefault" {
		t.Errorf("%s runs with more rights than it needs", key)
	}
	volumes := map[string]bool{}
	for _, v := range append(list(pod, "volumes"), list(d, "spec", "volumeClaimTemplates")...) {
		volumes[text(v, "name")+text(v, "metadata", "name")] = true
		if m := text(v, "configMap", "name"); m != "" && named["ConfigMap/"+m] == nil {
			t.Errorf("%s mounts the ConfigMap %s, which is not there", key, m)
		}
	}
	for _, c := range list(pod, "containers") {
		if at(c, "securityContext", "readOnlyRootFilesystem") != true || at(c, "securityContext", "allowPrivilegeEscalation") != false || len(list(c, "securityContext", "capabilities", "drop")) != 1 {
			t.Errorf("%s: %s runs with more rights than it needs", key, text(c, "name"))
		}
		if at(c, "resources", "limits", "memory") == nil {
			t.Errorf("%s: %s may take all memory", key, text(c, "name"))
		}
		for _, m := range list(c, "volumeMounts") {
			if !volumes[text(m, "name")] {
				t.Errorf("%s mounts %s, which is not there", key, text(m, "name"))
			}
		}
		ports := map[any]bool{}
		for _, p := range list(c, "ports") {
			ports[text(p, "name")] = true
		}
		for _, probe := range []string{"startupProbe", "readinessProbe", "livenessProbe"} {
			if !ports[at(c, probe, "httpGet", "port")] || !strings.HasPrefix(text(c, probe, "httpGet", "path"), "/") {
				t.Errorf("%s: %s asks nothing", key, probe)
			}
		}
		if !strings.HasPrefix(text(c, "image"), "kizuna") {
			continue
		}
		if r, h := text(c, "readinessProbe", "httpGet", "path"), text(c, "livenessProbe", "httpGet", "path"); r != "/readyz" || h != "/healthz" {
			t.Errorf("%s is asked at %s and %s", key, r, h)
		}
		// Stopping takes up to 15 seconds.
		grace, _ := at(pod, "terminationGracePeriodSeconds").(int)
		pause, _ := at(c, "lifecycle", "preStop", "sleep", "seconds").(int)
		if text(d, "kind") == "Deployment" && pause == 0 || grace < pause+20 {
			t.Errorf("%s: %d seconds to stop, %d of them waiting: connections are refused before every node knows, or it is killed before it has stopped", key, grace, pause)
		}
		env := map[string]string{}
		for _, from := range list(c, "envFrom") {
			m := named["ConfigMap/"+text(from, "configMapRef", "name")]
			if m == nil {
				t.Errorf("%s: no ConfigMap for its environment", key)
			}
			data, _ := at(m, "data").(node)
			for k, v := range data {
				env[k] = fmt.Sprint(v)
			}
		}
		head, err := os.ReadFile(root + "kubernetes/kizuna.yaml")
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range list(c, "env") {
			name := text(e, "name")
			secret := text(e, "valueFrom", "secretKeyRef", "key")
			switch {
			case secret != "":
				if !strings.Contains(string(head), "--from-literal="+secret+"=") {
					t.Errorf("%s wants the secret %s, which nobody is told to make", key, secret)
				}
				env[name] = cmp.Or(map[string]string{"master-key": masterKey, "database-url": "postgres://kizuna@db/kizuna", "events-url": "http://kizuna@clickhouse:8123/kizuna"}[secret], "x")
			case at(e, "valueFrom") != nil:
				env[name] = "pod-0"
			default:
				env[name] = strings.ReplaceAll(text(e, "value"), "$(POD)", "pod-0")
			}
		}
		works(t, key, env, list(c, "args"))
	}
}
