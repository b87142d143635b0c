package email

import (
	"bytes"
	"testing"

	"pgregory.net/rapid"
)

func TestMeasuringAndStuffingAgreeWithTheSlowWay(t *testing.T) {
	bytesOf := rapid.SliceOfN(rapid.SampledFrom([]byte("abc .\n\r\t\x00\x1f\x7e\x7f\x80\xff")), 0, 60)
	rapid.Check(t, func(rt *rapid.T) {
		text := bytesOf.Draw(rt, "text")
		odd, longest, line := 0, 0, 0
		var stuffed []byte
		for i, c := range text {
			if c == '.' && i > 0 && text[i-1] == '\n' {
				stuffed = append(stuffed, '.')
			}
			stuffed = append(stuffed, c)
			if c == '\n' {
				line = 0
				continue
			}
			if c >= 0x7F || c < ' ' && c != '\t' && c != '\r' {
				odd++
			}
			line++
			longest = max(longest, line)
		}
		if gotOdd, gotLongest := measure(string(text)); gotOdd != odd || gotLongest != longest {
			rt.Fatalf("measure(%q) = %d, %d, want %d, %d", text, gotOdd, gotLongest, odd, longest)
		}
		if got := stuff(text); !bytes.Equal(got, stuffed) {
			rt.Fatalf("stuff(%q) = %q, want %q", text, got, stuffed)
		}
	})
}
