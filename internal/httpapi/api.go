package httpapi

import (
	"context"
	"encoding/json"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/kizuna-cx/kizuna/internal/domain/campaign"
	"github.com/kizuna-cx/kizuna/internal/domain/consent"
	"github.com/kizuna-cx/kizuna/internal/domain/content"
	"github.com/kizuna-cx/kizuna/internal/domain/draft"
	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/hook"
	"github.com/kizuna-cx/kizuna/internal/domain/importer"
	"github.com/kizuna-cx/kizuna/internal/domain/invoice"
	"github.com/kizuna-cx/kizuna/internal/domain/job"
	"github.com/kizuna-cx/kizuna/internal/domain/journey"
	"github.com/kizuna-cx/kizuna/internal/domain/journeymap"
	"github.com/kizuna-cx/kizuna/internal/domain/mailauth"
	"github.com/kizuna-cx/kizuna/internal/domain/outbox"
	"github.com/kizuna-cx/kizuna/internal/domain/person"
	"github.com/kizuna-cx/kizuna/internal/domain/persona"
	"github.com/kizuna-cx/kizuna/internal/domain/personal"
	"github.com/kizuna-cx/kizuna/internal/domain/privacy"
	"github.com/kizuna-cx/kizuna/internal/domain/quota"
	"github.com/kizuna-cx/kizuna/internal/domain/replay"
	"github.com/kizuna-cx/kizuna/internal/domain/report"
	"github.com/kizuna-cx/kizuna/internal/domain/retention"
	"github.com/kizuna-cx/kizuna/internal/domain/roster"
	"github.com/kizuna-cx/kizuna/internal/domain/sample"
	"github.com/kizuna-cx/kizuna/internal/domain/scheme"
	"github.com/kizuna-cx/kizuna/internal/domain/segment"
	"github.com/kizuna-cx/kizuna/internal/domain/staff"
	"github.com/kizuna-cx/kizuna/internal/domain/standing"
	"github.com/kizuna-cx/kizuna/internal/domain/task"
	"github.com/kizuna-cx/kizuna/internal/domain/version"
	"github.com/kizuna-cx/kizuna/internal/domain/workspace"
	"github.com/kizuna-cx/kizuna/internal/kit/clock"
	"github.com/kizuna-cx/kizuna/internal/kit/trace"
	"github.com/kizuna-cx/kizuna/internal/kit/tx"
	"github.com/kizuna-cx/kizuna/internal/realtime"
)

// Version of the API document.
const Version = "1.0.0"

// Demo is what a demonstration adds to the page.
type Demo struct {
	Mailbox  string // path of the local mailbox
	Email    string // how to sign in
	Password string
}

// Config is what the API speaks for.
type Config struct {
	Tx         tx.Runner
	Clock      clock.Clock
	Log        *slog.Logger
	Staff      *staff.Service
	Tenants    staff.Tenants
	Workspaces *workspace.Service
	People     *person.Service
	Events     event.Store
	Segments   *segment.Service
	Personas   *persona.Service
	Standing   *standing.Service
	Maps       *journeymap.Service
	Consent    *consent.Service
	Content    *content.Service
	Outbox     *outbox.Service
	MailAuth   *mailauth.Service
	Campaigns  *campaign.Service
	Invoices   *invoice.Service
	Tasks      *task.Service
	Jobs       *job.Service
	Addresses  importer.Addresses
	Imports    importer.People
	Mappings   importer.Mappings
	Sample     *sample.Service
	Schemes    scheme.Service
	Roster     roster.Service
	Webhooks   *hook.Service
	Journeys   *journey.Service
	ReadyKit   journey.Kit
	Reports    *report.Service

	Rejections Rejections
	Senders    Senders
	Live       *realtime.Hub // nil: no live changes
	Personal   *personal.Service
	Drafts     *draft.Service
	Versions   *version.Service
	Privacy    *privacy.Service
	Retention  *retention.Service
	Replay     *replay.Service
	Quotas     *quota.Service

	PublicURL      string // where browsers reach this server, e.g. https://kizuna.example.com; a page from there may sign in
	TrustedProxies []netip.Prefix
	SecureCookies  bool                // the server is reached over https
	Demo           *Demo               // nil outside the demonstration
	Advance        func(time.Duration) // moves the clock; nil unless the server was started for tests
}

type api struct {
	c     Config
	huma  huma.API
	names *namer
	looks looks
	inner http.Handler // asked by the API itself, in somebody's name

	clientIP func(*http.Request) string
}

// New returns the handler of everything below /api/v1. What the API does as jobs of its own it adds to the kinds of c.Jobs.
func New(c Config) http.Handler {
	mux := http.NewServeMux()
	a := newAPI(c, mux)
	a.huma.UseMiddleware(a.observe)
	a.routes()
	a.inner = a.front(mux)
	c.Jobs.Register(a.bulkKinds()...)
	return a.inner
}

// Document returns the OpenAPI document.
func Document() ([]byte, error) {
	a := newAPI(Config{}, http.NewServeMux())
	a.routes()
	raw, err := json.MarshalIndent(a.huma.OpenAPI(), "", "  ")
	return append(raw, '\n'), err
}

func newAPI(c Config, mux *http.ServeMux) *api {
	names := &namer{names: map[reflect.Type]string{}}
	return &api{c: c, huma: humago.New(mux, apiConfig(names)), names: names, looks: looks{at: map[look]time.Time{}}, clientIP: ClientIP(c.TrustedProxies)}
}

func apiConfig(names *namer) huma.Config {
	huma.NewError = fromFramework
	huma.DefaultArrayNullable = false
	c := huma.DefaultConfig("Kizuna", Version)
	c.CreateHooks = nil // no $schema members in answers
	c.OpenAPIPath, c.DocsPath, c.SchemasPath = "/api/v1/openapi", "", ""
	c.Info.Description = "One customer, one history, one rule language, one outbox. Errors are problem+json with a stable code. Lists are paged by cursor. " +
		"Scripts authenticate with an API key (Authorization: Bearer), browsers with a session cookie and an X-CSRF-Token header on changes."
	c.Components.Schemas = huma.NewMapRegistry("#/components/schemas/", names.name)
	c.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"key":     {Type: "http", Scheme: "bearer"},
		"session": {Type: "apiKey", In: "cookie", Name: cookieName},
	}
	return c
}

func (a *api) routes() {
	a.sessionRoutes()
	a.workspaceRoutes()
	a.staffRoutes()
	a.statsRoutes()
	a.personRoutes()
	a.personListRoutes()
	a.whyRoutes()
	a.identityRoutes()
	a.suggestionRoutes()
	a.segmentRoutes()
	a.segmentLookRoutes()
	a.listRoutes()
	a.personaRoutes()
	a.standingRoutes()
	a.journeyMapRoutes()
	a.consentRoutes()
	a.contentRoutes()
	a.brandRoutes()
	a.snippetRoutes()
	a.accountRoutes()
	a.returnRoutes()
	a.outboxRoutes()
	a.sendingDomainRoutes()
	a.campaignRoutes()
	a.seriesRoutes()
	a.invoiceRoutes()
	a.taskRoutes()
	a.jobRoutes()
	a.bulkRoutes()
	a.listExportRoutes()
	a.importRoutes()
	a.importMappingRoutes()
	a.importUndoRoutes()
	a.sampleRoutes()
	a.identitySchemeRoutes()
	a.webhookRoutes()
	a.journeyRoutes()
	a.roundRoutes()
	a.journeyEntryRoutes()
	a.journeyWatchRoutes()
	a.journeySimulateRoutes()
	a.journeySecretRoutes()
	a.reportRoutes()
	a.reportTableRoutes()
	a.effectRoutes()
	a.summaryRoutes()
	a.planRoutes()
	a.noteRoutes()
	a.savedReportRoutes()
	a.channelRoutes()
	a.liveRoutes()
	a.personalRoutes()
	a.draftRoutes()
	a.thingVersionRoutes()
	a.privacyRoutes()
	a.privacyRuleRoutes()
	a.retentionRoutes()
	a.replayRoutes()
	a.quotaRoutes()
	a.personExportRoutes()
	a.revealRoutes()
	a.rejectionRoutes()
	a.eventRoutes()
	a.testRoutes()
}

const (
	cookieName = "kizuna_session"
	csrfHeader = "X-CSRF-Token"
)

type (
	callerKey struct{}
	originKey struct{}
)

// origin is where a request comes from.
type origin struct {
	ip, userAgent string
	session       string // token of the session cookie
}

func originOf(ctx context.Context) origin {
	o, _ := ctx.Value(originKey{}).(origin)
	return o
}

// observe notes where the request comes from.
func (a *api) observe(ctx huma.Context, next func(huma.Context)) {
	if _, within := acting(ctx.Context()); within {
		next(ctx)
		return
	}
	r, _ := humago.Unwrap(ctx)
	o := origin{ip: a.clientIP(r), userAgent: r.UserAgent()}
	if c, err := huma.ReadCookie(ctx, cookieName); err == nil {
		o.session = c.Value
	}
	trace.Route(ctx.Context(), ctx.Operation().Method, ctx.Operation().Path)
	next(huma.WithValue(ctx, originKey{}, o))
}

// caller returns who makes the request; guard has put it there.
func caller(ctx context.Context) staff.Principal {
	p, _ := ctx.Value(callerKey{}).(staff.Principal)
	return p
}

func workspaceOf(ctx context.Context) string { return caller(ctx).Workspace }

// guard lets a request pass whose caller holds the permission.
func (a *api) guard(need staff.Permission) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		p, within := acting(ctx.Context())
		var err error
		if !within {
			p, err = a.authenticate(ctx)
		}
		if err == nil && !within {
			err = a.c.Quotas.TakeRequest(p.Workspace, p.Session != "")
		}
		if err == nil && need != signedIn {
			err = p.Require(need)
		}
		if err != nil {
			a.refuse(ctx, err)
			return
		}
		next(huma.WithValue(ctx, callerKey{}, p))
	}
}

func (a *api) refuse(ctx huma.Context, err error) {
	p := a.fail(ctx.Context(), ctx.Operation().OperationID, err)
	ctx.SetHeader("Content-Type", problemType)
	for name, values := range p.GetHeaders() {
		ctx.SetHeader(name, values[0])
	}
	ctx.SetStatus(p.Status)
	_ = json.NewEncoder(ctx.BodyWriter()).Encode(p) // a client that is gone needs no answer
}

// authenticate finds out who calls: an API key, or a session with its CSRF token on everything that may change something.
func (a *api) authenticate(ctx huma.Context) (staff.Principal, error) {
	o := originOf(ctx.Context())
	if secret, ok := bearer(ctx.Header("Authorization")); ok {
		return a.c.Staff.AuthenticateKey(ctx.Context(), secret, o.ip)
	}
	if o.session == "" {
		return staff.Principal{}, errNobody
	}
	p, err := a.c.Staff.Authenticate(ctx.Context(), o.session, o.ip)
	if err != nil {
		return staff.Principal{}, err
	}
	if m := ctx.Method(); m != http.MethodGet && m != http.MethodHead {
		err = staff.CheckCSRF(o.session, ctx.Header(csrfHeader))
	}
	return p, err
}

// bearer returns the API key of an Authorization header.
func bearer(header string) (secret string, ok bool) {
	scheme, secret, ok := strings.Cut(header, " ")
	return strings.TrimSpace(secret), ok && strings.EqualFold(scheme, "Bearer")
}

// ClientIP returns a function that tells a request's IP address; a forwarded one is believed only from a trusted proxy.
func ClientIP(trusted []netip.Prefix) func(*http.Request) string {
	believes := func(ip netip.Addr) bool {
		return slices.ContainsFunc(trusted, func(p netip.Prefix) bool { return p.Contains(ip.Unmap()) })
	}
	return func(r *http.Request) string {
		host, _, err := net.SplitHostPort(r.RemoteAddr)
		if err != nil {
			host = r.RemoteAddr
		}
		ip, err := netip.ParseAddr(host)
		if err != nil {
			return host
		}
		hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",") // a proxy may add a line of its own
		for i := len(hops) - 1; i >= 0 && believes(ip); i-- {
			hop, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
			if err != nil {
				break
			}
			ip = hop
		}
		return ip.Unmap().String()
	}
}

// SignedIn lets requests through that carry the cookie of a session, for pages beside the API.
func SignedIn(s *staff.Service, next http.Handler) http.Handler {
	ip := ClientIP(nil)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := r.Cookie(cookieName)
		if err == nil {
			_, err = s.Authenticate(r.Context(), c.Value, ip(r))
		}
		if err != nil {
			http.Error(w, "sign in first", http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (a *api) testRoutes() {
	if a.c.Advance == nil {
		return
	}
	type advance struct {
		Seconds int `json:"advance_seconds" minimum:"1"`
	}
	type now struct {
		Now time.Time `json:"now"`
	}
	route(a, http.MethodPost, "/test/clock", "test-clock", "Move the server's clock forward", staff.SettingsWrite, func(_ context.Context, in *in[advance]) (*body[now], error) {
		a.c.Advance(time.Duration(in.Body.Seconds) * time.Second)
		return answer(now{a.c.Clock.Now()}), nil
	})
}
