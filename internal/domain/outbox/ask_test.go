package outbox_test

import (
	"testing"

	"github.com/kizuna-cx/kizuna/internal/domain/outbox"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

func TestADryRunDecidesLikeTheGateAndStoresNothing(t *testing.T) {
	f := setup(t, sqlite(t))
	f.subscribed(1, 3)
	f.people.add(4)
	reqs := []outbox.Request{f.request(1), f.request(4), f.request(99), f.request(2, func(r *outbox.Request) { r.Template = "tpl_none" }), f.request(3)}
	told := len(f.log.all())
	dry, err := f.DryRun(t.Context(), reqs)
	if err != nil {
		t.Fatal(err)
	}
	if c := f.counts(); c.Audience != 0 || len(f.log.all()) != told {
		t.Errorf("something was stored: %+v", c)
	}
	for i, d := range f.enqueue(reqs...) {
		if dry[i].Allowed != d.Allowed || dry[i].Reason != d.Reason || !sameEvidence(dry[i].Data, d.Data) {
			t.Errorf("request %d: dry %+v, real %+v", i, dry[i], d)
		}
	}
	n, err := f.Waiting(t.Context(), ws, reqs[0].Source)
	if err != nil || n != 2 {
		t.Errorf("%d waiting, %v; want 2", n, err)
	}
	if _, err := f.DryRun(t.Context(), []outbox.Request{{}}); !errs.Is(err, errs.KindInvalid) {
		t.Errorf("an empty request: %v", err)
	}
}
