package folder

import (
	"context"
	"io/fs"
	"path"
	"strings"

	"github.com/kizuna-cx/kizuna/internal/domain/privacy"
)

// Holding implements privacy.Files.
func (f *Folder) Holding(ctx context.Context, ws string, values []string) (names []string, err error) {
	at, err := place(ws)
	if err != nil || len(values) == 0 {
		return nil, err
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
		if found {
			names = append(names, strings.TrimPrefix(path, at+"/"))
		}
		return gone(err)
	})
	return names, gone(err)
}

// Drop implements privacy.Files.
func (f *Folder) Drop(_ context.Context, ws string, names []string) error {
	at, err := place(ws)
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := f.root.Remove(path.Join(at, name)); gone(err) != nil {
			return err
		}
	}
	return nil
}

func (f *Folder) holds(path string, values []string) (bool, error) {
	in, err := f.root.Open(path)
	if err != nil {
		return false, err
	}
	defer in.Close()
	return privacy.Contains(in, values)
}
