package natsbus_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/kizuna-cx/kizuna/internal/bus/bustest"
	"github.com/kizuna-cx/kizuna/internal/bus/natsbus"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

var harness = bustest.Harness{
	Durable: true,
	Open: func(dir string, maxBytes int64) (bustest.Log, func() error, error) {
		log := natsbus.New(natsbus.Options{Dir: dir, MaxBytes: maxBytes})
		if err := log.Start(context.Background()); err != nil {
			return nil, nil, err
		}
		return log, func() error { return log.Stop(context.Background()) }, nil
	},
}

func TestMain(m *testing.M) { bustest.Main(m, harness) }

func TestLogConforms(t *testing.T) { bustest.Run(t, harness) }

func TestRecordsOlderThanTheRetentionGoAway(t *testing.T) {
	log := natsbus.New(natsbus.Options{Dir: t.TempDir(), MaxAge: 200 * time.Millisecond})
	if err := log.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer log.Stop(t.Context())
	if _, err := log.Append(t.Context(), []byte("old")); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(20 * time.Second)
	for {
		recs, err := log.Read(t.Context(), 0, 10, 0)
		if err != nil {
			t.Fatal(err)
		}
		if len(recs) == 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the record outlived its retention")
		}
		time.Sleep(10 * time.Millisecond) // the server's own timer decides
	}
	if seq, err := log.Append(t.Context(), []byte("new")); err != nil || seq != 2 {
		t.Errorf("the next record is at %d, %v; want 2", seq, err)
	}
}

// A restored log goes on at the positions that the stores beside it know.
func TestALogCanBeginLate(t *testing.T) {
	dir := t.TempDir()
	open := func(first uint64) *natsbus.Log {
		t.Helper()
		log := natsbus.New(natsbus.Options{Dir: dir, First: first})
		if err := log.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		return log
	}
	log := open(41)
	if recs, err := log.Read(t.Context(), 40, 10, 0); err != nil || len(recs) != 0 {
		t.Errorf("an empty log that begins at 41, read after 40: %v, %v", recs, err)
	}
	log.Stop(t.Context())
	log = open(0)
	if seq, err := log.Append(t.Context(), []byte("x")); err != nil || seq != 41 {
		t.Errorf("the first record is at %d, %v; want 41", seq, err)
	}
	log.Stop(t.Context())
	log = open(7) // too late to matter
	defer log.Stop(t.Context())
	if seq, err := log.Append(t.Context(), []byte("y")); err != nil || seq != 42 {
		t.Errorf("the next record is at %d, %v; want 42", seq, err)
	}
	if recs, err := log.Read(t.Context(), 40, 10, 0); err != nil || len(recs) != 2 || string(recs[0].Data) != "x" {
		t.Errorf("%v, %v", recs, err)
	}
}

func TestStartReportsAFolderThatCannotBeUsed(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte("not a folder"), 0o600); err != nil {
		t.Fatal(err)
	}
	log := natsbus.New(natsbus.Options{Dir: file})
	if err := log.Start(t.Context()); !errs.Is(err, errs.KindUnavailable) {
		t.Errorf("start in a file: %v", err)
	}
	if err := log.Stop(t.Context()); err != nil {
		t.Errorf("stop after a failed start: %v", err)
	}
}

func TestASecondLogOnTheSameFolderIsRefused(t *testing.T) {
	dir := t.TempDir()
	first := natsbus.New(natsbus.Options{Dir: dir})
	if err := first.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	second := natsbus.New(natsbus.Options{Dir: dir})
	if err := second.Start(t.Context()); !errs.Is(err, errs.KindConflict) {
		t.Errorf("a second start: %v", err)
	}
	if err := first.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := second.Start(t.Context()); err != nil {
		t.Errorf("once the first has stopped: %v", err)
	}
	if err := second.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := first.Start(t.Context()); !errs.Is(err, errs.KindUnavailable) {
		t.Errorf("a stopped log starts again: %v", err)
	}
}

func TestAppendRefusesARecordBeyondThePayloadBound(t *testing.T) {
	log := natsbus.New(natsbus.Options{Dir: t.TempDir()})
	if err := log.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer log.Stop(t.Context())
	if _, err := log.Append(t.Context(), make([]byte, 9<<20)); !errs.Is(err, errs.KindInvalid) {
		t.Errorf("append of 9 MB: %v", err)
	}
}

func TestAppendReturnsTheContextsErrorWhenItEndsFirst(t *testing.T) {
	log := natsbus.New(natsbus.Options{Dir: t.TempDir()})
	if err := log.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer log.Stop(t.Context())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := log.Append(ctx, []byte("x")); !errors.Is(err, context.Canceled) {
		t.Errorf("append with an ended context: %v", err)
	}
}
