package journey_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/journey"
	"github.com/kizuna-cx/kizuna/internal/domain/journey/node"
	"github.com/kizuna-cx/kizuna/internal/kit/tx"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
)

// mortal is a process that dies at chosen transactions: just before the commit, or just after it.
type mortal struct {
	tx.Runner
	deaths []int // at the how-manieth transaction from the last birth; negative: after its commit
	n      int
	die    context.CancelFunc
}

var errDead = errors.New("the process has died")

type within struct{}

func (m *mortal) InTx(ctx context.Context, fn func(context.Context) error) error {
	if ctx.Value(within{}) != nil || m.die == nil {
		return m.Runner.InTx(ctx, fn)
	}
	m.n++
	before := len(m.deaths) > 0 && m.deaths[0] == m.n
	after := len(m.deaths) > 0 && m.deaths[0] == -m.n
	err := m.Runner.InTx(context.WithValue(ctx, within{}, true), func(ctx context.Context) error {
		if err := fn(ctx); err != nil || !before {
			return err
		}
		return errDead
	})
	if before || after && err == nil {
		m.die()
		return errDead
	}
	return err
}

// live runs do as one process after the other, until one survives it.
func (m *mortal) live(w *world, do func(ctx context.Context) (int, error)) {
	for range 1000 {
		ctx, cancel := context.WithCancel(context.Background())
		m.die = cancel
		n, err := do(ctx)
		dead := ctx.Err() != nil
		m.die = nil
		cancel()
		switch {
		case dead: // another process is born, once the leases of the last one have ended
			m.deaths, m.n = m.deaths[1:], 0
			w.svc = w.serviceOn(m)
			w.sql(`UPDATE journey_instance SET lease_owner = '', lease_until = 0`)
			w.sql(`UPDATE journey_errand SET lease_owner = '', lease_until = 0`)
		case err != nil:
			w.t.Fatal(err)
		case n == 0:
			return
		}
	}
	w.t.Fatal("people are moved without end")
}

// kinds are configurations of every kind of node; %s is the other journey.
var kinds = map[string]string{
	"wait": `{"for": {"n": 1, "unit": "hour"}}`, "wait_until": `{"time": "18:00"}`, "wait_for_date": `{"trait": "id"}`,
	"wait_for": `{"event": {"name": "B"}, "rule": {"trait": {"path": "points", "op": "gte", "value": 2}}, "timeout": {"n": 3, "unit": "hour"}}`,
	"branch":   `{"event_since_entry": {"name": "B"}}`, "switch": `{"from": "event.n", "cases": [["1"], ["2"]]}`, "split": `{"salt": "s", "percent": [50, 50]}`,
	"ab_test": `{"name": "%d", "ways": 2, "metric": "goal", "people": 50, "wait": {"n": 1, "unit": "hour"}}`, "cohort": `{"salt": "c", "percent": 40}`,
	"send": `{"template": "tpl_1", "topic": "tpc_1"}`, "set_trait": `{"increment": {"points": 1}}`, "add_to_list": `{"list": "lst_1"}`, "remove_from_list": `{"list": "lst_1"}`,
	"create_task": `{"title": "call", "wait": {"n": 2, "unit": "hour"}}`, "webhook": `{"url": "https://crm.example/{{ person.id }}", "within": {"n": 20, "unit": "minute"}}`,
	"enter_journey": `{"journey": "%s"}`, "leave_journey": `{"journey": "%s"}`, "goal": `{"event": {"name": "Win"}, "window": {"n": 2, "unit": "hour"}}`, "exit": `{}`,
}

func randomGraph(r *rapid.T, trigger, other string) string {
	specs := node.Catalog()
	var nodes []string
	count := rapid.IntRange(2, 7).Draw(r, "nodes")
	for n := range count {
		spec := rapid.SampledFrom(specs).Draw(r, "kind")
		for n < count-1 && len(spec.Outputs) == 0 {
			spec = rapid.SampledFrom(specs).Draw(r, "kind")
		}
		config := strings.Replace(strings.Replace(kinds[spec.Kind], "%s", other, 1), "%d", fmt.Sprint(n), 1)
		outputs := spec.Outputs
		if made, err := spec.Make(json.RawMessage(config)); err != nil {
			r.Fatal(err)
		} else if l, ok := made.(node.Leaves); ok {
			outputs = l.Outputs()
		}
		next := map[string]string{}
		for i, output := range outputs {
			to := rapid.IntRange(n+1, count).Draw(r, "next")
			if i == 0 {
				to = n + 1
			}
			if to < count {
				next[output] = fmt.Sprint("n", to)
			}
		}
		raw, _ := json.Marshal(next)
		nodes = append(nodes, fmt.Sprintf(`{"id": "n%d", "kind": %q, "config": %s, "next": %s}`, n, spec.Kind, config, raw))
	}
	return fmt.Sprintf(`{"trigger": {"event": {"name": %q}}, "goal": {"event": {"name": "Reached"}}, "nodes": [%s]}`, trigger, strings.Join(nodes, ","))
}

// TestADeathAnywhereChangesNoPathAndDoublesNoEffect lives the same lives twice through random graphs of all kinds of nodes: once undisturbed, once with
// processes that die before and after commits.
func TestADeathAnywhereChangesNoPathAndDoublesNoEffect(t *testing.T) {
	for _, spec := range node.Catalog() {
		if kinds[spec.Kind] == "" {
			t.Fatalf("kind %q is not walked through here; give it a configuration", spec.Kind)
		}
	}
	for _, kind := range []sqldb.Dialect{sqldb.SQLite, sqldb.Postgres} {
		t.Run(string(kind), func(t *testing.T) { deaths(t, kind) })
	}
}

func deaths(t *testing.T, kind sqldb.Dialect) {
	type pair struct {
		w     *world
		m     *mortal
		other journey.Journey
	}
	var both [2]pair
	for i := range both {
		w := newWorldOn(t, kind)
		m := &mortal{Runner: w.db}
		w.svc = w.serviceOn(m)
		other := w.publish("other", `{"trigger": {"event": {"name": "Never"}}, "re_entry": {"mode": "always"}, "nodes": [{"id": "o", "kind": "wait", "config": {"for": {"n": 1, "unit": "hour"}}}]}`)
		both[i] = pair{w, m, other}
	}
	round := 0
	rapid.Check(t, func(r *rapid.T) {
		round++
		trigger := fmt.Sprint("Go", round)
		graph := randomGraph(r, trigger, "OTHER")
		if _, err := journey.Compile(parse(t, graph)); err != nil {
			r.Skip(err)
		}
		happens := rapid.SliceOfN(rapid.SampledFrom([]string{"", "", "B", "Win", "Reached"}), 8, 8).Draw(r, "happens")
		dying := rapid.SliceOfN(rapid.SampledFrom([]int{1, -1, 2, -2, 3, -3}), 1, 12).Draw(r, "deaths")
		status := rapid.SampledFrom([]int{200, 404, 503}).Draw(r, "status")
		live := func(p pair, deaths []int) string {
			w := p.w
			w.forget()
			w.traits, w.calls = map[string]map[string]any{}, nil
			w.reply = func(journey.CallRequest) (journey.CallAnswer, error) { return journey.CallAnswer{Status: status}, nil }
			p.m.deaths = nil
			w.publish(fmt.Sprint("x", round), strings.ReplaceAll(graph, "OTHER", p.other.ID))
			p.m.deaths, p.m.n = slices.Clone(deaths), 0
			react := func(e ...event.Kept) {
				w.keep(e...)
				p.m.live(w, func(ctx context.Context) (int, error) { return 0, w.svc.React(ctx, e) })
			}
			settle := func() {
				p.m.live(w, func(ctx context.Context) (int, error) {
					n, err := w.svc.Tick(ctx)
					if err != nil {
						return n, err
					}
					done, err := w.svc.Errands(ctx)
					return n + done, err
				})
			}
			react(w.event("g1", 1, trigger, `{"n": 1}`), w.event("g2", 2, trigger, `{"n": 2}`))
			for n, name := range happens {
				settle()
				w.clock.Advance(37 * time.Minute)
				if name != "" {
					react(w.event(fmt.Sprint("e", n), uint64(1+n%2), name, `{}`))
				}
			}
			for range 40 {
				settle()
				w.clock.Advance(5 * time.Minute)
			}
			urls := map[string]bool{}
			for _, c := range w.calls {
				urls[c.URL+" "+c.Header["Idempotency-Key"][len(c.Header["Idempotency-Key"])-5:]] = true
			}
			out := slices.Concat(
				w.strings(`SELECT person_id || ' ' || status || ' ' || node || ' ' || why FROM journey_instance ORDER BY 1`),
				w.strings(`SELECT i.person_id || ' ' || s.node || '>' || s.output || s.why || ' ' || s.left_at FROM journey_step s JOIN journey_instance i ON i.id = s.instance_id ORDER BY i.person_id, s.left_at, s.seq, s.node`),
				w.strings(`SELECT person || ' ' || node || ' ' || COUNT(*) FROM test_message GROUP BY person, node ORDER BY 1`),
				w.strings(`SELECT person || ' ' || traits FROM test_trait ORDER BY 1`),
				w.strings(`SELECT person || ' ' || list FROM test_list ORDER BY 1`),
				w.strings(`SELECT person_id || ' ' || title || ' ' || COUNT(*) FROM task GROUP BY person_id, title ORDER BY 1`),
				w.strings(`SELECT person_id || ' ' || node || ' ' || status FROM journey_errand ORDER BY 1`),
				w.strings(`SELECT node || ' ' || what || ' ' || n FROM journey_count WHERE n <> 0 ORDER BY 1`),
				w.strings(`SELECT name || ' ' || person || ' ' || COUNT(*) FROM test_event GROUP BY name, person ORDER BY 1`))
			return strings.Join(append(out, fmt.Sprint(len(urls), " calls")), "\n")
		}
		if diff := cmp.Diff(live(both[0], nil), live(both[1], dying)); diff != "" {
			r.Fatalf("%s\n(-undisturbed +dying)\n%s", graph, diff)
		}
	})
}
