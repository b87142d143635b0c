package sqlstore_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kizuna-cx/kizuna/internal/domain/journeymap"
	"github.com/kizuna-cx/kizuna/internal/domain/journeymap/journeymaptest"
	"github.com/kizuna-cx/kizuna/internal/domain/persona"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb/sqldbtest"
	"github.com/kizuna-cx/kizuna/internal/storage/sqlstore"
)

func TestJourneyMapStore(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		journeymaptest.Run(t, func(t *testing.T) journeymap.Store {
			clearTables(t, db, "journey_map")
			return sqlstore.NewJourneyMap(db)
		})
		t.Run("a map outlives its persona and shows none", func(t *testing.T) {
			clearTables(t, db, "journey_map", "persona")
			personas, maps := sqlstore.NewPersona(db), sqlstore.NewJourneyMap(db)
			p := persona.Persona{ID: "prs_1", Workspace: "ws_1", Rev: 1, Draft: persona.Draft{Name: "Keiko"}}
			m := journeymaptest.Sample(1)
			elsewhere := m
			elsewhere.Workspace = "ws_2"
			for _, err := range []error{personas.Create(t.Context(), p), maps.Create(t.Context(), m), maps.Create(t.Context(), elsewhere)} {
				if err != nil {
					t.Fatal(err)
				}
			}
			if _, err := personas.Delete(t.Context(), "ws_1", "prs_1"); err != nil {
				t.Fatal(err)
			}
			m.Persona = ""
			for ws, want := range map[string]journeymap.Map{"ws_1": m, "ws_2": elsewhere} {
				got, err := maps.Get(t.Context(), ws, m.ID)
				if d := cmp.Diff(want, got); err != nil || d != "" {
					t.Errorf("%v (-want +got):\n%s", err, d)
				}
			}
		})
	})
}
