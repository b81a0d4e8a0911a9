package app

import (
	"runtime"
	"runtime/debug"
	"testing"
	"time"
)

func TestPace(t *testing.T) {
	for live, want := range map[uint64]int{
		0:                 100,
		smallHeap / 4:     300,
		smallHeap / 2:     100,
		smallHeap:         100,
		20 * smallHeap:    100,
		smallHeap/2 - 100: 100,
	} {
		if got := pace(live); got != want {
			t.Errorf("pace(%d) = %d, want %d", live, got, want)
		}
	}
}

// A small heap is collected less often than by default, and goes on to be.
func TestASmallHeapIsCollectedRarely(t *testing.T) {
	before := debug.SetGCPercent(100)
	t.Cleanup(func() { debug.SetGCPercent(before) })
	afterCollection(100)
	for range 100 {
		runtime.GC()
		time.Sleep(10 * time.Millisecond) // cleanups run beside us
		percent := debug.SetGCPercent(100)
		debug.SetGCPercent(percent)
		if want := pace(liveHeap()); percent >= want*8/10 && want > 150 {
			return
		}
	}
	t.Errorf("the heap of %d MB is collected as by default", liveHeap()>>20)
}
