package collect

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

const (
	// bodyPatience is how long a body may take to arrive.
	bodyPatience = 30 * time.Second
	// maxKept is the size from which memory is left to the garbage collector rather than kept for the next request.
	maxKept = 4 << 20
)

// work is the memory of one request, used again by later ones.
type work struct {
	sent, unpacked bytes.Buffer
	env            envelope
	scratch        []byte
	gzip           gzip.Reader

	h    *Handler
	held int64 // bytes of h.bodies that this request accounts for
}

// body reads a body of at most limit bytes, decompressed. The memory belongs to the caller until release. What all
// requests hold at once is bounded: over it, they are turned away with errs.KindUnavailable.
func (h *Handler) body(w http.ResponseWriter, r *http.Request, limit int) (wk *work, body []byte, release func(), err error) {
	wk = h.pool.Get().(*work)
	wk.h, wk.held = h, 0
	release = func() {
		h.bodies.Add(-wk.held)
		if wk.sent.Cap()+wk.unpacked.Cap()+cap(wk.env.s.out)+cap(wk.scratch) <= maxKept {
			h.pool.Put(wk)
		}
	}
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(bodyPatience)) // some servers cannot
	body, err = wk.read(r, limit)
	if err == nil {
		err = wk.hold(2 * len(body)) // what is made of it: the text again, and the lines of the log
	}
	if err != nil {
		release()
		return nil, nil, nil, err
	}
	return wk, body, release, nil
}

// hold accounts for n more bytes.
func (wk *work) hold(n int) error {
	wk.held += int64(n)
	if wk.h.bodies.Add(int64(n)) > wk.h.c.MaxBodies {
		return errs.Unavailable("intake.busy", "too many requests are being read; try again in a moment")
	}
	return nil
}

// read returns the body, decompressed. Gzip is told by its header field, and by its first bytes for clients that forget
// the field.
func (wk *work) read(r *http.Request, limit int) ([]byte, error) {
	encoding := strings.ToLower(strings.TrimSpace(r.Header.Get("Content-Encoding")))
	isGzip := encoding == "gzip" || encoding == "x-gzip"
	if !isGzip && encoding != "" && encoding != "identity" {
		return nil, errs.Invalid("body.encoding", "", "content encoding %.40q is not supported; send gzip or none", encoding)
	}
	// A gzip body is never much longer than its text.
	if err := wk.fill(&wk.sent, r.Body, limit, limit/64+64); err != nil {
		if errs.KindOf(err) == errs.KindInternal {
			err = errs.Unavailable("request.aborted", "the body did not arrive whole; send it again").With(err)
		}
		return nil, err
	}
	body := wk.sent.Bytes()
	switch isMagic := len(body) >= 2 && body[0] == 0x1f && body[1] == 0x8b; {
	case isGzip && !isMagic && len(body) > 0:
		return nil, badGzip(nil)
	case !isMagic && len(body) > limit:
		return nil, tooLarge(limit)
	case !isMagic:
		return body, nil
	}
	if err := wk.gzip.Reset(bytes.NewReader(body)); err != nil {
		return nil, badGzip(err)
	}
	if err := wk.fill(&wk.unpacked, &wk.gzip, limit, 0); err != nil {
		if errs.KindOf(err) == errs.KindInternal {
			err = badGzip(err)
		}
		return nil, err
	}
	return wk.unpacked.Bytes(), nil
}

// fill reads at most limit+slack bytes, holding them as they come. An error that is no errs.Error is the reader's.
func (wk *work) fill(into *bytes.Buffer, from io.Reader, limit, slack int) error {
	into.Reset()
	n, err := into.ReadFrom(readFunc(func(p []byte) (int, error) {
		left := limit + slack + 1 - into.Len()
		if left <= 0 {
			return 0, io.EOF
		}
		n, err := from.Read(p[:min(len(p), left)])
		if busy := wk.hold(n); busy != nil {
			return n, busy
		}
		return n, err
	}))
	if err == nil && n > int64(limit+slack) {
		return tooLarge(limit)
	}
	return err
}

type readFunc func([]byte) (int, error)

func (f readFunc) Read(p []byte) (int, error) { return f(p) }

func tooLarge(limit int) error {
	return errs.Invalid("body.too_large", "", "the body has more than %d bytes, decompressed; send less at once", limit)
}

func badGzip(cause error) error {
	return errs.Invalid("body.gzip", "", "the body is not valid gzip").With(cause)
}

// basicWithoutColon returns the user of a Basic header whose author forgot the colon after it.
func basicWithoutColon(header string) string {
	scheme, token, _ := strings.Cut(header, " ")
	if !strings.EqualFold(scheme, "Basic") {
		return ""
	}
	user, err := base64.StdEncoding.DecodeString(strings.TrimSpace(token))
	if err != nil || bytes.IndexByte(user, ':') >= 0 {
		return ""
	}
	return string(user)
}
