package harness

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// SlowDisk makes the disk slow for a process until fast is called: each fsync and fdatasync begins so much later. It stops the process at these system calls with
// strace (ptrace); nothing of the process itself is changed. strace ends with the process, and with the test. The error says why that cannot be done here.
func SlowDisk(pid int, delay time.Duration) (fast func(), err error) {
	cmd := exec.Command("strace", "-f", "-o", os.DevNull, "-e", "trace=fsync,fdatasync", "-e", fmt.Sprintf("inject=fsync,fdatasync:delay_enter=%d", delay.Microseconds()),
		"-p", fmt.Sprint(pid))
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM} // when the thread ends that started it, and so with the test, however that ends
	out, err := cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	attached, ended := make(chan error, 2), make(chan struct{})
	go func() {
		defer close(ended)
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		if err := cmd.Start(); err != nil {
			attached <- fmt.Errorf("strace (Debian: apt install strace): %w", err)
			return
		}
		said := ""
		for lines := bufio.NewScanner(out); lines.Scan(); { // to the end, or strace would wait
			if said += lines.Text() + "\n"; strings.Contains(lines.Text(), "attached") && len(attached) == 0 {
				attached <- nil
			}
		}
		_ = cmd.Wait()
		select {
		case attached <- fmt.Errorf("strace ended: %s", said):
		default: // nobody asks any more
		}
	}()
	end := func() {
		_ = syscall.Kill(cmd.Process.Pid, syscall.SIGTERM) // it lets the process go
		<-ended
	}
	select {
	case err = <-attached:
	case <-time.After(patience):
		err = fmt.Errorf("strace does not come to process %d", pid)
	}
	if err != nil {
		if cmd.Process != nil {
			end()
		}
		return nil, err
	}
	return end, nil
}
