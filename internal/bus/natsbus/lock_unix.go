//go:build unix

package natsbus

import (
	"os"
	"path/filepath"
	"syscall"

	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// lock claims a folder for this Log; closing the file, or the end of the process in whatever way, gives it back. The
// server itself does not notice a second one on its files, and the two would ruin them.
func lock(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, "LOCK"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, errs.Unavailable("bus.open", "the log in %s cannot be opened; is the folder writable?", dir).With(err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = f.Close()
		return nil, errs.Conflict("bus.locked", "another process has the log in %s open; stop it first", dir).With(err)
	}
	return f, nil
}
