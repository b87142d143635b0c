package content_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kizuna-cx/kizuna/internal/domain/content"
	"github.com/kizuna-cx/kizuna/internal/kit/clock"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// What nobody has leaves a gap in every mail. What the vocabulary has only not seen is asked for, and what the text expects to be absent is no gap.
func TestATextWithAGapForEverybodyIsRefused(t *testing.T) {
	m := newStore(t)
	s := content.New(content.Config{Store: m, Tx: m, Clock: clock.NewFixed(now), Vocabulary: vocabulary{"person.first_name", "event.*"}})
	d := draft()
	d.Subject = "{{ person.rare }} and {{ vip | default: 'you' }}"
	d.HTML = "<p>{{ person.frist_name }} {{ person.first_name }}\n{{ campain.name }} {{ event.any }} {{ person.frist_name }}</p>" +
		"{% if person.tested %}{{ person.tested }}{% endif %}{{ person.given | default: '-' }}{{ person.pets.size }}{{ person.trips[0].to }}<a href='{{ unsubscribe_url }}'>x</a>"
	tpl, err := s.Create(t.Context(), ws, d)
	if err != nil {
		t.Fatal(err)
	}
	found := func(has func(context.Context, string, string) (bool, error)) (out []string) {
		t.Helper()
		err := s.CheckVariables(t.Context(), ws, tpl.ID, has)
		for _, e := range errs.All(err) {
			out = append(out, fmt.Sprint(e.Kind, " ", e.Code, " ", e.Args))
		}
		return out
	}
	var asked []string
	some := func(_ context.Context, _, trait string) (bool, error) {
		asked = append(asked, trait)
		return trait == "rare", nil
	}
	if diff := cmp.Diff([]string{
		"conflict template.unfilled [Cart person.frist_name 1 7]", "conflict template.unfilled [Cart campain.name 2 4]",
		"conflict template.unfilled [Cart person.pets.size 2 151]", "conflict template.unfilled [Cart person.trips[0].to 2 173]",
	}, found(some)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"rare", "frist_name", "pets", "trips"}, asked); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"conflict template.unfilled [Cart campain.name 2 4]"}, found(nil)); diff != "" {
		t.Errorf("of people who may come: %s", diff)
	}
	broken := errors.New("the disk is gone")
	if err := s.CheckVariables(t.Context(), ws, tpl.ID, func(context.Context, string, string) (bool, error) { return false, broken }); !errors.Is(err, broken) {
		t.Errorf("what cannot be asked: %v", err)
	}
}
