// Package channeltest is the conformance suite of channel adapters.
//
// An adapter's test gives it a Peer: a server for the adapter's protocol that can be told how to answer. The suite
// holds the adapter to what the outbox relies on: when commit is called, what each answer means, what happens when the
// connection is lost.
//
//	func TestAdapter(t *testing.T) {
//		channeltest.Run(t, fax.Spec(), func(t *testing.T) channeltest.Peer { return newPeer(t) })
//	}
package channeltest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kizuna-cx/kizuna/internal/channel"
)

// Behaviour is how a peer treats messages.
type Behaviour int

// The behaviours. Every peer knows all of them.
const (
	Accept           Behaviour = iota // takes every message
	Defer                             // refuses every message for now
	RejectMessage                     // refuses every message for good, not because of the address
	RejectAddress                     // refuses every message because the address does not exist
	LoseBeforeCommit                  // hangs up while the message is being handed over
	LoseAfterCommit                   // takes the message and hangs up without an answer
	Refuse                            // takes no connections
)

// Peer is the other side of an adapter.
type Peer interface {
	// Config returns a valid configuration, as Spec.Config's type, for an account at this peer.
	Config() any
	// Behave changes how messages are treated from now on.
	Behave(b Behaviour)
	// Addr returns a recipient that the peer knows; every n gives another one.
	Addr(n int) string
	// Received returns the recipients of the messages taken so far, in order.
	Received() []string
}

// Message returns a message as the outbox would hand it over.
func Message(id, to string) channel.Message {
	return channel.Message{
		ID: id, From: channel.Address{Name: "Kizuna", Addr: "hello@shop.example"}, To: channel.Address{Name: "山田 太郎", Addr: to},
		Subject: "こんにちは " + id, HTML: "<p>你好</p>", Text: "你好\n", Date: time.Date(2026, 3, 14, 15, 9, 26, 0, time.UTC),
	}
}

var kindPattern = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)

// Run checks the adapter described by spec against peers made by open.
func Run(t *testing.T, spec channel.Spec, open func(t *testing.T) Peer) {
	t.Run("the spec is complete", func(t *testing.T) { checkSpec(t, spec, open(t)) })

	run := func(name string, body func(t *testing.T, p Peer, s channel.Sender)) {
		t.Run(name, func(t *testing.T) {
			p := open(t)
			s, err := spec.New(p.Config())
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = s.Close() })
			body(t, p, s)
		})
	}
	run("a message is sent, and commit comes before it can be delivered", func(t *testing.T, p Peer, s channel.Sender) {
		for i := range 3 {
			calls := 0
			o := s.Send(t.Context(), Message(fmt.Sprint("msg_", i), p.Addr(i)), func() error {
				calls++
				if n := len(p.Received()); n != i {
					t.Errorf("the peer has %d messages at commit, want %d", n, i)
				}
				return nil
			})
			if o.Result != channel.Sent || calls != 1 {
				t.Fatalf("%+v after %d commits, want sent after 1", o, calls)
			}
			if got := p.Received(); len(got) != i+1 || !strings.EqualFold(got[i], p.Addr(i)) {
				t.Fatalf("received %v, want %s last", got, p.Addr(i))
			}
		}
	})
	run("a failing commit keeps the message from being delivered", func(t *testing.T, p Peer, s channel.Sender) {
		o := s.Send(t.Context(), Message("msg_1", p.Addr(1)), func() error { return errors.New("no disk") })
		if o.Result != channel.Deferred {
			t.Errorf("%+v, want deferred", o)
		}
		// The same sender goes on, and what was given up does not turn up later.
		if o := send(t, s, "msg_2", p.Addr(2), 1); o.Result != channel.Sent {
			t.Errorf("the next message: %+v", o)
		}
		if got := p.Received(); len(got) != 1 || !strings.EqualFold(got[0], p.Addr(2)) {
			t.Errorf("received %v, want the second message alone", got)
		}
	})
	for _, c := range []struct {
		name      string
		b         Behaviour
		want      channel.Result
		permanent bool
		code      bool // the peer's code must be there
		commits   int  // at most
	}{
		{"a temporary refusal is deferred", Defer, channel.Deferred, false, true, 1},
		{"a refusal of the message is rejected, and the address stays good", RejectMessage, channel.Rejected, false, true, 1},
		{"a refusal of the address is rejected for good", RejectAddress, channel.Rejected, true, true, 1},
		{"a connection lost before commit is deferred", LoseBeforeCommit, channel.Deferred, false, false, 0},
		{"a connection lost after commit is unknown", LoseAfterCommit, channel.Unknown, false, false, 1},
		{"an unreachable peer is deferred", Refuse, channel.Deferred, false, false, 0},
	} {
		run(c.name, func(t *testing.T, p Peer, s channel.Sender) {
			p.Behave(c.b)
			for i := range 2 { // the second time over a used connection, if there is one
				o := send(t, s, fmt.Sprint("msg_", i), p.Addr(i), c.commits)
				if o.Result != c.want || o.Permanent != c.permanent || (o.Code != "") != c.code || o.Detail == "" {
					t.Errorf("attempt %d: %+v, want %s, permanent %v, a code %v, a detail", i, o, c.want, c.permanent, c.code)
				}
			}
			if got := p.Received(); c.want != channel.Unknown && len(got) > 0 {
				t.Errorf("delivered all the same: %v", got)
			}
			p.Behave(Accept)
			if o := send(t, s, "msg_9", p.Addr(9), 1); o.Result != channel.Sent {
				t.Errorf("afterwards: %+v, want sent", o)
			}
		})
	}
	run("messages go out side by side", func(t *testing.T, p Peer, s channel.Sender) {
		var wg sync.WaitGroup
		for i := range 20 {
			wg.Go(func() {
				if o := send(t, s, fmt.Sprint("msg_", i), p.Addr(i), 1); o.Result != channel.Sent {
					t.Errorf("%d: %+v", i, o)
				}
			})
		}
		wg.Wait()
		seen := map[string]bool{}
		for _, r := range p.Received() {
			seen[strings.ToLower(r)] = true
		}
		if len(seen) != 20 || len(p.Received()) != 20 {
			t.Errorf("%d messages to %d people, want 20 to 20", len(p.Received()), len(seen))
		}
	})
	run("a line hands over one message after the other, each after its own commit", func(t *testing.T, p Peer, s channel.Sender) {
		l := channel.LineOf(s)
		const n = 5
		for i := range n {
			commits, asked := 0, 0
			o := l.Send(t.Context(), Message(fmt.Sprint("msg_", i), p.Addr(i)), func() (channel.Message, bool) {
				asked++ // beside commit, perhaps
				return Message(fmt.Sprint("msg_", i+1), p.Addr(i+1)), i+1 < n
			}, func() error {
				if commits++; len(p.Received()) != i {
					t.Errorf("the peer has %d messages at commit %d", len(p.Received()), i)
				}
				return nil
			})
			if o.Result != channel.Sent || commits != 1 || asked > 1 || len(p.Received()) != i+1 {
				t.Fatalf("message %d: %+v after %d commits and %d questions, received %v", i, o, commits, asked, p.Received())
			}
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	run("what was announced and not sent is not delivered", func(t *testing.T, p Peer, s channel.Sender) {
		l := channel.LineOf(s)
		announce := func() (channel.Message, bool) { return Message("msg_never", p.Addr(99)), true }
		fine := func() error { return nil }
		if o := l.Send(t.Context(), Message("msg_1", p.Addr(1)), announce, fine); o.Result != channel.Sent {
			t.Fatalf("%+v", o)
		}
		// Another one is sent instead; then the announced one's commit fails; then the line ends.
		if o := l.Send(t.Context(), Message("msg_2", p.Addr(2)), announce, fine); o.Result != channel.Sent {
			t.Fatalf("instead: %+v", o)
		}
		if o := l.Send(t.Context(), Message("msg_never", p.Addr(99)), announce, func() error { return errors.New("taken back") }); o.Result != channel.Deferred {
			t.Errorf("taken back: %+v", o)
		}
		if o := l.Send(t.Context(), Message("msg_3", p.Addr(3)), announce, fine); o.Result != channel.Sent {
			t.Fatalf("afterwards: %+v", o)
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		if o := send(t, s, "msg_4", p.Addr(4), 1); o.Result != channel.Sent {
			t.Fatalf("after the line: %+v", o)
		}
		want := []string{p.Addr(1), p.Addr(2), p.Addr(3), p.Addr(4)}
		if got := p.Received(); !strings.EqualFold(strings.Join(got, " "), strings.Join(want, " ")) {
			t.Errorf("received %v, want %v", got, want)
		}
	})
	for _, c := range []struct {
		name string
		b    Behaviour
		want channel.Result
	}{
		{"deferred", Defer, channel.Deferred},
		{"rejected", RejectAddress, channel.Rejected},
		{"lost before commit", LoseBeforeCommit, channel.Deferred},
		{"lost after commit", LoseAfterCommit, channel.Unknown},
	} {
		run("an announced message that is "+c.name+" is told so, and the one after it is sent", func(t *testing.T, p Peer, s channel.Sender) {
			l := channel.LineOf(s)
			fine := func() error { return nil }
			next := func(n int) func() (channel.Message, bool) {
				return func() (channel.Message, bool) { return Message(fmt.Sprint("msg_", n), p.Addr(n)), true }
			}
			if o := l.Send(t.Context(), Message("msg_1", p.Addr(1)), func() (channel.Message, bool) { p.Behave(c.b); return next(2)() }, fine); o.Result != channel.Sent && c.b != LoseAfterCommit {
				t.Fatalf("%+v", o)
			}
			p.Behave(c.b) // if it announces nothing
			if o := l.Send(t.Context(), Message("msg_2", p.Addr(2)), next(3), fine); o.Result != c.want {
				t.Errorf("%+v, want %s", o, c.want)
			}
			p.Behave(Accept)
			if o := l.Send(t.Context(), Message("msg_3", p.Addr(3)), next(4), fine); o.Result != channel.Sent {
				t.Errorf("the one after it: %+v", o)
			}
			if err := l.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	run("an ended context sends nothing", func(t *testing.T, p Peer, s channel.Sender) {
		for _, warm := range []bool{false, true} {
			before := len(p.Received())
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			o := s.Send(ctx, Message("msg_1", p.Addr(1)), func() error { t.Error("commit was called"); return nil })
			if o.Result != channel.Deferred || len(p.Received()) != before {
				t.Errorf("warm %v: %+v, received %v", warm, o, p.Received())
			}
			if !warm && send(t, s, "msg_2", p.Addr(2), 1).Result != channel.Sent {
				t.Error("the next message was not sent")
			}
		}
	})
	run("a check sends nothing and tells what is wrong", func(t *testing.T, p Peer, s channel.Sender) {
		if err := s.Check(t.Context()); err != nil {
			t.Errorf("a healthy peer: %v", err)
		}
		p.Behave(Refuse)
		if err := s.Check(t.Context()); err == nil {
			t.Error("no error although the peer takes no connections")
		}
		if len(p.Received()) > 0 {
			t.Error("the check sent something")
		}
	})
	run("a closed sender defers, and closing twice is harmless", func(t *testing.T, p Peer, s channel.Sender) {
		if o := send(t, s, "msg_1", p.Addr(1), 1); o.Result != channel.Sent {
			t.Fatalf("%+v", o)
		}
		for range 2 {
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
		}
		if o := send(t, s, "msg_2", p.Addr(2), 0); o.Result != channel.Deferred || len(p.Received()) != 1 {
			t.Errorf("%+v, received %v", o, p.Received())
		}
	})
}

// send hands a message over and checks that commit is called no more often than allowed.
func send(t *testing.T, s channel.Sender, id, to string, most int) channel.Outcome {
	t.Helper()
	calls := 0
	o := s.Send(t.Context(), Message(id, to), func() error { calls++; return nil })
	if calls > most || calls > 1 {
		t.Errorf("%s: commit was called %d times, want at most %d", id, calls, most)
	}
	if (o.Result == channel.Sent || o.Result == channel.Unknown) && calls != 1 {
		t.Errorf("%s: %s without commit", id, o.Result)
	}
	return o
}

func checkSpec(t *testing.T, spec channel.Spec, p Peer) {
	if !kindPattern.MatchString(spec.Kind) || spec.Title == "" {
		t.Errorf("kind %q, title %q", spec.Kind, spec.Title)
	}
	a, b := spec.Config(), spec.Config()
	typ := reflect.TypeOf(a)
	if typ.Kind() != reflect.Pointer || typ.Elem().Kind() != reflect.Struct {
		t.Fatalf("Config returns a %v, want a pointer to a struct", typ)
	}
	if a == b || !reflect.ValueOf(a).Elem().IsZero() {
		t.Error("Config must return a fresh zero value every time")
	}
	for f := range typ.Elem().Fields() {
		if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name == "" || strings.ToLower(name) != name {
			t.Errorf("field %s has the JSON name %q, want a lower-case one", f.Name, name)
		}
		if f.Tag.Get("doc") == "" {
			t.Errorf("field %s has no doc tag for the form", f.Name)
		}
	}
	if reflect.TypeOf(p.Config()) != typ {
		t.Errorf("the peer's configuration is a %T, want %v", p.Config(), typ)
	}
	raw, err := json.Marshal(p.Config())
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, a); err != nil || !reflect.DeepEqual(a, p.Config()) {
		t.Errorf("the configuration does not survive JSON: %s, %v", raw, err)
	}
	if _, err := spec.New(b); err == nil {
		t.Error("New took an empty configuration")
	}
	if _, err := spec.New("nonsense"); err == nil {
		t.Error("New took a configuration of another type")
	}
	if v, ok := b.(interface{ Validate() error }); !ok || v.Validate() == nil {
		t.Error("the configuration must have a Validate that refuses the zero value")
	}
}
