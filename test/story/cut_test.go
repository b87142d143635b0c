package story_test

import (
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kizuna-cx/kizuna/internal/channel/email/smtptest"
	"github.com/kizuna-cx/kizuna/test/harness"
	"github.com/kizuna-cx/kizuna/test/machines"
)

// Three machines, started as deploy/compose.yml says, are cut from each other under load: the one that works and sends, the one that leads the log, one that
// follows, and one that the others do not reach while the database does; the database and a server of the log are killed. Then what is kept is compared with a serial replay, as after other faults.
func TestMachinesThatAreCutOffAndEnginesThatDieLoseAndDoubleNothing(t *testing.T) {
	alone(t) // it cuts off whole machines
	if machines.Apart(t) {
		return
	}
	p := machines.Prepare(t, "../../deploy/compose.yml")
	front, both, work := p.Nodes[0], p.Nodes[1], p.Nodes[2]
	for _, n := range p.Nodes {
		n.Patience = 2 * time.Second
	}
	work.Launch()
	work.Eventually(time.Minute, "the worker has its turn", func() bool { return turns(work) == 2 })
	front.Launch()
	both.Launch()
	sink, err := smtptest.Serve(p.Net.Listen(2525), smtptest.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(sink.Close)
	mailAccount(t, front, sink.Addr())
	journey := orderJourney(t, front, atOnce)
	makeSegments(t, front)

	load := newFaultLoad(faultSeed(t))
	load.size = 3
	var stop atomic.Bool
	done := load.send(t, func(int) bool {
		time.Sleep(150 * time.Millisecond) // some dozen events a second: more would make one of too many people
		return !stop.Load()
	}, front, both)
	// A process that has lost its turn ends; whoever supervises it starts it again, as the file says (restart: unless-stopped).
	supervise := func() {
		for _, n := range p.Nodes {
			select {
			case <-n.Ended():
				n.Kill()
				n.Begin()
			default:
			}
		}
	}
	until := func(what string, holds func() bool) {
		t.Helper()
		front.Eventually(2*time.Minute, what, func() bool {
			supervise()
			return holds()
		})
	}
	many := func(n int) {
		t.Helper()
		want := load.acknowledged() + n
		until("events are taken", func() bool { return load.acknowledged() >= want })
	}
	began := time.Now()
	well := func(what string) {
		t.Helper()
		for _, n := range p.Nodes {
			until(what+": all are ready again", n.Ready)
		}
		many(50)
		t.Logf("%s: well again after %d s", what, int(time.Since(began).Seconds()))
	}
	many(100)

	p.Machines[2].Pull()
	until("another process takes over", func() bool { return turns(both) == 2 })
	many(50)
	p.Machines[2].Plug()
	well("the worker was cut off")

	leader := p.Leader()
	p.Machines[leader].Pull()
	many(50)
	until("the log has another leader", func() bool { return p.Leader() != leader })
	p.Machines[leader].Plug()
	well("the leader was cut off")

	follower := (p.Leader() + 1) % machines.Three
	if works(p.Nodes[follower]) { // rather one that does not work
		follower = (follower + 1) % machines.Three
	}
	p.Machines[follower].Pull()
	many(50)
	p.Machines[follower].Plug()
	well("a follower was cut off")

	at := 1 // the machine of whoever works
	if works(work) {
		at = 2
	}
	before, others := turns(p.Nodes[3-at]), []*machines.Machine{p.Machines[0], p.Machines[3-at]}
	for _, m := range others {
		p.Machines[at].Part(m)
	}
	many(50)
	until("the other takes over, which reaches the log", func() bool { return turns(p.Nodes[3-at]) > before })
	for _, m := range others {
		p.Machines[at].Join(m)
	}
	well("the worker was cut from the others and not from the database")

	// The engines that they share are killed, and one has a slow disk.
	p.Postgres.Kill()
	many(20) // intake asks the log alone
	p.StartDatabase()
	well("the database was killed")

	leader = p.Leader()
	p.Log[leader].Kill()
	many(50)
	p.Log[leader].Start()
	well("the server that led the log was killed")

	fast, err := harness.SlowDisk(p.Log[p.Leader()].PID(), 200*time.Millisecond)
	if err != nil {
		t.Log("no slow disk: ", err)
	} else {
		many(50)
		fast()
		well("the disk of the server that leads the log was slow")
	}
	stop.Store(true)
	<-done

	load.last(t, front)
	order := arrivalOrder(t, front, load)
	t.Logf("%d events acknowledged, %d kept", len(load.acked), len(order))
	front.Eventually(time.Minute, "everybody has gone through the journey", func() bool { return gone(front, journey) })
	journeyIsWhole(t, front, journey, sink)
	likeASerialReplay(t, front, load, order, 0)
}

// works reports whether the process works now: it has begun to, and neither ended nor waited since.
func works(s *harness.Server) bool {
	log := s.Log()
	return strings.LastIndex(log, `"this process does the work now" role=worker`) > max(strings.LastIndex(log, `this one waits" role=worker`), strings.LastIndex(log, "Kizuna is ready"), strings.LastIndex(log, "kizuna serve: "))
}

// turns is how often the process has begun to work or send.
func turns(s *harness.Server) int { return strings.Count(s.Log(), "does the work now") }
