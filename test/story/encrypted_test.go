package story_test

import (
	"archive/zip"
	"bytes"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
	"github.com/kizuna-cx/kizuna/test/harness"
)

// A value that is kept encrypted stands in no byte on disk, whichever way it came; it can be revealed and is given out to whose it is; and once they are erased,
// nothing encrypted is left either.
func TestAnEncryptedValueIsInNoByteOnDisk(t *testing.T) {
	for _, kind := range []sqldb.Dialect{sqldb.SQLite, sqldb.Postgres} {
		t.Run(string(kind), func(t *testing.T) { encrypted(t, kind) })
	}
}

func encrypted(t *testing.T, kind sqldb.Dialect) {
	env := database(t, kind)
	s := harness.Start(t, env...)
	secret := marked{"zanzibar5c1e44sealed"}
	sealed := marked{event.SealedMark} // what begins every encrypted value
	s.Must("PUT", "/privacy-rules", `{"fields":[{"path":"traits.ssn","action":"encrypt"},{"path":"properties.card","action":"encrypt"}],"consent":[],"unasked":true}`, nil)
	type kept struct {
		ID         string
		Traits     map[string]any
		Properties map[string]any
		Encrypted  []string
	}
	s.Eventually(time.Minute, "the rules hold", func() bool {
		var e kept
		if !s.Send(harness.Event{"type": "track", "event": "Tried", "userId": "u1", "properties": map[string]any{"card": "not the secret"}}) {
			return false
		}
		var last struct {
			Items []struct {
				ID string `json:"message_id"`
			}
		}
		s.Must("GET", "/events?limit=1&name=Tried", nil, &last)
		if len(last.Items) == 0 {
			return false
		}
		s.Must("GET", "/events/"+last.Items[0].ID, nil, &e)
		return slices.Contains(e.Encrypted, "properties.card")
	})
	if !s.Send(
		harness.Event{"type": "identify", "userId": "u1", "messageId": "i1", "traits": map[string]any{"ssn": secret.note(), "plan": "pro"}},
		harness.Event{"type": "track", "event": "Paid", "userId": "u1", "messageId": "p1", "properties": map[string]any{"card": map[string]any{"number": secret.note()}, "n": 1}},
	) {
		t.Fatal("events not taken")
	}
	var p, e, made kept
	s.Eventually(time.Minute, "both events have arrived", func() bool {
		id := who(s, "u1")
		if id == "" || s.Do("GET", "/events/p1", nil, &e) != http.StatusOK {
			return false
		}
		p = kept{}
		s.Must("GET", "/people/"+id, nil, &p)
		return p.Traits["plan"] == "pro"
	})
	if p.Traits["ssn"] != nil || !slices.Contains(p.Encrypted, "traits.ssn") || e.Properties["card"] != nil || e.Properties["n"] == nil || !slices.Contains(e.Encrypted, "properties.card") {
		t.Errorf("shown: %+v and %+v", p, e)
	}
	s.Must("POST", "/people", map[string]any{"identifiers": []map[string]string{{"kind": "user_id", "value": "u2"}}, "traits": map[string]any{"ssn": secret.note()}}, &made)
	s.Must("PATCH", "/people/"+made.ID+"/traits", map[string]any{"traits": map[string]any{"ssn": secret.note() + " again", "seen": true}, "idempotency_key": "k"}, nil)
	s.Eventually(time.Minute, "what staff wrote has arrived", func() bool {
		made.Traits = nil
		s.Must("GET", "/people/"+made.ID, nil, &made)
		return made.Traits["seen"] == true
	})
	reveal := func(person string, body map[string]any) any {
		t.Helper()
		var got struct{ Value any }
		s.Must("POST", "/people/"+person+"/reveal", body, &got)
		return got.Value
	}
	if got := reveal(p.ID, map[string]any{"field": "traits.ssn", "reason": "they asked"}); got != secret.note() {
		t.Errorf("the trait is %v", got)
	}
	if got, _ := reveal(p.ID, map[string]any{"field": "properties.card", "message_id": "p1", "reason": "they asked"}).(map[string]any); got["number"] != secret.note() {
		t.Errorf("the property is %v", got)
	}
	if got := reveal(made.ID, map[string]any{"field": "traits.ssn", "reason": "they asked"}); got != secret.note()+" again" {
		t.Errorf("what staff wrote is %v", got)
	}
	_, archive, err := s.Raw("GET", "/api/v1/people/"+p.ID+"/export", nil, "Bearer "+harness.APIKey)
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{"person.json", "traits.csv", "events.json"} {
		if !strings.Contains(unzipped(t, archive, file), secret.note()) {
			t.Errorf("%s does not give the value to whose it is", file)
		}
	}
	everywhere := func(m marked) (found []string) {
		t.Helper()
		s.Stop()
		defer s.Launch()
		found = filesWith(t, s.Dir, m)
		if kind == sqldb.Postgres {
			rows := dump(t, env[0][len("KIZUNA_DATABASE_URL="):])
			for line := range bytes.Lines(rows) {
				if slices.ContainsFunc(m.forms(), func(form []byte) bool { return bytes.Contains(line, form) }) {
					found = append(found, string(line[:min(len(line), 200)]))
				}
			}
		}
		return found
	}
	if found := everywhere(secret); len(found) > 0 {
		t.Errorf("the value stands in %v", found)
	}
	if len(everywhere(sealed)) == 0 {
		t.Fatal("the search would not find what is there")
	}
	for _, id := range []string{p.ID, made.ID} {
		var ask struct{ ID, State string }
		s.Must("POST", "/people/"+id+"/erasure", map[string]any{"mode": "forget"}, &ask)
		s.Eventually(2*time.Minute, "the erasure is done", func() bool {
			s.Do("GET", "/erasures/"+ask.ID, nil, &ask)
			return ask.State == "done"
		})
	}
	if found := everywhere(sealed); len(found) > 0 {
		t.Errorf("after the erasure something encrypted stands in %v", found)
	}
}

// unzipped returns a file of an archive.
func unzipped(t *testing.T, archive []byte, name string) string {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	if err != nil {
		t.Fatal(err)
	}
	f, err := z.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	raw, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}
