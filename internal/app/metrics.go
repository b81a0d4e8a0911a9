package app

import (
	"net/http"
	"strconv"
	"time"

	"github.com/emberlatch/emberlatch/internal/backchannel"
	"github.com/emberlatch/emberlatch/internal/metrics"
)

// counts are the server's counters. Labels come from constants only: route
// patterns and status codes, never anything a request sent.
type counts struct {
	set      *metrics.Set
	requests *metrics.Vector[*metrics.Counter]
	seconds  *metrics.Vector[*metrics.Histogram]
	refused  *metrics.Counter
	logouts  *metrics.Vector[*metrics.Counter]
	// emergencies counts records opened in an emergency.
	emergencies *metrics.Counter
}

func newCounts() *counts {
	s := metrics.NewSet()
	m := &counts{
		set:      s,
		requests: s.Counters("emberlatch_requests_total", "Requests by route and status.", "route", "status"),
		seconds: s.Histograms("emberlatch_request_seconds", "Time to the end of the answer, by route.",
			[]float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10}, "route"),
		refused:     s.Counter("emberlatch_connections_refused_total", "Connections closed at once because their network held too many."),
		emergencies: s.Counter("emberlatch_emergencies_total", "Records opened in an emergency."),
		logouts:     s.Counters("emberlatch_logout_notices_total", "Attempts to tell an app of a logout, by outcome.", "outcome"),
	}
	for _, o := range backchannel.Outcomes {
		m.logouts.With(string(o))
	}
	return m
}

// observe counts one answered request.
func (m *counts) observe(route string, status int, took time.Duration) {
	m.requests.With(route, strconv.Itoa(status)).Inc()
	m.seconds.With(route).Observe(took)
}

// told counts an attempt to tell an app of a logout.
func (m *counts) told(o backchannel.Outcome) { m.logouts.With(string(o)).Inc() }

// trailWaits shows how much of the trail is not in the database yet.
func (m *counts) trailWaits(waiting func() int) {
	m.set.Gauge("emberlatch_trail_waiting", "Entries of the trail that are not in the database yet.", func() float64 { return float64(waiting()) })
}

// metricsHandler serves /metrics and the health checks on the listener of the
// operators, never on the public one (IN-14).
func (a *App) metricsHandler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", a.metrics.set)
	mux.HandleFunc("GET /health/live", healthLive)
	mux.HandleFunc("GET /health/ready", a.healthReady)
	return mux
}
