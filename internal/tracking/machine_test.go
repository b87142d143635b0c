package tracking

import (
	"net/http/httptest"
	"testing"

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
