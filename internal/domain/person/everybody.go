package person

import (
	"context"
	"strconv"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
)

const (
	// kindEverybody marks the task that walks through everybody; no kind that is declared can have this name. Its value is the number of the
	// person that was reached last.
	kindEverybody = "*"
	// everybodyPage is how many people are looked at in one go; new events wait meanwhile.
	everybodyPage = 1000
)

// TouchEverybody has everything that depends on people look again at everybody in the workspace, for changes that concern all of them and
// happened to none, such as another way to agree to a topic. It joins the caller's transaction and is carried out soon after it by RunTasks, those who
// came last first, some at a time.
func (s *Service) TouchEverybody(ctx context.Context, ws string) error {
	return s.touchFrom(ctx, ws, 0)
}

func (s *Service) touchFrom(ctx context.Context, ws string, num uint64) error {
	return s.addTask(ctx, ws, []event.Identifier{{Kind: kindEverybody, Value: strconv.FormatUint(num, 10)}})
}

// everybody returns how far a walk through everybody has got, if the task is one.
func everybody(seeds []event.Identifier) (num uint64, is bool, err error) {
	if len(seeds) != 1 || seeds[0].Kind != kindEverybody {
		return 0, false, nil
	}
	num, err = strconv.ParseUint(seeds[0].Value, 10, 64)
	return num, true, err
}

// runWalk leaves the next people of a walk as the outcome of its task, and the rest of the way as another task.
func (s *Service) runWalk(ctx context.Context, t Task, after uint64) error {
	return s.Tx.InTx(ctx, func(ctx context.Context) error {
		rows, err := s.Store.Find(ctx, t.Workspace, Query{}, Place{Num: after}, everybodyPage)
		if err != nil {
			return err
		}
		var x outcome
		for _, r := range rows {
			x.Touched = append(x.Touched, Ref{Workspace: t.Workspace, ID: r.ID, Num: r.Num})
		}
		if err := s.keepOutcome(ctx, t.Workspace, x); err != nil {
			return err
		}
		if len(rows) == everybodyPage {
			if err := s.touchFrom(ctx, t.Workspace, rows[len(rows)-1].Num); err != nil {
				return err
			}
		}
		return s.Store.DropTasks(ctx, t.Workspace, []string{t.ID})
	})
}
