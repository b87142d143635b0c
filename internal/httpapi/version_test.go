package httpapi_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
)

type pastVersion struct {
	Revision int64  `json:"revision"`
	SavedBy  string `json:"saved_by"`
	Document struct {
		Name string `json:"name"`
	} `json:"document"`
}

func TestWhatSegmentsCampaignsAndSeriesSaidBeforeIsKept(t *testing.T) {
	w := newWorld(t)
	b := w.tenant("Versions")
	read := func(path string) (all []pastVersion) {
		t.Helper()
		for cursor := ""; ; {
			var page struct {
				Items []pastVersion `json:"items"`
				Next  string        `json:"next_cursor"`
			}
			w.ok(b.key, "GET "+path+"/versions?limit=40&cursor="+cursor, "", &page)
			all = append(all, page.Items...)
			if cursor = page.Next; cursor == "" {
				return all
			}
		}
	}
	make := func(path, body string) string {
		t.Helper()
		var made struct {
			ID string `json:"id"`
		}
		w.ok(b.key, "POST "+path, body, &made)
		return path + "/" + made.ID
	}
	const rule = `"rule":{"trait":{"path":"country","op":"eq","value":"JP"}}`
	seg := make("/segments", `{"name":"first",`+rule+`}`)
	id := strings.TrimPrefix(seg, "/segments/")
	draft := `"audience":{"include":["` + id + `"]}`
	cmp := make("/campaigns", `{"name":"first",`+draft+`}`)
	srs := make("/series", `{"name":"first",`+draft+`,"schedule":{"every":"day","at":"09:00"}}`)
	for path, edit := range map[string]func(name string) (what, body string){
		seg: func(name string) (string, string) { return "PATCH " + seg, `{"name":"` + name + `"}` },
		cmp: func(name string) (string, string) { return "PUT " + cmp, `{"name":"` + name + `",` + draft + `}` },
		srs: func(name string) (string, string) {
			return "PUT " + srs, `{"name":"` + name + `",` + draft + `,"schedule":{"every":"day","at":"09:00"}}`
		},
	} {
		for n := range 120 {
			what, body := edit(fmt.Sprintf("edit %d", n))
			w.ok(b.key, what, body, nil)
		}
		all := read(path)
		if len(all) != 100 || all[0].Document.Name != "edit 119" || all[99].Document.Name != "edit 20" || all[0].SavedBy == "" {
			t.Errorf("%s keeps %d versions, the newest %+v", path, len(all), all[0])
		}
		what, body := edit("again")
		if r := w.call(what, asked{key: b.key, body: strings.Replace(body, `{"name"`, `{"revision":1,"name"`, 1)}); r.Code != http.StatusConflict {
			t.Errorf("%s over an old one: %d %s", what, r.Code, r.Body)
		}
		if again := read(path); again[0] != all[0] {
			t.Errorf("a refused edit is among the versions: %+v", again[0])
		}
	}
	// What was there before versions were kept is one of them too, once it is changed.
	if _, err := w.db.Exec(t.Context(), `DELETE FROM thing_version`); err != nil {
		t.Fatal(err)
	}
	w.ok(b.key, "PATCH "+seg, `{"name":"new"}`, nil)
	if all := read(seg); len(all) != 2 || all[1].Document.Name != "edit 119" || all[1].SavedBy != "" {
		t.Errorf("%+v", all)
	}
	w.ok(b.key, "PUT "+cmp, `{"name":"new",`+draft+`}`, nil)
	if r := w.call("DELETE "+cmp, asked{key: b.key}); r.Code != http.StatusNoContent {
		t.Fatalf("delete: %d %s", r.Code, r.Body)
	}
	left, err := sqldb.One(t.Context(), w.db, sqldb.Value[int], `SELECT count(*) FROM thing_version WHERE kind = 'campaign'`)
	if err != nil || left != 0 {
		t.Errorf("%d versions of a campaign that was deleted: %v", left, err)
	}
}

// dot is the smallest picture.
const dot = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC"

// A journey map saves itself at every touch: what one member changes without an hour's rest is one version, and what an old one that is taken up again replaces stays.
func TestWhatJourneyMapsAndPersonasSaidBeforeIsKept(t *testing.T) {
	w := newWorld(t)
	b, other := w.tenant("Versions"), w.tenant("Others")
	names := func(path string) string {
		t.Helper()
		var page struct{ Items []pastVersion }
		w.ok(b.key, "GET "+path+"/versions", "", &page)
		out := []string{}
		for _, v := range page.Items {
			if v.SavedBy == "" {
				v.Document.Name += " (before)"
			}
			out = append(out, v.Document.Name)
		}
		if r := w.call("GET "+path+"/versions", asked{key: other.key}); r.Code != http.StatusNotFound {
			t.Errorf("another workspace reads %s: %d %s", path, r.Code, r.Body)
		}
		return strings.Join(out, ", ")
	}
	expect := func(what, path, want string) {
		t.Helper()
		if got := names(path); got != want {
			t.Errorf("%s: %s, want %s", what, got, want)
		}
	}
	make := func(path, body string) string {
		t.Helper()
		var made struct {
			ID string `json:"id"`
		}
		w.ok(b.key, "POST "+path, body, &made)
		return path + "/" + made.ID
	}
	plan, face := make("/journey-maps", `{"name":"one"}`), make("/personas", `{"name":"one","colour":2,"picture":"`+dot+`"}`)
	put := func(path, name, more string) {
		t.Helper()
		w.ok(b.key, "PUT "+path, `{"name":"`+name+`","revision":0`+more+`}`, nil)
	}
	for _, name := range []string{"two", "three"} {
		put(plan, name, `,"stages":[]`)
		put(face, name, "")
	}
	expect("changes in a row", plan, "three")
	expect("saved by hand", face, "three, two, one")
	w.clock.Advance(61 * time.Minute)
	put(plan, "four", `,"stages":[]`)
	put(plan, "one", `,"stages":[],"apart":true`)
	expect("one is taken up again", plan, "one, four, three")
	put(plan, "one more", `,"stages":[]`)
	expect("and changed on", plan, "one more, four, three")
	if r := w.call("PUT "+plan, asked{key: b.key, body: `{"name":"x","revision":1,"stages":[]}`}); r.Code != http.StatusConflict {
		t.Errorf("over an old one: %d %s", r.Code, r.Body)
	}
	if r := w.call("GET "+face+"/versions", asked{key: b.key}); strings.Contains(r.Body.String(), "data:image") {
		t.Error("a picture is kept with each version")
	}
	var now struct{ Picture string }
	w.ok(b.key, "GET "+face, "", &now)
	if now.Picture != dot {
		t.Errorf("the picture is %q", now.Picture)
	}
	// What was there before versions were kept.
	if _, err := w.db.Exec(t.Context(), `DELETE FROM thing_version`); err != nil {
		t.Fatal(err)
	}
	put(plan, "new", `,"stages":[]`)
	put(face, "new", "")
	expect("first change", plan, "new, one more (before)")
	expect("first change", face, "new, three (before)")
	for _, path := range []string{plan, face} {
		if r := w.call("DELETE "+path, asked{key: b.key}); r.Code != http.StatusNoContent {
			t.Fatalf("delete: %d %s", r.Code, r.Body)
		}
	}
	left, err := sqldb.One(t.Context(), w.db, sqldb.Value[int], `SELECT count(*) FROM thing_version`)
	if err != nil || left != 0 {
		t.Errorf("%d versions of what was deleted: %v", left, err)
	}
}
