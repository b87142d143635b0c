package app

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/mailauth"
	"github.com/kizuna-cx/kizuna/internal/domain/outbox"
	"github.com/kizuna-cx/kizuna/internal/kit/clock"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
	"github.com/kizuna-cx/kizuna/internal/pipeline"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
	"github.com/kizuna-cx/kizuna/internal/storage/sqlstore"
	"github.com/kizuna-cx/kizuna/internal/telemetry"
)

// What the doctor finds too much.
const (
	// slowSync is a write that takes longer to be durable than one turn of a disk of 7,200 rpm and its seek: each answer of the intake waits for one.
	slowSync  = 20 * time.Millisecond
	syncTries = 9
	// Clocks of machines that keep time by NTP agree within milliseconds. A second shows in the order of events, a minute in what is due and in who is signed in.
	oddClock   = time.Second
	wrongClock = time.Minute
	certSoon   = 21 * 24 * time.Hour // a third of the 90 days of ACME is when clients renew; by three weeks one has failed
	// Backups are made each day or night, and those of a weekend may fail before anybody looks. Five of eight days are left then in which the log still has what
	// the events of that backup lack (KIZUNA_LOG_RETENTION).
	oldBackup  = 3 * 24 * time.Hour
	lateQueue  = 5 * time.Minute
	deadQueue  = time.Hour
	idleJob    = 10 * time.Minute
	logFull    = 0.9
	fewRecords = 1000 // that a reader may be behind and still be said to follow
)

// permissions checks that nobody else can read what stands about everybody.
func (d *doctor) permissions(dir string, mode fs.FileMode) {
	open := ""
	if mode.Perm()&0o077 != 0 {
		open = fmt.Sprintf("other users of the machine can look into %s (%v)", dir, mode.Perm())
	}
	d.warn("permissions", open, "chmod 700 "+dir, "only its owner can look into it")
	for _, name := range []string{"records.db", "events.duckdb"} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			continue // it is elsewhere, or not yet made
		}
		f, err := os.OpenFile(filepath.Join(dir, name), os.O_RDWR, 0)
		if err == nil {
			f.Close()
		}
		d.check("file "+name, err, "give the user that runs kizuna the file: chown -R it "+dir, fmt.Sprintf("%d MB", info.Size()>>20))
	}
}

// fsync measures how long a small write takes to be durable.
func (d *doctor) fsync(dir string) {
	f, err := os.CreateTemp(dir, ".doctor-")
	var took []time.Duration
	if err == nil {
		block := make([]byte, 4096)
		for range syncTries {
			began := time.Now()
			if _, err = f.Write(block); err == nil {
				err = f.Sync()
			}
			if err != nil {
				break
			}
			took = append(took, time.Since(began))
		}
		err = errors.Join(err, f.Close(), os.Remove(f.Name()))
	}
	if err != nil {
		d.check("disk speed", err, "look at the disk: it does not write", "")
		return
	}
	slices.Sort(took)
	median := took[len(took)/2]
	slow := ""
	if median > slowSync {
		slow = fmt.Sprintf("a write takes %v to be durable", median.Round(100*time.Microsecond))
	}
	d.warn("disk speed", slow, "move the data folder to a disk of this machine, best an SSD: each answer of the intake waits for such a write", fmt.Sprintf("a write is durable after %v", median.Round(10*time.Microsecond)))
}

// clock compares this machine's clock with the record store's, which leases go by: two nodes that agree with it agree with each other.
func (d *doctor) clock(ctx context.Context, db *sqldb.DB) {
	began := d.now()
	theirs, err := db.Now(ctx)
	if err != nil {
		d.check("clock", err, "check that the record store is up", "")
		return
	}
	took := d.now().Sub(began)
	skew := theirs.Sub(began.Add(took / 2))
	text := fmt.Sprintf("this machine and the record store are %v apart", skew.Abs().Round(time.Millisecond))
	const remedy = "let all machines keep time by NTP (timedatectl set-ntp true)"
	switch {
	case skew.Abs() > wrongClock+took:
		d.check("clock", errors.New(text), remedy, "")
	case skew.Abs() > oddClock+took:
		d.warn("clock", text, remedy, "")
	default:
		d.warn("clock", "", "", text)
	}
}

// certificates looks at those that this process shows and at the one that the world sees.
func (d *doctor) certificates(ctx context.Context, c Config) {
	for _, x := range []struct{ what, path string }{{"certificate of returned mail", c.Inbound.Cert}, {"certificate for the log", c.LogServers.Cert}} {
		if x.path == "" {
			continue
		}
		raw, err := os.ReadFile(x.path)
		var cert *x509.Certificate
		if err == nil {
			if block, _ := pem.Decode(raw); block == nil {
				err = fmt.Errorf("%s holds no PEM block", x.path)
			} else {
				cert, err = x509.ParseCertificate(block.Bytes)
			}
		}
		if err != nil {
			d.check(x.what, err, "name a PEM file with a certificate", "")
			continue
		}
		d.expiry(x.what, cert, "renew "+x.path+" and restart the server")
	}
	u, err := url.Parse(c.PublicURL)
	if err != nil || u.Scheme != "https" || d.offline {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	host := u.Host
	if u.Port() == "" {
		host = net.JoinHostPort(u.Hostname(), "443")
	}
	conn, err := (&tls.Dialer{}).DialContext(ctx, "tcp", host)
	if err != nil {
		d.warn("public address", err.Error(), "links in mails begin with "+c.PublicURL+": see that it leads to this server, with a certificate that browsers trust", "")
		return
	}
	defer conn.Close()
	d.expiry("public address", conn.(*tls.Conn).ConnectionState().PeerCertificates[0], "renew the certificate of "+u.Host)
}

func (d *doctor) expiry(what string, cert *x509.Certificate, remedy string) {
	left := cert.NotAfter.Sub(d.now())
	text := "the certificate is good until " + cert.NotAfter.UTC().Format(time.DateOnly)
	switch {
	case left <= 0:
		d.check(what, errors.New("the certificate has expired on "+cert.NotAfter.UTC().Format(time.DateOnly)), remedy, "")
	case left < certSoon:
		d.warn(what, text, remedy, "")
	default:
		d.warn(what, "", "", text)
	}
}

// moment checks that the records know what the events do; see pipeline.ErrOlderRecords.
func (d *doctor) moment(applied, stored uint64) {
	var err error
	if stored > applied {
		err = fmt.Errorf("%w: they are at record %d of the log, the events at %d, and a server refuses to start", pipeline.ErrOlderRecords, applied, stored)
	}
	d.check("one moment", err, `put the events of a backup made before that moment beside them, as the README says under "Back to a moment"`, "records know what the events do")
}

// reach checks the log and how far each of its readers is.
func (d *doctor) reach(r reach) {
	full := ""
	if r.Limit > 0 && float64(r.Used) > logFull*float64(r.Limit) {
		full = fmt.Sprintf("%d of %d MB are used", r.Used>>20, r.Limit>>20)
	}
	d.warn("log room", full, "raise KIZUNA_LOG_LIMIT_GB or shorten KIZUNA_LOG_RETENTION: a full log refuses events", fmt.Sprintf("records %d to %d, %d MB", r.First, r.Last, r.Used>>20))
	for _, x := range []struct {
		what string
		at   uint64
	}{{"event store position", r.Stored}, {"reactions position", r.Done}} {
		var err error
		switch {
		case x.at > r.Last:
			err = fmt.Errorf("it is at record %d, the log ends at %d: the log has been lost or replaced", x.at, r.Last)
		case r.First > x.at+1:
			err = fmt.Errorf("it is at record %d, the log begins at %d: events in between are gone from the log", x.at, r.First)
		}
		behind := r.Last - min(x.at, r.Last)
		note := fmt.Sprintf("%d records behind the log", behind)
		if err == nil && behind > fewRecords {
			d.warn(x.what, note, "it catches up by itself while the server runs; if it does not, the pipeline's finding says why", "")
			continue
		}
		d.check(x.what, err, "restore the folder as a whole from one backup", note)
	}
}

// turns checks that somebody does what one of several processes does at a time.
func (d *doctor) turns(ctx context.Context, c Config, db *sqldb.DB) {
	if !c.several() {
		return
	}
	for _, of := range []role{workerRole, sendRole} {
		l, err := sqlstore.NewLeases(db).Holder(ctx, string(of))
		if err == nil && l.Holder == "" {
			err = errors.New("no process does it")
		}
		d.check("role "+string(of), err, "start a process with --roles "+string(of), l.Holder)
	}
}

// backup tells of the last backup.
func (d *doctor) backup(ctx context.Context, c Config, db *sqldb.DB) {
	last, err := sqlstore.NewBackups(db).Last(ctx)
	if err != nil {
		d.check("backup", err, "see the record store's findings", "")
		return
	}
	made := fmt.Sprintf("the last one is of %s, in %s on %s", last.Made.Format(time.RFC3339), last.Folder, last.Host)
	trouble := ""
	switch age := d.now().Sub(last.Made); {
	case last.Made.IsZero():
		trouble = "there is none of this installation yet"
	case age > oldBackup:
		trouble = fmt.Sprintf("%s, %d days ago", made, age/(24*time.Hour))
	}
	d.warn("backup", trouble, "make one each day, of several processes on the machine of the worker: kizuna backup --data "+c.Data+" --keep 14 FOLDER, on another disk or machine (copies made by other means are not known here)", made)
}

// queues checks how late what is due is.
func (d *doctor) queues(ctx context.Context, db *sqldb.DB) {
	now := d.now()
	all, err := sqlstore.NewBacklog(db).Queues(ctx, now)
	if err != nil {
		d.check("queues", err, "see the record store's findings", "")
		return
	}
	for _, q := range all {
		late := time.Duration(0)
		if !q.Oldest.IsZero() {
			late = now.Sub(q.Oldest)
		}
		text := fmt.Sprintf("%d due", q.Due)
		if late > 0 {
			text += fmt.Sprintf(", the oldest for %v", late.Round(time.Second))
		}
		const remedy = "see that a process with the role for it runs (kizuna serve), that sending is not stopped in the console, and its log for what fails"
		switch what := "queue " + q.Name; {
		case late > deadQueue:
			d.check(what, errors.New(text), remedy, "")
		case late > lateQueue:
			d.warn(what, text, remedy, "")
		default:
			d.warn(what, "", "", text)
		}
	}
}

// remedies say what to do about what does not go on by itself.
var remedies = map[string]string{
	"jobs_stuck":    "nobody works on them: see that a worker runs; a job of a process that died goes on by itself within a minute",
	"jobs_failed":   "the console's page of background jobs says why, and they can be started again",
	"journey_steps": "the console lists them on the journey's page under trouble; they go on once what failed is mended and they are sent on",
	"webhooks":      "their receivers did not answer for days; mend the address in the console and send them again",
	"erasures":      "the console says why under Settings, Privacy; they are tried again",
}

// troubles checks what has stopped and waits for somebody.
func (d *doctor) troubles(ctx context.Context, db *sqldb.DB) {
	all, err := sqlstore.NewBacklog(db).Troubles(ctx, d.now(), idleJob)
	if err != nil {
		d.check("troubles", err, "see the record store's findings", "")
		return
	}
	for _, t := range all {
		text := ""
		if t.N > 0 {
			text = fmt.Sprintf("%d, the first since %s", t.N, t.Oldest.Format(time.RFC3339))
		}
		d.warn(strings.ReplaceAll(t.What, "_", " "), text, remedies[t.What], "none")
	}
}

// standings says whom the latest round of judging everybody has found astray.
func (d *doctor) standings(ctx context.Context, db *sqldb.DB) {
	all, err := workspaces(ctx, db)
	if err != nil {
		d.check("standings", err, "see the record store's findings", "")
		return
	}
	text := ""
	for _, ws := range all {
		st, err := sqlstore.NewStanding(db).State(ctx, ws)
		if err != nil {
			d.check("standings", err, "see the record store's findings", "")
			return
		}
		if st.Round.Mended > 0 && text == "" {
			text = fmt.Sprintf("in %s the latest round found %d people who did not stand as what they did says, and mended them", ws, st.Round.Mended)
		}
	}
	d.warn("standings", text, "it follows from events that were deleted or from a change inside the stores; if there was neither, the server's log names some of them: tell the makers", "the latest rounds found nobody astray")
}

// domains asks the DNS about the domains that mail is sent from.
func (d *doctor) domains(ctx context.Context, c Config, db *sqldb.DB) {
	if d.offline {
		return
	}
	box, err := openBox(c.Data)
	if err != nil {
		return // the master key's finding says it
	}
	accounts := sqlstore.NewOutbox(db)
	auth := mailauth.New(mailauth.Config{
		Store: sqlstore.NewMailAuth(db), Tx: db, Clock: clock.System{}, Box: box, Resolver: net.DefaultResolver, Inbox: c.Inbound.name(),
		Routes: mailRoutes(func(ctx context.Context, ws string) ([]outbox.Account, error) {
			sealed, err := accounts.Accounts(ctx, ws)
			open := make([]outbox.Account, len(sealed))
			for i, a := range sealed {
				open[i] = a.Account
			}
			return open, err
		}, func(ctx context.Context, ws, account string) (outbox.Inbound, error) {
			sealed, err := accounts.Inbound(ctx, ws, account)
			return sealed.Inbound, err
		}),
	})
	spaces := sqlstore.NewWorkspace(db)
	for at := (page.Request{Limit: page.MaxLimit}); ; {
		all, err := spaces.List(ctx, at)
		if err != nil {
			d.check("sending domains", err, "see the record store's findings", "")
			return
		}
		for _, ws := range all.Items {
			d.domainsOf(ctx, auth, ws.ID)
		}
		if at.Cursor = all.Next; at.Cursor == "" {
			return
		}
	}
}

func (d *doctor) domainsOf(ctx context.Context, auth *mailauth.Service, ws string) {
	for at := (page.Request{Limit: page.MaxLimit}); ; {
		all, err := auth.Domains(ctx, ws, at)
		if err != nil {
			d.check("sending domains", err, "see the record store's findings", "")
			return
		}
		for _, x := range all.Items {
			r, err := auth.Look(ctx, ws, x)
			if err != nil {
				d.check("domain "+x.Name, err, "see the record store's findings", "")
				continue
			}
			d.domain(x.Name, r)
		}
		if at.Cursor = all.Next; at.Cursor == "" {
			return
		}
	}
}

// domain tells what of a report is not as it should be, with the records to publish.
func (d *doctor) domain(name string, r mailauth.Report) {
	var bad, publish []string
	for _, i := range r.Items {
		if i.Status == mailauth.OK {
			continue
		}
		bad = append(bad, strings.TrimSpace(fmt.Sprintf("%s %s (%s)", i.Code, i.About, i.Status)))
		if i.Record != nil {
			publish = append(publish, i.Record.Zone())
		}
	}
	remedy := "the console says what each means under Settings, Sending domains"
	if len(publish) > 0 {
		remedy = "publish " + strings.Join(publish, "; ") + " (" + remedy + ")"
	}
	text := strings.Join(bad, "\n")
	switch {
	case r.Status == mailauth.Fail:
		d.check("domain "+name, errors.New(text), remedy, "")
	default:
		d.warn("domain "+name, text, remedy, "SPF, DKIM, DMARC, MX and reverse DNS are as they should be")
	}
}

// collectorPatience is how long a collector of traces has to answer; OpenTelemetry's exporters wait as long by default.
const collectorPatience = 10 * time.Second

// traces asks the collector that the environment names to take a span.
func (d *doctor) traces(ctx context.Context) {
	const remedy = "see that the collector of OTEL_EXPORTER_OTLP_ENDPOINT runs, takes OTLP by HTTP at that address (most often port 4318) and lets this process in; nothing else waits for it, and its traces are lost meanwhile"
	collector, err := telemetry.TracesTo(os.Getenv)
	switch {
	case err != nil:
		d.check("traces", err, "mend the variable, or unset OTEL_EXPORTER_OTLP_ENDPOINT to export none", "")
		return
	case collector == "":
		d.check("traces", nil, "", "are not exported (OTEL_EXPORTER_OTLP_ENDPOINT is not set)")
		return
	case d.offline:
		d.check("traces", nil, "", "go to "+collector+", which was not asked")
		return
	}
	ctx, cancel := context.WithTimeout(ctx, collectorPatience)
	defer cancel()
	trouble := ""
	if err := telemetry.TryTraces(ctx, Version); err != nil {
		trouble = err.Error()
	}
	d.warn("traces", trouble, remedy, "go to "+collector+", which has taken one of the doctor's")
}

// exported tells how the running server fares with its traces.
func (d *doctor) exported(s telemetry.TraceState) {
	note := "the server exports none"
	if s.Collector != "" {
		note = fmt.Sprintf("the server has told %s of %d spans", s.Collector, s.Exported)
	}
	trouble := s.Trouble
	if trouble != "" {
		trouble = fmt.Sprintf("the server could not tell %s of %d spans; at last: %s", s.Collector, s.Lost, trouble)
	}
	d.warn("traces of the server", trouble, "see that the collector runs and takes OTLP by HTTP at that address; the server tells it of new traces as soon as it does", note)
}
