package rule

import (
	"context"
	"fmt"
	"time"

	"github.com/RoaringBitmap/roaring/v2/roaring64"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/rule/leaf"
)

// Audience finds everyone of the workspace who fulfils the rule at now. Each leaf is one select or set; the groups are
// combined here, which gives the count of every node.
func (r *Rule) Audience(ctx context.Context, src Source, ws string, now time.Time) (Audience, error) {
	everyone, err := src.Everyone(ctx, ws)
	if err != nil {
		return Audience{}, fmt.Errorf("rule: everyone: %w", err)
	}
	q := asking{src: src, dialect: leaf.DuckDB{}, ws: ws, now: now, everyone: everyone}
	if src.Engine() == event.ClickHouse {
		q.dialect = leaf.ClickHouse{}
	}
	people, err := q.node(ctx, r.root)
	if err != nil {
		return Audience{}, err
	}
	return Audience{People: people, Counts: q.counts}, nil
}

type asking struct {
	src      Source
	dialect  leaf.Dialect
	ws       string
	now      time.Time
	everyone *roaring64.Bitmap
	counts   []NodeCount
}

// node returns a bitmap of its own, within everyone.
func (q *asking) node(ctx context.Context, n *node) (*roaring64.Bitmap, error) {
	at := len(q.counts)
	q.counts = append(q.counts, NodeCount{Path: n.path})
	out, err := q.people(ctx, n)
	if err != nil {
		return nil, err
	}
	q.counts[at].Count = out.GetCardinality()
	return out, nil
}

func (q *asking) people(ctx context.Context, n *node) (*roaring64.Bitmap, error) {
	switch n.group {
	case "":
		return q.leaf(ctx, n)
	case "not":
		kid, err := q.node(ctx, n.kids[0])
		if err != nil {
			return nil, err
		}
		return roaring64.AndNot(q.everyone, kid), nil
	}
	out := roaring64.New()
	if n.group == "all" {
		out = q.everyone.Clone()
	}
	for _, k := range n.kids {
		kid, err := q.node(ctx, k)
		if err != nil {
			return nil, err
		}
		if n.group == "all" {
			out.And(kid)
		} else {
			out.Or(kid)
		}
	}
	return out, nil
}

func (q *asking) leaf(ctx context.Context, n *node) (*roaring64.Bitmap, error) {
	ask := n.leaf.Ask(q.dialect, q.ws, q.now)
	found := roaring64.New()
	var err error
	switch {
	case ask.Set != "":
		found, err = q.src.Members(ctx, q.ws, ask.Set)
	case ask.SQL != "":
		found, err = q.src.Select(ctx, q.ws, ask.SQL, ask.Args)
	}
	if err != nil {
		return nil, fmt.Errorf("rule: %s: %w", n.path, err)
	}
	if ask.Complement {
		return roaring64.AndNot(q.everyone, found), nil
	}
	// An event can belong to someone whose mirror row is not written yet.
	return roaring64.And(q.everyone, found), nil
}
