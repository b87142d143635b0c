package contenttest

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/content"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
)

// Memory is a content.Store for tests of services. It passes the same suite as the real ones, but does not roll back.
type Memory struct {
	mu       sync.Mutex
	versions map[string][]content.Template // by workspace and id, in order; status and key are those of the first
	changed  map[string]time.Time          // last change of a status
}

// NewMemory returns an empty store.
func NewMemory() *Memory {
	return &Memory{versions: map[string][]content.Template{}, changed: map[string]time.Time{}}
}

var _ content.Store = (*Memory)(nil)

// InTx calls fn; it makes Memory a tx.Runner.
func (m *Memory) InTx(ctx context.Context, fn func(ctx context.Context) error) error { return fn(ctx) }

func (m *Memory) current(k string) (content.Template, bool) {
	v := m.versions[k]
	if len(v) == 0 {
		return content.Template{}, false
	}
	t := v[len(v)-1]
	t.Status = v[0].Status
	if at := m.changed[k]; at.After(t.UpdatedAt) {
		t.UpdatedAt = at
	}
	return t, true
}

// Insert adds a template.
func (m *Memory) Insert(ctx context.Context, ws string, t content.Template) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, taken := m.find(ws, func(o content.Template) bool { return o.ID == t.ID || t.Key != "" && o.Key == t.Key }); taken {
		return errs.Conflict("content.template.exists", "there is such a template already")
	}
	m.versions[ws+"/"+t.ID] = []content.Template{t}
	return nil
}

func (m *Memory) find(ws string, match func(content.Template) bool) (content.Template, bool) {
	for k := range m.versions {
		if t, _ := m.current(k); strings.HasPrefix(k, ws+"/") && match(t) {
			return t, true
		}
	}
	return content.Template{}, false
}

// AddVersion adds a version.
func (m *Memory) AddVersion(ctx context.Context, ws string, t content.Template) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	was, ok := m.current(ws + "/" + t.ID)
	switch {
	case !ok:
		return errs.NotFound("template", t.ID)
	case was.Version != t.Version-1:
		return errs.Conflict("content.template.stale", "version %d was saved meanwhile", was.Version)
	}
	m.versions[ws+"/"+t.ID] = append(m.versions[ws+"/"+t.ID], t)
	return nil
}

// Get returns the current version.
func (m *Memory) Get(ctx context.Context, ws, id string) (content.Template, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	t, ok := m.current(ws + "/" + id)
	if !ok {
		return t, errs.NotFound("template", id)
	}
	return t, nil
}

// ByKey returns the template with a key.
func (m *Memory) ByKey(ctx context.Context, ws, key string) (content.Template, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	t, ok := m.find(ws, func(o content.Template) bool { return key != "" && o.Key == key })
	if !ok {
		return t, errs.NotFound("template", key)
	}
	return t, nil
}

// Version returns one version.
func (m *Memory) Version(ctx context.Context, ws, id string, version int) (content.Template, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	v := m.versions[ws+"/"+id]
	if version < 1 || version > len(v) {
		return content.Template{}, errs.NotFound("template", id)
	}
	t := v[version-1]
	t.Status = v[0].Status
	return t, nil
}

// Versions lists versions.
func (m *Memory) Versions(ctx context.Context, ws, id string, p page.Request) (page.Of[content.Template], error) {
	before := 1 << 53
	if _, err := page.Decode(p.Cursor, &before); err != nil {
		return page.Of[content.Template]{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []content.Template
	for _, t := range slices.Backward(m.versions[ws+"/"+id]) {
		if t.Version < before {
			t.Status = m.versions[ws+"/"+id][0].Status
			out = append(out, t)
		}
	}
	return page.Cut(out, p.Size(), func(t content.Template) string { return page.Encode(t.Version) }), nil
}

// List lists templates.
func (m *Memory) List(ctx context.Context, ws string, f content.Filter, p page.Request) (page.Of[content.Template], error) {
	at, id := int64(1)<<53, ""
	if _, err := page.Decode(p.Cursor, &at, &id); err != nil {
		return page.Of[content.Template]{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []content.Template
	for k := range m.versions {
		t, _ := m.current(k)
		us := t.CreatedAt.UnixMicro()
		if strings.HasPrefix(k, ws+"/") && (us < at || us == at && t.ID < id) && (f.Status == "" || t.Status == f.Status) &&
			strings.Contains(strings.ToLower(t.Name), strings.ToLower(f.Query)) {
			out = append(out, t)
		}
	}
	slices.SortFunc(out, func(a, b content.Template) int {
		return cmp.Or(b.CreatedAt.Compare(a.CreatedAt), cmp.Compare(b.ID, a.ID))
	})
	return page.Cut(out, p.Size(), func(t content.Template) string { return page.Encode(t.CreatedAt.UnixMicro(), t.ID) }), nil
}

// SetStatus changes the status.
func (m *Memory) SetStatus(ctx context.Context, ws, id string, status content.Status, at time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	v := m.versions[ws+"/"+id]
	if len(v) == 0 {
		return errs.NotFound("template", id)
	}
	v[0].Status = status
	m.changed[ws+"/"+id] = at
	return nil
}
