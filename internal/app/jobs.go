package app

import (
	"slices"

	"github.com/kizuna-cx/kizuna/internal/domain/importer"
	"github.com/kizuna-cx/kizuna/internal/domain/job"
	"github.com/kizuna-cx/kizuna/internal/domain/retention"
	"github.com/kizuna-cx/kizuna/internal/domain/roster"
	"github.com/kizuna-cx/kizuna/internal/domain/sample"
	"github.com/kizuna-cx/kizuna/internal/domain/scheme"
)

// jobKinds lists the long work that people can start; see package job for how to add one.
func jobKinds(a importer.Addresses, p importer.People, s *sample.Service, i scheme.Service, t *retention.Service, r roster.Service) []job.Kind {
	return append([]job.Kind{
		a.Kind(),
		p.Kind(),
		p.UndoKind(),
		t.Kind(),
	}, slices.Concat(s.Kinds(), i.Kinds(), r.Kinds())...)
}
