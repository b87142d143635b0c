package leaf

import (
	"crypto/md5"
	"encoding/binary"
	"time"

	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// Bucket splits people at random but for good: {"salt": "spring test", "from": 0, "to": 10} is a tenth of them. The same salt and
// person always give the same share; buckets of one salt that do not overlap have nobody in common.
func Bucket() Spec {
	return Spec{Kind: "bucket", Title: "Is in a random share", Parse: parseBucket, Schema: func() Schema {
		return object(map[string]Schema{"salt": textSchema, "from": percentSchema, "to": percentSchema}, "salt", "from", "to")
	}}
}

type bucket struct {
	salt     string
	from, to float64
}

func parseBucket(in Input) (Leaf, error) {
	f := in.fields("salt", "from", "to")
	l := &bucket{salt: f.text("salt"), from: f.number("from", 0, 100), to: f.number("to", 0, 100)}
	if f.err == nil && l.from >= l.to {
		f.fail(errs.Invalid("rule.value", in.Path, "from must be below to"))
	}
	return l, f.err
}

// Share is a number in [0, 100) made of the first 32 bits of the MD5 of "salt:id": stable, the same in every engine, and
// exact in float64. It is no secret and need not be.
func Share(salt, id string) float64 {
	sum := md5.Sum([]byte(salt + ":" + id))
	return float64(binary.BigEndian.Uint32(sum[:4])) * 100 / (1 << 32)
}

func (l *bucket) Ask(d Dialect, ws string, _ time.Time) Question {
	q := &SQL{}
	q.Add("SELECT num FROM (SELECT num, ")
	d.Bucket(q, l.salt)
	q.Add(" AS share FROM person WHERE ws = ").Arg(ws).Add(") AS shares WHERE share >= ").Arg(l.from).Add(" AND share < ").Arg(l.to)
	return q.question()
}

func (l *bucket) Eval(s *Subject, _ time.Time) Result {
	v := Share(l.salt, s.ID)
	return steady(v >= l.from && v < l.to)
}

func (l *bucket) Needs() Needs { return Needs{} }
