package event_test

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/kit/shred"
)

func said(id, user, anonymous string) event.Event {
	at := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	return event.Event{
		Workspace: "ws_1", MessageID: id, Type: event.Track, Name: "Opened", UserID: user, AnonymousID: anonymous, Origin: event.Server,
		Time: at, Received: at, Properties: json.RawMessage("{\"note\":\"line\\nline\"}"),
	}
}

func newVault(t *testing.T) *shred.Ring {
	t.Helper()
	r := shred.New([]byte("salt"), nil, nil)
	if err := r.Rotate(time.Now(), time.Hour, time.Hour, keepNothing); err != nil {
		t.Fatal(err)
	}
	return r
}

func keepNothing(shred.Change) error { return nil }

func TestARecordIsReadWithSealedAndUnsealedEvents(t *testing.T) {
	vault := newVault(t)
	all := []event.Event{said("m1", "ada", "x"), said("m2", "", "x"), said("m3", "", "")}
	plain, err := event.EncodeBatch(all[:1])
	if err != nil {
		t.Fatal(err)
	}
	items, err := event.EncodeSealed(all, vault)
	if err != nil {
		t.Fatal(err)
	}
	record := plain
	for _, it := range items {
		record = append(record, it...)
	}
	got, erased, err := event.DecodeRecord(append(record, plain...), vault)
	if err != nil || erased != 0 {
		t.Fatal(erased, err)
	}
	if d := cmp.Diff([]event.Event{all[0], all[0], all[1], all[2], all[0]}, got); d != "" {
		t.Error(d)
	}
}

func TestErasedEventsKeepTheirPlace(t *testing.T) {
	vault := newVault(t)
	all := []event.Event{said("m1", "ada", "x"), said("m2", "", "x"), said("m3", "", "")}
	items, err := event.EncodeSealed(all, vault)
	if err != nil {
		t.Fatal(err)
	}
	var record []byte
	for _, it := range items {
		record = append(record, it...)
	}
	if _, err := vault.Destroy([]string{event.Subject(&all[1])}, keepNothing); err != nil {
		t.Fatal(err)
	}
	got, erased, err := event.DecodeRecord(record, vault)
	if err != nil || erased != 1 {
		t.Fatal(erased, err)
	}
	if d := cmp.Diff([]event.Event{all[0], {}, all[2]}, got); d != "" {
		t.Error(d)
	}
}

func TestADamagedFrameIsReportedAndTheOthersAreRead(t *testing.T) {
	vault := newVault(t)
	all := []event.Event{said("m1", "ada", ""), said("m2", "bob", "")}
	items, err := event.EncodeSealed(all, vault)
	if err != nil {
		t.Fatal(err)
	}
	items[0][len(items[0])-1] ^= 1
	got, erased, err := event.DecodeRecord(append(items[0], items[1]...), vault)
	if err == nil || errors.Is(err, shred.ErrErased) || erased != 0 {
		t.Errorf("a changed frame: %d, %v", erased, err)
	}
	if d := cmp.Diff(all[1:], got); d != "" {
		t.Error(d)
	}
}
