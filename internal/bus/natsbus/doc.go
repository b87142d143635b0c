// Package natsbus is the durable log on NATS JetStream: on a server that runs inside the process, or on a cluster of servers outside, which several
// processes share and of which one may die.
//
// Owns: the server inside and its folder, the one stream. Does not own: grouping (bus.Writer), the readers' positions (each
// reader keeps its own), what the records mean.
//
//	Append ─► in-process connection ─► stream (file, fsync for each record) ─► acknowledgement
//	Read   ◄─ batched direct get from any position;   at the end of the log: wait for the next Append
//
// Invariants:
//   - The server inside listens on no port. All appends of a folder therefore pass through one Log, which is why a waiting
//     Read can be woken by a channel and an idle log costs nothing.
//   - Outside, whoever has appended tells the others how far the log goes; who misses it finds the record when it looks next. Replicas answer
//     reads, and one that lags is asked again. An append of which no answer came is sent again under the same id, so that electing a new leader neither
//     loses nor doubles it.
//   - The stream syncs every record before it acknowledges (sync_always). Without it JetStream acknowledges first
//     and syncs every two minutes, and a power cut loses what was acknowledged (nats-server issue 7564).
//   - One fsync is paid for each record, whatever its size: append few large records.
//   - A full log refuses new records; it never drops old ones to make room. Records do go away by age,
//     read or not: a reader must never lag as long as the retention.
//   - Inside, one Log at a time has a folder open; a second Start is refused (on Unix; elsewhere the operator sees to it).
package natsbus
