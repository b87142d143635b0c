package liquid

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Parse compiles a template. Zero limits take the defaults. The error, if any, is an *Error.
func Parse(src string, mode Mode, limits Limits) (*Template, error) {
	limits = limits.filled()
	if len(src) > limits.Source {
		return nil, &Error{Code: "liquid.limit.source", Line: 1, Col: 1, Msg: "the template is longer than " + strconv.Itoa(limits.Source) + " bytes; host images elsewhere and link to them"}
	}
	chunks, err := split(src)
	if err != nil {
		return nil, err
	}
	p := &parser{t: &Template{src: src, mode: mode, limits: limits}, chunks: chunks, slots: map[string]int{}, alias: map[string]string{}}
	nodes, err := p.block(chunk{})
	if err != nil {
		return nil, err
	}
	for _, v := range p.paths { // assignments further down reach variables further up, inside loops
		if slot, ok := p.slots[v.root]; ok && v.loop < 0 {
			v.slot = slot
		}
	}
	p.t.nodes, p.t.slots = nodes, len(p.slots)
	return p.t, nil
}

type parser struct {
	t      *Template
	chunks []chunk
	pos    int
	depth  int
	html   scan
	slots  map[string]int    // assigned names
	alias  map[string]string // assigned name -> the path it stands for, "" if it is something else
	loops  []loopScope
	paths  []*path
	used   *Use // the last variable that was parsed
}

type loopScope struct {
	name string // of the item
	path string // of the list, "" if it is not a plain variable
	html scan   // where the body starts
}

func (p *parser) fail(code string, off int, format string, args ...any) *Error {
	line, col := position(p.t.src, off)
	return &Error{Code: "liquid." + code, Line: line, Col: col, Msg: fmt.Sprintf(format, args...)}
}

// block parses nodes up to the next tag that belongs to the enclosing block, which it leaves unread; within is the
// tag that opened the block.
func (p *parser) block(within chunk) ([]node, *Error) {
	var out []node
	for p.pos < len(p.chunks) {
		c := p.chunks[p.pos]
		switch c.kind {
		case chunkText:
			if p.t.mode == HTML {
				p.html.text(c.text)
			}
			if p.t.mode == Subject {
				c.text = strings.Map(func(r rune) rune {
					if r < 0x20 || r == 0x7F || r == 0x2028 || r == 0x2029 {
						return ' '
					}
					return r
				}, c.text)
			}
			out = append(out, textNode{c.text})
		case chunkOutput:
			n, err := p.output(c)
			if err != nil {
				return nil, err
			}
			out = append(out, n)
		case chunkTag:
			if ends(within.name, c.name) {
				return out, nil
			}
			p.pos++
			n, err := p.tag(c)
			if err != nil {
				return nil, err
			}
			out = append(out, n)
			continue
		}
		p.pos++
	}
	if within.name != "" {
		return nil, p.fail("syntax", within.off-len(within.name), "{%% %s %%} is never closed; write {%% end%s %%}", within.name, within.name)
	}
	return out, nil
}

// ends tells whether tag ends a part of the block.
func ends(block, tag string) bool {
	if block == "" {
		return false
	}
	switch tag {
	case "end" + block:
		return true
	case "else":
		return block != "capture"
	case "elsif":
		return block == "if" || block == "unless"
	case "when":
		return block == "case"
	}
	return false
}

func (p *parser) tag(c chunk) (node, *Error) {
	switch c.name {
	case "if", "unless":
		return nested(p, c, p.ifTag)
	case "case":
		return nested(p, c, p.caseTag)
	case "for":
		return nested(p, c, p.forTag)
	case "capture":
		return nested(p, c, p.captureTag)
	case "assign":
		return p.assignTag(c)
	case "break", "continue":
		e, err := p.expression(c)
		if err != nil {
			return nil, err
		}
		if err := e.end(); err != nil {
			return nil, err
		}
		if len(p.loops) == 0 {
			return nil, p.fail("syntax", c.off-len(c.name), "{%% %s %%} belongs inside {%% for %%}", c.name)
		}
		if at := p.loops[len(p.loops)-1].html; p.t.mode == HTML {
			if _, same := at.join(p.html); !same {
				return nil, p.fail("html.branch", c.off-len(c.name), "{%% %s %%} stands inside a tag or attribute; leave the loop outside of it", c.name)
			}
		}
		if c.name == "break" {
			return jumpNode{errBreak}, nil
		}
		return jumpNode{errContinue}, nil
	case "":
		return nil, p.fail("syntax", c.off, "a tag needs a name, as in {%% if %%}")
	}
	off := c.off - len(c.name)
	if strings.HasPrefix(c.name, "end") || c.name == "else" || c.name == "elsif" || c.name == "when" {
		return nil, p.fail("syntax", off, "{%% %s %%} has no block that it belongs to; look for a missing or doubled tag above", c.name)
	}
	return nil, p.fail("tag.unknown", off, "there is no tag %q%s", c.name, suggest(c.name, []string{"if", "unless", "case", "for", "assign", "capture", "comment", "raw", "break", "continue"}))
}

func nested(p *parser, c chunk, parse func(chunk) (node, *Error)) (node, *Error) {
	p.depth++
	defer func() { p.depth-- }()
	if p.depth > p.t.limits.Depth {
		return nil, p.fail("limit.depth", c.off-len(c.name), "more than %d blocks inside each other; flatten the template", p.t.limits.Depth)
	}
	return parse(c)
}

func (p *parser) output(c chunk) (node, *Error) {
	place := inPlain
	switch p.t.mode {
	case Subject:
		place = inLine
	case HTML:
		var msg string
		if place, msg = p.html.output(); msg != "" {
			return nil, p.fail("html.position", c.off, "%s", msg)
		}
	}
	e, err := p.expression(c)
	if err != nil {
		return nil, err
	}
	p.used = nil
	v, err := e.filtered()
	if err != nil {
		return nil, err
	}
	if err := e.end(); err != nil {
		return nil, err
	}
	n := &outputNode{e: v, place: place, off: c.off + len(c.text) - len(strings.TrimLeft(c.text, " \t\r\n"))}
	base := v
	if f, ok := v.(*filtered); ok {
		base = f.base
		if slices.ContainsFunc(f.filters, func(c filterCall) bool { return c.name == "default" }) {
			base = nil
			if p.used != nil {
				p.used.Optional = true
			}
		}
	}
	n.base, _ = base.(*path)
	return n, nil
}

// branches keeps the HTML position honest across alternatives: all must end alike.
type branches struct {
	from, to scan
	any      bool
}

func (p *parser) branchEnd(b *branches, off int) *Error {
	if p.t.mode != HTML {
		return nil
	}
	if !b.any {
		b.to, b.any = p.html, true
	} else {
		to, ok := b.to.join(p.html)
		if !ok {
			return p.fail("html.branch", off, "the branches end in different places of the HTML (one inside a tag or quotes, another outside); move the whole tag or attribute into each branch")
		}
		b.to = to
	}
	p.html = b.from
	return nil
}

func (p *parser) ifTag(c chunk) (node, *Error) {
	n := &ifNode{}
	b := branches{from: p.html}
	head, block := c, c
	for hasElse := false; ; {
		var when cond
		if head.name != "else" {
			var err *Error
			if when, err = p.condition(head); err != nil {
				return nil, err
			}
			if head.name == "unless" {
				when = not{when}
			}
		}
		body, err := p.block(block)
		if err != nil {
			return nil, err
		}
		n.branches = append(n.branches, branch{when, body})
		next := p.chunks[p.pos]
		p.pos++
		at := next.off - len(next.name)
		if err := p.branchEnd(&b, at); err != nil {
			return nil, err
		}
		if strings.HasPrefix(next.name, "end") {
			if !hasElse {
				if err := p.branchEnd(&b, at); err != nil { // the branch that is not written
					return nil, err
				}
			}
			p.html = b.to
			return n, p.bare(next)
		}
		if hasElse {
			return nil, p.fail("syntax", at, "{%% %s %%} after {%% else %%}; else comes last", next.name)
		}
		if next.name == "else" {
			hasElse = true
			if err := p.bare(next); err != nil {
				return nil, err
			}
		}
		head = next
	}
}

type not struct{ c cond }

func (c not) test(s *state) bool { return !c.c.test(s) }

func (p *parser) caseTag(c chunk) (node, *Error) {
	e, err := p.expression(c)
	if err != nil {
		return nil, err
	}
	subject, err := e.value()
	if err != nil {
		return nil, err
	}
	if err := e.end(); err != nil {
		return nil, err
	}
	p.optional()
	before := p.html
	lead, err := p.block(c)
	if err != nil {
		return nil, err
	}
	for _, x := range lead {
		if t, ok := x.(textNode); !ok || strings.TrimSpace(t.s) != "" {
			return nil, p.fail("syntax", c.off, "only {%% when %%} may follow {%% case %%}")
		}
	}
	p.html = before
	n := &ifNode{}
	b := branches{from: p.html}
	for hasElse := false; ; {
		head := p.chunks[p.pos]
		p.pos++
		at := head.off - len(head.name)
		if head.name == "endcase" {
			if !hasElse {
				if err := p.branchEnd(&b, at); err != nil {
					return nil, err
				}
			}
			p.html = b.to
			return n, p.bare(head)
		}
		if hasElse {
			return nil, p.fail("syntax", at, "{%% %s %%} after {%% else %%}; else comes last", head.name)
		}
		var when cond
		if head.name == "else" {
			hasElse = true
			if err := p.bare(head); err != nil {
				return nil, err
			}
		} else if when, err = p.when(head, subject); err != nil {
			return nil, err
		}
		body, err := p.block(c)
		if err != nil {
			return nil, err
		}
		n.branches = append(n.branches, branch{when, body})
		if err := p.branchEnd(&b, at); err != nil {
			return nil, err
		}
	}
}

// when parses "a, b or c".
func (p *parser) when(c chunk, subject expr) (cond, *Error) {
	e, err := p.expression(c)
	if err != nil {
		return nil, err
	}
	var out cond
	for {
		v, err := e.value()
		if err != nil {
			return nil, err
		}
		p.optional()
		var one cond = comparison{"==", subject, v}
		if out == nil {
			out = one
		} else {
			out = either{out, one}
		}
		if !e.mark(",") && !e.word("or") {
			return out, e.end()
		}
	}
}

func (p *parser) forTag(c chunk) (node, *Error) {
	e, err := p.expression(c)
	if err != nil {
		return nil, err
	}
	item, err := e.name("the loop's variable, as in {% for item in list %}")
	if err != nil {
		return nil, err
	}
	if !e.word("in") {
		return nil, e.unexpected(`"in"`)
	}
	p.used = nil
	n := &forNode{slot: len(p.loops), off: e.peek().off}
	if n.in, err = e.value(); err != nil {
		return nil, err
	}
	use := p.used
	scope := loopScope{name: item}
	if v, ok := n.in.(*path); ok {
		n.name = v.name
		if use != nil {
			scope.path = use.Path + "[]"
		}
	}
	for e.peek().kind != tokEnd {
		e.mark(",")
		switch {
		case e.word("reversed"):
			n.reversed = true
		case e.word("limit"):
			if n.limit, err = e.option(); err != nil {
				return nil, err
			}
		case e.word("offset"):
			if n.offset, err = e.option(); err != nil {
				return nil, err
			}
		default:
			return nil, e.unexpected("limit:, offset: or reversed")
		}
	}
	b := branches{from: p.html}
	scope.html = p.html
	p.loops = append(p.loops, scope)
	n.body, err = p.block(c)
	p.loops = p.loops[:len(p.loops)-1]
	if err != nil {
		return nil, err
	}
	next := p.chunks[p.pos]
	p.pos++
	at := next.off - len(next.name)
	if err := p.branchEnd(&b, at); err != nil {
		return nil, err
	}
	if next.name == "else" {
		if err := p.bare(next); err != nil {
			return nil, err
		}
		n.name = ""
		if use != nil {
			p.t.uses[slices.IndexFunc(p.t.uses, func(u Use) bool { return u.off == use.off })].Optional = true
		}
		if n.orElse, err = p.block(c); err != nil {
			return nil, err
		}
		next = p.chunks[p.pos]
		p.pos++
		if next.name == "else" {
			return nil, p.fail("syntax", next.off-len(next.name), "a second {%% else %%}; a loop has one at most")
		}
	}
	// The body may run any number of times: its end must be like its beginning, and like the end of else.
	if err := p.branchEnd(&b, at); err != nil {
		return nil, err
	}
	if err := p.branchEnd(&b, at); err != nil {
		return nil, err
	}
	p.html = b.to
	return n, p.bare(next)
}

func (p *parser) captureTag(c chunk) (node, *Error) {
	e, err := p.expression(c)
	if err != nil {
		return nil, err
	}
	name, err := e.name("a name, as in {% capture greeting %}")
	if err != nil {
		return nil, err
	}
	if err := e.end(); err != nil {
		return nil, err
	}
	outer := p.html
	p.html = scan{}
	body, err := p.block(c)
	if err != nil {
		return nil, err
	}
	end := p.chunks[p.pos]
	p.pos++
	if p.html != (scan{}) {
		return nil, p.fail("html.branch", end.off-len(end.name), "the captured text ends inside a tag, comment or quotes; close them before {%% endcapture %%}")
	}
	p.html = outer
	p.alias[name] = ""
	return &captureNode{p.slot(name), body}, p.bare(end)
}

func (p *parser) assignTag(c chunk) (node, *Error) {
	e, err := p.expression(c)
	if err != nil {
		return nil, err
	}
	name, err := e.name("a name, as in {% assign total = 5 %}")
	if err != nil {
		return nil, err
	}
	if !e.mark("=") {
		return nil, e.unexpected(`"="`)
	}
	p.used = nil
	v, err := e.filtered()
	if err != nil {
		return nil, err
	}
	p.alias[name] = ""
	if v, ok := v.(*path); ok && p.used != nil && v.loop < 0 {
		p.alias[name] = p.used.Path
	}
	p.optional()
	return &assignNode{p.slot(name), v}, e.end()
}

func (p *parser) slot(name string) int {
	i, ok := p.slots[name]
	if !ok {
		i = len(p.slots)
		p.slots[name] = i
	}
	return i
}

// bare refuses anything after the tag's name.
func (p *parser) bare(c chunk) *Error {
	if t := strings.TrimSpace(c.text); t != "" {
		return p.fail("syntax", c.off, "{%% %s %%} takes nothing after its name, but %q follows", c.name, t)
	}
	return nil
}

// optional marks the variable that was read last as one that may be absent.
func (p *parser) optional() {
	if p.used != nil {
		p.used.Optional = true
		p.used = nil
	}
}
