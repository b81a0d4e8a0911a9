package metrics

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	victoria "github.com/VictoriaMetrics/metrics"
)

// Set is a list of metrics. It is safe for concurrent use.
type Set struct {
	set *victoria.Set

	mu       sync.Mutex
	families map[string]family
}

// family is what is told about all samples of one name.
type family struct{ kind, help string }

// NewSet makes an empty list.
func NewSet() *Set { return &Set{set: victoria.NewSet(), families: map[string]family{}} }

func (s *Set) explain(name, kind, help string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, known := s.families[name]; known {
		panic("metrics: " + name + " is there already")
	}
	s.families[name] = family{kind, help}
}

// Counter is a number that only grows.
type Counter = victoria.Counter

// Counter makes a counter, at zero.
func (s *Set) Counter(name, help string) *Counter {
	s.explain(name, "counter", help)
	return s.set.NewCounter(name)
}

// Gauge is asked for its value when it is read.
func (s *Set) Gauge(name, help string, value func() float64) {
	s.explain(name, "gauge", help)
	s.set.NewGauge(name, value)
}

// Histogram counts durations in seconds up to each bound.
func (s *Set) Histogram(name, help string, bounds []float64) *Histogram {
	s.explain(name, "histogram", help)
	return &Histogram{s.set.NewPrometheusHistogramExt(name, bounds)}
}

// Histogram counts durations.
type Histogram struct {
	h *victoria.PrometheusHistogram
}

// Observe counts one.
func (h *Histogram) Observe(took time.Duration) { h.h.Update(took.Seconds()) }

// Counters are counters of one name that differ in the values of their labels.
func (s *Set) Counters(name, help string, labels ...string) *Vector[*Counter] {
	s.explain(name, "counter", help)
	return newVector(name, labels, s.set.NewCounter)
}

// Histograms are histograms of one name that differ in the value of their label.
func (s *Set) Histograms(name, help string, bounds []float64, label string) *Vector[*Histogram] {
	s.explain(name, "histogram", help)
	return newVector(name, []string{label}, func(name string) *Histogram {
		return &Histogram{s.set.NewPrometheusHistogramExt(name, bounds)}
	})
}

// most is how many labels a metric has at most.
const most = 2

// Vector holds one metric for each combination of values of its labels.
type Vector[M any] struct {
	name   string
	labels []string
	make   func(name string) M

	mu sync.RWMutex
	by map[[most]string]M
}

func newVector[M any](name string, labels []string, create func(string) M) *Vector[M] {
	if len(labels) == 0 || len(labels) > most {
		panic(fmt.Sprintf("metrics: %s has %d labels", name, len(labels)))
	}
	return &Vector[M]{name: name, labels: labels, make: create, by: map[[most]string]M{}}
}

// With is the metric of these values, one for each label; asked for the first time, it is
// made, at zero.
func (v *Vector[M]) With(values ...string) M {
	var key [most]string
	if copy(key[:], values) != len(v.labels) || len(values) != len(v.labels) {
		panic(fmt.Sprintf("metrics: %s has %d labels, and not %d", v.name, len(v.labels), len(values)))
	}
	v.mu.RLock()
	m, there := v.by[key]
	v.mu.RUnlock()
	if there {
		return m
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if m, there = v.by[key]; !there {
		m = v.make(v.sample(values))
		v.by[key] = m
	}
	return m
}

// escape is how the value of a label is written.
var escape = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)

func (v *Vector[M]) sample(values []string) string {
	pairs := make([]string, len(values))
	for i, value := range values {
		pairs[i] = v.labels[i] + `="` + escape.Replace(value) + `"`
	}
	return v.name + "{" + strings.Join(pairs, ",") + "}"
}

// write tells all samples, those of one name behind what explains it, and the
// runtime's and the process's.
func (s *Set) write(w io.Writer) {
	var samples bytes.Buffer
	s.set.WritePrometheus(&samples)
	last := ""
	for lines := bufio.NewScanner(&samples); lines.Scan(); {
		name, f := s.familyOf(lines.Text())
		if name != last {
			fmt.Fprintf(w, "# HELP %s %s\n# TYPE %s %s\n", name, f.help, name, f.kind)
			last = name
		}
		fmt.Fprintln(w, lines.Text())
	}
	victoria.WriteProcessMetrics(w)
}

// familyOf finds what a sample belongs to.
func (s *Set) familyOf(sample string) (string, family) {
	name := sample[:strings.IndexAny(sample+" ", "{ ")]
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, part := range []string{"", "_bucket", "_sum", "_count"} {
		if whole, cut := strings.CutSuffix(name, part); cut {
			if f, known := s.families[whole]; known {
				return whole, f
			}
		}
	}
	return name, family{"untyped", ""}
}

// ServeHTTP tells all of them.
func (s *Set) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	var text bytes.Buffer
	s.write(&text)
	_, _ = text.WriteTo(w) // whoever asked has gone
}
