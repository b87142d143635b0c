// Package console serves the console at "/": the application of web/console, embedded.
//
// Owns: the files as they are packed, how they are cached, and their security headers. Does not own: data; the application speaks
// to /api/v1 like any other client. Texts are in web/console/src/i18n, one catalogue a language, and a test here holds them complete.
package console

import (
	"bytes"
	"compress/gzip"
	"crypto/rand"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/hex"
	"io"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
)

// The console built from web/console is packed into dist/app by `make build`. A plain `go build` of a fresh checkout finds the
// placeholder only, which says so.
//
//go:embed all:dist
var built embed.FS

// appPolicy: scripts and style sheets come from here only. Style elements carry the page's nonce (the component kit writes its
// variables into one); style attributes are allowed because charts and scroll locks set them. Frames are for mails, shown sandboxed.
const appPolicy = "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-%NONCE%'; style-src-attr 'unsafe-inline'; img-src 'self' data: blob:; " +
	"font-src 'self'; connect-src 'self' data:; frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; object-src 'none'"

const nonceMark = "__CSP_NONCE__" // in index.html, see web/console/index.html

// asset is one file, in the forms that it is served in.
type asset struct {
	kind   string // content type
	etag   string
	plain  []byte // nil if only packed forms exist
	gzip   []byte
	brotli []byte
}

type app struct {
	page   []byte // index.html or the placeholder
	assets map[string]asset
}

// Handler serves the console: its files, and its page at every other path, because paths are routes of the page.
func Handler() http.Handler {
	a, err := load(built)
	if err != nil {
		panic(err) // the folder is embedded
	}
	return a
}

func load(files fs.FS) (*app, error) {
	a := &app{assets: map[string]asset{}}
	page, err := fs.ReadFile(files, "dist/app/index.html")
	if err != nil {
		a.page, err = fs.ReadFile(files, "dist/placeholder.html")
		return a, err
	}
	a.page = page
	root, err := fs.Sub(files, "dist/app")
	if err != nil {
		return nil, err
	}
	return a, fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || name == "index.html" {
			return err
		}
		raw, err := fs.ReadFile(root, name)
		if err != nil {
			return err
		}
		served := strings.TrimSuffix(strings.TrimSuffix(name, ".gz"), ".br")
		f := a.assets["/"+served]
		f.kind = mime.TypeByExtension(path.Ext(served))
		switch path.Ext(name) {
		case ".gz":
			f.gzip = raw
			sum := sha256.Sum256(raw)
			f.etag = `"` + hex.EncodeToString(sum[:8]) + `"`
		case ".br":
			f.brotli = raw
		default:
			f.plain = raw
			sum := sha256.Sum256(raw)
			f.etag = `"` + hex.EncodeToString(sum[:8]) + `"`
		}
		a.assets["/"+served] = f
		return nil
	})
}

func (a *app) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin")
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		h.Set("Allow", "GET, HEAD")
		http.Error(w, "this address takes GET", http.StatusMethodNotAllowed)
		return
	}
	if f, ok := a.assets[r.URL.Path]; ok {
		f.serve(w, r)
		return
	}
	if strings.HasPrefix(r.URL.Path, "/assets/") { // a script that is gone must not come as a page
		http.NotFound(w, r)
		return
	}
	nonce := make([]byte, 16)
	_, _ = rand.Read(nonce) // never fails
	code := base64.RawURLEncoding.EncodeToString(nonce)
	h.Set("Content-Security-Policy", strings.Replace(appPolicy, "%NONCE%", code, 1))
	h.Set("Cache-Control", "no-store") // the nonce is for one answer
	h.Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write(bytes.ReplaceAll(a.page, []byte(nonceMark), []byte(code)))
}

func (f asset) serve(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", f.kind)
	h.Set("Etag", f.etag)
	h.Set("Vary", "Accept-Encoding")
	if strings.HasPrefix(r.URL.Path, "/assets/") {
		h.Set("Cache-Control", "public, max-age=31536000, immutable") // the name changes with the content
	} else {
		h.Set("Cache-Control", "public, max-age=3600")
	}
	if r.Header.Get("If-None-Match") == f.etag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	accept := r.Header.Get("Accept-Encoding")
	switch {
	case f.brotli != nil && strings.Contains(accept, "br"):
		h.Set("Content-Encoding", "br")
		_, _ = w.Write(f.brotli)
	case f.gzip != nil && strings.Contains(accept, "gzip"):
		h.Set("Content-Encoding", "gzip")
		_, _ = w.Write(f.gzip)
	case f.plain != nil:
		_, _ = w.Write(f.plain)
	default:
		unpacked, err := gzip.NewReader(bytes.NewReader(f.gzip))
		if err != nil {
			http.Error(w, "this file was not packed well; build anew with make build", http.StatusInternalServerError)
			return
		}
		_, _ = io.Copy(w, unpacked)
	}
}
