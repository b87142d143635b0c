package app

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"

	"github.com/kizuna-cx/kizuna/internal/domain/job"
	"github.com/kizuna-cx/kizuna/internal/domain/privacy"
	"github.com/kizuna-cx/kizuna/internal/storage/bucket"
	"github.com/kizuna-cx/kizuna/internal/storage/folder"
)

// files is where what jobs read and make is kept.
type files interface {
	job.Files
	privacy.Files
	Close() error
}

// FileStore says where files are. Zero: in the data folder.
type FileStore struct {
	URL            string
	Access, Secret string // key of a bucket
}

const (
	filesFolder   = "files" // of the data folder
	fileScheme    = "file:"
	s3Scheme      = "s3"
	amazon        = "https://s3.amazonaws.com"
	defaultRegion = "us-east-1"
)

func (f FileStore) validate() error {
	if _, folder := strings.CutPrefix(f.URL, fileScheme); f.URL == "" || folder {
		return nil
	}
	_, err := f.bucket()
	return err
}

// bucket reads the URL of a bucket.
func (f FileStore) bucket() (o bucket.Options, err error) {
	u, err := url.Parse(f.URL)
	if err != nil || u.Scheme != s3Scheme {
		return o, fmt.Errorf("KIZUNA_FILES_URL %q: want s3://BUCKET/PREFIX?endpoint=https://HOST:PORT&region=REGION, or file:FOLDER", f.URL)
	}
	q := u.Query()
	at := q.Get("endpoint")
	if at == "" {
		at = amazon
	}
	end, err := url.Parse(at)
	if err != nil || end.Host == "" || end.Scheme != "http" && end.Scheme != "https" {
		return o, fmt.Errorf("KIZUNA_FILES_URL: endpoint %q: want https://HOST:PORT", at)
	}
	o = bucket.Options{
		Endpoint: end.Host, Plain: end.Scheme == "http", Region: q.Get("region"), Name: u.Host, Prefix: strings.Trim(u.Path, "/"), Access: f.Access, Secret: f.Secret,
	}
	if o.Region == "" {
		o.Region = defaultRegion
	}
	var all []error
	if o.Name == "" {
		all = append(all, errors.New("KIZUNA_FILES_URL: name a bucket, as in s3://kizuna/files"))
	}
	if o.Access == "" || o.Secret == "" {
		all = append(all, errors.New("KIZUNA_FILES_ACCESS_KEY and KIZUNA_FILES_SECRET_KEY: a bucket needs both"))
	}
	return o, errors.Join(all...)
}

// openFiles opens the store of files.
func (c Config) openFiles(ctx context.Context) (files, error) {
	dir, isFolder := strings.CutPrefix(c.Files.URL, fileScheme)
	switch {
	case c.Files.URL == "":
		return folder.Open(filepath.Join(c.Data, filesFolder))
	case isFolder:
		return folder.Open(dir)
	}
	o, err := c.Files.bucket()
	if err != nil {
		return nil, err
	}
	return bucket.Open(ctx, o)
}
