package app

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync"
)

// The heap grows to three times what is alive before it is cleaned, where the usual is two: a campaign leaves 130 KB of garbage a mail, and collecting took
// a tenth of the processor. What has no pointers, such as the log's blocks of 8 MB, costs a collection nothing, so room for garbage is no more than three
// times what has: otherwise 16 MB of such blocks take 48 of memory.
const (
	garbagePercent = 200 // of what is alive
	garbageScanned = 300 // of what has to be looked through
	garbageLeast   = 50  // of what is alive: a collection has costs of its own
)

// tendGarbage says after each collection how far the heap may grow until the next, unless GOGC in the environment does.
var tendGarbage = sync.OnceFunc(func() {
	if os.Getenv("GOGC") != "" {
		return
	}
	debug.SetGCPercent(garbagePercent)
	now := garbagePercent
	heap := []metrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/gc/scan/heap:bytes"}}
	var tend func(struct{})
	tend = func(struct{}) {
		metrics.Read(heap)
		if p := growth(heap[0].Value.Uint64(), heap[1].Value.Uint64()); p/10 != now/10 { // a change stops the world for a moment
			debug.SetGCPercent(p)
			now = p
		}
		runtime.AddCleanup(new([64]byte), tend, struct{}{}) // called once the next collection has found that nobody has it
	}
	tend(struct{}{})
})

// growth is by how many percent the heap may grow when so much of it is alive and so much of that has pointers.
func growth(live, scanned uint64) int {
	if live == 0 {
		return garbagePercent
	}
	return int(min(garbagePercent, max(garbageLeast, garbageScanned*scanned/live)))
}
