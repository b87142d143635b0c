package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// The socket of the HTTP server can be older than the process: it is handed over by systemd (socket activation, sd_listen_fds(3)) or by the process
// that ran here before (SIGHUP). While nobody accepts, connections wait in the kernel's queue, so that a restart makes callers wait and refuses none.

const (
	// socketVariable holds the number of the descriptor that a restart hands over.
	socketVariable = "KIZUNA_SOCKET"
	// firstSystemdSocket is SD_LISTEN_FDS_START.
	firstSystemdSocket = 3
)

// listen takes over the socket that was handed to this process, or opens one at addr.
func listen(addr string) (net.Listener, error) {
	fd, err := handedOver(os.Getenv, os.Getpid())
	for _, name := range []string{socketVariable, "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES"} {
		_ = os.Unsetenv(name) // not for the programs this one starts
	}
	if err != nil {
		return nil, err
	}
	if fd == 0 {
		ln, err := net.Listen("tcp", addr)
		if err != nil {
			return nil, fmt.Errorf("listen: %w", err)
		}
		return ln, nil
	}
	f := os.NewFile(uintptr(fd), "socket")
	defer f.Close()
	ln, err := net.FileListener(f)
	if err != nil {
		return nil, fmt.Errorf("descriptor %d is no socket to listen on: %w", fd, err)
	}
	return ln, nil
}

// handedOver returns the descriptor of a socket that was handed to the process with this number, 0 if none was.
func handedOver(env func(string) string, pid int) (int, error) {
	if v := env(socketVariable); v != "" {
		fd, err := strconv.Atoi(v)
		if err != nil || fd < 3 {
			return 0, fmt.Errorf("%s=%q: want the number of a descriptor; leave it unset, only a restart sets it", socketVariable, v)
		}
		return fd, nil
	}
	if env("LISTEN_PID") != strconv.Itoa(pid) {
		return 0, nil // meant for another process, or for nobody
	}
	n, err := strconv.Atoi(env("LISTEN_FDS"))
	if err != nil || n != 1 {
		return 0, fmt.Errorf("LISTEN_FDS=%q: want one socket, the one of the HTTP server", env("LISTEN_FDS"))
	}
	return firstSystemdSocket, nil
}

// errRestart is how serve ends when the process is to go on with the program as it is on disk now.
var errRestart = errors.New("restart")

// enoughAgain is the room in bytes at which a disk that was full counts as freed.
const enoughAgain = 32 << 20

// askedToRestart returns a context that ends when ctx does or, with errRestart as its cause, at the first SIGHUP whose program can be run, and when a full
// disk that has stopped the log has room again.
func (a *application) askedToRestart(ctx context.Context) (context.Context, func()) {
	ctx, end := context.WithCancelCause(ctx)
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	look := time.NewTicker(time.Second)
	go func() {
		defer look.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-look.C:
				if a.stream.DiskFull() && freeSpace(a.c.Data) >= enoughAgain {
					a.log.Warn("the disk was full and has room again: restarting, since the log takes nothing more until then")
					end(errRestart)
					return
				}
			case <-hup:
				if err := runs(ctx); err != nil {
					a.log.Error("not restarted: the program on disk does not run; this one goes on", "err", err)
					continue
				}
				a.log.Info("restarting")
				end(errRestart)
				return
			}
		}
	}()
	return ctx, func() {
		signal.Stop(hup)
		end(nil)
	}
}

// runs tries the program on disk before the running one is given up.
func runs(ctx context.Context) error {
	self, err := program()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if out, err := exec.CommandContext(ctx, self, "version").CombinedOutput(); err != nil {
		return fmt.Errorf("%s version: %w: %s", self, err, out)
	}
	return nil
}

// program is the path of this program, also after another one has been put in its place.
func program() (string, error) {
	self, err := os.Executable()
	return strings.TrimSuffix(self, " (deleted)"), err
}

// held keeps a socket open beside its listener, for the process that comes next.
type held struct{ file *os.File }

func hold(ln net.Listener) (*held, error) {
	tcp, ok := ln.(*net.TCPListener)
	if !ok {
		return nil, fmt.Errorf("a %T cannot be handed over", ln)
	}
	f, err := tcp.File()
	return &held{f}, err
}

func (h *held) close() { _ = h.file.Close() }

// replace runs the program on disk in this process, with the same arguments and the socket; it returns only if that fails.
func (h *held) replace() error {
	self, err := program()
	if err != nil {
		return err
	}
	raw, err := h.file.SyscallConn() // Fd would make the socket a blocking one
	if err != nil {
		return err
	}
	failed := raw.Control(func(fd uintptr) {
		if _, _, no := syscall.Syscall(syscall.SYS_FCNTL, fd, syscall.F_SETFD, 0); no != 0 {
			err = no
			return
		}
		err = syscall.Exec(self, os.Args, append(os.Environ(), socketVariable+"="+strconv.Itoa(int(fd))))
	})
	return errors.Join(failed, err)
}
