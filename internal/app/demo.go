package app

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/kizuna-cx/kizuna/internal/channel/email"
	"github.com/kizuna-cx/kizuna/internal/channel/email/mailbox"
	"github.com/kizuna-cx/kizuna/internal/demo"
	"github.com/kizuna-cx/kizuna/internal/domain/campaign"
	"github.com/kizuna-cx/kizuna/internal/domain/content"
	"github.com/kizuna-cx/kizuna/internal/domain/journey"
	"github.com/kizuna-cx/kizuna/internal/domain/journey/node"
	"github.com/kizuna-cx/kizuna/internal/domain/outbox"
	"github.com/kizuna-cx/kizuna/internal/feed"
	"github.com/kizuna-cx/kizuna/internal/httpapi"
	"github.com/kizuna-cx/kizuna/internal/kit/lifecycle"
)

func demoCommand() command {
	return command{
		name: "demo", summary: "run everything with a sample business and a local mailbox",
		long: `
Starts a server in its own data folder, makes segments, journeys and a campaign for a labelled sample business, feeds ninety days of its customers' events
through the intake, and lets visitors keep coming. Mails go to a mailbox inside the process; nothing leaves the machine. Stop it with Ctrl-C and start it again as
you like; delete the folder to begin anew.`,
		flags: func(fs *flag.FlagSet) func(context.Context, IO) error {
			c, envErr := defaults()
			c.Data, c.LogLevel = "demo-data", "warn"
			if len(c.AllowTargets) == 0 { // whoever tries webhooks runs their receiver on the same machine
				c.AllowTargets = []string{"127.0.0.0/8", "::1"}
			}
			configFlags(fs, &c)
			d := &demonstration{}
			fs.StringVar(&d.locale, "locale", "en", "language of the sample's mails and names: en, zh-Hans or ja")
			fs.IntVar(&d.customers, "customers", 400, "how many customers the sample business has")
			return func(ctx context.Context, io IO) error {
				if err := errors.Join(envErr, c.Validate()); err != nil {
					return usageError{err.Error()}
				}
				return d.run(ctx, c, io)
			}
		},
	}
}

// demonstration is the sample business in a server.
type demonstration struct {
	locale    string
	customers int
	io        IO
	app       *application
	box       *mailbox.Mailbox
	memo      memo
	path      string // of the memo
}

// memo is what the demonstration remembers from start to start.
type memo struct {
	Email    string    `json:"email"`
	Password string    `json:"password"`
	WriteKey string    `json:"write_key"` // of whoever tries the product
	Before   []string  `json:"before"`    // what the workspace had before the sample came
	End      time.Time `json:"end"`       // of the history
	Done     bool      `json:"done"`      // everything was made and fed
}

func (d *demonstration) run(ctx context.Context, c Config, io IO) error {
	d.io = io
	log, err := newLogger(io.Err, c.LogLevel)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(c.Data, 0o700); err != nil {
		return err
	}
	if err := d.remember(filepath.Join(c.Data, "demo.json")); err != nil {
		return err
	}
	if d.box, err = mailbox.Open(filepath.Join(c.Data, "mailbox"), mailbox.Options{}); err != nil {
		return err
	}
	c.Bootstrap = Bootstrap{Email: d.memo.Email, Password: d.memo.Password, WriteKey: d.memo.WriteKey}
	if d.app, err = build(ctx, c, log, &httpapi.Demo{Mailbox: "/mailbox"}); err != nil {
		return err
	}
	d.app.mux.Handle("/demo/mailbox", httpapi.SignedIn(d.app.staff, http.HandlerFunc(d.list)))
	d.app.mux.Handle("/demo/mailbox/{id}/letter", httpapi.SignedIn(d.app.staff, http.HandlerFunc(d.letter)))
	d.app.mux.Handle("/demo/mailbox/{id}", httpapi.SignedIn(d.app.staff, http.HandlerFunc(d.show)))

	d.app.services = append([]placed{place(everywhere, "mailbox", d.box)}, d.app.services...)
	play := &lifecycle.Loop{Run: func(ctx context.Context) {
		if err := d.prepare(ctx, c); err != nil {
			if ctx.Err() == nil {
				fmt.Fprintf(io.Err, "the sample business could not be set up: %v\n", err)
			}
			return
		}
		d.tell(c)
		ws, err := d.app.workspaces.Bootstrap(ctx, "")
		if err != nil {
			return
		}
		// Without a key the sample has been removed, and nobody comes.
		if key, err := d.app.sampler.sampleKey(ctx, ws, false); err == nil && key != "" {
			demo.NewLive("http://"+c.Listen, key, d.customers, d.shop(c), readers{d.box}, part(log, "visitors")).Run(ctx)
		}
	}}
	return d.app.serve(ctx, func() error {
		fmt.Fprintf(io.Out, "Kizuna is ready at %s\n", c.PublicURL)
		return d.app.start(ctx, lifecycle.Named{Name: "visitors", Service: play})
	})
}

func (d *demonstration) remember(path string) error {
	d.path = path
	raw, err := os.ReadFile(path)
	if err == nil {
		return json.Unmarshal(raw, &d.memo)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	d.memo = memo{Email: "demo@aoba-sample.example", Password: rand.Text()[:16], WriteKey: "wk_demo_" + rand.Text(), End: time.Now().UTC().Truncate(time.Second)}
	return d.save()
}

func (d *demonstration) save() error {
	raw, err := json.MarshalIndent(d.memo, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(d.path, raw, 0o600)
}

func (d *demonstration) shop(c Config) demo.Shop {
	return demo.Shop{Topics: d.topics(), Pictures: c.PublicURL + "/demo/pictures/"}
}

func (d *demonstration) topics() []string {
	ready, err := journey.ReadyTopics(d.locale)
	if err != nil {
		return []string{"News"}
	}
	return []string{"News", ready["offers"].Name}
}

// demoWait replaces the hour that the abandoned-cart journey waits, so that a visitor sees it work.
var demoWait = node.Span{N: 1, Unit: "minute"}

const demoWaitText = "1 minute"

// prepare makes what the marketers of the sample business would have made, and feeds its history through the intake.
func (d *demonstration) prepare(ctx context.Context, c Config) error {
	ws, err := d.app.workspaces.Bootstrap(ctx, "")
	if err != nil {
		return err
	}
	if !d.memo.Done && d.memo.Before == nil {
		if d.memo.Before, err = d.app.sample.Before(ctx, ws); err != nil {
			return err
		}
		if err := d.save(); err != nil {
			return err
		}
	}
	if err := d.account(ctx, ws); err != nil {
		return fmt.Errorf("mail account: %w", err)
	}
	if d.memo.Done {
		return nil
	}
	if _, err := d.app.sampler.sampleKey(ctx, ws, true); err != nil {
		return fmt.Errorf("source: %w", err)
	}
	if look, err := d.app.content.Look(ctx, ws); err != nil {
		return fmt.Errorf("brand: %w", err)
	} else if look.Revision == 0 {
		if _, err := d.app.content.SetLook(ctx, ws, demo.Brand(d.locale), 0); err != nil {
			return fmt.Errorf("brand: %w", err)
		}
	}
	if err := d.site(ctx, ws); err != nil {
		return fmt.Errorf("site: %w", err)
	}
	if err := d.journeys(ctx, ws); err != nil {
		return fmt.Errorf("journeys: %w", err)
	}
	audience, err := d.app.sampler.sampleSegments(ctx, ws)
	if err != nil {
		return fmt.Errorf("segments: %w", err)
	}
	if err := d.app.sampler.samplePersona(ctx, ws, d.locale); err != nil {
		return fmt.Errorf("persona: %w", err)
	}
	if err := d.app.sample.Mark(ctx, ws, d.memo.Before); err != nil {
		return fmt.Errorf("marks: %w", err)
	}
	if err := d.history(ctx, c); err != nil {
		return fmt.Errorf("history: %w", err)
	}
	if err := d.campaign(ctx, c, ws, audience); err != nil {
		return fmt.Errorf("campaign: %w", err)
	}
	if err := d.app.sample.Mark(ctx, ws, d.memo.Before); err != nil {
		return fmt.Errorf("marks: %w", err)
	}
	d.memo.Done = true
	return d.save()
}

// site says where the sample shop is, which its letters lead to.
func (d *demonstration) site(ctx context.Context, ws string) error {
	w, err := d.app.workspaces.Get(ctx, ws)
	if err != nil || w.Settings.SiteURL != "" {
		return err
	}
	w.Settings.SiteURL = demo.Site
	_, err = d.app.workspaces.Update(ctx, w)
	return err
}

// account leads all mail into the local mailbox, whose port differs from start to start.
func (d *demonstration) account(ctx context.Context, ws string) error {
	host, port, err := net.SplitHostPort(d.box.Addr())
	if err != nil {
		return err
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		return err
	}
	config, err := json.Marshal(email.Config{Host: host, Port: number, Security: email.None})
	if err != nil {
		return err
	}
	a := outbox.Account{
		Kind: content.Email, Name: "Local mailbox (sample)", FromName: "Aoba Tea (sample)", FromAddr: "tea@aoba-sample.example",
		Config: config, Default: true, Status: outbox.AccountActive,
	}
	all, err := d.app.messages.Accounts(ctx, ws)
	if err != nil {
		return err
	}
	for _, known := range all {
		if known.Name == a.Name {
			// Only where mail goes is the demonstration's; warm-up, throttles and all else that was set meanwhile stay.
			known.Config = config
			_, err := d.app.messages.UpdateAccount(ctx, ws, known)
			return err
		}
	}
	if d.memo.Done {
		return nil // removed with the sample
	}
	_, err = d.app.messages.CreateAccount(ctx, ws, a)
	return err
}

func (d *demonstration) journeys(ctx context.Context, ws string) error {
	made, err := d.app.journeys.Install(ctx, ws, d.locale, d.app.kit)
	if err != nil {
		return err
	}
	running := slices.DeleteFunc(made, func(j journey.Journey) bool { return j.Key != "abandoned_cart" && j.Key != "win_back" })
	for _, cart := range running {
		if cart.Key != "abandoned_cart" || cart.Status != journey.Draft {
			continue
		}
		config, err := json.Marshal(node.WaitConfig{For: demoWait})
		if err != nil {
			return err
		}
		for i, n := range cart.Draft.Nodes {
			if n.Kind == "wait" {
				cart.Draft.Nodes[i].Config, cart.Draft.Nodes[i].Title = config, n.Title+" (sample: "+demoWaitText+")"
			}
		}
		if _, err := d.app.journeys.Edit(ctx, ws, cart.ID, cart.Rev, cart.Name, cart.Draft); err != nil {
			return err
		}
	}
	for _, j := range running {
		if j.Status == journey.Draft {
			if _, err := d.app.journeys.Publish(ctx, ws, j.ID); err != nil {
				return err
			}
		}
	}
	return nil
}

func (d *demonstration) history(ctx context.Context, c Config) error {
	began := time.Now()
	ws, err := d.app.workspaces.Bootstrap(ctx, "")
	if err != nil {
		return err
	}
	key, err := d.app.sampler.sampleKey(ctx, ws, true)
	if err != nil {
		return err
	}
	p, err := feed.Run(ctx, demo.History(d.customers, d.memo.End, d.shop(c)), feed.Options{Server: "http://" + c.Listen, WriteKey: key})
	if err != nil {
		return err
	}
	if p.Rejected > 0 {
		return fmt.Errorf("the intake refused %d of %d sample events", p.Rejected, p.Rows)
	}
	fmt.Fprintf(d.io.Out, "Fed %d events of %d days through the intake in %.1f s.\n", p.Accepted, demo.Days, time.Since(began).Seconds())
	return nil
}

// campaign sends one letter, once the audience stands.
func (d *demonstration) campaign(ctx context.Context, c Config, ws, audience string) error {
	if audience == "" {
		return nil // made by an earlier start
	}
	if err := d.settled(ctx); err != nil {
		return err
	}
	letter, err := d.app.sampler.sampleLetter(ctx, ws, d.locale, d.shop(c))
	if err != nil {
		return err
	}
	topics, err := d.app.consent.Topics(ctx, ws)
	if err != nil {
		return err
	}
	for _, t := range topics {
		if t.Name != "News" {
			continue
		}
		made, err := d.app.campaigns.Create(ctx, ws, campaign.Campaign{Name: sampleCampaignName, Channel: content.Email, Topic: t.ID, Template: letter.ID, Audience: campaign.Audience{Include: []string{audience}}})
		if err != nil {
			return err
		}
		_, err = d.app.campaigns.Launch(ctx, ws, made.ID, "demo")
		return err
	}
	return nil
}

// settled waits until the pipeline has taken in what the log holds now.
func (d *demonstration) settled(ctx context.Context) error {
	_, last, err := d.app.stream.Bounds(ctx)
	if err != nil {
		return err
	}
	for {
		at, err := d.app.worker.Position(ctx)
		if err != nil || at >= last {
			return err
		}
		if err := lifecycle.Sleep(ctx, 100*time.Millisecond); err != nil {
			return err
		}
	}
}

func (d *demonstration) tell(c Config) {
	fmt.Fprintf(d.io.Out, `
  Open     %s
  Sign in  %s
  Password %s

  Look at Segments ("Here right now" moves as visitors come and go), at Journeys (a cart that is left gets a mail after %s) and at the
  campaign's report. Mails arrive in the local mailbox, linked at the top of the page; nothing leaves this machine.

  Your own events: write key %s, e.g.
    curl -u %s: -d '{"userId":"me","event":"Hello"}' %s/v1/track

  Ctrl-C stops it; the data stays in %s.
`, c.PublicURL, d.memo.Email, d.memo.Password, demoWaitText, d.memo.WriteKey, d.memo.WriteKey, c.PublicURL, c.Data)
}

// readers shows the sample's customers their mail.
type readers struct{ box *mailbox.Mailbox }

// Since implements demo.Mailbox.
func (r readers) Since(id string) ([]demo.Mail, error) {
	mails, err := r.box.Since(id)
	out := make([]demo.Mail, len(mails))
	for i, m := range mails {
		out[i] = demo.Mail{ID: m.ID, To: m.To, HTML: m.HTML}
	}
	return out, err
}

func (d *demonstration) list(w http.ResponseWriter, r *http.Request) {
	limit, err := strconv.Atoi(r.URL.Query().Get("limit"))
	if err != nil || limit < 1 || limit > 500 {
		limit = 50
	}
	reply(w, map[string]any{"items": d.box.List(r.URL.Query().Get("before"), limit), "count": d.box.Count()})
}

func (d *demonstration) show(w http.ResponseWriter, r *http.Request) {
	m, err := d.box.Read(r.PathValue("id"))
	if err != nil {
		http.NotFound(w, r)
		return
	}
	reply(w, m)
}

// letter shows a mail's HTML as a mail program would: styles and pictures, no scripts.
func (d *demonstration) letter(w http.ResponseWriter, r *http.Request) {
	m, err := d.box.Read(r.PathValue("id"))
	if err != nil {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; form-action 'none'; frame-ancestors 'self'; sandbox allow-popups allow-popups-to-escape-sandbox")
	_, _ = fmt.Fprintf(w, `<base target="_blank">%s`, m.HTML) // a reader that is gone needs no answer
}

func reply(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_ = json.NewEncoder(w).Encode(v) // a reader that is gone needs no answer
}
