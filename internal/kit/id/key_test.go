package id

import (
	"strings"
	"testing"
)

func TestKeyLeavesPlainTextAloneAndHashesTheRest(t *testing.T) {
	for _, plain := range []string{"", "A-1001", "注文 7", strings.Repeat("x", maxKey)} {
		if got := Key(plain); got != plain {
			t.Errorf("Key(%q) = %q", plain, got)
		}
	}
	seen := map[string]string{}
	for _, odd := range []string{"a\x00b", "a\x00", "a\ufffdb", "\xff\xfe", "a\nb", strings.Repeat("x", maxKey+1), strings.Repeat("x", 1<<20)} {
		got := Key(odd)
		if got == odd || len(got) > maxKey || strings.ContainsAny(got, "\x00\n") {
			t.Errorf("Key(%.20q) = %q", odd, got)
		}
		if other, ok := seen[got]; ok {
			t.Errorf("%.20q and %.20q have the same key", odd, other)
		}
		seen[got] = odd
		if Key(odd) != got {
			t.Error("not the same twice")
		}
	}
}
