// Package eventstore is what the event stores have in common: merges, the people of one source, and questions that every engine reads the same.
//
// Owns: Merges, Where, and answers made of event.Store.Query alone. Does not own: an engine (duck, click), or how processes share one (shared).
package eventstore
