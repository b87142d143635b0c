package liquid

import (
	"slices"
	"strconv"
	"strings"
)

// Use is one place where a template reads a variable from outside.
type Use struct {
	Path     string // from the root, members of lists as "[]": "event.items[].name"; cut off where it depends on data
	Name     string // as written
	Optional bool   // only tested, or has a default: it may be absent
	Line     int
	Col      int
	off      int
}

// Uses returns every place where the template reads a variable from outside, in source order.
func (t *Template) Uses() []Use { return slices.Clone(t.uses) }

// Check returns the variables that are not known, as Problems with code "unknown", each name once. known lists
// paths as in Use; "event.*" knows everything below event.
func (t *Template) Check(known []string) []Problem {
	set := make(map[string]bool, len(known))
	for _, k := range known {
		set[strings.ReplaceAll(k, "[]", "")] = true
	}
	var out []Problem
	seen := map[string]bool{}
	for _, u := range t.uses {
		if seen[u.Name] || knows(set, u.Path) {
			continue
		}
		seen[u.Name] = true
		meant, path := like(u.Path, known), u.Path
		if slices.ContainsFunc(t.uses, func(o Use) bool { return o.Path == path && o.Optional }) {
			path = ""
		}
		out = append(out, Problem{Code: "unknown", Name: u.Name, Like: meant, Path: path, Line: u.Line, Col: u.Col, Msg: "there is no variable " + strconv.Quote(u.Name) + ask(meant)})
	}
	return out
}

func knows(set map[string]bool, path string) bool {
	path = strings.ReplaceAll(path, "[]", "")
	if set[path] || set[path+".*"] {
		return true
	}
	for p := path; ; {
		i := strings.LastIndexByte(p, '.')
		if i < 0 {
			break
		}
		p = p[:i]
		if set[p+".*"] {
			return true
		}
	}
	i := strings.LastIndexByte(path, '.')
	if i < 0 {
		for k := range set { // a root alone is known if something below it is
			if strings.HasPrefix(k, path+".") {
				return true
			}
		}
		return false
	}
	switch path[i+1:] {
	case "size", "first", "last":
		return knows(set, path[:i])
	}
	for k := range set {
		if strings.HasPrefix(k, path+".") {
			return true
		}
	}
	return false
}

// suggest returns `; did you mean "x"?` for the candidate most like s, or nothing.
func suggest(s string, candidates []string) string { return ask(like(s, candidates)) }

func ask(meant string) string {
	if meant == "" {
		return ""
	}
	return "; did you mean " + strconv.Quote(meant) + "?"
}

// like returns the candidate most like s, empty if none is. What stands for many ("event.*") is none.
func like(s string, candidates []string) string {
	best, at := 3, ""
	for _, c := range candidates {
		if d := distance(s, c); d < best && d < len(s) && !strings.HasSuffix(c, ".*") {
			best, at = d, c
		}
	}
	return at
}

// distance counts the insertions, deletions and replacements between two words, up to 3.
func distance(a, b string) int {
	if len(a)-len(b) > 2 || len(b)-len(a) > 2 || len(a) > 100 {
		return 3
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diag := row[0]
		row[0] = i + 1
		for j := range len(b) {
			d := diag
			if a[i] != b[j] {
				d++
			}
			diag = row[j+1]
			row[j+1] = min(d, diag+1, row[j]+1)
		}
	}
	return row[len(b)]
}
