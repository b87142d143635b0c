//go:build !unix

package natsbus

import (
	"os"
	"path/filepath"

	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// lock opens the lock file. Where there is no flock, seeing to it that one process has the folder open is up to the
// operator.
func lock(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, "LOCK"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, errs.Unavailable("bus.open", "the log in %s cannot be opened; is the folder writable?", dir).With(err)
	}
	return f, nil
}
