// Package folder keeps files in a folder of this machine: what jobs read and make.
//
//	root/<workspace>/<owner>/<name>
//
// Invariants: a file that was put is there whole or not at all, also after a kill; nothing outside root is ever touched.
package folder

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"time"

	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// Folder implements job.Files.
type Folder struct{ root *os.Root }

// Open makes the folder if need be.
func Open(dir string) (*Folder, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	return &Folder{root}, nil
}

// Close gives the folder back.
func (f *Folder) Close() error { return f.root.Close() }

// place returns the path of a file; what is not a plain name does not exist.
func place(parts ...string) (string, error) {
	for _, p := range parts {
		if p == "" || p[0] == '.' || strings.ContainsAny(p, "/\\\x00") {
			return "", errs.NotFound("file", p)
		}
	}
	return path.Join(parts...), nil
}

// Put writes a file.
func (f *Folder) Put(ctx context.Context, ws, owner, name string, from io.Reader, limit int64) (n int64, err error) {
	at, err := place(ws, owner, name)
	if err != nil {
		return 0, err
	}
	if err := f.root.MkdirAll(path.Dir(at), 0o700); err != nil {
		return 0, err
	}
	draft := path.Join(path.Dir(at), ".draft-"+name)
	out, err := f.root.OpenFile(draft, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return 0, err
	}
	n, err = io.Copy(out, io.LimitReader(from, limit+1))
	if err == nil && n > limit {
		err = errs.Invalid("job.file.too_large", "file", "the file has more than %d MB; split it", limit>>20)
	}
	if err == nil {
		err = ctx.Err()
	}
	if err == nil {
		err = out.Sync()
	}
	if err = errors.Join(err, out.Close()); err == nil {
		err = f.root.Rename(draft, at)
	}
	if err != nil {
		return 0, errors.Join(err, f.root.Remove(draft))
	}
	return n, nil
}

// Open opens a file.
func (f *Folder) Open(_ context.Context, ws, owner, name string) (io.ReadSeekCloser, int64, error) {
	at, err := place(ws, owner, name)
	if err != nil {
		return nil, 0, err
	}
	in, err := f.root.Open(at)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, 0, errs.NotFound("file", name)
	}
	if err != nil {
		return nil, 0, err
	}
	info, err := in.Stat()
	if err != nil {
		return nil, 0, errors.Join(err, in.Close())
	}
	return in, info.Size(), nil
}

// Append cuts a file and adds to it.
func (f *Folder) Append(_ context.Context, ws, owner, name string, at int64, data []byte) error {
	to, err := place(ws, owner, name)
	if err != nil {
		return err
	}
	if err := f.root.MkdirAll(path.Dir(to), 0o700); err != nil {
		return err
	}
	out, err := f.root.OpenFile(to, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	err = out.Truncate(at)
	if err == nil {
		_, err = out.WriteAt(data, at)
	}
	if err == nil {
		err = out.Sync() // the mark that counts these bytes may be on disk before them otherwise
	}
	return errors.Join(err, out.Close())
}

// Remove removes an owner's files.
func (f *Folder) Remove(_ context.Context, ws, owner string) error {
	at, err := place(ws, owner)
	if err != nil {
		return err
	}
	return f.root.RemoveAll(at)
}

// Used adds up a workspace's files.
func (f *Folder) Used(_ context.Context, ws string) (int64, error) {
	at, err := place(ws)
	if err != nil {
		return 0, err
	}
	var sum int64
	err = fs.WalkDir(f.root.FS(), at, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return gone(err)
		}
		info, err := d.Info()
		if err == nil {
			sum += info.Size()
		}
		return gone(err)
	})
	return sum, gone(err)
}

// Sweep removes the files of owners that nothing was written for.
func (f *Folder) Sweep(_ context.Context, since time.Time) (int64, error) {
	owners, err := fs.Glob(f.root.FS(), "*/*")
	if err != nil {
		return 0, err
	}
	var swept int64
	for _, o := range owners {
		newest := time.Time{}
		err := fs.WalkDir(f.root.FS(), o, func(_ string, d fs.DirEntry, err error) error {
			if err != nil {
				return gone(err)
			}
			info, err := d.Info()
			if err == nil && info.ModTime().After(newest) {
				newest = info.ModTime()
			}
			return gone(err)
		})
		if err != nil {
			return swept, err
		}
		if newest.Before(since) {
			if err := f.root.RemoveAll(o); err != nil {
				return swept, err
			}
			swept++
		}
	}
	return swept, nil
}

// gone makes nothing of an error about a file that was removed meanwhile.
func gone(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
