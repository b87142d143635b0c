package person

import (
	"bytes"
	"encoding/json"
	"maps"
	"math"
	"net/url"
	"slices"
	"strings"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/kit/clock"
)

// purchase is what this package reads of the properties of an order, refund or cancellation.
type purchase struct {
	Total    json.RawMessage `json:"total"`
	Revenue  json.RawMessage `json:"revenue"`
	Value    json.RawMessage `json:"value"`
	Currency string          `json:"currency"`
	OrderID  json.RawMessage `json:"order_id"`
}

// amount is the first of total, revenue and value that is a number, as the event store promotes it.
func (p purchase) amount() (float64, bool) {
	for _, raw := range []json.RawMessage{p.Total, p.Revenue, p.Value} {
		var f float64
		if len(raw) > 0 && json.Unmarshal(raw, &f) == nil && string(raw) != "null" {
			return f, true
		}
	}
	return 0, false
}

// currency is a three-letter code in upper case, NoCurrency if there is none.
func (p purchase) currency() string {
	c := strings.ToUpper(strings.TrimSpace(p.Currency))
	if len(c) != 3 || strings.Trim(c, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
		return NoCurrency
	}
	return c
}

// wholeUnits are the currencies of ISO 4217 without minor units; thousandths those with three digits.
var (
	wholeUnits = map[string]bool{
		"BIF": true, "CLP": true, "DJF": true, "GNF": true, "ISK": true, "JPY": true, "KMF": true, "KRW": true, "PYG": true,
		"RWF": true, "UGX": true, "UYI": true, "VND": true, "VUV": true, "XAF": true, "XOF": true, "XPF": true,
	}
	thousandths = map[string]bool{"BHD": true, "IQD": true, "JOD": true, "KWD": true, "LYD": true, "OMR": true, "TND": true}
)

// MinorUnits converts an amount as events carry it into minor units of the currency.
func MinorUnits(amount float64, currency string) int64 {
	scale := 100.0
	switch {
	case wholeUnits[currency]:
		scale = 1
	case thousandths[currency]:
		scale = 1000
	}
	v := math.Round(amount * scale)
	if math.IsNaN(v) || math.Abs(v) > 1<<53 {
		return 0
	}
	return int64(v)
}

// fold adds an event to the state of the person it belongs to and returns the reasons for what was left out.
func (s *state) fold(o *occurrence) (refused []string, err error) {
	switch o.ev.Type {
	case event.Identify:
		if err := s.loadTraits(); err != nil {
			return nil, err
		}
		if !s.foldTraits(o) {
			refused = append(refused, ReasonTraitCap)
		}
	case event.Message, event.Segment, event.Journey, event.Consent, event.Task, event.Invoice, event.Standing, event.Identity:
		return nil, nil
	}
	if said := event.PreferencesOf(o.ev.Context); said != nil && o.ev.Type.External() {
		if err := s.loadTraits(); err != nil {
			return nil, err
		}
		if !s.foldPreferences(said, o) {
			refused = append(refused, ReasonTraitCap)
		}
	}
	if err := s.loadFacts(); err != nil {
		return nil, err
	}
	if o.ev.Type == event.Group && o.ev.GroupID != "" && !s.join(o.ev.GroupID, o.at.t) {
		refused = append(refused, ReasonGroupCap)
	}
	if o.ev.PersonID == "" {
		s.foldFirst(o)
	}
	if name := o.env.Timezone; name != "" && clock.Zone(name) != nil {
		s.seeZone(name, 1, o.at.t)
	}
	switch o.ev.Type {
	case event.Track:
		s.count(CountEvents, 1)
		s.count(CountTracks, 1)
		switch o.ev.Name {
		case event.OrderCompleted:
			refused = append(refused, s.foldPurchase(o, CountOrders, SumRevenue)...)
		case event.OrderCancelled:
			refused = append(refused, s.foldPurchase(o, CountCancels, SumRefunded)...)
		case event.OrderRefunded:
			refused = append(refused, s.foldPurchase(o, CountRefunds, SumRefunded)...)
		}
	case event.Page:
		s.count(CountEvents, 1)
		s.count(CountPages, 1)
	case event.Screen:
		s.count(CountEvents, 1)
		s.count(CountScreens, 1)
	}
	return refused, nil
}

func (s *state) foldTraits(o *occurrence) bool {
	whole := true
	for _, key := range slices.Sorted(maps.Keys(o.traits)) {
		if key == "" || len(key) > maxTraitName {
			whole = false
			continue
		}
		t := trait{T: o.at.t, M: o.at.m, S: o.ev.Source}
		if v := bytes.TrimSpace(o.traits[key]); string(v) == "null" {
			t.D = true
		} else {
			t.V = compact(v)
		}
		whole = s.setTrait(key, t) && whole
	}
	if o.ev.Origin != event.Internal {
		return whole // nobody but the product adds
	}
	for _, key := range slices.Sorted(maps.Keys(o.env.Increment)) {
		whole = s.setTrait(key, sum(o.env.Increment[key], o.at)) && whole
	}
	return whole
}

// foldPreferences keeps what the person has agreed to as a trait: the whole of what was said last stands.
func (s *state) foldPreferences(said event.Preferences, o *occurrence) bool {
	raw, err := json.Marshal(said) // in the order of the names
	return err == nil && s.setTrait(TraitPreferences, trait{T: o.at.t, M: o.at.m, S: o.ev.Source, V: raw})
}

// compact drops insignificant space, so that equal values are equal bytes.
func compact(v json.RawMessage) json.RawMessage {
	var b bytes.Buffer
	if json.Compact(&b, v) != nil {
		return json.RawMessage("null")
	}
	return b.Bytes()
}

func (s *state) foldFirst(o *occurrence) {
	at := func(v string) touch { return touch{V: strings.TrimSpace(v), T: o.at.t, M: o.at.m} }
	s.setFirst(FirstSource, at(o.ev.Source))
	e := &o.env
	s.setFirst(FirstReferrer, at(e.Page.Referrer))
	s.setFirst(FirstReferrer, at(e.Referrer.URL))
	if o.ev.Type == event.Page {
		s.setFirst(FirstLandingPage, at(e.Page.URL))
	}
	c := e.Campaign
	if c.Name == "" && c.Source == "" && c.Medium == "" && strings.Contains(e.Page.URL, "utm_") {
		if u, err := url.Parse(e.Page.URL); err == nil {
			q := u.Query()
			c.Name, c.Source, c.Medium = q.Get("utm_campaign"), q.Get("utm_source"), q.Get("utm_medium")
			c.Term, c.Content = q.Get("utm_term"), q.Get("utm_content")
		}
	}
	s.setFirst(FirstCampaign, at(c.Name))
	s.setFirst(FirstUTMSource, at(c.Source))
	s.setFirst(FirstUTMMedium, at(c.Medium))
	s.setFirst(FirstUTMTerm, at(c.Term))
	s.setFirst(FirstUTMContent, at(c.Content))
}

func (s *state) foldPurchase(o *occurrence, counter, sum string) []string {
	s.count(counter, 1)
	var p purchase
	_ = json.Unmarshal(o.ev.Properties, &p)
	v, ok := p.amount()
	if !ok {
		return nil
	}
	cur := p.currency()
	key := sum + "." + cur
	if _, known := s.facts.Counters[key]; !known {
		n := 0
		for k := range s.facts.Counters {
			if strings.HasPrefix(k, sum+".") {
				n++
			}
		}
		if n >= maxCurrencies {
			return []string{ReasonCurrencyCap}
		}
	}
	s.count(key, MinorUnits(v, cur))
	return nil
}
