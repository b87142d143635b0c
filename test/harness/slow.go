package harness

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// SlowDisk makes the disk slow for a process until fast is called: each fsync and fdatasync begins so much later. It stops the process at these system calls with
// strace (ptrace); nothing of the process itself is changed. The error says why that cannot be done here.
func SlowDisk(pid int, delay time.Duration) (fast func(), err error) {
	cmd := exec.Command("strace", "-f", "--seccomp-bpf", "-o", os.DevNull, "-e", "trace=fsync,fdatasync", "-e", fmt.Sprintf("inject=fsync,fdatasync:delay_enter=%d", delay.Microseconds()),
		"-p", fmt.Sprint(pid))
	out, err := cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("strace (Debian: apt install strace): %w", err)
	}
	attached := make(chan error, 2)
	go func() {
		said := ""
		for lines := bufio.NewScanner(out); lines.Scan(); { // to the end, or strace would wait
			if said += lines.Text() + "\n"; strings.Contains(lines.Text(), "attached") && len(attached) == 0 {
				attached <- nil
			}
		}
		select {
		case attached <- fmt.Errorf("strace ended: %s", said):
		default: // nobody asks any more
		}
	}()
	end := func() {
		_ = cmd.Process.Signal(syscall.SIGTERM) // it lets the process go
		_ = cmd.Wait()
	}
	select {
	case err = <-attached:
	case <-time.After(30 * time.Second):
		err = fmt.Errorf("strace does not come to process %d", pid)
	}
	if err != nil {
		end()
		return nil, err
	}
	return end, nil
}
