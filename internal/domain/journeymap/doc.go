// Package journeymap keeps maps of how customers come to a business, as a team imagines it, and lays the ways that people really went beside them.
//
//	the team's plan ── Map: stages, touchpoints ──► signals ──► event.Store.Flow ── what people did
//	                    └── persona ──► segment ───────┘
//
// Owns: maps, ready-made ones in three languages, which events stand for a touchpoint. Does not own: who a persona is (persona), who belongs to a segment (segment),
// counting (event). A map sends nothing and decides nothing; a journey does.
//
// Invariants: stages and touchpoints keep their ids through every edit; a change needs the revision that its editor saw, or says
// that it overwrites; a name need not be unique.
//
// To add a ready-made map: a folder below ready/ with map.json (what is the same in every language) and a file a language.
package journeymap
