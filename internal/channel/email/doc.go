// Package email sends mail through an SMTP server: the channel adapter of kind "email".
//
// Owns: the SMTP client (RFC 5321 with STARTTLS, AUTH, PIPELINING, SIZE, SMTPUTF8), its connections, MIME, DKIM
// signatures. Does not own: what a mail says, whether it may be sent, when it is tried again (outbox); the keys it signs with (mailauth).
//
//	Send ─► compose (MIME, signatures) ─► connection from the pool, or a new one
//	          MAIL RCPT DATA in one write ─► three replies
//	          of a message that is larger than one write: all but its end
//	          commit()                       nothing can have been delivered before this
//	          the message, or its end, "."  ─► 2yz Sent │ 4yz Deferred │ 5yz Rejected │ no answer: Unknown
//
// A worker that sends many messages uses a line (line.go): the envelope of the next message rides with the "." of this one, so that a message costs
// one round trip instead of two. Its content and its own "." still wait for its own commit.
//
// An Outcome carries a Code only if a server answered this message; trouble with the connection, TLS or the account's
// password leaves it empty, since it says nothing about the mail.
//
// Invariants: a header cannot be injected, whatever the fields hold; the same Message gives the same bytes on every
// attempt, but for the time in its signatures; a password never crosses the network in clear, except to this very machine and only if allowed.
package email
