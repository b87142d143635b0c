package journey

import (
	"bytes"
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/kizuna-cx/kizuna/internal/domain/journey/node"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// Locales are the languages that ready-made journeys come in.
var Locales = []string{"en", "zh-Hans", "ja"}

// readyFiles holds a folder for each ready-made journey: scenario.json says what it does, and a file for each language what it says. In a scenario
// "@topic:key", "@segment:key" and "@template:key" stand for the ids of what the workspace has under these keys. To add one, add a folder.
//
//go:embed ready
var readyFiles embed.FS

// Scenario is a ready-made journey.
type Scenario struct {
	Key       string    `json:"-"`
	Position  int       `json:"position"` // in lists; the most often wanted first
	Uses      Uses      `json:"uses"`
	Indicator Indicator `json:"indicator"`
	// Target is how many of 100 who enter shall reach the goal. It is a suggestion to begin with, to be replaced by one's own figures.
	Target   float64                    `json:"target"`
	Topics   []string                   `json:"topics"`
	Segments map[string]json.RawMessage `json:"segments"` // rules by key
	Graph    json.RawMessage            `json:"graph"`
	Words    Words                      `json:"-"`
}

// Uses is what the workspace must send for a scenario to work.
type Uses struct {
	Events []string `json:"events,omitempty"`
	Traits []string `json:"traits,omitempty"`
}

// Indicator is what a scenario is judged by: the share of those who entered to whom the event happens within the window.
type Indicator struct {
	Event  string    `json:"event"`
	Window node.Span `json:"window"` // counted from entering
}

// Words is what a scenario says in one language.
type Words struct {
	Name      string            `json:"name"`
	About     string            `json:"about"`     // what it does
	Indicator string            `json:"indicator"` // what it is judged by
	Goal      string            `json:"goal"`      // the target, in words
	Segments  map[string]string `json:"segments"`  // names by key
	Nodes     map[string]string `json:"nodes"`     // titles by id
	Templates map[string]Letter `json:"templates"` // by key
}

// ReadyTopic is a topic that ready-made journeys send on.
type ReadyTopic struct {
	Name    string `json:"name"`
	Because string `json:"because"` // why people get what is sent on it
	Leave   string `json:"leave"`
	OptIn   string `json:"-"` // explicit or implied, as in consent
}

// Kit makes what ready-made journeys refer to. Each method returns the id of the thing with this key, making it if there is
// none; one that is there is left as its owner has made it.
type Kit interface {
	EnsureTopic(ctx context.Context, ws, key string, t ReadyTopic) (string, error)
	EnsureTemplate(ctx context.Context, ws, key string, l Letter) (string, error)
	EnsureSegment(ctx context.Context, ws, key, name string, rule json.RawMessage) (string, error)
}

// Scenarios returns the ready-made journeys in a language, the most often wanted first.
func Scenarios(locale string) ([]Scenario, error) {
	if !slices.Contains(Locales, locale) {
		return nil, errs.Invalid("journey.ready.locale", "locale", "ready-made journeys come in %v", Locales)
	}
	folders, err := fs.ReadDir(readyFiles, "ready")
	if err != nil {
		return nil, err
	}
	var out []Scenario
	for _, f := range folders {
		if !f.IsDir() {
			continue
		}
		s := Scenario{Key: f.Name()}
		if err := readReady(path.Join(s.Key, "scenario.json"), &s); err != nil {
			return nil, err
		}
		if err := readReady(path.Join(s.Key, locale+".json"), &s.Words); err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	slices.SortFunc(out, func(a, b Scenario) int { return a.Position - b.Position })
	return out, nil
}

// ReadyTopics returns the topics of ready-made journeys in a language, by key.
func ReadyTopics(locale string) (map[string]ReadyTopic, error) {
	var all map[string]struct {
		OptIn string                `json:"opt_in"`
		Words map[string]ReadyTopic `json:"words"`
	}
	if err := readReady("topics.json", &all); err != nil {
		return nil, err
	}
	out := make(map[string]ReadyTopic, len(all))
	for key, t := range all {
		topic, ok := t.Words[locale]
		if !ok {
			return nil, errs.Invalid("journey.ready.locale", "locale", "ready-made journeys come in %v", Locales)
		}
		topic.OptIn = t.OptIn
		out[key] = topic
	}
	return out, nil
}

func readReady(name string, into any) error {
	raw, err := readyFiles.ReadFile(path.Join("ready", name))
	if err != nil {
		return err
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		return fmt.Errorf("ready-made journeys: %s: %w", name, err)
	}
	return nil
}

// Install makes ready-made journeys of the workspace, in a language, as drafts with everything they refer to: those named, or all. What is there
// already is left alone, so it may be called again; one that was archived stays so, and a new one takes its key. It returns the journeys in the order of Scenarios.
func (s *Service) Install(ctx context.Context, ws, locale string, kit Kit, keys ...string) ([]Journey, error) {
	all, err := Scenarios(locale)
	if err != nil {
		return nil, err
	}
	topics, err := ReadyTopics(locale)
	if err != nil {
		return nil, err
	}
	for _, key := range keys {
		if !slices.ContainsFunc(all, func(sc Scenario) bool { return sc.Key == key }) {
			return nil, errs.Invalid("journey.ready.key", "keys", "there is no ready-made journey %q", key)
		}
	}
	var out []Journey
	for _, sc := range all {
		if len(keys) > 0 && !slices.Contains(keys, sc.Key) {
			continue
		}
		j, err := s.install(ctx, ws, locale, kit, sc, topics)
		if err != nil {
			return nil, fmt.Errorf("make the journey %s: %w", sc.Key, err)
		}
		out = append(out, j)
	}
	return out, nil
}

func (s *Service) install(ctx context.Context, ws, locale string, kit Kit, sc Scenario, topics map[string]ReadyTopic) (Journey, error) {
	switch j, err := s.c.Store.ByKey(ctx, ws, sc.Key); {
	case err == nil && j.Status == Archived:
		// Put away, with its figures, under its name; the library's entry is free for a new one.
		j.Key = ""
		j.UpdatedAt = s.c.Clock.Now()
		if err := s.c.Tx.InTx(ctx, func(ctx context.Context) error { return s.c.Store.Update(ctx, j) }); err != nil && !errs.Is(err, errs.KindConflict) {
			return Journey{}, err
		}
	case !errs.Is(err, errs.KindNotFound):
		return j, err
	}
	ids := map[string]string{}
	var err error
	for _, key := range sc.Topics {
		if ids["@topic:"+key], err = kit.EnsureTopic(ctx, ws, key, topics[key]); err != nil {
			return Journey{}, fmt.Errorf("make the topic %s: %w", key, err)
		}
	}
	for key, rule := range sc.Segments {
		if ids["@segment:"+key], err = kit.EnsureSegment(ctx, ws, key, sc.Words.Segments[key], rule); err != nil {
			return Journey{}, fmt.Errorf("make the segment %s: %w", key, err)
		}
	}
	var graph any
	if err := json.Unmarshal(sc.Graph, &graph); err != nil {
		return Journey{}, err
	}
	sentOn := map[string]string{} // topic by template
	walkJSON(graph, func(m map[string]any) {
		t, _ := m["template"].(string)
		topic, _ := m["topic"].(string)
		if t != "" {
			sentOn[t] = strings.TrimPrefix(topic, "@topic:")
		}
	})
	for key, l := range sc.Words.Templates {
		l.Locale, l.Stoppable = locale, topics[sentOn["@template:"+key]].Name != ""
		for _, other := range Locales {
			if other == locale {
				continue
			}
			var w Words
			if err := readReady(path.Join(sc.Key, other+".json"), &w); err != nil {
				return Journey{}, err
			}
			t := w.Templates[key]
			t.Locale = other
			l.Translations = append(l.Translations, t)
		}
		if ids["@template:"+key], err = kit.EnsureTemplate(ctx, ws, key, l); err != nil {
			return Journey{}, fmt.Errorf("make the template %s: %w", key, err)
		}
	}
	var missing []string
	walkJSON(graph, func(m map[string]any) {
		for field, v := range m {
			ref, _ := v.(string)
			if !strings.HasPrefix(ref, "@") {
				continue
			}
			if m[field] = ids[ref]; ids[ref] == "" {
				missing = append(missing, ref)
			}
		}
	})
	if len(missing) > 0 {
		return Journey{}, fmt.Errorf("it refers to %v, which it does not define", missing)
	}
	raw, err := json.Marshal(graph)
	if err != nil {
		return Journey{}, err
	}
	g, err := ParseGraph(raw)
	if err != nil {
		return Journey{}, err
	}
	for i, n := range g.Nodes {
		g.Nodes[i].Title = sc.Words.Nodes[n.ID]
	}
	j, err := s.Create(ctx, ws, sc.Key, sc.Words.Name, g)
	if errs.Is(err, errs.KindConflict) { // made by another process just now
		return s.c.Store.ByKey(ctx, ws, sc.Key)
	}
	return j, err
}

// walkJSON calls visit for every object.
func walkJSON(v any, visit func(map[string]any)) {
	switch v := v.(type) {
	case map[string]any:
		visit(v)
		for _, inner := range v {
			walkJSON(inner, visit)
		}
	case []any:
		for _, inner := range v {
			walkJSON(inner, visit)
		}
	}
}
