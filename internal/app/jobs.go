package app

import (
	"github.com/kizuna-cx/kizuna/internal/domain/importer"
	"github.com/kizuna-cx/kizuna/internal/domain/job"
)

// jobKinds lists the long work that people can start; see package job for how to add one.
func jobKinds(a importer.Addresses, p importer.People) []job.Kind {
	return []job.Kind{
		a.Kind(),
		p.Kind(),
	}
}
