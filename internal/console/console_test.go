package console

import (
	"encoding/json"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"regexp"
	"sort"
	"strings"
	"testing"
)

var languages = []string{"en", "zh-Hans", "ja"}

func catalogue(t *testing.T, lang string) map[string]string {
	t.Helper()
	raw, err := files.ReadFile("page/i18n/" + lang + ".json")
	if err != nil {
		t.Fatal(err)
	}
	var texts map[string]string
	if err := json.Unmarshal(raw, &texts); err != nil {
		t.Fatalf("%s: %v", lang, err)
	}
	return texts
}

var place = regexp.MustCompile(`\{\w+\}`)

func places(s string) string {
	found := place.FindAllString(s, -1)
	sort.Strings(found)
	return strings.Join(found, " ")
}

func TestCataloguesAreCompleteAndKeepTheirPlaces(t *testing.T) {
	en := catalogue(t, "en")
	for _, lang := range languages[1:] {
		texts := catalogue(t, lang)
		for key, text := range en {
			other, ok := texts[key]
			switch {
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
	usedKey    = regexp.MustCompile(`\bt\('([\w.-]+)'[,)]`)
	usedPrefix = regexp.MustCompile(`\bt\('([\w.-]+[._])' \+`)
)

func TestEveryTextOfThePageIsInTheCatalogues(t *testing.T) {
	en := catalogue(t, "en")
	used := 0
	err := fs.WalkDir(files, "page", func(path string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".js") {
			return err
		}
		src, err := files.ReadFile(path)
		if err != nil {
			return err
		}
		for _, m := range usedKey.FindAllStringSubmatch(string(src), -1) {
			used++
			if _, ok := en[m[1]]; !ok {
				t.Errorf("%s shows %s, which no catalogue has", path, m[1])
			}
		}
		for _, m := range usedPrefix.FindAllStringSubmatch(string(src), -1) {
			used++
			found := false
			for key := range en {
				found = found || strings.HasPrefix(key, m[1])
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

func TestPageIsServedWithStrictHeaders(t *testing.T) {
	for path, want := range map[string]string{"/": "text/html; charset=utf-8", "/app.js": "text/javascript; charset=utf-8", "/i18n/ja.json": "application/json", "/style.css": "text/css; charset=utf-8"} {
		w := httptest.NewRecorder()
		Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		if w.Code != http.StatusOK || w.Header().Get("Content-Type") != want {
			t.Errorf("%s: %d %s, want 200 %s", path, w.Code, w.Header().Get("Content-Type"), want)
		}
		if got := w.Header().Get("Content-Security-Policy"); !strings.Contains(got, "default-src 'none'") || strings.Contains(got, "unsafe") {
			t.Errorf("%s: policy %q", path, got)
		}
	}
	w := httptest.NewRecorder()
	Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/views/", nil))
	if w.Code != http.StatusNotFound {
		t.Errorf("a folder is listed: %d", w.Code)
	}
}
