package person

import (
	"cmp"
	"slices"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
)

// Bounds of one person.
const (
	maxMerges = 100
	maxLinks  = 1000
)

// An identifier that sharedUsers different user ids were seen with inside sharedWindow links nothing any more.
const (
	sharedUsers  = 3
	sharedWindow = 30 * 24 * time.Hour
)

// graph is the part of a workspace's identity that a batch touches, in memory. Apply fills it from the store; a replay
// starts with an empty one.
type graph struct {
	kinds     *kinds
	aliasOpen bool                        // workspace option: an alias with a server key may merge identified people
	replay    bool                        // whole history in order: lateness is impossible
	marks     map[event.Identifier][]mark // decisions to keep apart, of the identifiers asked for; nil: not asked yet
	unmarked  bool                        // the workspace has no such decision

	hashing      bool                                  // the workspace gets addresses as hashes
	askedHashing bool                                  // that was found out
	beginHashing bool                                  // the first one has come
	plain        map[event.Identifier]event.Identifier // hash -> the address it stands for
	renamed      map[event.Identifier]event.Identifier // address -> hash that its node is stored under

	nodes    map[event.Identifier]*node
	byID     map[string]*subject // subjects named by events
	subjects []*subject          // in the order they came up
	verdicts []verdict
	tasks    [][]event.Identifier
	unions   []union
	err      error // first failure to read a stored state
}

// node is an identifier.
type node struct {
	id        event.Identifier
	rank      int
	spans     []span // ascending by from; none: nobody ever owned it
	users     []use  // user ids seen with it, at most sharedUsers
	shared    moment // since when it links nothing; zero: it links
	first     int64
	last      moment
	source    string
	contested bool
	marks     []mark

	stored  bool             // there is a row
	was     event.Identifier // what the row is under, if that is another spelling
	dirty   bool             // the row must be written whole, and whose it is may have changed
	older   bool             // the row must be written whole, since it was seen earlier than was known
	touched bool             // only last and users changed
}

// span says who owns a node from a moment on, until the next span. The first begins at the zero moment: events before the
// first claim belong to the first claimant.
type span struct {
	from moment
	who  *subject // nil: nobody
}

// use is the latest event that carried a node together with a user id.
type use struct {
	user string
	last int64
}

// subject is a person.
type subject struct {
	rec    Record
	order  int            // place in graph.subjects
	into   *subject       // merged in this graph
	nodes  map[*node]bool // owned at any time, as far as loaded
	whole  bool           // nodes holds everything owned now
	touch  moment
	st     state
	stored bool
	dirty  bool // the record must be written
	shown  bool // rules may see somebody else than before; LastSeen alone does not count
	events int  // new events in this batch
	told   int  // those of them that by themselves change nothing but traits, counters, first touches and LastSeen
}

// change notes that the person is not who they were.
func (s *subject) change() { s.dirty, s.shown = true, true }

// verdict is a decision on its way to the log.
type verdict struct {
	who, other *subject
	action     Action
	reason     string
	ids        []event.Identifier
	at         moment
	count      int
	daily      bool
	source     string // of the event
}

// union is a merge of two people, at least the loser of whom is known outside.
type union struct {
	loser *subject
	seq   uint64
}

func newGraph(k *kinds) *graph {
	return &graph{
		kinds: k, nodes: map[event.Identifier]*node{}, byID: map[string]*subject{},
		plain: map[event.Identifier]event.Identifier{}, renamed: map[event.Identifier]event.Identifier{},
	}
}

func (s *subject) find() *subject {
	if s == nil || s.into == nil {
		return s
	}
	root := s.into.find()
	s.into = root
	return root
}

// identified reports whether the person has a user id.
func (s *subject) identified() bool { return s.rec.UserID != "" }

// node returns the node of an identifier, which all its spellings share.
func (g *graph) node(id event.Identifier) *node {
	id = g.one(id)
	n := g.nodes[id]
	if n == nil {
		n = &node{id: id, rank: g.kinds.rankOf(id.Kind), marks: g.marks[id]}
		g.nodes[id] = n
	}
	return n
}

func (g *graph) add(s *subject) *subject {
	s.order = len(g.subjects)
	if s.nodes == nil {
		s.nodes = map[*node]bool{}
	}
	g.subjects = append(g.subjects, s)
	return s
}

// ownerAt returns who owned the node at the moment, nil if nobody.
func (n *node) ownerAt(m moment) *subject { return n.at(m).who.find() }

// at returns the span that the moment is in.
func (n *node) at(m moment) span {
	for _, s := range slices.Backward(n.spans) {
		if !m.before(s.from) {
			return s
		}
	}
	return span{}
}

// owner returns who owns the node now.
func (n *node) owner() *subject {
	if len(n.spans) == 0 {
		return nil
	}
	return n.spans[len(n.spans)-1].who.find()
}

// isShared reports whether the node linked nothing any more at the moment.
func (n *node) isShared(m moment) bool { return n.shared != moment{} && !m.before(n.shared) }

// use notes that the node came with a user id and reports whether that makes too many of them.
func (n *node) use(user string, t int64) (tooMany bool) {
	i := slices.IndexFunc(n.users, func(u use) bool { return u.user == user })
	if i < 0 {
		n.users = append(n.users, use{user, t})
	} else {
		n.users[i].last = max(n.users[i].last, t)
	}
	from := t - sharedWindow.Microseconds()
	inside := 0
	for _, u := range n.users {
		if u.last > from {
			inside++
		}
	}
	if inside < sharedUsers && len(n.users) > sharedUsers {
		slices.SortFunc(n.users, func(a, b use) int { return cmp.Compare(b.last, a.last) })
		n.users = n.users[:sharedUsers]
	}
	n.touched = true
	return inside >= sharedUsers
}

// assign gives the node to someone from the moment on, until the next span.
func (n *node) assign(from moment, who *subject) {
	if len(n.spans) == 0 || len(n.spans) == 1 && n.spans[0] == (span{}) {
		from = moment{}
	}
	i, found := slices.BinarySearchFunc(n.spans, from, func(s span, m moment) int { return s.from.compare(m) })
	if found {
		n.spans[i].who = who
	} else {
		n.spans = slices.Insert(n.spans, i, span{from, who})
	}
	n.dirty = true
	if who != nil {
		who.nodes[n] = true
		who.change()
	}
}

// count returns how many identifiers of the kind the person gained inside the window around t.
func (s *subject) count(kind string, window time.Duration, t int64) int {
	c := 0
	for n := range s.nodes {
		if n.id.Kind == kind && n.owner() == s && inWindow(n.first, window, t) {
			c++
		}
	}
	return c
}

func inWindow(first int64, window time.Duration, t int64) bool {
	return window == 0 || first > t-window.Microseconds() && first < t+window.Microseconds()
}

// owned returns how many identifiers the person owns now.
func (s *subject) owned() int {
	if !s.whole {
		return s.rec.Links
	}
	c := 0
	for n := range s.nodes {
		if n.owner() == s {
			c++
		}
	}
	return c
}

// best returns the best rank among the person's identifiers.
func (s *subject) best() int {
	if !s.whole {
		return s.rec.Best
	}
	b := 1 << 30
	for n := range s.nodes {
		if n.owner() == s {
			b = min(b, n.rank)
		}
	}
	return b
}

// beats reports whether a survives a merge with b. It does not depend on the order in which they came up, except for
// two new people that are alike in everything else.
func (s *subject) beats(b *subject) bool {
	if c := cmp.Compare(s.best(), b.best()); c != 0 {
		return c < 0
	}
	if s.rec.FirstSeen != b.rec.FirstSeen {
		if s.rec.FirstSeen == 0 || b.rec.FirstSeen == 0 {
			return s.rec.FirstSeen != 0
		}
		return s.rec.FirstSeen < b.rec.FirstSeen
	}
	if s.rec.ID != b.rec.ID && s.rec.ID != "" && b.rec.ID != "" {
		return s.rec.ID < b.rec.ID
	}
	return s.order < b.order
}

// log notes a decision. Refusals and the like are counted by day.
func (g *graph) log(v verdict) {
	switch v.action {
	case Refused, Demoted:
		v.daily = true
	}
	v.count = max(v.count, 1)
	g.verdicts = append(g.verdicts, v)
}
