package httpapi

import (
	"archive/zip"
	"bufio"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/kizuna-cx/kizuna/internal/domain/consent"
	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/invoice"
	"github.com/kizuna-cx/kizuna/internal/domain/journey"
	"github.com/kizuna-cx/kizuna/internal/domain/outbox"
	"github.com/kizuna-cx/kizuna/internal/domain/person"
	"github.com/kizuna-cx/kizuna/internal/domain/staff"
	"github.com/kizuna-cx/kizuna/internal/domain/task"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
	"github.com/kizuna-cx/kizuna/internal/kit/sheet"
)

// traitRow is a trait with where it comes from.
type traitRow struct {
	Key       string     `json:"key"`
	Value     any        `json:"value"`
	Time      *time.Time `json:"time"`
	MessageID string     `json:"message_id"`
	Source    string     `json:"source"`
	Deleted   bool       `json:"deleted"`
}

// dossier is one table of what is known about a person.
type dossier struct {
	name string
	// rows hands out each row. It is called twice.
	rows func(ctx context.Context, do func(row any) error) error
}

// each hands out the items of all pages, shaped.
func each[D, S any](shape func(D) S, list func(ctx context.Context, p page.Request) (page.Of[D], error)) func(context.Context, func(any) error) error {
	return func(ctx context.Context, do func(any) error) error {
		for p := (page.Request{Limit: page.MaxLimit}); ; {
			found, err := list(ctx, p)
			if err != nil {
				return err
			}
			for _, d := range found.Items {
				if err := do(shape(d)); err != nil {
					return err
				}
			}
			if p.Cursor = found.Next; p.Cursor == "" {
				return nil
			}
		}
	}
}

// once hands out rows that are there already.
func once[S any](rows []S) func(context.Context, func(any) error) error {
	return func(_ context.Context, do func(any) error) error {
		for _, r := range rows {
			if err := do(r); err != nil {
				return err
			}
		}
		return nil
	}
}

// dossiers is everything that is held about a person.
func (a *api) dossiers(by staff.Principal, p person.Person) []dossier {
	ws := p.Workspace
	// The data is the person's own: what is kept encrypted is given out plain.
	open := a.opened(ws)
	p.Traits = maps.Clone(p.Traits)
	for k, t := range p.Traits {
		t.Value = event.Unseal(t.Value, k, open)
		p.Traits[k] = t
	}
	var traits []traitRow
	for _, k := range slices.Sorted(maps.Keys(p.Traits)) {
		t := p.Traits[k]
		traits = append(traits, traitRow{Key: k, Value: t.Value, Time: moment(t.Time), MessageID: t.MessageID, Source: t.Source, Deleted: t.Deleted})
	}
	shape := personShape(p)
	out := []dossier{
		{"person", once([]Person{shape})},
		{"traits", once(traits)},
		{"identifiers", once(shape.Identifiers)},
		{"events", each(func(k event.Kept) PersonEvent {
			k.Properties, k.Context = event.UnsealJSON(k.Properties, "", open), event.UnsealJSON(k.Context, "", open)
			return eventShape(k)
		}, func(ctx context.Context, q page.Request) (page.Of[event.Kept], error) {
			return a.c.Events.Timeline(ctx, ws, p.Num, nil, q)
		})},
		{"messages", each(func(m Message) Message { return m }, func(ctx context.Context, q page.Request) (page.Of[Message], error) {
			found, err := a.c.Outbox.PersonMessages(ctx, ws, p.ID, outbox.PersonFilter{}, q)
			if err != nil {
				return page.Of[Message]{}, err
			}
			shaped, err := a.messages(ctx, found)
			if err != nil {
				return page.Of[Message]{}, err
			}
			return page.Of[Message]{Items: shaped.Body.Items, Next: found.Next}, nil
		})},
		{"consents", each(subscriptionShape, func(ctx context.Context, q page.Request) (page.Of[consent.Record], error) {
			return a.c.Consent.History(ctx, ws, p.ID, q)
		})},
		{"segments", func(ctx context.Context, do func(any) error) error {
			sets, err := a.c.Segments.SetsOf(ctx, ws, p.Num)
			for _, s := range sets {
				if err := do(setShape(s)); err != nil {
					return err
				}
			}
			return err
		}},
		{"journeys", each(roundShape, func(ctx context.Context, q page.Request) (page.Of[journey.Instance], error) {
			return a.c.Journeys.OfPerson(ctx, ws, p.ID, q)
		})},
		{"invoices", each(invoiceShape, func(ctx context.Context, q page.Request) (page.Of[invoice.Invoice], error) {
			return a.c.Invoices.List(ctx, ws, invoice.Filter{Person: p.ID}, q)
		})},
		{"tasks", each(taskShape, func(ctx context.Context, q page.Request) (page.Of[task.Task], error) {
			return a.c.Tasks.List(ctx, ws, task.Filter{Person: p.ID}, q)
		})},
		{"identity", each(func(d person.Decision) Decision { return ownDecision(d, shape.Identifiers) }, func(ctx context.Context, q page.Request) (page.Of[person.Decision], error) {
			return a.c.People.IdentityLog(ctx, ws, p.ID, q)
		})},
	}
	if by.Can(staff.AuditRead) {
		out = append(out, dossier{"access", each(auditShape, func(ctx context.Context, q page.Request) (page.Of[staff.AuditEntry], error) {
			return a.c.Staff.AuditLog(ctx, by, staff.AuditFilter{Noun: "person", NounID: p.ID}, q)
		})})
	}
	return out
}

// ownDecision is an entry of the identity log as the person may see it: without what it says of somebody else.
func ownDecision(d person.Decision, own []PersonIdentifier) Decision {
	d.Identifiers = slices.DeleteFunc(slices.Clone(d.Identifiers), func(id event.Identifier) bool {
		return !slices.ContainsFunc(own, func(o PersonIdentifier) bool { return o.Kind == id.Kind && o.Value == id.Value })
	})
	d.Other = person.Ref{}
	return decisionShape(d)
}

func (a *api) personExportRoutes() {
	route(a, http.MethodGet, "/people/{id}/export", "person-export", "Everything that is held about a person: a ZIP archive with each table as JSON and as CSV", staff.PrivacyWrite, func(ctx context.Context, in *IDPath) (*huma.StreamResponse, error) {
		p, err := a.c.People.Get(ctx, workspaceOf(ctx), in.ID)
		if err != nil {
			return nil, err
		}
		if err := a.audit(ctx, "export", "person", p.ID); err != nil {
			return nil, err
		}
		tables := a.dossiers(caller(ctx), p)
		now := a.c.Clock.Now()
		return &huma.StreamResponse{Body: func(hc huma.Context) {
			hc.SetHeader("Content-Type", "application/zip")
			hc.SetHeader("Content-Disposition", `attachment; filename="`+p.ID+`.zip"`)
			if err := writeDossiers(hc.Context(), hc.BodyWriter(), tables, now); err != nil && hc.Context().Err() == nil {
				a.c.Log.Error("an export broke off", "person", p.ID, "err", err)
				panic(http.ErrAbortHandler) // the client sees a failed download rather than half a file
			}
		}}, nil
	}, func(op *huma.Operation) {
		op.Responses = map[string]*huma.Response{"200": {
			Description: "OK", Content: map[string]*huma.MediaType{"application/zip": {Schema: &huma.Schema{Type: "string", Format: "binary"}}},
		}}
	})
}

// writeDossiers writes the archive as it goes, a row at a time.
func writeDossiers(ctx context.Context, to io.Writer, tables []dossier, now time.Time) error {
	out := zip.NewWriter(to)
	create := func(name string) (io.Writer, error) {
		return out.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate, Modified: now})
	}
	for _, d := range tables {
		w, err := create(d.name + ".json")
		if err != nil {
			return err
		}
		columns, err := writeJSON(ctx, w, d)
		if err != nil {
			return fmt.Errorf("%s: %w", d.name, err)
		}
		if w, err = create(d.name + ".csv"); err != nil {
			return err
		}
		if err := writeCSV(ctx, w, d, columns); err != nil {
			return fmt.Errorf("%s: %w", d.name, err)
		}
	}
	return out.Close()
}

// writeJSON writes a table as a list of objects and returns the members that they have.
func writeJSON(ctx context.Context, to io.Writer, d dossier) ([]string, error) {
	w := bufio.NewWriter(to)
	seen := map[string]bool{}
	sep := "[\n"
	err := d.rows(ctx, func(row any) error {
		raw, members, err := asObject(row)
		if err != nil {
			return err
		}
		for k := range members {
			seen[k] = true
		}
		_, _ = w.WriteString(sep)
		sep = ",\n"
		_, err = w.Write(raw)
		return err
	})
	if err != nil {
		return nil, err
	}
	if sep == "[\n" {
		_, _ = w.WriteString("[")
	}
	_, _ = w.WriteString("\n]\n")
	return slices.Sorted(maps.Keys(seen)), w.Flush()
}

func asObject(row any) ([]byte, map[string]json.RawMessage, error) {
	raw, err := json.Marshal(row)
	if err != nil {
		return nil, nil, err
	}
	members := map[string]json.RawMessage{}
	return raw, members, json.Unmarshal(raw, &members)
}

// writeCSV writes a table with a line a row; what is a list or an object stands there as JSON.
func writeCSV(ctx context.Context, to io.Writer, d dossier, columns []string) error {
	w := csv.NewWriter(to)
	w.UseCRLF = true // RFC 4180
	if err := w.Write(columns); err != nil {
		return err
	}
	err := d.rows(ctx, func(row any) error {
		_, members, err := asObject(row)
		if err != nil {
			return err
		}
		line := make([]string, len(columns))
		for i, c := range columns {
			raw := members[c]
			switch {
			case len(raw) == 0 || string(raw) == "null":
			case raw[0] == '"':
				var s string
				if err := json.Unmarshal(raw, &s); err != nil {
					return err
				}
				line[i] = sheet.Safe(s)
			default:
				line[i] = string(raw)
			}
		}
		return w.Write(line)
	})
	w.Flush()
	if err != nil {
		return err
	}
	return w.Error()
}
