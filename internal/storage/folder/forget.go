package folder

import (
	"context"
	"io/fs"

	"github.com/kizuna-cx/kizuna/internal/domain/privacy"
)

// Forget removes the files of a workspace in which one of the values stands, in whatever letter case, and returns how many that were. The owners of the
// files live on: what they offered is gone, as it is for everybody after some days.
func (f *Folder) Forget(ctx context.Context, ws string, values []string) (n int64, err error) {
	at, err := place(ws)
	if err != nil || len(values) == 0 {
		return 0, err
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
		found, err := f.holds(path, values)
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

func (f *Folder) holds(path string, values []string) (bool, error) {
	in, err := f.root.Open(path)
	if err != nil {
		return false, err
	}
	defer in.Close()
	return privacy.Contains(in, values)
}
