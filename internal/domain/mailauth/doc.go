// Package mailauth is what makes receiving servers believe a sender: the domains that mail is sent from, the DKIM keys that sign for
// them, and what the DNS says about them.
//
// Owns: sending domains, DKIM keys and their rotation, the check of SPF, DKIM, DMARC, MX and reverse DNS with the exact record to publish.
// Does not own: signing itself (the mail adapter does it with the keys from here), how mail goes out (outbox).
//
//	Create ─► two keys, waiting ──publish──► Check finds them ─► active: they sign
//	AddKey ─► waiting ──publish──► Check finds it ─► active; the one before it is retired and stays valid while its record is published
//
// A key never signs before a check has seen it in the DNS: a signature nobody can verify is worse than none. There is at most one active
// key of each algorithm in a domain.
//
// Invariants: a private key leaves the database only sealed; a report's items carry codes and data, the screen words them.
package mailauth
