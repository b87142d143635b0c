package app

import (
	"bytes"
	"crypto/x509"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/mailauth"
	"github.com/kizuna-cx/kizuna/internal/domain/standing"
	"github.com/kizuna-cx/kizuna/internal/domain/workspace"
	"github.com/kizuna-cx/kizuna/internal/kit/clock"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb/sqldbtest"
	"github.com/kizuna-cx/kizuna/internal/storage/sqlstore"
	"github.com/kizuna-cx/kizuna/internal/telemetry"
)

// seeing is a doctor of a fixed moment, and what it prints.
func seeing() (*doctor, *bytes.Buffer) {
	var out bytes.Buffer
	return &doctor{io: IO{Out: &out}, now: func() time.Time { return time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC) }}, &out
}

func TestTheDoctorTellsWrongFromWhatWillBe(t *testing.T) {
	for name, c := range map[string]struct {
		do    func(d *doctor)
		state string
		says  string
	}{
		"a certificate for months":        {func(d *doctor) { d.expiry("x", &x509.Certificate{NotAfter: d.now().AddDate(0, 2, 0)}, "renew") }, "ok", "2026-05-01"},
		"a certificate for weeks":         {func(d *doctor) { d.expiry("x", &x509.Certificate{NotAfter: d.now().AddDate(0, 0, 20)}, "renew") }, "warn", "2026-03-21"},
		"a certificate that was":          {func(d *doctor) { d.expiry("x", &x509.Certificate{NotAfter: d.now()}, "renew") }, "fail", "expired"},
		"records of the events' moment":   {func(d *doctor) { d.moment(7, 7) }, "ok", "know what"},
		"records that were set back":      {func(d *doctor) { d.moment(6, 7) }, "fail", "earlier moment"},
		"readers that follow":             {func(d *doctor) { d.reach(reach{First: 1, Last: 2000, Stored: 1999, Done: 1000}) }, "ok", "1000 records behind"},
		"a reader that lags":              {func(d *doctor) { d.reach(reach{First: 1, Last: 2000, Stored: 2000, Done: 999}) }, "warn", "1001 records behind"},
		"a log that was replaced":         {func(d *doctor) { d.reach(reach{First: 1, Last: 5, Stored: 9, Done: 5}) }, "fail", "lost or replaced"},
		"a log that has let go":           {func(d *doctor) { d.reach(reach{First: 12, Last: 20, Stored: 20, Done: 10}) }, "fail", "are gone from the log"},
		"a log that is nearly full":       {func(d *doctor) { d.reach(reach{First: 1, Last: 1, Stored: 1, Done: 1, Used: 91, Limit: 100}) }, "warn", "are used"},
		"a domain that is well":           {func(d *doctor) { d.domain("a.example", mailauth.Report{Status: mailauth.OK}) }, "ok", ""},
		"a domain that nobody knows":      {func(d *doctor) { d.domain("a.example", said(mailauth.Unknown)) }, "warn", "spf.missing"},
		"a domain whose mail is refused":  {func(d *doctor) { d.domain("a.example", said(mailauth.Fail)) }, "fail", "spf.missing"},
		"a folder that all may look into": {func(d *doctor) { d.permissions(t.TempDir(), 0o755) }, "warn", "look into"},
		"a folder of its own":             {func(d *doctor) { d.permissions(t.TempDir(), 0o700) }, "ok", ""},
		"a disk":                          {func(d *doctor) { d.fsync(filepath.Join(t.TempDir(), "none")) }, "fail", "none"},
	} {
		d, out := seeing()
		c.do(d)
		worst := finding{State: "ok"}
		all := ""
		for _, f := range d.findings {
			all += f.Detail + "\n"
			if rank := map[string]int{"ok": 0, "warn": 1, "fail": 2}; rank[f.State] > rank[worst.State] {
				worst = f
			}
			if f.State != "ok" && f.Remedy == "" {
				t.Errorf("%s: %q has no remedy", name, f.Check)
			}
		}
		if worst.State != c.state || !strings.Contains(all, c.says) || d.sick != (c.state == "fail") {
			t.Errorf("%s: %s, sick %v:\n%s", name, worst.State, d.sick, out)
		}
	}
}

func said(s mailauth.Status) mailauth.Report {
	record := mailauth.Record{Type: "TXT", Name: "a.example", Value: "v=spf1 -all"}
	return mailauth.Report{Status: s, Items: []mailauth.Item{{Kind: "spf", Status: s, Code: "spf.missing", Record: &record}}}
}

func TestTheDoctorAsksTheCollector(t *testing.T) {
	for name, c := range map[string]struct {
		status      int // of the collector's answer; 0: there is none
		offline     bool
		state, says string
	}{
		"takes":       {http.StatusOK, false, "ok", "has taken one"},
		"refuses":     {http.StatusUnauthorized, false, "warn", "401"},
		"not asked":   {http.StatusUnauthorized, true, "ok", "not asked"},
		"is not told": {0, false, "ok", "are not exported"},
	} {
		asked := false
		collector := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			asked = true
			w.WriteHeader(c.status)
		}))
		endpoint := collector.URL
		if c.status == 0 {
			endpoint = ""
		}
		t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
		d, out := seeing()
		d.offline = c.offline
		d.traces(t.Context())
		collector.Close()
		if f := d.findings[0]; f.State != c.state || !strings.Contains(f.Detail, c.says) || asked != (c.status != 0 && !c.offline) || (f.State != "ok") != (f.Remedy != "") {
			t.Errorf("%s: asked %v, %s", name, asked, out)
		}
	}
	d, out := seeing()
	d.exported(telemetry.TraceState{Collector: "http://c:4318", Lost: 3, Trouble: "connection refused"})
	if f := d.findings[0]; f.State != "warn" || !strings.Contains(f.Detail, "connection refused") || f.Remedy == "" {
		t.Error(out)
	}
}

func TestTheDoctorTellsOfPeopleWhomARoundFoundAstray(t *testing.T) {
	db := sqldbtest.Open(t, sqldb.SQLite)
	ws, err := workspace.New(sqlstore.NewWorkspace(db), db, clock.System{}).Create(t.Context(), workspace.Workspace{Name: "Shop"})
	if err != nil {
		t.Fatal(err)
	}
	for mended, state := range map[int]string{0: "ok", 3: "warn"} {
		if err := sqlstore.NewStanding(db).PutRound(t.Context(), ws.ID, standing.Round{Mended: mended}, standing.Thresholds{}); err != nil {
			t.Fatal(err)
		}
		d, out := seeing()
		d.standings(t.Context(), db)
		if f := d.findings[0]; f.State != state || state == "warn" && (!strings.Contains(f.Detail, "found 3 people") || f.Remedy == "") {
			t.Errorf("%d: %s", mended, out)
		}
	}
}

func TestTheDoctorTellsOfTheLastBackup(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		for name, c := range map[string]struct {
			age         time.Duration // 0: there is none
			state, says string
		}{
			"none":             {0, "warn", "none of this installation"},
			"of last night":    {6 * time.Hour, "ok", "of 2026-03-01T03:00:00Z, in /backups/a on one"},
			"as old as may be": {oldBackup, "ok", "2026-02-26"},
			"older":            {oldBackup + time.Second, "warn", "3 days ago"},
			"of a clock ahead": {-time.Hour, "ok", "2026-03-01T10:00:00Z"},
		} {
			d, out := seeing()
			s := sqlstore.NewBackups(db)
			err := s.Forget(t.Context())
			if c.age != 0 {
				err = s.Note(t.Context(), sqlstore.Backup{Made: d.now().Add(-c.age), Host: "one", Folder: "/backups/a"})
			}
			if err != nil {
				t.Fatal(err)
			}
			d.backup(t.Context(), Config{Data: "/data"}, db)
			if f := d.findings[0]; f.State != c.state || !strings.Contains(f.Detail, c.says) || (f.State == "ok") != (f.Remedy == "") || d.sick {
				t.Errorf("%s: %s", name, out)
			}
		}
	})
}

func TestTheDoctorLeavesNothingBehind(t *testing.T) {
	d, out := seeing()
	dir := t.TempDir()
	d.fsync(dir)
	if err := writable(dir); err != nil {
		t.Fatal(err)
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 0 || d.sick {
		t.Errorf("%v are left, %v:\n%s", left, err, out)
	}
}

func TestTheDoctorSpeaksToPrograms(t *testing.T) {
	var out bytes.Buffer
	t.Setenv("KIZUNA_LISTEN", "127.0.0.1:1")
	code := Main(t.Context(), []string{"doctor", "--json", "--data", filepath.Join(t.TempDir(), "none")}, IO{Out: &out, Err: &out})
	var got struct {
		Well     bool
		Version  string
		Findings []finding
	}
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatalf("%v:\n%s", err, &out)
	}
	last := got.Findings[len(got.Findings)-1]
	if code != 1 || got.Well || got.Version != Version || last.Check != "data folder" || last.State != "fail" || last.Remedy == "" {
		t.Errorf("ends with %d and %+v", code, got)
	}
}
