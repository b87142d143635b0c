package outbox

import (
	"context"
	"fmt"

	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// CheckNamed reports what a request names that nothing can be sent by, whoever it is for: a template that does not exist (not_found), is archived, belongs to another
// channel or has no such version, a topic likewise, a channel without an account. Field is where it is named. The gate would refuse each such message and store the
// refusal under its key; who asks here first can tell the caller to mend the request and to use the key again.
func (s *Service) CheckNamed(ctx context.Context, r Request) error {
	if err := s.checkTopic(ctx, r); err != nil {
		return err
	}
	g, m := &gate{}, &Message{Template: r.Template, Channel: r.Channel}
	if err := s.loadSupply(ctx, r.Workspace, g, []*Message{m}); err != nil {
		return err
	}
	t := g.content[r.Template]
	switch v := g.supply(m); v.reason {
	case ReasonUnknownTemplate:
		err := errs.NotFound("template", r.Template)
		err.Field = "template"
		return err
	case ReasonArchivedTemplate:
		return errs.Invalid("template.archived", "template", "the template %q is archived; choose another, or restore it", t.Name)
	case ReasonTemplateChannel:
		return errs.Invalid("message.template_channel", "template", "the template %q is for %s, and the message goes by %s; choose another, or say the channel", t.Name, t.Channel, r.Channel)
	case ReasonNoAccount:
		return errs.Invalid("message.no_account", "channel", "there is no account to send by %s; connect one under Channels", r.Channel)
	}
	if r.Template != "" && r.Version > t.Version {
		return errs.Invalid("message.version", "version", "this template has no version %d yet, the latest is %d; leave it out for that", r.Version, t.Version)
	}
	return nil
}

// checkTopic is CheckNamed for the topic; transactional messages have none.
func (s *Service) checkTopic(ctx context.Context, r Request) error {
	if r.Transactional {
		return nil
	}
	t, err := s.consent.Topic(ctx, r.Workspace, r.Topic)
	switch {
	case errs.Is(err, errs.KindNotFound):
		err := errs.NotFound("topic", r.Topic)
		err.Field = "topic"
		return err
	case err != nil:
		return fmt.Errorf("load topic: %w", err)
	case t.Archived:
		return errs.Invalid("topic.archived", "topic", "the topic %q is archived; choose another, or restore it", t.Name)
	case !t.Sent(r.Channel):
		return errs.Invalid("message.topic_channel", "topic", "the topic %q is not sent by %s; choose another, or add the channel to it", t.Name, r.Channel)
	}
	return nil
}
