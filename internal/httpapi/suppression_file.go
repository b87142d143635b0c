package httpapi

import (
	"context"
	"encoding/csv"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/kizuna-cx/kizuna/internal/domain/consent"
	"github.com/kizuna-cx/kizuna/internal/domain/outbox"
	"github.com/kizuna-cx/kizuna/internal/domain/staff"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
)

// SuppressionFile is a CSV file of addresses.
type SuppressionFile struct {
	Channel string `json:"channel" minLength:"1" example:"email"`
	CSV     string `json:"csv" minLength:"1" doc:"the file; at most 200,000 rows"`
	Column  string `json:"column,omitempty" maxLength:"200" doc:"heading of the addresses; email, address or phone, else the first column, if left out"`
	Reason  string `json:"reason,omitempty" enum:"import,manual,complaint,hard_bounce,unsubscribed_all,list_unsubscribe,erased" doc:"import if left out"`
	Detail  string `json:"detail,omitempty" maxLength:"500"`
	DryRun  bool   `json:"dry_run,omitempty" doc:"say what would happen and do nothing"`
}

// SuppressionFileResult is what became of the file. Sending it again changes nothing.
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
	route(a, http.MethodPost, "/suppressions/import", "suppression-import", "Suppress the addresses of a CSV file, or see what that would do", staff.ConsentWrite, func(ctx context.Context, in *in[SuppressionFile]) (*body[SuppressionFileResult], error) {
		b := in.Body
		reason := consent.Reason(b.Reason)
		if reason == "" {
			reason = consent.Imported
		}
		if !b.DryRun { // the rows are taken a thousand at a time, so the entry comes first
			if err := a.audit(ctx, "import", "suppression", b.Channel); err != nil {
				return nil, err
			}
		}
		r, err := c.SuppressFile(ctx, workspaceOf(ctx), strings.NewReader(b.CSV), b.Column, consent.Suppress{Channel: b.Channel, Reason: reason, Detail: b.Detail}, b.DryRun, outbox.ValidAddress)
		if err != nil {
			return nil, err
		}
		out := SuppressionFileResult{Rows: r.Rows, Added: r.Added, Known: r.Known, Rejected: r.Rejected, Faults: make([]SuppressionFileRow, len(r.Faults))}
		for i, f := range r.Faults {
			out.Faults[i] = SuppressionFileRow(f)
		}
		return answer(out), nil
	}, bodyLimit(16<<20))
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
					if err := w.Write([]string{e.Channel, harmless(e.Hint), string(e.Reason), harmless(e.Detail), e.At.Format(time.RFC3339), harmless(e.Hash)}); err != nil {
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
