package app

import (
	"github.com/kizuna-cx/kizuna/internal/domain/importer"
	"github.com/kizuna-cx/kizuna/internal/domain/job"
	"github.com/kizuna-cx/kizuna/internal/domain/retention"
	"github.com/kizuna-cx/kizuna/internal/domain/sample"
	"github.com/kizuna-cx/kizuna/internal/domain/scheme"
)

// jobKinds lists the long work that people can start; see package job for how to add one.
func jobKinds(a importer.Addresses, p importer.People, s *sample.Service, i scheme.Service, r *retention.Service) []job.Kind {
	return append([]job.Kind{
		a.Kind(),
		p.Kind(),
		p.UndoKind(),
		r.Kind(),
	}, append(s.Kinds(), i.Kinds()...)...)
}
