package tracking

import (
	"net/http/httptest"
	"testing"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
)

func TestTheListOfMachinesCanBeRead(t *testing.T) {
	m, err := readMachines(machinesText)
	if err != nil || len(m.agents) < 20 || len(m.proxies) < 2 || len(m.nets) < 5 {
		t.Fatalf("%+v %v", m, err)
	}
	for _, bad := range []string{"who knows", "net somewhere"} {
		if _, err := readMachines(bad); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}

func TestWhereARequestComesFromTells(t *testing.T) {
	const browser = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36"
	for ip, machine := range map[string]bool{"40.94.31.7": true, "::ffff:64.235.150.1": true, "198.51.100.7": false, "2001:db8::1": false, "": false} {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("User-Agent", browser)
		if got := known.judge(r, event.MessageClicked, ip); got.machine != machine {
			t.Errorf("from %q: %+v", ip, got)
		}
	}
	if got := known.judge(httptest.NewRequest("HEAD", "/", nil), event.MessageClicked, "198.51.100.7"); !got.machine {
		t.Error("a request for the head alone is a person's")
	}
}

func TestManyLinksAtOnceAreAScanners(t *testing.T) {
	var b bursts
	now := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	click := func(message, url string, after time.Duration) bool {
		return b.click(message, url, false, now.Add(after))
	}
	for i, c := range []struct {
		message, url string
		after        time.Duration
		want         bool
	}{
		{"a", "1", 0, false},
		{"a", "1", time.Second, false}, // somebody clicks twice, and thrice
		{"a", "1", 2 * time.Second, false},
		{"a", "2", 2 * time.Second, false},
		{"b", "3", 2 * time.Second, false}, // another message
		{"a", "3", 3 * time.Second, true},
		{"a", "1", 10 * time.Second, true}, // the same scanner goes on
		{"a", "1", 2 * time.Minute, false}, // a person, later
		{"a", "2", 2*time.Minute + 10*time.Second, false},
		{"a", "3", 2*time.Minute + 20*time.Second, false},
	} {
		if got := click(c.message, c.url, c.after); got != c.want {
			t.Errorf("click %d: %t", i, got)
		}
	}
	if !b.click("c", "x", true, now) || !b.click("c", "1", false, now.Add(time.Second)) {
		t.Error("who follows a link that nobody sees is taken for a person")
	}
	for i := range 3 * maxBursts {
		b.click(time.Duration(i).String(), "1", false, now)
	}
	if len(b.seen) > maxBursts {
		t.Errorf("%d messages are remembered", len(b.seen))
	}
}
