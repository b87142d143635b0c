package event

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"time"
	"unicode/utf8"
)

// EncodeBatch writes events as the payload of one log record: JSON values, one a line. It refuses an event whose
// properties or context are not a JSON object, or whose times JSON cannot hold.
func EncodeBatch(events []Event) ([]byte, error) {
	var out []byte
	for i := range events {
		e := events[i]
		if !encodable(e.Time) || !encodable(e.Original) || !encodable(e.Sent) || !encodable(e.Received) {
			return nil, fmt.Errorf("encode event %s: a year beyond four digits", e.MessageID)
		}
		var err error
		if e.Properties, err = compactObject(e.Properties); err != nil {
			return nil, fmt.Errorf("encode event %s: properties: %w", e.MessageID, err)
		}
		if e.Context, err = compactObject(e.Context); err != nil {
			return nil, fmt.Errorf("encode event %s: context: %w", e.MessageID, err)
		}
		out = AppendLine(out, &e)
	}
	return out, nil
}

// compactObject returns raw on one line; null counts as absent.
func compactObject(raw json.RawMessage) (json.RawMessage, error) {
	trimmed := bytes.TrimSpace(raw)
	if len(trimmed) == 0 || string(trimmed) == "null" {
		return nil, nil
	}
	if trimmed[0] != '{' {
		return nil, fmt.Errorf("%.20q is not an object", trimmed)
	}
	var line bytes.Buffer
	if err := json.Compact(&line, trimmed); err != nil {
		return nil, err
	}
	return line.Bytes(), nil
}

// AppendLine appends e and a newline to dst, as EncodeBatch would. It checks nothing: Properties and Context must be
// empty or valid JSON objects without a newline, and the years of the times must have four digits.
func AppendLine(dst []byte, e *Event) []byte {
	dst = append(dst, `{"w":`...)
	dst = appendString(dst, e.Workspace)
	dst = append(dst, `,"m":`...)
	dst = appendString(dst, e.MessageID)
	dst = append(dst, `,"t":`...)
	dst = appendString(dst, string(e.Type))
	for _, opt := range [...]struct{ key, value string }{
		{`,"n":`, e.Name},
		{`,"u":`, e.UserID},
		{`,"a":`, e.AnonymousID},
		{`,"p":`, e.PreviousID},
		{`,"g":`, e.GroupID},
		{`,"pid":`, e.PersonID},
	} {
		if opt.value != "" {
			dst = append(dst, opt.key...)
			dst = appendString(dst, opt.value)
		}
	}
	dst = appendTime(append(dst, `,"ts":`...), e.Time)
	if !e.Original.IsZero() {
		dst = appendTime(append(dst, `,"ot":`...), e.Original)
	}
	if !e.Sent.IsZero() {
		dst = appendTime(append(dst, `,"st":`...), e.Sent)
	}
	dst = appendTime(append(dst, `,"rt":`...), e.Received)
	if e.Source != "" {
		dst = appendString(append(dst, `,"s":`...), e.Source)
	}
	dst = appendString(append(dst, `,"o":`...), string(e.Origin))
	if len(e.Properties) > 0 {
		dst = append(append(dst, `,"pr":`...), e.Properties...)
	}
	if len(e.Context) > 0 {
		dst = append(append(dst, `,"cx":`...), e.Context...)
	}
	for i, f := range e.Flags {
		if i == 0 {
			dst = append(dst, `,"fl":[`...)
		} else {
			dst = append(dst, ',')
		}
		dst = appendString(dst, f)
	}
	if len(e.Flags) > 0 {
		dst = append(dst, ']')
	}
	if e.Hops != 0 {
		dst = strconv.AppendInt(append(dst, `,"h":`...), int64(e.Hops), 10)
	}
	if e.Trace != "" {
		dst = appendString(append(dst, `,"tr":`...), e.Trace)
	}
	return append(dst, '}', '\n')
}

func appendTime(dst []byte, t time.Time) []byte {
	dst = append(dst, '"')
	dst = t.UTC().AppendFormat(dst, time.RFC3339Nano)
	return append(dst, '"')
}

const hex = "0123456789abcdef"

// appendString appends s as a JSON string; what is not UTF-8 becomes U+FFFD.
func appendString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= 0x20 && c < utf8.RuneSelf && c != '"' && c != '\\' {
			i++
			continue
		}
		if c >= utf8.RuneSelf {
			r, n := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && n == 1 {
				dst = append(append(dst, s[start:i]...), "\uFFFD"...)
				start = i + 1
			}
			i += n
			continue
		}
		dst = append(dst, s[start:i]...)
		if c == '"' || c == '\\' {
			dst = append(dst, '\\', c)
		} else {
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
		i++
		start = i
	}
	return append(append(dst, s[start:]...), '"')
}
