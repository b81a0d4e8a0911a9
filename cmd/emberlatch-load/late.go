package main

import (
	"slices"
	"sync"
	"time"
)

// lateness is how long answers take, from the moment at which they were to be asked for.
type lateness struct{ median, p99 time.Duration }

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
	slices.Sort(all)
	return lateness{all[len(all)/2].Round(time.Microsecond), all[len(all)*99/100].Round(time.Microsecond)}, nil
}
