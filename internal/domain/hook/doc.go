// Package hook tells other systems what happens, by requests to addresses that a workspace has named: outgoing webhooks.
//
//	event on the log ──Feed──► delivery (waiting) ──worker──► POST, signed ──► delivered
//	                              ▲                             │ fails
//	                              └──── back-off, for a day ◄───┤
//	                                    then parked ◄───────────┘ ──Replay──► waiting
//
// Owns: endpoints, their secrets and health, deliveries with what was sent and answered. Does not own: which addresses may be
// reached (kit/guard, behind Poster), the events themselves.
//
// Invariants: an event makes one delivery for each endpoint that asked for its kind, however often it is fed, and the delivery keeps its
// id through every attempt and replay. A delivery is delivered only after an answer of the 2xx kind: a crash can repeat a request, never
// lose one. Order is not promised. Secrets are sealed at rest and leave the service once, when they are made. The form of requests is that
// of Standard Webhooks (https://www.standardwebhooks.com), so receivers can check signatures with its libraries.
//
// To add a kind: a row in kinds.
package hook
