// Package natsbus is the durable log on a NATS JetStream server that runs inside the process.
//
// Owns: the server, its folder, the one stream in it. Does not own: grouping (bus.Writer), the readers' positions (each
// reader keeps its own), what the records mean.
//
//	Append ─► in-process connection ─► stream (file, fsync for each record) ─► acknowledgement
//	Read   ◄─ batched direct get from any position;   at the end of the log: wait for the next Append
//
// Invariants:
//   - The server listens on no port. All appends of a folder therefore pass through one Log, which is why a waiting
//     Read can be woken by a channel and an idle log costs nothing.
//   - The stream syncs every record before it acknowledges (sync_always). Without it JetStream acknowledges first
//     and syncs every two minutes, and a power cut loses what was acknowledged (nats-server issue 7564).
//   - One fsync is paid for each record, whatever its size: append few large records.
//   - A full log refuses new records; it never drops old ones to make room. Records do go away by age,
//     read or not: a reader must never lag as long as the retention.
//   - One Log at a time has a folder open; a second Start is refused (on Unix; elsewhere the operator sees to it).
package natsbus
