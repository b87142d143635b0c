// Package httpapi is the public API under /api/v1: one file a noun, described by OpenAPI 3.1.
//
// Owns: routes, request and answer shapes, who may call what, errors as problem+json. Does not own: rules (domain
// services) or events (collect). Shapes here are the contract; domain types are mapped, never exposed.
//
//	request ─► route: who is it, may they, is it theirs ─► domain service ─► shape | Problem
//
// Invariants: every route names the permission it needs; the workspace comes from the caller's key or session, never from
// the request; lists are paged; changes by staff and looks at a person are in the audit log.
//
// To add a noun: a file with its shapes and a func (a *api) <noun>Routes(), listed in New.
package httpapi
