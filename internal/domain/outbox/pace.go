package outbox

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/idna"

	"github.com/kizuna-cx/kizuna/internal/kit/clock"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// Pace is how fast an account may go beside its own rate. The zero value is no limit.
type Pace struct {
	Throttles []Throttle `json:"throttles,omitempty"`
	// Providers makes the throttles of Providers apply to domains that Throttles do not name. It is for accounts that hand mail to the
	// recipients' servers from an address of their own; a relay paces by itself.
	Providers bool    `json:"providers,omitempty"`
	WarmUp    *WarmUp `json:"warm_up,omitempty"`
}

// Throttle limits mail to the domains of one mailbox provider.
type Throttle struct {
	Name        string   `json:"name"`
	Domains     []string `json:"domains"`               // lower case, in ASCII
	PerMinute   int      `json:"per_minute,omitempty"`  // 0: no limit
	Connections int      `json:"connections,omitempty"` // messages on their way at the same time; 0: no limit
}

// WarmUp lets a new sending address earn its reputation: so many messages on the first day, more on every day after it. The surplus waits.
type WarmUp struct {
	Start  string  `json:"start"` // the first day, "2026-03-01", in the workspace's zone
	First  int     `json:"first"`
	Growth float64 `json:"growth"` // factor from a day to the next
	Target int     `json:"target"` // the plan is over on the first day that would allow as many
}

// Providers are the throttles of large mailbox providers. None of them publishes a figure; these are low enough for a sender of middling
// reputation, and an account may set others.
func Providers() []Throttle {
	return []Throttle{
		{"gmail", []string{"gmail.com", "googlemail.com"}, 600, 10},
		{"microsoft", []string{"outlook.com", "hotmail.com", "live.com", "msn.com", "outlook.jp", "hotmail.co.jp", "live.jp"}, 300, 5},
		{"yahoo", []string{"yahoo.com", "ymail.com", "rocketmail.com", "aol.com"}, 300, 5},
		{"yahoo_japan", []string{"yahoo.co.jp", "ybb.ne.jp"}, 120, 3},
		{"apple", []string{"icloud.com", "me.com", "mac.com"}, 300, 5},
		{"gmx", []string{"gmx.de", "gmx.net", "web.de"}, 200, 5},
		{"qq", []string{"qq.com", "vip.qq.com", "foxmail.com"}, 120, 3},
		{"netease", []string{"163.com", "126.com", "yeah.net"}, 120, 3},
		{"docomo", []string{"docomo.ne.jp"}, 60, 2},
		{"au", []string{"au.com", "ezweb.ne.jp"}, 60, 2},
		{"softbank", []string{"softbank.ne.jp", "i.softbank.jp"}, 60, 2},
	}
}

// Limits of a pace.
const (
	maxThrottles       = 50
	maxThrottleDomains = 200
	maxPerMinute       = 1_000_000
	maxWarmUpTarget    = 100_000_000
	maxWarmUpGrowth    = 10
)

// clean brings domains into the form they are compared in and names the first thing that cannot be.
func (p Pace) clean() (Pace, error) {
	bad := func(code, field, format string, args ...any) (Pace, error) {
		return Pace{}, errs.Invalid("outbox.account."+code, field, format, args...)
	}
	if len(p.Throttles) > maxThrottles {
		return bad("throttles_too_many", "throttles", "use at most %d throttles", maxThrottles)
	}
	out := Pace{Providers: p.Providers, WarmUp: p.WarmUp}
	names, domains := map[string]bool{}, map[string]bool{}
	for i, t := range p.Throttles {
		at := fmt.Sprintf("throttles[%d]", i)
		switch t.Name = strings.TrimSpace(t.Name); {
		case t.Name == "" || len(t.Name) > 60 || t.Name == WarmUpBucket:
			return bad("throttle_name_invalid", at+".name", "give the throttle a short name, e.g. the provider's")
		case names[t.Name]:
			return bad("throttle_name_taken", at+".name", "another throttle is called %s", t.Name)
		case len(t.Domains) == 0 || len(t.Domains) > maxThrottleDomains:
			return bad("throttle_domains_missing", at+".domains", "name 1 to %d domains", maxThrottleDomains)
		case t.PerMinute < 0 || t.PerMinute > maxPerMinute:
			return bad("throttle_rate_invalid", at+".per_minute", "between 0 (no limit) and %d messages a minute", maxPerMinute)
		case t.Connections < 0 || t.Connections > maxConnections:
			return bad("throttle_connections_invalid", at+".connections", "between 0 (no limit) and %d", maxConnections)
		}
		names[t.Name] = true
		t.Domains = slices.Clone(t.Domains)
		for j, d := range t.Domains {
			ascii, err := idna.Lookup.ToASCII(strings.ToLower(strings.TrimSpace(d)))
			if err != nil || !strings.Contains(ascii, ".") {
				return bad("throttle_domain_invalid", fmt.Sprintf("%s.domains[%d]", at, j), "%q is not a domain; write it like gmail.com", d)
			}
			if domains[ascii] {
				return bad("throttle_domain_twice", fmt.Sprintf("%s.domains[%d]", at, j), "%s is named twice; a domain has one throttle", ascii)
			}
			t.Domains[j], domains[ascii] = ascii, true
		}
		out.Throttles = append(out.Throttles, t)
	}
	if w := p.WarmUp; w != nil {
		switch _, err := time.Parse(time.DateOnly, w.Start); {
		case err != nil:
			return bad("warm_up_start_invalid", "warm_up.start", "%q is no day; write one such as 2026-03-01", w.Start)
		case w.First < 1 || w.First > maxWarmUpTarget:
			return bad("warm_up_first_invalid", "warm_up.first", "send at least 1 message on the first day")
		case !(w.Growth >= 1.05 && w.Growth <= maxWarmUpGrowth):
			return bad("warm_up_growth_invalid", "warm_up.growth", "between 1.05 and %d times the day before; 1.5 is usual", maxWarmUpGrowth)
		case w.Target <= w.First || w.Target > maxWarmUpTarget:
			return bad("warm_up_target_invalid", "warm_up.target", "more than on the first day, and at most %d", maxWarmUpTarget)
		}
	}
	return out, nil
}

// Day returns how many messages the n-th day allows (the first is 0), and ok false once the plan is over.
func (w WarmUp) Day(n int) (limit int, ok bool) {
	if n < 0 {
		return w.First, true // before the plan begins nobody has a reputation either
	}
	v := float64(w.First) * math.Pow(w.Growth, float64(n))
	if v >= float64(w.Target) {
		return 0, false
	}
	return int(v), true
}

// Days returns the whole plan.
func (w WarmUp) Days() (out []int) {
	for n := 0; ; n++ {
		limit, ok := w.Day(n)
		if !ok {
			return out
		}
		out = append(out, limit)
	}
}

// day returns which day of the plan t is.
func (w WarmUp) day(t time.Time, zone *time.Location) int {
	start, _ := time.Parse(time.DateOnly, w.Start) // checked by clean
	year, month, day := t.In(zone).Date()
	return int(time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Sub(start).Hours() / 24)
}

// throttles returns the throttle of each domain.
func (p Pace) throttles() map[string]*Throttle {
	out := map[string]*Throttle{}
	for i := range p.Throttles {
		for _, d := range p.Throttles[i].Domains {
			out[d] = &p.Throttles[i]
		}
	}
	if p.Providers {
		all := Providers()
		for i := range all {
			for _, d := range all[i].Domains {
				if out[d] == nil {
					out[d] = &all[i]
				}
			}
		}
	}
	return out
}

// domainOf is the recipient's domain as throttles name it.
func domainOf(address string) string {
	domain := strings.ToLower(address[strings.LastIndexByte(address, '@')+1:])
	if !strings.ContainsFunc(domain, func(r rune) bool { return r >= 0x80 }) {
		return domain
	}
	if ascii, err := idna.Lookup.ToASCII(domain); err == nil {
		return ascii
	}
	return domain
}

// Window counts the messages that an account was given to one throttle in a minute, or to its warm-up on a day. Those of the future are
// places that waiting messages have been given.
type Window struct {
	Bucket string // a throttle's name, or WarmUpBucket
	At     time.Time
	Used   int
}

// WarmUpBucket is the bucket of an account's warm-up.
const WarmUpBucket = "warm_up"

const (
	// Messages that wait for a minute come back within its first part, so that they find it unfinished.
	minuteSpread = 40 * time.Second
	// Messages that wait for a day are spread over its office hours.
	dayFrom, daySpread = 9 * time.Hour, 9 * time.Hour
)

// pacer gives messages of one account their places. It belongs to one transaction.
type pacer struct {
	pace    Pace
	by      map[string]*Throttle
	zone    *time.Location
	now     time.Time
	used    map[string]map[int64]int // bucket -> window -> messages
	full    map[string]time.Time     // bucket -> a window before which nothing is free
	changes map[string]map[int64]int // what this transaction added
}

func newPacer(p Pace, zone *time.Location, now time.Time, windows []Window) *pacer {
	out := &pacer{pace: p, by: p.throttles(), zone: zone, now: now, used: map[string]map[int64]int{}, full: map[string]time.Time{}, changes: map[string]map[int64]int{}}
	for _, w := range windows {
		add(out.used, w.Bucket, w.At, w.Used)
	}
	return out
}

func add(m map[string]map[int64]int, bucket string, at time.Time, n int) {
	if m[bucket] == nil {
		m[bucket] = map[int64]int{}
	}
	m[bucket][at.UnixMicro()] += n
}

func (p *pacer) minute() time.Time { return p.now.Truncate(time.Minute) }

func (p *pacer) today() time.Time {
	year, month, day := p.now.In(p.zone).Date()
	return clock.Civil(year, month, day, 0, 0, p.zone)
}

// take counts one message in the first window of the bucket that has room, and returns it with the place in it.
func (p *pacer) take(bucket string, from time.Time, next func(time.Time) time.Time, limit func(time.Time) (int, bool)) (at time.Time, place, of int) {
	at = from
	if f, ok := p.full[bucket]; ok && f.After(at) {
		at = f
	}
	for {
		of, limited := limit(at)
		place = p.used[bucket][at.UnixMicro()]
		if !limited || place < of {
			add(p.used, bucket, at, 1)
			add(p.changes, bucket, at, 1)
			return at, place, of
		}
		at = next(at)
		p.full[bucket] = at
	}
}

// place lets a message go now or gives it a later DueAt with the reason. A message that comes back in the minute, or on the day, that it
// was given keeps that place; one that comes back later, say after a stop, is given a new one, so that a backlog does not break the limit.
// Transactional messages are counted and never wait.
func (p *pacer) place(m *Message, reason string, had Evidence) {
	counted := func(key string, at time.Time) bool {
		was, _ := had[key].(string)
		return (reason == ReasonThrottled || reason == ReasonWarmingUp) && was == at.UTC().Format(time.RFC3339)
	}
	mark := func(at time.Time) string { return at.UTC().Format(time.RFC3339) }
	evidence := Evidence{}
	if w := p.pace.WarmUp; w != nil {
		today := p.today()
		limit := func(at time.Time) (int, bool) { return w.Day(w.day(at.Add(12*time.Hour), p.zone)) }
		if _, limited := limit(today); limited && !counted("day", today) {
			if m.Transactional {
				add(p.used, WarmUpBucket, today, 1)
				add(p.changes, WarmUpBucket, today, 1)
			} else if at, place, of := p.take(WarmUpBucket, today, p.tomorrow, limit); at.After(today) {
				m.DueAt = at.Add(dayFrom)
				if of > 0 {
					m.DueAt = m.DueAt.Add(daySpread * time.Duration(place) / time.Duration(of))
				}
				m.DueAt = clock.Trunc(m.DueAt)
				m.Reason, m.Data = ReasonWarmingUp, Evidence{"limit": p.limitOf(limit, today), "until": m.DueAt, "zone": p.zone.String(), "day": mark(at)}
				return
			}
		}
		evidence["day"] = mark(today)
	}
	t := p.by[domainOf(m.Address)]
	if t == nil || t.PerMinute == 0 {
		return
	}
	minute := p.minute()
	if counted("minute", minute) {
		return
	}
	if m.Transactional {
		add(p.used, t.Name, minute, 1)
		add(p.changes, t.Name, minute, 1)
		return
	}
	at, place, of := p.take(t.Name, minute, func(t time.Time) time.Time { return t.Add(time.Minute) }, func(time.Time) (int, bool) { return t.PerMinute, true })
	if !at.After(minute) {
		return
	}
	m.DueAt = clock.Trunc(at.Add(minuteSpread * time.Duration(place) / time.Duration(of)))
	evidence["limit"], evidence["throttle"], evidence["until"], evidence["minute"] = t.PerMinute, t.Name, m.DueAt, mark(at)
	m.Reason, m.Data = ReasonThrottled, evidence
}

func (p *pacer) limitOf(limit func(time.Time) (int, bool), at time.Time) int {
	n, _ := limit(at)
	return n
}

func (p *pacer) tomorrow(t time.Time) time.Time {
	year, month, day := t.Add(12 * time.Hour).In(p.zone).Date()
	return clock.Civil(year, month, day+1, 0, 0, p.zone)
}

// added returns what the transaction has to write.
func (p *pacer) added() (out []Window) {
	for bucket, windows := range p.changes {
		for at, n := range windows {
			out = append(out, Window{bucket, time.UnixMicro(at).UTC(), n})
		}
	}
	slices.SortFunc(out, func(a, b Window) int {
		if c := strings.Compare(a.Bucket, b.Bucket); c != 0 {
			return c
		}
		return a.At.Compare(b.At)
	})
	return out
}
