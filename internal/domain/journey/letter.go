package journey

import (
	"encoding/json"
	"strings"

	"github.com/kizuna-cx/kizuna/internal/domain/content"
)

// Letter is the words of a mail: Liquid over person and event.
type Letter struct {
	Name             string   `json:"name"`
	ValueProposition string   `json:"value_proposition"` // why the reader would open this, for the team
	Ask              *Ask     `json:"ask,omitempty"`
	Subject          string   `json:"subject"`
	Preheader        string   `json:"preheader"`
	Greeting         string   `json:"greeting"`
	Paragraphs       []string `json:"paragraphs"`
	Product          bool     `json:"product,omitempty"` // shows what the event is about
	Button           string   `json:"button,omitempty"`
	URL              string   `json:"url,omitempty"` // of the button
	Locale           string   `json:"-"`
	Stoppable        bool     `json:"-"` // sent on a topic that people can leave
	Translations     []Letter `json:"-"` // the same letter in other languages
}

// Ask says why something is asked of the reader, who asks and what it is used for.
type Ask struct {
	Why string `json:"why"`
	Who string `json:"who"`
	Use string `json:"use"`
}

// Draft returns the letter as a template of blocks, dressed by whatever brand the workspace has.
func (l Letter) Draft() content.Draft {
	d := content.Draft{
		Name: l.Name, Channel: content.Email, Kind: content.Blocks, Locale: l.Locale, Subject: l.Subject, Preheader: l.Preheader, Document: l.document(),
		ValueProposition: l.ValueProposition, Purpose: content.Purpose{Action: l.Button},
	}
	if l.Ask != nil {
		d.Purpose.Ask, d.Purpose.Why, d.Purpose.Who, d.Purpose.Use = l.Button, l.Ask.Why, l.Ask.Who, l.Ask.Use
	}
	for _, t := range l.Translations {
		d.Translations = append(d.Translations, content.Translation{Locale: t.Locale, Subject: t.Subject, Preheader: t.Preheader, Document: t.document()})
	}
	return d
}

func (l Letter) document() json.RawMessage {
	type part = map[string]any
	blocks := []part{
		{"type": "heading", "level": 1, "text": l.Greeting, "style": part{"size": "m"}},
		{"type": "text", "text": strings.Join(l.Paragraphs, "\n\n")},
	}
	if l.Product {
		blocks = append(blocks,
			part{"type": "products", "if": "event.products.size > 0", "each": "event.products", "limit": 4},
			part{
				"type": "products", "if": "event.name and event.price",
				"style": part{"background": "subtle", "rounded": true, "padding": "s"},
				"items": []part{{"title": "{{ event.name }}", "price": "{{ event.price | money: event.currency }}", "image": "{{ event.image_url }}", "url": "{{ event.url }}"}},
			})
	}
	if l.Button != "" {
		blocks = append(blocks, part{"type": "button", "label": l.Button, "url": l.URL})
	}
	if l.Ask != nil {
		blocks = append(blocks, part{"type": "text", "text": l.Ask.Why + "\n" + l.Ask.Who + "\n" + l.Ask.Use, "style": part{"size": "s", "color": "muted", "background": "subtle", "rounded": true, "padding": "s"}})
	}
	raw, err := json.Marshal(part{"version": 1, "sections": []part{{"style": part{"padding": "l"}, "columns": []part{{"blocks": blocks}}}}})
	if err != nil {
		panic(err) // texts
	}
	return raw
}
