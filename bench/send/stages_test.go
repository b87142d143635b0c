package send

import (
	"bufio"
	"bytes"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"
)

// stages are the parts of a mail's way, each known by a function on the stack. The first that matches counts.
var stages = []struct{ name, function string }{
	{"collecting garbage", "runtime.gcBgMarkWorker"},
	{"collecting garbage", "runtime.bgsweep"},
	{"collecting garbage", "runtime.bgscavenge"},
	{"campaign asks: gate", "outbox.(*Service).decide"},
	{"campaign asks: rows", "outbox.(*Service).insert"},
	{"campaign asks: rest", "campaign.(*Service).run"},
	{"dispatch: claim", "sqlstore.(*Outbox).Claim"},
	{"dispatch: gate again", "outbox.(*Service).admit"},
	{"dispatch: rest", "outbox.(*Dispatcher).feed"},
	{"worker: render", "outbox.(*Service).compose"},
	{"worker: MIME", "email.compose"},
	{"worker: SMTP", "outbox.(*Dispatcher).work"},
	{"commit: results", "outbox.(*committer).writeResults"},
	{"commit: intents", "sqlstore.(*Outbox).Begin"},
	{"commit: rest", "outbox.(*committer).run"},
	{"relay", "pipeline.(*Relay)"},
	{"pipeline: event store", "duck.(*Store).Append"},
	{"pipeline: resolve", "person.(*Service)"},
	{"pipeline: rest", "pipeline.(*Worker)"},
	{"record store: checkpoints", "sqldb.(*sqliteEngine).maintain"},
	{"standing", "standing.(*Service)"},
	{"log", "nats-server"},
	{"log", "natsbus"},
	{"HTTP", "net/http"},
	{"scheduler", "runtime.schedule"},
	{"scheduler", "runtime.mcall"},
}

// shares prints what each stage has of a processor profile, in µs for each of the mails that were sent while it was taken. Samples of DuckDB's
// own threads, and of C code at large, have no Go function on their stack.
func shares(b *testing.B, binary, profile string, mails float64) {
	b.Helper()
	raw, err := exec.Command("go", "tool", "pprof", "-traces", binary, profile).Output()
	if err != nil {
		fmt.Println("profile:", err)
		return
	}
	sum, all := map[string]time.Duration{}, time.Duration(0)
	var took time.Duration
	var stack []string
	count := func() {
		name := "C: DuckDB, and what cannot be told"
		for _, s := range stages {
			if slices.ContainsFunc(stack, func(f string) bool { return strings.Contains(f, s.function) }) {
				name = s.name
				break
			}
		}
		sum[name] += took
		all += took
		took, stack = 0, nil
	}
	for in := bufio.NewScanner(bytes.NewReader(raw)); in.Scan(); {
		line := strings.TrimSpace(in.Text())
		fields := strings.Fields(line)
		switch {
		case strings.HasPrefix(line, "-----"):
			count()
		case len(fields) == 0:
		default:
			if d, err := time.ParseDuration(fields[0]); err == nil && len(fields) > 1 {
				took, fields = d, fields[1:]
			}
			if took > 0 {
				stack = append(stack, strings.Join(fields, " "))
			}
		}
	}
	count()
	if mails <= 0 || all == 0 {
		return
	}
	names := make([]string, 0, len(sum))
	for n := range sum {
		names = append(names, n)
	}
	slices.SortFunc(names, func(a, c string) int { return int(sum[c] - sum[a]) })
	fmt.Printf("%-36s %8s %6s\n", "stage", "µs/mail", "share")
	for _, n := range names {
		if sum[n] > 0 {
			fmt.Printf("%-36s %8.1f %5.1f%%\n", n, float64(sum[n].Microseconds())/mails, 100*float64(sum[n])/float64(all))
		}
	}
	fmt.Printf("%-36s %8.1f\n", "together", float64(all.Microseconds())/mails)
}
