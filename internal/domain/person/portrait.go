package person

import (
	"cmp"
	"maps"
	"math"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
)

// Portrait is what is known of a person in three parts. Every figure names its evidence; what there is no evidence
// for is absent (nil or empty), never guessed.
type Portrait struct {
	Basic       Basic       `json:"basic"`
	Assets      Assets      `json:"assets"`
	Preferences Preferences `json:"preferences"`
}

// Evidence says where a figure comes from.
type Evidence struct {
	Rule   string    `json:"rule"`            // stable code of how the figure was made, see the Rule constants
	Events int       `json:"events"`          // how many events it rests on
	Names  []string  `json:"names,omitempty"` // their names, most frequent first, at most five
	Last   time.Time `json:"last,omitzero"`   // the latest of them
}

// Rules of evidence.
const (
	RuleTrait        = "trait"          // the trait with the latest time
	RuleIdentifier   = "identifier"     // an identifier the person came with
	RuleMostFrequent = "most_frequent"  // what most of the events say
	RuleEventTimes   = "event_times"    // the times of the events
	RuleSessionGap   = "session_gap"    // a new visit begins after 30 minutes without an event
	RuleOrderSum     = "order_sum"      // orders, each order id once, minus refunds and cancellations
	RuleBought       = "bought"         // products of the orders
	RuleEngagement   = "engagement"     // share of messages clicked, then opened by a human, then volume
	RuleInterest     = "interest"       // categories and sections looked at, added and bought
	RuleLocalHours   = "local_hours"    // hours of the day in the person's zone
	RuleUTCHours     = "utc_hours"      // the same in UTC, because the zone is unknown
	sessionGap       = 30 * time.Minute // silence that ends a visit
	maxShares        = 5
)

// Figure is a value with its evidence.
type Figure[T any] struct {
	Value    T        `json:"value"`
	Evidence Evidence `json:"evidence"`
}

// Basic is who the person is.
type Basic struct {
	Name        *Figure[string]    `json:"name,omitempty"`
	Email       *Figure[string]    `json:"email,omitempty"`
	Phone       *Figure[string]    `json:"phone,omitempty"`
	Language    *Figure[string]    `json:"language,omitempty"`
	Country     *Figure[string]    `json:"country,omitempty"`
	City        *Figure[string]    `json:"city,omitempty"`
	FirstSeen   *Figure[time.Time] `json:"first_seen,omitempty"`
	LastSeen    *Figure[time.Time] `json:"last_seen,omitempty"`
	DaysRelated *Figure[int]       `json:"days_related,omitempty"` // whole days since the first event
	Visits      *Figure[int]       `json:"visits,omitempty"`
}

// Assets is what the person is worth.
type Assets struct {
	Orders     *Figure[int]       `json:"orders,omitempty"`
	Refunds    *Figure[int]       `json:"refunds,omitempty"`
	LastOrder  *Figure[time.Time] `json:"last_order,omitempty"`
	Value      []Figure[Value]    `json:"value,omitempty"`      // one per currency, highest first
	Products   []Figure[Share]    `json:"products,omitempty"`   // by quantity
	Categories []Figure[Share]    `json:"categories,omitempty"` // by quantity
}

// Value sums the orders of one currency in minor units.
type Value struct {
	Currency string `json:"currency"`
	Orders   int    `json:"orders"`
	Ordered  int64  `json:"ordered"`
	Refunded int64  `json:"refunded"`
	Net      int64  `json:"net"`
	Average  int64  `json:"average"` // order value on average, before refunds
}

// Share is one of several things and its part of them.
type Share struct {
	Value string  `json:"value"`
	Count int     `json:"count"`
	Share float64 `json:"share"` // 0 to 1
}

// Preferences is what the person likes.
type Preferences struct {
	Channel   *Figure[string]      `json:"channel,omitempty"` // the one to write to: reachable and answered most
	Channels  []Figure[Engagement] `json:"channels,omitempty"`
	Interests []Figure[Share]      `json:"interests,omitempty"`
	Timezone  *Figure[string]      `json:"timezone,omitempty"`
	Hours     *Figure[Hours]       `json:"hours,omitempty"`
	Devices   []Figure[Share]      `json:"devices,omitempty"`
}

// Engagement is what became of the messages on one channel.
type Engagement struct {
	Channel   string `json:"channel"`
	Reachable bool   `json:"reachable"`
	Sent      int    `json:"sent"`
	Opened    int    `json:"opened"` // messages opened by a human
	Clicked   int    `json:"clicked"`
}

// Hours is when the person is active.
type Hours struct {
	Zone  string  `json:"zone"` // IANA name
	Hours [24]int `json:"hours"`
	Days  [7]int  `json:"days"` // from Sunday
	Peak  int     `json:"peak"` // the hour with most events
}

// Reach is what the portrait needs to know of a channel.
type Reach struct {
	Reachable bool // there is an address, and neither it nor the person is suppressed
}

// NewPortrait draws the portrait of a person from their history, in the order of event.Less. channels is keyed by channel kind and
// may be nil; now is the moment that ages count to.
func NewPortrait(p Person, history []event.Kept, channels map[string]Reach, now time.Time) Portrait {
	d := &drawing{p: p, channels: channels, now: now}
	for i := range history {
		k := &history[i]
		props, ctx := event.Object(event.Readable(k.Properties)), event.Object(event.Readable(k.Context))
		d.seen = append(d.seen, sighting{k: k, props: props, ctx: ctx, Promoted: event.PromoteObjects(&k.Event, props, ctx)})
	}
	return Portrait{Basic: d.basic(), Assets: d.assets(), Preferences: d.preferences()}
}

// sighting is one event, decoded.
type sighting struct {
	event.Promoted
	k          *event.Kept
	props, ctx map[string]any
}

// label is what the event is called in evidence.
func (s *sighting) label() string {
	if s.k.Name == "" || s.k.Type == event.Page || s.k.Type == event.Screen {
		return string(s.k.Type)
	}
	return s.k.Name
}

type drawing struct {
	p        Person
	channels map[string]Reach
	now      time.Time
	seen     []sighting
}

// evidence gathers what a figure rests on.
type evidence struct {
	rule  string
	n     int
	last  time.Time
	names map[string]int
}

func (e *evidence) add(s *sighting) {
	e.n++
	if s.k.Time.After(e.last) {
		e.last = s.k.Time
	}
	if e.names == nil {
		e.names = map[string]int{}
	}
	e.names[s.label()]++
}

func (e *evidence) done() Evidence {
	names := slices.SortedFunc(maps.Keys(e.names), func(a, b string) int {
		return cmp.Or(cmp.Compare(e.names[b], e.names[a]), cmp.Compare(a, b))
	})
	return Evidence{Rule: e.rule, Events: e.n, Names: names[:min(len(names), maxShares)], Last: e.last}
}

func figure[T any](v T, e Evidence) *Figure[T] { return &Figure[T]{Value: v, Evidence: e} }

// trait returns the figure of the first of the traits that is there.
func (d *drawing) trait(keys ...string) *Figure[string] {
	for _, k := range keys {
		if s := d.p.Text(k); s != "" {
			return figure(s, Evidence{Rule: RuleTrait, Events: 1, Names: []string{k}, Last: d.p.Traits[k].Time})
		}
	}
	return nil
}

// frequent returns what most events say, the later one of equals.
func (d *drawing) frequent(get func(*sighting) string) *Figure[string] {
	by := map[string]*evidence{}
	var best string
	for i := range d.seen {
		s := &d.seen[i]
		v := get(s)
		if v == "" || !s.k.Type.External() {
			continue
		}
		if by[v] == nil {
			by[v] = &evidence{rule: RuleMostFrequent}
		}
		by[v].add(s)
		if best == "" || by[v].n >= by[best].n {
			best = v
		}
	}
	if best == "" {
		return nil
	}
	return figure(best, by[best].done())
}

func (d *drawing) address(kind, trait string) *Figure[string] {
	if f := d.trait(trait); f != nil {
		return f
	}
	v := d.p.address(trait, kind)
	for _, id := range d.p.Identifiers {
		if id.Kind == kind && id.Value == v {
			return figure(v, Evidence{Rule: RuleIdentifier, Events: 1, Names: []string{kind}, Last: id.LastSeen})
		}
	}
	return nil
}

func (d *drawing) basic() Basic {
	b := Basic{
		Name: d.trait("name"), Email: d.address(KindEmail, "email"), Phone: d.address(KindPhone, "phone"),
		Language: d.trait("locale", "language"), Country: d.trait("country"), City: d.trait("city"),
	}
	if b.Name == nil {
		if v := displayName(d.p.Text); v != "" {
			told := Evidence{Rule: RuleTrait, Events: 1, Names: []string{"first_name", "last_name"}}
			for _, k := range told.Names {
				if at := d.p.Traits[k].Time; at.After(told.Last) {
					told.Last = at
				}
			}
			b.Name = figure(v, told)
		}
	}
	if b.Language == nil {
		b.Language = d.frequent(func(s *sighting) string { return s.Locale })
	}
	if b.Country == nil {
		b.Country = d.frequent(func(s *sighting) string { return s.Country })
	}
	if b.City == nil {
		b.City = d.frequent(func(s *sighting) string {
			place, _ := s.ctx["location"].(map[string]any)
			city, _ := place["city"].(string)
			return city
		})
	}
	all := evidence{rule: RuleEventTimes}
	visits := evidence{rule: RuleSessionGap}
	var first, last, before time.Time
	n := 0
	for i := range d.seen {
		s := &d.seen[i]
		if !s.k.Type.External() || s.k.Origin == event.Internal {
			continue // what the product writes says nothing of when the person was here
		}
		all.add(s)
		if first.IsZero() {
			first = s.k.Time
		}
		last = s.k.Time
		if s.k.Type.Behaviour() && s.Platform != "server" {
			visits.add(s)
			if n == 0 || s.k.Time.Sub(before) > sessionGap {
				n++
			}
			before = s.k.Time
		}
	}
	if all.n > 0 {
		b.FirstSeen, b.LastSeen = figure(first, all.done()), figure(last, all.done())
		b.DaysRelated = figure(int(d.now.Sub(first)/(24*time.Hour)), all.done())
	}
	if n > 0 {
		b.Visits = figure(n, visits.done())
	}
	return b
}

// tally counts things with their evidence.
type tally struct {
	rule  string
	total float64
	by    map[string]*struct {
		evidence
		weight float64
	}
}

func (t *tally) add(value string, weight float64, s *sighting) {
	if value == "" || weight <= 0 {
		return
	}
	if t.by == nil {
		t.by = map[string]*struct {
			evidence
			weight float64
		}{}
	}
	x := t.by[value]
	if x == nil {
		x = &struct {
			evidence
			weight float64
		}{evidence: evidence{rule: t.rule}}
		t.by[value] = x
	}
	x.add(s)
	x.weight += weight
	t.total += weight
}

func (t *tally) shares() []Figure[Share] {
	values := slices.SortedFunc(maps.Keys(t.by), func(a, b string) int {
		return cmp.Or(cmp.Compare(t.by[b].weight, t.by[a].weight), cmp.Compare(a, b))
	})
	var out []Figure[Share]
	for _, v := range values[:min(len(values), maxShares)] {
		x := t.by[v]
		share := Share{Value: v, Count: int(math.Round(x.weight)), Share: math.Round(x.weight/t.total*1000) / 1000}
		out = append(out, Figure[Share]{Value: share, Evidence: x.done()})
	}
	return out
}

func (d *drawing) assets() Assets {
	var a Assets
	orders, refunds := evidence{rule: RuleOrderSum}, evidence{rule: RuleOrderSum}
	products, categories := tally{rule: RuleBought}, tally{rule: RuleBought}
	value := map[string]*Value{}
	rests := map[string]*evidence{}
	currency := map[string]string{}
	left := map[string]int64{} // of orders with an id: what was not given back
	var last time.Time
	for i := range d.seen {
		s := &d.seen[i]
		order := s.k.Type == event.Track && s.k.Name == event.OrderCompleted
		cancelled := s.k.Type == event.Track && s.k.Name == event.OrderCancelled
		refund := cancelled || s.k.Type == event.Track && s.k.Name == event.OrderRefunded
		rest, ordered := left[s.OrderID]
		ordered = ordered && s.OrderID != ""
		if !order && !refund || order && ordered {
			continue
		}
		cur := purchase{Currency: s.Currency}.currency()
		if value[cur] == nil && s.HasTotal {
			value[cur], rests[cur] = &Value{Currency: cur}, &evidence{rule: RuleOrderSum}
		}
		minor := MinorUnits(s.Total, cur)
		if s.HasTotal {
			rests[cur].add(s)
		}
		if refund {
			refunds.add(s)
			switch {
			case !ordered && !s.HasTotal:
				continue // of an order that nobody knows
			case ordered && (cancelled || !s.HasTotal):
				minor, cur = rest, currency[s.OrderID] // all that is left
			case ordered:
				minor = min(minor, rest)
			}
			left[s.OrderID] = rest - minor
			if value[cur] != nil {
				value[cur].Refunded += minor
			}
			continue
		}
		left[s.OrderID], currency[s.OrderID] = 0, cur
		if s.HasTotal {
			left[s.OrderID] = minor
		}
		orders.add(s)
		last = s.k.Time
		if s.HasTotal {
			value[cur].Ordered += minor
			value[cur].Orders++
		}
		d.bought(s, &products, &categories)
	}
	if orders.n > 0 {
		a.Orders, a.LastOrder = figure(orders.n, orders.done()), figure(last, orders.done())
	}
	if refunds.n > 0 {
		a.Refunds = figure(refunds.n, refunds.done())
	}
	for _, cur := range slices.Sorted(maps.Keys(value)) {
		v := value[cur]
		v.Net = v.Ordered - v.Refunded
		if v.Orders > 0 {
			v.Average = int64(math.Round(float64(v.Ordered) / float64(v.Orders)))
		}
		a.Value = append(a.Value, Figure[Value]{Value: *v, Evidence: rests[cur].done()})
	}
	slices.SortStableFunc(a.Value, func(x, y Figure[Value]) int { return cmp.Compare(y.Value.Net, x.Value.Net) })
	a.Products, a.Categories = products.shares(), categories.shares()
	return a
}

// bought counts the products of an order: its list of products, else the order itself.
func (d *drawing) bought(s *sighting, products, categories *tally) {
	list, _ := s.props["products"].([]any)
	if len(list) == 0 {
		list = []any{s.props}
	}
	for _, x := range list {
		item, _ := x.(map[string]any)
		quantity := 1.0
		if q, ok := item["quantity"].(float64); ok && q > 0 {
			quantity = q
		}
		name := ""
		for _, key := range []string{"name", "product_id", "sku"} {
			if v, ok := item[key].(string); ok && v != "" {
				name = v
				break
			}
		}
		category, _ := item["category"].(string)
		products.add(name, quantity, s)
		categories.add(category, quantity, s)
	}
}

func (d *drawing) preferences() Preferences {
	var out Preferences
	out.Channels = d.engagement()
	for _, c := range out.Channels {
		if c.Value.Reachable && c.Value.Opened+c.Value.Clicked > 0 {
			out.Channel = figure(c.Value.Channel, c.Evidence)
			break
		}
	}
	interests, devices := tally{rule: RuleInterest}, tally{rule: RuleMostFrequent}
	for i := range d.seen {
		s := &d.seen[i]
		if !s.k.Type.Behaviour() {
			continue
		}
		if s.Platform != "server" {
			devices.add(deviceOf(s), 1, s)
		}
		switch {
		case s.k.Name == event.OrderRefunded, s.k.Name == event.OrderCancelled:
		case s.Category != "":
			interests.add(s.Category, 1, s)
		case s.k.Type == event.Track && s.props["products"] != nil:
			list, _ := s.props["products"].([]any)
			for _, x := range list {
				item, _ := x.(map[string]any)
				category, _ := item["category"].(string)
				interests.add(category, 1, s)
			}
		case s.k.Type == event.Page:
			interests.add(section(s.Path), 1, s)
		}
	}
	out.Interests, out.Devices = interests.shares(), devices.shares()
	if out.Timezone = d.trait("timezone"); out.Timezone == nil {
		out.Timezone = d.frequent(func(s *sighting) string { return s.Timezone })
	}
	out.Hours = d.hours(out.Timezone)
	return out
}

// deviceOf names a device as people do: platform, model or system.
func deviceOf(s *sighting) string {
	detail := s.DeviceModel
	if detail == "" {
		detail = s.OS
	}
	return strings.Trim(s.Platform+" · "+detail, " ·")
}

// shelves are the first parts of paths below which shop systems (Shopify, WooCommerce, Magento, EC-CUBE and shops of their own) put one category
// each; goods those below which they put one product each.
var (
	shelves = []string{"category", "categories", "collection", "collections", "product-category", "catalog", "c"}
	goods   = []string{"product", "products", "item", "items", "p"}
)

// section is what a page is about, as far as its path tells: the first part ("/shoes" of "/shoes/red/12"), or the category that follows a word that only
// says that one follows ("shoes" of "/category/shoes"). A page of one product, and a list of all categories, tell of no section.
func section(path string) string {
	first, rest, _ := strings.Cut(strings.Trim(path, "/"), "/")
	switch {
	case first == "" || slices.Contains(goods, first):
		return ""
	case slices.Contains(shelves, first):
		category, _, _ := strings.Cut(rest, "/")
		if named, err := url.PathUnescape(category); err == nil {
			return named
		}
		return category
	}
	return "/" + first
}

// engagement sums messages by channel, the most answered first. Opens and clicks by machines do not count.
func (d *drawing) engagement() []Figure[Engagement] {
	type sums struct {
		evidence
		sent, opened, clicked map[string]bool // by message
	}
	by := map[string]*sums{}
	for i := range d.seen {
		s := &d.seen[i]
		machine, _ := s.props["machine"].(bool)
		if s.k.Type != event.Message || s.Channel == "" || machine {
			continue
		}
		x := by[s.Channel]
		if x == nil {
			x = &sums{evidence: evidence{rule: RuleEngagement}, sent: map[string]bool{}, opened: map[string]bool{}, clicked: map[string]bool{}}
			by[s.Channel] = x
		}
		switch s.k.Name {
		case event.MessageSent:
			x.sent[s.OutboxID] = true
		case event.MessageOpened:
			x.opened[s.OutboxID] = true
		case event.MessageClicked:
			x.clicked[s.OutboxID] = true
			x.opened[s.OutboxID] = true
		default:
			continue
		}
		x.add(s)
	}
	var out []Figure[Engagement]
	for c, x := range by {
		if x.n == 0 {
			continue
		}
		out = append(out, Figure[Engagement]{
			Value: Engagement{
				Channel: c, Reachable: d.channels[c].Reachable, Sent: len(x.sent), Opened: len(x.opened), Clicked: len(x.clicked),
			},
			Evidence: x.done(),
		})
	}
	rate := func(n, of int) float64 { return float64(n) / float64(max(n, of, 1)) }
	slices.SortFunc(out, func(a, b Figure[Engagement]) int {
		x, y := a.Value, b.Value
		return cmp.Or(
			cmp.Compare(rate(y.Clicked, y.Sent), rate(x.Clicked, x.Sent)), cmp.Compare(rate(y.Opened, y.Sent), rate(x.Opened, x.Sent)),
			cmp.Compare(y.Sent, x.Sent), cmp.Compare(x.Channel, y.Channel))
	})
	return out
}

// hours is the histogram of what the person did themselves.
func (d *drawing) hours(zone *Figure[string]) *Figure[Hours] {
	h := Hours{Zone: "UTC"}
	place, e := time.UTC, evidence{rule: RuleUTCHours}
	if zone != nil {
		if loc, err := time.LoadLocation(zone.Value); err == nil && zone.Value != "Local" {
			place, e.rule, h.Zone = loc, RuleLocalHours, zone.Value
		}
	}
	for i := range d.seen {
		s := &d.seen[i]
		if !s.k.Type.Behaviour() || s.Platform == "server" && s.k.Name != event.OrderCompleted {
			continue
		}
		local := s.k.Time.In(place)
		h.Hours[local.Hour()]++
		h.Days[local.Weekday()]++
		e.add(s)
	}
	if e.n == 0 {
		return nil
	}
	for i, n := range h.Hours {
		if n > h.Hours[h.Peak] {
			h.Peak = i
		}
	}
	return figure(h, e.done())
}
