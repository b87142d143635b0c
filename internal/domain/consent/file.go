package consent

import (
	"context"
	"encoding/csv"
	"errors"
	"io"
	"strings"

	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// Limits of a file of addresses.
const (
	MaxFileRows   = 200_000
	fileChunk     = 1000
	maxFileFaults = 1000 // rejected rows that are listed; all are counted
)

// FileRow is a row that cannot be taken.
type FileRow struct {
	Line  int
	Value string // as in the file
	Code  string // "empty", "invalid", "repeated", "unreadable"
}

// FileResult is what became, or would become, of a file of addresses.
type FileResult struct {
	Rows     int // without the heading
	Added    int // not on the list before
	Known    int // on the list already
	Rejected int
	Faults   []FileRow // the first thousand
}

// SuppressFile puts the addresses of a CSV file on the list: the column of the name given, else the one headed "email", "address" or
// "phone", else the first. With dry set nothing is written. A file can be sent again: what is on the list already stays as it is. Valid
// says whether an address can be one of the channel.
func (s *Service) SuppressFile(ctx context.Context, ws string, file io.Reader, column string, w Suppress, dry bool, valid func(channel, address string) bool) (FileResult, error) {
	var out FileResult
	r := csv.NewReader(file)
	r.FieldsPerRecord, r.LazyQuotes, r.TrimLeadingSpace = -1, true, true
	head, err := r.Read()
	if err != nil {
		return out, errs.Invalid("consent.file.empty", "csv", "the file has no rows")
	}
	head[0] = strings.TrimPrefix(head[0], "\ufeff")
	at, headed, err := columnOf(head, column)
	if err != nil {
		return out, err
	}
	seen := map[string]bool{}
	var batch []string
	reject := func(line int, value, code string) {
		if out.Rejected++; len(out.Faults) < maxFileFaults {
			out.Faults = append(out.Faults, FileRow{line, cut(value, 200), code})
		}
	}
	take := func(row []string, line int) {
		out.Rows++
		value := ""
		if at < len(row) {
			value = strings.TrimSpace(row[at])
		}
		key := Normalise(w.Channel, value)
		switch {
		case value == "":
			reject(line, value, "empty")
		case !valid(w.Channel, value):
			reject(line, value, "invalid")
		case seen[key]:
			reject(line, value, "repeated")
		default:
			seen[key] = true
			batch = append(batch, value)
		}
	}
	flush := func() error {
		if len(batch) == 0 {
			return nil
		}
		known, err := s.SuppressedAmong(ctx, ws, w.Channel, batch)
		if err != nil {
			return err
		}
		out.Known += len(known)
		out.Added += len(batch) - len(known)
		if !dry {
			entries := make([]Suppress, len(batch))
			for i, a := range batch {
				entries[i] = w
				entries[i].Address = a
			}
			if _, err := s.Suppress(ctx, ws, entries...); err != nil {
				return err
			}
		}
		batch = batch[:0]
		return nil
	}
	if !headed {
		take(head, 1)
	}
	for {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			return out, flush()
		}
		line, _ := r.FieldPos(0)
		if err != nil {
			out.Rows++
			reject(line, "", "unreadable")
			continue
		}
		if out.Rows >= MaxFileRows {
			return out, errs.Invalid("consent.file.too_long", "csv", "at most %d rows; split the file. What came before is on the list", MaxFileRows)
		}
		take(row, line)
		if len(batch) >= fileChunk {
			if err := flush(); err != nil {
				return out, err
			}
		}
	}
}

// columnOf finds the column of addresses, and whether the first row is a heading.
func columnOf(head []string, wanted string) (at int, headed bool, err error) {
	names := []string{"email", "e-mail", "address", "phone", "mobile"}
	if wanted != "" {
		names = []string{strings.ToLower(strings.TrimSpace(wanted))}
	}
	for i, h := range head {
		for _, n := range names {
			if strings.ToLower(strings.TrimSpace(h)) == n {
				return i, true, nil
			}
		}
	}
	if wanted != "" {
		return 0, false, errs.Invalid("consent.file.column", "column", "the file has no column %q; its first row is %s", wanted, cut(strings.Join(head, ", "), 200))
	}
	return 0, false, nil
}
