package collect

import (
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// settings is the least that Segment's browser SDK must be told before it sends anything. More than one integration
// would make it look for plug-ins; without a sample rate it would send figures about itself.
type settings struct {
	Integrations map[string]segmentSettings `json:"integrations"`
	Plan         struct {
		Track map[string]planEntry `json:"track"`
	} `json:"plan"`
	Metrics struct {
		SampleRate float64 `json:"sampleRate"`
	} `json:"metrics"`
}

type segmentSettings struct {
	APIKey   string `json:"apiKey"`
	APIHost  string `json:"apiHost"`  // host and path of the calls, without the scheme
	Protocol string `json:"protocol"` // "http" or "https"
}

type planEntry struct {
	Enabled      bool     `json:"enabled"`
	Integrations struct{} `json:"integrations"`
}

// settings serves the settings document of a write key.
func (h *Handler) settings(w http.ResponseWriter, r *http.Request, key string) {
	if _, err := h.keys.find(r.Context(), key); err != nil {
		if errs.Is(err, errs.KindUnauthenticated) {
			err = errs.NotFound("source", "with this write key")
		}
		h.fail(w, err)
		return
	}
	scheme, host := h.publicHost(r)
	var s settings
	s.Integrations = map[string]segmentSettings{"Segment.io": {APIKey: key, APIHost: host + "/v1", Protocol: scheme}}
	s.Plan.Track = map[string]planEntry{"__default": {Enabled: true}}
	w.Header().Set("Cache-Control", "no-cache")
	reply(w, http.StatusOK, s)
}

// publicHost returns where browsers reach this server: as configured, else as this browser did.
func (h *Handler) publicHost(r *http.Request) (scheme, host string) {
	if u, err := url.Parse(h.c.PublicURL); err == nil && u.Host != "" {
		return u.Scheme, u.Host + strings.TrimSuffix(u.Path, "/")
	}
	scheme, host = "http", r.Host
	if r.TLS != nil {
		scheme = "https"
	}
	if peer, err := netip.ParseAddrPort(r.RemoteAddr); err == nil && isTrusted(peer.Addr().Unmap(), h.c.TrustedProxies) {
		if p := r.Header.Get("X-Forwarded-Proto"); p == "http" || p == "https" {
			scheme = p
		}
		if f := r.Header.Get("X-Forwarded-Host"); f != "" {
			host = f
		}
	}
	return scheme, host
}
