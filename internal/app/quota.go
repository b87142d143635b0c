package app

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/kizuna-cx/kizuna/internal/domain/quota"
	"github.com/kizuna-cx/kizuna/internal/domain/staff"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

func quotaCommand() command {
	return command{
		name: "quota", summary: "show and set what workspaces may use",
		long: `
Shows the limits of every workspace and what it has used today, and sets those of one. What is sent beyond a limit is answered 429 with Retry-After and the name of the limit; messages
wait for the next day. A limit is a number, "none", or "default" for that of the installation (KIZUNA_QUOTA_..., see kizuna help environment). The server must run; every process of
an installation follows within seconds.`,
		flags: func(fs *flag.FlagSet) func(context.Context, IO) error {
			c, envErr := defaults()
			configFlags(fs, &c)
			workspace := fs.String("workspace", "", "`id` of the workspace to show or change (default: show all)")
			set := map[quota.Kind]*string{}
			for _, k := range quota.Kinds {
				set[k] = fs.String(strings.ReplaceAll(string(k), "_", "-"), "", "`limit`: a number, none or default")
			}
			return func(ctx context.Context, io IO) error {
				if err := errors.Join(envErr, c.Validate()); err != nil {
					return usageError{err.Error()}
				}
				ask := url.Values{}
				for k, v := range set {
					if *v != "" {
						ask.Set(string(k), *v)
					}
				}
				if _, err := quotaChange(ask); err != nil {
					return usageError{err.Error()}
				}
				if len(ask) > 0 && *workspace == "" {
					return usageError{"--workspace: say whose limits are to change; those of all are in the environment (KIZUNA_QUOTA_...)"}
				}
				ask.Set("workspace", *workspace)
				ask.Set("operator", operatorName())
				server := dialControl(c.Data)
				if server == nil {
					return fmt.Errorf("no server runs on %s: start it first", c.Data)
				}
				defer server.close()
				var all []workspaceQuota
				if err := server.read(ctx, "/quota?"+ask.Encode(), &all); err != nil {
					return err
				}
				out := tabwriter.NewWriter(io.Out, 0, 0, 2, ' ', 0)
				for _, w := range all {
					fmt.Fprintf(out, "%s\t%s\n", w.ID, w.Name)
					for _, k := range quota.Kinds {
						fmt.Fprintf(out, "  %s\t%s\n", k, w.line(k))
					}
				}
				return out.Flush()
			}
		},
	}
}

// workspaceQuota is a workspace as the control socket tells it.
type workspaceQuota struct {
	ID     string       `json:"id"`
	Name   string       `json:"name"`
	Limits quota.Limits `json:"limits"`
	Own    quota.Limits `json:"own"`
	Today  quota.Use    `json:"today"`
}

// line tells a limit, where it comes from, and how much of it is used.
func (w workspaceQuota) line(k quota.Kind) string {
	text := "no limit"
	if n := w.Limits[k]; n > 0 {
		text = strconv.FormatInt(n, 10)
	}
	if _, own := w.Own[k]; own {
		text += " (its own)"
	}
	if used, daily := w.Today.Of(k); daily {
		text += fmt.Sprintf(", used %d", used)
	}
	return text
}

// quotaChange reads limits as the command line has them.
func quotaChange(ask url.Values) (map[quota.Kind]*int64, error) {
	change := map[quota.Kind]*int64{}
	for _, k := range quota.Kinds {
		v := ask.Get(string(k))
		switch v {
		case "":
			continue
		case "default":
			change[k] = nil
			continue
		case "none":
			v = "0"
		}
		n, err := strconv.ParseInt(v, 10, 64)
		if err == nil {
			err = quota.Limits{k: n}.Validate()
		}
		if err != nil {
			return nil, fmt.Errorf("--%s %q: write a number up to %d, none or default", strings.ReplaceAll(string(k), "_", "-"), v, int64(quota.Most))
		}
		change[k] = &n
	}
	return change, nil
}

// controlQuota changes the limits of a workspace and tells those of all, or of one.
func (a *application) controlQuota(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	out, err := a.tellQuotas(r.Context(), q.Get("workspace"), q, q.Get("operator"))
	if err != nil {
		status := http.StatusInternalServerError
		if errs.KindOf(err) != errs.KindInternal {
			status = http.StatusBadRequest
		}
		http.Error(w, err.Error(), status)
		return
	}
	_ = json.NewEncoder(w).Encode(out)
}

func (a *application) tellQuotas(ctx context.Context, only string, ask url.Values, operator string) ([]workspaceQuota, error) {
	spaces, err := a.workspaces.All(ctx)
	if err != nil {
		return nil, err
	}
	change, err := quotaChange(ask)
	if err != nil {
		return nil, errs.Invalid("quota.invalid", "", "%v", err)
	}
	var out []workspaceQuota
	for _, ws := range spaces {
		if only != "" && ws.ID != only {
			continue
		}
		if len(change) > 0 {
			if err := a.setQuota(ctx, staff.Operator(ws.ID, operator), change); err != nil {
				return nil, err
			}
		}
		out = append(out, workspaceQuota{ws.ID, ws.Name, a.quotas.Limits(ws.ID), a.quotas.Own(ws.ID), a.quotas.Today(ws.ID).Use})
	}
	if len(out) == 0 {
		return nil, errs.Invalid("quota.workspace_unknown", "workspace", "there is no workspace %q; kizuna quota without one lists them", only)
	}
	return out, nil
}

// setQuota changes limits and says so in the workspace's audit log.
func (a *application) setQuota(ctx context.Context, by staff.Principal, change map[quota.Kind]*int64) error {
	err := a.db.InTx(ctx, func(ctx context.Context) error {
		l, err := a.quotas.Set(ctx, by.Workspace, change)
		if err != nil {
			return err
		}
		detail := map[string]string{}
		for k := range maps.Keys(change) {
			detail[string(k)] = strconv.FormatInt(l[k], 10)
		}
		return a.staff.Audit(ctx, by, staff.Act{Action: "quota.set", Noun: "quota", NounID: by.Workspace, Detail: detail})
	})
	if err != nil {
		return err
	}
	return a.quotas.Exchange(ctx)
}
