// Package campaign sends one message to an audience, once.
//
// Owns: campaigns, the audience as it was when sending began, how far the walk through it has come.
// Does not own: who belongs to a segment (segment), whether a message may go and sending it (outbox), its figures (report).
//
//	draft ─► (review) ─► scheduled ─► preparing ─► sending ─► sent
//	                                      │           │
//	                          audience is fixed      a chunk of a wave: asked of the outbox
//	                          and cut into waves     and the position moved, in one transaction
//
// A wave is a part of the audience with a time and a template of its own. One moment for all is one wave; "nine o'clock where each person
// lives" and "each person's best hour" are a wave for each moment; an A/B test is a wave for each variant and one for the rest, whose template
// is known once the test is decided. Where the workspace wants it, a second person approves between draft and launch.
//
// A Series is a campaign that comes again: by the clock, and where it follows a feed only when there is news. Each run is a campaign of its own, so
// it has its own audience and figures:
//
//	live ─► due ─► read the feed ─► audience ─► one transaction: run + campaign + items seen + time of the next run
//
// However long the server was down, one run makes up for all that were missed; nobody in the audience, or nothing new, and none is made.
//
// Paused stands aside of scheduled, preparing and sending and goes back there; cancelled takes back what has not left; failed shows why
// and goes on from where it stopped when launched again.
//
// Invariants:
//   - The position and the requests for the people before it are written together: after a crash nobody is missed and
//     nobody is asked for twice (the idempotency key names campaign and person).
//   - Handled = Queued + the sum of Refused at every moment; Handled = Audience at the end.
//   - "sent" means that every message has reached its final state, never that it was handed to the queue.
//   - At most Config.Ahead messages wait in the outbox.
//   - Of a paused campaign nothing goes but what was in flight, whatever it waited for.
package campaign
