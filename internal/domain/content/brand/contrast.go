package brand

import (
	"fmt"
	"math"
	"strconv"
)

// Least contrasts of WCAG 2.2, success criteria 1.4.3 (text) and 1.4.11 (parts of controls).
const (
	LeastText    = 4.5
	LeastControl = 3.0
)

// Pair is two colours that meet, and how far apart they are.
type Pair struct {
	Scheme     string  `json:"scheme"` // "light" or "dark"
	Foreground string  `json:"foreground"`
	Background string  `json:"background"`
	Ratio      float64 `json:"ratio"` // 1 to 21, to two places
	Least      float64 `json:"least"` // what it should be
	OK         bool    `json:"ok"`
}

// Contrasts lists the pairs that occur in mails.
func (b Brand) Contrasts() []Pair {
	var out []Pair
	for _, s := range []struct {
		name string
		p    Palette
	}{{"light", b.Light}, {"dark", b.Dark}} {
		add := func(fg, bg, fgValue, bgValue string, least float64) {
			r := math.Floor(Contrast(fgValue, bgValue)*100) / 100
			out = append(out, Pair{s.name, fg, bg, r, least, r >= least})
		}
		add("text", "page", s.p.Text, s.p.Page, LeastText)
		add("text", "surface", s.p.Text, s.p.Surface, LeastText)
		add("text", "subtle", s.p.Text, s.p.Subtle, LeastText)
		add("muted", "page", s.p.Muted, s.p.Page, LeastText)
		add("muted", "surface", s.p.Muted, s.p.Surface, LeastText)
		add("muted", "subtle", s.p.Muted, s.p.Subtle, LeastText)
		add("accent", "surface", s.p.Accent, s.p.Surface, LeastText) // links
		add("on_accent", "accent", s.p.OnAccent, s.p.Accent, LeastText)
	}
	return out
}

// Contrast is the ratio of the luminances of two colours, 1 to 21, as WCAG defines it; 0 if one of them is no colour.
func Contrast(a, b string) float64 {
	x, ok := parseColour(a)
	y, ok2 := parseColour(b)
	if !ok || !ok2 {
		return 0
	}
	l, m := luminance(x), luminance(y)
	if l < m {
		l, m = m, l
	}
	return (l + 0.05) / (m + 0.05)
}

func parseColour(s string) (rgb [3]uint8, ok bool) {
	if len(s) != 7 || s[0] != '#' {
		return rgb, false
	}
	v, err := strconv.ParseUint(s[1:], 16, 32)
	return [3]uint8{uint8(v >> 16), uint8(v >> 8), uint8(v)}, err == nil
}

// luminance is the relative luminance of sRGB (WCAG 2.2, definitions).
func luminance(rgb [3]uint8) float64 {
	var lin [3]float64
	for i, c := range rgb {
		v := float64(c) / 255
		if v <= 0.04045 {
			lin[i] = v / 12.92
		} else {
			lin[i] = math.Pow((v+0.055)/1.055, 2.4)
		}
	}
	return 0.2126*lin[0] + 0.7152*lin[1] + 0.0722*lin[2]
}

func (p Pair) String() string {
	return fmt.Sprintf("%s on %s (%s): %.2f, at least %.1f", p.Foreground, p.Background, p.Scheme, p.Ratio, p.Least)
}
