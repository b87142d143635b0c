package deploy_test

import (
	"fmt"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// pods are those of one workload.
type pods struct {
	name, kind, service string
	replicas            int
	labels, spec        node
	ports               map[any]int // numbers by name, and by themselves
	env                 map[string]string
}

// workloads reads what runs out of the documents.
func workloads(docs []node) (out []pods) {
	for _, d := range docs {
		labels, ok := at(d, "spec", "template", "metadata", "labels").(node)
		if !ok {
			continue
		}
		p := pods{name: text(d, "metadata", "name"), kind: text(d, "kind"), service: text(d, "spec", "serviceName"), labels: labels, ports: map[any]int{}, env: map[string]string{}}
		p.replicas, _ = at(d, "spec", "replicas").(int)
		p.spec, _ = at(d, "spec", "template", "spec").(node)
		for _, c := range list(p.spec, "containers") {
			for _, port := range list(c, "ports") {
				n, _ := at(port, "containerPort").(int)
				p.ports[text(port, "name")], p.ports[n] = n, n
			}
			for _, from := range list(c, "envFrom") {
				for _, m := range docs {
					if text(m, "kind") == "ConfigMap" && text(m, "metadata", "name") == text(from, "configMapRef", "name") {
						data, _ := at(m, "data").(node)
						for k, v := range data {
							p.env[k] = fmt.Sprint(v)
						}
					}
				}
			}
			for _, e := range list(c, "env") {
				p.env[text(e, "name")] = strings.ReplaceAll(text(e, "value"), "$(POD)", p.name+"-0")
			}
			for _, a := range list(c, "args") {
				if name, value, ok := strings.Cut(strings.TrimPrefix(fmt.Sprint(a), "--"), "="); ok {
					p.env["KIZUNA_"+strings.ToUpper(strings.ReplaceAll(name, "-", "_"))] = value
				}
			}
		}
		out = append(out, p)
	}
	return out
}

var address = regexp.MustCompile(`[a-z]+://[^\s,\]]+`)

// target is the port of pods that a port of a service leads to.
func target(port any) any {
	if t := at(port, "targetPort"); t != nil {
		return t
	}
	return at(port, "port")
}

// unmet lists what of the documents names something that is not there, or does not let through what it is asked for. head is what the reader is told to make.
func unmet(docs []node, head string) (out []string) {
	fault := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	all := workloads(docs)
	find := func(kind, name string) node {
		i := slices.IndexFunc(docs, func(d node) bool { return text(d, "kind") == kind && text(d, "metadata", "name") == name })
		if i < 0 {
			return nil
		}
		return docs[i]
	}
	for _, d := range docs {
		what := text(d, "kind") + " " + text(d, "metadata", "name")
		for _, p := range all {
			switch {
			case text(d, "kind") == "Service" && covers(at(d, "spec", "selector"), p.labels):
				for _, port := range list(d, "spec", "ports") {
					if _, ok := p.ports[target(port)]; !ok {
						fault("%s: %s has no port %v", what, p.name, target(port))
					}
				}
			case text(d, "kind") == "NetworkPolicy" && covers(at(d, "spec", "podSelector", "matchLabels"), p.labels):
				for _, rule := range list(d, "spec", "ingress") {
					for _, port := range list(rule, "ports") {
						if _, ok := p.ports[at(port, "port")]; !ok {
							fault("%s: %s has no port %v", what, p.name, at(port, "port"))
						}
					}
				}
			}
		}
	}
	for _, p := range all {
		if sa := text(p.spec, "serviceAccountName"); sa != "" && find("ServiceAccount", sa) == nil {
			fault("%s: there is no service account %s", p.name, sa)
		}
		for name, port := range map[string]string{"KIZUNA_LISTEN": "http", "KIZUNA_ADMIN_LISTEN": "admin", "KIZUNA_PEER_LISTEN": "peer"} {
			if listens := p.env[name]; listens != "" && listens != ":"+strconv.Itoa(p.ports[port]) {
				fault("%s listens at %s and its port %s is %d", p.name, listens, port, p.ports[port])
			}
		}
		for _, c := range list(p.spec, "containers") {
			out = append(out, wanting(p, c, find, head)...)
		}
		asked := slices.Collect(func(yield func(string) bool) {
			for _, v := range p.env {
				for _, a := range address.FindAllString(v, -1) {
					if !yield(a) {
						return
					}
				}
			}
			for _, v := range list(p.spec, "volumes") {
				data, _ := at(find("ConfigMap", text(v, "configMap", "name")), "data").(node)
				for _, file := range data {
					for _, a := range address.FindAllString(fmt.Sprint(file), -1) {
						if !yield(a) {
							return
						}
					}
				}
			}
		})
		for _, a := range asked {
			if f := unreached(p, a, docs, all, find); f != "" {
				fault("%s", f)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// wanting lists what a container wants and nobody has: secrets, files of configuration, a place for its data.
func wanting(p pods, c any, find func(kind, name string) node, head string) (out []string) {
	for _, e := range list(c, "env") {
		if secret, key := text(e, "valueFrom", "secretKeyRef", "name"), text(e, "valueFrom", "secretKeyRef", "key"); key != "" {
			if !strings.Contains(head, "create secret generic "+secret+" ") || !strings.Contains(head, "--from-literal="+key+"=") {
				out = append(out, fmt.Sprintf("%s: nobody is told to make %s in the secret %s", p.name, key, secret))
			}
		}
	}
	data := p.env["KIZUNA_DATA"]
	for _, m := range list(c, "volumeMounts") {
		if text(m, "mountPath") == data {
			data = ""
		}
		for _, v := range list(p.spec, "volumes") {
			files := at(find("ConfigMap", text(v, "configMap", "name")), "data")
			if sub := text(m, "subPath"); text(v, "name") == text(m, "name") && sub != "" && at(files, sub) == nil {
				out = append(out, fmt.Sprintf("%s mounts %s of %s, which has no such file", p.name, sub, text(v, "configMap", "name")))
			}
		}
	}
	if data != "" {
		out = append(out, fmt.Sprintf("%s keeps its data at %s, where nothing is mounted", p.name, data))
	}
	return out
}

// unreached says why pods do not reach an address that is in the cluster.
func unreached(from pods, a string, docs []node, all []pods, find func(kind, name string) node) string {
	u, err := url.Parse(a)
	if err != nil {
		return fmt.Sprintf("%s: %v", from.name, err)
	}
	pod, name, ofPod := strings.Cut(u.Hostname(), ".")
	if !ofPod {
		name = pod
	}
	if strings.Contains(name, ".") || name == "" || strings.Trim(name, "0123456789") == "" {
		return "" // not in the cluster
	}
	service := find("Service", name)
	if service == nil {
		return fmt.Sprintf("%s asks %s, and there is no service %s", from.name, a, name)
	}
	i := slices.IndexFunc(all, func(p pods) bool { return covers(at(service, "spec", "selector"), p.labels) })
	if i < 0 {
		return fmt.Sprintf("%s asks %s, behind which there is no pod", from.name, a)
	}
	to := all[i]
	if ofPod {
		n, err := strconv.Atoi(strings.TrimPrefix(pod, to.name+"-"))
		if to.kind != "StatefulSet" || to.service != name || err != nil || n >= to.replicas {
			return fmt.Sprintf("%s asks %s, and there is no pod %s", from.name, a, pod)
		}
	}
	port, _ := strconv.Atoi(u.Port())
	for _, p := range list(service, "spec", "ports") {
		if at(p, "port") == port && lets(docs, to, to.ports[target(p)], from) {
			return ""
		}
	}
	return fmt.Sprintf("%s asks %s, and the service or the policy does not let it through", from.name, a)
}

// lets reports whether the policies of some pods let others in at a port.
func lets(docs []node, to pods, port int, from pods) bool {
	shut := false
	for _, d := range docs {
		if text(d, "kind") != "NetworkPolicy" || !covers(at(d, "spec", "podSelector", "matchLabels"), to.labels) {
			continue
		}
		shut = true
		for _, rule := range list(d, "spec", "ingress") {
			who := len(list(rule, "from")) == 0 || slices.ContainsFunc(list(rule, "from"), func(f any) bool { return covers(at(f, "podSelector", "matchLabels"), from.labels) })
			if who && slices.ContainsFunc(list(rule, "ports"), func(p any) bool { return to.ports[at(p, "port")] == port }) {
				return true
			}
		}
	}
	return !shut
}

// cluster reads the manifests and what stands above them.
func cluster(t *testing.T) (docs []node, head string) {
	t.Helper()
	for _, file := range []string{"kubernetes/kizuna.yaml", "kubernetes/nats.yaml", "kubernetes/clickhouse.yaml"} {
		docs = append(docs, read(t, file)...)
		raw, err := os.ReadFile(root + file)
		if err != nil {
			t.Fatal(err)
		}
		head += string(raw)
	}
	return docs, head
}

func TestKubernetesPartsMeet(t *testing.T) {
	for _, fault := range unmet(cluster(t)) {
		t.Error(fault)
	}
}

func TestAPartThatDoesNotMeetTheOthersIsFound(t *testing.T) {
	for want, spoil := range map[string]func(named func(kind, name string) node){
		"Service kizuna: kizuna-front has no port web": func(named func(string, string) node) {
			list(named("Service", "kizuna"), "spec", "ports")[0].(node)["targetPort"] = "web"
		},
		"NetworkPolicy kizuna-front: kizuna-front has no port peer": func(named func(string, string) node) {
			list(list(named("NetworkPolicy", "kizuna-front"), "spec", "ingress")[0], "ports")[0].(node)["port"] = "peer"
		},
		"kizuna-front: there is no service account kizuma": func(named func(string, string) node) {
			at(named("Deployment", "kizuna-front"), "spec", "template", "spec").(node)["serviceAccountName"] = "kizuma"
		},
		"kizuna-front listens at :9000 and its port http is 8480; kizuna-worker listens at :9000 and its port http is 8480": func(named func(string, string) node) {
			at(named("ConfigMap", "kizuna"), "data").(node)["KIZUNA_LISTEN"] = ":9000"
		},
		"kizuna-front keeps its data at /srv, where nothing is mounted; kizuna-worker keeps its data at /srv, where nothing is mounted": func(named func(string, string) node) {
			at(named("ConfigMap", "kizuna"), "data").(node)["KIZUNA_DATA"] = "/srv"
		},
		"kizuna-front asks nats://nats-3.nats:4222, and there is no pod nats-3; kizuna-worker asks nats://nats-3.nats:4222, and there is no pod nats-3": func(named func(string, string) node) {
			at(named("ConfigMap", "kizuna"), "data").(node)["KIZUNA_LOG_URL"] = "nats://nats-3.nats:4222"
		},
		"kizuna-front asks nats://queue:4222, and there is no service queue; kizuna-worker asks nats://queue:4222, and there is no service queue": func(named func(string, string) node) {
			at(named("ConfigMap", "kizuna"), "data").(node)["KIZUNA_LOG_URL"] = "nats://queue:4222"
		},
		"kizuna-worker asks http://kizuna-worker-0.kizuna-worker:8482, and the service or the policy does not let it through": func(named func(string, string) node) {
			list(named("NetworkPolicy", "kizuna-worker"), "spec", "ingress")[0].(node)["from"] = []any{node{"podSelector": node{"matchLabels": node{"app.kubernetes.io/name": "nats"}}}}
		},
		"kizuna-front: nobody is told to make main-key in the secret kizuna": func(named func(string, string) node) {
			at(list(list(named("Deployment", "kizuna-front"), "spec", "template", "spec", "containers")[0], "env")[0], "valueFrom", "secretKeyRef").(node)["key"] = "main-key"
		},
	} {
		docs, head := cluster(t)
		spoil(func(kind, name string) node {
			return docs[slices.IndexFunc(docs, func(d node) bool { return text(d, "kind") == kind && text(d, "metadata", "name") == name })]
		})
		if got := strings.Join(unmet(docs, head), "; "); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
