package eventstore

import "github.com/kizuna-cx/kizuna/internal/domain/event"

// Who is a person of a workspace.
type Who struct {
	WS  string
	Num uint64
}

// Redirection is where a person who was merged away leads.
type Redirection struct {
	Winner uint64
	Folded bool // the stored events of the loser have been given to the winner
}

// Merges is what a batch needs to know of the redirects, with the batch's own applied. Rows are kept one
// hop long: the winner of a row is never the loser of another.
type Merges struct {
	Rows    map[Who]Redirection
	Changed map[Who]bool
	losers  map[Who]map[Who]bool // the rows by their winner
}

// NewMerges knows of none.
func NewMerges() *Merges {
	return &Merges{Rows: map[Who]Redirection{}, losers: map[Who]map[Who]bool{}, Changed: map[Who]bool{}}
}

// Resolve returns who the person is by now.
func (m *Merges) Resolve(ws string, num uint64) uint64 {
	if r, ok := m.Rows[Who{ws, num}]; ok {
		return r.Winner
	}
	return num
}

// Set notes a row that is stored.
func (m *Merges) Set(k Who, r Redirection) {
	if old, ok := m.Rows[k]; ok {
		delete(m.losers[Who{k.WS, old.Winner}], k)
	}
	m.Rows[k] = r
	w := Who{k.WS, r.Winner}
	if m.losers[w] == nil {
		m.losers[w] = map[Who]bool{}
	}
	m.losers[w][k] = true
}

// Add applies a redirect. Repeating one changes nothing; one that would make a circle is ignored.
func (m *Merges) Add(r event.Redirect) {
	loser := Who{r.Workspace, r.Loser}
	winner := m.Resolve(r.Workspace, r.Winner)
	if old, ok := m.Rows[loser]; winner == r.Loser || ok && old.Winner == winner {
		return
	}
	for k := range m.losers[loser] {
		m.Set(k, Redirection{winner, m.Rows[k].Folded})
		m.Changed[k] = true
	}
	m.Set(loser, Redirection{Winner: winner})
	m.Changed[loser] = true
}

// Read asks for the stored rows that concern the batch, by loser and by winner, each workspace alone, and applies the batch's redirects.
func (m *Merges) Read(b event.Batch, read func(ws, column string, nums []uint64) error) error {
	asked, losers := map[string]map[uint64]bool{}, map[string][]uint64{}
	ask := func(ws string, num uint64) {
		if asked[ws] == nil {
			asked[ws] = map[uint64]bool{}
		}
		asked[ws][num] = true
	}
	for i := range b.Events {
		ask(b.Events[i].Workspace, b.Events[i].Person)
	}
	for _, v := range b.Moves {
		ask(v.Workspace, v.To)
	}
	for _, r := range b.Redirects {
		ask(r.Workspace, r.Loser)
		ask(r.Workspace, r.Winner)
		losers[r.Workspace] = append(losers[r.Workspace], r.Loser)
	}
	for ws, nums := range asked {
		list := make([]uint64, 0, len(nums))
		for n := range nums {
			list = append(list, n)
		}
		if err := read(ws, "loser", list); err != nil {
			return err
		}
	}
	for ws, list := range losers {
		if err := read(ws, "winner", list); err != nil {
			return err
		}
	}
	for _, r := range b.Redirects {
		m.Add(r)
	}
	return nil
}
