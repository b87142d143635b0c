package sample

import (
	"slices"
	"strings"
)

// The nouns, in the order in which their things go: what names others before what is named.
const (
	Map      = "journey_map"
	Persona  = "persona"
	Series   = "series"
	Campaign = "campaign"
	Journey  = "journey"
	Report   = "saved_report"
	Segment  = "segment"
	Template = "template"
	Topic    = "topic"
	Account  = "account"
	Source   = "source"
	Brand    = "brand" // its id is the revision that the sample has made
	Site     = "site"  // its id is the address
)

// Nouns lists the nouns in the order in which their things go.
func Nouns() []string {
	return []string{Map, Persona, Series, Campaign, Journey, Report, Segment, Template, Topic, Account, Source, Brand, Site}
}

// Thing is something in a workspace.
type Thing struct {
	Noun   string
	ID     string
	Name   string
	Says   string // its definition: what it names stands in it
	Sample bool   // marked
}

func (t Thing) key() string { return t.Noun + " " + t.ID }

// Kept is a sample thing that stays, because a thing of the user is built on it.
type Kept struct {
	Thing
	For []Thing // of the user; empty if it stays for another sample thing that does
}

// Look is what there is of the sample in a workspace.
type Look struct {
	Things []Thing // that would go
	Kept   []Kept
	Source []string // ids of the sample's sources
	People int64    // who would go
	Stay   int64    // people of whom something came from elsewhere
}

// Empty reports whether there is no sample data.
func (l Look) Empty() bool {
	return len(l.Things) == 0 && len(l.Kept) == 0 && l.People == 0 && l.Stay == 0
}

// split tells sample things that go from those that the user's are built on.
func split(all []Thing) (going []Thing, kept []Kept) {
	needed := map[string]bool{}
	why := map[string][]Thing{}
	for _, s := range all {
		if !s.Sample || s.Noun == Brand || s.Noun == Site {
			continue
		}
		for _, t := range all {
			if !t.Sample && strings.Contains(t.Says, s.ID) {
				needed[s.key()] = true
				why[s.key()] = append(why[s.key()], t)
			}
		}
	}
	for again := true; again; {
		again = false
		for _, t := range all {
			if !needed[t.key()] {
				continue
			}
			for _, s := range all {
				if s.Sample && !needed[s.key()] && s.key() != t.key() && s.Noun != Brand && s.Noun != Site && strings.Contains(t.Says, s.ID) {
					needed[s.key()], again = true, true
				}
			}
		}
	}
	order := Nouns()
	for _, noun := range order {
		for _, s := range all {
			switch {
			case !s.Sample || s.Noun != noun:
			case needed[s.key()]:
				kept = append(kept, Kept{s, why[s.key()]})
			default:
				going = append(going, s)
			}
		}
	}
	slices.SortStableFunc(kept, func(a, b Kept) int { return len(b.For) - len(a.For) })
	return going, kept
}
