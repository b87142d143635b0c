package httpapi

import (
	"context"
	"encoding/csv"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/kizuna-cx/kizuna/internal/domain/consent"
	"github.com/kizuna-cx/kizuna/internal/domain/importer"
	"github.com/kizuna-cx/kizuna/internal/domain/job"
	"github.com/kizuna-cx/kizuna/internal/domain/staff"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
	"github.com/kizuna-cx/kizuna/internal/kit/sheet"
)

// SuppressionFile is an uploaded CSV file of addresses.
type SuppressionFile struct {
	Upload  string `json:"upload" doc:"id of the upload"`
	Channel string `json:"channel" minLength:"1" example:"email"`
	Column  string `json:"column,omitempty" maxLength:"200" doc:"heading of the addresses; email, address or phone, else the first column, if left out"`
	Reason  string `json:"reason,omitempty" enum:"import,manual,complaint,hard_bounce,unsubscribed_all,list_unsubscribe,erased" doc:"import if left out"`
	Detail  string `json:"detail,omitempty" maxLength:"500"`
}

func (f SuppressionFile) params() importer.AddressParams {
	p := importer.AddressParams{Upload: f.Upload, Channel: f.Channel, Column: f.Column, Reason: consent.Reason(f.Reason), Detail: f.Detail}
	if p.Reason == "" {
		p.Reason = consent.Imported
	}
	return p
}

// SuppressionFileResult is what would become of the file. A file can be sent again: what is on the list already stays as it is.
type SuppressionFileResult struct {
	Rows     int                  `json:"rows"`
	Added    int                  `json:"added"`
	Known    int                  `json:"known" doc:"on the list already"`
	Rejected int                  `json:"rejected"`
	Faults   []SuppressionFileRow `json:"faults" doc:"the first thousand rejected rows, for a file to mend"`
}

// SuppressionFileRow is a row that cannot be taken.
type SuppressionFileRow struct {
	Line  int    `json:"line"`
	Value string `json:"value"`
	Code  string `json:"code" enum:"empty,invalid,repeated,unreadable"`
}

func (a *api) suppressionFileRoutes() {
	c := a.c.Consent
	route(a, http.MethodPost, "/suppressions/import/check", "suppression-file-check", "What an uploaded file of addresses would do", staff.ConsentWrite, func(ctx context.Context, in *in[SuppressionFile]) (*body[SuppressionFileResult], error) {
		if err := a.c.Outbox.CheckChannel("channel", in.Body.Channel); err != nil {
			return nil, err
		}
		r, err := a.c.Addresses.Check(ctx, workspaceOf(ctx), in.Body.params())
		if err != nil {
			return nil, err
		}
		out := SuppressionFileResult{Rows: r.Rows, Added: r.Added, Known: r.Known, Rejected: r.Rejected, Faults: make([]SuppressionFileRow, len(r.Faults))}
		for i, f := range r.Faults {
			out.Faults[i] = SuppressionFileRow(f)
		}
		return answer(out), nil
	})
	type named struct {
		SuppressionFile
		Name string `json:"name,omitempty" maxLength:"200" doc:"of the file, for the list of jobs"`
	}
	route(a, http.MethodPost, "/suppressions/import", "suppression-import", "Suppress the addresses of an uploaded file, as a job", staff.ConsentWrite, func(ctx context.Context, in *in[named]) (*body[Job], error) {
		if err := a.c.Outbox.CheckChannel("channel", in.Body.Channel); err != nil {
			return nil, err
		}
		return a.begin(ctx, "import", "suppression", job.Wanted{Kind: importer.Suppressions, Key: "upload:" + in.Body.Upload, Upload: in.Body.Upload, Title: in.Body.Name, Params: in.Body.params()})
	}, accepted)
	type exported struct {
		Channel string `query:"channel"`
		Reason  string `query:"reason" enum:"hard_bounce,complaint,manual,unsubscribed_all,list_unsubscribe,erased,import"`
		BOM     bool   `query:"bom" doc:"begin with a byte order mark, by which Excel recognises UTF-8"`
	}
	route(a, http.MethodGet, "/suppressions/csv", "suppression-csv", "The suppression list as a CSV file; the addresses themselves are not kept", staff.Export, func(ctx context.Context, in *exported) (*huma.StreamResponse, error) {
		ws, p := workspaceOf(ctx), page.Request{Limit: page.MaxLimit}
		filter := consent.SuppressionFilter{Channel: in.Channel, Reason: consent.Reason(in.Reason)}
		found, err := c.Suppressions(ctx, ws, filter, "", p)
		if err != nil {
			return nil, err
		}
		if err := a.audit(ctx, "export", "suppression", ws); err != nil {
			return nil, err
		}
		return csvFile("suppressions", in.BOM, func(w *csv.Writer) error {
			if err := w.Write([]string{"channel", "hint", "reason", "detail", "since", "hash"}); err != nil {
				return err
			}
			for {
				for _, e := range found.Items {
					if err := w.Write([]string{e.Channel, sheet.Safe(e.Hint), string(e.Reason), sheet.Safe(e.Detail), e.At.Format(time.RFC3339), sheet.Safe(e.Hash)}); err != nil {
						return err
					}
				}
				if p.Cursor = found.Next; p.Cursor == "" {
					return nil
				}
				if found, err = c.Suppressions(ctx, ws, filter, "", p); err != nil {
					return err
				}
			}
		}), nil
	}, csvAnswer)
}
