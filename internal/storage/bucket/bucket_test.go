package bucket_test

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"github.com/kizuna-cx/kizuna/internal/domain/job/jobtest"
	"github.com/kizuna-cx/kizuna/internal/storage/bucket"
)

// server is an object store that speaks S3, with one bucket.
func server(t *testing.T) bucket.Options {
	t.Helper()
	store := s3mem.New()
	if err := store.CreateBucket("files"); err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(gofakes3.New(store).Server())
	t.Cleanup(s.Close)
	return bucket.Options{Endpoint: strings.TrimPrefix(s.URL, "http://"), Plain: true, Region: "us-east-1", Name: "files", Access: "key", Secret: "secret"}
}

func TestABucketKeepsFiles(t *testing.T) {
	for _, prefix := range []string{"", "kizuna/files"} {
		t.Run("below "+prefix, func(t *testing.T) {
			jobtest.RunFiles(t, func(t *testing.T) jobtest.Files {
				o := server(t)
				o.Prefix = prefix
				b, err := bucket.Open(t.Context(), o)
				if err != nil {
					t.Fatal(err)
				}
				return b
			})
		})
	}
}

func TestABucketThatIsNotThereIsReportedAtOnce(t *testing.T) {
	o := server(t)
	o.Name = "other"
	if _, err := bucket.Open(t.Context(), o); err == nil || !strings.Contains(err.Error(), "make it first") {
		t.Errorf("opened a bucket that does not exist: %v", err)
	}
}
