package tracking

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/outbox"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/network"
)

// Outbox is what the links lead into; outbox.Service is one.
type Outbox interface {
	Links() *outbox.Links
	Opened(ctx context.Context, in outbox.Interaction) (event.Event, error)
	Followed(ctx context.Context, in outbox.Interaction) error
	Preferences(ctx context.Context, l outbox.Link) (outbox.Preferences, error)
	Unsubscribe(ctx context.Context, l outbox.Link, all bool, by outbox.Said) error
	Choose(ctx context.Context, l outbox.Link, wanted map[string]bool, weekly bool, by outbox.Said) error
	Pause(ctx context.Context, l outbox.Link, on bool, by outbox.Said) error
	Asked(ctx context.Context, c outbox.Confirmation) (outbox.Asked, error)
	Confirm(ctx context.Context, c outbox.Confirmation, by outbox.Said) error
}

// Log takes events. When Publish returns without error they are durable.
type Log interface {
	Publish(ctx context.Context, events ...event.Event) error
}

// Config is what a handler needs.
type Config struct {
	Outbox Outbox
	Log    Log
	Logger *slog.Logger
	// ClientIP returns the address of the client, behind trusted proxies too; nil: the peer of the connection.
	ClientIP func(*http.Request) string
	// Moved returns the URL of the installation that a workspace has moved to, and false if it is here. nil: all are here.
	Moved func(ctx context.Context, ws string) (string, bool, error)
	// Scanners are networks from which no person opens or clicks, besides those that are known.
	Scanners []netip.Prefix
}

// How long an open waits for the log and a click for the record store. A person waits for the click.
const (
	openPatience  = 3 * time.Second
	clickPatience = time.Second
)

// New returns the handler of all routes.
func New(c Config) http.Handler {
	if c.ClientIP == nil {
		c.ClientIP = func(r *http.Request) string {
			host, _, _ := net.SplitHostPort(r.RemoteAddr)
			return host
		}
	}
	h := &handler{Config: c, machines: known}
	h.machines.nets = append(slices.Clone(known.nets), c.Scanners...)
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+outbox.OpenPath+"{token}", h.open)
	mux.HandleFunc("GET "+outbox.ClickPath+"{token}", h.click)
	mux.HandleFunc("GET "+outbox.UnsubscribePath+"{token}", h.page)
	mux.HandleFunc("POST "+outbox.UnsubscribePath+"{token}", h.unsubscribe)
	mux.HandleFunc("GET "+outbox.ConfirmPath+"{token}", h.confirmation)
	mux.HandleFunc("POST "+outbox.ConfirmPath+"{token}", h.confirm)
	return mux
}

type handler struct {
	Config
	machines machines
}

// pixel is a transparent image of one pixel.
var pixel = []byte("GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x01D\x00;")

func (h *handler) open(w http.ResponseWriter, r *http.Request) {
	link, err := h.Outbox.Links().ReadOpen(r.PathValue("token"))
	if err != nil {
		http.Error(w, "unknown link", http.StatusNotFound)
		return
	}
	if h.elsewhere(w, r, link.Workspace) {
		return
	}
	if r.Method != http.MethodHead { // else no picture is shown to anybody
		h.tell(r, link, event.MessageOpened, openPatience, func(ctx context.Context, in outbox.Interaction) error {
			e, err := h.Outbox.Opened(ctx, in)
			if err != nil {
				return err
			}
			return h.Log.Publish(ctx, e)
		})
	}
	w.Header().Set("Content-Type", "image/gif")
	w.Header().Set("Cache-Control", "no-store, private, max-age=0")
	_, _ = w.Write(pixel) // a reader that has gone away needs no image
}

func (h *handler) click(w http.ResponseWriter, r *http.Request) {
	link, err := h.Outbox.Links().ReadClick(r.PathValue("token"))
	if err != nil || !link.Trap && !leadsToTheWeb(link.URL) {
		h.notice(w, r, http.StatusNotFound, "broken")
		return
	}
	if h.elsewhere(w, r, link.Workspace) {
		return
	}
	h.tell(r, link, event.MessageClicked, clickPatience, h.Outbox.Followed)
	w.Header().Set("Cache-Control", "no-store, private, max-age=0")
	w.Header().Set("Referrer-Policy", "no-referrer") // the token is nobody else's business
	w.Header().Set("Location", link.URL)             // http.Redirect would clean the path, which may be part of a signature there
	w.WriteHeader(http.StatusFound)
}

// elsewhere sends the reader on to where the workspace of a link is now, whose links are signed with the same key; false if that is here. Mail providers may not follow
// it with their one-click requests, so these are better answered by giving that installation the old address.
func (h *handler) elsewhere(w http.ResponseWriter, r *http.Request, ws string) bool {
	if h.Moved == nil {
		return false
	}
	to, moved, err := h.Moved(r.Context(), ws)
	if err != nil {
		h.Logger.Error("it is not known whether the workspace of a link has moved", "workspace", ws, "err", err)
	}
	if err != nil || !moved {
		return false
	}
	w.Header().Set("Cache-Control", "no-store, private, max-age=0")
	w.Header().Set("Referrer-Policy", "no-referrer")
	http.Redirect(w, r, strings.TrimRight(to, "/")+r.URL.EscapedPath(), http.StatusTemporaryRedirect)
	return true
}

// leadsToTheWeb guards the header: what was signed is an author's text, not necessarily a good address.
func leadsToTheWeb(raw string) bool {
	if strings.ContainsFunc(raw, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
		return false
	}
	u, err := url.Parse(raw)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != ""
}

// tell notes what happened. If that is impossible now, the person must not notice: it is logged and lost.
func (h *handler) tell(r *http.Request, link outbox.Link, name string, patience time.Duration, note func(context.Context, outbox.Interaction) error) {
	who := h.machines.judge(r, name, h.ClientIP(r))
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), patience)
	defer cancel()
	err := note(ctx, outbox.Interaction{Link: link, Machine: who.machine, Proxy: who.proxy, Agent: cut(r.UserAgent(), 500), Address: network.OfText(h.ClientIP(r))})
	if err != nil && !errs.Is(err, errs.KindNotFound) { // the message may have been erased
		h.Logger.Error("an open or click could not be recorded", "name", name, "message", link.MessageID, "err", err)
	}
}

func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "")
}
