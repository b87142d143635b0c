// Package content is what messages say: templates, their versions, and how they are filled for one person.
//
// Owns: templates with immutable versions in one or several languages, their validation, rendering of mail (subject, HTML, text), the places where
// tracking and the way out are put into a letter.
// Does not own: the language itself (content/liquid), documents and their compiler (content/block), looks (content/brand), who gets a message and under which address (outbox), how links are
// signed (the caller's LinkFunc), MIME (channel/email).
//
//	Draft ──Create, Update──► version n ──compile, once──► Render(vars, options) ──► subject, HTML, text
//	                                                          │
//	          Liquid ─► links ─► preheader ─► way out ─► pixel┘
//
// Invariants: a version never changes, and a message names the version it was made with; a template is archived, never
// deleted, since messages refer to it; what was saved parses; rendering is pure; a letter that is not transactional always
// has the link to unsubscribe.
package content
