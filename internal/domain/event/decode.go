package event

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"
	"unicode/utf8"
)

// maxDecodeErrors bounds how many bad lines one error names.
const maxDecodeErrors = 10

// DecodeBatch reads the payload of one log record. Lines do not depend on each other: it returns the events of all
// lines that are right, in order, and an error that names the wrong ones. A line is right if it is one JSON object
// with a workspace, a message id, a known type, an origin, both times, and objects for properties and context; fields it does
// not know are left for the version that does. The events share memory with data.
func DecodeBatch(data []byte) ([]Event, error) {
	events := make([]Event, 0, bytes.Count(data, []byte{'\n'})+1)
	var bad []error
	for n := 1; len(data) > 0; n++ {
		line, rest, _ := bytes.Cut(data, []byte{'\n'})
		data = rest
		if len(line) == 0 {
			continue
		}
		events = append(events, Event{})
		if err := decodeLine(line, &events[len(events)-1]); err != nil {
			events = events[:len(events)-1]
			if len(bad) < maxDecodeErrors {
				bad = append(bad, fmt.Errorf("line %d: %w", n, err))
			}
		}
	}
	return events, errors.Join(bad...)
}

func decodeLine(line []byte, e *Event) error {
	f := lineReader{b: line}
	if !f.event(e) {
		*e = Event{}
		if err := json.Unmarshal(line, e); err != nil {
			return err
		}
	}
	return e.check()
}

// check holds what every event on the log fulfils.
func (e *Event) check() error {
	switch {
	case e.Workspace == "":
		return errors.New("no workspace")
	case e.MessageID == "":
		return errors.New("no message id")
	case !e.Type.known():
		return fmt.Errorf("unknown type %q", e.Type)
	case e.Origin == "":
		return errors.New("no origin")
	case e.Time.IsZero() || e.Received.IsZero():
		return errors.New("no time")
	case !encodable(e.Time) || !encodable(e.Original) || !encodable(e.Sent) || !encodable(e.Received):
		return errors.New("a year beyond four digits")
	case !isObject(e.Properties) || !isObject(e.Context):
		return errors.New("properties or context are not an object")
	}
	return nil
}

func (t Type) known() bool {
	switch t {
	case Message, Segment, Journey, Consent, Task, Invoice, Standing, Identity:
		return true
	}
	return t.External()
}

// encodable reports whether t has an RFC 3339 form in UTC.
func encodable(t time.Time) bool {
	y := t.UTC().Year()
	return y >= 0 && y <= 9999
}

func isObject(raw json.RawMessage) bool { return len(raw) == 0 || raw[0] == '{' }

// lineReader reads what AppendLine writes, several times faster than encoding/json. Whatever it does not expect, such as
// escapes or unknown keys, makes it give up, and encoding/json decides: so the two never differ in what they accept.
type lineReader struct {
	b []byte
	i int
}

func (r *lineReader) event(e *Event) bool {
	if !r.take('{') {
		return false
	}
	for {
		key, ok := r.text()
		if !ok || !r.take(':') {
			return false
		}
		switch string(key) {
		case "w":
			ok = r.string(&e.Workspace)
		case "m":
			ok = r.string(&e.MessageID)
		case "t":
			ok = r.string((*string)(&e.Type))
		case "n":
			ok = r.string(&e.Name)
		case "u":
			ok = r.string(&e.UserID)
		case "a":
			ok = r.string(&e.AnonymousID)
		case "p":
			ok = r.string(&e.PreviousID)
		case "g":
			ok = r.string(&e.GroupID)
		case "pid":
			ok = r.string(&e.PersonID)
		case "s":
			ok = r.string(&e.Source)
		case "o":
			ok = r.string((*string)(&e.Origin))
		case "ts":
			ok = r.time(&e.Time)
		case "ot":
			ok = r.time(&e.Original)
		case "st":
			ok = r.time(&e.Sent)
		case "rt":
			ok = r.time(&e.Received)
		case "pr":
			ok = r.object(&e.Properties)
		case "cx":
			ok = r.object(&e.Context)
		case "fl":
			ok = r.strings(&e.Flags)
		case "tr":
			ok = r.string(&e.Trace)
		case "h":
			ok = r.count(&e.Hops)
		default:
			ok = false
		}
		if !ok {
			return false
		}
		if r.take('}') {
			return r.i == len(r.b)
		}
		if !r.take(',') {
			return false
		}
	}
}

func (r *lineReader) take(c byte) bool {
	if r.i < len(r.b) && r.b[r.i] == c {
		r.i++
		return true
	}
	return false
}

// text reads a string without escapes.
func (r *lineReader) text() ([]byte, bool) {
	if !r.take('"') {
		return nil, false
	}
	start, ascii := r.i, true
	for ; r.i < len(r.b); r.i++ {
		switch c := r.b[r.i]; {
		case c == '"':
			s := r.b[start:r.i]
			r.i++
			return s, ascii || utf8.Valid(s)
		case c < 0x20 || c == '\\':
			return nil, false
		case c >= utf8.RuneSelf:
			ascii = false
		}
	}
	return nil, false
}

func (r *lineReader) string(into *string) bool {
	s, ok := r.text()
	if ok {
		*into = string(s)
	}
	return ok
}

func (r *lineReader) time(into *time.Time) bool {
	s, ok := r.text()
	return ok && into.UnmarshalText(s) == nil
}

// count reads a small whole number.
func (r *lineReader) count(into *int) bool {
	start := r.i
	for r.i < len(r.b) && r.i < start+6 && '0' <= r.b[r.i] && r.b[r.i] <= '9' {
		r.i++
	}
	n, err := strconv.Atoi(string(r.b[start:r.i]))
	*into = n
	return err == nil && r.b[start] != '0'
}

func (r *lineReader) strings(into *[]string) bool {
	if !r.take('[') {
		return false
	}
	*into = nil
	for {
		s, ok := r.text()
		if !ok {
			return false
		}
		*into = append(*into, string(s))
		if r.take(']') {
			return true
		}
		if !r.take(',') {
			return false
		}
	}
}

// object reads a JSON object as it stands.
func (r *lineReader) object(into *json.RawMessage) bool {
	if r.i >= len(r.b) || r.b[r.i] != '{' {
		return false
	}
	start, depth := r.i, 0
	for ; r.i < len(r.b); r.i++ {
		switch r.b[r.i] {
		case '"':
			for r.i++; r.i < len(r.b) && r.b[r.i] != '"'; r.i++ {
				if r.b[r.i] == '\\' {
					r.i++
				}
			}
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				r.i++
				raw := r.b[start:r.i:r.i]
				*into = raw
				return json.Valid(raw)
			}
		}
	}
	return false
}
