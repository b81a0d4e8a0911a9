package app

import (
	"os"
	"runtime"
	"runtime/debug"
	runtimemetrics "runtime/metrics"
	"sync"
)

// smallHeap is the size, in bytes, that the heap may have without being collected.
// Some 25 MB live: at Go's default the collector runs ten times a second under
// load and takes an eighth of the processor.
const smallHeap = 96 << 20

var collecting sync.Once

// rest gives back what starting needed and a server at rest does not: half of its
// memory, for some ten milliseconds. From then on the heap is collected rarely.
func rest() {
	debug.FreeOSMemory()
	collectRarely()
}

// collectRarely lets a small heap grow to smallHeap between collections, and a
// larger one to its double, as is Go's default. An operator who has set GOGC is
// obeyed, and GOMEMLIMIT stands.
func collectRarely() {
	if os.Getenv("GOGC") == "" {
		collecting.Do(func() { afterCollection(100) })
	}
}

// afterCollection sets the pace after each collection; percent is what is set now.
func afterCollection(percent int) {
	type collected struct{ next *collected } // holds a pointer, so that it is an object by itself
	runtime.AddCleanup(&collected{}, func(percent int) {
		if now := pace(liveHeap()); now < percent*9/10 || now > percent*11/10 {
			debug.SetGCPercent(now)
			percent = now
		}
		afterCollection(percent)
	}, percent)
}

// pace is the growth, in percent of what is alive, after which to collect.
func pace(live uint64) int {
	if live == 0 || live >= smallHeap/2 {
		return 100
	}
	return int((smallHeap - live) * 100 / live)
}

// liveHeap is what the last collection found alive, in bytes.
func liveHeap() uint64 {
	s := []runtimemetrics.Sample{{Name: "/gc/heap/live:bytes"}}
	runtimemetrics.Read(s)
	if s[0].Value.Kind() != runtimemetrics.KindUint64 {
		return 0
	}
	return s[0].Value.Uint64()
}
