package campaign

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/RoaringBitmap/roaring/v2/roaring64"

	"github.com/kizuna-cx/kizuna/internal/domain/content"
	"github.com/kizuna-cx/kizuna/internal/domain/outbox"
	"github.com/kizuna-cx/kizuna/internal/kit/clock"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/id"
	"github.com/kizuna-cx/kizuna/internal/kit/lifecycle"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
	"github.com/kizuna-cx/kizuna/internal/kit/tx"
)

// Sets knows who is in segments and lists.
type Sets interface {
	// Members returns the people of a segment or list, errs.NotFound if there is none. The bitmap is not changed.
	Members(ctx context.Context, ws, set string) (*roaring64.Bitmap, error)
	// Unsettled names the segments of these sets, and those that they are made of, whose members are not all known yet.
	Unsettled(ctx context.Context, ws string, sets []string) ([]string, error)
}

// Everyone knows all people.
type Everyone interface {
	Everyone(ctx context.Context, ws string) (*roaring64.Bitmap, error)
}

// People knows who is behind a person number.
type People interface {
	// IDs returns person ids by the number asked for, following merges. Unknown numbers are left out.
	IDs(ctx context.Context, ws string, nums []uint64) (map[uint64]string, error)
	// Habits returns where people live and, if hours is set, when they open and click. Unknown numbers are left out.
	Habits(ctx context.Context, ws string, nums []uint64, hours bool) (map[uint64]Habit, error)
}

// Outbox takes requests for messages.
type Outbox interface {
	// Weigh decides on requests, and Keep stores a decision for each, in their order, and joins the caller's transaction.
	Weigh(ctx context.Context, reqs []outbox.Request) (*outbox.Weighed, error)
	Keep(ctx context.Context, a *outbox.Weighed) ([]outbox.Decision, error)
	// DryRun decides in the same way and stores nothing.
	DryRun(ctx context.Context, reqs []outbox.Request) ([]outbox.Decision, error)
	// Waiting returns how many messages of the source have not reached their final state.
	Waiting(ctx context.Context, ws string, src outbox.Source) (int64, error)
	// CancelSource cancels what has not left and joins the caller's transaction.
	CancelSource(ctx context.Context, ws string, src outbox.Source) (int64, error)
	// SourcePaused keeps what waits of the source from going until SourceResumed; both join the caller's transaction.
	SourcePaused(ctx context.Context, ws string, src outbox.Source) error
	SourceResumed(ctx context.Context, ws string, src outbox.Source) error
	// SendingStopped returns since when all sending of the workspace is stopped, zero if it is not.
	SendingStopped(ctx context.Context, ws string) (time.Time, error)
	// CountsByNode returns the figures of a source by node.
	CountsByNode(ctx context.Context, ws string, src outbox.Source) (map[string]outbox.Counts, error)
}

// Checker knows what campaigns may refer to. Each method returns nil, or an error of kind not_found or conflict if the
// thing is missing or cannot be used.
type Checker interface {
	CheckTemplate(ctx context.Context, ws, id string) error
	// CheckVariables reports what a template writes out and nobody has; now: of those who are known today.
	CheckVariables(ctx context.Context, ws, template string, now bool) error
	// TemplateVersion returns the current version of a template.
	TemplateVersion(ctx context.Context, ws, id string) (int, error)
	CheckTopic(ctx context.Context, ws, id string) error
	CheckSet(ctx context.Context, ws, id string) error      // a segment or list
	CheckField(ctx context.Context, ws, field string) error // that the goal looks at
	// NeedsApproval says whether a second person must agree before a campaign goes out.
	NeedsApproval(ctx context.Context, ws string) (bool, error)
}

// Content checks what templates say.
type Content interface {
	Report(ctx context.Context, ws, templateID string) (content.Report, error)
}

// Config is what a Service needs. All fields but the last four are required.
type Config struct {
	Store    Store
	Tx       tx.Runner
	Clock    clock.Clock
	Log      *slog.Logger
	Sets     Sets
	Everyone Everyone
	People   People
	Outbox   Outbox
	Checker  Checker
	Content  Content
	Feeds    Feeds                                                        // nil: series read no feeds
	Zone     func(ctx context.Context, ws string) (*time.Location, error) // in which series run; nil: UTC
	Chunk    int                                                          // people in one transaction; 250 if zero
	Ahead    int                                                          // messages that may wait in the outbox before more are asked for; 5,000 if zero
}

// Service runs campaigns. It is safe for concurrent use, also by several processes.
type Service struct {
	c     Config
	pulse lifecycle.Pulse
	loop  lifecycle.Loop

	vars     sync.Map // by workspace and campaign
	varsKept atomic.Int64
}

// New returns a Service; Start makes it send.
func New(c Config) *Service {
	if c.Chunk <= 0 {
		c.Chunk = 250 // some 15 ms of the record store's writer, for which the mails on their way wait
	}
	if c.Ahead <= 0 {
		c.Ahead = 5000
	}
	s := &Service{c: c, pulse: lifecycle.NewPulse(poll)}
	s.loop.Run = s.run
	return s
}

// Start begins to work on launched campaigns.
func (s *Service) Start(ctx context.Context) error { return s.loop.Start(ctx) }

// Stop ends it, after the chunk in hand.
func (s *Service) Stop(ctx context.Context) error { return s.loop.Stop(ctx) }

// Create adds a draft made of the fields that people fill in: name, audience, topic, template, channel, goal, plan, time.
func (s *Service) Create(ctx context.Context, ws string, c Campaign) (Campaign, error) {
	now := s.c.Clock.Now()
	out := Campaign{ID: id.New("cmp"), Workspace: ws, Status: Draft, Rev: 1, CreatedAt: now, UpdatedAt: now}
	out.fill(c)
	if err := errors.Join(out.Validate(), out.timely(now)); err != nil {
		return Campaign{}, err
	}
	return out, s.c.Store.Create(ctx, out)
}

func (c *Campaign) fill(from Campaign) {
	c.Name, c.Audience, c.Topic, c.Template, c.Goal, c.ScheduledAt = from.Name, from.Audience, from.Topic, from.Template, from.Goal, from.ScheduledAt
	c.Plan, c.Channel = from.Plan, from.Channel
	c.Plan.Approved = nil
	if !c.Plan.Local.IsZero() {
		c.ScheduledAt = c.Plan.Local.in(time.FixedZone("", firstZone))
	}
	if c.Channel == "" {
		c.Channel = "email"
	}
}

// Get returns a campaign.
func (s *Service) Get(ctx context.Context, ws, id string) (Campaign, error) {
	return s.c.Store.Get(ctx, ws, id)
}

// List returns campaigns that match, latest made first.
func (s *Service) List(ctx context.Context, ws string, f Filter, p page.Request) (page.Of[Campaign], error) {
	f.Text = strings.TrimSpace(f.Text)
	return s.c.Store.List(ctx, ws, f, p)
}

// Edit changes the fields that people fill in, of a draft or of a campaign whose time has not come. c.Rev is the one that
// the editor saw, 0 to overwrite whatever is there.
func (s *Service) Edit(ctx context.Context, ws, id string, c Campaign) (Campaign, error) {
	return s.change(ctx, ws, id, func(ctx context.Context, old *Campaign) error {
		if c.Rev != 0 && c.Rev != old.Rev {
			return errs.Conflict("campaign.changed", "someone else has changed this campaign; load it again and repeat the change")
		}
		if !old.ArchivedAt.IsZero() {
			return archived()
		}
		if old.Status != Draft && old.Status != Scheduled {
			return errs.Conflict("campaign.running", "a campaign that is %s cannot be changed; copy it", old.Status)
		}
		at := old.ScheduledAt
		old.fill(c)
		if err := old.Validate(); err != nil {
			return err
		}
		if !old.ScheduledAt.Equal(at) { // a draft whose time has passed while it lay can still be worked on
			if err := old.timely(s.c.Clock.Now()); err != nil {
				return err
			}
		}
		switch {
		case old.ApprovedBy != "": // what was approved is not what it is now
			old.Status, old.RequestedBy, old.ApprovedBy, old.Plan.Approved = Draft, "", "", nil
		case old.Status == Scheduled:
			return s.check(ctx, *old)
		}
		return nil
	})
}

// Delete removes a draft.
func (s *Service) Delete(ctx context.Context, ws, id string) error {
	return s.c.Tx.InTx(ctx, func(ctx context.Context) error {
		c, err := s.c.Store.Get(ctx, ws, id)
		if err != nil {
			return err
		}
		if c.Status != Draft {
			return errs.Conflict("campaign.not_draft", "only a draft can be deleted; this campaign is %s", c.Status)
		}
		return s.c.Store.Delete(ctx, ws, id)
	})
}

// Check says whether the campaign could be launched; the error joins everything that is wrong.
func (s *Service) Check(ctx context.Context, ws, id string) error {
	c, err := s.c.Store.Get(ctx, ws, id)
	if err != nil {
		return err
	}
	return s.check(ctx, c)
}

// check says whether the campaign may be launched: everything it needs is there, and no text has a gap for everybody.
func (s *Service) check(ctx context.Context, c Campaign) error {
	return s.usable(ctx, c, func(ctx context.Context, ws, template string) error {
		if err := s.c.Checker.CheckTemplate(ctx, ws, template); err != nil {
			return err
		}
		return s.c.Checker.CheckVariables(ctx, ws, template, true)
	})
}

// usable says whether everything that the campaign needs is there. CheckTemplate says it of its templates.
func (s *Service) usable(ctx context.Context, c Campaign, checkTemplate func(ctx context.Context, ws, id string) error) error {
	bad := c.incomplete()
	if c.Status == Draft || c.Status == Review { // later it is on its way
		if err := c.timely(s.c.Clock.Now()); err != nil {
			bad = append(bad, err)
		}
	}
	var failed error
	ask := func(kind, field, id string, check func(context.Context, string, string) error) {
		if id == "" || failed != nil {
			return
		}
		err := check(ctx, c.Workspace, id)
		switch {
		case err == nil:
		case errs.Is(err, errs.KindNotFound):
			bad = append(bad, errs.Invalid("campaign.missing."+kind, field, "the %s %q does not exist; choose another", kind, id))
		case errs.Is(err, errs.KindConflict), errs.Is(err, errs.KindInvalid): // each has a remedy of its own
			for _, e := range errs.All(err) {
				bad = append(bad, &errs.Error{Kind: errs.KindInvalid, Code: e.Code, Field: field, Msg: e.Msg, Args: e.Args})
			}
		default:
			failed = err
		}
	}
	for _, id := range c.Audience.Include {
		ask("segment", "audience.include", id, s.c.Checker.CheckSet)
	}
	for _, id := range c.Audience.Exclude {
		ask("segment", "audience.exclude", id, s.c.Checker.CheckSet)
	}
	ask("topic", "topic", c.Topic, s.c.Checker.CheckTopic)
	ask("template", "template", c.Template, checkTemplate)
	if c.Plan.Test != nil {
		for i, id := range c.Plan.Test.Variants {
			ask("template", fmt.Sprintf("plan.test.variants[%d]", i), id, checkTemplate)
		}
	}
	for _, field := range c.Goal.Fields() {
		ask("field", "goal", field, s.c.Checker.CheckField)
	}
	if failed != nil {
		return failed
	}
	return errors.Join(bad...)
}

// Launch sends the campaign, at its time or at once. Where the workspace wants a second person's approval it asks for that first. A
// campaign that is launched already stays as it is, so launching twice sends once. One that has failed goes on from where it stopped.
// By is who asks.
func (s *Service) Launch(ctx context.Context, ws, id, by string) (Campaign, error) {
	return s.change(ctx, ws, id, func(ctx context.Context, c *Campaign) error {
		switch c.Status {
		case Review, Scheduled, Preparing, Sending, Sent:
			return nil
		}
		if !c.ArchivedAt.IsZero() {
			return archived()
		}
		switch c.Status {
		case Draft, Failed:
		default:
			return errs.Conflict("campaign.not_launchable", "this campaign is %s; resume it, or copy it to send again", c.Status)
		}
		if err := s.check(ctx, *c); err != nil {
			return err
		}
		if c.Status == Draft {
			needed, err := s.c.Checker.NeedsApproval(ctx, ws)
			if err != nil {
				return err
			}
			if needed {
				c.Status, c.RequestedBy = Review, by
				return nil
			}
		}
		s.release(c)
		return nil
	})
}

// Approve launches a campaign that waits for approval. By must be another person than the one who asked.
func (s *Service) Approve(ctx context.Context, ws, id, by string) (Campaign, error) {
	return s.change(ctx, ws, id, func(ctx context.Context, c *Campaign) error {
		if c.ApprovedBy != "" {
			return nil
		}
		if c.Status != Review {
			return errs.Conflict("campaign.not_in_review", "this campaign is %s; only one that waits for approval can be approved", c.Status)
		}
		if c.RequestedBy == by {
			return errs.Forbidden("campaign.approval.self", "you asked to launch this campaign yourself; ask somebody else to approve it")
		}
		err := s.check(ctx, *c)
		if err != nil {
			return err
		}
		if c.Plan.Approved, err = s.versions(ctx, *c); err != nil {
			return err
		}
		c.ApprovedBy = by
		s.release(c)
		return nil
	})
}

// versions returns the current versions of the templates that the campaign sends.
func (s *Service) versions(ctx context.Context, c Campaign) (map[string]int, error) {
	out := map[string]int{}
	templates := []string{c.Template}
	if c.Plan.Test != nil {
		templates = append(templates, c.Plan.Test.Variants...)
	}
	for _, id := range templates {
		v, err := s.c.Checker.TemplateVersion(ctx, c.Workspace, id)
		if err != nil {
			return nil, err
		}
		out[id] = v
	}
	return out, nil
}

// Withdraw makes a campaign that waits for approval, or for its time, a draft again.
func (s *Service) Withdraw(ctx context.Context, ws, id string) (Campaign, error) {
	return s.change(ctx, ws, id, func(_ context.Context, c *Campaign) error {
		switch c.Status {
		case Draft:
			return nil
		case Review, Scheduled:
			c.Status, c.RequestedBy, c.ApprovedBy, c.Plan.Approved, c.RetryAt = Draft, "", "", nil, time.Time{}
			return nil
		}
		return errs.Conflict("campaign.begun", "this campaign is %s and cannot become a draft again; copy it", c.Status)
	})
}

// release lets a checked campaign go.
func (s *Service) release(c *Campaign) {
	c.Attempts, c.RetryAt, c.Error = 0, time.Time{}, ""
	switch {
	case !c.StartedAt.IsZero():
		c.Status = Sending
	case c.ScheduledAt.After(s.c.Clock.Now()):
		c.Status = Scheduled
	default:
		c.Status = Preparing
	}
}

// Copy makes a draft with the same content, to send again or to another audience. An empty audience keeps the one of the original;
// neither its time nor its approval is taken over.
func (s *Service) Copy(ctx context.Context, ws, id, name string, audience Audience) (Campaign, error) {
	c, err := s.c.Store.Get(ctx, ws, id)
	if err != nil {
		return Campaign{}, err
	}
	return s.copied(ctx, c, name, audience)
}

// Resend is Copy to some of those who have got the campaign already. What won its A/B test goes to all of them: the question has been answered.
func (s *Service) Resend(ctx context.Context, ws, id, name string, audience Audience) (Campaign, error) {
	c, err := s.c.Store.Get(ctx, ws, id)
	if err != nil {
		return Campaign{}, err
	}
	if c.Plan.Test = nil; c.Result != nil {
		c.Template = c.Result.Template
	}
	return s.copied(ctx, c, name, audience)
}

func (s *Service) copied(ctx context.Context, c Campaign, name string, audience Audience) (Campaign, error) {
	c.Name, c.ScheduledAt, c.Plan.Local = name, time.Time{}, Civil{}
	if len(audience.Include) > 0 {
		c.Audience = audience
	}
	return s.Create(ctx, c.Workspace, c)
}

// Pause stops asking for messages, and those that wait in the outbox stay there. The few that are just being handed over still go.
func (s *Service) Pause(ctx context.Context, ws, id string) (Campaign, error) {
	return s.change(ctx, ws, id, func(ctx context.Context, c *Campaign) error {
		if c.Status == Paused {
			return nil
		}
		if !c.Status.Running() {
			return errs.Conflict("campaign.not_running", "only a running campaign can be paused; this one is %s", c.Status)
		}
		c.PausedFrom, c.Status = c.Status, Paused
		return s.c.Outbox.SourcePaused(ctx, ws, c.Source())
	})
}

// Resume goes on where Pause stopped.
func (s *Service) Resume(ctx context.Context, ws, id string) (Campaign, error) {
	return s.change(ctx, ws, id, func(ctx context.Context, c *Campaign) error {
		if c.Status.Running() {
			return nil
		}
		if c.Status != Paused {
			return errs.Conflict("campaign.not_paused", "only a paused campaign can be resumed; this one is %s", c.Status)
		}
		c.Status, c.PausedFrom, c.RetryAt = c.PausedFrom, "", time.Time{}
		return s.c.Outbox.SourceResumed(ctx, ws, c.Source())
	})
}

// Cancel ends the campaign for good. What has not left the outbox is taken back; what has cannot be.
func (s *Service) Cancel(ctx context.Context, ws, id string) (Campaign, error) {
	return s.change(ctx, ws, id, func(ctx context.Context, c *Campaign) error {
		switch c.Status {
		case Cancelled:
			return nil
		case Sent:
			return errs.Conflict("campaign.sent", "this campaign has been sent; nothing is left to cancel")
		}
		c.Status, c.PausedFrom, c.FinishedAt = Cancelled, "", s.c.Clock.Now()
		_, err := s.c.Outbox.CancelSource(ctx, ws, c.Source())
		return err
	})
}

// Archive puts a campaign that nothing is to be done for any more, or that is a draft, out of sight. What is known of it stays.
func (s *Service) Archive(ctx context.Context, ws, id string) (Campaign, error) {
	return s.change(ctx, ws, id, func(_ context.Context, c *Campaign) error {
		if !c.ArchivedAt.IsZero() {
			return nil
		}
		if c.Status.Running() || c.Status == Paused || c.Status == Review {
			return errs.Conflict("campaign.active", "this campaign is %s; cancel it first, or wait until it has been sent", c.Status)
		}
		c.ArchivedAt = s.c.Clock.Now()
		return nil
	})
}

// Restore takes a campaign from the archive.
func (s *Service) Restore(ctx context.Context, ws, id string) (Campaign, error) {
	return s.change(ctx, ws, id, func(_ context.Context, c *Campaign) error {
		c.ArchivedAt = time.Time{}
		return nil
	})
}

func archived() error {
	return errs.Conflict("campaign.archived", "this campaign is archived; take it out of the archive first")
}

// change loads a campaign, lets fn change it and writes it, in one transaction.
func (s *Service) change(ctx context.Context, ws, id string, fn func(ctx context.Context, c *Campaign) error) (Campaign, error) {
	var out Campaign
	err := s.c.Tx.InTx(ctx, func(ctx context.Context) error {
		c, err := s.c.Store.Get(ctx, ws, id)
		if err != nil {
			return err
		}
		if err := fn(ctx, &c); err != nil {
			return err
		}
		c.UpdatedAt = s.c.Clock.Now()
		if err := s.c.Store.Update(ctx, c); err != nil {
			return err
		}
		c.Rev++
		out = c
		return nil
	})
	if err == nil {
		s.pulse.Wake()
	}
	return out, err
}
