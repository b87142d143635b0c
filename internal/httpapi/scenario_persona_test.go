package httpapi_test

import (
	"bytes"
	"encoding/base64"
	"image"
	"image/png"
	"testing"
)

func TestPersonaScenarios(t *testing.T) {
	w := newWorld(t)
	b := w.business()
	draw := func(side int) string {
		var out bytes.Buffer
		w.must(png.Encode(&out, image.NewGray(image.Rect(0, 0, side, side))))
		return "data:image/png;base64," + base64.StdEncoding.EncodeToString(out.Bytes())
	}
	picture := draw(8)
	play(t, w, b, []scenario{
		{do: "POST /personas", body: `{"name":" "}`, status: 422, has: `"field":"name" | "code":"persona.name"`},
		{do: "POST /personas", body: `{"name":"Keiko","age_from":40,"age_to":30}`, status: 422, has: `"field":"age_to"`},
		{do: "POST /personas", body: `{"name":"Keiko","segment_id":"seg_none"}`, status: 422, has: `"field":"segment_id" | seg_none`},
		{do: "POST /personas", body: `{"name":"Keiko","picture":"data:image/svg+xml;base64,PHN2Zy8+"}`, status: 422, has: `"field":"picture" | JPEG`},
		{do: "POST /personas", body: `{"name":"Keiko","picture":"https://elsewhere.example/p.png"}`, status: 422, has: `"field":"picture" | data URL`},
		{do: "POST /personas", body: `{"name":"Keiko","picture":"` + draw(641) + `"}`, status: 422, has: `"field":"picture" | 641`},
		{as: "agent", do: "POST /personas", body: `{"name":"Keiko"}`, status: 403},
		{
			do: "POST /personas", status: 201, keep: "keiko",
			body: `{"name":"Keiko","role":"Nurse in Kobe","age_from":30,"age_to":39,"goals":["rest"," ","rest"],"words":["ひと息"],"channels":["email"],"segment_id":"$segment","picture":"` + picture + `"}`,
			has:  `"colour":1 | "goals":["rest"] | "size":3 | "revision":1 | ` + picture,
		},
		{do: "POST /personas", body: `{"name":"KEIKO"}`, status: 409, has: `"code":"persona.name.taken"`},
		{do: "GET /personas?q=kobe", status: 200, has: `"name":"Keiko" | "size":3`, not: "Zanzibar Zoe"},
		{do: "GET /segments/$segment/users", status: 200, has: `"noun":"persona" | "name":"Keiko"`},
		{do: "PUT /personas/$keiko", body: `{"name":"Keiko","segment_id":"$segment","revision":1}`, status: 200, has: `"revision":2 | ` + picture, not: "Kobe"},
		{do: "PUT /personas/$keiko", body: `{"name":"Keiko B","revision":1}`, status: 409, has: `"code":"persona.changed"`},
		{do: "PUT /personas/$keiko", body: `{"name":"Keiko C","picture":"","segment_id":"$segment","revision":0}`, status: 200, has: `"revision":3`, not: "data:image"},
		{do: "GET /personas/$keiko/reality", status: 200, has: `"people":3 | "everyone": | "age":{"known": | "traits":[ | "channels":[`},
		{as: "analyst", do: "GET /personas/$keiko", status: 200, has: `"name":"Keiko C"`},
		{do: "PUT /personas/$keiko", body: `{"name":"Keiko C","revision":3}`, status: 200, not: `"size"`},
		{do: "GET /personas/$keiko/reality", status: 409, has: `"code":"persona.no_segment"`},
		{do: "DELETE /personas/$keiko", status: 204},
		{do: "GET /personas/$keiko", status: 404, has: `"code":"persona.not_found"`},
		{do: "DELETE /personas/$keiko", status: 404},
		{do: "POST /segments", body: `{"name":"Just made","rule":{"trait":{"path":"country","op":"eq","value":"JP"}}}`, status: 201, keep: "made"},
		{do: "POST /personas", body: `{"name":"Mei","segment_id":"$made"}`, status: 201, has: `"size":0 | "unsettled":true`, keep: "mei"},
		{do: "GET /personas/$mei/reality", status: 200, has: `"people":0 | "unsettled":true`},
	})
	w.evaluate()
	play(t, w, b, []scenario{
		{do: "GET /personas/$mei", status: 200, has: `"size":3`, not: "unsettled"},
		{do: "GET /personas/$mei/reality", status: 200, has: `"people":3 | "unsettled":false`},
	})
}
