package main

import (
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// lateness is how long answers take, from the moment at which they were to be asked for,
// and how busy the processors of the machine were meanwhile, from 0 to 1.
type lateness struct {
	median, p99 time.Duration
	busy        float64
}

// late asks at a fixed pace, whether or not the answers before have come, for the
// time of one figure: who waits behind a slow answer is late as well.
func (m *measuring) late(perSecond float64, do func(caller int) error) (lateness, error) {
	const crowd = 64 // more than are ever under way at half load
	var (
		pace  = time.Duration(float64(time.Second) / perSecond)
		total = int(m.each / pace)
		due   = make(chan time.Time, total)
		mu    sync.Mutex
		all   = make([]time.Duration, 0, total)
		bad   firstError
		wg    sync.WaitGroup
	)
	for c := range crowd {
		wg.Go(func() {
			for at := range due {
				if err := do(c); err != nil {
					bad.set(err)
					return
				}
				took := time.Since(at)
				mu.Lock()
				all = append(all, took)
				mu.Unlock()
			}
		})
	}
	before := processors()
	began := time.Now()
	for i := range total {
		at := began.Add(time.Duration(i) * pace)
		time.Sleep(time.Until(at))
		due <- at
	}
	close(due)
	wg.Wait()
	if err := bad.get(); err != nil || len(all) == 0 {
		return lateness{}, err
	}
	busy := processors().since(before)
	slices.Sort(all)
	return lateness{all[len(all)/2].Round(time.Microsecond), all[len(all)*99/100].Round(time.Microsecond), busy}, nil
}

// usage is the time of all processors, and how much of it they had nothing to do.
type usage struct{ all, idle float64 }

// processors reads the usage since the machine started (proc(5), /proc/stat); nothing
// where there is no such file.
func processors() usage {
	b, err := os.ReadFile("/proc/stat")
	if err != nil {
		return usage{}
	}
	line, _, _ := strings.Cut(string(b), "\n")
	var u usage
	for i, word := range strings.Fields(line) {
		ticks, err := strconv.ParseFloat(word, 64)
		if err != nil || i > 8 { // the name; what guests had is in what users had
			continue
		}
		u.all += ticks
		if i == 4 || i == 5 { // idle, and waiting for a disk
			u.idle += ticks
		}
	}
	return u
}

// since is the share of the time in which the processors were busy.
func (u usage) since(before usage) float64 {
	if u.all <= before.all {
		return 0
	}
	return 1 - (u.idle-before.idle)/(u.all-before.all)
}
