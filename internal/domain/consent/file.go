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
	FileChunk     = 1000 // rows taken at once
	maxFileFaults = 1000 // rejected rows that are listed; all are counted
)

// FileRow is a row of a file of addresses.
type FileRow struct {
	Line  int
	Value string // as in the file
	Code  string // why it cannot be taken: "empty", "invalid", "repeated", "unreadable"; "" if it can
}

// FileResult is what would become of a file of addresses.
type FileResult struct {
	Rows     int // without the heading
	Added    int // not on the list before
	Known    int // on the list already
	Rejected int
	Faults   []FileRow // the first thousand
}

// AddressFile reads the addresses of a CSV file: the column of the name given, else the one headed "email", "address" or "phone", else the first.
type AddressFile struct {
	csv     *csv.Reader
	at      int
	first   []string // the first row, if it is not a heading
	channel string
	valid   func(channel, address string) bool
	seen    map[string]bool
}

// ReadAddresses begins to read a file. valid says whether an address can be one of the channel.
func ReadAddresses(file io.Reader, channel, column string, valid func(channel, address string) bool) (*AddressFile, error) {
	r := csv.NewReader(file)
	r.FieldsPerRecord, r.LazyQuotes, r.TrimLeadingSpace = -1, true, true
	head, err := r.Read()
	if err != nil {
		return nil, errs.Invalid("consent.file.empty", "file", "the file has no rows")
	}
	head[0] = strings.TrimPrefix(head[0], "\ufeff")
	at, headed, err := columnOf(head, column)
	if err != nil {
		return nil, err
	}
	f := &AddressFile{csv: r, at: at, channel: channel, valid: valid, seen: map[string]bool{}}
	if !headed {
		f.first = head
	}
	return f, nil
}

// Next returns the next row, io.EOF after the last.
func (f *AddressFile) Next() (FileRow, error) {
	row, line := f.first, 1
	if f.first = nil; row == nil {
		var err error
		row, err = f.csv.Read()
		if errors.Is(err, io.EOF) {
			return FileRow{}, io.EOF
		}
		if pe, ok := errors.AsType[*csv.ParseError](err); ok {
			return FileRow{Line: pe.StartLine, Code: "unreadable"}, nil
		}
		if err != nil {
			return FileRow{}, err
		}
		line, _ = f.csv.FieldPos(0)
	}
	out := FileRow{Line: line}
	if f.at < len(row) {
		out.Value = strings.TrimSpace(row[f.at])
	}
	key := Normalise(f.channel, out.Value)
	switch {
	case out.Value == "":
		out.Code = "empty"
	case !f.valid(f.channel, out.Value):
		out.Code = "invalid"
	case f.seen[key]:
		out.Code = "repeated"
	default:
		f.seen[key] = true
	}
	out.Value = cut(out.Value, maxAddress)
	return out, nil
}

// Offset is how many bytes were read.
func (f *AddressFile) Offset() int64 { return f.csv.InputOffset() }

// maxAddress is the length of the longest mail address (RFC 5321: 64, @ and 255), in bytes. What is longer is not valid and is shown cut.
const maxAddress = 320

// CheckFile says what would happen if the addresses of a file were put on the list.
func (s *Service) CheckFile(ctx context.Context, ws string, f *AddressFile) (FileResult, error) {
	var out FileResult
	for {
		good := make([]string, 0, FileChunk)
		var err error
		for len(good) < FileChunk {
			var row FileRow
			if row, err = f.Next(); err != nil {
				break
			}
			out.Rows++
			if row.Code == "" {
				good = append(good, row.Value)
			} else if out.Rejected++; len(out.Faults) < maxFileFaults {
				out.Faults = append(out.Faults, row)
			}
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return out, err
		}
		known, failed := s.SuppressedAmong(ctx, ws, f.channel, good)
		if failed != nil {
			return out, failed
		}
		out.Known += len(known)
		out.Added += len(good) - len(known)
		if err != nil {
			return out, nil
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
