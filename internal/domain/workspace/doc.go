// Package workspace is the tenant: one business with its own people, its own settings and its own sources of events.
//
// Owns: workspaces with their defaults (zone, currency, region, language) and settings, and sources, whose write keys let events in.
// Does not own: who may sign in (staff) or what a source sends (collect, event).
//
//	collect ──SourceByWriteKey──► Service ──► Store
//	console ──Create, Update ...──►  │ cache of write keys, at most cacheFor old
//
// Invariants: a write key belongs to one source in the whole installation and never changes; nothing outside a workspace
// refers into it; every workspace id that other packages pass around was made here.
//
// Vocabulary: a source is a place that events come from, such as a site or a backend. A browser source's key is public and may only
// say what happened; a server source's key is a secret and is believed more (event.Origin).
package workspace
