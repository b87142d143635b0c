package report_test

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/outbox"
	"github.com/kizuna-cx/kizuna/internal/domain/report"
	"github.com/kizuna-cx/kizuna/internal/kit/clock"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
	"github.com/kizuna-cx/kizuna/internal/storage/eventstore/eventstoretest"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb/sqldbtest"
	"github.com/kizuna-cx/kizuna/internal/storage/sqlstore"
)

var update = flag.Bool("update", false, "write golden files anew")

// names knows what the fixed history names.
type names struct{}

func (names) Topic(_ context.Context, _, id string) (string, error) {
	if id == "tpc_gone" {
		return "", errs.NotFound("topic", id)
	}
	return "Topic " + id, nil
}

func (names) Template(_ context.Context, _, id string) (string, error) { return "Template " + id, nil }

func (names) Subject(_ context.Context, _, id string, version int) (string, error) {
	if id == "tpl_2" {
		return "Hello {{ person.first_name }}", nil
	}
	return fmt.Sprintf("Spring, edition %d", min(version, 2)), nil // versions 2 and 3 share a line
}

func (names) IDs(_ context.Context, _ string, nums []uint64) (map[uint64]string, error) {
	out := map[uint64]string{}
	for _, n := range nums {
		out[n] = fmt.Sprint("per_", n)
	}
	return out, nil
}

// history is a fixed month: a campaign this week and one the week before, a journey, bounces, machines, money.
func history(t *testing.T, store event.Store) *report.Service {
	t.Helper()
	ctx := t.Context()
	tokyo, err := time.LoadLocation("Asia/Tokyo")
	if err != nil {
		t.Fatal(err)
	}
	db := sqldbtest.Open(t, sqldb.SQLite)
	messages := sqlstore.NewOutbox(db)
	n := 0
	var all []outbox.Message
	var facts []outbox.Receipt
	var money []outbox.Conversion
	var events []event.Kept
	at := func(day, hour int) time.Time { return time.Date(2026, 3, day, hour, 0, 0, 0, time.UTC) }
	send := func(src outbox.Source, template string, version int, topic, domain string, when time.Time, what string, kinds ...outbox.ReceiptKind) {
		n++
		m := outbox.Message{
			ID: fmt.Sprintf("msg_%03d", n), Workspace: ws, PersonID: fmt.Sprint("per_", n), Channel: "email", Topic: topic, Template: template, TemplateVersion: version, Source: src,
			Key: fmt.Sprint("k", n), Goal: outbox.DefaultGoal, Address: fmt.Sprint("p", n, "@", domain), State: outbox.Queued, CreatedAt: when, NotBefore: when, DueAt: when,
		}
		if what != "" {
			m.State, m.Reason = outbox.Refused, what
		}
		all = append(all, m)
		for i, k := range kinds {
			facts = append(facts, outbox.Receipt{MessageID: m.ID, Kind: k, At: when.Add(time.Duration(i+1) * time.Hour)})
			if k == outbox.ReceiptClicked {
				for j, machine := range []bool{false, true} {
					props := fmt.Sprintf(`{"message_id":%q,"channel":"email","topic":%q,"template":%q,"source_kind":%q,"source_id":%q,"node":%q,"url":"https://shop.example/%d","machine":%t}`,
						m.ID, topic, template, src.Kind, src.ID, src.Node, n%2, machine)
					events = append(events, event.Kept{Person: uint64(n), Position: event.Position{Seq: 1, Index: len(events)}, Event: event.Event{
						Workspace: ws, MessageID: fmt.Sprint("click", n, j), Type: event.Message, Name: event.MessageClicked, Time: when.Add(time.Hour), Received: when.Add(time.Hour), Origin: event.Internal,
						Properties: json.RawMessage(props),
					}})
				}
				money = append(money, outbox.Conversion{Key: fmt.Sprint("o", n), EventID: fmt.Sprint("e", n), Event: "Order Completed", MessageID: m.ID, PersonID: m.PersonID, Source: src, At: when.Add(2 * time.Hour), Minor: int64(1000 + n), Currency: []string{"EUR", "JPY"}[n%2]})
			}
		}
	}
	spring, autumn := outbox.Source{Kind: "campaign", ID: "cmp_1"}, outbox.Source{Kind: "campaign", ID: "cmp_9"}
	cart := outbox.Source{Kind: "journey", ID: "jrn_1", Node: "s"}
	for i := range 4 {
		send(spring, "tpl_1", 1+i%3, "tpc_1", "a.example", at(30, 10+i), "", []outbox.ReceiptKind{outbox.ReceiptOpened, outbox.ReceiptClicked}[:i%3]...)
	}
	send(spring, "tpl_1", 2, "tpc_1", "b.example", at(30, 16), "", outbox.ReceiptHardBounced) // the 31st in Tokyo
	send(spring, "tpl_1", 2, "tpc_1", "b.example", at(30, 16), "", outbox.ReceiptMachineOpen, outbox.ReceiptComplained)
	send(spring, "tpl_1", 2, "tpc_1", "b.example", at(30, 16), "capped")
	send(autumn, "tpl_2", 1, "tpc_gone", "A.example", at(23, 10), "", outbox.ReceiptClicked, outbox.ReceiptUnsubscribed)
	send(autumn, "tpl_2", 1, "tpc_gone", "b.example", at(24, 10), "")
	send(cart, "tpl_2", 1, "", "a.example", at(29, 1), "", outbox.ReceiptClicked)
	if _, err := messages.Insert(ctx, ws, all); err != nil {
		t.Fatal(err)
	}
	claimed, err := messages.Claim(ctx, outbox.Route{Workspace: ws, Channel: "email"}, "o.1", now, 100)
	if err != nil {
		t.Fatal(err)
	}
	var results []outbox.Result
	for _, m := range claimed {
		results = append(results, outbox.Result{Held: outbox.Held{MessageID: m.ID, Claim: m.Claim}, State: outbox.Sent, At: m.NotBefore, Address: m.Address})
	}
	if _, err := messages.Finish(ctx, results); err != nil {
		t.Fatal(err)
	}
	if err := messages.Mark(ctx, ws, facts); err != nil {
		t.Fatal(err)
	}
	if _, err := messages.AddConversions(ctx, ws, money); err != nil {
		t.Fatal(err)
	}
	if err := store.Append(ctx, event.Batch{Events: events, Through: 1}); err != nil {
		t.Fatal(err)
	}
	return report.New(report.Config{
		Clock: clock.NewFixed(now), Tx: db, Store: sqlstore.NewReport(db), Messages: &fakes{}, Campaigns: campaigns{}, Journeys: &fakes{}, Events: store, Names: names{}, People: names{},
		Zone: func(context.Context, string) (*time.Location, error) { return tokyo, nil },
	})
}

func TestEveryReportIsTheCommittedOne(t *testing.T) { eventstoretest.Each(t, committed) }

func committed(t *testing.T, store event.Store) {
	s := history(t, store)
	for _, spec := range report.Catalog() {
		t.Run(spec.Key, func(t *testing.T) {
			got, err := s.Make(t.Context(), ws, spec.Key, report.Params{From: "2026-03-28", To: "2026-04-01"}, page.Request{})
			if err != nil {
				t.Fatal(err)
			}
			raw, err := json.MarshalIndent(struct {
				From, To, PreviousFrom, PreviousTo time.Time
				Rows                               []report.Row
				Total                              report.Row
			}{got.Period.From, got.Period.To, got.Previous.From, got.Previous.To, got.Rows, got.Total}, "", " ")
			if err != nil {
				t.Fatal(err)
			}
			file := filepath.Join("testdata", spec.Key+".json")
			if *update {
				if err := os.WriteFile(file, append(raw, '\n'), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(string(want), string(raw)+"\n"); d != "" {
				t.Error(d)
			}
		})
	}
}

// Each figure of each row is as many people as it leads to.
func TestEveryFigureOfEveryRowLeadsToAsManyPeople(t *testing.T) { eventstoretest.Each(t, figuresLead) }

func figuresLead(t *testing.T, store event.Store) {
	s := history(t, store)
	p := report.Params{From: "2026-03-01", To: "2026-04-01"}
	tried := 0
	for _, spec := range report.Catalog() {
		got, err := s.Make(t.Context(), ws, spec.Key, p, page.Request{})
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range got.Rows {
			for _, c := range spec.Columns {
				if !c.People {
					continue
				}
				f := report.Figure{Name: c.Name}
				n, cursor := int64(0), ""
				money := map[string]int64{}
				for {
					found, err := s.People(t.Context(), ws, spec.Key, p, row.Key, false, f, page.Request{Limit: 2, Cursor: cursor})
					if err != nil {
						t.Fatalf("%s %q %s: %v", spec.Key, row.Key, c.Name, err)
					}
					n += int64(len(found.Items))
					for _, x := range found.Items {
						money[x.Currency] += x.Amount
					}
					if cursor = found.Next; cursor == "" {
						break
					}
				}
				tried++
				if c.Kind == report.Amount {
					if d := cmp.Diff(row.Money[c.Name], money, cmpopts.EquateEmpty()); d != "" {
						t.Errorf("%s, row %q: the people behind %s bring another sum: %s", spec.Key, row.Key, c.Name, d)
					}
				} else if n != row.Counts[c.Name] {
					t.Errorf("%s, row %q: %d people behind %s, which says %d", spec.Key, row.Key, n, c.Name, row.Counts[c.Name])
				}
			}
		}
	}
	if tried < 200 {
		t.Errorf("only %d figures were tried", tried)
	}
}

func TestReportsSayWhatIsWrongWithTheQuestion(t *testing.T) {
	s := history(t, eventstoretest.Duck(t))
	for name, c := range map[string]struct {
		key   string
		p     report.Params
		field string
	}{
		"no day":       {"topics", report.Params{From: "yesterday"}, "from"},
		"backwards":    {"topics", report.Params{From: "2026-03-02", To: "2026-03-01"}, "to"},
		"too long":     {"topics", report.Params{From: "2020-01-01", To: "2026-03-01"}, "from"},
		"not heeded":   {"links", report.Params{Domain: "a.example"}, "domain"},
		"two sources":  {"topics", report.Params{Campaign: "c", Journey: "j"}, "journey"},
		"other source": {"campaigns", report.Params{Journey: "j"}, "journey"},
	} {
		_, err := s.Make(t.Context(), ws, c.key, c.p, page.Request{})
		if !errs.Is(err, errs.KindInvalid) || errs.All(err)[0].Field != c.field {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := s.Make(t.Context(), ws, "nonsense", report.Params{}, page.Request{}); !errs.Is(err, errs.KindNotFound) {
		t.Errorf("unknown report: %v", err)
	}
}

func TestThePeriodBeforeBeginsOnTheSameWeekday(t *testing.T) {
	zone, err := time.LoadLocation("America/New_York") // the clocks change on 8 March 2026
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ from, to, before, until string }{
		{"2026-03-09", "2026-03-09", "2026-03-02", "2026-03-02"},
		{"2026-03-09", "2026-03-15", "2026-03-02", "2026-03-08"},
		{"2026-03-01", "2026-03-31", "2026-01-25", "2026-02-24"},
	} {
		p, err := report.ParsePeriod(c.from, c.to, now, zone)
		if err != nil {
			t.Fatal(err)
		}
		b := p.Previous()
		last := b.To.Add(-time.Second).In(zone)
		if got := b.From.In(zone).Format(time.DateOnly); got != c.before || last.Format(time.DateOnly) != c.until || len(b.Days()) != len(p.Days()) || b.From.In(zone).Weekday() != p.From.In(zone).Weekday() || b.To.After(p.From) {
			t.Errorf("%s to %s: before it is %s to %s", c.from, c.to, got, last)
		}
	}
}
