package leaf

import (
	"cmp"
	"strings"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// Device asks on what the person was seen: {"path": "os", "op": "eq", "value": "iOS", "window": ...} matches if an event of the
// window that came from a client says so, be it a track, page or screen, or an identify, group or alias, which carry the same
// context. neq, not_in and not_exists match if none does. Versions are ordered by their numbers. {"path": "last_seen", "op": "lt",
// "value": {"ago": {"n": 30, "unit": "day"}}} asks for the last track, page or screen.
func Device() Spec {
	return Spec{Kind: "device", Title: "Uses a device", Parse: parseDevice, Schema: deviceSchema}
}

const lastSeen = "last_seen"

// devicePaths in the order that error messages list them.
var devicePaths = []string{"os", "os_version", "type", "model", "platform", "app_version", "locale", "timezone", "country", lastSeen}

var deviceColumns = map[string]columnIs{
	"os":          {column: "os", of: func(p *event.Promoted) string { return p.OS }},
	"os_version":  {column: "os_version", of: func(p *event.Promoted) string { return p.OSVersion }},
	"type":        {column: "device_type", of: func(p *event.Promoted) string { return p.DeviceType }},
	"model":       {column: "device_model", of: func(p *event.Promoted) string { return p.DeviceModel }},
	"platform":    {column: "platform", of: func(p *event.Promoted) string { return p.Platform }},
	"app_version": {column: "app_version", of: func(p *event.Promoted) string { return p.AppVersion }},
	"locale":      {column: "locale", of: func(p *event.Promoted) string { return p.Locale }},
	"timezone":    {column: "timezone", of: func(p *event.Promoted) string { return p.Timezone }},
	"country":     {column: "country", of: func(p *event.Promoted) string { return p.Country }},
}

type device struct {
	path   string
	cond   Cond
	window Window
}

func parseDevice(in Input) (Leaf, error) {
	f := in.fields("path", "op", "value", "window")
	l := &device{path: f.choice("path", "", devicePaths)}
	if l.path == lastSeen {
		l.cond = f.cond(momentOps, moments)
		for i, v := range l.cond.Vals {
			t, ok := ParseTime(v.text)
			switch {
			case v.kind == 'm':
			case v.kind == 's' && ok:
				l.cond.Vals[i] = Value{kind: 't', ago: t}
			default:
				f.fail(errs.Invalid("rule.value", in.Path+".value", `compare last_seen with a time like 2026-01-31T09:00:00Z or {"ago": {"n": 7, "unit": "day"}}`))
			}
		}
		if f.has("window") {
			f.fail(errs.Invalid("rule.value", in.Path+".window", "last_seen takes no window; compare it with a moment instead"))
		}
		return l, f.err
	}
	l.cond = f.textual(f.cond(allOps, plain), l.path)
	if f.err == nil && l.byVersion() {
		for _, v := range l.cond.Vals {
			if _, ok := version(v.text); !ok {
				f.fail(errs.Invalid("rule.value", in.Path+".value", "%q is not a version; write it like 17.1", v.text))
			}
		}
	}
	l.window = f.window()
	return l, f.err
}

// byVersion reports whether the comparison is one of versions.
func (l *device) byVersion() bool {
	switch l.cond.Op {
	case Gt, Gte, Lt, Lte, Between:
		return strings.HasSuffix(l.path, "_version")
	}
	return false
}

const (
	behaviour = " AND type IN ('track', 'page', 'screen')"                               // event.Type.Behaviour
	external  = " AND type IN ('track', 'page', 'screen', 'identify', 'group', 'alias')" // event.Type.External
)

func (l *device) Ask(d Dialect, ws string, now time.Time) Question {
	op, opposite := l.cond.Op.positive()
	pos := Cond{op, l.cond.Vals}
	q := &SQL{}
	if l.path == lastSeen {
		q.Add("SELECT person FROM event WHERE ws = ").Arg(ws).Add(behaviour, " GROUP BY person")
		if op != Exists {
			q.Add(" HAVING ")
			abs := Cond{Op: op}
			for _, v := range l.cond.Vals {
				abs.Vals = append(abs.Vals, Value{kind: 'm', ago: lastSeenAt(v, now.UnixMicro())})
			}
			compare(q, column("max(time)"), abs, plainArg)
		}
	} else {
		name := deviceColumns[l.path].column
		q.Add("SELECT DISTINCT person")
		(&pick{window: l.window}).from(q, d, ws)
		q.Add(" WHERE ws = ").Arg(ws).Add(external)
		l.window.where(q, d, now.UnixMicro())
		q.Add(" AND ", name, " IS NOT NULL")
		switch {
		case op == Exists:
		case l.byVersion():
			// Versions are few: taking each apart once beats taking apart every event's. min keeps engines from moving the
			// condition back inside, to every event.
			q.Add(" AND ", name, " IN (SELECT v FROM (SELECT min(", name, ") AS v FROM event WHERE ws = ").Arg(ws).Add(" AND ", name, " IS NOT NULL GROUP BY ", name, ") AS versions WHERE ")
			d.Version(q, "v", pos)
			q.Add(")")
		default:
			q.Add(" AND ")
			compare(q, column(name), pos, plainArg)
		}
	}
	question := q.question()
	question.Complement = opposite
	return question
}

// lastSeenAt is the moment that last_seen is compared with.
func lastSeenAt(v Value, now int64) int64 {
	if v.kind == 'm' {
		return now - v.ago
	}
	return v.ago
}

func (l *device) Eval(s *Subject, now time.Time) Result {
	op, opposite := l.cond.Op.positive()
	pos := Cond{op, l.cond.Vals}
	us := now.UnixMicro()
	if l.path == lastSeen {
		var last int64
		seen := false
		for i := range s.Events {
			if s.Events[i].Type.Behaviour() {
				last, seen = s.Events[i].Time.UnixMicro(), true
			}
		}
		if op == Exists {
			return steady(seen != opposite)
		}
		if !seen {
			return steady(false)
		}
		return until(us, pos.momentBounds(nil, last), func(at int64) bool {
			return pos.byOrder(func(v Value) int { return cmp.Compare(last, lastSeenAt(v, at)) })
		})
	}
	within := l.window.reach(s)
	var times, bounds []int64
	for i := range s.Events {
		e := &s.Events[i]
		if !e.Type.External() {
			continue
		}
		v := deviceColumns[l.path].of(s.promoted(i))
		if v == "" || !within.has(s, i) || !l.fits(pos, v, us) {
			continue
		}
		times = append(times, e.Time.UnixMicro())
		bounds = l.window.bounds(bounds, e.Time.UnixMicro())
	}
	return until(us, bounds, func(at int64) bool {
		for _, t := range times {
			if l.window.has(t, at) {
				return !opposite
			}
		}
		return opposite
	})
}

func (l *device) fits(c Cond, v string, now int64) bool {
	if l.byVersion() {
		return c.matchVersion(v)
	}
	return c.Match(v, now)
}

func (l *device) Needs() Needs {
	return Needs{All: true, Windowed: l.cond.moments(), Looks: []Look{{window: l.window}}}.and(l.window.needs())
}

func deviceSchema() Schema {
	isLast := Schema{"properties": map[string]Schema{"path": {"const": lastSeen}}}
	return object(map[string]Schema{"path": enum(devicePaths...), "op": enum(allOps...), "value": {}, "window": ref("window")}, "path", "op").with(
		Schema{
			"if":   isLast,
			"then": Schema{"allOf": []Schema{ref("moment"), not(has("window"))}},
			"else": ref("text"),
		})
}
