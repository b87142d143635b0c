package sqldb

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// array is a list bound to = ANY($n) on PostgreSQL.
type array struct{ vals any }

// bind checks the number of arguments (SQLite would take missing ones for NULL and ignore surplus ones) and
// brings them into the form that both engines store alike.
func (st *statement) bind(args []any) ([]any, error) {
	if len(args) != st.params {
		return nil, fmt.Errorf("statement has %d placeholders and was given %d arguments: %q", st.params, len(args), st.text)
	}
	if len(args) == 0 {
		return nil, nil
	}
	out := make([]any, len(args))
	for i, a := range args {
		switch v := a.(type) {
		case string:
			out[i] = cleanText(v)
		case *string:
			if v != nil {
				out[i] = cleanText(*v)
			}
		case time.Time:
			out[i] = micros(v)
		case *time.Time:
			if v != nil {
				out[i] = micros(*v)
			}
		case json.RawMessage:
			if v != nil {
				out[i] = cleanText(string(bytes.ReplaceAll(v, []byte(`\u0000`), []byte(`\ufffd`))))
			}
		case array:
			out[i] = v.vals
		default:
			out[i] = a
		}
	}
	return out, nil
}

// cleanText replaces what PostgreSQL refuses in text.
func cleanText(s string) string {
	if strings.IndexByte(s, 0) < 0 && utf8.ValidString(s) {
		return s
	}
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}

func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func fromMicros(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}

// stored is a time as the columns hold it: microseconds, 0 or NULL for none.
type stored time.Time

// Scan implements sql.Scanner.
func (t *stored) Scan(src any) error {
	us, ok := src.(int64)
	if !ok && src != nil {
		return fmt.Errorf("%T is no time", src)
	}
	*t = stored(fromMicros(us))
	return nil
}

// scanner adds the destinations that the engines do not know.
type scanner struct{ row Row }

// Scan reads the columns of the row into dest.
func (s scanner) Scan(dest ...any) error {
	var later []func()
	for i, d := range dest {
		switch p := d.(type) {
		case *time.Time:
			dest[i] = (*stored)(p)
		case **time.Time:
			var us *int64
			dest[i] = &us
			later = append(later, func() {
				*p = nil
				if us != nil {
					t := fromMicros(*us)
					*p = &t
				}
			})
		case *json.RawMessage:
			dest[i] = (*[]byte)(p)
		}
	}
	if err := s.row.Scan(dest...); err != nil {
		return err
	}
	for _, f := range later {
		f()
	}
	return nil
}
