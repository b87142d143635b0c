package privacy

import (
	"bytes"
	"errors"
	"io"
)

// window is how much of a file is searched at once; no value that is looked for is nearly as long.
const window = 1 << 20

// Contains reports whether one of the values stands in what r reads, in whatever letter case.
func Contains(r io.Reader, values []string) (bool, error) {
	needles, longest := make([][]byte, len(values)), 0
	for i, v := range values {
		needles[i] = bytes.ToLower([]byte(v))
		longest = max(longest, len(needles[i]))
	}
	buf := make([]byte, 0, window+longest)
	for {
		// The end of the part before stays, in case a value lies across.
		keep := min(len(buf), longest)
		copy(buf[:keep], buf[len(buf)-keep:])
		k, err := io.ReadFull(r, buf[keep:keep+window])
		buf = buf[:keep+k]
		text := bytes.ToLower(buf)
		for _, n := range needles {
			if bytes.Contains(text, n) {
				return true, nil
			}
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
	}
}
