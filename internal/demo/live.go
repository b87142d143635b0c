package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/importer"
	"github.com/kizuna-cx/kizuna/internal/feed"
	"github.com/kizuna-cx/kizuna/internal/kit/lifecycle"
)

// Mail is a message in the local mailbox.
type Mail struct {
	ID   string
	To   string
	HTML string
}

// Mailbox is where the sample's mails end up.
type Mailbox interface {
	// Since returns the mails that arrived after the one with this id, oldest first; "" returns all.
	Since(id string) ([]Mail, error)
}

// Live keeps the sample's customers coming: every few seconds one of them or somebody new visits, some fill a cart and leave,
// and some read the mails that they got, click, and buy.
type Live struct {
	lifecycle.Loop
	server, key string
	customers   int
	shop        Shop
	mailbox     Mailbox
	log         *slog.Logger
	client      *http.Client
	rng         *rand.Rand
}

// NewLive returns visitors for a server, with a server write key. customers and shop are those of History.
func NewLive(server, writeKey string, customers int, shop Shop, mailbox Mailbox, log *slog.Logger) *Live {
	l := &Live{
		server: server, key: writeKey, customers: customers, shop: shop, mailbox: mailbox, log: log,
		client: &http.Client{Timeout: 10 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
		rng:    rand.New(rand.NewPCG(Seed, uint64(time.Now().UnixNano()))),
	}
	l.Run = l.run
	return l
}

func (l *Live) run(ctx context.Context) {
	visits, letters := time.NewTicker(2*time.Second), time.NewTicker(3*time.Second)
	defer visits.Stop()
	defer letters.Stop()
	last := ""
	for {
		var err error
		select {
		case <-ctx.Done():
			return
		case <-visits.C:
			err = l.visit(ctx, l.rng.IntN(l.customers+l.customers/10), false) // one of eleven was never here before
		case <-letters.C:
			last, err = l.read(ctx, last)
		}
		if errors.Is(err, feed.ErrUnknownKey) {
			return // the sample has been removed
		}
		if err != nil && ctx.Err() == nil {
			l.log.Warn("a sample visitor gave up", "err", err)
		}
	}
}

// visit plays one session of customer n now. A buyer does not leave without ordering.
func (l *Live) visit(ctx context.Context, n int, buyer bool) error {
	c := newCustomer(n, l.shop)
	c.rng = rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), uint64(n)))
	batch := &history{}
	id := 0
	run := fmt.Sprintf("demo-live-%04d-%x", n, time.Now().UnixNano())
	v := &visit{c: c, at: time.Now(), known: c.user != "" && c.rng.Float64() < 0.9}
	v.emit = func(_ time.Time, event map[string]any) {
		id++
		event["messageId"] = fmt.Sprintf("%s-%d", run, id)
		// The session is played at once; a millisecond apart keeps its order.
		event["timestamp"] = time.Now().Add(time.Duration(id-40) * time.Millisecond).UTC().Format(time.RFC3339Nano)
		batch.events = append(batch.events, timed{event: event})
	}
	p := v.browse()
	if v.known {
		v.send(map[string]any{"type": "identify", "traits": c.traits()})
	}
	switch {
	case buyer:
		v.addToCart(p)
		v.order(p, 100+int(time.Now().Unix()%100000))
	case c.rng.Float64() < 0.4:
		v.addToCart(p)
		if v.known && c.rng.Float64() < 0.3 {
			v.order(p, 100+int(time.Now().Unix()%100000))
		}
	}
	_, err := feed.Run(ctx, batch, feed.Options{Server: l.server, WriteKey: l.key, Client: l.client, OnReject: func(r importer.Row, reason string) {
		l.log.Warn("a sample event was refused", "reason", reason, "line", r.Line)
	}})
	return err
}

var (
	pixels = regexp.MustCompile(`https?://[^"' ]+/t/o/[^"' ]+`)
	links  = regexp.MustCompile(`https?://[^"' ]+/t/c/[^"' ]+`)
	number = regexp.MustCompile(`customer(\d{4})@`)
)

// read lets the addressees of new mails open, click and buy as people do: not all of them.
func (l *Live) read(ctx context.Context, last string) (string, error) {
	mails, err := l.mailbox.Since(last)
	if err != nil {
		return last, err
	}
	for _, m := range mails {
		last = m.ID
		if l.rng.Float64() > 0.7 {
			continue
		}
		if err := l.get(ctx, pixels.FindString(m.HTML)); err != nil {
			return last, err
		}
		if l.rng.Float64() > 0.5 {
			continue
		}
		if err := l.get(ctx, links.FindString(m.HTML)); err != nil {
			return last, err
		}
		who := number.FindStringSubmatch(m.To)
		if who == nil || l.rng.Float64() > 0.5 {
			continue
		}
		n, err := strconv.Atoi(who[1])
		if err != nil {
			continue
		}
		if err := l.visit(ctx, n, true); err != nil {
			return last, err
		}
	}
	return last, nil
}

func (l *Live) get(ctx context.Context, url string) error {
	if url == "" {
		return nil
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.ReplaceAll(url, "&amp;", "&"), nil)
	if err != nil {
		return err
	}
	req.Header.Set("User-Agent", "Mozilla/5.0 (sample reader)")
	resp, err := l.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}
