package outbox

import (
	"embed"
	"encoding/json"
	"strings"
	"sync"
)

//go:embed catalog/*.json
var catalogFiles embed.FS

// catalogs holds the words of the mails that the product writes itself, by language.
var catalogs = sync.OnceValue(func() map[string]map[string]string {
	out := map[string]map[string]string{}
	for _, locale := range []string{"en", "zh-Hans", "ja"} {
		raw, err := catalogFiles.ReadFile("catalog/" + locale + ".json")
		if err != nil {
			panic(err) // embedded
		}
		words := map[string]string{}
		if err := json.Unmarshal(raw, &words); err != nil {
			panic(err)
		}
		out[locale] = words
	}
	return out
})

// wordsFor returns the words in the language of a BCP 47 tag, English if there are none.
func wordsFor(locale string) map[string]string {
	switch l, _, _ := strings.Cut(strings.ToLower(strings.ReplaceAll(locale, "_", "-")), "-"); l {
	case "zh":
		return catalogs()["zh-Hans"]
	case "ja":
		return catalogs()["ja"]
	}
	return catalogs()["en"]
}
