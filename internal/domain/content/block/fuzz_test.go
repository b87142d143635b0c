package block_test

import (
	"testing"

	"github.com/kizuna-cx/kizuna/internal/domain/content/block"
	"github.com/kizuna-cx/kizuna/internal/domain/content/liquid"
)

// FuzzDocument holds that whatever parses compiles, that what is compiled parses as Liquid, and that reading a document again changes nothing.
func FuzzDocument(f *testing.F) {
	for _, one := range sample {
		f.Add(document(one))
	}
	o := options("ja")
	f.Fuzz(func(t *testing.T, doc string) {
		d, err := block.Parse([]byte(doc))
		if err != nil {
			return
		}
		again, err := block.Parse(d.Encode())
		if err != nil || string(again.Encode()) != string(d.Encode()) {
			t.Fatalf("%s is read as %s: %v", d.Encode(), again.Encode(), err)
		}
		if len(d.Snippets()) > 0 {
			return // those that are not there are refused
		}
		out, err := block.Compile(d, o)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := liquid.Parse(out.HTML, liquid.HTML, liquid.Limits{Source: 8 << 20}); err != nil {
			t.Fatalf("%s\nbecame %s\n%v", doc, out.HTML, err)
		}
		if _, err := liquid.Parse(out.Text, liquid.Text, liquid.Limits{Source: 8 << 20}); err != nil {
			t.Fatalf("%s\nbecame %s\n%v", doc, out.Text, err)
		}
	})
}
