package folder

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
)

// window is how much of a file is searched at once; no value that is looked for is nearly as long.
const window = 1 << 20

// Forget removes the files of a workspace in which one of the values stands, in whatever letter case, and returns how many that were. The owners of the
// files live on: what they offered is gone, as it is for everybody after some days.
func (f *Folder) Forget(ctx context.Context, ws string, values []string) (n int64, err error) {
	at, err := place(ws)
	if err != nil || len(values) == 0 {
		return 0, err
	}
	needles := make([][]byte, len(values))
	for i, v := range values {
		needles[i] = bytes.ToLower([]byte(v))
	}
	err = fs.WalkDir(f.root.FS(), at, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return gone(err)
		case ctx.Err() != nil:
			return ctx.Err()
		case d.IsDir():
			return nil
		}
		found, err := f.holds(path, needles)
		if err != nil || !found {
			return gone(err)
		}
		if err := f.root.Remove(path); err != nil {
			return gone(err)
		}
		n++
		return nil
	})
	return n, gone(err)
}

func (f *Folder) holds(path string, needles [][]byte) (bool, error) {
	in, err := f.root.Open(path)
	if err != nil {
		return false, err
	}
	defer in.Close()
	longest := 0
	for _, n := range needles {
		longest = max(longest, len(n))
	}
	buf := make([]byte, 0, window+longest)
	for {
		// The end of the part before stays, in case a value lies across.
		keep := min(len(buf), longest)
		copy(buf[:keep], buf[len(buf)-keep:])
		k, err := io.ReadFull(in, buf[keep:keep+window])
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
