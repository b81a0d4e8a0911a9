package app

import (
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/emberlatch/emberlatch/internal/backchannel"
)

// metrics are the server's counters. Labels come from constants only: route
// patterns and status codes, never anything a request sent.
type metrics struct {
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	refused  prometheus.Counter
	logouts  *prometheus.CounterVec
	// emergencies counts records opened in an emergency.
	emergencies prometheus.Counter
}

func newMetrics() *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "emberlatch_requests_total", Help: "Requests by route and status.",
		}, []string{"route", "status"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "emberlatch_request_seconds", Help: "Time to the end of the answer, by route.",
			Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10},
		}, []string{"route"}),
		refused: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "emberlatch_connections_refused_total", Help: "Connections closed at once because their network held too many.",
		}),
		emergencies: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "emberlatch_emergencies_total", Help: "Records opened in an emergency.",
		}),
		logouts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "emberlatch_logout_notices_total", Help: "Attempts to tell an app of a logout, by outcome.",
		}, []string{"outcome"}),
	}
	m.registry.MustRegister(m.requests, m.seconds, m.refused, m.logouts, m.emergencies, collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	for _, o := range backchannel.Outcomes {
		m.logouts.WithLabelValues(string(o))
	}
	return m
}

// observe counts one answered request.
func (m *metrics) observe(route string, status int, took time.Duration) {
	m.requests.WithLabelValues(route, strconv.Itoa(status)).Inc()
	m.seconds.WithLabelValues(route).Observe(took.Seconds())
}

// told counts an attempt to tell an app of a logout.
func (m *metrics) told(o backchannel.Outcome) { m.logouts.WithLabelValues(string(o)).Inc() }

// trailWaits shows how much of the trail is not in the database yet.
func (m *metrics) trailWaits(waiting func() int) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "emberlatch_trail_waiting", Help: "Entries of the trail that are not in the database yet.",
	}, func() float64 { return float64(waiting()) }))
}

// metricsHandler serves /metrics and the health checks on the listener of the
// operators, never on the public one (IN-14).
func (a *App) metricsHandler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(a.metrics.registry, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /health/live", healthLive)
	mux.HandleFunc("GET /health/ready", a.healthReady)
	return mux
}
