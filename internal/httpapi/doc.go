// Package httpapi is the public API under /api/v1: one file a noun, described by OpenAPI 3.1.
//
// Owns: routes, request and answer shapes, who may call what, errors as problem+json, the audit entry of each change. Does not own: rules
// (domain services) or events (collect). Shapes here are the contract; domain types are mapped, never exposed.
//
//	request ─► front: other sites' pages, unknown addresses ─► guard: who is it, may they ─► route ─► domain service ─► shape | Problem
//
// Invariants: every route names the permission it needs; the workspace comes from the caller's key or session, never from
// the request; lists are paged; changes by staff and looks at a person are in the audit log, once. Staff, keys and sessions
// write their own entries; for all else the route does, in the transaction of the change where the service allows it.
//
// To add a noun: a file with its shapes and a func (a *api) <noun>Routes(), listed in routes (api.go). Tests then ask for its case
// in foreignCases (isolation_test.go) and in the audit test, and for api/openapi.json to be written anew (-update).
package httpapi
