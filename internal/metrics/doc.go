// Package metrics counts, and tells operators in the text format of Prometheus.
//
//	Set ─▶ Counter, Counters, Histogram, Histograms, Gauge ─▶ HELP, TYPE, samples ─▶ GET /metrics
//
// Counting and the samples are VictoriaMetrics' library; what is explained, and of what
// kind it is, is told here (Prometheus text format 0.0.4). Names and the values of labels
// are constants of the program: nothing that a request sent stands in them.
//
// Beside them stand the runtime's and the process's own figures (go_, process_).
package metrics
