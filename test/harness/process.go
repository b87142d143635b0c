package harness

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// CPU is what a process has used of the processors since it began (proc(5), in hundredths of a second); 0 if there is no such process.
func CPU(pid int) time.Duration {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(raw), ") ")
	f := strings.Fields(rest)
	user, _ := strconv.Atoi(f[11])
	system, _ := strconv.Atoi(f[12])
	return time.Duration(user+system) * 10 * time.Millisecond
}

// Memory reads a line of /proc/PID/status in MB: VmRSS is what a process holds, VmHWM the most it held since ResetPeak.
func Memory(pid int, what string) float64 {
	raw, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	for l := range strings.Lines(string(raw)) {
		if rest, ok := strings.CutPrefix(l, what+":"); ok {
			kb, _ := strconv.Atoi(strings.Fields(rest)[0])
			return float64(kb) / 1024
		}
	}
	return 0
}

// ResetPeak lets VmHWM of a process begin anew.
func ResetPeak(pid int) { _ = os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", pid), []byte("5"), 0) }

// Quiet waits until the server has nothing more to do: it uses less than a twentieth of a processor for a second.
func (s *Server) Quiet(limit time.Duration) {
	s.t.Helper()
	s.Eventually(limit, "the server is quiet", func() bool {
		before := CPU(s.PID())
		time.Sleep(time.Second)
		return CPU(s.PID())-before <= 50*time.Millisecond
	})
}
