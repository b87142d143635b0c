package httpapi_test

import "testing"

func TestSampleScenarios(t *testing.T) {
	w := newWorld(t)
	full := w.business()
	play(t, w, full, []scenario{
		{do: "GET /sample", status: 200, has: `"present":false | "may_add":false`},
		{do: "POST /sample", body: `{"locale":"en"}`, status: 409, has: "sample.not_empty"},
		{as: "viewer", do: "POST /sample/removal", status: 403},
		{as: "agent", do: "POST /sample", body: `{"locale":"en"}`, status: 403},
	})
	b := &business{tenant: w.tenant("Empty"), ids: map[string]string{}}
	b.make(w, "own", "POST /segments", `{"name":"Mine from before","rule":{"trait":{"path":"a","op":"exists"}}}`)
	play(t, w, b, []scenario{
		{do: "GET /sample", status: 200, has: `"present":false | "may_add":true`},
		{do: "POST /sample", body: `{"locale":"ja"}`, status: 202, has: `"kind":"sample_add"`, keep: "adding"},
	})
	w.work()
	w.settle()
	w.evaluate()
	var look struct {
		Things []struct{ Noun, ID, Name string }
	}
	w.ok(b.key, "GET /sample", "", &look)
	for _, x := range look.Things {
		if x.Name == "Sample one" {
			b.ids["one"] = x.ID
		}
	}
	b.make(w, "mine", "POST /segments", b.expand(w, `{"name":"Mine","rule":{"segment":{"id":"$one","in":true}}}`))
	b.make(w, "topic", "POST /topics", `{"name":"My news"}`)
	play(t, w, b, []scenario{
		{do: "GET /jobs/$adding", status: 200, has: `"state":"done"`},
		{do: "GET /audit?noun=sample", status: 200, has: `"action":"sample.add"`},
		{do: "GET /people?identifier=user_id:sample-1", status: 200, has: `"id":"per_`},
		{do: "GET /sample", status: 200, has: `"present":true | "people":2 | "name":"Sample two" | "name":"Sample shop" | "kept":[{"noun":"segment","id":"$one","name":"Sample one","for":[{"noun":"segment","id":"$mine","name":"Mine"}]}]`, not: "My news | Mine from before"},
		{do: "POST /sample/removal", status: 202, keep: "removing"},
		{do: "POST /sample", body: `{"locale":"en"}`, status: 409, has: "sample.busy"},
	})
	w.work()
	w.settle()
	play(t, w, b, []scenario{
		{do: "GET /jobs/$removing", status: 200, has: `"state":"done" | "people_removed":2 | "kept":1`},
		{do: "GET /sample", status: 200, has: `"present":false | "may_add":true`},
		{do: "GET /people", status: 200, has: `"items":[]`},
		{do: "GET /stats", status: 200, has: `"people":0`},
		{do: "GET /segments", status: 200, has: "Mine from before | Sample one", not: "Sample two"},
		{do: "GET /sources", status: 200, not: "Sample shop"},
		{do: "GET /topics", status: 200, has: "My news"},
		{do: "POST /sample", body: `{"locale":"en"}`, status: 202},
	})
	play(t, w, full, []scenario{
		{do: "GET /people?identifier=user_id:aya", status: 200, has: `"id":"$aya"`},
	})
}

func TestAnImportIsTakenBackAsFarAsThatIsHonest(t *testing.T) {
	w := newWorld(t)
	b := w.business()
	b.make(w, "file", "POST /uploads", "user;city\nback-1;Kyoto\nback-2;Osaka\nben;Nara\n")
	plan := `"layout":{"form":"delimited","encoding":"utf-8","delimiter":"semicolon","header":true},"plan":{"columns":[{"name":"user","to":"identifier","key":"user_id"},{"name":"city","to":"trait","key":"city"}]}`
	play(t, w, b, []scenario{
		{do: "POST /imports", body: `{"upload":"$file",` + plan + `}`, status: 202, keep: "file_job"},
		{do: "GET /imports/$file_job/undo", status: 409, has: "import.running"},
		{do: "GET /imports/$job/undo", status: 404},
	})
	w.work()
	w.feed(track(b.ws, "came", "back-2", "Came", `{}`, start))
	play(t, w, b, []scenario{
		{do: "GET /imports/$file_job/undo", status: 200, has: `"removed":1 | "kept":2`},
		{as: "viewer", do: "POST /imports/$file_job/undo", status: 403},
		{as: "marketer", do: "POST /imports/$file_job/undo", status: 202, has: `"kind":"import_undo"`, keep: "undo_job"},
	})
	w.work()
	w.settle()
	play(t, w, b, []scenario{
		{do: "GET /jobs/$undo_job", status: 200, has: `"state":"done" | "people_removed":1 | "people_kept":2`},
		{do: "GET /people?identifier=user_id:back-1", status: 200, has: `"items":[]`},
		{do: "GET /people?identifier=user_id:back-2", status: 200, has: `Osaka`},
		{do: "GET /people?identifier=user_id:ben", status: 200, has: `Nara`},
	})
	// What was taken back can be imported again.
	b.make(w, "again", "POST /uploads", "user;city\nback-1;Kyoto\nback-2;Osaka\nben;Nara\n")
	w.ok(b.key, "POST /imports", b.expand(w, `{"upload":"$again",`+plan+`}`), nil)
	w.work()
	play(t, w, b, []scenario{{do: "GET /people?identifier=user_id:back-1", status: 200, has: `Kyoto`}})
}
