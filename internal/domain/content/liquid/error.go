package liquid

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Error is a template that does not parse, or a rendering that hit a limit.
type Error struct {
	Code string // stable, e.g. "liquid.filter.unknown", "liquid.limit.output"
	Line int    // from 1
	Col  int    // from 1, in characters
	Msg  string // what is wrong and how to mend it
}

func (e *Error) Error() string { return fmt.Sprintf("line %d, column %d: %s", e.Line, e.Col, e.Msg) }

// Problem is something a rendering did not like but survived: the place is left empty.
type Problem struct {
	Code string // "missing", "not_a_number", "division_by_zero", "not_a_date", "not_text", "not_a_list", "unsafe_url", "unknown"
	Name string // the variable as written, e.g. "person.first_name"
	Like string // of "unknown": the variable that was probably meant; empty if none is like it
	Path string // of "unknown": as in Use; empty if the template tests the variable or gives it a default somewhere, so that it may be absent
	Line int
	Col  int
	Msg  string
}

// Missing returns the names of the variables that had no value, each once, in order of appearance.
func Missing(problems []Problem) []string {
	var out []string
	for _, p := range problems {
		if p.Code == "missing" {
			out = append(out, p.Name)
		}
	}
	return out
}

// Limits bound what a template may cost. Zero fields take the default.
type Limits struct {
	Source int // bytes of source; 512 KiB
	Depth  int // nested blocks; 32
	Steps  int // nodes, loop rounds and filters executed, plus one for every 256 bytes handled; 200,000
	Output int // bytes of output, and of any string on the way; 1 MiB
}

func (l Limits) filled() Limits {
	set := func(v *int, d int) {
		if *v <= 0 {
			*v = d
		}
	}
	set(&l.Source, 512<<10)
	set(&l.Depth, 32)
	set(&l.Steps, 200_000)
	set(&l.Output, 1<<20)
	return l
}

// position turns a byte offset of src into line and column.
func position(src string, off int) (line, col int) {
	off = min(off, len(src))
	before := src[:off]
	line = 1 + strings.Count(before, "\n")
	return line, 1 + utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:])
}
