// Package bucket keeps files in a bucket of an object store that speaks S3, which several processes share: what jobs read and make.
//
//	prefix/<workspace>/<owner>/<name>              a file that was put
//	prefix/<workspace>/<owner>/<name>/<offset>     a piece of one that grows; a file is the pieces that follow each other from offset 0
//
// Invariants: an object never changes, it is replaced; so a file that was put is there whole or not at all. One process at a time adds to a file. A file that was
// put hides pieces of the same name. The address is the operator's, not a user's: requests to it do not pass the guard.
package bucket

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/kizuna-cx/kizuna/internal/domain/privacy"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// partSize is the part of an upload whose length is not known; it is held in memory.
const partSize = 8 << 20

// upload is how objects are written: checked by an MD5 sum of each part, which every server of this kind knows, unlike signed pieces.
var upload = minio.PutObjectOptions{PartSize: partSize, NumThreads: 1, DisableContentSha256: true, SendContentMd5: true}

// Options name a bucket.
type Options struct {
	Endpoint string // host:port
	Plain    bool   // http instead of https
	Region   string
	Name     string
	Prefix   string // of all objects, without slashes at the ends
	Access   string
	Secret   string
}

// Bucket implements job.Files.
type Bucket struct {
	core         minio.Core
	name, prefix string
}

// Open checks that the bucket is there and may be used.
func Open(ctx context.Context, o Options) (*Bucket, error) {
	core, err := minio.NewCore(o.Endpoint, &minio.Options{Creds: credentials.NewStaticV4(o.Access, o.Secret, ""), Secure: !o.Plain, Region: o.Region, MaxRetries: 5})
	if err != nil {
		return nil, fmt.Errorf("bucket %s: %w", o.Name, err)
	}
	ok, err := core.BucketExists(ctx, o.Name)
	if err == nil && !ok {
		err = errors.New("it does not exist; make it first")
	}
	if err != nil {
		return nil, fmt.Errorf("bucket %s at %s: %w", o.Name, o.Endpoint, err)
	}
	return &Bucket{*core, o.Name, o.Prefix}, nil
}

// Close implements io.Closer; nothing is held.
func (*Bucket) Close() error { return nil }

// key returns the key of a file; what is not a plain name does not exist.
func (b *Bucket) key(parts ...string) (string, error) {
	for _, p := range parts {
		if p == "" || p[0] == '.' || strings.ContainsAny(p, "/\\\x00") {
			return "", errs.NotFound("file", p)
		}
	}
	return path.Join(append([]string{b.prefix}, parts...)...), nil
}

// object is one object of the bucket.
type object struct {
	key  string
	size int64
	at   time.Time // of its writing
}

func (b *Bucket) list(ctx context.Context, prefix string, do func(object) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	for o := range b.core.ListObjectsIter(ctx, b.name, minio.ListObjectsOptions{Prefix: prefix, Recursive: true}) {
		if o.Err != nil {
			return fmt.Errorf("bucket: %w", o.Err)
		}
		if err := do(object{o.Key, o.Size, o.LastModified}); err != nil {
			return err
		}
	}
	return nil
}

func (b *Bucket) remove(ctx context.Context, key string) error {
	if err := b.core.RemoveObject(ctx, b.name, key, minio.RemoveObjectOptions{}); err != nil {
		return fmt.Errorf("bucket: %w", err)
	}
	return nil
}

// piece is an object and where in the file it begins.
type piece struct {
	object
	from int64
}

// pieces returns what a file consists of, and the pieces that are no part of it (any more). A file that does not exist has none.
func (b *Bucket) pieces(ctx context.Context, key string) (file, stale []piece, err error) {
	put := false
	err = b.list(ctx, key, func(o object) error {
		switch rest, inside := strings.CutPrefix(o.key, key+"/"); {
		case o.key == key:
			file, put = append(file, piece{object: o}), true
		case inside:
			from, err := strconv.ParseInt(rest, 10, 64)
			if err != nil {
				return nil
			}
			end := int64(0)
			if n := len(file); n > 0 {
				end = file[n-1].from + file[n-1].size
			}
			p := piece{o, from}
			if put || from != end { // listed in the order of their keys, which is that of the offsets
				stale = append(stale, p)
			} else {
				file = append(file, p)
			}
		}
		return nil
	})
	return file, stale, err
}

func part(key string, from int64) string { return fmt.Sprintf("%s/%019d", key, from) }

// bounded reads at most limit bytes, and says so if there are more.
type bounded struct {
	from  io.Reader
	left  int64
	over  error
	taken int64
}

func (r *bounded) Read(p []byte) (int, error) {
	n, err := r.from.Read(p)
	r.taken += int64(n)
	if r.left -= int64(n); r.left < 0 {
		return 0, r.over
	}
	return n, err
}

// Put writes a file.
func (b *Bucket) Put(ctx context.Context, ws, owner, name string, from io.Reader, limit int64) (int64, error) {
	key, err := b.key(ws, owner, name)
	if err != nil {
		return 0, err
	}
	in := &bounded{from: from, left: limit, over: errs.Invalid("job.file.too_large", "file", "the file has more than %d MB; split it", limit>>20)}
	var first bytes.Buffer // most files are no larger, and then their size is known
	_, err = io.CopyN(&first, in, partSize)
	size, body := int64(-1), io.MultiReader(&first, in)
	if errors.Is(err, io.EOF) {
		size, body, err = int64(first.Len()), &first, nil
	}
	if err == nil {
		_, err = b.core.Client.PutObject(ctx, b.name, key, body, size, upload)
	}
	switch {
	case in.left < 0:
		return 0, in.over
	case err != nil:
		return 0, fmt.Errorf("bucket: %w", err)
	}
	_, stale, err := b.pieces(ctx, key)
	for _, p := range stale {
		err = errors.Join(err, b.remove(ctx, p.key))
	}
	return in.taken, err
}

// Open opens a file.
func (b *Bucket) Open(ctx context.Context, ws, owner, name string) (io.ReadSeekCloser, int64, error) {
	key, err := b.key(ws, owner, name)
	if err != nil {
		return nil, 0, err
	}
	file, _, err := b.pieces(ctx, key)
	if err != nil {
		return nil, 0, err
	}
	if len(file) == 0 {
		return nil, 0, errs.NotFound("file", name)
	}
	r := &reader{ctx: ctx, b: b, file: file}
	return r, r.size(), nil
}

// Append cuts a file and adds to it.
func (b *Bucket) Append(ctx context.Context, ws, owner, name string, at int64, data []byte) error {
	key, err := b.key(ws, owner, name)
	if err != nil {
		return err
	}
	file, stale, err := b.pieces(ctx, key)
	if err != nil {
		return err
	}
	for _, p := range stale {
		if err := b.remove(ctx, p.key); err != nil {
			return err
		}
	}
	end := int64(0)
	for i := len(file) - 1; i >= 0; i-- { // from the end, so that what is left when the process dies is a beginning of the file
		p := file[i]
		end = max(end, min(p.from+p.size, at))
		whole := p.key == key
		switch {
		case p.from >= at: // also all of a file that was put, if at is 0
		case whole || p.from+p.size > at:
			if err := b.cut(ctx, p, part(key, p.from), min(p.size, at-p.from)); err != nil {
				return err
			}
			if !whole {
				continue
			}
		default:
			continue
		}
		if err := b.remove(ctx, p.key); err != nil {
			return err
		}
	}
	if end < at {
		return errs.Conflict("file.shorter", "the file %s ends at %d, before %d", name, end, at)
	}
	if len(data) == 0 && at > 0 {
		return nil
	}
	return b.write(ctx, part(key, at), data)
}

// cut writes the beginning of a piece under a key.
func (b *Bucket) cut(ctx context.Context, p piece, to string, size int64) error {
	r := &reader{ctx: ctx, b: b, file: []piece{{p.object, 0}}}
	defer r.Close()
	_, err := b.core.Client.PutObject(ctx, b.name, to, io.LimitReader(r, size), size, upload)
	if err != nil {
		return fmt.Errorf("bucket: %w", err)
	}
	return nil
}

func (b *Bucket) write(ctx context.Context, key string, data []byte) error {
	if _, err := b.core.Client.PutObject(ctx, b.name, key, bytes.NewReader(data), int64(len(data)), upload); err != nil {
		return fmt.Errorf("bucket: %w", err)
	}
	return nil
}

// Remove removes an owner's files.
func (b *Bucket) Remove(ctx context.Context, ws, owner string) error {
	key, err := b.key(ws, owner)
	if err != nil {
		return err
	}
	return b.list(ctx, key+"/", func(o object) error { return b.remove(ctx, o.key) })
}

// Used adds up a workspace's files.
func (b *Bucket) Used(ctx context.Context, ws string) (sum int64, err error) {
	key, err := b.key(ws)
	if err != nil {
		return 0, err
	}
	err = b.list(ctx, key+"/", func(o object) error {
		sum += o.size
		return nil
	})
	return sum, err
}

// Sweep removes the files of owners that nothing was written for.
func (b *Bucket) Sweep(ctx context.Context, since time.Time) (int64, error) {
	type owned struct {
		newest time.Time
		keys   []string
	}
	owners := map[string]*owned{}
	root := ""
	if b.prefix != "" {
		root = b.prefix + "/"
	}
	err := b.list(ctx, root, func(o object) error {
		parts := strings.SplitN(strings.TrimPrefix(o.key, root), "/", 3)
		if len(parts) < 3 {
			return nil
		}
		name := parts[0] + "/" + parts[1]
		if owners[name] == nil {
			owners[name] = &owned{}
		}
		of := owners[name]
		of.keys = append(of.keys, o.key)
		if o.at.After(of.newest) {
			of.newest = o.at
		}
		return nil
	})
	var swept int64
	for _, of := range owners {
		if err != nil || !of.newest.Before(since) {
			continue
		}
		for _, key := range of.keys {
			err = errors.Join(err, b.remove(ctx, key))
		}
		swept++
	}
	return swept, err
}

// Holding implements privacy.Files.
func (b *Bucket) Holding(ctx context.Context, ws string, values []string) (names []string, err error) {
	key, err := b.key(ws)
	if err != nil || len(values) == 0 {
		return nil, err
	}
	files := map[string]bool{}
	if err := b.list(ctx, key+"/", func(o object) error {
		if parts := strings.SplitN(strings.TrimPrefix(o.key, key+"/"), "/", 3); len(parts) >= 2 {
			files[parts[0]+"/"+parts[1]] = true
		}
		return nil
	}); err != nil {
		return nil, err
	}
	for name := range files {
		file, stale, err := b.pieces(ctx, key+"/"+name)
		if err != nil {
			return nil, err
		}
		found := len(stale) > 0 // what is no part of a file serves nobody
		if !found {
			r := &reader{ctx: ctx, b: b, file: file}
			found, err = privacy.Contains(r, values)
			if err = errors.Join(err, r.Close()); err != nil {
				return nil, err
			}
		}
		if found {
			names = append(names, name)
		}
	}
	return names, nil
}

// Drop implements privacy.Files.
func (b *Bucket) Drop(ctx context.Context, ws string, names []string) error {
	key, err := b.key(ws)
	if err != nil {
		return err
	}
	for _, name := range names {
		file, stale, err := b.pieces(ctx, key+"/"+name)
		if err != nil {
			return err
		}
		for _, p := range append(file, stale...) {
			if err := b.remove(ctx, p.key); err != nil {
				return err
			}
		}
	}
	return nil
}
