package block_test

import (
	"strings"

	"golang.org/x/net/html"
)

// tags returns every tag that a browser would see whose name or attribute names could do something.
func tags(doc string) (out []string) {
	z := html.NewTokenizer(strings.NewReader(doc))
	for {
		switch z.Next() {
		case html.ErrorToken:
			return out
		case html.StartTagToken, html.SelfClosingTagToken:
			tok := z.Token()
			s := tok.Data
			for _, a := range tok.Attr {
				s += " " + a.Key
				if strings.HasPrefix(a.Key, "on") {
					s += "=" + a.Val + " evil"
				}
			}
			if tok.Data == "script" {
				s += " evil"
			}
			out = append(out, s)
		}
	}
}
