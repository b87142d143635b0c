// Package tracking serves the links that go out with messages: the open mark, the click, the way out.
//
//	GET  /t/o/{token}   1×1 image ──► event Message Opened
//	GET  /t/c/{token}   302 to the destination that is signed into the token ──► outbox.Followed, a moment later event Message Clicked
//	GET  /u/{token}     page to end a subscription; changes nothing, since mail scanners follow every link
//	POST /u/{token}     the page's form, and one-click requests of mail providers (RFC 8058)
//
// Owns: these four routes, telling machines from people, the page in English, Chinese and Japanese. Does not own: what
// a link may do and what follows (outbox), consent (consent), the log.
//
// Who is no person is told by the request alone here: machines.txt, how it asks. What else was followed decides the rest (outbox.Settle).
//
// Invariants: only tokens that this installation signed do anything, so there is no open redirect; a click leads on and an image is
// served even while the log or the record store is down; an unsubscribe is answered with 200 only once it is durable.
package tracking
