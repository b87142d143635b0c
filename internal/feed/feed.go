// Package feed sends rows of events to a running intake as any other client would: in batches over HTTP, with a
// write key. It is what `kizuna import` and the demonstration run on.
//
//	importer.Reader ─► batches ─► POST /v1/batch ─► state file (rows done)
//	                                      └─ refused rows ─► reject file (line, reason, row)
//
// Invariants: a batch counts as done only after the intake has answered 200 for it; the state file is replaced
// atomically, so a kill at any moment repeats at most one batch, whose message ids make the repetition harmless; the
// reject file is cut back to the state on resume, so no refusal stands in it twice.
package feed

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/importer"
	"github.com/kizuna-cx/kizuna/internal/kit/lifecycle"
)

// Options says where rows go.
type Options struct {
	Server   string // base URL, e.g. http://127.0.0.1:8480
	WriteKey string // a server key
	Client   *http.Client

	StateFile  string                     // where progress is kept; empty: it is not kept
	RejectFile string                     // where refused rows go; empty: they are only counted
	Input      Input                      // identifies the input, so that a state is not used for another file
	Progress   func(Progress)             // called after every batch; may be nil
	Now        func() time.Time           // nil: the machine's clock
	Wait       func(time.Duration)        // nil: sleeps; tests replace it
	OnReject   func(importer.Row, string) // called for every refused row; may be nil
	// OnWait is called before a batch is sent again, with what went wrong and the time until then; may be nil.
	OnWait func(error, time.Duration)
}

// Input identifies a file.
type Input struct {
	Name string `json:"name"`
	Size int64  `json:"size"`
}

// Progress is how far a run has come, over all its resumptions.
type Progress struct {
	Input       Input `json:"input"`
	Rows        int   `json:"rows"`     // rows done, refused ones included
	Bytes       int64 `json:"bytes"`    // of the input
	Accepted    int   `json:"accepted"` // events that the intake took
	Rejected    int   `json:"rejected"`
	RejectBytes int64 `json:"reject_bytes"` // length of the reject file that goes with Rejected
	Resumed     int   `json:"-"`            // rows that an earlier run had done
}

const (
	batchEvents = 500
	batchBytes  = 400_000 // the intake takes 512,000
	maxTries    = 30
)

// ErrUnknownKey says that the source of the write key is not there, or is disabled.
var ErrUnknownKey = errors.New("the intake does not know this write key; see Settings, Sources")

// Run feeds everything that in yields. It returns the progress also when it fails or ctx ends; calling it again with the
// same state file goes on where it stopped.
func Run(ctx context.Context, in importer.Reader, o Options) (Progress, error) {
	f := &feeder{o: o, done: Progress{Input: o.Input}}
	if f.o.Client == nil {
		f.o.Client = &http.Client{Timeout: time.Minute}
	}
	if f.o.Now == nil {
		f.o.Now = time.Now
	}
	if err := f.resume(); err != nil {
		return f.done, err
	}
	if f.rejects != nil {
		defer f.rejects.Close()
	}
	for skip := f.done.Rows; skip > 0; skip-- {
		if _, err := in.Next(); err != nil {
			return f.done, fmt.Errorf("the input is shorter than what was imported of it before; remove %s to start anew: %w", o.StateFile, err)
		}
	}
	for {
		batch, end, err := f.fill(in)
		if err != nil {
			return f.done, err
		}
		if len(batch) > 0 {
			if err := f.send(ctx, batch); err != nil {
				return f.done, err
			}
		}
		if end {
			if o.StateFile != "" {
				if err := os.Remove(o.StateFile); err != nil && !errors.Is(err, os.ErrNotExist) {
					return f.done, err
				}
			}
			return f.done, nil
		}
		if err := ctx.Err(); err != nil {
			return f.done, err
		}
	}
}

type feeder struct {
	o       Options
	done    Progress
	rejects *os.File
	next    *importer.Row // read, but too large for the batch before
}

func (f *feeder) resume() error {
	if f.o.StateFile != "" {
		raw, err := os.ReadFile(f.o.StateFile)
		switch {
		case errors.Is(err, os.ErrNotExist):
		case err != nil:
			return err
		default:
			var was Progress
			if err := json.Unmarshal(raw, &was); err != nil || was.Input.Name != f.o.Input.Name || was.Input.Size > f.o.Input.Size {
				return fmt.Errorf("%s belongs to another input (%q); remove it to start anew", f.o.StateFile, was.Input.Name)
			}
			was.Input, was.Resumed = f.o.Input, was.Rows
			f.done = was
		}
	}
	if f.o.RejectFile == "" {
		return nil
	}
	file, err := os.OpenFile(f.o.RejectFile, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	f.rejects = file
	if err := file.Truncate(f.done.RejectBytes); err != nil {
		return err
	}
	_, err = file.Seek(0, io.SeekEnd)
	return err
}

// fill reads rows until a batch is full or the input ends.
func (f *feeder) fill(in importer.Reader) (batch []importer.Row, end bool, err error) {
	size := 0
	for len(batch) < batchEvents {
		var row importer.Row
		if f.next != nil {
			row, f.next = *f.next, nil
		} else if row, err = in.Next(); err != nil {
			if errors.Is(err, io.EOF) {
				return batch, true, nil
			}
			return nil, false, err
		}
		if size += len(row.Event); size > batchBytes && len(batch) > 0 {
			f.next = &row
			return batch, false, nil
		}
		batch = append(batch, row)
	}
	return batch, false, nil
}

// answer is the part of the intake's answer that matters here.
type answer struct {
	Rejected []struct {
		Index  int    `json:"index"`
		Reason string `json:"reason"`
	} `json:"rejected"`
}

func (f *feeder) send(ctx context.Context, batch []importer.Row) error {
	var good []importer.Row
	reasons := make(map[int]string) // by index in batch
	var at []int                    // index in good -> index in batch
	for i, row := range batch {
		if row.Err != nil {
			reasons[i] = row.Err.Error()
			continue
		}
		good, at = append(good, row), append(at, i)
	}
	if len(good) > 0 {
		ans, err := f.post(ctx, good)
		if err != nil {
			return err
		}
		for _, r := range ans.Rejected {
			if r.Index >= 0 && r.Index < len(at) {
				reasons[at[r.Index]] = r.Reason
			}
		}
	}
	next := f.done
	for i, row := range batch {
		next.Rows++
		next.Bytes = row.End
		reason, refused := reasons[i]
		if !refused {
			next.Accepted++
			continue
		}
		next.Rejected++
		n, err := f.reject(row, reason)
		if err != nil {
			return err
		}
		next.RejectBytes += int64(n)
	}
	if err := f.save(next); err != nil {
		return err
	}
	f.done = next
	if f.o.Progress != nil {
		f.o.Progress(f.done)
	}
	return nil
}

func (f *feeder) reject(row importer.Row, reason string) (int, error) {
	if f.o.OnReject != nil {
		f.o.OnReject(row, reason)
	}
	if f.rejects == nil {
		return 0, nil
	}
	line, err := json.Marshal(struct {
		Line   int    `json:"line"`
		Reason string `json:"reason"`
		Row    string `json:"row"`
	}{row.Line, reason, strings.ToValidUTF8(row.Raw, "\ufffd")})
	if err != nil {
		return 0, err
	}
	return f.rejects.Write(append(line, '\n'))
}

func (f *feeder) save(p Progress) error {
	if f.o.StateFile == "" {
		return nil
	}
	raw, err := json.Marshal(p)
	if err != nil {
		return err
	}
	tmp := f.o.StateFile + ".tmp"
	if err := os.WriteFile(tmp, raw, 0o600); err != nil {
		return err
	}
	return os.Rename(tmp, f.o.StateFile)
}

// post sends one batch until the intake takes it, gives a final refusal, or patience ends.
func (f *feeder) post(ctx context.Context, rows []importer.Row) (answer, error) {
	body, err := f.body(rows)
	if err != nil {
		return answer{}, err
	}
	delay := 250 * time.Millisecond
	for try := 1; ; try++ {
		ans, retryAfter, err := f.try(ctx, body)
		if err == nil || retryAfter < 0 || try == maxTries || ctx.Err() != nil {
			return ans, err
		}
		if retryAfter > 0 {
			delay = retryAfter
		}
		if f.o.OnWait != nil {
			f.o.OnWait(err, delay)
		}
		if f.o.Wait != nil {
			f.o.Wait(delay)
		} else {
			if err := lifecycle.Sleep(ctx, delay); err != nil {
				return answer{}, err
			}
		}
		delay = min(delay*2, 15*time.Second)
	}
}

func (f *feeder) body(rows []importer.Row) ([]byte, error) {
	events := make([]json.RawMessage, len(rows))
	for i, r := range rows {
		events[i] = r.Event
	}
	var buf bytes.Buffer
	zip := gzip.NewWriter(&buf)
	err := json.NewEncoder(zip).Encode(map[string]any{"batch": events, "sentAt": f.o.Now().UTC().Format(time.RFC3339Nano)})
	err = errors.Join(err, zip.Close()) // before Bytes: closing writes the rest
	return buf.Bytes(), err
}

// final marks an error that trying again cannot mend.
const final = -1

func (f *feeder) try(ctx context.Context, body []byte) (ans answer, retryAfter time.Duration, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(f.o.Server, "/")+"/v1/batch", bytes.NewReader(body))
	if err != nil {
		return ans, final, err
	}
	req.SetBasicAuth(f.o.WriteKey, "")
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Content-Encoding", "gzip")
	resp, err := f.o.Client.Do(req)
	if err != nil {
		return ans, 0, fmt.Errorf("reach the intake at %s: %w", f.o.Server, err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return ans, 0, fmt.Errorf("read the intake's answer: %w", err)
	}
	switch {
	case resp.StatusCode == http.StatusOK:
		if err := json.Unmarshal(raw, &ans); err != nil {
			return ans, final, fmt.Errorf("%s answers 200 but not as an intake does; is the address right? %w", f.o.Server, err)
		}
		return ans, 0, nil
	case resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode >= 500:
		seconds, _ := strconv.Atoi(resp.Header.Get("Retry-After"))
		return ans, time.Duration(seconds) * time.Second, fmt.Errorf("the intake is busy (%s)", resp.Status)
	case resp.StatusCode == http.StatusUnauthorized:
		return ans, final, ErrUnknownKey
	}
	return ans, final, fmt.Errorf("the intake refuses the batch: %s %s", resp.Status, bytes.TrimSpace(raw))
}
