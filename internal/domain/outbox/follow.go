package outbox

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/kit/id"
	"github.com/kizuna-cx/kizuna/internal/kit/lifecycle"
)

// Scanners open every link of a mail within seconds. burstLinks different links within burstWindow are more than a person's finger manages,
// earlyLinks if the mail has only just arrived: then nobody has read it yet. What follows within burstRest is the same scanner's.
const (
	burstLinks  = 3
	earlyLinks  = 2
	burstWindow = 3 * time.Second
	justArrived = 30 * time.Second
	burstRest   = time.Minute
)

// settleAfter is how long a click waits for its verdict: for the links that would make it one of a burst, and for those that are slow to be stored.
const settleAfter = burstWindow + 2*time.Second

// followsKept is how long followed links are kept after that; a burst reaches burstRest ahead.
const followsKept = 5 * time.Minute

// Follow is a link of a message that somebody followed, or something did. Which of the two shows in what else it followed, so the
// event is made a moment later, once, and never changes.
type Follow struct {
	ID        string
	Workspace string
	MessageID string
	URL       string
	Trap      bool // nobody can see this link
	Machine   bool // the request said so
	Agent     string
	Address   string
	At        time.Time
	Settled   bool // there is an event
}

// FollowStore keeps followed links until it is known who followed them. Every method takes part in the transaction of its context.
type FollowStore interface {
	// AddFollow stores one; an id that is there already is passed over.
	AddFollow(ctx context.Context, f Follow) error
	// Settling returns, over all workspaces, everything that is kept of up to limit messages of which a link was followed at or before a time and
	// is not settled: those that wait longest, each with all its follows, in the order of time and id.
	Settling(ctx context.Context, before time.Time, limit int) ([]Follow, error)
	// Follows returns everything that is kept of these messages, in the order of time and id.
	Follows(ctx context.Context, ws string, messageIDs []string) ([]Follow, error)
	// Settle marks them. Unknown ids are passed over.
	Settle(ctx context.Context, ids []string) error
	// PurgeFollows removes up to limit settled ones from before a time and returns how many.
	PurgeFollows(ctx context.Context, before time.Time, limit int) (int64, error)
}

// Followed notes that a link was followed. When it returns without error the click is on disk and will be an event, a person's or a machine's.
func (s *Service) Followed(ctx context.Context, in Interaction) error {
	return s.follows.AddFollow(ctx, Follow{
		ID: id.New("clk"), Workspace: in.Workspace, MessageID: in.MessageID, URL: in.URL, Trap: in.Trap, Machine: in.Machine, Agent: in.Agent, Address: in.Address,
		At: s.clock.Now(),
	})
}

// settleBatch is how many messages' clicks are settled in one transaction.
const settleBatch = 200

// Settle makes events of the clicks whose time has come and returns how many links it has settled. Who clicked follows from what is stored alone, so a
// transaction that is repeated, here or in another process, says the same.
func (s *Service) Settle(ctx context.Context) (settled int, err error) {
	err = s.tx.InTx(ctx, func(ctx context.Context) error {
		settled = 0
		now := s.clock.Now()
		due := now.Add(-settleAfter)
		all, err := s.follows.Settling(ctx, due, settleBatch)
		if err != nil || len(all) == 0 {
			return err
		}
		type key struct{ ws, message string }
		byMessage, wanted := map[key][]Follow{}, map[string][]string{}
		var order []key
		for _, f := range all {
			k := key{f.Workspace, f.MessageID}
			if byMessage[k] == nil {
				order, wanted[k.ws] = append(order, k), append(wanted[k.ws], k.message)
			}
			byMessage[k] = append(byMessage[k], f)
		}
		messages := map[key]Message{}
		for ws, ids := range wanted {
			found, err := s.store.Messages(ctx, ws, ids)
			if err != nil {
				return err
			}
			for id, m := range found {
				messages[key{ws, id}] = m
			}
		}
		var events []event.Event
		var done []string
		for _, k := range order {
			m, there := messages[k] // it may have been erased meanwhile
			verdicts := scanned(m.SentAt, byMessage[k])
			for i, f := range byMessage[k] {
				if f.Settled || f.At.After(due) {
					continue
				}
				if done = append(done, f.ID); !there {
					continue
				}
				e := told(m, event.MessageClicked, "click:"+f.ID, f.At, now, map[string]any{"machine": verdicts[i], "url": f.URL})
				e.Context = seenOf(f.Agent, f.Address)
				heard(ctx, &e)
				events = append(events, e)
			}
		}
		settled = len(done)
		if err := s.emitter.Emit(ctx, events...); err != nil {
			return err
		}
		return s.follows.Settle(ctx, done)
	})
	if err != nil {
		return 0, fmt.Errorf("settle clicks: %w", err)
	}
	return settled, nil
}

// clicking sets when messages were first clicked by a person, as far as it can be told before the clicks are settled: who orders right after a click
// does so because of that message.
func (s *Service) clicking(ctx context.Context, ws string, messages []Message) error {
	at := map[string]int{}
	var ids []string
	for i, m := range messages {
		if m.ClickedAt.IsZero() && !m.SentAt.IsZero() {
			at[m.ID], ids = i, append(ids, m.ID)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	all, err := s.follows.Follows(ctx, ws, ids)
	if err != nil {
		return err
	}
	byMessage := map[string][]Follow{}
	for _, f := range all {
		byMessage[f.MessageID] = append(byMessage[f.MessageID], f)
	}
	for id, follows := range byMessage {
		m := &messages[at[id]]
		for i, machine := range scanned(m.SentAt, follows) {
			if !machine && m.ClickedAt.IsZero() {
				m.ClickedAt = follows[i].At
			}
		}
	}
	return nil
}

// scanned says of each of the follows of one message, in the order of time, whether a machine's it was.
func scanned(sent time.Time, follows []Follow) []bool {
	out := make([]bool, len(follows))
	links := map[string]int{} // in the window [from, i]
	var until time.Time
	from, marked := 0, 0
	for i, f := range follows {
		links[f.URL]++
		for f.At.Sub(follows[from].At) > burstWindow {
			if links[follows[from].URL]--; links[follows[from].URL] == 0 {
				delete(links, follows[from].URL)
			}
			from++
		}
		need := burstLinks
		if sent.IsZero() || follows[from].At.Sub(sent) < justArrived {
			need = earlyLinks
		}
		if f.Trap || len(links) >= need {
			until = f.At.Add(burstRest)
			for marked = max(marked, from); marked < i; marked++ {
				out[marked] = true
			}
		}
		out[i] = out[i] || f.Machine || f.At.Before(until)
	}
	return out
}

// PurgeFollows forgets up to limit followed links that no verdict needs any more.
func (s *Service) PurgeFollows(ctx context.Context, limit int) (int64, error) {
	return s.follows.PurgeFollows(ctx, s.clock.Now().Add(-followsKept), limit)
}

// seenOf is what an event keeps of who asked.
func seenOf(agent, address string) json.RawMessage {
	raw, _ := json.Marshal(map[string]string{"userAgent": agent, "ip": address}) // strings always marshal
	return raw
}

// Settler settles clicks for as long as it runs.
type Settler struct {
	lifecycle.Loop
	s *Service
}

// NewSettler returns a Settler that is not running yet. Several may run at once, here and in other processes.
func NewSettler(s *Service) *Settler {
	w := &Settler{s: s}
	w.Run = w.run
	return w
}

const (
	settlePoll  = 500 * time.Millisecond
	settlePause = 5 * time.Second // after an error
)

func (w *Settler) run(ctx context.Context) {
	for ctx.Err() == nil {
		n, err := w.s.Settle(ctx)
		wait := settlePoll
		if err != nil && ctx.Err() == nil {
			w.s.log.Error("clicks wait for their verdict", "err", err)
			wait = settlePause
		}
		if n > 0 {
			continue
		}
		_ = lifecycle.Sleep(ctx, wait) // the loop ends with ctx
	}
}
