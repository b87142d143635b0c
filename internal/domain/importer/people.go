package importer

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/consent"
	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/job"
	"github.com/kizuna-cx/kizuna/internal/domain/person"
	"github.com/kizuna-cx/kizuna/internal/domain/staff"
	"github.com/kizuna-cx/kizuna/internal/kit/sheet"
)

// PeopleImport is the kind of job that brings people and what they did in from a file.
const PeopleImport = "people_import"

// Rows are taken a chunk at a time: large enough that the log's syncs do not count, small enough that cancelling is soon.
const chunkRows = 2000

// Intake puts events on the log.
type Intake interface {
	// Publish returns once the events are on disk.
	Publish(ctx context.Context, events ...event.Event) error
	// Room returns once what is on the log is nearly worked off, so that live events do not wait behind a file.
	Room(ctx context.Context) error
	// Settle returns once everything that is on the log has arrived everywhere, and tells meanwhile which share of it has.
	Settle(ctx context.Context, progress func(share float64) error) error
}

// Origins knows what came from where.
type Origins interface {
	// Brought counts the people of whom something came from a source, and those of them of whom nothing came from elsewhere.
	Brought(ctx context.Context, ws, source string) (people, own int64, err error)
	// Own returns the latter.
	Own(ctx context.Context, ws, source string) ([]string, error)
	// Remove lets go of people everywhere, with all their events.
	Remove(ctx context.Context, ws string, people []string, progress func(done int) error) error
}

// Identities is what a workspace knows of identifiers; *person.Service is one.
type Identities interface {
	Former(ctx context.Context, ws string) (func(event.Identifier) (event.Identifier, bool), error)
	Kinds(ctx context.Context, ws string) ([]person.Kind, error)
	Owners(ctx context.Context, ws string, ids []event.Identifier) (map[event.Identifier]person.Owner, error)
	// CountSuggestions counts the pairs of whom something from a source says that they are one, and who are two all the same.
	CountSuggestions(ctx context.Context, ws, source string) (int64, error)
}

// PeopleParams says which file, and what it tells.
type PeopleParams struct {
	Upload string `json:"upload"`
	Layout Layout `json:"layout"`
	Plan   Plan   `json:"plan"`
	Locale string `json:"locale"` // of the reasons in the file of rejected rows
}

// People takes files of people and events.
type People struct {
	Jobs    *job.Service
	Consent *consent.Service
	Known   Identities
	Intake  Intake
	Origins Origins
}

// Kind is the job.
func (p People) Kind() job.Kind {
	return job.Kind{Name: PeopleImport, Need: staff.ImportWrite, Do: p.do}
}

// Validate reports what is wrong with what is to be imported.
func (p People) Validate(ctx context.Context, ws string, params PeopleParams) error {
	if err := params.Layout.Validate(); err != nil {
		return err
	}
	return p.ValidPlan(ctx, ws, params.Plan)
}

// ValidPlan reports what is wrong with a plan.
func (p People) ValidPlan(ctx context.Context, ws string, plan Plan) error {
	kinds, err := p.Known.Kinds(ctx, ws)
	if err != nil {
		return err
	}
	topics, err := p.Consent.Topics(ctx, ws)
	if err != nil {
		return err
	}
	var names, ids []string
	for _, k := range kinds {
		names = append(names, k.Name)
	}
	for _, t := range topics {
		if !t.Archived {
			ids = append(ids, t.ID)
		}
	}
	return plan.Validate(names, ids)
}

// open begins to read a file with a plan.
func (p People) open(ctx context.Context, ws string, params PeopleParams, now time.Time) (*table, *reading, io.Closer, int64, error) {
	if err := p.Validate(ctx, ws, params); err != nil {
		return nil, nil, nil, 0, err
	}
	form, err := p.Known.Former(ctx, ws)
	if err != nil {
		return nil, nil, nil, 0, err
	}
	in, size, err := p.Jobs.Uploaded(ctx, ws, params.Upload)
	if err != nil {
		return nil, nil, nil, 0, err
	}
	t, err := openTable(in, params.Layout)
	if err != nil {
		return nil, nil, nil, 0, errors.Join(err, in.Close())
	}
	r, err := params.Plan.prepare(t.columns, form, now)
	if err != nil {
		return nil, nil, nil, 0, errors.Join(err, in.Close())
	}
	return t, r, in, size, nil
}

// next reads the next row with a plan; io.EOF after the last.
func (r *reading) next(t *table) (Said, *Fault, []string, error) {
	cells, err := t.next()
	if f, ok := errors.AsType[errFault](err); ok {
		return Said{}, &Fault{Code: string(f)}, cells, nil
	}
	if err != nil {
		return Said{}, nil, nil, err
	}
	s, fault := r.row(cells)
	return s, fault, cells, nil
}

// name is what the message ids of an import begin with: the same file with the same plan says everything once, however often it is imported.
func (p People) name(ctx context.Context, ws string, params PeopleParams) (string, error) {
	in, _, err := p.Jobs.Uploaded(ctx, ws, params.Upload)
	if err != nil {
		return "", err
	}
	defer in.Close()
	h := sha256.New()
	if _, err := io.Copy(h, in); err != nil {
		return "", err
	}
	what, err := json.Marshal([]any{params.Layout, params.Plan})
	if err != nil {
		return "", err
	}
	h.Write(what)
	return "imp-" + hex.EncodeToString(h.Sum(nil)[:12]) + "-", nil
}

// passage is the mark of an import: how far it is.
type passage struct {
	Name     string `json:"name"`
	Rows     int64  `json:"rows"`
	Accepted int64  `json:"accepted"`
	Rejected int64  `json:"rejected"`
	Bytes    int64  `json:"bytes"` // of the file of rejected rows
	Read     bool   `json:"read"`  // all rows are on the log
}

func (p passage) figures() map[string]int64 {
	return map[string]int64{"rows": p.Rows, "accepted": p.Accepted, "rejected": p.Rejected}
}

// settling is how many of a hundred parts of the work are left when all rows are on the log.
const settling = 40

func (p People) do(ctx context.Context, r *job.Run) (job.Outcome, error) {
	var params PeopleParams
	var at passage
	if err := r.Params(&params); err != nil {
		return job.Outcome{}, err
	}
	begun, err := r.Mark(&at)
	if err != nil {
		return job.Outcome{}, err
	}
	ws := r.Job().Workspace
	if !begun {
		if at.Name, err = p.name(ctx, ws, params); err != nil {
			return job.Outcome{}, err
		}
	}
	if !at.Read {
		if err := p.read(ctx, r, params, &at); err != nil {
			return job.Outcome{}, err
		}
	}
	if err := p.Intake.Settle(ctx, func(share float64) error {
		return r.Save(ctx, at, job.Progress{Done: 100 - settling + int64(settling*share), Total: 100, Figures: at.figures()})
	}); err != nil {
		return job.Outcome{}, err
	}
	out := job.Outcome{Figures: at.figures()}
	people, own, err := p.Origins.Brought(ctx, ws, r.Job().ID)
	if err != nil {
		return job.Outcome{}, err
	}
	out.Figures["created"], out.Figures["known"] = own, people-own
	if out.Figures["refused"], err = p.Known.CountSuggestions(ctx, ws, r.Job().ID); err != nil {
		return job.Outcome{}, err
	}
	if at.Rejected > 0 {
		out.Files = []job.File{{Key: rejected, Name: "rejected.csv", Type: "text/csv; charset=utf-8", Size: at.Bytes}}
	}
	return out, p.Jobs.Forget(ctx, ws, params.Upload)
}

// read puts the rows on the log.
func (p People) read(ctx context.Context, r *job.Run, params PeopleParams, at *passage) error {
	ws, source, begun := r.Job().Workspace, r.Job().ID, r.Job().CreatedAt
	t, reading, in, size, err := p.open(ctx, ws, params, begun)
	if err != nil {
		return err
	}
	defer in.Close()
	for range at.Rows { // on the log since before a restart
		if _, err := t.next(); err != nil && !errors.As(err, new(errFault)) {
			return err
		}
	}
	for !at.Read {
		if err := p.Intake.Room(ctx); err != nil {
			return err
		}
		var events []event.Event
		var bad [][]string
		rows := int64(0)
		for rows < chunkRows {
			said, fault, cells, err := reading.next(t)
			if errors.Is(err, io.EOF) {
				at.Read = true
				break
			}
			if err != nil {
				return err
			}
			rows++
			if fault != nil {
				bad = append(bad, rejectedRow(t.at, fault, cells, params.Locale))
				continue
			}
			made, err := said.events(ws, source, at.Name+strconv.Itoa(t.at), params.Plan, begun, begun)
			if err != nil {
				return err
			}
			events = append(events, made...)
		}
		if len(bad) > 0 {
			text := rejectLines(at.Bytes == 0, bad, append(rejectedHead(params.Locale), t.columns...)...)
			if err := r.Append(ctx, rejected, at.Bytes, text); err != nil {
				return err
			}
			at.Bytes += int64(len(text))
		}
		if len(events) > 0 {
			// Twice if the process dies before the mark is kept: the message ids make one of it.
			if err := p.Intake.Publish(ctx, events...); err != nil {
				return err
			}
		}
		at.Rows += rows
		at.Rejected += int64(len(bad))
		at.Accepted = at.Rows - at.Rejected
		share := int64(100 - settling)
		if size > 0 {
			share = share * min(t.input.n, size) / size
		}
		if err := r.Save(ctx, at, job.Progress{Done: share, Total: 100, Figures: maps.Clone(at.figures())}); err != nil {
			return err
		}
	}
	return nil
}

// rejectedRow is a row of the file of rejected rows: why, and what stood there, so that it can be mended and imported again.
func rejectedRow(line int, f *Fault, cells []string, locale string) []string {
	out := []string{strconv.Itoa(line), reason(f, locale)}
	for _, c := range cells {
		out = append(out, sheet.Safe(c))
	}
	return out
}

// Look is what a file is seen to hold.
type Look struct {
	Layout  Layout
	Size    int64
	Columns []Heading
	Plan    Plan // guessed
}

// Heading is a column with what stands in its first rows.
type Heading struct {
	Name    string
	Samples []string
}

const (
	lookRows    = 200 // rows that guesses rest on
	lookSamples = 5   // values that are shown
)

// Look reads the beginning of a file. A layout without a form is found out.
func (p People) Look(ctx context.Context, ws, upload string, l Layout) (Look, error) {
	in, size, err := p.Jobs.Uploaded(ctx, ws, upload)
	if err != nil {
		return Look{}, err
	}
	defer in.Close()
	if l.Form == "" {
		if l, err = Sniff(in); err != nil {
			return Look{}, err
		}
		if _, err := in.Seek(0, io.SeekStart); err != nil {
			return Look{}, err
		}
	}
	t, err := openTable(in, l)
	if err != nil {
		return Look{}, err
	}
	out := Look{Layout: l, Size: size, Columns: make([]Heading, len(t.columns))}
	values := make([][]string, len(t.columns))
	for range lookRows {
		cells, err := t.next()
		if errors.As(err, new(errFault)) {
			continue
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return Look{}, err
		}
		for i, c := range cells {
			if c != "" {
				values[i] = append(values[i], c)
			}
		}
	}
	for i, name := range t.columns {
		shown := make([]string, 0, lookSamples)
		for _, v := range values[i] {
			if len(shown) < lookSamples && !slices.Contains(shown, cutText(v)) {
				shown = append(shown, cutText(v))
			}
		}
		out.Columns[i] = Heading{Name: name, Samples: shown}
	}
	kinds, err := p.Known.Kinds(ctx, ws)
	if err != nil {
		return Look{}, err
	}
	topics, err := p.Consent.Topics(ctx, ws)
	if err != nil {
		return Look{}, err
	}
	out.Plan = guess(t.columns, values, kinds, topics)
	return out, nil
}
