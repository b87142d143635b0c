package harness

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// ProfileVariable names the folder that benches keep profiles in; without it there are none.
const ProfileVariable = "KIZUNA_BENCH_PROFILE"

// FreeAddress returns a host and port of this machine that nobody listens on.
func FreeAddress(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// Profile keeps a profile of the server, such as "heap" or "profile?seconds=10", as a file of the folder that ProfileVariable names. A failure is
// printed and no more.
func (s *Server) Profile(what, name string) {
	folder := os.Getenv(ProfileVariable)
	if folder == "" {
		return
	}
	if err := s.profile(what, filepath.Join(folder, strings.ReplaceAll(name, "/", "-"))); err != nil {
		fmt.Println("profile:", err)
	}
}

func (s *Server) profile(what, path string) error {
	resp, err := http.Get("http://" + s.admin + "/debug/pprof/" + what)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.Copy(f, resp.Body)
	return err
}

// ProfileDuring keeps a profile of the processors from now on for so many seconds; the function returned waits for its end.
func (s *Server) ProfileDuring(seconds int, name string) (wait func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.Profile(fmt.Sprintf("profile?seconds=%d", seconds), name)
	}()
	return func() { <-done }
}
