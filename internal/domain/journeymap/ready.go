package journeymap

import (
	"embed"
	"encoding/json"
	"fmt"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

//go:embed ready/*.json
var readyFiles embed.FS

// readyKeys are the ready-made maps in the order in which they are offered.
var readyKeys = []string{"first_purchase", "subscription", "community"}

// Locales are the languages of ready-made maps.
var Locales = []string{"en", "zh-Hans", "ja"}

// words are a text by language.
type words map[string]string

// Ready is a ready-made map in one language.
type Ready struct {
	Key string
	Draft
}

// readyMap is a file below ready/.
type readyMap struct {
	Name        words `json:"name"`
	Description words `json:"description"`
	Stages      []struct {
		Name          words `json:"name"`
		Does          words `json:"does"`
		Thinks        words `json:"thinks"`
		Feels         words `json:"feels"`
		Mood          int   `json:"mood"`
		Needs         words `json:"needs"`
		Pains         words `json:"pains"`
		Opportunities words `json:"opportunities"`
		Actions       words `json:"actions"`
		Also          []int `json:"also"` // places of stages, from 0
		Touchpoints   []struct {
			Name    words          `json:"name"`
			Channel string         `json:"channel"`
			Owner   words          `json:"owner"`
			Signals []event.Signal `json:"signals"`
		} `json:"touchpoints"`
	} `json:"stages"`
}

// ReadyMaps returns the ready-made maps in a language, English if there is no such one.
func ReadyMaps(locale string) ([]Ready, error) {
	out := make([]Ready, len(readyKeys))
	for i, key := range readyKeys {
		var err error
		if out[i], err = ReadyMap(key, locale); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// ReadyMap returns one, invalid in field "ready" if there is none.
func ReadyMap(key, locale string) (Ready, error) {
	raw, err := readyFiles.ReadFile("ready/" + key + ".json")
	if err != nil {
		return Ready{}, errs.Invalid("map.ready", "ready", "there is no ready-made map %q; GET /api/v1/journey-maps/ready lists them", key)
	}
	var m readyMap
	if err := json.Unmarshal(raw, &m); err != nil {
		return Ready{}, fmt.Errorf("ready-made map %s: %w", key, err)
	}
	in := func(w words) string {
		if s, ok := w[locale]; ok {
			return s
		}
		return w["en"]
	}
	out := Ready{Key: key, Draft: Draft{Name: in(m.Name), Description: in(m.Description)}}
	for i, s := range m.Stages {
		stage := Stage{
			ID: fmt.Sprintf("s%d", i+1), Name: in(s.Name), Does: in(s.Does), Thinks: in(s.Thinks), Feels: in(s.Feels), Mood: s.Mood, Needs: in(s.Needs), Pains: in(s.Pains),
			Opportunities: in(s.Opportunities), Actions: in(s.Actions),
		}
		for _, to := range s.Also {
			stage.Also = append(stage.Also, fmt.Sprintf("s%d", to+1))
		}
		for j, p := range s.Touchpoints {
			stage.Touchpoints = append(stage.Touchpoints, Touchpoint{ID: fmt.Sprintf("s%dt%d", i+1, j+1), Name: in(p.Name), Channel: p.Channel, Owner: in(p.Owner), Signals: p.Signals})
		}
		out.Stages = append(out.Stages, stage)
	}
	return out, nil
}
