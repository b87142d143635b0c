// Package eventstoretest opens event stores for tests, on each engine that the machine has.
//
//	report_test, click_test ─► Each, Click ─► duck, click
//
// Owns: databases for tests on the server that KIZUNA_TEST_CLICKHOUSE names, and that they go away. Does not own: what a store must do (eventtest).
package eventstoretest

import (
	"context"
	"crypto/rand"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/storage/eventstore/click"
	"github.com/kizuna-cx/kizuna/internal/storage/eventstore/duck"
)

// Variable names a ClickHouse server, http://host:port; test/peers/clickhouse is one.
const Variable = "KIZUNA_TEST_CLICKHOUSE"

// Server is the address of the server. Without one the test is skipped.
func Server(t testing.TB) string {
	t.Helper()
	server := os.Getenv(Variable)
	if server == "" {
		t.Skipf("set %s to the address of a ClickHouse server to run this test there (test/peers/clickhouse is one)", Variable)
	}
	return server
}

// Address is that of a database of the test's own, which is dropped at its end. Without a server the test is skipped, as by Server.
func Address(t testing.TB) string {
	t.Helper()
	server := Server(t)
	name := "kizuna_test_" + strings.ToLower(rand.Text())
	t.Cleanup(func() {
		resp, err := http.Post(server, "text/plain", strings.NewReader("DROP DATABASE IF EXISTS "+name+" SYNC"))
		if err != nil {
			t.Error(err)
			return
		}
		if err := resp.Body.Close(); err != nil || resp.StatusCode != http.StatusOK {
			t.Errorf("drop %s: %s, %v", name, resp.Status, err)
		}
	})
	return server + "/" + name
}

// Click opens a store at the address; it is closed at the end of the test.
func Click(t testing.TB, address string, o click.Options) *click.Store {
	t.Helper()
	s, err := click.Open(context.WithoutCancel(t.Context()), address, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// Duck opens a store in a folder of the test's own.
func Duck(t testing.TB) *duck.Store {
	t.Helper()
	s, err := duck.Open(t.Context(), filepath.Join(t.TempDir(), "events.duckdb"), duck.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// Each runs the test on each engine.
func Each(t *testing.T, do func(t *testing.T, store event.Store)) {
	t.Run("duckdb", func(t *testing.T) { do(t, Duck(t)) })
	t.Run("clickhouse", func(t *testing.T) { do(t, Click(t, Address(t), click.Options{})) })
}

// Databases names a database of a test for each folder it asks with.
func Databases(t testing.TB) func(folder string) string {
	Server(t)
	known := map[string]string{}
	return func(folder string) string {
		if known[folder] == "" {
			known[folder] = Address(t)
		}
		return known[folder]
	}
}
