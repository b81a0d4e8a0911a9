package app

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// upstreamObserver counts what a server that holds the records does.
type upstreamObserver struct {
	calls    *prometheus.CounterVec
	seconds  prometheus.Histogram
	dropped  *prometheus.CounterVec
	filtered prometheus.Counter
}

// upstream makes the counters; only a gateway has them.
func (m *metrics) upstream() upstreamObserver {
	o := upstreamObserver{
		calls: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "emberlatch_upstream_requests_total", Help: "Requests to the server that holds the records, by outcome.",
		}, []string{"outcome"}),
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "emberlatch_upstream_seconds", Help: "Time that the server that holds the records takes to answer.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10},
		}),
		dropped: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "emberlatch_upstream_dropped_total", Help: "Entries of the server that holds the records that did not leave, by why. Each is an alarm.",
		}, []string{"why"}),
		filtered: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "emberlatch_upstream_filtered_total", Help: "Entries that did not leave because no query could say what the caller sees.",
		}),
	}
	m.registry.MustRegister(o.calls, o.seconds, o.dropped, o.filtered)
	for _, why := range []string{"hidden", "malformed", "doubled"} { // an alarm needs a zero to rise from
		o.dropped.WithLabelValues(why)
	}
	return o
}

// Call implements upstream.Observer.
func (o upstreamObserver) Call(outcome string, took time.Duration) {
	o.calls.WithLabelValues(outcome).Inc()
	o.seconds.Observe(took.Seconds())
}

// Dropped implements upstream.Observer.
func (o upstreamObserver) Dropped(why string) { o.dropped.WithLabelValues(why).Inc() }

// Filtered implements upstream.Observer.
func (o upstreamObserver) Filtered() { o.filtered.Inc() }
