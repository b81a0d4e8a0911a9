package app

import (
	"time"

	"github.com/emberlatch/emberlatch/internal/metrics"
)

// upstreamObserver counts what a server that holds the records does.
type upstreamObserver struct {
	calls    *metrics.Vector[*metrics.Counter]
	seconds  *metrics.Histogram
	dropped  *metrics.Vector[*metrics.Counter]
	filtered *metrics.Counter
}

// upstream makes the counters; only a gateway has them.
func (m *counts) upstream() upstreamObserver {
	o := upstreamObserver{
		calls: m.set.Counters("emberlatch_upstream_requests_total", "Requests to the server that holds the records, by outcome.", "outcome"),
		seconds: m.set.Histogram("emberlatch_upstream_seconds", "Time that the server that holds the records takes to answer.",
			[]float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10}),
		dropped:  m.set.Counters("emberlatch_upstream_dropped_total", "Entries of the server that holds the records that did not leave, by why. Each is an alarm.", "why"),
		filtered: m.set.Counter("emberlatch_upstream_filtered_total", "Entries that did not leave because no query could say what the caller sees."),
	}
	for _, why := range []string{"hidden", "malformed", "doubled"} { // an alarm needs a zero to rise from
		o.dropped.With(why)
	}
	return o
}

// Call implements upstream.Observer.
func (o upstreamObserver) Call(outcome string, took time.Duration) {
	o.calls.With(outcome).Inc()
	o.seconds.Observe(took)
}

// Dropped implements upstream.Observer.
func (o upstreamObserver) Dropped(why string) { o.dropped.With(why).Inc() }

// Filtered implements upstream.Observer.
func (o upstreamObserver) Filtered() { o.filtered.Inc() }
