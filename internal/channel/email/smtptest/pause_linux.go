package smtptest

import (
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// pause is a timer of the kernel's. Go's own timers wait in whole milliseconds once nothing else wakes the process, so that 5 ms are
// 5.2 to 6 (runtime.netpoll, which asks epoll_wait): a measurement of latency would measure that.
type pause struct{ timer *os.File } // read through the network poller: no thread waits

func newPause() (pause, error) {
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil {
		return pause{}, os.NewSyscallError("timerfd_create", err)
	}
	return pause{os.NewFile(uintptr(fd), "timer")}, nil
}

// wait returns after d, which is more than 0.
func (p pause) wait(d time.Duration) {
	raw, err := p.timer.SyscallConn()
	if err != nil {
		return // closed
	}
	once := unix.ItimerSpec{Value: unix.NsecToTimespec(d.Nanoseconds())}
	if raw.Control(func(fd uintptr) { err = unix.TimerfdSettime(int(fd), 0, &once, nil) }) == nil && err == nil {
		var expirations [8]byte
		_, _ = p.timer.Read(expirations[:])
	}
}

func (p pause) close() { _ = p.timer.Close() }
