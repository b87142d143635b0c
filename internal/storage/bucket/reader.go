package bucket

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/minio/minio-go/v7"
)

// reader reads the pieces of a file one after the other.
type reader struct {
	ctx  context.Context // of Open
	b    *Bucket
	file []piece
	at   int64
	open io.ReadCloser // from at to the end of its piece; nil: nothing is being read
}

func (r *reader) size() int64 {
	if len(r.file) == 0 {
		return 0
	}
	last := r.file[len(r.file)-1]
	return last.from + last.size
}

// Read implements io.Reader.
func (r *reader) Read(p []byte) (int, error) {
	for {
		if r.open == nil {
			if err := r.next(); err != nil {
				return 0, err
			}
		}
		n, err := r.open.Read(p)
		r.at += int64(n)
		if errors.Is(err, io.EOF) {
			err = r.Close()
			if n == 0 && err == nil && len(p) > 0 {
				continue
			}
		}
		return n, err
	}
}

// next opens the piece that holds the byte at at.
func (r *reader) next() error {
	for _, p := range r.file {
		if r.at < p.from || r.at >= p.from+p.size {
			continue
		}
		var o minio.GetObjectOptions
		if err := o.SetRange(r.at-p.from, p.size-1); err != nil {
			return fmt.Errorf("bucket: %w", err)
		}
		in, _, _, err := r.b.core.GetObject(r.ctx, r.b.name, p.key, o)
		if err != nil {
			return fmt.Errorf("bucket: %w", err)
		}
		r.open = in
		return nil
	}
	return io.EOF
}

// Seek implements io.Seeker.
func (r *reader) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += r.at
	case io.SeekEnd:
		offset += r.size()
	}
	if offset < 0 {
		return 0, errors.New("bucket: sought before the beginning of the file")
	}
	if offset == r.at {
		return r.at, nil
	}
	r.at = offset
	return r.at, r.Close()
}

// Close implements io.Closer; reading goes on afterwards where it was.
func (r *reader) Close() error {
	if r.open == nil {
		return nil
	}
	in := r.open
	r.open = nil
	return in.Close()
}
