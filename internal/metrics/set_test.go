package metrics_test

import (
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/emberlatch/emberlatch/internal/metrics"
)

func told(s *metrics.Set) string {
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	return w.Body.String()
}

// What is told is the text format of Prometheus, explained, each name once.
func TestText(t *testing.T) {
	s := metrics.NewSet()
	requests := s.Counters("requests_total", "Requests by route.", "route", "status")
	requests.With("/a", "200").Inc()
	requests.With(`/"b\`, "404").Add(2)
	requests.With("/a", "200").Inc()
	took := s.Histograms("seconds", "Time.", []float64{.1, 1}, "route")
	took.With("/a").Observe(50 * time.Millisecond)
	took.With("/a").Observe(500 * time.Millisecond)
	took.With("/a").Observe(5 * time.Second)
	s.Histogram("other_seconds", "Other time.", []float64{1}).Observe(time.Second)
	s.Counter("refused_total", "Refused.").Inc()
	s.Gauge("waiting", "Waiting now.", func() float64 { return 1.5 })
	want := `# HELP other_seconds Other time.
# TYPE other_seconds histogram
other_seconds_bucket{le="1"} 1
other_seconds_bucket{le="+Inf"} 1
other_seconds_sum 1
other_seconds_count 1
# HELP refused_total Refused.
# TYPE refused_total counter
refused_total 1
# HELP requests_total Requests by route.
# TYPE requests_total counter
requests_total{route="/\"b\\",status="404"} 2
requests_total{route="/a",status="200"} 2
# HELP seconds Time.
# TYPE seconds histogram
seconds_bucket{route="/a",le="0.1"} 1
seconds_bucket{route="/a",le="1"} 2
seconds_bucket{route="/a",le="+Inf"} 3
seconds_sum{route="/a"} 5.55
seconds_count{route="/a"} 3
# HELP waiting Waiting now.
# TYPE waiting gauge
waiting 1.5
`
	got := told(s)
	ours := strings.Join(regexp.MustCompile(`(?m)^(# \w+ )?(other_|refused_|requests_|seconds|waiting).*\n`).FindAllString(got, -1), "")
	if diff := cmp.Diff(want, ours); diff != "" {
		t.Error(diff)
	}
	for _, name := range []string{"go_goroutines ", "process_resident_memory_bytes "} {
		if !strings.Contains(got, "\n"+name) {
			t.Errorf("%s is missing", name)
		}
	}
}

// The first of many that count at once makes the counter, and none is lost.
func TestManyCount(t *testing.T) {
	s := metrics.NewSet()
	c := s.Counters("n_total", "N.", "of")
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for i := range 1000 {
				c.With(string(rune('a' + i%5))).Inc()
			}
		})
	}
	wg.Wait()
	for _, of := range "abcde" {
		if line := `n_total{of="` + string(of) + `"} 1600`; !strings.Contains(told(s), line) {
			t.Errorf("no %s", line)
		}
	}
}

func TestMistakesOfTheProgramAreLoud(t *testing.T) {
	s := metrics.NewSet()
	c := s.Counters("n_total", "N.", "of")
	for name, f := range map[string]func(){
		"twice":       func() { s.Counter("n_total", "Again.") },
		"no label":    func() { s.Counters("m_total", "M.") },
		"no value":    func() { c.With() },
		"two values":  func() { c.With("a", "b") },
		"many values": func() { c.With("a", "b", "c") },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: taken", name)
				}
			}()
			f()
		}()
	}
}
