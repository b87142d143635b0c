// Package persona keeps the archetypes that a team writes for: a named person with a portrait and a story, who stands for a segment.
//
//	what the team assumes ── Persona ──► segment ──► event.Store.Profile ── what its people are really like
//
// Owns: personas, the picture of each, the comparison with the people of its segment. Does not own: who belongs to the segment (segment), what
// people have done (event), what is aimed at the segment (campaign, journey).
//
// Invariants: a name is unique in the workspace, whatever the letter case; nothing that a persona says decides anything about a
// customer; the real portrait names nobody (see event.Profile).
package persona
