package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/pprof"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/kizuna-cx/kizuna/internal/collect"
	"github.com/kizuna-cx/kizuna/internal/domain/standing"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/storage/sqlstore"
	"github.com/kizuna-cx/kizuna/internal/telemetry"
)

// readyLag is how far the pipeline may be behind before the process says that it is not ready: what screens and rules show is then
// older than anybody expects.
const readyLag = time.Minute

// health answers whether the process works: its record store answers and the pipeline follows the log. A supervisor that gets another answer for long should
// restart the process. What another machine keeps from it is told by readiness alone: a restart would not mend that, and the process could not even start.
func (a *application) health(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Kizuna", Version)
	w.Header().Set("Cache-Control", "no-store")
	records, pipeline := a.db.Ping(r.Context()), a.worker.Trouble()
	if !strings.HasPrefix(a.c.Database, "sqlite:") && records != nil || errs.Is(pipeline, errs.KindUnavailable) {
		records, pipeline = nil, nil
	}
	if err := errors.Join(records, pipeline); err != nil {
		a.log.Error("not healthy", "err", err)
		http.Error(w, "not healthy; see the log", http.StatusServiceUnavailable)
		return
	}
	fmt.Fprintln(w, "ok")
}

// readiness answers whether requests should come here: everything has started, nothing is stopping, the pipeline is close to the
// end of the log and there is room on the disk. It says which of these does not hold, and nothing else.
func (a *application) readiness(w http.ResponseWriter, r *http.Request) {
	checks := map[string]bool{
		"started":      a.serving.Load(),
		"record_store": a.db.Ping(r.Context()) == nil,
		"pipeline":     a.worker.Trouble() == nil && a.worker.Behind(a.clock.Now()) < readyLag,
		"disk":         freeSpace(a.c.Data) >= leastFree,
	}
	status := http.StatusOK
	for _, fine := range checks {
		if !fine {
			status = http.StatusServiceUnavailable
		}
	}
	w.Header().Set("Kizuna", Version)
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"ready": status == http.StatusOK, "checks": checks})
}

// freeSpace is what is left for the data folder, in bytes; 0 if that cannot be told.
func freeSpace(dir string) uint64 {
	var s syscall.Statfs_t
	if syscall.Statfs(dir, &s) != nil {
		return 0
	}
	return s.Bavail * uint64(s.Bsize)
}

// admin serves what only operators may see, on an address of its own: metrics and profiles.
func (a *application) admin() *http.Server {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", a.metrics.Handler())
	mux.HandleFunc("GET /healthz", a.health)
	mux.HandleFunc("GET /readyz", a.readiness)
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	return &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
}

// serveAdmin starts the admin server if an address is set; stop ends it.
func (a *application) serveAdmin() (stop func(), err error) {
	if a.c.AdminListen == "" {
		return func() {}, nil
	}
	ln, err := net.Listen("tcp", a.c.AdminListen)
	if err != nil {
		return nil, fmt.Errorf("admin address: %w", err)
	}
	server := a.admin()
	go func() {
		if err := ignoreClosed(server.Serve(ln)); err != nil {
			a.log.Error("the admin server ended", "err", err)
		}
	}()
	return func() { _ = server.Close() }, nil
}

// probes are the levels that the metrics show.
func (a *application) probes(intake *collect.Handler, judges *standing.Service) []telemetry.Probe {
	backlog := sqlstore.NewBacklog(a.db)
	return []telemetry.Probe{
		a.traces.Probe(),
		{
			Name: "intake", Metrics: []telemetry.Metric{
				{Name: "kizuna_intake_events_total", Help: "Events that clients sent, by what became of them.", Label: "result", Total: true},
				{Name: "kizuna_intake_requests_refused_total", Help: "Requests answered 429 or 503.", Total: true},
				{Name: "kizuna_intake_rejections_unrecorded_total", Help: "Rejections that were answered and, for lack of room, not recorded.", Total: true},
			},
			Read: func(context.Context) (map[string]map[string]float64, error) {
				f := intake.Figures()
				return map[string]map[string]float64{
					"kizuna_intake_events_total":                {"accepted": float64(f.Accepted), "rejected": float64(f.Rejected)},
					"kizuna_intake_requests_refused_total":      telemetry.One(float64(f.Refused)),
					"kizuna_intake_rejections_unrecorded_total": telemetry.One(float64(f.Unrecorded)),
				}, nil
			},
		},
		{
			Name: "quotas", Metrics: []telemetry.Metric{
				{Name: "kizuna_quota_refused_total", Help: "Calls answered 429 because of a workspace's limit, by limit.", Label: "limit", Total: true},
				{Name: "kizuna_quota_nearest_share", Help: "How much of a daily limit is used up, from 0 to 1, in the workspace that is nearest to its own.", Label: "limit"},
			},
			Read: func(context.Context) (map[string]map[string]float64, error) {
				f := a.quotas.Figures()
				refused, nearest := map[string]float64{}, map[string]float64{}
				for k, n := range f.Refused {
					refused[string(k)] = float64(n)
				}
				for k, share := range f.Nearest {
					nearest[string(k)] = share
				}
				return map[string]map[string]float64{"kizuna_quota_refused_total": refused, "kizuna_quota_nearest_share": nearest}, nil
			},
		},
		{
			Name: "standing", Metrics: []telemetry.Metric{
				{Name: "kizuna_standing_mended_total", Help: "People whom the round of judging everybody found to stand otherwise than what they did says.", Total: true},
			},
			Read: func(context.Context) (map[string]map[string]float64, error) {
				return map[string]map[string]float64{"kizuna_standing_mended_total": telemetry.One(float64(judges.Mended()))}, nil
			},
		},
		{
			Name: "log", Metrics: []telemetry.Metric{
				{Name: "kizuna_log_bytes", Help: "Size of the log."},
				{Name: "kizuna_log_limit_bytes", Help: "Size at which the log refuses events; 0 for no limit."},
				{Name: "kizuna_log_last_record", Help: "Newest record of the log."},
				{Name: "kizuna_pipeline_record", Help: "Last record of the log that has gone through all stages."},
				{Name: "kizuna_pipeline_behind_seconds", Help: "How old the oldest record is that has not gone through; 0 if none waits."},
				{Name: "kizuna_pipeline_stuck", Help: "1 while a batch fails and is tried again."},
			},
			Read: func(ctx context.Context) (map[string]map[string]float64, error) {
				used, limit, err := a.stream.Size(ctx)
				if err != nil {
					return nil, err
				}
				_, last, err := a.stream.Bounds(ctx)
				if err != nil {
					return nil, err
				}
				at, err := a.worker.Position(ctx)
				stuck := 0.0
				if a.worker.Trouble() != nil {
					stuck = 1
				}
				return map[string]map[string]float64{
					"kizuna_log_bytes":               telemetry.One(float64(used)),
					"kizuna_log_limit_bytes":         telemetry.One(float64(limit)),
					"kizuna_log_last_record":         telemetry.One(float64(last)),
					"kizuna_pipeline_record":         telemetry.One(float64(at)),
					"kizuna_pipeline_behind_seconds": telemetry.One(a.worker.Behind(a.clock.Now()).Seconds()),
					"kizuna_pipeline_stuck":          telemetry.One(stuck),
				}, err
			},
		},
		{
			Name: "queues", Metrics: []telemetry.Metric{
				{Name: "kizuna_queue_due", Help: "What is due by now and waits for its turn, by queue.", Label: "queue"},
				{Name: "kizuna_queue_late_seconds", Help: "How long the oldest of it has been due, by queue.", Label: "queue"},
			},
			Read: func(ctx context.Context) (map[string]map[string]float64, error) {
				now := a.clock.Now()
				queues, err := backlog.Queues(ctx, now)
				due, late := map[string]float64{}, map[string]float64{}
				for _, q := range queues {
					due[q.Name], late[q.Name] = float64(q.Due), 0
					if !q.Oldest.IsZero() {
						late[q.Name] = now.Sub(q.Oldest).Seconds()
					}
				}
				return map[string]map[string]float64{"kizuna_queue_due": due, "kizuna_queue_late_seconds": late}, err
			},
		},
		{
			Name: "backup", Metrics: []telemetry.Metric{
				{Name: "kizuna_backup_timestamp_seconds", Help: "The moment that the last backup of this installation holds, in seconds since 1970; 0 if there is none."},
			},
			Read: func(ctx context.Context) (map[string]map[string]float64, error) {
				last, err := sqlstore.NewBackups(a.db).Last(ctx)
				at := 0.0
				if !last.Made.IsZero() {
					at = float64(last.Made.Unix())
				}
				return map[string]map[string]float64{"kizuna_backup_timestamp_seconds": telemetry.One(at)}, err
			},
		},
		{
			Name: "disk", Metrics: []telemetry.Metric{
				{Name: "kizuna_disk_free_bytes", Help: "Room left for the data folder."},
			},
			Read: func(context.Context) (map[string]map[string]float64, error) {
				return map[string]map[string]float64{"kizuna_disk_free_bytes": telemetry.One(float64(freeSpace(a.c.Data)))}, nil
			},
		},
		{
			Name: "stores", Metrics: []telemetry.Metric{ // by itself: a ClickHouse server may be away, and the disk fill up meanwhile
				{Name: "kizuna_store_bytes", Help: "Size of each store: its files in the data folder, or what a ClickHouse server keeps of the events.", Label: "store"},
			},
			Read: func(ctx context.Context) (map[string]map[string]float64, error) {
				events := sizes(a.c.Data, "events.duckdb*")
				if a.c.EventsURL != "" {
					rows, err := a.events.Query(ctx, `SELECT toFloat64(sum(bytes_on_disk)) FROM system.parts WHERE database = currentDatabase()`, nil)
					if err != nil {
						return nil, err
					}
					events = rows[0][0].(float64)
				}
				return map[string]map[string]float64{"kizuna_store_bytes": {"records": sizes(a.c.Data, "records.db*"), "events": events}}, nil
			},
		},
	}
}

// sizes adds up the files of a folder that match.
func sizes(dir, pattern string) (sum float64) {
	files, _ := filepath.Glob(filepath.Join(dir, pattern))
	for _, f := range files {
		var s syscall.Stat_t
		if syscall.Stat(f, &s) == nil {
			sum += float64(s.Size)
		}
	}
	return sum
}
