// Package collect is the intake: it takes events over HTTP the way Segment's and RudderStack's clients send them, and
// answers 200 once they are on disk.
//
// Owns: the wire contract (paths, keys, sizes, status codes), what makes one event acceptable, the correction of its
// time, the rejections it records, the settings document of the browser SDK. Does not own: the log (bus), write keys
// (Sources), who an event belongs to and what it changes (everything behind the log).
//
//	request ─► key ─► rate ─► body (gzip, size) ─► parse ─► event by event: check, correct, merge context
//	                                                             ├─ accepted ─► bus.Writer ─► log ─► 200
//	                                                             └─ rejected ─► listed in the answer, recorded
//
// Invariants:
//   - 200 means that every accepted event of the request is on the log. 503 means that the caller should send the
//     request again; some of it may be stored already, and message ids make the second time harmless.
//   - One bad event never costs the others their place: clients repeat a refused batch a few times and then drop it
//     whole. 400 is for bodies that are no JSON or too large, 401 for unknown keys alone.
//   - What reaches the log is well-formed: valid UTF-8 without NUL, no key twice, no number beyond float64, at most
//     32 levels deep. Text that had to be mended flags the event "repaired"; a broken identifier rejects it.
//   - No request can make the process hold more than a bounded amount of memory, and none waits for the recording of
//     rejections.
//
// Sizes and answers follow Segment's HTTP API documentation, the path names what the SDKs really call.
package collect
