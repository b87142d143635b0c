package importer

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"io"
	"maps"
	"strconv"

	"github.com/kizuna-cx/kizuna/internal/domain/consent"
	"github.com/kizuna-cx/kizuna/internal/domain/job"
	"github.com/kizuna-cx/kizuna/internal/domain/staff"
	"github.com/kizuna-cx/kizuna/internal/kit/sheet"
)

// Suppressions is the kind of job that puts the addresses of a file on the suppression list.
const Suppressions = "suppression_import"

// AddressParams says which file, and what for.
type AddressParams struct {
	Upload  string         `json:"upload"`
	Channel string         `json:"channel"`
	Column  string         `json:"column"`
	Reason  consent.Reason `json:"reason"`
	Detail  string         `json:"detail"`
}

// Holders finds out whose addresses are whose.
type Holders interface {
	// Holders returns who holds the addresses of a channel, by address as given; those that nobody holds are left out.
	Holders(ctx context.Context, ws, channel string, addresses []string) (map[string]string, error)
}

// Addresses takes files of addresses for the suppression list.
type Addresses struct {
	Jobs    *job.Service
	Consent *consent.Service
	Holders Holders
	Valid   func(channel, address string) bool
}

func (a Addresses) open(ctx context.Context, ws string, p AddressParams) (*consent.AddressFile, io.Closer, int64, error) {
	in, size, err := a.Jobs.Uploaded(ctx, ws, p.Upload)
	if err != nil {
		return nil, nil, 0, err
	}
	f, err := consent.ReadAddresses(in, p.Channel, p.Column, a.Valid)
	if err != nil {
		return nil, nil, 0, errors.Join(err, in.Close())
	}
	return f, in, size, nil
}

// Check says what a file would do.
func (a Addresses) Check(ctx context.Context, ws string, p AddressParams) (consent.FileResult, error) {
	f, in, _, err := a.open(ctx, ws, p)
	if err != nil {
		return consent.FileResult{}, err
	}
	defer in.Close()
	return a.Consent.CheckFile(ctx, ws, f)
}

// Kind is the job.
func (a Addresses) Kind() job.Kind {
	return job.Kind{Name: Suppressions, Need: staff.ConsentWrite, Do: a.do}
}

// counts is the mark of an import: what became of the rows so far.
type counts struct {
	Rows     int64 `json:"rows"`
	Added    int64 `json:"added"`
	Known    int64 `json:"known"`
	Rejected int64 `json:"rejected"`
	Bytes    int64 `json:"bytes"` // of the file of rejected rows
}

func (c counts) figures() map[string]int64 {
	out := map[string]int64{"rows": c.Rows, "added": c.Added, "rejected": c.Rejected}
	if c.Known > 0 {
		out["known"] = c.Known
	}
	return out
}

// outcome closes an import.
func (c counts) outcome() job.Outcome {
	out := job.Outcome{Figures: c.figures()}
	if c.Rejected > 0 {
		out.Files = []job.File{{Key: rejected, Name: "rejected.csv", Type: "text/csv; charset=utf-8", Size: c.Bytes}}
	}
	return out
}

const rejected = "rejected"

func (a Addresses) do(ctx context.Context, r *job.Run) (job.Outcome, error) {
	var p AddressParams
	var c counts
	if err := r.Params(&p); err != nil {
		return job.Outcome{}, err
	}
	if _, err := r.Mark(&c); err != nil {
		return job.Outcome{}, err
	}
	ws := r.Job().Workspace
	f, in, size, err := a.open(ctx, ws, p)
	if err != nil {
		return job.Outcome{}, err
	}
	defer in.Close()
	for range c.Rows { // done before a restart; reading them again also tells which addresses were there already
		if _, err := f.Next(); err != nil {
			return job.Outcome{}, err
		}
	}
	for {
		var good []consent.Suppress
		var bad [][]string
		end := false
		for len(good)+len(bad) < consent.FileChunk {
			row, err := f.Next()
			if errors.Is(err, io.EOF) {
				end = true
				break
			}
			if err != nil {
				return job.Outcome{}, err
			}
			if row.Code != "" {
				bad = append(bad, []string{strconv.Itoa(row.Line), sheet.Safe(row.Value), row.Code})
				continue
			}
			good = append(good, consent.Suppress{Channel: p.Channel, Address: row.Value, Reason: p.Reason, Detail: p.Detail})
		}
		before := c
		if len(bad) > 0 {
			text := rejectLines(before.Bytes == 0, bad, "line", "value", "reason")
			if err := r.Append(ctx, rejected, before.Bytes, text); err != nil {
				return job.Outcome{}, err
			}
			before.Bytes += int64(len(text))
		}
		err := r.Do(ctx, func(ctx context.Context) (any, job.Progress, error) {
			c = before
			if err := a.suppress(ctx, ws, p.Channel, good, &c); err != nil {
				return nil, job.Progress{}, err
			}
			c.Rows += int64(len(good) + len(bad))
			c.Rejected += int64(len(bad))
			return c, job.Progress{Done: min(f.Offset(), size), Total: size, Figures: maps.Clone(c.figures())}, nil
		})
		if err != nil {
			return job.Outcome{}, err
		}
		if end {
			return c.outcome(), a.Jobs.Forget(ctx, ws, p.Upload)
		}
	}
}

func (a Addresses) suppress(ctx context.Context, ws, channel string, good []consent.Suppress, c *counts) error {
	if len(good) == 0 {
		return nil
	}
	addresses := make([]string, len(good))
	for i, g := range good {
		addresses[i] = g.Address
	}
	holders, err := a.Holders.Holders(ctx, ws, channel, addresses)
	if err != nil {
		return err
	}
	for i := range good {
		good[i].PersonID = holders[good[i].Address]
	}
	n, err := a.Consent.Suppress(ctx, ws, good...)
	c.Added += int64(n)
	c.Known += int64(len(good) - n)
	return err
}

// rejectLines makes lines of the file of rejected rows.
func rejectLines(first bool, rows [][]string, head ...string) []byte {
	var text bytes.Buffer
	if first {
		text.WriteString("\ufeff") // by which Excel recognises UTF-8
	}
	w := csv.NewWriter(&text)
	w.UseCRLF = true // RFC 4180
	if first {
		_ = w.Write(head) // a buffer takes everything
	}
	_ = w.WriteAll(rows)
	return text.Bytes()
}
