package person

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
)

// What two people may be alike in. None of it is proof.
const (
	LikeMail     = "same_mail"          // variants of one address: aya+news@x and aya@x, dots at Gmail
	LikePhone    = "same_phone"         // one number, however it was written
	LikeAddress  = "same_name_address"  // name and postal address
	LikeBirthday = "same_name_birthday" // name and date of birth
)

var likeWeight = map[string]bool{LikeMail: true, LikePhone: true, LikeAddress: true, LikeBirthday: true}

// Likeness is one thing that people may be alike in. Key is a hash: what is compared need not be readable.
type Likeness struct {
	Key    string
	Person uint64
}

// maxAlike is how many people may be alike in one thing before it says nothing: a switchboard, an office.
const maxAlike = 10

// Look is how far a search for probable duplicates has got: it goes from the newest person to the oldest twice, and begins anew a day after it began.
type Look struct {
	Before  uint64 // the number that was looked at last; 0: begin
	Started int64  // microseconds UTC; 0: never
	Second  bool   // everybody's likenesses are noted; now they are compared
	Done    bool
}

const lookEvery = dayMicros

// LookForDuplicates looks at the next people of the workspace, at most limit, suggests who may be the same, and returns limit while there are more.
func (s *Service) LookForDuplicates(ctx context.Context, ws string, limit int) (looked int64, err error) {
	region, err := s.region(ctx, ws)
	if err != nil {
		return 0, err
	}
	k, err := s.kindsOf(ctx, ws)
	if err != nil {
		return 0, err
	}
	err = s.Tx.InTx(ctx, func(ctx context.Context) error {
		looked = 0
		at, err := s.Store.Look(ctx, ws)
		if err != nil {
			return err
		}
		now := s.Clock.Now().UnixMicro()
		if at.Done || at.Started == 0 {
			if at.Started != 0 && now-at.Started < lookEvery {
				return nil
			}
			at = Look{Started: now}
		}
		if err := s.Store.Lock(ctx, ws); err != nil {
			return err
		}
		rows, err := s.Store.Find(ctx, ws, Query{}, Place{Num: at.Before}, limit)
		if err != nil {
			return err
		}
		if len(rows) > 0 {
			people, err := s.people(ctx, ws, rows)
			if err != nil {
				return err
			}
			if err := s.compare(ctx, ws, k, people, region, at.Second); err != nil {
				return err
			}
			at.Before = rows[len(rows)-1].Num
		}
		looked = int64(limit) // there is more, unless that was the end of the second time
		if len(rows) < limit {
			if at.next(); at.Done {
				looked = int64(len(rows))
			}
		}
		return s.Store.SetLook(ctx, ws, at)
	})
	return looked, err
}

// next goes over everybody a second time, after which the search is done.
func (l *Look) next() {
	if l.Second {
		l.Done = true
		return
	}
	l.Second, l.Before = true, 0
}

// LookAgain makes the next LookForDuplicates begin anew.
func (s *Service) LookAgain(ctx context.Context, ws string) error {
	return s.Store.SetLook(ctx, ws, Look{})
}

// compare notes what the people are like and, the second time, suggests those who are alike.
func (s *Service) compare(ctx context.Context, ws string, k *kinds, people []Person, region string, second bool) error {
	type reason struct {
		like, value string
		at          int64
	}
	mine := map[uint64]map[string]reason{}
	var rows []Likeness
	var nums []uint64
	var keys []string
	for _, p := range people {
		nums = append(nums, p.Num)
		mine[p.Num] = map[string]reason{}
		for _, l := range p.likenesses(region) {
			sum := sha256.Sum256([]byte(l[0] + "\x00" + l[1]))
			key := hex.EncodeToString(sum[:16])
			if _, had := mine[p.Num][key]; had {
				continue
			}
			mine[p.Num][key] = reason{l[0], l[2], p.LastSeen.UnixMicro()}
			rows = append(rows, Likeness{key, p.Num})
			keys = append(keys, key)
		}
	}
	if err := s.Store.SaveLikenesses(ctx, ws, nums, rows); err != nil || !second {
		return err
	}
	found, err := s.Store.Alike(ctx, ws, keys)
	if err != nil {
		return err
	}
	groups := map[string][]uint64{}
	for _, l := range found {
		groups[l.Key] = append(groups[l.Key], l.Person)
	}
	var hints []hint
	done := map[string]bool{}
	for _, p := range people {
		for key, r := range mine[p.Num] {
			if done[key] || len(groups[key]) < 2 || len(groups[key]) > maxAlike {
				continue
			}
			done[key] = true
			group := groups[key]
			slices.Sort(group)
			for i, a := range group {
				for _, b := range group[i+1:] {
					hints = append(hints, hint{a, b, Indication{Reason: r.like, Value: r.value, Times: 1, First: r.at, Last: r.at}, ""})
				}
			}
		}
	}
	slices.SortFunc(hints, func(x, y hint) int {
		return strings.Compare(x.e.Reason+x.e.Value, y.e.Reason+y.e.Value)
	})
	if hints, err = s.notApart(ctx, ws, hints); err != nil {
		return err
	}
	return s.suggest(ctx, ws, k, hints)
}

// notApart leaves out pairs of whom it was decided that they are two.
func (s *Service) notApart(ctx context.Context, ws string, hints []hint) ([]hint, error) {
	if len(hints) == 0 {
		return nil, nil
	}
	some, err := s.Store.HasApart(ctx, ws)
	if err != nil || !some {
		return hints, err
	}
	var nums []uint64
	for _, h := range hints {
		nums = append(nums, h.a, h.b)
	}
	links, err := s.Store.LinksOf(ctx, ws, nums)
	if err != nil {
		return nil, err
	}
	ids := make([]event.Identifier, len(links))
	owner := map[event.Identifier]uint64{}
	for i := range links {
		ids[i] = links[i].Identifier
		owner[links[i].Identifier] = links[i].Person
	}
	decisions, err := s.Store.ApartOf(ctx, ws, ids)
	if err != nil {
		return nil, err
	}
	apart := map[[2]uint64]bool{}
	for _, d := range decisions {
		for _, x := range d.One {
			for _, y := range d.Two {
				if a, b := owner[x], owner[y]; a != 0 && b != 0 {
					apart[[2]uint64{min(a, b), max(a, b)}] = true
				}
			}
		}
	}
	return slices.DeleteFunc(hints, func(h hint) bool { return apart[[2]uint64{min(h.a, h.b), max(h.a, h.b)}] }), nil
}

// likenesses returns what the person may be alike in with others: the reason, what is compared, and how it is shown.
func (p Person) likenesses(region string) (out [][3]string) {
	mails, phones := []string{p.Text("email")}, []string{p.Text("phone")}
	for _, id := range p.Identifiers {
		switch id.Kind {
		case KindEmail:
			mails = append(mails, id.Value)
		case KindPhone:
			phones = append(phones, id.Value)
		}
	}
	for _, m := range mails {
		if v, ok := normalise(Mail, m, region); ok && !Hashed(v) {
			base := mailbox(v)
			out = append(out, [3]string{LikeMail, base, base})
		}
	}
	for _, n := range phones {
		if v, ok := normalise(Dial, n, region); ok && !Hashed(v) {
			out = append(out, [3]string{LikePhone, v, v})
		}
	}
	name := plainWords(displayName(p.Text))
	if name == "" {
		return out
	}
	if where := p.postal(); where != "" {
		out = append(out, [3]string{LikeAddress, name + "\n" + plainWords(where), displayName(p.Text) + ", " + where})
	}
	if born := p.Text("birthday"); len(born) >= len("2006-01-02") {
		out = append(out, [3]string{LikeBirthday, name + "\n" + born[:10], displayName(p.Text) + ", " + born[:10]})
	}
	return out
}

// mailbox returns the address that mail to a variant arrives at: without what follows a plus sign, and at Gmail without dots.
func mailbox(address string) string {
	i := strings.LastIndexByte(address, '@')
	local, domain := address[:i], address[i+1:]
	if j := strings.IndexByte(local, '+'); j > 0 {
		local = local[:j]
	}
	if domain == "googlemail.com" {
		domain = "gmail.com"
	}
	if domain == "gmail.com" {
		local = strings.ReplaceAll(local, ".", "")
	}
	return local + "@" + domain
}

// postal returns street and place of the trait "address", or of traits of their own, empty if either is missing.
func (p Person) postal() string {
	get := p.Text
	if parts, ok := p.Traits["address"].Value.(map[string]any); ok {
		get = func(key string) string { s, _ := parts[key].(string); return s }
	} else if s := p.Text("address"); s != "" {
		return s
	}
	first := func(keys ...string) string {
		for _, k := range keys {
			if s := strings.TrimSpace(get(k)); s != "" {
				return s
			}
		}
		return ""
	}
	street, place := first("street", "line1", "address1"), first("postalCode", "postal_code", "zip", "city")
	if street == "" || place == "" {
		return ""
	}
	return street + ", " + place
}

// plainWords brings text into a form in which spelling, width, case and punctuation do not matter.
func plainWords(s string) string {
	var b strings.Builder
	space := false
	for _, r := range norm.NFKC.String(strings.ToLower(s)) {
		if unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r) {
			if space && b.Len() > 0 {
				b.WriteByte(' ')
			}
			space = false
			b.WriteRune(r)
		} else {
			space = true
		}
	}
	return b.String()
}
