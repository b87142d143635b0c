package liquid

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// chunk is a piece of a template: literal text, an output, or a tag.
type chunk struct {
	kind chunkKind
	text string // literal text, or what stands between the delimiters
	name string // tag name
	off  int    // of text in the source
}

type chunkKind uint8

const (
	chunkText chunkKind = iota
	chunkOutput
	chunkTag
)

// split cuts a template into chunks. Whitespace control is applied, comments are gone, raw blocks have become text.
func split(src string) ([]chunk, *Error) {
	var out []chunk
	trimNext := false
	text := func(from, to int, trimEnd bool) {
		s := src[from:to]
		if trimNext {
			t := strings.TrimLeft(s, " \t\r\n")
			from += len(s) - len(t)
			s = t
		}
		if trimEnd {
			s = strings.TrimRight(s, " \t\r\n")
		}
		if s != "" {
			out = append(out, chunk{kind: chunkText, text: s, off: from})
		}
	}
	for pos := 0; ; {
		i := open(src, pos)
		if i < 0 {
			text(pos, len(src), false)
			return out, nil
		}
		c, end, trimL, trimR, err := delimited(src, i)
		if err != nil {
			return nil, err
		}
		text(pos, i, trimL)
		pos, trimNext = end, trimR
		if c.kind == chunkTag {
			switch c.name {
			case "#":
				continue
			case "comment", "raw":
				from, to, next, tl, tr, err := verbatim(src, pos, c)
				if err != nil {
					return nil, err
				}
				if c.name == "raw" {
					text(from, to, tl)
				}
				pos, trimNext = next, tr
				continue
			}
		}
		out = append(out, c)
	}
}

// open finds the next {{ or {%.
func open(src string, from int) int {
	for {
		i := strings.IndexByte(src[from:], '{')
		if i < 0 || from+i+1 >= len(src) {
			return -1
		}
		from += i
		if c := src[from+1]; c == '{' || c == '%' {
			return from
		}
		from++
	}
}

// delimited reads the output or tag that starts at i.
func delimited(src string, i int) (c chunk, end int, trimL, trimR bool, err *Error) {
	c.kind = chunkOutput
	closing, what := byte('}'), "output {{"
	if src[i+1] == '%' {
		c.kind, closing, what = chunkTag, '%', "tag {%"
	}
	from := i + 2
	if from < len(src) && src[from] == '-' {
		trimL = true
		from++
	}
	stop := -1
	var quote byte
	for j := from; j+1 < len(src); j++ {
		switch b := src[j]; {
		case quote != 0:
			if b == quote {
				quote = 0
			}
		case b == '"' || b == '\'':
			quote = b
		case b == closing && src[j+1] == '}':
			stop = j
		}
		if stop >= 0 {
			break
		}
	}
	if stop < 0 && quote != 0 { // an apostrophe in a remark opens no string
		if j := strings.Index(src[from:], string(closing)+"}"); j >= 0 {
			stop = from + j
		}
	}
	if stop < 0 {
		line, col := position(src, i)
		return c, 0, false, false, &Error{Code: "liquid.syntax", Line: line, Col: col, Msg: what + " is never closed; write " + string(closing) + "} after it"}
	}
	end = stop + 2
	to := stop
	if to > from && src[to-1] == '-' {
		trimR = true
		to--
	}
	c.text, c.off = src[from:to], from
	if c.kind == chunkTag {
		body := strings.TrimLeft(c.text, " \t\r\n")
		c.off += len(c.text) - len(body)
		n := 0
		for n < len(body) && (letter(body[n]) || body[n] == '_') {
			n++
		}
		if n == 0 && strings.HasPrefix(body, "#") {
			n = 1
		}
		c.name, c.text = body[:n], body[n:]
		c.off += n
	}
	return c, end, trimL, trimR, nil
}

// verbatim finds the end of a comment (which may hold comments) or raw block that starts at from.
func verbatim(src string, from int, c chunk) (start, stop, next int, trimL, trimR bool, err *Error) {
	depth := 1
	for pos := from; ; {
		i := strings.Index(src[pos:], "{%")
		if i < 0 {
			break
		}
		i += pos
		t := strings.TrimLeft(src[i+2:], "-")
		t = strings.TrimLeft(t, " \t\r\n")
		pos = i + 2
		switch {
		case c.name == "comment" && word(t, "comment"):
			depth++
		case word(t, "end"+c.name):
			depth--
			if depth > 0 {
				continue
			}
			tag, end, tl, tr, err := delimited(src, i)
			if err != nil {
				return 0, 0, 0, false, false, err
			}
			if strings.TrimSpace(tag.text) == "" {
				return from, i, end, tl, tr, nil
			}
			depth = 1
		}
	}
	line, col := position(src, c.off-len(c.name))
	return 0, 0, 0, false, false, &Error{Code: "liquid.syntax", Line: line, Col: col, Msg: "{% " + c.name + " %} is never closed; write {% end" + c.name + " %}"}
}

func word(s, w string) bool {
	return strings.HasPrefix(s, w) && (len(s) == len(w) || !letter(s[len(w)]) && s[len(w)] != '_')
}

// token is a piece of an expression.
type token struct {
	kind tokenKind
	text string
	num  any // int64 or float64
	off  int
}

type tokenKind uint8

const (
	tokEnd    tokenKind = iota
	tokName             // identifier or keyword
	tokString           // text without quotes
	tokNumber
	tokMark // punctuation and operators
)

// tokens cuts an expression up. off is its offset in the template.
func tokens(s string, off int, src string) ([]token, *Error) {
	var out []token
	bad := func(i int, msg string) *Error {
		line, col := position(src, off+i)
		return &Error{Code: "liquid.syntax", Line: line, Col: col, Msg: msg}
	}
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case c == ' ' || c == '\t' || c == '\r' || c == '\n':
			i++
		case c == '"' || c == '\'':
			j := strings.IndexByte(s[i+1:], c)
			if j < 0 {
				return nil, bad(i, "this text is never closed; write the same quote after it")
			}
			out = append(out, token{kind: tokString, text: s[i+1 : i+1+j], off: off + i})
			i += j + 2
		case c >= '0' && c <= '9' || c == '-' && i+1 < len(s) && s[i+1] >= '0' && s[i+1] <= '9':
			j := i + 1
			for j < len(s) && (s[j] >= '0' && s[j] <= '9' || s[j] == '.' && j+1 < len(s) && s[j+1] >= '0' && s[j+1] <= '9' && !strings.Contains(s[i:j], ".")) {
				j++
			}
			t := token{kind: tokNumber, text: s[i:j], off: off + i}
			if n, err := strconv.ParseInt(t.text, 10, 64); err == nil {
				t.num = n
			} else if f, err := strconv.ParseFloat(t.text, 64); err == nil {
				t.num = f
			} else {
				return nil, bad(i, "this number is too large")
			}
			out = append(out, t)
			i = j
		default:
			r, size := utf8.DecodeRuneInString(s[i:])
			if r == '_' || unicode.IsLetter(r) {
				j := i + size
				for j < len(s) {
					r, n := utf8.DecodeRuneInString(s[j:])
					if r != '_' && r != '-' && !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.Is(unicode.Mn, r) {
						break
					}
					j += n
				}
				out = append(out, token{kind: tokName, text: s[i:j], off: off + i})
				i = j
				continue
			}
			m := mark(s[i:])
			if m == "" {
				return nil, bad(i, "unexpected character "+strconv.QuoteRune(r))
			}
			out = append(out, token{kind: tokMark, text: m, off: off + i})
			i += len(m)
		}
	}
	return append(out, token{kind: tokEnd, off: off + len(s)}), nil
}

func mark(s string) string {
	for _, m := range [...]string{"==", "!=", "<>", "<=", ">=", "..", "<", ">", "=", "|", ":", ",", ".", "[", "]", "(", ")"} {
		if strings.HasPrefix(s, m) {
			return m
		}
	}
	return ""
}

// Piece is a part of a template that is not literal text: an output, a tag, or a whole comment or raw block.
type Piece struct {
	From, To int    // bytes of the source
	Tag      string // name of the tag, empty for outputs
}

// Pieces finds the parts of a template that are not literal text, in order. The error, if any, is an *Error.
func Pieces(src string) ([]Piece, error) {
	var out []Piece
	for pos := 0; ; {
		i := open(src, pos)
		if i < 0 {
			return out, nil
		}
		c, end, _, _, err := delimited(src, i)
		if err != nil {
			return nil, err
		}
		if c.name == "comment" || c.name == "raw" {
			if _, _, end, _, _, err = verbatim(src, end, c); err != nil {
				return nil, err
			}
		}
		out = append(out, Piece{From: i, To: end, Tag: c.name})
		pos = end
	}
}
