// Package quota holds each workspace to what the operator lets it use of an installation that several share.
//
// Owns: the limits and their names, the counts of each day, whether one more event, call or message may go. Does not own: what is answered to whom is refused (collect, httpapi), when a
// message that waits is looked at again (outbox).
//
//	intake, API ─► a bucket a second and a count a day, in memory ─► once a second ─► counts of the day in the store ◄─ other processes
//
// Invariants: nothing is refused after it was acknowledged. A refusal touches neither store nor log, and nothing of another workspace. A count is in the store a second after what
// it counts; a process that is killed forgets that second. Limits of a second are of each process, limits of a day of all together; messages are counted in the transaction that lets them go.
package quota
