package console

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"sort"
	"strings"
	"testing"
	"testing/fstest"
)

func gz(t *testing.T, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func ask(t *testing.T, h http.Handler, method, path string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(method, path, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func sample(t *testing.T) http.Handler {
	t.Helper()
	a, err := load(fstest.MapFS{
		"dist/app/index.html":          {Data: []byte(`<meta name="csp-nonce" content="__CSP_NONCE__">`)},
		"dist/app/icon.svg.gz":         {Data: gz(t, "<svg/>")},
		"dist/app/assets/x-1.js.gz":    {Data: gz(t, "let x")},
		"dist/app/assets/x-1.js.br":    {Data: []byte("brotli")},
		"dist/app/assets/inter.woff2":  {Data: []byte("font")},
		"dist/placeholder.html":        {Data: []byte("run make build")},
		"dist/app/assets/en-1.json.gz": {Data: gz(t, "{}")},
	})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestEveryPathOfTheConsoleIsThePageWithANonceOfItsOwn(t *testing.T) {
	h := sample(t)
	seen := map[string]bool{}
	for _, path := range []string{"/", "/people", "/people/per_1?tab=messages"} {
		w := ask(t, h, http.MethodGet, path)
		policy := w.Header().Get("Content-Security-Policy")
		nonce := regexp.MustCompile(`'nonce-([\w-]{22})'`).FindStringSubmatch(policy)
		if nonce == nil || seen[nonce[1]] || !strings.Contains(w.Body.String(), `content="`+nonce[1]+`"`) {
			t.Fatalf("%s: policy %q, page %q", path, policy, w.Body)
		}
		seen[nonce[1]] = true
		if !strings.Contains(policy, "default-src 'none'; script-src 'self';") || strings.Contains(policy, "eval") || w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s: policy %q, cache %q", path, policy, w.Header().Get("Cache-Control"))
		}
	}
}

func TestFilesComePackedForWhoeverTakesIt(t *testing.T) {
	h := sample(t)
	for _, c := range []struct{ accept, encoding, body string }{{"gzip, br", "br", "brotli"}, {"gzip", "gzip", string(gz(t, "let x"))}, {"", "", "let x"}} {
		w := ask(t, h, http.MethodGet, "/assets/x-1.js", "Accept-Encoding", c.accept)
		if w.Code != http.StatusOK || w.Header().Get("Content-Encoding") != c.encoding || w.Body.String() != c.body || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/javascript") {
			t.Errorf("accept %q: %d %v %q", c.accept, w.Code, w.Header(), w.Body)
		}
		if got := w.Header().Get("Cache-Control"); !strings.Contains(got, "immutable") {
			t.Errorf("a named file is not kept: %q", got)
		}
	}
	first := ask(t, h, http.MethodGet, "/assets/inter.woff2")
	if first.Body.String() != "font" || first.Header().Get("Etag") == "" {
		t.Fatalf("font: %q %v", first.Body, first.Header())
	}
	if w := ask(t, h, http.MethodGet, "/assets/inter.woff2", "If-None-Match", first.Header().Get("Etag")); w.Code != http.StatusNotModified {
		t.Errorf("asked again: %d", w.Code)
	}
	if w := ask(t, h, http.MethodGet, "/icon.svg"); strings.Contains(w.Header().Get("Cache-Control"), "immutable") {
		t.Error("a file without a changing name is kept for ever")
	}
	if w := ask(t, h, http.MethodGet, "/assets/gone.js"); w.Code != http.StatusNotFound {
		t.Errorf("a script that is gone: %d", w.Code)
	}
	if w := ask(t, h, http.MethodPost, "/people"); w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != "GET, HEAD" {
		t.Errorf("post: %d %v", w.Code, w.Header())
	}
}

func TestPlainGoBuildSaysHowToBuildTheConsole(t *testing.T) {
	a, err := load(fstest.MapFS{"dist/placeholder.html": {Data: []byte("run make build")}})
	if err != nil {
		t.Fatal(err)
	}
	if w := ask(t, a, http.MethodGet, "/people"); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "make build") {
		t.Errorf("placeholder: %d %q", w.Code, w.Body)
	}
	if raw, err := built.ReadFile("dist/placeholder.html"); err != nil || !strings.Contains(string(raw), "make build") {
		t.Errorf("the placeholder that is committed: %v %q", err, raw)
	}
}

var (
	languages = []string{"en", "zh-Hans", "ja"}
	place     = regexp.MustCompile(`\{\w+\}`)
)

func places(s string) string {
	found := place.FindAllString(s, -1)
	sort.Strings(found)
	return strings.Join(found, " ")
}

// Plural forms differ by language: English has one and other, Chinese and Japanese have other only.
func plural(key string) (string, bool) { return strings.CutSuffix(key, "_one") }

func catalogue(t *testing.T, lang string) map[string]string {
	t.Helper()
	raw, err := os.ReadFile("../../web/console/src/i18n/" + lang + ".json")
	if err != nil {
		t.Fatal(err)
	}
	var texts map[string]string
	if err := json.Unmarshal(raw, &texts); err != nil {
		t.Fatalf("%s: %v", lang, err)
	}
	return texts
}

func TestCataloguesAreCompleteAndKeepTheirPlaces(t *testing.T) {
	en := catalogue(t, "en")
	for _, lang := range languages[1:] {
		texts := catalogue(t, lang)
		for key, text := range en {
			if base, ok := plural(key); ok && en[base+"_other"] != "" {
				continue
			}
			switch other, ok := texts[key]; {
			case !ok || other == "":
				t.Errorf("%s lacks %s", lang, key)
			case places(other) != places(text):
				t.Errorf("%s %s has places %q, English %q", lang, key, places(other), places(text))
			}
		}
		for key := range texts {
			if _, ok := en[key]; !ok {
				t.Errorf("%s has %s, which English lacks", lang, key)
			}
		}
	}
}

var (
	usedKey    = regexp.MustCompile(`(?:\bt\(|title: |label: )'([a-z_]+\.[\w.]+)'`)
	usedPrefix = regexp.MustCompile("(?:\\bt\\(`|\\bword\\(')([a-z_.]+)(?:\\.\\$|')")
)

func TestEveryTextOfTheConsoleIsInItsCatalogues(t *testing.T) {
	en := catalogue(t, "en")
	used := 0
	err := filepath.WalkDir("../../web/console/src", func(path string, d fs.DirEntry, err error) error {
		if err != nil || !(strings.HasSuffix(path, ".ts") || strings.HasSuffix(path, ".tsx")) || strings.Contains(path, ".test.") {
			return err
		}
		src, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, m := range usedKey.FindAllStringSubmatch(string(src), -1) {
			used++
			if en[m[1]] == "" && en[m[1]+"_other"] == "" {
				t.Errorf("%s shows %s, which no catalogue has", path, m[1])
			}
		}
		for _, m := range usedPrefix.FindAllStringSubmatch(string(src), -1) {
			used++
			found := false
			for key := range en {
				found = found || strings.HasPrefix(key, m[1]+".")
			}
			if !found {
				t.Errorf("%s shows texts below %s, but there are none", path, m[1])
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if used < 80 {
		t.Errorf("only %d uses of texts found; does the pattern still fit the code?", used)
	}
}
