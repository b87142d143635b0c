// Package reporttest holds the suite that every report.Store passes.
package reporttest

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/kizuna-cx/kizuna/internal/domain/outbox"
	"github.com/kizuna-cx/kizuna/internal/domain/report"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
)

const ws = "ws_1"

var t0 = time.Date(2026, 3, 1, 9, 0, 0, 123000, time.UTC)

// Stores are the store under test and the outbox whose messages it reads; open returns empty ones.
type Stores struct {
	Reports  report.Store
	Messages outbox.Store
}

// Run checks a store.
func Run(t *testing.T, open func(t testing.TB) Stores) {
	t.Helper()
	t.Run("figures equal a count over everything that happened", func(t *testing.T) {
		rapid.Check(t, func(r *rapid.T) { oracle(r, open(t)) })
	})
	t.Run("notes keep every revision", func(t *testing.T) { notes(t, open(t).Reports) })
	t.Run("saved reports come back as they were kept", func(t *testing.T) { saved(t, open(t).Reports) })
}

// tester is what testing.T and rapid.T have in common.
type tester interface {
	Helper()
	Fatal(args ...any)
	Errorf(format string, args ...any)
}

func must(t tester, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func equal(t tester, what string, want, got any) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// life is everything that happened to a message, told in any order and more than once.
type life struct {
	outbox.Message
	end   outbox.State
	late  bool // refused only when it was about to go
	facts []outbox.Receipt
	money []outbox.Conversion
	done  []outbox.Conversion // outcomes: of the control group too, and one order may be the outcome of several messages
}

func (l life) told(kind outbox.ReceiptKind) bool {
	return slices.ContainsFunc(l.facts, func(r outbox.Receipt) bool { return r.Kind == kind })
}

func (l life) bounced() bool {
	return l.end == outbox.Bounced || l.told(outbox.ReceiptBounced) || l.told(outbox.ReceiptHardBounced)
}

func (l life) opened() bool { return l.told(outbox.ReceiptOpened) || l.told(outbox.ReceiptClicked) }

// is says whether the message counts for a figure, from what happened alone.
func (l life) is(m outbox.Metric) bool {
	switch m {
	case outbox.MetricAudience:
		return true
	case outbox.MetricRefused:
		return l.end == outbox.Refused
	case outbox.MetricQueued:
		return l.end == outbox.Queued
	case outbox.MetricSent:
		return l.end == outbox.Sent
	case outbox.MetricFailed:
		return l.end == outbox.Failed
	case outbox.MetricDelivered:
		return l.end == outbox.Sent && !l.bounced()
	case outbox.MetricBounced:
		return l.bounced()
	case outbox.MetricHardBounced:
		return l.told(outbox.ReceiptHardBounced)
	case outbox.MetricSoftBounced:
		return l.bounced() && !l.told(outbox.ReceiptHardBounced)
	case outbox.MetricOpened:
		return l.opened()
	case outbox.MetricMachineOpen:
		return l.told(outbox.ReceiptMachineOpen) && !l.opened()
	case outbox.MetricClicked:
		return l.told(outbox.ReceiptClicked)
	case outbox.MetricUnsubscribed:
		return l.told(outbox.ReceiptUnsubscribed)
	case outbox.MetricComplained:
		return l.told(outbox.ReceiptComplained)
	case outbox.MetricConverted:
		return len(l.money) > 0
	}
	return false
}

func (l life) key(by report.Dimension) string {
	switch by {
	case report.ByChannel:
		return l.Channel
	case report.ByTopic:
		return l.Topic
	case report.BySource:
		return l.Source.ID
	case report.ByNode:
		return l.Source.ID + ":" + l.Source.Node
	case report.ByTemplate:
		return l.Template
	case report.ByVersion:
		return fmt.Sprintf("%s:%d", l.Template, l.TemplateVersion)
	case report.ByDomain:
		if i := strings.LastIndex(l.Address, "@"); i >= 0 {
			return strings.ToLower(l.Address[i+1:])
		}
		return ""
	case report.ByQuarter:
		return strconv.FormatInt(l.NotBefore.Unix()/900, 10)
	}
	return ""
}

func (l life) in(s report.Scope) bool {
	has := func(want, got string) bool { return want == "" || want == got || want == report.Nothing && got == "" }
	return !l.NotBefore.Before(s.From) && l.NotBefore.Before(s.To) && has(s.Channel, l.Channel) && has(s.Topic, l.Topic) && has(s.Kind, l.Source.Kind) &&
		has(s.Source, l.Source.ID) && has(s.Node, l.Source.Node) && has(s.Template, l.Template) && has(s.Domain, l.key(report.ByDomain)) &&
		(s.Sources == nil || slices.Contains(s.Sources, l.Source.ID)) &&
		(s.Versions == nil || slices.Contains(s.Versions, l.key(report.ByVersion)))
}

// compare counts people and what they brought one by one.
func compare(lives []life, s report.Scope) map[report.Arm]report.ArmCounts {
	type who struct {
		arm    report.Arm
		person string
	}
	brought, got := map[who]map[string]outbox.Conversion{}, map[who]bool{}
	out := map[report.Arm]report.ArmCounts{}
	for _, l := range lives {
		w := who{report.Treated, l.PersonID}
		switch {
		case !l.in(s) || l.Transactional || l.Reason == outbox.ReasonUnsubscribed && !l.late:
			continue
		case l.Reason == outbox.ReasonHoldout && l.Data["scope"] == "workspace":
			w.arm = report.HeldWorkspace
		case l.Reason == outbox.ReasonHoldout:
			w.arm = report.HeldSource
		}
		got[w] = got[w] || l.is(outbox.MetricDelivered)
		if brought[w] == nil {
			brought[w] = map[string]outbox.Conversion{}
		}
		for _, d := range l.done {
			brought[w][d.Key] = d
		}
		a := out[w.arm]
		if end := l.NotBefore.Add(l.Goal.Window); end.After(a.Until) {
			a.Until = end
		}
		out[w.arm] = a
	}
	for w, orders := range brought {
		a := out[w.arm]
		a.People++
		if len(orders) > 0 {
			a.Reached++
		}
		if got[w] {
			a.Delivered++
		}
		sums := map[string]int64{}
		for _, o := range orders {
			if o.Currency != "" {
				sums[o.Currency] += o.Minor
			}
		}
		for currency, n := range sums {
			if a.Money == nil {
				a.Money = map[string]report.Sums{}
			}
			m := a.Money[currency]
			a.Money[currency] = report.Sums{Sum: m.Sum + n, Squares: m.Squares + float64(n)*float64(n)}
		}
		out[w.arm] = a
	}
	return out
}

var metrics = []outbox.Metric{
	outbox.MetricAudience, outbox.MetricRefused, outbox.MetricQueued, outbox.MetricSent, outbox.MetricFailed, outbox.MetricDelivered, outbox.MetricBounced, outbox.MetricHardBounced,
	outbox.MetricSoftBounced, outbox.MetricOpened, outbox.MetricMachineOpen, outbox.MetricClicked, outbox.MetricUnsubscribed, outbox.MetricComplained, outbox.MetricConverted,
}

// count counts the lives of a scope one by one.
func count(lives []life, s report.Scope, by report.Dimension) map[string]outbox.Counts {
	out := map[string]outbox.Counts{}
	one := func(b bool) int64 {
		if b {
			return 1
		}
		return 0
	}
	for _, l := range lives {
		if !l.in(s) {
			continue
		}
		c := outbox.Counts{
			Audience: 1, Refused: one(l.is(outbox.MetricRefused)), Queued: one(l.is(outbox.MetricQueued)), Sent: one(l.is(outbox.MetricSent)), Delivered: one(l.is(outbox.MetricDelivered)),
			Bounced: one(l.is(outbox.MetricBounced)), HardBounced: one(l.is(outbox.MetricHardBounced)), Failed: one(l.is(outbox.MetricFailed)), Opened: one(l.is(outbox.MetricOpened)),
			MachineOpened: one(l.is(outbox.MetricMachineOpen)), Clicked: one(l.is(outbox.MetricClicked)), Unsubscribed: one(l.is(outbox.MetricUnsubscribed)),
			Complained: one(l.is(outbox.MetricComplained)), Converted: one(l.is(outbox.MetricConverted)), Revenue: map[string]int64{},
		}
		if l.end == outbox.Refused {
			c.RefusedBy = map[string]int64{l.Reason: 1}
		}
		if l.end == outbox.Failed {
			c.FailedBy = map[string]int64{outbox.ReasonExpired: 1}
		}
		for _, m := range l.money {
			if m.Currency != "" {
				c.Revenue[m.Currency] += m.Minor
			}
		}
		sum := out[l.key(by)]
		sum.Add(c)
		out[l.key(by)] = sum
	}
	return out
}

// generate draws messages and what happened to them.
func generate(t *rapid.T) []life {
	pick := func(name string, of ...string) string { return rapid.SampledFrom(of).Draw(t, name) }
	n := rapid.IntRange(0, 25).Draw(t, "messages")
	lives := make([]life, n)
	for i := range lives {
		at := t0.Add(time.Duration(rapid.IntRange(0, 4*24*60).Draw(t, "minute")) * time.Minute)
		l := life{end: outbox.State(pick("end", "queued", "refused", "sent", "sent", "sent", "bounced", "failed"))}
		l.Message = outbox.Message{
			ID: fmt.Sprintf("msg_%03d", i), Workspace: pick("workspace", ws, ws, ws, "ws_2"), PersonID: pick("person", "per_1", "per_2"), Channel: "email", Topic: pick("topic", "", "tpc_1", "tpc_2"),
			Template: pick("template", "tpl_1", "tpl_2"), TemplateVersion: rapid.IntRange(1, 2).Draw(t, "version"),
			Source: outbox.Source{Kind: "journey", ID: pick("source", "jrn_1", "jrn_2"), Node: pick("node", "a", "b")}, Key: fmt.Sprint("k", i), Goal: outbox.DefaultGoal,
			Address: pick("address", "ann@a.example", "Bob@B.Example", `"odd@local"@a.example`, "+49301234"), State: outbox.Queued, CreatedAt: at, NotBefore: at, DueAt: at,
		}
		l.Transactional = rapid.IntRange(0, 4).Draw(t, "transactional") == 0
		switch l.end {
		case outbox.Refused:
			l.State, l.Reason, l.EndedAt = outbox.Refused, pick("reason", "capped", "quiet_hours", "outranked", "unsubscribed", "holdout", "holdout", "holdout"), at
			if l.late = rapid.Bool().Draw(t, "late"); l.late {
				l.EndedAt = at.Add(time.Hour)
			}
			if l.Reason == outbox.ReasonHoldout {
				l.Data = outbox.Evidence{"scope": pick("scope", "workspace", "journey"), "percent": 5.0}
			}
		case outbox.Sent, outbox.Bounced:
			for range rapid.IntRange(0, 4).Draw(t, "receipts") {
				kind := rapid.SampledFrom([]outbox.ReceiptKind{
					outbox.ReceiptDelivered, outbox.ReceiptOpened, outbox.ReceiptMachineOpen, outbox.ReceiptClicked, outbox.ReceiptUnsubscribed, outbox.ReceiptComplained,
					outbox.ReceiptBounced, outbox.ReceiptHardBounced,
				}).Draw(t, "receipt")
				l.facts = append(l.facts, outbox.Receipt{MessageID: l.ID, Kind: kind, At: at.Add(time.Duration(rapid.IntRange(1, 99).Draw(t, "after")) * time.Minute)})
			}
			for k := range rapid.IntRange(0, 2).Draw(t, "conversions") {
				l.money = append(l.money, outbox.Conversion{
					Key: fmt.Sprint("o", i, "-", k), EventID: fmt.Sprint("e", i, "-", k), Event: "Order Completed", MessageID: l.ID, PersonID: l.PersonID, Source: l.Source, At: at.Add(time.Hour),
					Minor: rapid.Int64Range(0, 5000).Draw(t, "minor"), Currency: pick("currency", "EUR", "JPY", ""),
				})
			}
		}
		for range rapid.IntRange(0, 2).Draw(t, "outcomes") {
			order := rapid.IntRange(0, 5).Draw(t, "order")
			c := outbox.Conversion{
				Key: fmt.Sprint("order:", order), EventID: fmt.Sprint("e", order), MessageID: l.ID, PersonID: l.PersonID, At: at.Add(time.Hour),
				Minor: int64(100 * order), Currency: []string{"EUR", "JPY", ""}[order%3],
			}
			if !slices.ContainsFunc(l.done, func(d outbox.Conversion) bool { return d.Key == c.Key }) {
				l.done = append(l.done, c)
			}
		}
		lives[i] = l
	}
	return lives
}

// tell writes what happened, in any order and with repetitions.
func tell(t *rapid.T, s outbox.Store, lives []life) {
	ctx := t.Context()
	byWorkspace := map[string][]outbox.Message{}
	for _, l := range lives {
		byWorkspace[l.Workspace] = append(byWorkspace[l.Workspace], l.Message)
	}
	for w, messages := range byWorkspace {
		_, err := s.Insert(ctx, w, messages)
		must(t, err)
		var claimed []outbox.Message
		for _, urgent := range []bool{false, true} {
			some, err := s.Claim(ctx, outbox.Route{Workspace: w, Channel: "email", Transactional: urgent}, "o.1", t0.AddDate(1, 0, 0), len(messages))
			must(t, err)
			claimed = append(claimed, some...)
		}
		var results []outbox.Result
		for _, m := range claimed {
			i, err := strconv.Atoi(strings.TrimPrefix(m.ID, "msg_"))
			must(t, err)
			r := outbox.Result{Held: outbox.Held{MessageID: m.ID, Claim: m.Claim}, State: lives[i].end, At: m.NotBefore.Add(time.Second), Address: m.Address}
			if r.State == outbox.Failed {
				r.Reason = outbox.ReasonExpired
			}
			results = append(results, r)
		}
		_, err = s.Finish(ctx, results)
		must(t, err)
	}
	for _, l := range lives {
		if len(l.facts) > 0 {
			facts := rapid.Permutation(append(slices.Clone(l.facts), l.facts[0])).Draw(t, "order")
			must(t, s.Mark(ctx, l.Workspace, facts))
		}
		for range 2 {
			_, err := s.AddConversions(ctx, l.Workspace, l.money)
			must(t, err)
			must(t, s.AddOutcomes(ctx, l.Workspace, l.done))
		}
	}
}

// pages reads a list in pages of two.
func pages[T any](t *rapid.T, read func(page.Request) (page.Of[T], error), name func(T) string) (all []string) {
	for at := (page.Request{Limit: 2}); ; {
		found, err := read(at)
		must(t, err)
		for _, x := range found.Items {
			all = append(all, name(x))
		}
		if at.Cursor = found.Next; at.Cursor == "" {
			return all
		}
	}
}

func oracle(t *rapid.T, s Stores) {
	ctx := t.Context()
	lives := generate(t)
	tell(t, s.Messages, lives)
	lives = slices.DeleteFunc(lives, func(l life) bool { return l.Workspace != ws })
	from := t0.Add(time.Duration(rapid.IntRange(-60, 3*24*60).Draw(t, "from")) * time.Minute)
	scope := report.Scope{From: from, To: from.Add(time.Duration(rapid.IntRange(0, 5*24*60).Draw(t, "length")) * time.Minute)}
	for _, f := range []struct {
		field *string
		of    []string
	}{
		{&scope.Topic, []string{"", "", "tpc_1", report.Nothing}},
		{&scope.Source, []string{"", "", "jrn_1"}},
		{&scope.Node, []string{"", "", "b"}},
		{&scope.Template, []string{"", "", "tpl_2"}},
		{&scope.Domain, []string{"", "", "a.example", "b.example", report.Nothing}},
		{&scope.Kind, []string{"", "journey", "campaign"}},
		{&scope.Channel, []string{"", "email"}},
	} {
		*f.field = rapid.SampledFrom(f.of).Draw(t, "filter")
	}
	if rapid.Bool().Draw(t, "sources") {
		scope.Sources = []string{"jrn_2"}
	}
	if rapid.Bool().Draw(t, "versions") {
		scope.Versions = []string{"tpl_1:1", "tpl_2:2"}
	}
	for _, by := range []report.Dimension{
		report.Whole, report.ByChannel, report.ByTopic, report.BySource, report.ByNode, report.ByTemplate, report.ByVersion, report.ByDomain, report.ByQuarter,
	} {
		got, err := s.Reports.Groups(ctx, ws, scope, by)
		must(t, err)
		equal(t, "by "+string(by), count(lives, scope, by), got)
	}
	reach, err := s.Reports.Reach(ctx, ws, scope)
	must(t, err)
	asked, delivered, opened, clicked := map[string]bool{}, map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, l := range lives {
		for m, who := range map[outbox.Metric]map[string]bool{outbox.MetricAudience: asked, outbox.MetricDelivered: delivered, outbox.MetricOpened: opened, outbox.MetricClicked: clicked} {
			if l.in(scope) && l.is(m) {
				who[l.PersonID] = true
			}
		}
	}
	equal(t, "reach", report.Reach{Asked: int64(len(asked)), Delivered: int64(len(delivered)), Opened: int64(len(opened)), Clicked: int64(len(clicked))}, reach)
	pressure, err := s.Reports.Pressure(ctx, ws, scope)
	must(t, err)
	each, people := map[string]int64{}, map[int64]int64{}
	for _, l := range lives {
		if l.in(scope) && l.is(outbox.MetricSent) {
			each[l.PersonID]++
		}
	}
	for _, n := range each {
		people[n]++
	}
	equal(t, "pressure", people, pressure)
	least, most := rapid.Int64Range(1, 3).Draw(t, "least"), rapid.Int64Range(0, 4).Draw(t, "most")
	var often []string
	for _, who := range slices.Sorted(maps.Keys(each)) {
		if each[who] >= least && (most == 0 || each[who] <= most) {
			often = append(often, fmt.Sprint(who, each[who]))
		}
	}
	equal(t, "who got so many", often, pages(t, func(p page.Request) (page.Of[report.Frequent], error) {
		return s.Reports.Often(ctx, ws, scope, outbox.MetricSent, least, most, p)
	}, func(f report.Frequent) string { return fmt.Sprint(f.PersonID, f.Messages) }))
	credits := report.Credits{Scope: scope, Money: rapid.Bool().Draw(t, "money")}
	if rapid.Bool().Draw(t, "all messages") {
		credits = report.Credits{Scope: report.Scope{Source: scope.Source, Node: scope.Node}, From: scope.From, To: scope.To}
	}
	var earned []string
	for _, l := range lives {
		for _, m := range l.money {
			inside := l.in(scope)
			if !credits.To.IsZero() {
				inside = !m.At.Before(credits.From) && m.At.Before(credits.To) && l.in(report.Scope{To: t0.AddDate(1, 0, 0), Source: scope.Source, Node: scope.Node})
			}
			if inside && (!credits.Money || m.Currency != "") {
				earned = append(earned, fmt.Sprint(m.Key, m.PersonID, m.Minor, m.Currency))
			}
		}
	}
	slices.Sort(earned)
	listed := pages(t, func(p page.Request) (page.Of[outbox.Conversion], error) {
		return s.Reports.Credits(ctx, ws, credits, p)
	},
		func(c outbox.Conversion) string { return fmt.Sprint(c.Key, c.PersonID, c.Minor, c.Currency) })
	slices.Sort(listed)
	equal(t, "credits", earned, listed)
	credited, err := s.Reports.Credited(ctx, ws, scope.From, scope.To)
	must(t, err)
	bySource := map[string]report.SourceRevenue{}
	for _, l := range lives {
		for _, m := range l.money {
			if m.At.Before(scope.From) || !m.At.Before(scope.To) {
				continue
			}
			r, ok := bySource[l.Source.ID]
			if !ok {
				r = report.SourceRevenue{Kind: l.Source.Kind, ID: l.Source.ID, Net: map[string]int64{}}
			}
			r.Orders++
			if m.Currency != "" {
				r.Net[m.Currency] += m.Minor
			}
			bySource[l.Source.ID] = r
		}
	}
	got := map[string]report.SourceRevenue{}
	for _, r := range credited {
		got[r.ID] = r
	}
	equal(t, "credited", bySource, got)
	arms, err := s.Reports.Arms(ctx, ws, scope)
	must(t, err)
	equal(t, "arms", compare(lives, scope), arms)
	for arm, counted := range arms {
		for _, which := range []struct {
			who  report.EffectPeople
			want int64
		}{{report.EffectPeople{}, counted.People}, {report.EffectPeople{Reached: true}, counted.Reached}, {report.EffectPeople{Delivered: true}, counted.Delivered}} {
			listed := pages(t, func(p page.Request) (page.Of[report.Frequent], error) {
				return s.Reports.ArmPeople(ctx, ws, scope, arm, which.who, p)
			}, func(f report.Frequent) string { return f.PersonID })
			equal(t, fmt.Sprintf("people of %s %+v", arm, which.who), int(which.want), len(slices.Compact(listed)))
		}
	}
	for _, m := range metrics {
		var want []string
		for _, l := range slices.Backward(lives) {
			if l.in(scope) && l.is(m) {
				want = append(want, l.ID)
			}
		}
		var got []string
		p := page.Request{Limit: 2}
		for {
			found, err := s.Reports.Behind(ctx, ws, scope, m, p)
			must(t, err)
			for _, x := range found.Items {
				got = append(got, x.ID)
			}
			if p.Cursor = found.Next; p.Cursor == "" {
				break
			}
		}
		equal(t, "behind "+string(m), want, got)
	}
}

func notes(t *testing.T, s report.Store) {
	ctx := t.Context()
	first := report.Note{Subject: "campaign:cmp_1", Rev: 1, Plan: "p", Target: &report.Target{Figure: "open_rate", Value: 0.3}, Author: "usr_1", At: t0}
	second := report.Note{Subject: "campaign:cmp_1", Rev: 2, Plan: "p", Result: "絆", Change: "c", Author: "usr_2", At: t0.Add(time.Hour)}
	must(t, s.AddNote(ctx, ws, first))
	must(t, s.AddNote(ctx, ws, second))
	if err := s.AddNote(ctx, ws, second); !errs.Is(err, errs.KindConflict) {
		t.Errorf("the same revision again: %v", err)
	}
	must(t, s.AddNote(ctx, "ws_2", report.Note{Subject: "campaign:cmp_1", Rev: 1, Plan: "other", At: t0}))
	got, err := s.Notes(ctx, ws, "campaign:cmp_1", page.Request{Limit: 1})
	must(t, err)
	equal(t, "latest", []report.Note{second}, got.Items)
	got, err = s.Notes(ctx, ws, "campaign:cmp_1", page.Request{Limit: 1, Cursor: got.Next})
	must(t, err)
	equal(t, "the one before", page.Of[report.Note]{Items: []report.Note{first}}, got)
	got, err = s.Notes(ctx, ws, "campaign:cmp_2", page.Request{})
	must(t, err)
	equal(t, "of nothing", page.Of[report.Note]{}, got)
}

func saved(t *testing.T, s report.Store) {
	ctx := t.Context()
	r := report.Saved{ID: "rpt_1", Name: "週次", Report: "topics", Params: report.Params{From: "2026-03-01", Topic: "tpc_1"}, Owner: "usr_1", Rev: 1, CreatedAt: t0, UpdatedAt: t0}
	must(t, s.CreateSaved(ctx, ws, r))
	other := r
	other.ID = "rpt_2"
	must(t, s.CreateSaved(ctx, ws, other))
	got, err := s.Saved(ctx, ws, "rpt_1")
	must(t, err)
	equal(t, "kept", r, got)
	list, err := s.ListSaved(ctx, ws, page.Request{Limit: 1})
	must(t, err)
	equal(t, "latest first", []report.Saved{other}, list.Items)
	list, err = s.ListSaved(ctx, ws, page.Request{Limit: 1, Cursor: list.Next})
	must(t, err)
	equal(t, "then the other", page.Of[report.Saved]{Items: []report.Saved{r}}, list)
	changed := r
	changed.Name, changed.Params, changed.UpdatedAt = "weekly", report.Params{Channel: "email"}, t0.Add(time.Hour)
	must(t, s.UpdateSaved(ctx, ws, changed))
	if err := s.UpdateSaved(ctx, ws, changed); !errs.Is(err, errs.KindConflict) {
		t.Errorf("a revision that has moved on: %v", err)
	}
	changed.Rev = 2
	got, err = s.Saved(ctx, ws, "rpt_1")
	must(t, err)
	equal(t, "changed", changed, got)
	for _, id := range slices.Sorted(maps.Keys(map[string]bool{"rpt_1": true, "rpt_9": true})) {
		for what, err := range map[string]error{"delete": s.DeleteSaved(ctx, "ws_2", id), "update": s.UpdateSaved(ctx, "ws_2", report.Saved{ID: id, Rev: 2})} {
			if !errs.Is(err, errs.KindNotFound) {
				t.Errorf("%s %s from another workspace: %v", what, id, err)
			}
		}
	}
	must(t, s.DeleteSaved(ctx, ws, "rpt_1"))
	if _, err := s.Saved(ctx, ws, "rpt_1"); !errs.Is(err, errs.KindNotFound) {
		t.Errorf("deleted: %v", err)
	}
}
