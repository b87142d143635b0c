package httpapi_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

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
