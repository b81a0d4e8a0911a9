package main

import (
	"os"
	"runtime"
	"sync"
)

// spareProcessor lets one goroutine more run than there are processors, unless the
// environment says how many. SQLite's only writer waits for the disk in a system call,
// and the scheduler takes its place away too late to give it to anybody else: with all
// callers waiting for one commit, a tenth of two processors stood still.
var spareProcessor = sync.OnceFunc(func() {
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(runtime.GOMAXPROCS(0) + 1)
	}
})
