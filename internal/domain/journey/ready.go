package journey

import (
	"context"
	"embed"
	"encoding/json"
	"fmt"

	"github.com/kizuna-cx/kizuna/internal/domain/journey/node"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// Locales are the languages that ready-made journeys come in.
var Locales = []string{"en", "zh-Hans", "ja"}

//go:embed ready/*.json
var readyTexts embed.FS

// Text is the words of a message: Liquid over person and event.
type Text struct {
	Name             string `json:"name"`
	ValueProposition string `json:"value_proposition"` // why the reader would open this, for the team
	Subject          string `json:"subject"`
	HTML             string `json:"html"`
	Text             string `json:"text"`
}

// words is one language of the ready-made journeys.
type words struct {
	Topics    map[string]string `json:"topics"`    // key -> name
	Segments  map[string]string `json:"segments"`  // key -> name
	Journeys  map[string]string `json:"journeys"`  // key -> name
	Nodes     map[string]string `json:"nodes"`     // node title by "<journey key>.<node id>"
	Templates map[string]Text   `json:"templates"` // key -> content
}

// Kit makes what ready-made journeys refer to. Each method returns the id of the thing with this key, making it if there is
// none; one that is there is left as its owner has made it.
type Kit interface {
	EnsureTopic(ctx context.Context, ws, key, name string) (string, error)
	EnsureTemplate(ctx context.Context, ws, key string, t Text) (string, error)
	EnsureSegment(ctx context.Context, ws, key, name string, rule json.RawMessage) (string, error)
}

// Keys of what Install makes.
const (
	AbandonedCart = "abandoned_cart"
	WinBack       = "win_back"

	offersTopic   = "offers"
	lapsedSegment = "lapsed_customers"
)

// lapsedRule holds for customers whose last order is more than 90 days old.
const lapsedRule = `{"all": [
	{"event": {"name": "Order Completed", "agg": "count", "op": "gte", "value": 1, "window": "ever"}},
	{"event": {"name": "Order Completed", "agg": "count", "op": "eq", "value": 0, "window": {"within": {"n": 90, "unit": "day"}}}}
]}`

// Install makes the ready-made journeys of the workspace, in a language, as drafts with everything they refer to. What is there
// already is left alone, so it may be called again. It returns the journeys by their keys.
func (s *Service) Install(ctx context.Context, ws, locale string, kit Kit) (map[string]Journey, error) {
	w, err := readWords(locale)
	if err != nil {
		return nil, err
	}
	ids := map[string]string{}
	if ids[offersTopic], err = kit.EnsureTopic(ctx, ws, offersTopic, w.Topics[offersTopic]); err != nil {
		return nil, fmt.Errorf("make the topic: %w", err)
	}
	if ids[lapsedSegment], err = kit.EnsureSegment(ctx, ws, lapsedSegment, w.Segments[lapsedSegment], json.RawMessage(lapsedRule)); err != nil {
		return nil, fmt.Errorf("make the segment: %w", err)
	}
	for _, key := range []string{"abandoned_cart", "win_back_1", "win_back_2"} {
		if ids[key], err = kit.EnsureTemplate(ctx, ws, key, w.Templates[key]); err != nil {
			return nil, fmt.Errorf("make the template %s: %w", key, err)
		}
	}
	out := map[string]Journey{}
	for key, graph := range map[string]Graph{AbandonedCart: abandonedCart(ids), WinBack: winBack(ids)} {
		for i, n := range graph.Nodes {
			graph.Nodes[i].Title = w.Nodes[key+"."+n.ID]
		}
		if out[key], err = s.ensure(ctx, ws, key, w.Journeys[key], graph); err != nil {
			return nil, fmt.Errorf("make the journey %s: %w", key, err)
		}
	}
	return out, nil
}

func (s *Service) ensure(ctx context.Context, ws, key, name string, g Graph) (Journey, error) {
	j, err := s.c.Store.ByKey(ctx, ws, key)
	if !errs.Is(err, errs.KindNotFound) {
		return j, err
	}
	j, err = s.Create(ctx, ws, key, name, g)
	if errs.Is(err, errs.KindConflict) { // made by another process just now
		return s.c.Store.ByKey(ctx, ws, key)
	}
	return j, err
}

// abandonedCart writes to people who put something into the cart and have not ordered an hour later.
func abandonedCart(ids map[string]string) Graph {
	order := node.EventMatch{Name: "Order Completed"}
	return Graph{
		Trigger: node.Match{Event: &node.EventMatch{Name: "Product Added", Also: []string{"Cart Updated"}}},
		Start:   "wait",
		Nodes: []Node{
			{ID: "wait", Kind: "wait", Config: config(node.WaitConfig{For: node.Span{N: 1, Unit: "hour"}}), Next: map[string]string{"next": "ordered"}, X: 0, Y: 0},
			{ID: "ordered", Kind: "branch", Config: config(node.BranchConfig{SinceEntry: &order}), Next: map[string]string{"yes": "leave", "no": "remind"}, X: 0, Y: 1},
			{ID: "leave", Kind: "exit", Config: config(node.ExitConfig{Reason: "ordered without a reminder"}), X: 1, Y: 2},
			{ID: "remind", Kind: "send", Config: config(node.SendConfig{Template: ids["abandoned_cart"], Topic: ids[offersTopic], Channel: "email"}), Next: map[string]string{"next": "goal"}, X: 0, Y: 2},
			{ID: "goal", Kind: "goal", Config: config(node.GoalConfig{Event: order, Window: node.Span{N: 3, Unit: "day"}}), X: 0, Y: 3},
		},
		ReEntry: ReEntry{Mode: After, After: &node.Span{N: 7, Unit: "day"}},
	}
}

// winBack writes to customers whose last order is more than 90 days old, and once more a week later.
func winBack(ids map[string]string) Graph {
	order := node.EventMatch{Name: "Order Completed"}
	send := func(template string) json.RawMessage {
		return config(node.SendConfig{Template: ids[template], Topic: ids[offersTopic], Channel: "email"})
	}
	return Graph{
		Trigger: node.Match{SegmentEntered: &node.SetMatch{ID: ids[lapsedSegment]}},
		Start:   "first",
		Nodes: []Node{
			{ID: "first", Kind: "send", Config: send("win_back_1"), Next: map[string]string{"next": "wait"}, X: 0, Y: 0},
			{ID: "wait", Kind: "wait", Config: config(node.WaitConfig{For: node.Span{N: 7, Unit: "day"}}), Next: map[string]string{"next": "ordered"}, X: 0, Y: 1},
			{ID: "ordered", Kind: "branch", Config: config(node.BranchConfig{SinceEntry: &order}), Next: map[string]string{"yes": "goal", "no": "second"}, X: 0, Y: 2},
			{ID: "second", Kind: "send", Config: send("win_back_2"), Next: map[string]string{"next": "goal"}, X: 0, Y: 3},
			{ID: "goal", Kind: "goal", Config: config(node.GoalConfig{Event: order, Window: node.Span{N: 14, Unit: "day"}}), X: 0, Y: 4},
		},
		Goal:    &GoalRule{Event: order, Window: &node.Span{N: 30, Unit: "day"}},
		ReEntry: ReEntry{Mode: After, After: &node.Span{N: 26, Unit: "week"}},
	}
}

func config(c any) json.RawMessage {
	raw, err := json.Marshal(c)
	if err != nil {
		panic(err) // the structs above always encode
	}
	return raw
}

// OffersTopic returns the name that Install gives, in a language, to the topic of the ready-made journeys.
func OffersTopic(locale string) (string, error) {
	w, err := readWords(locale)
	return w.Topics[offersTopic], err
}

func readWords(locale string) (w words, err error) {
	raw, err := readyTexts.ReadFile("ready/" + locale + ".json")
	if err != nil {
		return w, errs.Invalid("journey.ready.locale", "locale", "ready-made journeys come in %v", Locales)
	}
	if err := json.Unmarshal(raw, &w); err != nil {
		return w, fmt.Errorf("read the words of the ready-made journeys: %w", err)
	}
	return w, nil
}
