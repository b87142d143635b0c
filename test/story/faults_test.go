package story_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/kizuna-cx/kizuna/internal/channel/email/smtptest"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
	"github.com/kizuna-cx/kizuna/test/harness"
)

// The checker of faults: people come and go, are recognised and turn out to be one, and order, while the server is killed and frozen, its disk is slow and its clock jumps;
// requests are sent twice, and anew where no answer came. Then it is backed up while it runs, and lost. Afterwards what it kept, as the backup has it, is compared with a server that was never disturbed and was given the
// same events one after the other, in the order in which they had come to the log.
//
// KIZUNA_FAULT_EVENTS is how many events are sent (3,000), KIZUNA_FAULT_SEED begins the same run again.

// faultSegments are judged step by step in the disturbed server and as a whole in the other.
var faultSegments = []string{
	`{"event":{"name":"Order Completed","op":"gte","value":2}}`,
	`{"event":{"name":"Product Viewed","op":"gte","value":3,"window":{"within":{"n":30,"unit":"day"}}}}`,
	`{"all":[{"event":{"name":"Product Viewed","op":"gte","value":1}},{"not":{"event":{"name":"Order Completed","op":"gte","value":1}}}]}`,
	`{"any":[{"trait":{"path":"plan","op":"eq","value":"gold"}},{"event":{"name":"Order Completed","agg":"sum","path":"total","op":"gt","value":120}}]}`,
}

// faultLoad makes events and remembers them: what a retry sends is the same.
type faultLoad struct {
	mu    sync.Mutex
	rng   *rand.Rand
	n     int
	size  int                      // of a batch, at most
	who   int                      // how many people there are
	made  map[string]harness.Event // by message id
	acked map[string]bool
}

func newFaultLoad(seed uint64) *faultLoad {
	return &faultLoad{size: 20, who: 120, rng: rand.New(rand.NewPCG(seed, 2)), made: map[string]harness.Event{}, acked: map[string]bool{}}
}

// next makes some events; now and then an old one comes again.
func (l *faultLoad) next(left int) []harness.Event {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []harness.Event
	for range min(1+l.rng.IntN(l.size), left) {
		if l.n > 50 && l.rng.IntN(20) == 0 {
			out = append(out, l.made[fmt.Sprint("m", l.rng.IntN(l.n))])
			continue
		}
		who := l.rng.IntN(l.who)
		user, browser := fmt.Sprint("u", who), fmt.Sprintf("a%d-%d", who, l.rng.IntN(3))
		e := harness.Event{"messageId": fmt.Sprint("m", l.n)}
		// Some hours and a half ago, so that no edge of a window comes by while the story runs.
		old := time.Now().Add(-time.Duration(l.rng.IntN(60))*24*time.Hour - 6*time.Hour - 30*time.Minute).UTC().Format(time.RFC3339)
		switch k := l.rng.IntN(10); {
		case k == 0: // somebody is recognised
			maps.Copy(e, harness.Event{"type": "identify", "userId": user, "anonymousId": browser, "timestamp": old, "traits": map[string]any{
				"email": user + "@people.example", "plan": []string{"free", "gold"}[l.rng.IntN(2)], "age": l.rng.IntN(80),
			}})
		case k == 1:
			maps.Copy(e, harness.Event{"type": "track", "event": "Subscribed", "userId": user, "properties": map[string]any{"topic": "News", "channel": "email"}})
		case k == 2 && l.rng.IntN(4) == 0: // two turn out to be one
			maps.Copy(e, harness.Event{"type": "alias", "userId": user, "previousId": fmt.Sprint("u", l.rng.IntN(l.who)), "timestamp": old})
		case k <= 4:
			maps.Copy(e, harness.Event{"type": "track", "event": "Order Completed", "userId": user, "properties": map[string]any{"order_id": fmt.Sprint("o", l.n), "total": 10 + l.rng.IntN(60), "currency": "EUR"}})
		case k <= 7:
			maps.Copy(e, harness.Event{"type": "track", "event": "Product Viewed", "anonymousId": browser, "timestamp": old, "properties": map[string]any{"product_id": fmt.Sprint("p", l.rng.IntN(9))}})
		default:
			maps.Copy(e, harness.Event{"type": "page", "name": "Home", "anonymousId": browser, "timestamp": old, "properties": map[string]any{"path": "/"}})
		}
		l.made[e["messageId"].(string)] = e
		l.n++
		out = append(out, e)
	}
	return out
}

// send sends from four callers until more, which gets the size of each batch that was taken, says no, and then closes the channel. What one server does not take
// goes to the next, as behind a balancer. It ends with the test at the latest.
func (l *faultLoad) send(t *testing.T, more func(sent int) bool, servers ...*harness.Server) <-chan struct{} {
	t.Helper()
	var all sync.WaitGroup
	var over atomic.Bool
	t.Cleanup(func() {
		over.Store(true)
		all.Wait()
	})
	for caller := range 4 {
		all.Go(func() {
			for at := caller; !over.Load(); {
				batch := l.next(20)
				for !servers[at%len(servers)].Send(batch...) {
					if at++; over.Load() {
						return
					}
					time.Sleep(20 * time.Millisecond) // as an SDK does: the same once more
				}
				l.mu.Lock()
				for _, e := range batch {
					l.acked[e["messageId"].(string)] = true
				}
				l.mu.Unlock()
				if !more(len(batch)) {
					return
				}
			}
		})
	}
	done := make(chan struct{})
	go func() {
		all.Wait()
		close(done)
	}()
	return done
}

func (l *faultLoad) acknowledged() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.acked)
}

func TestFaultsChangeNothingOfWhatIsKept(t *testing.T) {
	for _, kind := range []sqldb.Dialect{sqldb.SQLite, sqldb.Postgres} {
		t.Run(string(kind), func(t *testing.T) {
			long(t)
			faults(t, harness.Start(t, database(t, kind)...), harness.Prepare(t, database(t, kind)...))
		})
	}
}

// faults lets a server suffer, loses it for good, and looks at what its backup has become on a spare one.
func faults(t *testing.T, s, spare *harness.Server) {
	seed := faultSeed(t)
	total, err := strconv.Atoi(os.Getenv("KIZUNA_FAULT_EVENTS"))
	if err != nil {
		total = 3000
	}
	rng := rand.New(rand.NewPCG(seed, 1))
	sink := smtptest.Start(t)
	mailAccount(t, s, sink.Addr())
	journey := orderJourney(t, s, anHour)
	makeSegments(t, s)

	load := newFaultLoad(seed)
	var left atomic.Int64
	left.Store(int64(total))
	done := load.send(t, func(sent int) bool { return left.Add(-int64(sent)) > 0 }, s)
	jumped, faultsMet := time.Duration(0), map[string]int{}
	step := int64(total / 12) // a fault each time so much has been sent
	for next := int64(total) - step; left.Load() > 0; next -= step {
		s.Eventually(5*time.Minute, "the load goes on", func() bool { return left.Load() <= max(next, 0) })
		switch rng.IntN(5) {
		case 0: // frozen, as by a disk that hangs or a machine that is moved
			pid := s.PID()
			_ = syscall.Kill(pid, syscall.SIGSTOP)
			time.Sleep(time.Duration(100+rng.IntN(900)) * time.Millisecond)
			_ = syscall.Kill(pid, syscall.SIGCONT)
			faultsMet["frozen"]++
		case 1:
			d := time.Duration(1+rng.IntN(3)) * time.Hour
			s.Advance(d)
			jumped += d
			faultsMet["clock jumped"]++
		case 2:
			fast, err := harness.SlowDisk(s.PID(), 200*time.Millisecond)
			if err != nil {
				t.Log("no slow disk: ", err)
				faultsMet["slow disk cannot be had here"]++
				break
			}
			before := left.Load()
			s.Eventually(time.Minute, "events are taken while the disk is slow", func() bool { return left.Load() < before || before <= 0 })
			fast()
			if before > 0 { // otherwise all was sent before it became slow
				faultsMet["slow disk"]++
			}
		default: // and at once again, while it recovers
			for range 1 + rng.IntN(2) {
				s.Kill()
				s.Launch()
				if jumped > 0 {
					s.Advance(jumped) // the test's clock begins anew with the process
				}
				faultsMet["killed"]++
			}
		}
	}
	<-done
	if faultsMet["killed"] == 0 {
		t.Error("it was never killed: the story proved nothing")
	}

	// What was promised is there, once.
	load.last(t, s)
	order := arrivalOrder(t, s, load)
	t.Logf("%d events acknowledged, %d kept; %v", len(load.acked), len(order), faultsMet)
	s = fromItsBackup(t, s, spare, journey)
	if jumped > 0 {
		s.Advance(jumped)
	}
	if again := arrived(t, s); !slices.Equal(again, order) {
		t.Errorf("of %d events %d are in the backup, or they came in another order", len(order), len(again))
	}
	jumped += settled(t, s, journey)
	journeyIsWhole(t, s, journey, sink)

	likeASerialReplay(t, s, load, order, jumped)
}

// fromItsBackup backs a server up while it runs and people are on the way in the journey, kills it and starts the spare one on what the backup holds.
func fromItsBackup(t *testing.T, s, spare *harness.Server, journey string) *harness.Server {
	t.Helper()
	s.Eventually(2*time.Minute, "what was asked for has been sent", func() bool { // else the server might send between its backup and its end
		var report struct{ Messages struct{ Queued int } }
		return s.Do("GET", "/journeys/"+journey+"/report", nil, &report) == http.StatusOK && report.Messages.Queued == 0
	})
	if n := activeRounds(t, s); n == 0 {
		t.Error("nobody is on the way in the journey: the backup proves less")
	}
	to := t.TempDir()
	out, err := s.Command("backup", "--data", s.Dir, to)
	if err != nil {
		t.Fatalf("backup: %v\n%s", err, out)
	}
	s.Kill()
	backup, _, _ := strings.Cut(out[strings.Index(out, to):], "\n")
	spare.Dir += "/new"
	if out, err := spare.Command("restore", "--data", spare.Dir, "--key", filepath.Join(s.Dir, "master.key"), "--resume-sending", backup); err != nil {
		t.Fatalf("restore: %v\n%s", err, out)
	}
	spare.Launch()
	return spare
}

// likeASerialReplay compares what a server has kept with another one that nothing happens to, whose clock is ahead by jumped too.
func likeASerialReplay(t *testing.T, s *harness.Server, load *faultLoad, order []string, jumped time.Duration) {
	t.Helper()
	calm := harness.Start(t)
	if jumped > 0 {
		calm.Advance(jumped)
	}
	for from := 0; from < len(order); from += 100 {
		var batch []harness.Event
		for _, id := range order[from:min(from+100, len(order))] {
			batch = append(batch, load.made[id])
		}
		if !calm.Send(batch...) {
			t.Fatal("the calm server did not take the events")
		}
	}
	calm.Eventually(2*time.Minute, "the calm server has them all", func() bool { return len(arrived(t, calm)) >= len(order) })
	calm.Quiet(3 * time.Minute) // what follows from them has been done, too
	makeSegments(t, calm)
	want, got := still(t, calm), still(t, s)
	var wrong []string
	for _, who := range slices.Sorted(maps.Keys(want)) {
		if got[who] == "" {
			wrong = append(wrong, who+": a serial replay makes a person of these names")
		} else if kept, made := apart(got[who], want[who]); kept != made {
			wrong = append(wrong, fmt.Sprintf("%s: kept %q, a serial replay makes it %q", who, kept, made))
		}
	}
	for _, who := range slices.Sorted(maps.Keys(got)) {
		if want[who] == "" {
			wrong = append(wrong, who+": a serial replay knows nobody of these names")
		}
	}
	if len(wrong) > 0 {
		t.Errorf("%d people are not as a serial replay makes them. Some of them:\n%s", len(wrong), strings.Join(wrong[:min(len(wrong), 8)], "\n"))
	}
}

// apart returns where two texts differ, with a little around it.
func apart(a, b string) (string, string) {
	const around = 30
	if a == b {
		return "", ""
	}
	from, end := 0, 0
	for from < min(len(a), len(b)) && a[from] == b[from] {
		from++
	}
	for end < min(len(a), len(b))-from && a[len(a)-1-end] == b[len(b)-1-end] {
		end++
	}
	piece := func(s string) string { return s[max(from-around, 0):min(len(s)-end+around, from+300, len(s))] }
	return piece(a), piece(b)
}

// faultSeed is where chance begins, to begin there again.
func faultSeed(t *testing.T) uint64 {
	t.Helper()
	seed, err := strconv.ParseUint(os.Getenv("KIZUNA_FAULT_SEED"), 10, 64)
	if err != nil {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("KIZUNA_FAULT_SEED=%d", seed)
	return seed
}

// aDay, anHour and atOnce are what orderJourney does before it writes.
const (
	aDay   = `{"id":"w","kind":"wait","config":{"for":{"n":1,"unit":"day"}},"next":{"next":"s"}},`
	anHour = `{"id":"w","kind":"wait","config":{"for":{"n":1,"unit":"hour"}},"next":{"next":"s"}},`
	atOnce = ""
)

// orderJourney writes to whoever orders; more is put before the trigger.
func orderJourney(t *testing.T, s *harness.Server, first string, more ...string) string {
	t.Helper()
	var tpl, journey struct{ ID string }
	s.Must("POST", "/templates", map[string]any{"name": "Thanks", "channel": "email", "subject": "Thank you", "html": `<p>Thank you</p>`}, &tpl)
	s.Must("POST", "/journeys", fmt.Sprintf(`{"name":"Thanks","draft":{%s"trigger":{"event":{"name":"Order Completed"}},"max_age":{"n":0,"unit":"day"},"nodes":[%s
		{"id":"s","kind":"send","config":{"template":%q,"topic":%q},"next":{"next":"x"}},{"id":"x","kind":"exit"}]}}`, strings.Join(more, ""), first, tpl.ID, newsTopic(t, s)), &journey)
	s.Must("POST", "/journeys/"+journey.ID+"/publish", nil, nil)
	return journey.ID
}

func makeSegments(t *testing.T, s *harness.Server) {
	t.Helper()
	for i, rule := range faultSegments {
		s.Must("POST", "/segments", fmt.Sprintf(`{"name":"Fault %d","rule":%s}`, i, rule), nil)
	}
}

// arrived lists the message ids of what came from outside, in the order of the log.
func arrived(t *testing.T, s *harness.Server) []string {
	t.Helper()
	var out []string
	for cursor := ""; ; {
		var page struct {
			Items []struct {
				MessageID string `json:"message_id"`
				Source    string
			}
			NextCursor string `json:"next_cursor"`
		}
		s.Must("GET", "/events?limit=500&cursor="+url.QueryEscape(cursor), nil, &page)
		for _, e := range page.Items {
			if e.Source != "" {
				out = append(out, e.MessageID)
			}
		}
		if cursor = page.NextCursor; cursor == "" {
			slices.Reverse(out)
			return out
		}
	}
}

// arrivalOrder waits until all that was acknowledged is kept, each once, and returns it in the order of the log.
func arrivalOrder(t *testing.T, s *harness.Server, load *faultLoad) (order []string) {
	t.Helper()
	s.Eventually(3*time.Minute, "all that was acknowledged is kept", func() bool {
		order = arrived(t, s)
		return len(order) >= len(load.acked)
	})
	seen := map[string]bool{}
	for _, id := range order {
		switch {
		case seen[id]:
			t.Errorf("%s is kept twice", id)
		case load.made[id] == nil:
			t.Errorf("%s was never sent", id)
		}
		seen[id] = true
	}
	for id := range load.acked {
		if !seen[id] {
			t.Errorf("%s was acknowledged and is not kept", id)
		}
	}
	return order
}

// settled lets time go by until nobody is on the way in the journey, and returns how much that was.
func settled(t *testing.T, s *harness.Server, journey string) (jumped time.Duration) {
	t.Helper()
	s.Eventually(3*time.Minute, "everybody has gone through the journey", func() bool {
		s.Advance(time.Hour)
		jumped += time.Hour
		time.Sleep(500 * time.Millisecond) // in which what is due is done
		return gone(s, journey)
	})
	return jumped
}

// last sends an order of somebody new and waits until they are let into a journey: by then everybody was who ordered before.
func (l *faultLoad) last(t *testing.T, s *harness.Server) {
	t.Helper()
	const who = "the-last"
	e := harness.Event{"type": "track", "event": "Order Completed", "userId": who, "messageId": who, "timestamp": time.Now().Add(-time.Hour).UTC().Format(time.RFC3339)}
	l.made[who], l.acked[who] = e, true
	s.Eventually(time.Minute, "the last event is taken", func() bool { return s.Send(e) })
	s.Eventually(2*time.Minute, "who ordered last is let in", func() bool {
		var found, rounds struct{ Items []struct{ ID string } }
		s.Do("GET", "/people?identifier="+url.QueryEscape("user_id:"+who), nil, &found)
		if len(found.Items) != 1 {
			return false
		}
		s.Do("GET", "/people/"+found.Items[0].ID+"/journeys", nil, &rounds)
		return len(rounds.Items) > 0
	})
}

// gone reports whether nobody is on the way in the journey.
func gone(s *harness.Server, journey string) bool {
	var report struct {
		Entered, Active, Parked int
		Messages                struct{ Queued int }
	}
	s.Do("GET", "/journeys/"+journey+"/report", nil, &report)
	return report.Entered > 0 && report.Active+report.Parked+report.Messages.Queued == 0
}

// journeyIsWhole compares who ordered with who was let in, and what was sent with what arrived.
func journeyIsWhole(t *testing.T, s *harness.Server, journey string, sink *smtptest.Server) {
	t.Helper()
	var report struct {
		Messages struct{ Sent, Failed, Bounced, Uncertain int }
	}
	s.Must("GET", "/journeys/"+journey+"/report", nil, &report)
	copies := map[string]int{}
	for _, m := range sink.Messages() {
		_, rest, _ := bytes.Cut(m.Data, []byte("Message-ID: "))
		id, _, _ := strings.Cut(string(rest), "\r\n")
		copies[id]++
	}
	surplus := 0
	for _, n := range copies {
		surplus += n - 1
	}
	t.Logf("journey: %d sent, %d different mails arrived, %d surplus, %d answers lost", report.Messages.Sent, len(copies), surplus, report.Messages.Uncertain)
	if report.Messages.Sent != len(copies) || report.Messages.Sent == 0 || report.Messages.Failed+report.Messages.Bounced > 0 {
		t.Errorf("the journey says %+v, %d different mails arrived", report.Messages, len(copies))
	}
	if surplus > report.Messages.Uncertain {
		t.Errorf("%d mails went twice, %d answers were lost", surplus, report.Messages.Uncertain)
	}
	for _, p := range everybody(t, s) {
		if !ordered(t, s, p.ID) {
			continue
		}
		var rounds struct{ Items []struct{ ID string } }
		var log struct{ Items []struct{ Kind string } }
		s.Must("GET", "/people/"+p.ID+"/journeys", nil, &rounds)
		s.Must("GET", "/people/"+p.ID+"/identity", nil, &log)
		// Who was told apart from somebody by what came late has the order, and the other has gone the way.
		apart := slices.ContainsFunc(log.Items, func(d struct{ Kind string }) bool { return d.Kind == "replayed" })
		if len(rounds.Items) == 0 && !apart {
			t.Errorf("%s ordered and was never let in", p.ID)
		}
	}
}

func ordered(t *testing.T, s *harness.Server, person string) bool {
	t.Helper()
	return slices.ContainsFunc(faultHistory(t, s, person), func(e string) bool { return strings.HasPrefix(e, "Order Completed ") })
}

type faultPerson struct {
	ID          string
	Traits      map[string]any
	Identifiers []struct{ Kind, Value, Status string }
}

func everybody(t *testing.T, s *harness.Server) (out []faultPerson) {
	t.Helper()
	for cursor := ""; ; {
		var page struct {
			Items      []faultPerson
			NextCursor string `json:"next_cursor"`
		}
		s.Must("GET", "/people?limit=500&cursor="+url.QueryEscape(cursor), nil, &page)
		out = append(out, page.Items...)
		if cursor = page.NextCursor; cursor == "" {
			return out
		}
	}
}

// faultHistory is what came from outside about a person: name and message id.
func faultHistory(t *testing.T, s *harness.Server, person string) (out []string) {
	t.Helper()
	for cursor := ""; ; {
		var page struct {
			Items []struct {
				MessageID    string `json:"message_id"`
				Name, Source string
			}
			NextCursor string `json:"next_cursor"`
		}
		s.Must("GET", "/people/"+person+"/events?limit=500&cursor="+url.QueryEscape(cursor), nil, &page)
		for _, e := range page.Items {
			if e.Source != "" {
				out = append(out, e.Name+" "+e.MessageID)
			}
		}
		if cursor = page.NextCursor; cursor == "" {
			sort.Strings(out)
			return out
		}
	}
}

// still returns the picture once it no longer changes: what follows from the last events is done after they are kept.
func still(t *testing.T, s *harness.Server) (now map[string]string) {
	t.Helper()
	same := 0 // times in a row: a machine that does much else can keep a worker waiting for longer than one pause
	s.Eventually(3*time.Minute, "nothing changes any more", func() bool {
		before := now
		now = faultPicture(t, s)
		if same++; !maps.Equal(before, now) {
			same = 0
		}
		if same < 3 {
			time.Sleep(2 * time.Second)
		}
		return same >= 3
	})
	return now
}

// faultPicture says of each person, named by their identifiers, what is known, what they did and which segments they are in.
func faultPicture(t *testing.T, s *harness.Server) map[string]string {
	t.Helper()
	s.Eventually(2*time.Minute, "segments are judged", func() bool {
		var list struct{ Items []struct{ Status string } }
		s.Must("GET", "/segments", nil, &list)
		return !slices.ContainsFunc(list.Items, func(x struct{ Status string }) bool { return x.Status != "ready" && x.Status != "active" })
	})
	out := map[string]string{}
	for _, p := range everybody(t, s) {
		var names []string
		for _, i := range p.Identifiers {
			names = append(names, i.Kind+":"+i.Value+" "+i.Status)
		}
		sort.Strings(names)
		if standing, ok := p.Traits["standing"].(map[string]any); ok {
			p.Traits["standing"] = standing["stage"] // the rest says when it was judged
		}
		traits, err := json.Marshal(p.Traits)
		if err != nil {
			t.Fatal(err)
		}
		var sets struct{ Items []struct{ Name string } }
		s.Must("GET", "/people/"+p.ID+"/segments", nil, &sets)
		var in []string
		for _, x := range sets.Items {
			in = append(in, x.Name)
		}
		key := strings.Join(names, " | ")
		if out[key] != "" {
			t.Errorf("two people are called %s", key)
		}
		out[key] = fmt.Sprintf("%s %v %v", traits, in, faultHistory(t, s, p.ID))
	}
	return out
}

func TestAFullDiskRefusesAndLosesNothing(t *testing.T) {
	long(t)
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=192m"); err != nil {
		t.Skip("a small disk cannot be mounted here: ", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	s := harness.Prepare(t)
	s.Dir = filepath.Join(dir, "data")
	s.Launch()
	acked, n := []string{}, 0
	send := func() bool {
		var batch []harness.Event
		for range 50 {
			batch = append(batch, harness.Event{"type": "track", "event": "Beat", "userId": fmt.Sprint("u", n%20), "messageId": fmt.Sprint("m", n), "properties": map[string]any{"text": strings.Repeat("x", 2000)}})
			n++
		}
		if !s.Send(batch...) {
			n -= len(batch) // the same again, as an SDK does
			return false
		}
		for _, e := range batch {
			acked = append(acked, e["messageId"].(string))
		}
		return true
	}
	for range 20 {
		if !send() {
			t.Fatal("not taken while there was room")
		}
	}
	ballast := filepath.Join(dir, "ballast")
	fillUp(t, ballast)
	s.Eventually(2*time.Minute, "events are refused", func() bool { return !send() })
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	s.Eventually(2*time.Minute, "events are taken again", send)
	s.Kill()
	s.Launch()
	var kept []string
	s.Eventually(2*time.Minute, "all that was acknowledged is kept", func() bool {
		kept = arrived(t, s)
		return len(kept) >= len(acked)
	})
	sort.Strings(kept)
	sort.Strings(acked)
	if !slices.Equal(kept, acked) {
		t.Errorf("%d events acknowledged, %d kept (%d different)", len(acked), len(kept), len(slices.Compact(slices.Clone(kept))))
	}
}

// fillUp writes a file until the disk is full.
func fillUp(t *testing.T, path string) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for size := 1 << 20; size > 0; {
		if _, err := f.Write(make([]byte, size)); err != nil {
			size /= 4
		}
	}
}
