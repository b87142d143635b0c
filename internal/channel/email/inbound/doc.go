// Package inbound reads the mail that comes back: bounces, complaints, answers, and the machines among the answers.
//
//	raw mail ─► Parse ─► channel.Returned: bounced, delayed, delivered, complained or replied
//
// Owns: the formats (RFC 3464 delivery reports, RFC 5965 feedback reports, what qmail, Exchange, Exim and Japanese carriers write instead), cutting the
// quoted message out of an answer, telling automatic answers from people's. The packages below it fetch the mail: smtpin listens, imapin polls a
// mailbox, hook takes what mail providers post. Does not own: which message it is about and whether to believe it (outbox).
//
// Invariants: whatever the bytes, Parse returns; nothing of the mail is executed, fetched or stored; text is plain, without control characters, and bounded.
package inbound
