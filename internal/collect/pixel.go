package collect

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"sort"
	"strings"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// gif is one transparent pixel.
var gif = []byte("GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;")

// pixel serves a call made by an image. It shows the pixel whatever becomes of the event, because a broken image
// would show; the status says what became of it.
func (h *Handler) pixel(w http.ResponseWriter, r *http.Request, kind event.Type) {
	header := w.Header()
	header.Set("Content-Type", "image/gif")
	header.Set("Cache-Control", "no-store")
	w.WriteHeader(h.takePixel(r, kind))
	_, _ = w.Write(gif) // the client may have left
}

func (h *Handler) takePixel(r *http.Request, kind event.Type) int {
	query := r.URL.Query()
	body, err := pixelBody(query)
	key := requestKey(r)
	env := new(envelope)
	if err == nil {
		if err = env.parse(body, true); err == nil && key == "" {
			key = bodyKey(env)
		}
	}
	source, keyErr := h.admit(r.Context(), key)
	if keyErr != nil {
		return h.pixelStatus(keyErr)
	}
	if err != nil {
		h.note(source, err)
		return h.pixelStatus(err)
	}
	b := builder{env: env, source: source, received: h.c.Clock.Now(), kind: kind, fullIP: h.c.FullIP, userAgent: clip(r.UserAgent())}
	b.ip = b.keptIP(clientIP(r, h.c.TrustedProxies))
	if _, err := h.keep(r.Context(), &b); err != nil {
		return h.pixelStatus(err)
	}
	return http.StatusOK
}

func (h *Handler) pixelStatus(err error) int {
	discard := &statusOnly{header: http.Header{}}
	h.fail(discard, err)
	return discard.status
}

// statusOnly is a response whose status alone matters.
type statusOnly struct {
	header http.Header
	status int
}

func (s *statusOnly) Header() http.Header         { return s.header }
func (s *statusOnly) WriteHeader(status int)      { s.status = status }
func (s *statusOnly) Write(b []byte) (int, error) { return len(b), nil }

// pixelBody returns the event of a pixel: the JSON in "data" in base64, or else the parameters themselves, where a dot
// in a name leads into an object ("properties.total=5").
func pixelBody(query url.Values) ([]byte, error) {
	if data := query.Get("data"); data != "" {
		data = strings.TrimRight(strings.NewReplacer("-", "+", "_", "/", " ", "+").Replace(data), "=")
		body, err := base64.RawStdEncoding.DecodeString(data)
		if err != nil {
			return nil, errs.Invalid("pixel.data", "data", "the parameter \"data\" is not base64").With(err)
		}
		if len(body) > MaxEvent {
			return nil, errs.Invalid("body.too_large", "data", "the event has more than %d bytes", MaxEvent)
		}
		return body, nil
	}
	root := map[string]any{}
	names := make([]string, 0, len(query))
	for name := range query {
		names = append(names, name)
	}
	sort.Strings(names) // "a" before "a.b": the object wins
	for _, name := range names {
		path := strings.Split(name, ".")
		if len(path) > maxDepth {
			continue
		}
		at := root
		for _, part := range path[:len(path)-1] {
			next, ok := at[part].(map[string]any)
			if !ok {
				next = map[string]any{}
				at[part] = next
			}
			at = next
		}
		at[path[len(path)-1]] = query.Get(name)
	}
	return json.Marshal(root)
}
