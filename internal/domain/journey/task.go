package journey

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/RoaringBitmap/roaring/v2/roaring64"

	"github.com/kizuna-cx/kizuna/internal/domain/journey/node"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/id"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
)

// Task is work on many people that is done in batches, each a transaction that also moves the task: a crash goes on where it was.
type Task struct {
	ID        string
	Workspace string
	Journey   string
	Kind      string
	Status    string
	Version   int       // of the journey, for which it was made
	Due       time.Time // when the next batch may be done
	Cursor    string    // behind the last one handled
	Total     int64     // how many there are, as far as known
	Done      int64     // how many were handled
	Data      json.RawMessage
	Error     string // what the last try said, if it failed
	Attempts  int
	Rev       int64
	CreatedAt time.Time
	UpdatedAt time.Time
}

// The kinds of tasks.
const (
	TaskScan = "scan" // make everybody's appointment after publishing
	TaskRun  = "run"  // let the audience of a schedule in
	TaskAdd  = "add"  // let people in whom staff add
)

// The statuses of tasks.
const (
	TaskRunning   = "running"
	TaskDone      = "done"
	TaskCancelled = "cancelled"
)

// maxTasks is how many tasks one round of the worker looks at.
const maxTasks = 50

// run data of a schedule.
type runData struct {
	At string `json:"at"` // civil time
}

// addData is whom staff add.
type addData struct {
	People []string `json:"people,omitempty"`
	Set    string   `json:"set,omitempty"`
	By     string   `json:"by,omitempty"`
}

// work does one batch of every task that is due.
func (s *Service) work(ctx context.Context) (int, error) {
	tasks, err := s.c.Store.DueTasks(ctx, s.c.Clock.Now(), maxTasks)
	if err != nil {
		return 0, err
	}
	handled := 0
	for _, t := range tasks {
		if ctx.Err() != nil {
			return handled, ctx.Err()
		}
		did, err := s.batch(ctx, t)
		switch {
		case err == nil:
		case errs.Is(err, errs.KindConflict): // another process did it
		default:
			if ctx.Err() != nil {
				return handled, ctx.Err()
			}
			s.c.Log.Error("a task of a journey is tried again later", "workspace", t.Workspace, "journey", t.Journey, "task", t.ID, "kind", t.Kind, "error", err)
			t.Attempts++
			t.Error, t.UpdatedAt = err.Error(), s.c.Clock.Now()
			t.Due = t.UpdatedAt.Add(min(lastBackoff, firstBackoff<<min(t.Attempts-1, 10)))
			if err := s.c.Store.SaveTask(ctx, t); err != nil && !errs.Is(err, errs.KindConflict) {
				return handled, err
			}
		}
		handled += did
	}
	return handled, nil
}

func (s *Service) batch(ctx context.Context, t Task) (int, error) {
	idx, err := s.current(ctx)
	if err != nil {
		return 0, err
	}
	c := idx.workspaces[t.Workspace]
	if c == nil {
		return 0, nil
	}
	if t.Kind == TaskMove {
		return s.migrate(ctx, t)
	}
	switch t.Kind {
	case TaskScan:
		for _, l := range append(c.dated, c.idle...) {
			if l.journey.ID == t.Journey {
				return s.scan(ctx, l, t)
			}
		}
	case TaskRun, TaskAdd:
		if l, ok := c.open[t.Journey]; ok {
			return s.bringIn(ctx, l, t)
		}
	}
	return 0, nil // the journey is not in a state in which this may go on
}

// errUnsettled says that a task has to wait until a segment has been evaluated: a part of an audience is another audience.
var errUnsettled = errors.New("not all members of the segment are known yet")

// wait notes that a task waits for its segment.
func (s *Service) wait(ctx context.Context, t Task) (int, error) {
	if t.Error == NotSettled {
		return 0, nil
	}
	t.Error, t.UpdatedAt = NotSettled, s.c.Clock.Now()
	return 0, s.c.Store.SaveTask(ctx, t)
}

// numbers returns the members of a set, or everybody if it is empty, once all of them are known. It asks for that before and after it reads, since an edit may come in
// between.
func (s *Service) numbers(ctx context.Context, ws, set string) (all *roaring64.Bitmap, err error) {
	settled := func() error {
		if set == "" {
			return nil
		}
		names, err := s.c.Audience.Unsettled(ctx, ws, []string{set})
		if err == nil && len(names) > 0 {
			err = errUnsettled
		}
		return err
	}
	if err = settled(); err != nil {
		return nil, err
	}
	if all, err = s.c.Audience.Numbers(ctx, ws, set); err != nil {
		return nil, err
	}
	return all, settled()
}

// some returns up to limit people of a set behind the cursor, by number, and the next cursor, empty at the end.
func (s *Service) some(ctx context.Context, ws, set string, t *Task) ([]string, string, error) {
	all, err := s.numbers(ctx, ws, set)
	if err != nil {
		return nil, "", err
	}
	t.Total = max(t.Total, int64(all.GetCardinality()))
	var nums []uint64
	it := all.Iterator()
	if t.Cursor != "" {
		after, err := strconv.ParseUint(t.Cursor, 10, 64)
		if err != nil {
			return nil, "", fmt.Errorf("cursor of task %s: %w", t.ID, err)
		}
		it.AdvanceIfNeeded(after + 1)
	}
	for len(nums) < s.c.Batch && it.HasNext() {
		nums = append(nums, it.Next())
	}
	next := ""
	if it.HasNext() {
		next = strconv.FormatUint(nums[len(nums)-1], 10)
	}
	t.Done += int64(len(nums))
	ids, err := s.c.People.IDs(ctx, ws, nums)
	if err != nil {
		return nil, "", err
	}
	people := make([]string, 0, len(nums))
	seen := map[string]bool{}
	for _, n := range nums {
		if p := ids[n]; p != "" && !seen[p] {
			seen[p] = true
			people = append(people, p)
		}
	}
	return people, next, nil
}

// moved notes how far a task has come.
func (t *Task) moved(next string, now time.Time) {
	t.Cursor, t.Error, t.Attempts, t.UpdatedAt = next, "", 0, now
	if next == "" {
		t.Status, t.Total = TaskDone, t.Done
	}
}

// scan makes the appointments of a batch of people. Who changes meanwhile is taken care of by Touched and React.
func (s *Service) scan(ctx context.Context, l live, t Task) (int, error) {
	people, next, err := s.some(ctx, t.Workspace, "", &t)
	if err != nil {
		return 0, err
	}
	var last map[string]time.Time
	if l.plan.trigger.kind == ByInactive {
		if last, err = s.c.Audience.LastEvents(ctx, t.Workspace, people, l.plan.trigger.idleNames); err != nil {
			return 0, err
		}
	}
	return max(1, len(people)), s.c.Tx.InTx(ctx, func(ctx context.Context) error {
		t := t
		t.moved(next, s.c.Clock.Now())
		if err := s.c.Store.SaveTask(ctx, t); err != nil {
			return err
		}
		if l.plan.trigger.kind == ByDate {
			return s.appointByDate(ctx, t.Workspace, []live{l}, people, t.CreatedAt)
		}
		var put []Entry
		for _, p := range people {
			if at, ok := last[p]; ok {
				// Who was long inactive when the journey was published is not the one whose silence it is about.
				if a := l.plan.byInactivity(t.Workspace, t.Journey, p, at); a.Due.After(t.CreatedAt) {
					put = append(put, a)
				}
			}
		}
		return s.c.Store.PutEntries(ctx, put)
	})
}

// bringIn makes entries for a batch of the people of a schedule's run or of an addition by staff.
func (s *Service) bringIn(ctx context.Context, l live, t Task) (int, error) {
	now := s.c.Clock.Now()
	var (
		run    runData
		add    addData
		at     civil
		meant  time.Time // for which the run was planned; it may be done later
		people []string
		next   string
	)
	home, err := s.home(ctx, t.Workspace)
	if err != nil {
		return 0, err
	}
	if t.Kind == TaskRun {
		if err := json.Unmarshal(t.Data, &run); err != nil {
			return 0, err
		}
		if at, err = parseCivil(run.At); err != nil {
			return 0, err
		}
		meant = at.in(l.plan.trigger.in(home))
		if t.Cursor == "" && l.plan.maxAge > 0 && now.Sub(meant) > l.plan.maxAge {
			return 1, s.passOver(ctx, l, t, meant)
		}
		people, next, err = s.some(ctx, t.Workspace, l.plan.trigger.set, &t)
	} else {
		if err := json.Unmarshal(t.Data, &add); err != nil {
			return 0, err
		}
		if add.Set != "" {
			people, next, err = s.some(ctx, t.Workspace, add.Set, &t)
		} else {
			people, t.Done = add.People, int64(len(add.People))
		}
	}
	if errors.Is(err, errUnsettled) {
		return s.wait(ctx, t)
	}
	if err != nil {
		return 0, err
	}
	zones := map[string]*time.Location{}
	if l.plan.trigger.own && t.Kind == TaskRun {
		subjects, err := s.c.Subjects.Subjects(ctx, t.Workspace, people, nil, false)
		if err != nil {
			return 0, err
		}
		homes, err := s.homes(ctx, t.Workspace, people)
		if err != nil {
			return 0, err
		}
		for p, subject := range subjects {
			zones[p] = node.ZoneOf(subject, homes.of(p))
		}
	}
	entries := make([]Entry, 0, len(people))
	for _, p := range people {
		e := Entry{Workspace: t.Workspace, Journey: t.Journey, Person: p, Kind: ByManual, Due: now}
		e.Key = "manual:" + t.ID + ":" + p
		e.Trigger = node.Trigger{Name: ByManual, Time: now, Properties: props(map[string]any{"by": add.By})}
		if t.Kind == TaskRun {
			e.Kind, e.Key = BySchedule, "schedule:"+run.At+":"+p
			e.Due = at.in(l.plan.trigger.in(home))
			if zone := zones[p]; zone != nil {
				e.Due = at.in(zone)
			}
			e.Trigger = node.Trigger{Name: BySchedule, Time: e.Due, Properties: props(map[string]any{"at": run.At})}
		}
		e.Slot, e.Received, e.Trigger.MessageID = e.Key, e.Due, e.Key
		entries = append(entries, e)
	}
	return max(1, len(people)), s.c.Tx.InTx(ctx, func(ctx context.Context) error {
		t := t
		began := t.Cursor == ""
		t.moved(next, now)
		if err := s.c.Store.SaveTask(ctx, t); err != nil {
			return err
		}
		if began && t.Kind == TaskRun {
			if err := s.planRun(ctx, l, meant); err != nil {
				return err
			}
		}
		return s.c.Store.QueueEntries(ctx, entries)
	})
}

// passOver ends a run that comes too late to be begun, as after a long standstill, and plans the next.
func (s *Service) passOver(ctx context.Context, l live, t Task, meant time.Time) error {
	return s.c.Tx.InTx(ctx, func(ctx context.Context) error {
		t := t
		t.Status, t.Error, t.UpdatedAt = TaskCancelled, NotInTime, s.c.Clock.Now()
		if err := s.c.Store.SaveTask(ctx, t); err != nil {
			return err
		}
		return s.planRun(ctx, l, meant)
	})
}

// planRun adds the task of the first run of a schedule after a moment. It is called once for each: in the transaction that opens the journey
// or that begins or passes over the run before.
func (s *Service) planRun(ctx context.Context, l live, after time.Time) error {
	j := l.journey
	home, err := s.home(ctx, j.Workspace)
	if err != nil {
		return err
	}
	at, when, ok := l.plan.trigger.next(after, home)
	if !ok {
		return nil
	}
	now := s.c.Clock.Now()
	return s.c.Store.AddTask(ctx, Task{
		ID: id.New("jtk"), Workspace: j.Workspace, Journey: j.ID, Kind: TaskRun, Status: TaskRunning, Version: j.Published, Due: when,
		Data: props(map[string]any{"at": at.String()}), Rev: 1, CreatedAt: now, UpdatedAt: now,
	})
}

// open prepares what brings people in by itself, after the journey has gone live. It joins the caller's transaction.
func (s *Service) open(ctx context.Context, j Journey, p *Plan) error {
	now := s.c.Clock.Now()
	if err := s.close(ctx, j, now); err != nil {
		return err
	}
	switch p.trigger.kind {
	case ByDate, ByInactive:
		return s.c.Store.AddTask(ctx, Task{
			ID: id.New("jtk"), Workspace: j.Workspace, Journey: j.ID, Kind: TaskScan, Status: TaskRunning, Version: j.Published, Due: now,
			Rev: 1, CreatedAt: now, UpdatedAt: now,
		})
	case BySchedule:
		return s.planRun(ctx, live{j, p}, now)
	}
	return nil
}

// close drops what would bring people in by itself from now on. What is due already stays.
func (s *Service) close(ctx context.Context, j Journey, now time.Time) error {
	if err := s.c.Store.CancelTasks(ctx, j.Workspace, j.ID, []string{TaskScan, TaskRun}, now); err != nil {
		return err
	}
	return s.c.Store.DropAppointments(ctx, j.Workspace, j.ID, []string{ByDate, ByInactive, BySchedule}, now)
}

func props(m map[string]any) json.RawMessage {
	raw, err := json.Marshal(m)
	if err != nil {
		return nil // strings always encode
	}
	return raw
}

// Tasks lists what was done or is being done to many people of a journey at once, latest first.
func (s *Service) Tasks(ctx context.Context, ws, journey string, p page.Request) (page.Of[Task], error) {
	if _, err := s.c.Store.Get(ctx, ws, journey); err != nil {
		return page.Of[Task]{}, err
	}
	return s.c.Store.Tasks(ctx, ws, journey, p)
}

// CancelTask ends a task that staff began. What it did stays.
func (s *Service) CancelTask(ctx context.Context, ws, id string) (Task, error) {
	var out Task
	err := s.c.Tx.InTx(ctx, func(ctx context.Context) error {
		t, err := s.c.Store.Task(ctx, ws, id)
		if err != nil {
			return err
		}
		if t.Kind == TaskScan || t.Kind == TaskRun {
			return errs.Conflict("journey.task.own", "this belongs to the journey itself; pause or stop the journey")
		}
		if t.Status != TaskRunning {
			return errs.Conflict("journey.task.over", "the task is %s already", t.Status)
		}
		t.Status, t.UpdatedAt = TaskCancelled, s.c.Clock.Now()
		out = t
		return s.c.Store.SaveTask(ctx, t)
	})
	return out, err
}
