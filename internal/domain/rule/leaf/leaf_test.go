package leaf

import (
	"math"
	"regexp"
	"testing"
	"time"
)

func TestTimesInTexts(t *testing.T) {
	for s, want := range map[string]string{
		"2026-05-01": "2026-05-01T00:00:00Z", "2026-05-01T09:30:00Z": "2026-05-01T09:30:00Z", "2026-05-01T09:30:00.1234567+09:00": "2026-05-01T00:30:00.123456Z",
		"2026-02-30": "", "2026-5-1": "", "2026-05-01T09:30:00": "", "2026-05-01 09:30:00Z": "", "0999-01-01": "", "2026-05-01T24:00:00Z": "", "": "", "yesterday": "",
	} {
		us, ok := ParseTime(s)
		got := ""
		if ok {
			got = time.UnixMicro(us).UTC().Format(time.RFC3339Nano)
		}
		if got != want {
			t.Errorf("%q is %q, want %q", s, got, want)
		}
	}
}

func TestSharesAreEvenAndStable(t *testing.T) {
	// The first 32 bits of md5("x:per_1"), computed elsewhere. People must not change sides when the code does.
	if got := Share("x", "per_1"); got != 53.317619347944856 {
		t.Errorf("share %v, want 53.317619347944856", got)
	}
	var tenths [10]int
	for i := range 20_000 {
		s := Share("spring", "per_"+time.UnixMicro(int64(i)).String())
		if s < 0 || s >= 100 {
			t.Fatalf("share %v is outside of [0, 100)", s)
		}
		tenths[int(s/10)]++
	}
	for i, n := range tenths {
		if math.Abs(float64(n)-2000) > 200 {
			t.Errorf("tenth %d has %d of 20,000 people", i, n)
		}
	}
}

func TestPointersNameEveryKey(t *testing.T) {
	for want, p := range map[string]Path{"/a/b": {"a", "b"}, "/a~1b~0c": {"a/b~c"}, "/é x": {"é x"}} {
		if got := p.Pointer(); got != want {
			t.Errorf("%q is %s, want %s", p, got, want)
		}
	}
}

func TestEveryKindIsDocumentedAndNamed(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range Catalog() {
		if s.Title == "" || seen[s.Kind] || !regexp.MustCompile(`^[a-z]+$`).MatchString(s.Kind) {
			t.Errorf("kind %q, title %q: kinds are unique lower-case words with a title", s.Kind, s.Title)
		}
		seen[s.Kind] = true
	}
}

func TestNearestWord(t *testing.T) {
	for word, want := range map[string]string{"evnt": "event", "EVENT": "event", "ordr": "order", "": "event"} {
		if got := Nearest(word, []string{"event", "order", "trait"}); got != want {
			t.Errorf("nearest to %q is %q, want %q", word, got, want)
		}
	}
}
