package sqldb

import (
	"context"
	"os"
	"path/filepath"
	"testing"
)

// However constantly somebody writes, each checkpoint lets the log begin anew: it never holds more than what one round between two of them writes.
func TestTheLogBeginsAnewWhileSomebodyWrites(t *testing.T) {
	ctx := context.Background()
	e, err := openSQLite(ctx, filepath.Join(t.TempDir(), "records.db"), Options{Synchronous: "OFF"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := e.close(); err != nil {
			t.Error(err)
		}
	}()
	write := &statement{text: "UPDATE thing SET n = n + 1"}
	if _, err := e.exec(ctx, &statement{text: "CREATE TABLE thing (n INTEGER)"}, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := e.exec(ctx, &statement{text: "INSERT INTO thing VALUES (0)"}, nil); err != nil {
		t.Fatal(err)
	}
	const rounds, commits = 20, 200 // of one page each
	turns, half, whole := make(chan struct{}), make(chan struct{}), make(chan error)
	go func() {
		for range turns {
			var err error
			for n := 0; n < commits && err == nil; n++ {
				if n == commits/2 {
					half <- struct{}{}
				}
				_, err = e.exec(ctx, write, nil)
			}
			whole <- err
		}
	}()
	defer close(turns)
	for range rounds {
		turns <- struct{}{}
		<-half
		if err := e.checkpoint(ctx); err != nil {
			t.Fatal(err)
		}
		if err := <-whole; err != nil {
			t.Fatal(err)
		}
	}
	log, err := os.Stat(e.path + "-wal")
	if err != nil {
		t.Fatal(err)
	}
	const page, frame = 4096, 24
	if most := int64(32 + 2*commits*(page+frame)); log.Size() > most {
		t.Errorf("after %d rounds the log has %d bytes, want no more than two rounds write, %d", rounds, log.Size(), most)
	}
}
