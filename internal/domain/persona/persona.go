package persona

import (
	"bytes"
	"fmt"
	"image"
	_ "image/jpeg" // pictures are of these two kinds
	_ "image/png"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// Persona is a person who does not exist and stands for many who do.
type Persona struct {
	ID        string
	Workspace string
	Draft
	Rev       int64 // grows with each change
	CreatedAt time.Time
	UpdatedAt time.Time
}

// Draft is what the team says about a persona.
type Draft struct {
	Name     string   `json:"name"`
	Role     string   `json:"role"`   // "Nurse in Kobe, two children"
	Colour   int      `json:"colour"` // 1 to Colours, of the disc behind the initials
	Picture  []byte   `json:"-"`      // JPEG or PNG; none: initials
	AgeFrom  int      `json:"age_from"`
	AgeTo    int      `json:"age_to"` // years, both ends included; 0 and 0: not said
	Quote    string   `json:"quote"`
	Story    string   `json:"story"`
	Goals    []string `json:"goals"`
	Needs    []string `json:"needs"`
	Pains    []string `json:"pains"`    // what frustrates them
	Words    []string `json:"words"`    // that they use, for those who write to them
	Channels []string `json:"channels"` // preferred ones first: kinds of channels or words of the team
	Segment  string   `json:"segment"`  // id of the segment or list of the people it stands for; empty: none yet
}

// Limits of what a team may write.
const (
	Max        = 200 // personas of a workspace
	MaxName    = 100 // characters, as those below
	MaxLine    = 300
	MaxStory   = 5000
	MaxLines   = 20
	MaxAge     = 130
	MaxPicture = 60_000 // bytes: a square of 320 pixels in good quality
	MaxSide    = 640    // pixels
	Colours    = 8      // of the console's palette of charts
)

func (d *Draft) tidy() error {
	for _, f := range []struct {
		text  *string
		field string
		max   int
	}{{&d.Name, "name", MaxName}, {&d.Role, "role", MaxLine}, {&d.Quote, "quote", MaxLine}, {&d.Story, "story", MaxStory}} {
		if *f.text = strings.TrimSpace(*f.text); utf8.RuneCountInString(*f.text) > f.max {
			return errs.Invalid("persona.too_long", f.field, "use at most %d characters", f.max)
		}
	}
	if d.Name == "" {
		return errs.Invalid("persona.name", "name", "give the persona a name, for example that of a person")
	}
	for _, f := range []struct {
		lines *[]string
		field string
	}{{&d.Goals, "goals"}, {&d.Needs, "needs"}, {&d.Pains, "pains"}, {&d.Words, "words"}, {&d.Channels, "channels"}} {
		kept := []string{}
		for i, l := range *f.lines {
			if l = strings.TrimSpace(l); utf8.RuneCountInString(l) > MaxLine {
				return errs.Invalid("persona.too_long", fmt.Sprintf("%s[%d]", f.field, i), "use at most %d characters a line", MaxLine)
			}
			if l != "" && !slices.Contains(kept, l) {
				kept = append(kept, l)
			}
		}
		if len(kept) > MaxLines {
			return errs.Invalid("persona.too_many", f.field, "name at most %d; a portrait lives from what it leaves out", MaxLines)
		}
		*f.lines = kept
	}
	if d.AgeFrom < 0 || d.AgeTo > MaxAge || d.AgeFrom > d.AgeTo {
		return errs.Invalid("persona.age", "age_to", "give an age from 0 to %d, the lower one first, or none", MaxAge)
	}
	if d.Colour == 0 {
		d.Colour = 1
	}
	if d.Colour < 1 || d.Colour > Colours {
		return errs.Invalid("persona.colour", "colour", "choose a colour from 1 to %d", Colours)
	}
	return checkPicture(d.Picture)
}

func checkPicture(raw []byte) error {
	if len(raw) == 0 {
		return nil
	}
	if len(raw) > MaxPicture {
		return errs.Invalid("persona.picture.too_large", "picture", "the picture has %d bytes; make it smaller, at most %d", len(raw), MaxPicture)
	}
	c, _, err := image.DecodeConfig(bytes.NewReader(raw))
	if err != nil {
		return errs.Invalid("persona.picture", "picture", "the picture is neither JPEG nor PNG; save it as one of them")
	}
	if c.Width > MaxSide || c.Height > MaxSide {
		return errs.Invalid("persona.picture.too_large", "picture", "the picture has %d by %d pixels; make it smaller, at most %d a side", c.Width, c.Height, MaxSide)
	}
	return nil
}
